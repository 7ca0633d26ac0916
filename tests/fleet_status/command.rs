//! `keys status --fleet` and the doctor's rows on a store that a real generator filled, with
//! reports that are signed by identities that `keys enroll` made.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use stekguard::keys::core::KeyId;
use stekguard::keys::fleet::store::{Access, open};
use stekguard::keys::fleet::{FleetName, HostName, HostReport, Item, Places, Signer, sign_report};
use tempfile::TempDir;

use crate::keys_bench::{Ran, wall};
use crate::schema;
use crate::xml;

const HOUR: u64 = 3_600_000;

struct Fleet {
    dir: TempDir,
    signers: String,
}

impl Fleet {
    /// A fleet with one generator that has offered its keys, and these hosts.
    fn new(hosts: &[&str]) -> Self {
        let dir = TempDir::new_in("/dev/shm").unwrap();
        let mut fleet = Self {
            dir,
            signers: String::new(),
        };
        fleet.settings("one", "");
        let made = fleet.ran("one", "init-fleet", &[]).ended(0).out;
        let line = made
            .lines()
            .find(|line| line.starts_with("signers"))
            .unwrap();
        fleet.signers = line
            .split_once('[')
            .unwrap()
            .1
            .trim_end_matches(']')
            .to_owned();
        fleet.settings("one", "");
        for host in hosts {
            fleet.settings(host, &format!("host = \"{host}\"\n"));
            let enrolled = fleet.ran(host, "enroll", &[]).ended(0).out;
            let key = enrolled
                .split_whitespace()
                .find(|word| word.contains("ed25519:"));
            let key = key.unwrap().trim_matches(['"', '\'']);
            fleet
                .ran("one", "enroll", &["--host", host, "--identity", key])
                .ended(0);
        }
        let once = ["--once", "--founding", "--allow-unlocked"];
        fleet.ran("one", "generate", &once).ended(0);
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn settings(&self, name: &str, more: &str) {
        let text = format!(
            "[fleet]\nname = \"edge\"\nstore = [\"directory:{}\"]\nsigners = [{}]\n\
             signing_key = \"{name}.key\"\nidentity = \"{name}.identity\"\n\
             roster = \"roster.toml\"\n{more}",
            self.path("store").display(),
            self.signers
        );
        fs::write(self.path(&format!("{name}.toml")), text).unwrap();
    }

    fn ran(&self, name: &str, command: &str, more: &[&str]) -> Ran {
        let mut run = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        run.args(["keys", command, "--isolated", "--config"])
            .arg(self.path(&format!("{name}.toml")))
            .args(more)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        Ran::of(run)
    }

    fn status(&self, more: &[&str]) -> Ran {
        self.ran("one", "status", &[&["--fleet"], more].concat())
    }

    fn report(&self, host: &str) -> HostReport {
        let now = wall();
        HostReport {
            fleet: FleetName::parse("edge").unwrap(),
            host: HostName::parse(host).unwrap(),
            time: now,
            epoch: now / HOUR,
            generation: 0,
            encrypts: Some(KeyId([0xa; 8])),
            ahead: 3,
            held: 4,
            skew: 0,
            contact: now,
            reloaded: now,
            live_check: "verified".to_owned(),
            alarms: 0,
            derived: false,
        }
    }

    /// Signs with the identity of `by` and puts it where `host`'s report stands.
    fn publish(&self, report: &HostReport, by: &str) {
        let path = self.path(&format!("{by}.identity")).display().to_string();
        let identity = Signer::open(&path, &Places::default()).unwrap();
        let record = sign_report(report, &identity).unwrap();
        self.put(report.host.as_str(), &record);
    }

    fn put(&self, host: &str, record: &[u8]) {
        let url = format!("directory:{}", self.path("store").display());
        let mut store = open(&url, &Access::default()).unwrap();
        let name = Item::Report(HostName::parse(host).unwrap());
        let name = name.name(&FleetName::parse("edge").unwrap());
        store.put(&name, record, wall() / 1000 + 3600).unwrap();
    }
}

#[test]
fn the_command_says_how_the_fleet_stands_and_exits_accordingly() {
    let hosts = ["web1", "web2", "web3"];
    let fleet = Fleet::new(&hosts);
    let nobody = fleet.status(&[]).ended(1).out;
    assert!(nobody.contains("0 of 3 hosts are fine"), "{nobody}");
    assert!(nobody.contains("troubles    3 no-report"), "{nobody}");
    for host in hosts {
        fleet.publish(&fleet.report(host), host);
    }
    let page = fleet.status(&[]).ended(0).out;
    assert!(page.contains(": 3 of 3 hosts are fine\n"), "{page}");
    assert!(page.contains("0a0a0a0a0a0a0a0a on 3"), "{page}");

    // Another host's signature, another key, and noise.
    fleet.publish(&fleet.report("web1"), "web2");
    let mut other = fleet.report("web2");
    other.encrypts = Some(KeyId([0xb; 8]));
    fleet.publish(&other, "web2");
    let page = fleet.status(&[]).ended(1).out;
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("web"))
        .collect();
    assert!(rows[0].starts_with("web1 ") && rows[0].ends_with("unverifiable (unknown-signer)"));
    let document = fleet.status(&["--format", "json"]).ended(1).out;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["fine"], false);
    let text = include_str!("../../docs/schema/fleet-status-1.json");
    let wrong = schema::violations(&serde_json::from_str(text).unwrap(), &document);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let metrics = fleet.status(&["--format", "prometheus"]).ended(1).out;
    assert!(metrics.contains("stekguard_fleet_troubled_hosts{trouble=\"unverifiable\"} 1\n"));
    let roster = fleet.status(&["--sort", "roster", "--all"]).ended(1).out;
    let rows = roster.lines().filter(|line| line.starts_with("web"));
    let names: Vec<&str> = rows.map(|row| &row[..4]).collect();
    assert_eq!(names, hosts);
    fleet.put("web3", &vec![0xff; 60_000]);
    let page = fleet.status(&[]).ended(1).out;
    assert!(page.contains("2 unverifiable"), "{page}");

    // A host that was turned out, and reports all the same.
    fleet.publish(&fleet.report("web3"), "web3");
    fleet.ran("one", "revoke-host", &["web3"]).ended(0);
    let page = fleet.status(&[]).ended(1).out;
    assert!(
        page.contains("1 hosts report that are not in the roster: web3"),
        "{page}"
    );

    // The store's own timeline: every claim of the window.
    let page = fleet.status(&["--timeline", "text", "--width", "120"]);
    assert!(
        page.out.contains("TLS ticket keys of the fleet edge"),
        "{}",
        page.out
    );
    let picture = fleet.status(&["--timeline", "svg"]).out;
    xml::parse(&picture);

    // Without an answer nothing is said.
    fs::rename(fleet.path("roster.toml"), fleet.path("away.toml")).unwrap();
    let gone = fleet.status(&[]).ended(2);
    assert!(
        gone.out.is_empty() && gone.err.contains("roster.toml"),
        "{}",
        gone.err
    );
}

#[test]
fn the_doctor_has_rows_for_a_fleet() {
    let fleet = Fleet::new(&["web1"]);
    let doctor = |name: &str| {
        let more = [
            "--dir",
            "/dev/shm/stekguard-no-such-folder",
            "--server-config",
            "/nonexistent",
        ];
        fleet.ran(name, "doctor", &more).out
    };
    let row = |table: &str, name: &str| {
        let found = table.lines().find(|line| line[9..].starts_with(name));
        found
            .unwrap_or_else(|| panic!("no row {name} in\n{table}"))
            .to_owned()
    };
    let table = doctor("web1");
    assert!(row(&table, "fleet signers").starts_with("ok"), "{table}");
    assert!(row(&table, "fleet identity").starts_with("ok"), "{table}");
    assert!(row(&table, "store").starts_with("ok"), "{table}");
    assert!(row(&table, "generator").starts_with("ok"), "{table}");
    assert!(
        row(&table, "roster").contains("1 hosts, generation 0"),
        "{table}"
    );
    assert!(
        row(&doctor("one"), "signing key").starts_with("ok"),
        "{table}"
    );

    use std::os::unix::fs::PermissionsExt;
    let identity = fleet.path("web1.identity");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(row(&doctor("web1"), "fleet identity").starts_with("error"));
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    fleet.settings("web1", "host = \"web1\"\npoll = \"20m\"\n");
    assert!(row(&doctor("web1"), "fleet poll").starts_with("warning"));
    // Somebody else's generator.
    let text = fs::read_to_string(fleet.path("web1.toml")).unwrap();
    let other = Signer::random().unwrap().public().to_string();
    let own = fleet.signers.trim_matches('"');
    fs::write(fleet.path("web1.toml"), text.replace(own, &other)).unwrap();
    let table = doctor("web1");
    assert!(
        row(&table, "generator").contains("unknown-signer"),
        "{table}"
    );
    fs::remove_dir_all(fleet.path("store")).unwrap();
    assert!(row(&doctor("web1"), "store").starts_with("error"));
    let status = fleet.status(&[]).ended(2);
    assert!(
        status.out.is_empty() && status.err.contains("does not answer"),
        "{}",
        status.err
    );

    // No fleet, no rows.
    fs::write(fleet.path("plain.toml"), "[rotation]\ninterval = \"1h\"\n").unwrap();
    assert!(!doctor("plain").contains("fleet"), "{}", doctor("plain"));
}
