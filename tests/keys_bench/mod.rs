//! A tmpfs of the test's own, an nginx that reads its ticket keys from there, and the tool that
//! rotates them. Needs root, for the mount.
#![allow(dead_code, unreachable_pub)]

pub mod ending;
pub mod search;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::support::certs::{self, Pair};
use crate::support::client::{Kind, Target, connect};
use crate::support::install::{Program, is_root};
use crate::support::nginx;
use crate::support::server::{Server, free_address};
use crate::support::session::Issued;

/// A tmpfs that is never swapped; unmounted when dropped.
pub struct Memory {
    dir: TempDir,
}

impl Memory {
    pub fn new(size: &str) -> Self {
        assert!(
            is_root(),
            "the tests of keys mount a tmpfs: run them as root"
        );
        let dir = TempDir::with_prefix("keys-memory-").unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("noswap,size={size},mode=0755"))
            .arg("tmpfs")
            .arg(dir.path())
            .status()
            .unwrap();
        assert!(
            mounted.success(),
            "no tmpfs with noswap: Linux 6.4 is needed"
        );
        Self { dir }
    }

    /// The folder of keys; not made yet.
    pub fn keys(&self) -> PathBuf {
        self.dir.path().join("nginx")
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.dir.path())
            .status();
    }
}

/// Most tests here have slots of an hour, as users do, and count on being in one: at its very end
/// they wait for the next.
fn into_the_hour() {
    const HOUR: u64 = 3600;
    const ENOUGH: u64 = 60;
    let left = HOUR - wall() / 1000 % HOUR;
    if left <= ENOUGH {
        println!("{left} s until the next slot: waited for");
        thread::sleep(Duration::from_secs(left + 1));
    }
}

/// The configuration, certificate and address of one nginx, and its keys.
pub struct Bench {
    pub memory: Memory,
    pub dir: TempDir,
    pub root: PathBuf,
    pub target: Target,
    pub address: SocketAddr,
    pair: Pair,
    program: Program,
}

impl Bench {
    /// `http`: lines of the http block, with `{keys}` for the folder.
    pub fn new(program: &Program, http: &str) -> Self {
        let dir = TempDir::with_prefix("keys-nginx-").unwrap();
        let nonce = certs::nonce();
        let pair = certs::self_signed(dir.path(), "one", &["a.test"], &nonce);
        Self::with(program, http, dir, pair, nonce)
    }

    /// Puts the private key into the certificate's file too, as many do. Gives two parts of the
    /// number that is the secret, 16 letters each: the bytes 36 to 47 and 48 to 59 of the key (RFC
    /// 5915 within PKCS #8; what follows 67 is the public half).
    pub fn join_pair(&self) -> String {
        let key = fs::read_to_string(&self.pair.key).unwrap();
        let mut lines = key.lines().skip(1);
        let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
        let secret = format!("{}{}", &first[48..64], &second[..16]);
        let joined = fs::read_to_string(&self.pair.cert).unwrap() + &key;
        fs::write(&self.pair.cert, joined).unwrap();
        secret
    }

    /// Another host with the same certificate: nginx binds sessions to it.
    pub fn sibling(&self, program: &Program, http: &str) -> Self {
        let dir = TempDir::with_prefix("keys-nginx-").unwrap();
        let (pair, nonce) = (self.pair.clone(), self.target.nonce.clone());
        Self::with(program, http, dir, pair, nonce)
    }

    fn with(program: &Program, http: &str, dir: TempDir, pair: Pair, nonce: String) -> Self {
        into_the_hour();
        let memory = Memory::new("1m");
        let address = free_address();
        let bench = Self {
            root: dir.path().join("nginx.conf"),
            target: Target {
                address,
                sni: Some("a.test".to_owned()),
                nonce,
            },
            memory,
            dir,
            address,
            pair,
            program: program.clone(),
        };
        bench.configure(http, "ssl", "");
        bench
    }

    pub fn configure(&self, http: &str, listen: &str, server: &str) {
        let lines = http.replace("{keys}", &self.memory.keys().display().to_string());
        let text = format!(
            "    ssl_protocols TLSv1.2 TLSv1.3;\n{lines}\n    server {{\n        \
             listen {} {listen};\n        server_name a.test;\n        \
             ssl_certificate {};\n        ssl_certificate_key {};\n        {server}\n        \
             return 200;\n    }}\n",
            self.address,
            self.pair.cert.display(),
            self.pair.key.display()
        );
        let main = nginx::main_file(self.dir.path(), &text);
        fs::write(&self.root, format!("worker_shutdown_timeout 1s;\n{main}")).unwrap();
    }

    pub fn serve(&self) -> Server {
        nginx::serve(&self.program, self.dir.path(), &self.root, &self.target)
    }

    pub fn pid(&self) -> u32 {
        let pid = fs::read_to_string(self.dir.path().join("nginx.pid")).unwrap();
        pid.trim().parse().unwrap()
    }

    pub fn pid_file(&self) -> String {
        self.dir.path().join("nginx.pid").display().to_string()
    }

    pub fn test_command(&self) -> String {
        let arguments = nginx::arguments(self.dir.path(), &self.root).join(" ");
        format!("{} {arguments} -t -q", self.program.path.display())
    }

    /// A run of `keys COMMAND` with what it needs to know of this server.
    pub fn keys(&self, command: &str, more: &[&str]) -> Command {
        let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        keys.args(["keys", command, "--dir"])
            .arg(self.memory.keys())
            .arg("--server-config")
            .arg(&self.root)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        if !matches!(command, "status" | "doctor") {
            keys.args(["--test-command", &self.test_command()]);
        }
        // Other tests' processes are none of this one's.
        if command == "doctor" && !more.contains(&"--system-root") {
            keys.arg("--system-root").arg(self.dir.path());
        }
        if !more.contains(&"--pid-file") {
            keys.args(["--pid-file", &self.pid_file()]);
        }
        keys.args(more);
        keys
    }

    pub fn ran(&self, command: &str, more: &[&str]) -> Ran {
        Ran::of(self.keys(command, more))
    }

    pub fn session(&self, kind: Kind) -> Issued {
        let connection = connect(&self.target, kind, None).unwrap();
        connection.issued.last().expect("a session").clone()
    }

    pub fn resumes(&self, kind: Kind, session: &Issued) -> bool {
        connect(&self.target, kind, Some(session)).unwrap().resumed
    }

    /// Slots by the name in front of a ticket, of the keys that lie in the folder.
    pub fn slot_of(&self, ticket: &[u8]) -> Option<u64> {
        self.key_files().into_iter().find_map(|path| {
            let bytes = fs::read(&path).ok()?;
            let name = path.file_name()?.to_str()?;
            let slot = name.split('-').next()?.parse().ok()?;
            (bytes.get(..16)? == ticket.get(..16)?).then_some(slot)
        })
    }

    pub fn key_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.memory.keys()) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "key"))
            // Not those that are just being written.
            .filter(|path| {
                !path
                    .file_name()
                    .unwrap()
                    .as_encoded_bytes()
                    .starts_with(b".")
            })
            .collect();
        paths.sort();
        paths
    }

    pub fn include(&self) -> String {
        fs::read_to_string(self.memory.keys().join("keys.conf")).unwrap_or_default()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// A daemon, ended by its own number when dropped.
pub struct Daemon {
    pub child: Child,
    log: PathBuf,
}

impl Daemon {
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self {
            child,
            log: log.to_owned(),
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the log holds these words.
    pub fn says(&mut self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(words) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", self.log());
            assert!(Instant::now() < deadline, "no {words:?} in\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().rev().take(60).collect();
            lines
                .iter()
                .rev()
                .for_each(|line| eprintln!("keys run: {line}"));
        }
    }
}

/// Milliseconds since 1970.
pub fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
