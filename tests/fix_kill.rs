//! The real binary killed at every system call that changes something, over five files: after
//! the next start the tree is all old or all new, and the tool can go on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use stekguard::fix::{self, State};
use support::client::{Kind, Target, connect};
use support::server::free_address;
use support::{certs, install, nginx};

/// Calls that create, write, rename or remove, or decide that it is on disk.
const CALLS: &str = "write,writev,pwrite64,rename,renameat,renameat2,fsync,fdatasync,openat,\
                     mkdir,mkdirat,unlink,unlinkat,fchmod,fchmodat,fchown,ftruncate,flock,\
                     fsetxattr,link,linkat,symlinkat";
/// The same without what only reads, which waiting for a server does again and again, and
/// with the signal itself.
const WRITES: &str = "write,writev,pwrite64,rename,renameat,renameat2,fsync,fdatasync,mkdir,\
                      mkdirat,unlink,unlinkat,fchmod,fchmodat,fchown,ftruncate,flock,kill,mount";
/// What the server's test and the shell around it do before the tool changes anything.
const OF_THE_TEST: &str = "write,mount,mkdir";
const FILES: usize = 5;
const OLD: &str = "ssl_session_tickets on;";
const NEW: &str = "ssl_session_tickets off;";

struct Tree {
    folder: tempfile::TempDir,
    addresses: Vec<SocketAddr>,
    nonce: String,
    version: String,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        let nonce = certs::nonce();
        certs::self_signed(folder.path(), "a", &["a.test"], &nonce);
        let tree = Self {
            folder,
            addresses: (0..2 * FILES).map(|_| free_address()).collect(),
            nonce,
            version: install::nginx_packaged().version,
        };
        tree.write(OLD);
        tree
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn state(&self) -> State {
        State::at(self.path().join("state"))
    }

    /// The tree as it was, without a journal.
    fn write(&self, line: &str) {
        let _ = fs::remove_dir_all(self.path().join("state"));
        let http = "    ssl_certificate a.crt;\n    ssl_certificate_key a.key;\n    \
                    include conf.d/*.conf;\n";
        fs::write(self.root(), nginx::main_file(self.path(), http)).unwrap();
        for number in 0..FILES {
            let text = format!(
                "server {{\n    listen {};\n    {line}\n    listen {} ssl;\n}}\n",
                self.addresses[2 * number],
                self.addresses[2 * number + 1]
            );
            fs::write(self.file(number), text).unwrap();
        }
    }

    /// The first server.
    fn target(&self) -> Target {
        Target {
            address: self.addresses[1],
            sni: Some("a.test".to_owned()),
            nonce: self.nonce.clone(),
        }
    }

    fn root(&self) -> std::path::PathBuf {
        self.path().join("nginx.conf")
    }

    fn file(&self, number: usize) -> std::path::PathBuf {
        self.path().join(format!("conf.d/{number}.conf"))
    }

    /// How many files say the new line; each says exactly one of the two.
    fn new_files(&self) -> usize {
        let says = |number: usize| {
            let text = fs::read_to_string(self.file(number)).unwrap();
            let (old, new) = (text.contains(OLD), text.contains(NEW));
            assert!(old != new, "file {number} is torn: {text:?}");
            assert!(
                text.ends_with("ssl;\n}\n"),
                "file {number} is cut: {text:?}"
            );
            usize::from(new)
        };
        (0..FILES).map(says).sum()
    }

    /// Nothing but the five files lies where nginx reads.
    fn assert_no_strays(&self, when: &str) {
        let mut names: Vec<_> = fs::read_dir(self.path().join("conf.d"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected: Vec<String> = (0..FILES).map(|number| format!("{number}.conf")).collect();
        assert_eq!(names, expected, "{when}");
    }

    fn fix(&self, command: &mut Command, arguments: &[&str]) -> ExitStatus {
        command
            .args(["fix", "--write", "--server-version"])
            .arg(format!("nginx={}", self.version))
            .args(arguments)
            .arg(self.root())
            .env("STEKGUARD_STATE_DIR", self.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
    }
}

/// What came of the kills.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    all_old: usize,
    all_new: usize,
    rolled_back: usize,
    /// The call was one of the server's test, which then has no answer.
    refused: usize,
}

/// For each of the calls: kills the tool at the first one, then at the second, and so on until
/// it gets by. (strace counts every call by itself, so a list of them at once would stop at
/// the most frequent one.) `after` looks at the world after each kill. `follow`: also in the
/// processes that it starts, each of which counts for itself.
fn kill_everywhere(
    tree: &Tree,
    (calls, follow): (&str, bool),
    arguments: &[&str],
    after: &dyn Fn(),
) -> Tally {
    let strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    assert!(
        strace.is_ok_and(|status| status.success()),
        "strace is missing: run tests/install_servers.sh"
    );
    let mut tally = Tally::default();
    for call in calls.split(',') {
        let before = tally.kills;
        for number in 1.. {
            assert!(number < 1_000, "the run never ends by itself");
            if !kill_at(tree, (call, number, follow), arguments, after, &mut tally) {
                break;
            }
        }
        let kills = tally.kills - before;
        if kills > 0 {
            println!("killed at each of {kills} calls of {call}");
        }
    }
    tally
}

/// One run; false where there was no such call any more, and so no kill.
fn kill_at(
    tree: &Tree,
    (call, number, follow): (&str, usize, bool),
    arguments: &[&str],
    after: &dyn Fn(),
    tally: &mut Tally,
) -> bool {
    let binary = env!("CARGO_BIN_EXE_stekguard");
    tree.write(OLD);
    let status = tree.fix(
        Command::new("strace")
            .args(follow.then_some("-f"))
            .args(["-qq", "-o", "/dev/null", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:signal=KILL:when={number}"))
            .arg(binary),
        arguments,
    );
    if status.code() == Some(0) {
        assert_eq!(tree.new_files(), FILES);
        return false;
    }
    let when = format!("killed at {call} {number}");
    match (status.signal(), status.code()) {
        (Some(9), _) => tally.kills += 1,
        // A process of the test was killed; the tool says that the test did not pass.
        (_, Some(2)) if !arguments.is_empty() => tally.refused += 1,
        _ => panic!("{when}: {status:?}"),
    }
    after();
    tally.rolled_back += fix::recover(&tree.state()).unwrap().len();
    match tree.new_files() {
        0 => tally.all_old += 1,
        FILES => tally.all_new += 1,
        some => panic!("{when}: {some} of {FILES} files are new"),
    }
    tree.assert_no_strays(&when);
    assert!(!tree.path().join("state/shadow").exists(), "a shadow stays");
    let again = tree.fix(&mut Command::new(binary), &[]);
    assert_eq!(again.code(), Some(0), "the run after: {when}");
    assert_eq!(tree.new_files(), FILES, "the run after: {when}");
    true
}

#[test]
fn killed_at_every_system_call() {
    let tally = kill_everywhere(&Tree::new(), (CALLS, true), &[], &|| {});
    println!("{tally:?}");
    // Five files are made durable and renamed one by one: fewer would mean that the
    // injection missed them.
    assert!(
        tally.rolled_back >= 2 * FILES,
        "only {} interrupted writes",
        tally.rolled_back
    );
    assert!(tally.all_new > 0, "no kill fell behind the last rename");
}

/// With the server's own test before and a reload afterwards: the same, and the server that
/// runs is up whatever happens.
#[test]
fn killed_at_every_system_call_of_a_tested_write_with_a_reload() {
    assert!(
        install::is_root(),
        "the server's own test needs root: run the tests as root"
    );
    let tree = Tree::new();
    let program = install::nginx_packaged();
    let _server = nginx::serve(&program, tree.path(), &tree.root(), &tree.target());
    let is_up = || assert!(connect(&tree.target(), Kind::Ticket12, None).is_ok());
    let arguments = ["--validate", "always", "--reload"];
    let own = kill_everywhere(&tree, (WRITES, false), &arguments, &is_up);
    println!("its own calls: {own:?}");
    assert!(own.rolled_back >= 2 * FILES && own.all_new > 0, "{own:?}");
    assert_eq!(own.refused, 0, "{own:?}");
    let all = kill_everywhere(&tree, (OF_THE_TEST, true), &arguments, &is_up);
    println!("those of the test too: {all:?}");
    assert!(all.refused > 0, "{all:?}");
    is_up();
}
