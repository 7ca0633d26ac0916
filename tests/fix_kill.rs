//! The real binary killed at every system call that changes something, over five files: after
//! the next start the tree is all old or all new, and the tool can go on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use stekguard::fix::{self, State};

/// Calls that create, write, rename or remove, or decide that it is on disk.
const CALLS: &str = "write,writev,pwrite64,rename,renameat,renameat2,fsync,fdatasync,openat,\
                     mkdir,mkdirat,unlink,unlinkat,fchmod,fchmodat,fchown,ftruncate,flock,\
                     fsetxattr,link,linkat,symlinkat";
const FILES: usize = 5;
const OLD: &str = "ssl_session_tickets on;";
const NEW: &str = "ssl_session_tickets off;";

struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        let tree = Self { folder };
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
        fs::write(
            self.root(),
            "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n    include conf.d/*.conf;\n}\n",
        )
        .unwrap();
        for number in 0..FILES {
            let text = format!(
                "server {{\n    listen 127.0.0.1:{};\n    {line}\n    listen 127.0.0.1:{} ssl;\n}}\n",
                8000 + number,
                9000 + number
            );
            fs::write(self.file(number), text).unwrap();
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

    fn fix(&self, command: &mut Command) -> std::process::ExitStatus {
        command
            .args(["fix", "--write", "--server-version", "nginx=1.28.3"])
            .arg(self.root())
            .env("STEKGUARD_STATE_DIR", self.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
    }
}

#[test]
fn killed_at_every_system_call() {
    let strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    assert!(
        strace.is_ok_and(|status| status.success()),
        "strace is missing: run tests/install_servers.sh"
    );
    let binary = env!("CARGO_BIN_EXE_stekguard");
    let tree = Tree::new();
    let (mut kills, mut all_old, mut all_new, mut rolled_back) = (0, 0, 0, 0);
    for call in 1.. {
        assert!(call < 2_000, "the run never ends by itself");
        tree.write(OLD);
        let status = tree.fix(
            Command::new("strace")
                .args(["-f", "-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={CALLS}"))
                .arg("-e")
                .arg(format!("inject={CALLS}:signal=KILL:when={call}"))
                .arg(binary),
        );
        if status.code() == Some(0) {
            // No such call any more: the whole run was covered.
            assert_eq!(tree.new_files(), FILES);
            break;
        }
        assert_eq!(status.signal(), Some(9), "at call {call}: {status:?}");
        kills += 1;
        rolled_back += fix::recover(&tree.state()).unwrap().len();
        match tree.new_files() {
            0 => all_old += 1,
            FILES => all_new += 1,
            some => panic!("killed at call {call}: {some} of {FILES} files are new"),
        }
        tree.assert_no_strays(&format!("killed at call {call}"));
        let again = tree.fix(&mut Command::new(binary));
        assert_eq!(again.code(), Some(0), "the run after a kill at call {call}");
        assert_eq!(
            tree.new_files(),
            FILES,
            "the run after a kill at call {call}"
        );
    }
    println!(
        "killed at {kills} system calls: {all_old} times all old, {all_new} times all new, \
         {rolled_back} rolled back"
    );
    // Five files are made durable and renamed one by one: fewer would mean that the
    // injection missed them.
    assert!(
        rolled_back >= 2 * FILES,
        "only {rolled_back} interrupted writes"
    );
    assert!(all_new > 0, "no kill fell behind the last rename");
}
