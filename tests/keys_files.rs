//! The files of the keys: modes, whole sets at any moment, what is wiped; and every mishap that
//! a run can meet: a reload that fails, a damaged file, a full tmpfs, a lost memory, a kill at
//! any system call. The server goes on with the old keys, the next run heals, nothing blocks.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keys_bench::{Memory, Ran};
use stekguard::keys::core::{Key, KeyId, Ratchet, Slot};
use stekguard::keys::{Folder, Saved};
use stekguard::tls::Layout;

/// A folder in memory and a server that is a shell script: it takes the include and every file
/// that it names in, or refuses.
struct Bench {
    memory: Memory,
    other: tempfile::TempDir,
}

impl Bench {
    fn new(size: &str) -> Self {
        let bench = Self {
            memory: Memory::new(size),
            other: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(bench.server()).unwrap();
        bench
    }

    fn keys(&self) -> PathBuf {
        self.memory.keys()
    }

    /// What the server has taken in: the include and the bytes of its keys.
    fn server(&self) -> PathBuf {
        self.other.path().join("server")
    }

    /// nginx's part: every file named has to be there and of the right length.
    fn test_command(&self) -> String {
        format!(
            "for f in $(sed -n 's/^ssl_session_ticket_key \\(.*\\);/\\1/p' {}/keys.conf); do \
             [ \"$(stat -c %s $f)\" = 80 ] || exit 1; done",
            self.keys().display()
        )
    }

    fn reload_command(&self) -> String {
        let (keys, server) = (self.keys(), self.server());
        format!(
            "{} && rm -f {server}/*.key && cp {keys}/keys.conf {server}/ && \
             cp $(sed -n 's/^ssl_session_ticket_key \\(.*\\);/\\1/p' {keys}/keys.conf) {server}/",
            self.test_command(),
            server = server.display(),
            keys = keys.display(),
        )
    }

    fn command(&self, command: &str, more: &[&str]) -> Command {
        let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        self.arguments(&mut keys, command, more);
        keys
    }

    fn arguments(&self, keys: &mut Command, command: &str, more: &[&str]) {
        keys.args(["keys", command, "--dir"]).arg(self.keys());
        keys.args([
            "--pid-file",
            "/nonexistent",
            "--server-config",
            "/nonexistent",
        ]);
        if command != "status" {
            keys.args(["--test-command", &self.test_command()]);
            if !more.contains(&"--reload-command") {
                keys.args(["--reload-command", &self.reload_command()]);
            }
        }
        keys.args(more).env("NO_COLOR", "1").stdin(Stdio::null());
    }

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        Ran::of(self.command(command, more))
    }

    fn files(&self, end: &str) -> Vec<String> {
        let names = fs::read_dir(self.keys()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
        names.sort();
        names
    }

    fn include(&self) -> String {
        fs::read_to_string(self.keys().join("keys.conf")).unwrap_or_default()
    }

    fn served(&self) -> String {
        fs::read_to_string(self.server().join("keys.conf")).unwrap_or_default()
    }

    /// A reader that comes now finds a whole set, or none at all yet.
    #[track_caller]
    fn assert_whole(&self, when: &str) {
        for line in self.include().lines() {
            let Some(file) = line.strip_prefix("ssl_session_ticket_key ") else {
                continue;
            };
            let file = file.strip_suffix(';').expect("a whole line");
            let length = fs::metadata(file).map(|it| it.len());
            assert_eq!(length.ok(), Some(80), "{when}: {file}");
        }
    }

    /// As if this many hours had passed: what is remembered lies that far back.
    fn age(&self, hours: u64) {
        let path = self.keys().join("state.json");
        let mut value: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let back = |value: &mut serde_json::Value, by: u64| {
            if let Some(number) = value.as_u64() {
                *value = (number - by).into();
            }
        };
        let state = &mut value["state"];
        // Slots move with the time that they are counted by.
        back(&mut state["clock"]["time"], hours * 3_600_000);
        for held in state["held"].as_array_mut().unwrap() {
            back(&mut held["key"]["slot"]["epoch"], hours);
            back(&mut held["stopped"], hours * 3_600_000);
        }
        back(&mut state["applied"]["encrypts"]["slot"]["epoch"], hours);
        for key in state["applied"]["decrypts"].as_array_mut().unwrap() {
            back(&mut key["slot"]["epoch"], hours);
        }
        // Of another boot, where the wall clock alone says what has passed.
        state["clock"]["boot"] = 1_000_000_000_000_000_u64.into();
        fs::write(&path, serde_json::to_vec(&value).unwrap()).unwrap();
        let mut include = self.include();
        for name in self.files(".key") {
            let (epoch, rest) = name.split_once('-').unwrap();
            let epoch: u64 = epoch.parse().unwrap();
            let new = format!("{}-{rest}", epoch - hours);
            fs::rename(self.keys().join(&name), self.keys().join(&new)).unwrap();
            include = include.replace(&name, &new);
        }
        fs::write(self.keys().join("keys.conf"), include).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_closed_to_others_and_in_memory() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    assert_eq!(mode(&bench.keys()), 0o700);
    let files = bench.files("");
    assert_eq!(bench.files(".key").len(), 3);
    for file in files {
        assert_eq!(mode(&bench.keys().join(&file)), 0o600, "{file}");
    }
    assert_eq!(bench.include().lines().count(), 4);
    assert_eq!(bench.served(), bench.include());
    // Another run has nothing to do and touches nothing.
    let before = bench.include();
    let again = bench.run("rotate", &[]).ended(0);
    assert!(!again.err.contains("made"), "{}", again.err);
    assert_eq!(bench.include(), before);
}

#[test]
fn a_disk_is_refused_unless_somebody_types_it_out() {
    let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let dir = disk.path().join("keys");
    let keys = |more: &[&str], command: &str| {
        let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        keys.args(["keys", command, "--dir"]).arg(&dir);
        keys.args([
            "--pid-file",
            "/nonexistent",
            "--server-config",
            "/nonexistent",
        ]);
        Ran::of({
            keys.args(more);
            keys
        })
    };
    let refused = keys(&["--test-command", ""], "init").ended(2);
    assert!(refused.err.contains("mount a tmpfs"), "{}", refused.err);
    assert!(!dir.exists());
    keys(&["--test-command", "", "--allow-disk"], "init").ended(0);
    let status = keys(&[], "status").ended(1);
    assert!(status.out.contains("--allow-disk"), "{}", status.out);
    let doctor = keys(&[], "doctor").ended(1);
    assert!(
        doctor.out.contains("error    memory only"),
        "{}",
        doctor.out
    );
}

#[test]
fn paths_that_a_configuration_would_have_to_quote_are_refused() {
    for path in [
        "relative/keys",
        "/run/a b",
        "/run/a;b",
        "/run/a\nb",
        "/run/{x}",
    ] {
        assert!(
            Folder::at(Path::new(path), Layout::Nginx80).is_err(),
            "{path}"
        );
    }
}

#[test]
fn a_window_fills_and_what_leaves_it_is_gone() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    let first = fs::read(bench.keys().join(&bench.files(".key")[0])).unwrap();
    for _ in 0..2 {
        bench.age(1);
        bench.run("rotate", &[]).ended(0);
        bench.assert_whole("after a rotation");
    }
    assert_eq!(bench.files(".key").len(), 5);
    assert_eq!(bench.served(), bench.include());
    let all: Vec<Vec<u8>> = (bench.files(".key").iter())
        .map(|name| fs::read(bench.keys().join(name)).unwrap())
        .collect();
    assert!(all.contains(&first));
    // Everything out of the window at once.
    bench
        .run(
            "rotate-now",
            &["--restart-command", &bench.reload_command()],
        )
        .ended(0);
    assert_eq!(bench.files(".key").len(), 3);
    for name in bench.files("") {
        let bytes = fs::read(bench.keys().join(&name)).unwrap();
        let found = bytes.windows(32).any(|window| window == &first[16..48]);
        assert!(!found, "{name} holds a key of before");
    }
}

/// After a leak: a server that was not found may still run with the keys of before.
#[test]
fn a_replacement_of_all_keys_that_reaches_no_server_is_not_done() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    keys.args(["keys", "rotate-now", "--test-command", "true", "--dir"])
        .arg(bench.keys())
        .args(["--pid-file", "/nonexistent"])
        .args(["--server-config", "/nonexistent"]);
    let done = Ran::of(keys).ended(1);
    let words = "no running server was found by --pid-file";
    assert!(done.err.contains(words), "{}", done.err);
}

#[test]
fn a_failing_reload_leaves_the_old_keys_and_the_next_run_heals() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    bench.age(1);
    let (include, served) = (bench.include(), bench.served());
    for command in ["exit 7", "sleep 60"] {
        let failed = bench.run("rotate", &["--patience", "1s", "--reload-command", command]);
        let failed = failed.ended(2);
        assert!(failed.err.contains("did not go live"), "{}", failed.err);
        assert_eq!(
            (bench.include(), bench.served()),
            (include.clone(), served.clone())
        );
    }
    let status = bench.run("status", &[]).ended(1);
    assert!(status.out.contains("did not go live"), "{}", status.out);
    bench.run("rotate", &[]).ended(0);
    assert_ne!(bench.include(), include);
    assert_eq!(bench.served(), bench.include());
    bench.run("status", &[]).ended(0);
}

#[test]
fn a_server_that_refuses_the_configuration_is_not_reloaded() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    bench.age(1);
    let include = bench.include();
    let marker = bench.other.path().join("reloaded");
    let reload = format!("touch {}", marker.display());
    let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    keys.args(["keys", "rotate", "--dir"]).arg(bench.keys());
    keys.args([
        "--pid-file",
        "/nonexistent",
        "--server-config",
        "/nonexistent",
    ]);
    keys.args([
        "--test-command",
        "echo broken >&2; exit 1",
        "--reload-command",
        &reload,
    ]);
    let failed = Ran::of(keys).ended(2);
    assert!(failed.err.contains("broken"), "{}", failed.err);
    assert!(!marker.exists());
    assert_eq!(bench.include(), include);
}

#[test]
fn damaged_files_are_replaced() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    bench.age(1);
    bench.run("rotate", &[]).ended(0);
    for (index, damage) in [(3, 40), (1, 80), (2, 0), (0, 81)] {
        let name = bench.files(".key")[index].clone();
        fs::write(bench.keys().join(&name), vec![7; damage]).unwrap();
        let served = bench.served();
        let status = bench.run("status", &[]).ended(1);
        assert!(status.out.contains("is damaged"), "{}", status.out);
        let healed = bench.run("rotate", &[]).ended(0);
        assert!(healed.err.contains("damaged"), "{}", healed.err);
        assert!(!bench.files(".key").contains(&name), "{name} was kept");
        bench.assert_whole("after the damage");
        assert_ne!(bench.served(), served);
        assert_eq!(bench.served(), bench.include());
        bench.run("status", &[]).ended(0);
    }
}

#[test]
fn a_full_tmpfs_changes_nothing() {
    let bench = Bench::new("64k");
    bench.run("init", &[]).ended(0);
    bench.age(1);
    let (include, served) = (bench.include(), bench.served());
    let filler = bench.memory.path().join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4096"])
        .arg(format!("of={}", filler.display()))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!full.success(), "the tmpfs is not full");
    let failed = bench.run("rotate", &[]).ended(2);
    assert!(failed.err.contains("No space left"), "{}", failed.err);
    assert_eq!((bench.include(), bench.served()), (include, served.clone()));
    bench.assert_whole("on a full tmpfs");
    fs::remove_file(&filler).unwrap();
    bench.run("rotate", &[]).ended(0);
    assert_ne!(bench.served(), served);
    assert_eq!(bench.served(), bench.include());
}

#[test]
fn a_lost_memory_costs_no_key() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    let keys = bench.files(".key");
    for memory in [None, Some("{\"schema\":"), Some("\u{0}\u{1}")] {
        let path = bench.keys().join("state.json");
        match memory {
            None => fs::remove_file(&path).unwrap(),
            Some(text) => fs::write(&path, text).unwrap(),
        }
        bench.run("rotate", &[]).ended(0);
        assert_eq!(bench.files(".key"), keys);
        assert_eq!(bench.served(), bench.include());
    }
}

#[test]
fn the_plan_comes_from_the_settings_and_the_arguments() {
    let bench = Bench::new("1m");
    let settings = bench.other.path().join("stekguard.toml");
    let text = "[rotation]\ninterval = \"30m\"\nahead = 5\nlifetime = \"8h\"\n";
    fs::write(&settings, text).unwrap();
    let config = ["--config", settings.to_str().unwrap()];
    bench.run("init", &config).ended(0);
    assert_eq!(bench.files(".key").len(), 6);
    let epoch: u64 = bench.files(".key")[0]
        .split('-')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(epoch, keys_bench::wall() / 1_800_000);
    let more = Bench::new("1m");
    more.run("init", &[&config[..], &["--ahead", "1"]].concat())
        .ended(0);
    assert_eq!(more.files(".key").len(), 2);
    fs::write(&settings, "[rotation]\ninterval = \"0s\"\n").unwrap();
    let wrong = bench.run("rotate", &config).ended(2);
    assert!(
        wrong.err.contains("stekguard.toml") && wrong.err.contains("interval"),
        "{}",
        wrong.err
    );
    let wrong = bench.run("rotate", &["--lifetime", "30h"]).ended(2);
    assert!(wrong.err.contains("lifetime"), "{}", wrong.err);
}

#[test]
fn two_runs_do_not_meet() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    let folder = Folder::at(&bench.keys(), Layout::Nginx80).unwrap();
    let lock = folder.lock().unwrap();
    let busy = bench.run("rotate", &[]).ended(2);
    assert!(busy.err.contains("is locked"), "{}", busy.err);
    drop(lock);
    bench.run("rotate", &[]).ended(0);
}

#[test]
fn a_stepped_clock_changes_no_key() {
    let bench = Bench::new("1m");
    bench.run("init", &[]).ended(0);
    bench.age(1);
    bench.run("rotate", &[]).ended(0);
    let (keys, include) = (bench.files(".key"), bench.include());
    let folder = Folder::at(&bench.keys(), Layout::Nginx80).unwrap();
    // The wall clock is as it is; what slots count by is moved instead.
    for hours in [-7_i64, 10, 4] {
        let saved = folder.saved().unwrap();
        let mut value = serde_json::to_value(&saved).unwrap();
        let time = value["state"]["clock"]["time"].as_i64().unwrap();
        value["state"]["clock"]["time"] = (time - hours * 3_600_000).into();
        // The same slots by another name.
        let text = value.to_string();
        let moved: Saved = serde_json::from_str(&text).unwrap();
        let offset = |slot: &mut Slot| slot.epoch = slot.epoch.saturating_add_signed(-hours);
        let mut moved = moved;
        moved
            .state
            .held
            .iter_mut()
            .for_each(|held| offset(&mut held.key.slot));
        let set = moved.state.applied.as_mut().unwrap();
        set.encrypts
            .iter_mut()
            .for_each(|key| offset(&mut key.slot));
        set.decrypts
            .iter_mut()
            .for_each(|key| offset(&mut key.slot));
        let rename = |name: &str| {
            let (epoch, rest) = name.split_once('-').unwrap();
            let epoch: u64 = epoch.parse().unwrap();
            format!("{}-{rest}", epoch.saturating_add_signed(-hours))
        };
        let mut text = bench.include();
        for name in bench.files(".key") {
            fs::rename(bench.keys().join(&name), bench.keys().join(rename(&name))).unwrap();
            text = text.replace(&name, &rename(&name));
        }
        fs::write(bench.keys().join("keys.conf"), text).unwrap();
        folder.save(&moved).unwrap();
        let run = bench.run("rotate", &[]).ended(0);
        assert!(run.err.contains("the wall clock is"), "{}", run.err);
        assert!(!run.err.contains("made"), "{}", run.err);
        let ids = |names: &[String]| -> Vec<String> {
            names
                .iter()
                .map(|name| name.split_once('-').unwrap().1.to_owned())
                .collect()
        };
        assert_eq!(ids(&bench.files(".key")), ids(&keys), "{hours} hours");
        assert_eq!(bench.include().lines().count(), include.lines().count());
    }
}

#[test]
fn derived_keys_follow_from_the_last_one() {
    let (one, two) = (Bench::new("1m"), Bench::new("1m"));
    one.run("init", &[]).ended(0);
    let name = one.files(".key")[2].clone();
    fs::create_dir(two.keys()).unwrap();
    fs::copy(one.keys().join(&name), two.keys().join(&name)).unwrap();
    let mut parts = name.split(['-', '.']);
    let epoch = parts.next().unwrap().parse().unwrap();
    let id = KeyId::parse(parts.nth(1).unwrap()).unwrap();
    let from = Key {
        slot: Slot {
            generation: 0,
            epoch,
        },
        id,
    };
    let derive = |bench: &Bench, until| {
        let folder = Folder::at(&bench.keys(), Layout::Nginx80).unwrap();
        folder.ratchet(&Ratchet { from, until }).unwrap()
    };
    // Two hosts that share one key, at different moments.
    let (early, late) = (derive(&one, epoch + 2), derive(&two, epoch + 4));
    assert_eq!((early.len(), late.len()), (2, 4));
    assert_eq!(early[..], late[..2]);
    assert!(late.iter().all(|offer| offer.derived && offer.key.id != id));
    for bench in [&one, &two] {
        assert!(bench.files(".derived.key").len() >= 2);
    }
}

/// Calls that create, write, rename or remove, or start what does.
const CALLS: &str = "write,writev,pwrite64,rename,renameat,renameat2,openat,mkdir,mkdirat,\
                     unlink,unlinkat,ftruncate,flock,chmod,fchmod,clone,clone3,vfork,fork";

#[test]
fn killed_at_any_system_call() {
    let strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    assert!(
        strace.is_ok_and(|status| status.success()),
        "strace is missing: run tests/install_servers.sh"
    );
    for (command, more) in [
        ("rotate", &[][..]),
        ("rotate-now", &["--restart-command", "true"]),
    ] {
        let mut kills = 0;
        for call in 1.. {
            assert!(call < 2_000, "the run never ends by itself");
            let bench = Bench::new("1m");
            bench.run("init", &[]).ended(0);
            bench.age(1);
            let before = bench.served();
            let mut strace = Command::new("strace");
            // Not -f: the server's own commands are not killed.
            strace
                .args(["-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={CALLS}"))
                .arg("-e")
                .arg(format!("inject={CALLS}:signal=KILL:when={call}"))
                .arg(env!("CARGO_BIN_EXE_stekguard"));
            bench.arguments(&mut strace, command, more);
            let status = strace
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            let when = format!("{command} killed at call {call}");
            if status.code().is_some() {
                // No such call any more: the whole run was covered.
                assert!(matches!(status.code(), Some(0 | 1)), "{status:?}");
                break;
            }
            assert_eq!(status.signal(), Some(9), "{when}: {status:?}");
            kills += 1;
            // The server starts or reloads at this moment: a whole set.
            bench.assert_whole(&when);
            let test = Command::new("sh")
                .args(["-c", &bench.test_command()])
                .status()
                .unwrap();
            assert!(test.success(), "{when}");
            let healed = bench.run("rotate", &[]);
            assert_eq!(healed.code, Some(0), "{when}: {}", healed.err);
            assert_ne!(bench.served(), before, "{when}");
            assert_eq!(bench.served(), bench.include(), "{when}");
            bench.assert_whole(&when);
            assert!(
                bench.files("").iter().all(|it| !it.starts_with(".new-")),
                "{when}"
            );
            let named = bench.include().matches(".key;").count();
            assert_eq!(bench.files(".key").len(), named, "{when}: a key too many");
            bench.run("status", &[]).ended(0);
        }
        println!("{command}: killed at {kills} system calls, healed every time");
        assert!(kills > 20, "only {kills} calls");
    }
}
