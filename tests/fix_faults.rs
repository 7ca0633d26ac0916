//! What can go wrong while files are written: full disks, quotas, read-only places, missing
//! permission, bind mounts, somebody else's change, a second instance. Nothing is lost, one
//! clear error is said, and the exit code is 2. The real binary, real kernels, five files.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::install::is_root;
use tempfile::TempDir;

const FILES: usize = 5;
const OLD: &str = "ssl_session_tickets on;";
const NEW: &str = "ssl_session_tickets off;";
/// `nobody`.
const STRANGER: u32 = 65_534;

/// Five files that all change, and their state directory beside them.
struct Tree {
    folder: TempDir,
}

impl Tree {
    fn new() -> Self {
        let folder = TempDir::with_prefix("fix-faults-").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let tree = Self { folder };
        fill(&tree.etc());
        tree
    }

    fn path(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    fn etc(&self) -> PathBuf {
        self.path().join("etc")
    }

    fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// The tool on this tree, behind the words of another command.
    fn command(&self, before: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_stekguard");
        let mut words = before.iter().copied().chain([binary]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(["fix", "--write", "--server-version", "nginx=1.28.3"])
            .arg(self.etc().join("nginx.conf"))
            .env("STEKGUARD_STATE_DIR", self.state())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    fn fix(&self, before: &[&str]) -> Output {
        self.command(before).output().unwrap()
    }

    /// `undo`, with this call failing from the one of this number on, or at it alone; true where
    /// a call failed.
    fn undo(&self, call: &str, error: &str, when: &str) -> (Output, bool) {
        let log = self.path().join("strace");
        let inject = format!("inject={call}:error={error}:when={when}");
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(&log)
            .args(["-e", &format!("trace={call}"), "-e", &inject])
            .args([env!("CARGO_BIN_EXE_stekguard"), "undo"])
            .env("STEKGUARD_STATE_DIR", self.state())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let injected = fs::read_to_string(&log).unwrap().contains("(INJECTED)");
        (output, injected)
    }

    /// How many of the files are new; each is whole.
    fn new_files(&self) -> usize {
        count_new(&self.etc())
    }

    /// One clear error and nothing else happened.
    fn failed(&self, output: &Output, words: &[&str]) {
        failed(output, words);
        assert_eq!(self.new_files(), 0, "{}", said(output));
        no_strays(&self.etc());
    }

    /// It works once the trouble is over, and can be taken back.
    fn works(&self) {
        let output = self.fix(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(self.new_files(), FILES);
        let undone = support::program::run(&self.state(), &["undo"]);
        assert_eq!(undone.code, Some(0), "{}", undone.stderr);
        assert_eq!(self.new_files(), 0);
        no_strays(&self.etc());
    }
}

fn text(number: usize, line: &str) -> String {
    format!(
        "server {{\n    listen 127.0.0.1:{} ssl;\n    {line}\n    server_name n{number}.test;\n}}\n",
        9_000 + number
    )
}

fn fill(etc: &Path) {
    fs::create_dir_all(etc.join("conf.d")).unwrap();
    let root = "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    \
                include conf.d/*;\n}\n";
    fs::write(etc.join("nginx.conf"), root).unwrap();
    for number in 0..FILES {
        fs::write(etc.join(format!("conf.d/{number}.conf")), text(number, OLD)).unwrap();
    }
}

fn count_new(etc: &Path) -> usize {
    let is_new = |number: &usize| {
        let read = fs::read_to_string(etc.join(format!("conf.d/{number}.conf"))).unwrap();
        let (old, new) = (text(*number, OLD), text(*number, NEW));
        assert!(
            read == old || read == new,
            "file {number} is torn: {read:?}"
        );
        read == new
    };
    (0..FILES).filter(is_new).count()
}

fn no_strays(etc: &Path) {
    let found = fs::read_dir(etc.join("conf.d")).unwrap();
    let mut names: Vec<_> = found
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected: Vec<_> = (0..FILES).map(|number| format!("{number}.conf")).collect();
    assert_eq!(names, expected);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn failed(output: &Output, words: &[&str]) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    for word in words {
        assert!(errors[0].contains(word), "no {word} in {}", errors[0]);
    }
}

/// The calls that write, by the error that each can end with: once at its first use on a
/// file, then at each later one until the run gets by without it.
#[test]
fn every_failing_call_changes_nothing() {
    let cases = [
        ("write", "ENOSPC"),
        ("write", "EDQUOT"),
        ("write", "EIO"),
        ("fsync", "EDQUOT"),
        ("fsync", "EIO"),
        ("rename", "ENOSPC"),
        ("rename", "EDQUOT"),
        ("rename", "EROFS"),
        ("rename", "EACCES"),
        ("rename", "EBUSY"),
        ("fchmod", "EPERM"),
    ];
    for (call, error) in cases {
        let (mut failures, mut harmless) = (0, 0);
        for number in 1.. {
            assert!(number < 500, "{call} {error} never ends");
            let tree = Tree::new();
            let log = tree.path().join("strace");
            let inject = format!("inject={call}:error={error}:when={number}");
            let output = tree.fix(&[
                "strace",
                "-f",
                "-qq",
                "-o",
                log.to_str().unwrap(),
                "-e",
                &format!("trace={call}"),
                "-e",
                &inject,
            ]);
            let injected = fs::read_to_string(&log).unwrap().contains("(INJECTED)");
            let when = format!("{call} {error} {number}: {}", said(&output));
            match (injected, output.status.code()) {
                // No such call any more: the whole run was covered.
                (false, Some(0)) => break,
                // On its own streams, and what is only tidied up, a failure does no harm.
                (true, Some(0)) => {
                    assert_eq!(tree.new_files(), FILES, "{when}");
                    harmless += 1;
                }
                (true, Some(2)) => {
                    assert_eq!(tree.new_files(), 0, "{when}");
                    no_strays(&tree.etc());
                    tree.works();
                    failures += 1;
                }
                _ => panic!("{when}"),
            }
        }
        println!("{call} {error}: {failures} failures, each all old; {harmless} without harm");
        assert!(
            failures > 0,
            "{call} {error}: nothing was injected where it counts"
        );
    }
}

/// The same for `undo`: a call that fails once leaves every file new, and the undo can be asked
/// for again.
#[test]
fn every_failing_call_of_an_undo_changes_nothing() {
    for (call, error) in [
        ("write", "ENOSPC"),
        ("fsync", "EIO"),
        ("rename", "EROFS"),
        ("rename", "EBUSY"),
    ] {
        let (mut failures, mut harmless) = (0, 0);
        for number in 1.. {
            assert!(number < 500, "{call} {error} never ends");
            let tree = Tree::new();
            assert_eq!(tree.fix(&[]).status.code(), Some(0));
            assert_eq!(tree.new_files(), FILES);
            let (output, injected) = tree.undo(call, error, &number.to_string());
            let when = format!("{call} {error} {number}: {}", said(&output));
            match (injected, output.status.code()) {
                (false, Some(0)) => break,
                (true, Some(0)) => {
                    assert_eq!(tree.new_files(), 0, "{when}");
                    harmless += 1;
                }
                (true, Some(2)) => {
                    failed(&output, &[]);
                    assert_eq!(tree.new_files(), FILES, "{when}");
                    no_strays(&tree.etc());
                    let again = support::program::run(&tree.state(), &["undo"]);
                    assert_eq!(again.code, Some(0), "{when}, then {}", again.stderr);
                    assert_eq!(tree.new_files(), 0, "{when}");
                    no_strays(&tree.etc());
                    failures += 1;
                }
                _ => panic!("{when}"),
            }
        }
        println!(
            "undo, {call} {error}: {failures} failures, each all new; {harmless} without harm"
        );
        assert!(failures > 0, "{call} {error}: nothing failed");
    }
}

/// Renames fail for good in the middle of an undo, so the way forward is closed as well: what is
/// left is named, and the next run ends what was begun.
#[test]
fn an_undo_that_stays_half_done_is_told_and_ended_later() {
    let mut halves = 0;
    for number in 1.. {
        assert!(number < 500, "renames never end");
        let tree = Tree::new();
        assert_eq!(tree.fix(&[]).status.code(), Some(0));
        let (output, injected) = tree.undo("rename", "EROFS", &format!("{number}+"));
        if !injected {
            break;
        }
        let new = tree.new_files();
        failed(&output, &["Read-only file system"]);
        let text = said(&output);
        if new < FILES {
            halves += 1;
            let (_, old) = text.split_once("old bytes already").unwrap();
            for number in 0..FILES {
                let name = format!("conf.d/{number}.conf");
                let read = fs::read_to_string(tree.etc().join(&name)).unwrap();
                let is_old = read == self::text(number, OLD);
                assert_eq!(old.contains(&name), is_old, "{name} in {text}");
            }
        }
        let again = support::program::run(&tree.state(), &["undo"]);
        assert_eq!(again.code, Some(0), "{}", again.stderr);
        assert_eq!(tree.new_files(), 0, "{}", again.stderr);
        no_strays(&tree.etc());
        let ended = again.stderr.contains("an interrupted run was ended");
        assert_eq!(ended, text.contains("ends what was begun"), "{text}");
        tree.works();
    }
    assert!(halves >= FILES - 1, "{halves} halves");
}

/// A small file system of its own, filled up: whether the journal, the new versions or the
/// first of them find no room, nothing changes.
#[test]
fn a_full_disk() {
    assert!(
        is_root(),
        "a file system of its own needs root: run the tests as root"
    );
    let binary = env!("CARGO_BIN_EXE_stekguard");
    let place = TempDir::with_prefix("fix-full-").unwrap();
    let mount = fs::canonicalize(place.path()).unwrap();
    // Kilobytes left free: from none to more than enough.
    let script = r#"
set -e
mount -t tmpfs -o size=512k tmpfs "$2"
cp -r "$3/etc" "$2/etc"
dd if=/dev/zero of="$2/ballast" bs=1k status=none 2>/dev/null || true
truncate -s "-${4}k" "$2/ballast"
code=0
STEKGUARD_STATE_DIR="$2/state" NO_COLOR=1 "$1" fix --write --server-version nginx=1.28.3 \
    "$2/etc/nginx.conf" >/dev/null 2>"$3/said" || code=$?
rm "$2/ballast"
rm -rf "$3/result"
cp -r "$2/etc" "$3/result"
exit "$code"
"#;
    let (mut full, mut enough) = (0, 0);
    for free in (0..=200).step_by(4) {
        let tree = Tree::new();
        let output = Command::new("unshare")
            .args([
                "--mount",
                "--propagation",
                "private",
                "/bin/sh",
                "-c",
                script,
                "full",
                binary,
            ])
            .arg(&mount)
            .arg(tree.path())
            .arg(free.to_string())
            .output()
            .unwrap();
        let result = tree.path().join("result");
        let text = fs::read_to_string(tree.path().join("said")).unwrap_or_default();
        match output.status.code() {
            Some(0) => {
                assert_eq!(count_new(&result), FILES);
                enough += 1;
            }
            Some(2) => {
                assert!(text.contains("No space left on device"), "{free}: {text}");
                assert_eq!(count_new(&result), 0, "{free}: {text}");
                no_strays(&result);
                full += 1;
            }
            code => panic!("{free}: {code:?}: {text} {}", said(&output)),
        }
    }
    println!("a full disk: {full} times all old, {enough} times all new");
    assert!(full > 5 && enough > 5);
}

#[test]
fn a_read_only_file_system() {
    assert!(
        is_root(),
        "a read-only mount needs root: run the tests as root"
    );
    let tree = Tree::new();
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let etc = tree.etc().display().to_string();
    let output = tree.fix(&[
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        script,
        &etc,
    ]);
    tree.failed(&output, &["conf.d/", "Read-only file system"]);
    tree.works();
}

/// As containers do it with single files.
#[test]
fn a_file_that_is_mounted_by_itself() {
    assert!(is_root(), "a bind mount needs root: run the tests as root");
    let tree = Tree::new();
    let script = "mount --bind \"$0\" \"$0\" && exec \"$@\"";
    let file = tree.etc().join("conf.d/2.conf").display().to_string();
    let output = tree.fix(&[
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        script,
        &file,
    ]);
    tree.failed(&output, &["conf.d/2.conf", "is mounted there by itself"]);
    tree.works();
}

/// A user who may write four of the files, and everything for whom the third is closed.
#[test]
fn no_permission_on_the_third_of_five_files() {
    assert!(is_root(), "another user needs root: run the tests as root");
    let stranger = STRANGER.to_string();
    let other = [
        "setpriv",
        "--reuid",
        &stranger,
        "--regid",
        &stranger,
        "--clear-groups",
    ];
    for what in ["file", "folder"] {
        let tree = Tree::new();
        // The binary may lie where only root can go.
        let binary = tree.path().join("stekguard");
        fs::copy(env!("CARGO_BIN_EXE_stekguard"), &binary).unwrap();
        let give = |path: &Path| chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
        give(&tree.path());
        for folder in ["etc", "etc/conf.d"] {
            give(&tree.path().join(folder));
        }
        for number in 0..FILES {
            give(&tree.etc().join(format!("conf.d/{number}.conf")));
        }
        let third = tree.etc().join("conf.d/2.conf");
        match what {
            "file" => chown(&third, Some(0), Some(0)).unwrap(),
            // The file lies elsewhere, where nothing can be made beside it.
            _ => {
                let shut = tree.path().join("shut");
                fs::create_dir(&shut).unwrap();
                fs::rename(&third, shut.join("2.conf")).unwrap();
                std::os::unix::fs::symlink(shut.join("2.conf"), &third).unwrap();
            }
        }
        let run = || {
            Command::new(other[0])
                .args(&other[1..])
                .arg(&binary)
                .args(["fix", "--write", "--server-version", "nginx=1.28.3"])
                .arg(tree.etc().join("nginx.conf"))
                .env("STEKGUARD_STATE_DIR", tree.state())
                .env("NO_COLOR", "1")
                .stdin(Stdio::null())
                .output()
                .unwrap()
        };
        let output = run();
        tree.failed(&output, &["2.conf", "Permission denied"]);
        // With the permission it goes on, and without root nothing is validated, which is said.
        give(&third);
        give(&fs::canonicalize(&third).unwrap());
        give(fs::canonicalize(&third).unwrap().parent().unwrap());
        let output = run();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(tree.new_files(), FILES);
        assert!(
            said(&output).contains("not validated: "),
            "{}",
            said(&output)
        );
        let metadata = fs::metadata(&third).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&metadata), STRANGER);
    }
}

/// Somebody writes a file while the question of `--interactive` stands open.
#[test]
fn a_file_changed_between_plan_and_write() {
    let tree = Tree::new();
    let mut child = tree
        .command(&[])
        .arg("--interactive")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut seen = Vec::new();
    while !seen.ends_with(b"]? ") {
        assert!(stderr.read_until(b' ', &mut seen).unwrap() > 0);
    }
    let path = tree.etc().join("conf.d/4.conf");
    let changed = text(4, OLD) + "# a person was here\n";
    fs::write(&path, &changed).unwrap();
    answers.write_all(b"y\ny\ny\ny\ny\n").unwrap();
    drop(answers);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = Output {
        status: child.wait().unwrap(),
        stdout: Vec::new(),
        stderr: rest.into_bytes(),
    };
    failed(
        &output,
        &["4.conf", "changed since it was read, nothing was written"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    fs::write(&path, text(4, OLD)).unwrap();
    assert_eq!(tree.new_files(), 0);
    tree.works();
}

/// Many instances at once: one writes; each of the others says so, or finds nothing to do.
#[test]
fn instances_at_once() {
    let (mut busy, mut rounds) = (0, 0);
    while busy == 0 {
        rounds += 1;
        assert!(rounds < 50, "no two instances ever met");
        let tree = Tree::new();
        // Slow the first one down where it holds the lock.
        let slow = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync",
            "-e",
            "inject=fsync:delay_exit=30000",
        ];
        let spawn = |before: &[&str]| {
            let mut command = tree.command(before);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let first = spawn(&slow);
        while !tree.state().join("journal/00000001").exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let others: Vec<_> = (0..4).map(|_| spawn(&[])).collect();
        for other in others {
            let output = other.wait_with_output().unwrap();
            let text = said(&output);
            match output.status.code() {
                Some(2) => {
                    let known = ["another stekguard is writing", "changed since it was read"];
                    assert!(known.iter().any(|it| text.contains(it)), "{text}");
                    busy += usize::from(text.contains(known[0]));
                }
                Some(0) => {}
                code => panic!("{code:?}: {text}"),
            }
        }
        let output = first.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(tree.new_files(), FILES);
        no_strays(&tree.etc());
    }
    println!("instances that found another one writing: {busy}");
}

/// An include that reads dotfiles: nothing waits where it looks, and a server that reads the
/// tree at any moment sees the five files alone.
#[test]
fn nothing_waits_where_an_include_reads_dotfiles() {
    let tree = Tree::new();
    let root = tree.etc().join("nginx.conf");
    let text = fs::read_to_string(&root).unwrap();
    let both = text.replace(
        "include conf.d/*;",
        "include conf.d/*; include conf.d/.*.tmp;",
    );
    fs::write(&root, both).unwrap();
    let log = tree.path().join("strace");
    let output = tree.fix(&[
        "strace",
        "-f",
        "-qq",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=rename,openat",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(tree.new_files(), FILES);
    let calls = fs::read_to_string(&log).unwrap();
    let renames = calls
        .lines()
        .filter(|line| line.contains("rename(") && line.contains("conf.d/"));
    assert_eq!(renames.count(), FILES);
    let created = calls
        .lines()
        .filter(|line| line.contains("O_CREAT") && line.contains("/conf.d/"));
    assert_eq!(created.count(), 0, "{calls}");
    // Without that include they do wait beside: the trace shows such files.
    let plain = Tree::new();
    plain.fix(&[
        "strace",
        "-f",
        "-qq",
        "-o",
        log.to_str().unwrap(),
        "-e",
        "trace=rename,openat",
    ]);
    let calls = fs::read_to_string(&log).unwrap();
    let created = calls
        .lines()
        .filter(|line| line.contains("O_CREAT") && line.contains("/conf.d/."));
    assert_eq!(created.count(), FILES);
}

/// The journal remembers the last fifty writes and says when it lets older ones go.
#[test]
fn the_journal_keeps_the_last_writes() {
    let tree = Tree::new();
    let mut told = 0;
    for _ in 0..53 {
        fill(&tree.etc());
        let output = tree.fix(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        told += usize::from(said(&output).contains("the journal keeps 50 writes"));
    }
    assert_eq!(told, 3);
    let listed = support::program::run(&tree.state(), &["undo", "--list"]);
    let numbers: Vec<&str> = listed
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(numbers.len(), 50, "{}", listed.stdout);
    assert_eq!((numbers[0], numbers[49]), ("53", "4"));
    assert_eq!(
        fs::read_dir(tree.state().join("journal")).unwrap().count(),
        50
    );
}
