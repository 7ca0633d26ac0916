//! One ticket key a day in a real httpd: kept only where its tickets prove both halves of the
//! key file (mod_ssl with OpenSSL 1.1.1), taken back where they do not (OpenSSL 3), and never
//! changed more often.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use keys_bench::{Memory, Ran};
use support::client::{Kind, Target, connect};
use support::server::{Server, free_address};
use support::session::Issued;
use support::{apache, certs, install};
use tempfile::TempDir;

const KINDS: [Kind; 2] = [Kind::Ticket12, Kind::Tls13];
/// Beyond the next midnight, on the clock that nobody can set.
const A_DAY_LATER: &str = "90000";

struct Httpd {
    memory: Memory,
    dir: TempDir,
    root: PathBuf,
    target: Target,
}

impl Httpd {
    /// With Debian's mod_ssl, or another one. The line that reads keys stands outside of every
    /// virtual host.
    fn new(module: Option<PathBuf>) -> Self {
        let memory = Memory::new("1m");
        let dir = apache::server_root();
        let nonce = certs::nonce();
        let pair = certs::self_signed(dir.path(), "one", &["a.test"], &nonce);
        let address = free_address();
        let keys = memory.path().join("apache2");
        let text = format!(
            "Listen {address}\nIncludeOptional {}/*.conf\nSSLSessionCacheTimeout 300\n\
             <VirtualHost {address}>\nServerName a.test\nSSLEngine on\n\
             SSLCertificateFile {}\nSSLCertificateKeyFile {}\n</VirtualHost>\n",
            keys.display(),
            pair.cert.display(),
            pair.key.display()
        );
        let mut main = apache::main_file(dir.path(), &text);
        if let Some(module) = module {
            let packaged = install::apache_modules().join("mod_ssl.so");
            main = main.replace(
                &packaged.display().to_string(),
                &module.display().to_string(),
            );
        }
        let root = dir.path().join("apache2.conf");
        fs::write(&root, main).unwrap();
        Self {
            memory,
            root,
            target: Target {
                address,
                sni: Some("a.test".to_owned()),
                nonce,
            },
            dir,
        }
    }

    fn serve(&self) -> Server {
        apache::serve(
            &install::apache(),
            self.dir.path(),
            &self.root,
            &self.target,
        )
    }

    fn keys(&self) -> PathBuf {
        self.memory.path().join("apache2")
    }

    fn command(&self, program: &mut Command, command: &str, more: &[&str]) -> Ran {
        let arguments = apache::arguments(self.dir.path(), &self.root).join(" ");
        let test = format!("{} {arguments} -t", install::apache().path.display());
        program
            .args([
                "keys",
                command,
                "--layout",
                "apache48",
                "--isolated",
                "--dir",
            ])
            .arg(self.keys())
            .arg("--server-config")
            .arg(&self.root)
            .arg("--pid-file")
            .arg(self.dir.path().join("httpd.pid"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        if command != "doctor" && command != "status" {
            program.args(["--test-command", &test]);
        }
        program.args(more);
        let mut copy = Command::new(program.get_program());
        copy.args(program.get_args())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        Ran::of(copy)
    }

    fn ran(&self, command: &str, more: &[&str]) -> Ran {
        self.command(
            &mut Command::new(env!("CARGO_BIN_EXE_stekguard")),
            command,
            more,
        )
    }

    /// As it would be a day later: the boot clock is moved for this one run.
    fn ran_later(&self, command: &str) -> Ran {
        let mut program = Command::new("unshare");
        program
            .args(["--fork", "--time", "--boottime", A_DAY_LATER])
            .arg(env!("CARGO_BIN_EXE_stekguard"));
        self.command(&mut program, command, &[])
    }

    fn key_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.keys()).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "key"))
            .collect()
    }

    fn session(&self, kind: Kind) -> Issued {
        let seen = connect(&self.target, kind, None).unwrap();
        seen.issued.last().expect("a session").clone()
    }

    /// Both processes get their share of several tries.
    fn resumed(&self, kind: Kind, session: &Issued) -> usize {
        let tries = 0..8;
        tries
            .filter(|_| connect(&self.target, kind, Some(session)).unwrap().resumed)
            .count()
    }

    fn graceful_restarts(&self) -> usize {
        let log = fs::read_to_string(self.dir.path().join("error.log")).unwrap();
        log.matches("Doing graceful restart").count()
    }
}

#[test]
fn a_proven_key_changes_once_a_day() {
    let httpd = Httpd::new(Some(install::httpd_older_ssl()));
    let server = httpd.serve();
    let log = fs::read_to_string(httpd.dir.path().join("error.log")).unwrap();
    assert!(log.contains("OpenSSL/1.1.1"), "{log}");

    // Hourly keys are none of httpd's, and units are for a key that was proven.
    let hourly = httpd.ran("init", &["--interval", "1h"]).ended(2);
    assert!(hourly.err.contains("a day or more"), "{}", hourly.err);
    let units = httpd.ran("units", &[]).ended(2);
    assert!(units.err.contains("proven"), "{}", units.err);
    assert!(!httpd.keys().exists());

    let own = KINDS.map(|kind| httpd.session(kind));
    let made = httpd.ran("init", &[]).ended(0);
    println!("{}", made.err);
    assert!(
        made.err.contains("tickets are under the current key"),
        "{}",
        made.err
    );
    assert!(made.err.contains("300 of 300"), "{}", made.err);
    assert_eq!(httpd.graceful_restarts(), 1);
    let files = httpd.key_files();
    assert_eq!(files.len(), 1, "{files:?}");
    let bytes = fs::read(&files[0]).unwrap();
    assert_eq!(bytes.len(), 48);
    assert_eq!(
        fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(httpd.keys()).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for (kind, before) in KINDS.iter().zip(&own) {
        assert_eq!(httpd.resumed(*kind, before), 0, "the stated cost, {kind:?}");
    }
    let day = KINDS.map(|kind| httpd.session(kind));
    for (kind, session) in KINDS.iter().zip(&day) {
        assert_eq!(session.ticket[..16], bytes[..16]);
        assert_eq!(httpd.resumed(*kind, session), 8, "{kind:?}");
    }
    let table = httpd.ran("doctor", &[]).out;
    assert!(
        table.contains("name and MAC") && table.contains("300 of 300"),
        "{table}"
    );
    assert!(!table.contains("unreliable"), "{table}");

    let units = httpd.ran("units", &[]).ended(0);
    for words in [
        "stekguard-keys-apache2.timer",
        "--layout apache48",
        "OnUnitActiveSec=7200s",
    ] {
        assert!(units.out.contains(words), "no {words} in\n{}", units.out);
    }
    assert!(!units.out.contains("-boot.service"), "{}", units.out);

    // Nothing is due on the same day.
    httpd.ran("rotate", &[]).ended(0);
    assert_eq!(httpd.graceful_restarts(), 1);
    assert_eq!(httpd.resumed(Kind::Tls13, &day[1]), 8);

    let next = httpd.ran_later("rotate").ended(0);
    println!("{}", next.err);
    assert!(
        next.err.contains("tickets are under the current key"),
        "{}",
        next.err
    );
    assert_eq!(httpd.graceful_restarts(), 2, "one restart a day");
    let now = httpd.key_files();
    assert!(!now.contains(&files[0]), "{now:?}");
    assert_eq!(now.len(), 1, "{now:?}");
    for (kind, session) in KINDS.iter().zip(&day) {
        assert_eq!(httpd.resumed(*kind, session), 0, "{kind:?}");
        assert_eq!(httpd.resumed(*kind, &httpd.session(*kind)), 8, "{kind:?}");
    }

    // A leaked key.
    let leaked = httpd.session(Kind::Tls13);
    let done = httpd.ran("rotate-now", &[]);
    assert!(
        done.err.contains("tickets are under the current key"),
        "{}",
        done.err
    );
    assert_eq!(httpd.resumed(Kind::Tls13, &leaked), 0);

    // A key file that was damaged would end httpd at its next restart: it is replaced first.
    let damaged = httpd.key_files();
    fs::write(&damaged[0], [1; 20]).unwrap();
    httpd.ran("rotate", &[]).ended(0);
    assert!(!httpd.key_files().contains(&damaged[0]));
    let session = httpd.session(Kind::Tls13);
    assert_eq!(httpd.resumed(Kind::Tls13, &session), 8);
    drop(server);
}

#[test]
fn what_openssl_3_does_not_prove_is_taken_back() {
    let httpd = Httpd::new(None);
    let server = httpd.serve();
    let log = fs::read_to_string(httpd.dir.path().join("error.log")).unwrap();
    assert!(log.contains("OpenSSL/3"), "{log}");
    let refused = httpd.ran("init", &["--patience", "20s"]).ended(2);
    println!("{}", refused.err);
    for words in [
        "its MAC is not by that key",
        "SSLSessionTickets off",
        "HMAC half",
    ] {
        assert!(refused.err.contains(words), "no {words} in {}", refused.err);
    }
    // The trial and the way back.
    assert_eq!(httpd.graceful_restarts(), 2);
    assert!(!httpd.keys().join("keys.conf").exists());
    // Tickets are under a key of httpd's own again, and resume.
    let key = fs::read(&httpd.key_files()[0]).unwrap();
    let session = httpd.session(Kind::Tls13);
    assert_ne!(session.ticket[..16], key[..16]);
    assert_eq!(httpd.resumed(Kind::Tls13, &session), 8);
    // A timer does not try it again and again.
    let again = httpd.ran("init", &[]).ended(2);
    assert!(again.err.contains("the next trial"), "{}", again.err);
    let now = httpd.ran("rotate-now", &[]).ended(2);
    assert!(now.err.contains("the next trial"), "{}", now.err);
    assert_eq!(httpd.graceful_restarts(), 2);
    assert_eq!(httpd.resumed(Kind::Tls13, &session), 8);
    drop(server);

    // And one that does not run proves nothing.
    let httpd = Httpd::new(Some(install::httpd_older_ssl()));
    let unseen = httpd.ran("init", &[]).ended(2);
    assert!(unseen.err.contains("does not run"), "{}", unseen.err);
    assert!(!httpd.keys().join("keys.conf").exists());
}

/// Without a key file a graceful restart is the rotation: what `keys units --scheduled-reload`
/// has systemd do.
#[test]
fn a_graceful_restart_changes_the_key_in_memory() {
    let httpd = Httpd::new(None);
    let server = httpd.serve();
    let pid = fs::read_to_string(httpd.dir.path().join("httpd.pid")).unwrap();
    let before = KINDS.map(|kind| httpd.session(kind));
    for (kind, session) in KINDS.iter().zip(&before) {
        assert_eq!(httpd.resumed(*kind, session), 8, "{kind:?}");
    }
    let sent = Command::new("kill")
        .args(["-USR1", pid.trim()])
        .status()
        .unwrap();
    assert!(sent.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    while httpd.session(Kind::Tls13).ticket[..16] == before[1].ticket[..16] {
        assert!(Instant::now() < deadline, "the key does not change");
        thread::sleep(Duration::from_millis(50));
    }
    for (kind, session) in KINDS.iter().zip(&before) {
        assert_eq!(httpd.resumed(*kind, session), 0, "{kind:?}");
        assert_eq!(httpd.resumed(*kind, &httpd.session(*kind)), 8, "{kind:?}");
    }
    drop(server);
}
