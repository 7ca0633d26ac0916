//! The generated units under a live systemd: keys are there before nginx starts, the timer
//! rotates them inside the sandbox, a boot without keys stops nobody, and scheduled reloads
//! change the keys of servers that keep them in memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;
mod systemd_world;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use support::certs;
use support::client::{Kind, Target, connect};
use support::server::free_address;
use systemd_world::{Tree, World};

const KEYS: &str = "/run/stekguard/keys/nginx";
const SLOT: u64 = 4000;
const PLAN: [&str; 6] = ["--interval", "4s", "--lifetime", "30s", "--skew", "1s"];

/// A server of the copy, reached from outside: the network is the machine's.
struct Site {
    target: Target,
}

impl Site {
    fn new(tree: &Tree, server: &str) -> (Self, SocketAddr) {
        let nonce = certs::nonce();
        let folder = tree.at(&format!("etc/{server}-test/x"));
        certs::self_signed(folder.parent().unwrap(), "one", &["a.test"], &nonce);
        let address = free_address();
        let target = Target {
            address,
            sni: Some("a.test".to_owned()),
            nonce,
        };
        (Self { target }, address)
    }

    fn nginx(tree: &Tree, lines: &str) -> Self {
        let (site, address) = Self::new(tree, "nginx");
        tree.write(
            "etc/nginx/nginx.conf",
            format!(
                "user www-data;\npid /run/nginx.pid;\nworker_processes 2;\n\
                 worker_shutdown_timeout 2s;\nerror_log /var/log/nginx/error.log;\n\
                 events {{}}\nhttp {{\n    access_log off;\n    ssl_session_timeout 30s;\n\
                 {lines}\n    server {{\n        listen {address} ssl;\n        \
                 server_name a.test;\n        ssl_protocols TLSv1.2 TLSv1.3;\n        \
                 ssl_certificate /etc/nginx-test/one.crt;\n        \
                 ssl_certificate_key /etc/nginx-test/one.key;\n        return 200;\n    }}\n}}\n"
            ),
        );
        site
    }

    fn apache(tree: &Tree) -> Self {
        let (site, address) = Self::new(tree, "apache2");
        let modules = ["mpm_event", "authz_core", "socache_shmcb", "ssl"];
        let modules: String = modules
            .iter()
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .collect();
        tree.write(
            "etc/apache2/apache2.conf",
            format!(
                "ServerName main.test\nDefaultRuntimeDir ${{APACHE_RUN_DIR}}\n\
                 PidFile ${{APACHE_PID_FILE}}\nUser www-data\nGroup www-data\n\
                 ErrorLog /var/log/apache2/error.log\n{modules}Listen {address}\n\
                 SSLSessionCacheTimeout 300\n<VirtualHost {address}>\nServerName a.test\n\
                 SSLEngine on\nSSLCertificateFile /etc/apache2-test/one.crt\n\
                 SSLCertificateKeyFile /etc/apache2-test/one.key\n</VirtualHost>\n"
            ),
        );
        site
    }

    fn ticket(&self) -> Option<[u8; 16]> {
        let seen = connect(&self.target, Kind::Tls13, None).ok()?;
        seen.issued.last()?.ticket.get(..16)?.try_into().ok()
    }
}

/// The slot of the key in the folder that this name stands in front of.
fn slot_of(folder: &Path, name: [u8; 16]) -> Option<u64> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        let slot = file.strip_suffix(".key")?.split('-').next()?.parse().ok()?;
        let bytes = fs::read(entry.path()).ok()?;
        (bytes.len() == 80 && bytes[..16] == name).then_some(slot)
    })
}

fn include() -> String {
    format!("    include {KEYS}/*.conf;")
}

#[test]
fn keys_come_first_and_rotate_by_the_timer() {
    let tree = Tree::new();
    let site = Site::nginx(&tree, &include());
    let mut enabled = tree.units(&PLAN);
    assert_eq!(enabled.len(), 3, "{enabled:?}");
    enabled.push("nginx.service".to_owned());
    let world = World::boot(&tree, &enabled);

    // Memory of their own, never swapped.
    let mounts = fs::read_to_string(format!("/proc/{}/mounts", world.pid)).unwrap();
    let line = mounts
        .lines()
        .find(|line| line.contains(" /run/stekguard/keys "));
    let line = line.unwrap_or_else(|| panic!("no mount of keys:\n{mounts}"));
    assert!(
        line.contains(" tmpfs ") && line.contains("noswap"),
        "{line}"
    );
    // Made before nginx starts, which is up.
    let boot = world.unit("stekguard-keys-nginx-boot.service");
    assert_eq!(boot["Result"], "success", "{}", world.log());
    let nginx = world.unit("nginx.service");
    assert_eq!(nginx["ActiveState"], "active", "{}", world.log());
    let time = |text: &str| text.parse::<u64>().unwrap();
    let (made, started) = (
        time(&boot["ExecMainExitTimestampMonotonic"]),
        time(&nginx["InactiveExitTimestampMonotonic"]),
    );
    assert!(0 < made && made <= started, "{made} {started}");
    println!("keys made {} us before nginx was started", started - made);

    // The timer's runs, inside their sandbox, test, reload and check.
    let folder = world.path(KEYS);
    let mut slots = BTreeSet::new();
    world.until("a fifth slot", 60, || {
        slots.extend(site.ticket().and_then(|name| slot_of(&folder, name)));
        slots.len() >= 5
    });
    let wall = std::time::SystemTime::now();
    let wall = wall
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis()
        / u128::from(SLOT);
    let last = u128::from(*slots.last().unwrap());
    assert!(wall.abs_diff(last) <= 2, "{wall} {slots:?}");
    println!("slots whose keys encrypted under the timer: {slots:?}");
    let state = fs::read_to_string(folder.join("state.json")).unwrap();
    assert!(state.contains("\"live_check\":\"verified\""), "{state}");
    let rotation = world.unit("stekguard-keys-nginx.service");
    assert_eq!(rotation["Result"], "success");
    for (key, value) in [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("MemoryDenyWriteExecute", "yes"),
        ("LimitCORE", "0"),
    ] {
        assert_eq!(rotation[key], value);
    }

    // The doctor asks this systemd for it.
    let table = world.ran(
        "stekguard",
        &[&["keys", "doctor", "--isolated"][..], &PLAN].concat(),
    );
    let unit = |name: &str| {
        let row = table.lines().find(|line| line.contains(name));
        row.unwrap_or_else(|| panic!("no {name} in\n{table}"))
            .to_owned()
    };
    for name in [
        "stekguard-keys-nginx.service",
        "stekguard-keys-nginx-boot.service",
    ] {
        assert!(
            unit(name).starts_with("ok") && unit(name).contains("systemd has"),
            "{table}"
        );
    }
    // A drop-in that opens it again is seen as soon as systemd knows of it.
    let drop_in = "/etc/systemd/system/stekguard-keys-nginx.service.d";
    fs::create_dir(world.path(drop_in)).unwrap();
    let text = "[Service]\nLimitCORE=infinity\n";
    fs::write(world.path(drop_in).join("open.conf"), text).unwrap();
    world.ran("systemctl", &["daemon-reload"]);
    let table = world.ran(
        "stekguard",
        &[&["keys", "doctor", "--isolated"][..], &PLAN].concat(),
    );
    let row = table.lines().find(|line| line.contains("set LimitCORE=0"));
    assert!(row.is_some_and(|row| row.starts_with("warning")), "{table}");
}

#[test]
fn a_boot_without_keys_stops_nobody_and_heals() {
    let tree = Tree::new();
    let site = Site::nginx(&tree, &include());
    let mut enabled = tree.units(&PLAN);
    enabled.push("nginx.service".to_owned());
    // Nothing can make keys: the program is not there.
    let program = tree.at("usr/bin/stekguard");
    fs::rename(&program, program.with_extension("later")).unwrap();
    let world = World::boot(&tree, &enabled);
    let boot = world.unit("stekguard-keys-nginx-boot.service");
    assert_ne!(boot["Result"], "success");
    assert_eq!(
        world.unit("nginx.service")["ActiveState"],
        "active",
        "{}",
        world.log()
    );
    let folder = world.path(KEYS);
    assert!(!folder.exists());
    let name = site.ticket().expect("a ticket under a key of nginx's own");
    assert_eq!(slot_of(&folder, name), None);
    // The program comes; the timer's next run makes keys and has nginx read them.
    fs::rename(
        world.path("/usr/bin/stekguard.later"),
        world.path("/usr/bin/stekguard"),
    )
    .unwrap();
    world.until("a ticket under a key of the folder", 60, || {
        site.ticket()
            .is_some_and(|name| slot_of(&folder, name).is_some())
    });
    let nginx = world.unit("nginx.service");
    assert_eq!(nginx["NRestarts"], "0");
}

#[test]
fn scheduled_reloads_change_the_keys_in_memory() {
    let tree = Tree::new();
    let (nginx, apache) = (Site::nginx(&tree, ""), Site::apache(&tree));
    let mut enabled = tree.units(&["--scheduled-reload", "5s"]);
    enabled.extend(tree.units(&["--scheduled-reload", "5s", "--service", "apache2"]));
    assert_eq!(enabled.len(), 2, "{enabled:?}");
    // Their accuracy of a minute is for days.
    for name in &enabled {
        let path = tree.at(&format!("etc/systemd/system/{name}"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("AccuracySec=1min", "AccuracySec=100ms")).unwrap();
    }
    enabled.extend(["nginx.service", "apache2.service"].map(str::to_owned));
    let world = World::boot(&tree, &enabled);
    for (site, unit) in [(&nginx, "nginx.service"), (&apache, "apache2.service")] {
        assert_eq!(
            world.unit(unit)["ActiveState"],
            "active",
            "{unit}:\n{}",
            world.log()
        );
        let first = world.unit(unit)["MainPID"].clone();
        let mut names = BTreeSet::new();
        world.until("a third key", 60, || {
            names.extend(site.ticket());
            names.len() >= 3
        });
        // Reloaded, not restarted: the first process is the same.
        assert_eq!(world.unit(unit)["MainPID"], first, "{unit}");
        println!("{unit}: {} keys by scheduled reloads", names.len());
    }
    let table = world.ran("stekguard", &["keys", "doctor", "--isolated"]);
    let row = table
        .lines()
        .find(|line| line.contains("stekguard-reload-nginx.service"));
    assert!(row.is_some_and(|row| row.starts_with("ok")), "{table}");
}
