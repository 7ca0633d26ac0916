//! Two sites of a fleet: servers, stores, a generator and agents, each started from what its
//! operator would write, and ended by its own number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use stekguard::keys::core::Slot;
use stekguard::keys::fleet::store::{Access, open};
use stekguard::keys::fleet::{FleetName, Item, Pinned, PublicKey, read_claim};
use tempfile::TempDir;

use crate::keys_bench::{Bench, Daemon, Ran, wall};
use crate::servers::Server as Engine;
use crate::support::client::Target;
use crate::support::install;
use crate::support::server::Server;

pub(crate) const SLOT: Duration = Duration::from_secs(2);
pub(crate) const HOSTS: usize = 5;
/// How wrong the clock of each host is, in milliseconds: of a slot of an hour up to 12 minutes.
const OFFSETS: [i64; HOSTS] = [-400, 250, 0, -150, 400];
/// Sessions end by their key, not by their age.
const HTTP: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 1h;";
const NO_FILES: [&str; 8] = [
    "--save",
    "",
    "--appendonly",
    "no",
    "--repl-diskless-sync-delay",
    "0",
    "--repl-diskless-load",
    "swapdb",
];
/// Logs of a test can be long; no file of ours comes near.
const LARGEST: &str = "-64M";
const START: &str = "start";

pub(crate) struct Site {
    // Ended in this order: who asks before who answers.
    hosts: Vec<Web>,
    generator: Option<Daemon>,
    _relay: Daemon,
    _memcached: Engine,
    pub(crate) copies: Vec<Engine>,
    pub(crate) master: Engine,
    keys: Arc<Mutex<Keys>>,
    per_host: bool,
    signers: Vec<String>,
    dir: TempDir,
}

struct Web {
    agent: Daemon,
    bench: Bench,
    metrics: PathBuf,
    _server: Server,
}

/// What was seen in the folders of keys.
#[derive(Default)]
struct Keys {
    /// By slot and host: the id.
    ids: BTreeMap<u64, BTreeMap<usize, String>>,
    /// The secret halves of every key.
    secrets: BTreeSet<Vec<u8>>,
    /// Milliseconds from the making of a seed to the key's file on a host.
    travels: Vec<u64>,
}

impl Site {
    /// Per host, as it shall be; or under one key and, the mutation, without keys ahead.
    pub(crate) fn start(per_host: bool) -> Self {
        let dir = TempDir::with_prefix("fleet-site-").unwrap();
        // Older than whatever is written from now on.
        fs::write(dir.path().join(START), "").unwrap();
        let folder = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let master = Engine::redis(&folder("master"), &NO_FILES, None);
        let of = format!("127.0.0.1 {}", master.port);
        let copies: Vec<Engine> = ["first", "second"]
            .iter()
            .map(|name| {
                let more = [&NO_FILES[..], &["--replicaof", &of]].concat();
                Engine::redis(&folder(name), &more, None)
            })
            .collect();
        let memcached = Engine::memcached(&folder("memcached"), &["-M"]);
        let mut relay = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        relay.args([
            "keys", "relay", "--fleet", "edge", "--every", "1s", "--from",
        ]);
        relay.arg(copies[1].way("redis").url).arg("--to");
        relay
            .arg(memcached.way("memcached").url)
            .stdin(Stdio::null());
        let relay = Daemon::start(relay, &dir.path().join("relay.log"));
        let mut site = Self {
            hosts: Vec::new(),
            generator: None,
            _relay: relay,
            _memcached: memcached,
            copies,
            master,
            keys: Arc::default(),
            per_host,
            signers: Vec::new(),
            dir,
        };
        site.found();
        site.generator = Some(site.generates("one", &["--founding"]));
        site.populate();
        site
    }

    /// The two generators' keys, and the roster that both read.
    fn found(&mut self) {
        for name in ["one", "two"] {
            self.settings(name, "");
            let made = self.ran(name, "init-fleet", &[]).ended(0);
            let line = made.out.lines().find(|line| line.starts_with("signers"));
            // The own one comes last.
            let key = line.unwrap().rsplit('"').nth(1).unwrap();
            self.signers.push(key.to_owned());
        }
        for name in ["one", "two"] {
            self.settings(name, "");
        }
    }

    fn populate(&mut self) {
        let programs = [install::nginx_packaged(), install::nginx_mainline()];
        let (master, memcached) = (
            self.master.way("redis").url,
            self._memcached.way("memcached").url,
        );
        let copies: Vec<String> = self.copies.iter().map(|it| it.way("redis").url).collect();
        let stores = [
            vec![copies[0].clone()],
            vec![copies[0].clone(), master],
            vec![memcached.clone()],
            vec![memcached.clone(), copies[1].clone()],
            vec![copies[1].clone(), memcached],
        ];
        let mut benches: Vec<Bench> = Vec::new();
        for host in 0..HOSTS {
            let program = &programs[host % 2];
            let bench = match benches.first() {
                Some(first) => first.sibling(program, HTTP),
                None => Bench::new(program, HTTP),
            };
            benches.push(bench);
        }
        for (at, bench) in benches.into_iter().enumerate() {
            let name = format!("web{at}");
            let more = format!(
                "host = \"{name}\"\nmemory = \"{name}.memory\"\nstore = {:?}\nwrite_store = \"{}\"\n",
                stores[at],
                self.master.way("redis").url
            );
            self.settings(&name, &more);
            let made = self.ran(&name, "enroll", &[]).ended(0);
            let line: Vec<&str> = made.out.split_whitespace().collect();
            assert_eq!(line[..3], ["stekguard", "keys", "enroll"], "{}", made.out);
            self.ran("one", "enroll", &line[3..]).ended(0);
            let server = bench.serve();
            let metrics = self.path(&format!("{name}.prom"));
            let mut agent = bench.keys("agent", &["--isolated", "--clock-offset"]);
            agent.arg(format!("{}ms", OFFSETS[at]));
            agent
                .arg("--config")
                .arg(self.path(&format!("{name}.toml")));
            agent.arg("--metrics-file").arg(&metrics);
            let agent = Daemon::start(agent, &self.path(&format!("{name}.log")));
            self.hosts.push(Web {
                agent,
                bench,
                metrics,
                _server: server,
            });
        }
    }

    fn settings(&self, name: &str, more: &str) {
        let signers: Vec<String> = self.signers.iter().map(|key| format!("{key:?}")).collect();
        let (mode, ahead) = match self.per_host {
            true => ("per-host", 2),
            false => ("fleet-key", 0),
        };
        let store = match more.contains("store = ") {
            true => String::new(),
            false => format!("store = [\"{}\"]\n", self.master.way("redis").url),
        };
        let text = format!(
            "[rotation]\ninterval = \"2s\"\nahead = {ahead}\nprevious = 19\nlifetime = \"36s\"\n\
             skew = \"1s\"\n\n[fleet]\nname = \"edge\"\nmode = \"{mode}\"\n{store}\
             store_patience = \"1s\"\nsigners = [{}]\nsigning_key = \"{name}.key\"\n\
             fleet_key = \"fleet.key\"\nidentity = \"{name}.identity\"\n\
             roster = \"roster.toml\"\n{more}",
            signers.join(", ")
        );
        fs::write(self.path(&format!("{name}.toml")), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, name: &str, command: &str, more: &[&str]) -> Command {
        let mut run = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        run.args(["keys", command, "--isolated", "--config"])
            .arg(self.path(&format!("{name}.toml")))
            .args(more)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        run
    }

    fn ran(&self, name: &str, command: &str, more: &[&str]) -> Ran {
        Ran::of(self.command(name, command, more))
    }

    fn generates(&self, name: &str, more: &[&str]) -> Daemon {
        let log = self.path(&format!("{name}.log"));
        Daemon::start(self.command(name, "generate", more), &log)
    }

    /// Killed without a word; another machine takes its place.
    pub(crate) fn replace_generator(&mut self) {
        drop(self.generator.take());
        self.generator = Some(self.generates("two", &[]));
    }

    /// Waits until every host issues tickets under a key of the fleet, and the same one decrypts
    /// everywhere.
    pub(crate) fn settled(&mut self) {
        for web in &mut self.hosts {
            web.agent.says("tickets are under the current key");
        }
        let deadline = Instant::now() + Duration::from_secs(40);
        while !self
            .hosts
            .iter()
            .all(|web| web.bench.key_files().len() >= self.enough())
        {
            assert!(Instant::now() < deadline, "keys did not come to all hosts");
            thread::sleep(Duration::from_millis(50));
        }
        // The slot's start loads what came.
        thread::sleep(SLOT * 2);
    }

    fn enough(&self) -> usize {
        if self.per_host { 3 } else { 1 }
    }

    pub(crate) fn targets(&self) -> Vec<Target> {
        self.hosts
            .iter()
            .map(|web| web.bench.target.clone())
            .collect()
    }

    /// Looks into the folders of keys, until it is over.
    pub(crate) fn watch(&self) -> Watch {
        let pinned = self
            .signers
            .iter()
            .map(|text| PublicKey::parse(text).unwrap());
        Watch {
            folders: self
                .hosts
                .iter()
                .map(|web| web.bench.memory.keys())
                .collect(),
            copy: self.copies[1].way("redis").url,
            pinned: Pinned(pinned.collect()),
            keys: Arc::clone(&self.keys),
        }
    }

    /// At least so many slots had one key, and the same one, on every host.
    pub(crate) fn agreed(&self, slots: usize) {
        let keys = self.keys.lock().unwrap();
        let whole = keys.ids.values().filter(|hosts| hosts.len() == HOSTS);
        let (mut same, mut other) = (0, Vec::new());
        for hosts in whole {
            let ids: BTreeSet<&String> = hosts.values().collect();
            match ids.len() {
                1 => same += 1,
                _ => other.push(hosts),
            }
        }
        println!("{same} slots had one key on {HOSTS} hosts");
        assert!(other.is_empty(), "{other:?}");
        assert!(same >= slots, "only {same} slots");
    }

    /// `keys status --fleet` knows every host by its own signed word, and that all encrypt under
    /// seeds of this fleet.
    pub(crate) fn stands(&self) {
        let more = ["--fleet", "--format", "json"];
        let ran = self.ran("one", "status", &more);
        let status: serde_json::Value = serde_json::from_str(&ran.out).expect(&ran.err);
        println!("{}", self.ran("one", "status", &["--fleet"]).out);
        let hosts = status["hosts"].as_array().unwrap();
        assert_eq!(hosts.len(), HOSTS, "{}", ran.out);
        let seeds = fs::read_to_string(self.path("one.log")).unwrap()
            + &fs::read_to_string(self.path("two.log")).unwrap();
        for host in hosts {
            assert!(host["refused"].is_null(), "{host}");
            let report = &host["report"];
            let seed = report["encrypts"].as_str().expect("a key");
            assert!(seeds.contains(&format!("with seed {seed}")), "{host}");
            assert_eq!(report["derived"], false, "{host}");
            assert_eq!(report["live_check"], "verified", "{host}");
            let name = host["host"].as_str().unwrap().trim_start_matches("web");
            let offset = OFFSETS[name.parse::<usize>().unwrap()];
            // The heartbeat is older than the question by a tick and a relay's pause.
            let skew = report["skew"].as_i64().unwrap();
            assert!((offset - 200..offset + 4000).contains(&skew), "{host}");
        }
    }

    pub(crate) fn figures(&self) {
        let keys = self.keys.lock().unwrap();
        let mut travels = keys.travels.clone();
        travels.sort_unstable();
        if let (Some(median), Some(most)) = (travels.get(travels.len() / 2), travels.last()) {
            println!(
                "from a seed to the key's file on a host: median {median} ms, at most {most} ms, \
                 of {}",
                travels.len()
            );
        }
        for (at, web) in self.hosts.iter().enumerate() {
            let pid = web.agent.child.id();
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let memory = status
                .lines()
                .find(|line| line.starts_with("VmRSS"))
                .unwrap();
            let metrics = fs::read_to_string(&web.metrics).unwrap();
            let reloads: Vec<&str> = metrics
                .lines()
                .filter(|line| line.contains("reloads") && !line.starts_with('#'))
                .collect();
            println!("web{at}: {memory}; {}", reloads.join(", "));
        }
    }

    /// No file that was written since the start holds half of a key's half; the search finds one
    /// that does.
    pub(crate) fn no_key_byte_was_written(&self) {
        let keys = self.keys.lock().unwrap();
        assert!(keys.secrets.len() >= 45, "{}", keys.secrets.len());
        let planted = self.path("planted");
        let secret = keys.secrets.iter().next().unwrap();
        fs::write(&planted, [b"before ", &secret[16..32], b" behind"].concat()).unwrap();
        let files = self.written();
        for part in ["master", "first", "second", "memcached"] {
            let folder = self.path(part);
            assert!(
                files.iter().any(|file| file.starts_with(&folder)),
                "{part} is not among {} files",
                files.len()
            );
        }
        let parts: BTreeSet<&[u8]> = keys.secrets.iter().flat_map(|it| it.chunks(16)).collect();
        let holding: Vec<&PathBuf> = files.iter().filter(|file| holds(file, &parts)).collect();
        println!(
            "{} keys searched in {} files",
            keys.secrets.len(),
            files.len()
        );
        assert_eq!(holding, [&planted]);
    }

    /// Files of disks that changed since the start. Folders that compilers write to are left out.
    fn written(&self) -> Vec<PathBuf> {
        let since = self.path(START);
        let found = Command::new("find")
            .args([
                "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", "-o",
            ])
            .args([
                "-name", "target", "-o", "-name", "target-*", ")", "-prune", "-o",
            ])
            .args(["-type", "f", "-size", LARGEST, "-newer"])
            .arg(&since)
            .arg("-print0")
            .stderr(Stdio::null())
            .output()
            .unwrap();
        let paths = found
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty());
        paths
            .map(|path| PathBuf::from(String::from_utf8_lossy(path).into_owned()))
            .collect()
    }
}

fn holds(file: &Path, parts: &BTreeSet<&[u8]>) -> bool {
    let Ok(bytes) = fs::read(file) else {
        return false;
    };
    bytes.windows(16).any(|window| parts.contains(window))
}

pub(crate) struct Watch {
    folders: Vec<PathBuf>,
    copy: String,
    pinned: Pinned,
    keys: Arc<Mutex<Keys>>,
}

impl Watch {
    pub(crate) fn run(&self, over: &AtomicBool) {
        let mut made: BTreeMap<u64, u64> = BTreeMap::new();
        while !over.load(Ordering::SeqCst) {
            self.look(&mut made);
            thread::sleep(Duration::from_millis(40));
        }
    }

    fn look(&self, made: &mut BTreeMap<u64, u64>) {
        for (host, folder) in self.folders.iter().enumerate() {
            let Ok(entries) = fs::read_dir(folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name().into_string().unwrap();
                let Some(stem) = name.strip_suffix(".key").filter(|it| !it.starts_with('.')) else {
                    continue;
                };
                self.found(host, stem, &entry.path(), made);
            }
        }
    }

    fn found(&self, host: usize, stem: &str, file: &Path, made: &mut BTreeMap<u64, u64>) {
        let mut fields = stem.split('-');
        let epoch: u64 = fields.next().unwrap().parse().unwrap();
        let id = fields.nth(1).unwrap().to_owned();
        let now = wall();
        let mut keys = self.keys.lock().unwrap();
        let hosts = keys.ids.entry(epoch).or_default();
        if hosts.contains_key(&host) {
            return;
        }
        let Some(bytes) = fs::read(file).ok().filter(|bytes| bytes.len() == 80) else {
            return;
        };
        hosts.insert(host, id);
        // The name stands in every ticket.
        keys.secrets.insert(bytes[16..].to_vec());
        if let Some(made) = made
            .get(&epoch)
            .copied()
            .or_else(|| self.made(epoch))
            .inspect(|at| {
                made.insert(epoch, *at);
            })
        {
            keys.travels.push(now.saturating_sub(made));
        }
    }

    /// When a slot's seed was made, by the generator's own clock, which is this machine's.
    fn made(&self, epoch: u64) -> Option<u64> {
        let fleet = FleetName::parse("edge").unwrap();
        let slot = Slot {
            generation: 0,
            epoch,
        };
        let mut store = open(&self.copy, &Access::default()).ok()?;
        let record = store.read(&[Item::Key(slot).name(&fleet)]).ok()?.pop()??;
        Some(read_claim(&record, &fleet, slot, &self.pinned).ok()?.made)
    }
}
