//! Runs the binary within bounds: address space, time, nothing on standard input, no settings and
//! no environment of this machine. What ends by a signal or a panic fails the test.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a run may take, whatever it is given: MiB of address space, that of threads and
/// libraries included. The dev profile takes somewhat more than a release.
pub const MOST_MEMORY: u64 = 4096;
/// Seconds. Only catches what never ends: the machine may be busy with other things.
pub const PATIENCE: u32 = 300;

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// The most that was in memory at once, MiB.
    pub peak: u64,
}

impl Ran {
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// The job could not be done, it says why, and calls nothing clean.
    #[track_caller]
    pub fn refused(&self, what: &str, words: &str) {
        let err: String = self.err().chars().take(1500).collect();
        assert_eq!(self.code, 2, "{what}: {err}");
        assert!(err.contains("error"), "{what}: {err}");
        assert!(err.contains(words), "{what}: {words}: {err}");
        assert!(!err.contains("no findings:"), "{what}: {err}");
    }
}

/// Runs the binary in a folder.
pub fn run<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Ran {
    run_as(folder, &[], arguments)
}

/// The same behind a command such as `setpriv` or `env`.
pub fn run_as<A: AsRef<OsStr>>(folder: &Path, before: &[&str], arguments: &[A]) -> Ran {
    let own = TempDir::new().unwrap();
    let peak = own.path().join("peak");
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", &PATIENCE.to_string(), "prlimit"]);
    command.arg(format!("--as={}", MOST_MEMORY << 20));
    command
        .args(["/usr/bin/time", "-q", "-f", "%M", "-o"])
        .arg(&peak);
    command.args(before);
    command.arg(env!("CARGO_BIN_EXE_stekguard"));
    command.args(arguments).current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command.env("HOME", own.path());
    command.env("XDG_STATE_HOME", own.path().join("state"));
    if std::env::var_os("STEKGUARD_STATE_DIR").is_none() {
        command.env("STEKGUARD_STATE_DIR", own.path().join("state"));
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("timeout, prlimit and time");
    let code = output.status.code().expect("timeout was ended itself");
    let shown: Vec<_> = arguments.iter().map(|it| it.as_ref().to_owned()).collect();
    let err = String::from_utf8_lossy(&output.stderr);
    let err: String = err.chars().take(1500).collect();
    assert_ne!(code, 137, "{shown:?}: not done after {PATIENCE} s: {err}");
    assert!(
        (0..=3).contains(&code) && !err.contains("panicked at"),
        "{shown:?}: ended with {code}: {err}"
    );
    let kept = fs::read_to_string(&peak).unwrap_or_default();
    let kilobytes = kept
        .lines()
        .last()
        .and_then(|line| line.parse::<u64>().ok());
    Ran {
        code,
        out: output.stdout,
        err: output.stderr,
        peak: kilobytes.unwrap_or(0) / 1024,
    }
}

/// True where the tests are root's.
pub fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().expect("id").stdout;
    said == b"0\n"
}

/// A configuration of nginx with something to find, and one more line in `http`.
pub fn nginx(line: &str) -> String {
    format!(
        "events {{}}\nhttp {{\n    server {{\n        listen 443 ssl;\n        \
         ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n    }}\n    {line}\n}}\n"
    )
}

/// The same of httpd.
pub fn httpd(line: &str) -> String {
    format!(
        "Listen 443\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\nSSLCertificateFile \
         a.pem\n</VirtualHost>\n{line}\n"
    )
}
