//! Hosts of a fleet on one machine: settings, identities and servers of their own, one folder as
//! the store, and a generator in the test's hands, so that it says what it wants and when.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use stekguard::keys::core::Slot;
use stekguard::keys::fleet::store::{Access, Claim, Store, open};
use stekguard::keys::fleet::{
    FleetKey, FleetName, Head, Header, HostName, Item, PublicKey, Seed, Signer, read_host_key,
    seal_for_fleet, seal_for_host, sign_claim, sign_head,
};
use tempfile::TempDir;

use crate::keys_bench::{Bench, Daemon, Ran, wall};
use crate::support::client::{Kind, connect};
use crate::support::install::{self, Program};
use crate::support::server::Server;
use crate::support::session::Issued;

/// What the http block of every host says.
pub const HTTP: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 1h;";
/// Both ways in which tickets are taken.
pub const KINDS: [Kind; 2] = [Kind::Ticket12, Kind::Tls13];

/// A fleet and the one who makes its keys.
pub struct Fleet {
    pub dir: TempDir,
    pub name: FleetName,
    /// Milliseconds.
    pub interval: u64,
    pub ahead: u64,
    pub previous: u64,
    pub per_host: bool,
    pub signer: Signer,
    key: FleetKey,
    pub generation: u32,
    /// The generator's clock is wrong by so many milliseconds.
    pub offset: i64,
    /// With the time since when each is public.
    seeds: BTreeMap<Slot, (Seed, u64)>,
    hosts: Vec<(HostName, PublicKey)>,
}

impl Fleet {
    /// `interval` in seconds.
    pub fn new(per_host: bool, interval: u64) -> Self {
        let dir = TempDir::with_prefix("fleet-").unwrap();
        let key = FleetKey::random().unwrap();
        let private = dir.path().join("fleet.key");
        write_private(&private, &key.text());
        fs::create_dir(dir.path().join("store")).unwrap();
        Self {
            name: FleetName::parse("web").unwrap(),
            interval: interval * 1000,
            ahead: 2,
            previous: 6,
            per_host,
            signer: Signer::random().unwrap(),
            key,
            generation: 0,
            offset: 0,
            seeds: BTreeMap::new(),
            hosts: Vec::new(),
            dir,
        }
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// The store is gone: something else lies in its place, so that no writer makes it anew.
    pub fn take_away(&self) {
        fs::rename(self.store(), self.dir.path().join("aside")).unwrap();
        fs::write(self.store(), "").unwrap();
    }

    /// It is there again, as it was.
    /// Removes every record; agents' files that are half written go by themselves.
    pub fn empty(&self) {
        for file in fs::read_dir(self.store()).unwrap() {
            let gone = fs::remove_file(file.unwrap().path());
            assert!(gone.is_ok() || gone.is_err_and(|it| it.kind() == ErrorKind::NotFound));
        }
    }

    pub fn bring_back(&self) {
        fs::remove_file(self.store()).unwrap();
        fs::rename(self.dir.path().join("aside"), self.store()).unwrap();
    }

    pub fn url(&self) -> String {
        format!("directory:{}", self.store().display())
    }

    pub fn open(&self) -> Box<dyn Store> {
        open(&self.url(), &Access::default()).unwrap()
    }

    pub fn now(&self) -> u64 {
        wall().saturating_add_signed(self.offset)
    }

    pub fn epoch(&self) -> u64 {
        self.now() / self.interval
    }

    pub fn slot(&self, epoch: u64) -> Slot {
        Slot {
            generation: self.generation,
            epoch,
        }
    }

    /// A file of this record.
    pub fn file(&self, item: &Item) -> PathBuf {
        self.store().join(item.name(&self.name).replace(':', "_"))
    }

    pub fn put(&self, item: &Item, record: &[u8]) {
        let expires = wall() / 1000 + 86_400;
        self.open()
            .put(&item.name(&self.name), record, expires)
            .unwrap();
    }

    pub fn header(&self, slot: Slot, seed: &Seed) -> Header {
        Header {
            fleet: self.name.clone(),
            slot,
            interval: self.interval,
            seed: seed.id(),
            made: self.now(),
        }
    }

    /// The record of a slot as a generator of this fleet writes it.
    pub fn record(&self, slot: Slot, seed: &Seed) -> Vec<u8> {
        self.record_of(&self.header(slot, seed), seed)
    }

    fn record_of(&self, header: &Header, seed: &Seed) -> Vec<u8> {
        match self.per_host {
            false => seal_for_fleet(seed, &self.key, header, &self.signer).unwrap(),
            true => sign_claim(header, &self.signer).unwrap(),
        }
    }

    /// A seed sealed under the fleet's key and signed by its generator, with any header.
    pub fn seal_with(&self, seed: &Seed, header: &Header) -> Vec<u8> {
        seal_for_fleet(seed, &self.key, header, &self.signer).unwrap()
    }

    pub fn head(&self) -> Head {
        Head {
            fleet: self.name.clone(),
            generation: self.generation,
            time: self.now(),
            interval: self.interval,
            newest: self.epoch() + self.ahead + 1,
        }
    }

    /// What a generator does at a tick: a key for every slot of the window that has none, the
    /// whole window offered again, and a heartbeat.
    pub fn tick(&mut self) {
        let epoch = self.epoch();
        for epoch in epoch..=epoch + self.ahead + 1 {
            let slot = self.slot(epoch);
            let now = self.now();
            self.seeds
                .entry(slot)
                .or_insert_with(|| (Seed::random().unwrap(), now));
        }
        let (oldest, generation) = (epoch.saturating_sub(self.previous), self.generation);
        self.seeds
            .retain(|slot, _| slot.epoch >= oldest && slot.generation == generation);
        let mut store = self.open();
        let expires = wall() / 1000 + 86_400;
        for (slot, (seed, made)) in &self.seeds {
            let mut header = self.header(*slot, seed);
            header.made = *made;
            self.seal(store.as_mut(), &header, seed, expires);
            let name = Item::Key(*slot).name(&self.name);
            let record = self.record_of(&header, seed);
            let claim = store.claim(&name, &record, expires).unwrap();
            assert!(matches!(claim, Claim::Written | Claim::Taken(_)));
        }
        let head = sign_head(&self.head(), &self.signer).unwrap();
        let name = Item::Head.name(&self.name);
        store.put(&name, &head, expires).unwrap();
    }

    fn seal(&self, store: &mut dyn Store, header: &Header, seed: &Seed, expires: u64) {
        for (host, identity) in self.hosts.iter().filter(|_| self.per_host) {
            let name = Item::Host(host.clone()).name(&self.name);
            let Some(record) = store.read(&[name]).unwrap().remove(0) else {
                continue;
            };
            let key = read_host_key(&record, &self.name, host, identity, self.now()).unwrap();
            let seal = seal_for_host(seed, &key, header, &self.signer).unwrap();
            let name = Item::Seal(header.slot, seed.id(), host.clone()).name(&self.name);
            store.put(&name, &seal, expires).unwrap();
        }
    }

    /// A host with a server of its own.
    pub fn host(&mut self, name: &str, program: &Program) -> Host {
        self.host_at(name, Bench::new(program, HTTP))
    }

    /// A host that shares its certificate with another one.
    pub fn sibling(&mut self, name: &str, program: &Program, of: &Host) -> Host {
        self.host_at(name, of.bench.sibling(program, HTTP))
    }

    fn host_at(&mut self, name: &str, bench: Bench) -> Host {
        let identity = Signer::random().unwrap();
        let private = bench.dir.path().join("identity.pem");
        write_private(&private, &identity.pem().unwrap());
        let host = HostName::parse(name).unwrap();
        self.hosts.push((host.clone(), identity.public().clone()));
        let host = Host {
            settings: bench.dir.path().join("stekguard.toml"),
            memory: bench.dir.path().join("memory"),
            metrics: bench.dir.path().join("metrics"),
            name: host,
            identity: identity.public().clone(),
            bench,
        };
        self.settle(&host, &[self.url()]);
        host
    }

    /// Writes the settings of a host; it reads these stores.
    pub fn settle(&self, host: &Host, stores: &[String]) {
        let mode = if self.per_host {
            "per-host"
        } else {
            "fleet-key"
        };
        let seconds = self.interval / 1000;
        let text = format!(
            "[rotation]\ninterval = \"{seconds}s\"\nahead = {}\nprevious = {}\n\
             lifetime = \"{}s\"\nskew = \"1s\"\n\n[fleet]\nname = \"{}\"\nhost = \"{}\"\n\
             mode = \"{mode}\"\nstore = {stores:?}\nwrite_store = \"{}\"\n\
             signers = [\"{}\"]\nfleet_key = \"{}\"\nidentity = \"identity.pem\"\n\
             memory = \"memory\"\nstore_patience = \"1s\"\n",
            self.ahead,
            self.previous,
            self.previous * seconds - 1,
            self.name,
            host.name,
            self.url(),
            self.signer.public(),
            self.dir.path().join("fleet.key").display(),
        );
        fs::write(&host.settings, text).unwrap();
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A generator that ticks by itself until it is dropped.
pub struct Ticking {
    pub fleet: Arc<Mutex<Fleet>>,
    paused: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticking {
    pub fn start(fleet: Fleet) -> Self {
        let fleet = Arc::new(Mutex::new(fleet));
        let [paused, ended] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let (mine, pause, end) = (fleet.clone(), paused.clone(), ended.clone());
        let thread = thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                if !pause.load(Ordering::SeqCst) {
                    mine.lock().unwrap().tick();
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        Self {
            fleet,
            paused,
            ended,
            thread: Some(thread),
        }
    }

    pub fn pause(&self, pause: bool) {
        let _between_ticks = self.fleet();
        self.paused.store(pause, Ordering::SeqCst);
    }

    pub fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap()
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One host that serves, its agent, and a generator; ended in this order.
pub struct Running {
    pub agent: Daemon,
    pub server: Server,
    pub generator: Ticking,
    pub one: Host,
}

impl Running {
    /// Under one key of the fleet, with `ahead` keys; returns when tickets are under a key.
    pub fn start(ahead: u64, flags: &[&str]) -> Self {
        let mut fleet = Fleet::new(false, slot());
        fleet.ahead = ahead;
        let one = fleet.host("one", &install::nginx_packaged());
        let generator = Ticking::start(fleet);
        let server = one.bench.serve();
        let agent = one.agent(flags);
        hear(&agent, "tickets are under the current key");
        Self {
            agent,
            server,
            generator,
            one,
        }
    }

    /// Waits until at least so many coming keys are held.
    #[track_caller]
    pub fn holds_ahead(&self, keys: u32, seconds: u64) {
        wait_until("keys ahead", seconds, || {
            self.one.metric("stekguard_keys_ahead") >= Some(f64::from(keys))
        });
    }
}

/// A host of the fleet.
pub struct Host {
    pub bench: Bench,
    pub name: HostName,
    pub identity: PublicKey,
    pub settings: PathBuf,
    pub memory: PathBuf,
    pub metrics: PathBuf,
}

impl Host {
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = self.bench.keys("agent", more);
        command
            .arg("--config")
            .arg(&self.settings)
            .arg("--isolated");
        command.arg("--metrics-file").arg(&self.metrics);
        command
    }

    pub fn agent(&self, more: &[&str]) -> Daemon {
        let log = self.bench.dir.path().join("agent.log");
        Daemon::start(self.command(more), &log)
    }

    /// One round of questions.
    pub fn once(&self, more: &[&str]) -> Ran {
        let all: Vec<&str> = ["--once"].iter().chain(more).copied().collect();
        Ran::of(self.command(&all))
    }

    /// A metric by its whole name, with labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = fs::read_to_string(&self.metrics).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line?.parse().ok()
    }

    /// Slots of the keys that lie in the folder, derived ones apart.
    pub fn slots(&self) -> (Vec<u64>, Vec<u64>) {
        let (mut given, mut derived) = (Vec::new(), Vec::new());
        for path in self.bench.key_files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let slot = name.split('-').next().unwrap().parse().unwrap();
            match name.ends_with(".derived.key") {
                true => derived.push(slot),
                false => given.push(slot),
            }
        }
        (given, derived)
    }

    /// A ticket, and the bytes in front of it that name its key.
    pub fn ticket(&self, kind: Kind) -> Issued {
        self.bench.session(kind)
    }

    /// Whether this host's server takes a session of another one's.
    pub fn takes(&self, kind: Kind, session: &Issued) -> bool {
        connect(&self.bench.target, kind, Some(session))
            .unwrap()
            .resumed
    }

    /// The machine starts anew: what was in memory is gone. The server and the agent were ended
    /// before.
    pub fn reboot(&self) {
        let _ = fs::remove_dir_all(self.bench.memory.keys());
        assert!(!self.bench.memory.keys().exists());
    }
}

/// A slot in seconds: two on a quiet machine, STEKGUARD_SLOT where reloads take longer.
pub fn slot() -> u64 {
    std::env::var("STEKGUARD_SLOT").map_or(2, |it| it.parse().unwrap())
}

/// Waits until this holds, at most so many seconds where a slot has two.
#[track_caller]
pub fn wait_until(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds * slot() / 2);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until an agent says these words.
#[track_caller]
pub fn hear(agent: &Daemon, words: &str) {
    wait_until(words, 30, || agent.log().contains(words));
}
