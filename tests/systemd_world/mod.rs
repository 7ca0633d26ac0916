//! A live systemd of the test's own: this machine's, booted as the first process of namespaces,
//! on a copy of the machine's files in memory. Needs root, overlayfs and cgroup2; where one of
//! them is missing the test fails and says so.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What the copy gets over the machine's files.
pub struct Tree {
    dir: TempDir,
}

impl Tree {
    /// Holds the program at /usr/bin/stekguard: units that hide homes find it there.
    pub fn new() -> Self {
        let tree = Self {
            dir: TempDir::with_prefix("systemd-tree-").unwrap(),
        };
        let program = tree.at("usr/bin/stekguard");
        fs::copy(env!("CARGO_BIN_EXE_stekguard"), program).unwrap();
        tree
    }

    /// A path in it, with the folders above.
    pub fn at(&self, path: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.at(path), text).unwrap();
    }

    /// The units that the program writes, as a reader of the guide has them written. Gives those
    /// that are to be enabled.
    pub fn units(&self, arguments: &[&str]) -> Vec<String> {
        let folder = self.at("etc/systemd/system/x");
        let folder = folder.parent().unwrap();
        let done = Command::new(self.at("usr/bin/stekguard"))
            .args(["keys", "units", "--isolated", "--write"])
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        // The program stands elsewhere in the copy.
        let here = self.at("usr/bin/stekguard").display().to_string();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, text.replace(&here, "/usr/bin/stekguard")).unwrap();
            }
        }
        let line = said
            .lines()
            .find_map(|line| line.split_once("enable --now "));
        let names = line.expect("what to enable").1.split_whitespace();
        names.map(str::to_owned).collect()
    }
}

/// A running systemd; ended with all of its processes when dropped.
pub struct World {
    outer: Child,
    /// The number of its first process, as seen from outside.
    pub pid: u32,
    log: PathBuf,
    group: PathBuf,
    _work: TempDir,
}

impl World {
    /// Boots, and waits until everything that is enabled was started or failed.
    pub fn boot(tree: &Tree, enabled: &[String]) -> Self {
        let work = TempDir::with_prefix("systemd-world-").unwrap();
        let log = tree.dir.path().with_extension("log");
        let group = cgroups().join(format!(
            "stekguard-{}",
            work.path().file_name().unwrap().display()
        ));
        fs::create_dir(&group).expect("a group of cgroup2: this test needs root");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systemd_world/boot.sh");
        let out = fs::File::create(&log).unwrap();
        // Its own group of cgroup2 first: systemd then sees that one as the root of all.
        let outer = Command::new("sh")
            .args(["-c", "echo $$ > \"$0\"/cgroup.procs; exec unshare --mount --pid --fork --cgroup --uts --ipc --kill-child sh \"$@\""])
            .arg(&group)
            .arg(script)
            .arg(work.path())
            .arg(tree.dir.path())
            .args(enabled)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let mut world = Self {
            outer,
            pid: 0,
            log,
            group,
            _work: work,
        };
        world.wait();
        world
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let outer = self.outer.id();
            let children = fs::read_to_string(format!("/proc/{outer}/task/{outer}/children"));
            let child = children.unwrap_or_default();
            self.pid = child
                .split_whitespace()
                .next()
                .map_or(0, |pid| pid.parse().unwrap());
            let state = match self.pid {
                0 => String::new(),
                _ => self.ran("systemctl", &["is-system-running"]),
            };
            if matches!(state.trim(), "running" | "degraded") {
                return;
            }
            let ended = self.outer.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "systemd does not boot in namespaces here ({ended:?}, {state:?}); root, overlayfs \
                 and cgroup2 are needed:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A path of the copy, from outside.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }

    /// What a command inside says, on both streams.
    pub fn ran(&self, program: &str, arguments: &[&str]) -> String {
        let done = Command::new("nsenter")
            .args(["-t", &self.pid.to_string(), "-m", "-p", "-C"])
            .arg(program)
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [done.stdout, done.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Properties of a unit, as systemd has them.
    pub fn unit(&self, name: &str) -> BTreeMap<String, String> {
        let text = self.ran("systemctl", &["show", name]);
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// Waits for this.
    #[track_caller]
    pub fn until(&self, what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while !done() {
            assert!(
                Instant::now() < deadline,
                "{what} does not come:\n{}\n{}",
                self.ran(
                    "systemctl",
                    &[
                        "--no-pager",
                        "list-units",
                        "--all",
                        "stekguard*",
                        "nginx*",
                        "apache2*"
                    ]
                ),
                self.log()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The first process's end is the end of all of the namespace's.
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !removed(&self.group) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// Groups of ended processes, the inner ones first.
fn removed(group: &Path) -> bool {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            removed(&entry.path());
        }
    }
    fs::remove_dir(group).is_ok() || !group.exists()
}

/// Where cgroup2 is mounted, alone or beside the older hierarchies.
fn cgroups() -> PathBuf {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let lines = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let found = lines
        .filter(|fields| fields[2] == "cgroup2")
        .map(|fields| PathBuf::from(fields[1]))
        .next();
    found.expect("cgroup2 is mounted nowhere: this test boots a systemd, which needs it")
}
