//! A fleet of its own in a folder: settings, generators, hosts and the view of its store that
//! anybody has.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use stekguard::keys::core::{KeyId, Slot};
use stekguard::keys::fleet::store::{Access, Store, open};
use stekguard::keys::fleet::{
    FleetName, Head, Header, HostKey, HostName, Item, Pinned, Places, PublicKey, Recipient, Seed,
    Signer, open_for_host, read_claim, read_head, sign_host_key,
};
use tempfile::TempDir;

use crate::keys_bench::{Daemon, Ran, wall};

/// The length of a slot, in milliseconds.
pub(crate) const SLOT: u64 = 2000;
pub(crate) const AHEAD: u64 = 2;

pub(crate) struct Fleet {
    pub(crate) dir: TempDir,
    pub(crate) url: String,
    pub(crate) mode: &'static str,
    pub(crate) signers: Vec<String>,
}

/// A host whose key of the day is in the store.
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) identity: Signer,
    pub(crate) keys: Vec<Recipient>,
}

impl Fleet {
    /// A fleet with a folder as store and the generators `one` and `two`.
    pub(crate) fn new(mode: &'static str) -> Self {
        // In memory: a store on a busy disk answers after slots of this length are over.
        let dir = TempDir::new_in("/dev/shm").unwrap();
        let url = format!("directory:{}", dir.path().join("store").display());
        Self::at(mode, url, dir)
    }

    pub(crate) fn at(mode: &'static str, url: String, dir: TempDir) -> Self {
        let mut fleet = Self {
            dir,
            url,
            mode,
            signers: Vec::new(),
        };
        for name in ["one", "two"] {
            fleet.settings(name, "");
            let made = fleet.ran(name, "init-fleet", &[]).ended(0);
            let line = made.out.lines().find(|line| line.starts_with("signers"));
            // The own one comes last.
            let key = line.unwrap().rsplit('"').nth(1).unwrap();
            fleet.signers.push(key.to_owned());
        }
        fleet.settings("one", "");
        fleet.settings("two", "");
        fleet
    }

    /// Writes somebody's settings.
    pub(crate) fn settings(&self, name: &str, more: &str) {
        let signers: Vec<String> = self.signers.iter().map(|key| format!("{key:?}")).collect();
        let text = format!(
            "[rotation]\ninterval = \"2s\"\nahead = {AHEAD}\nprevious = 4\nlifetime = \"6s\"\n\
             skew = \"1s\"\n\n[fleet]\nname = \"edge\"\nmode = \"{}\"\nstore = [\"{}\"]\n\
             signers = [{}]\nsigning_key = \"{name}.key\"\nfleet_key = \"fleet.key\"\n\
             identity = \"{name}.identity\"\nroster = \"roster.toml\"\n{more}",
            self.mode,
            self.url,
            signers.join(", ")
        );
        fs::write(self.path(&format!("{name}.toml")), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, name: &str, command: &str, more: &[&str]) -> Command {
        let mut run = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        run.args(["keys", command, "--isolated", "--config"])
            .arg(self.path(&format!("{name}.toml")))
            .args(more)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        run
    }

    pub(crate) fn ran(&self, name: &str, command: &str, more: &[&str]) -> Ran {
        Ran::of(self.command(name, command, more))
    }

    /// Starts a generator; its log is `NAME.log`.
    pub(crate) fn generator(&self, name: &str, more: &[&str]) -> Daemon {
        let log = self.path(&format!("{name}.log"));
        Daemon::start(self.command(name, "generate", more), &log)
    }

    /// Makes a host, takes it into the roster and publishes its key of the day.
    pub(crate) fn host(&self, name: &str) -> Host {
        self.settings(name, &format!("host = \"{name}\"\n"));
        let made = self.ran(name, "enroll", &[]).ended(0);
        let line: Vec<&str> = made.out.split_whitespace().collect();
        assert_eq!(line[..3], ["stekguard", "keys", "enroll"], "{}", made.out);
        self.ran("one", "enroll", &line[3..]).ended(0);
        let identity = self.path(&format!("{name}.identity"));
        let mut host = Host {
            name: HostName::parse(name).unwrap(),
            identity: Signer::open(identity.to_str().unwrap(), &Places::default()).unwrap(),
            keys: Vec::new(),
        };
        self.publish(&mut host, Recipient::random().unwrap());
        host
    }

    /// Publishes a key of the day; those of before stay with the host.
    pub(crate) fn publish(&self, host: &mut Host, recipient: Recipient) {
        let now = wall();
        let key = HostKey {
            fleet: self.name(),
            host: host.name.clone(),
            public: recipient.public(),
            made: now,
            expires: now + 3_600_000,
        };
        let record = sign_host_key(&key, &host.identity).unwrap();
        let name = Item::Host(host.name.clone()).name(&self.name());
        self.store().put(&name, &record, now / 1000 + 3600).unwrap();
        host.keys.push(recipient);
    }

    pub(crate) fn name(&self) -> FleetName {
        FleetName::parse("edge").unwrap()
    }

    pub(crate) fn store(&self) -> Box<dyn Store> {
        open(&self.url, &Access::default()).unwrap()
    }

    pub(crate) fn pinned(&self) -> Pinned {
        let keys = self.signers.iter().map(|text| PublicKey::parse(text));
        Pinned(keys.map(Result::unwrap).collect())
    }

    pub(crate) fn read(&self, item: &Item) -> Option<Vec<u8>> {
        let found = self.store().read(&[item.name(&self.name())]).unwrap();
        found.into_iter().next().unwrap()
    }

    pub(crate) fn head(&self) -> Option<Head> {
        let record = self.read(&Item::Head)?;
        read_head(&record, &self.name(), &self.pinned()).ok()
    }

    /// The claims of a generation on slots from the present one to the last one ahead.
    pub(crate) fn claims(&self, generation: u32) -> BTreeMap<u64, Header> {
        let epoch = wall() / SLOT;
        let mut out = BTreeMap::new();
        for epoch in epoch..=epoch + AHEAD {
            let slot = Slot { generation, epoch };
            if let Some(record) = self.read(&Item::Key(slot)) {
                let header = read_claim(&record, &self.name(), slot, &self.pinned());
                out.extend(header.ok().map(|header| (epoch, header)));
            }
        }
        out
    }

    /// The seeds of these slots that are claimed, also of slots that are over.
    pub(crate) fn again(&self, known: &BTreeMap<u64, KeyId>) -> BTreeMap<u64, KeyId> {
        let claim = |epoch: u64| {
            let slot = Slot {
                generation: 0,
                epoch,
            };
            let record = self.read(&Item::Key(slot))?;
            let header = read_claim(&record, &self.name(), slot, &self.pinned()).ok()?;
            Some((epoch, header.seed))
        };
        known.keys().filter_map(|epoch| claim(*epoch)).collect()
    }

    /// Waits until the present slot and those ahead are claimed.
    #[track_caller]
    pub(crate) fn whole(&self, generation: u32) -> BTreeMap<u64, Header> {
        eventually("the window is not whole", || {
            let claims = self.claims(generation);
            (claims.len() as u64 == AHEAD + 1).then_some(claims)
        })
    }

    /// Waits until the host opens the seeds of present and coming slots, and holds that what
    /// came back to the store is what had been there: `before`.
    #[track_caller]
    pub(crate) fn healed(
        &self,
        host: &Host,
        before: &BTreeMap<u64, KeyId>,
    ) -> BTreeMap<u64, Header> {
        let after = eventually("the store is not healed", || {
            let claims = self.claims(0);
            let opened = claims
                .values()
                .filter(|it| self.open_as(host, it).is_some());
            (opened.count() as u64 > AHEAD).then_some(claims)
        });
        let again = self.again(before);
        assert!(!again.is_empty(), "none of {before:?} is back");
        assert!(
            again.iter().all(|(epoch, id)| before[epoch] == *id),
            "{before:?} {again:?}"
        );
        after
    }

    /// Opens a slot's seed as the host that it was sealed for.
    pub(crate) fn open_as(&self, host: &Host, header: &Header) -> Option<Seed> {
        let item = Item::Seal(header.slot, header.seed, host.name.clone());
        let record = self.read(&item)?;
        let opened = open_for_host(
            &record,
            &self.name(),
            header.slot,
            &host.name,
            &self.pinned(),
            &host.keys,
        );
        let (found, seed) = opened.ok()?;
        assert_eq!(found.seed, header.seed);
        Some(seed)
    }
}

/// The seeds of claims, by slot.
pub(crate) fn ids(claims: &BTreeMap<u64, Header>) -> BTreeMap<u64, KeyId> {
    claims.iter().map(|(epoch, it)| (*epoch, it.seed)).collect()
}

/// Waits for something; the machine may be slow.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn sleep(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
