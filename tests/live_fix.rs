//! The two configurations of the report behind this project, from end to end on real servers: a
//! client resumes, `fix` ends it, the server takes the result, `undo` restores the bytes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use support::certs::{self, Pair};
use support::client::{Manner, Target};
use support::install::{self, Program};
use support::observe::{State, observe};
use support::program;
use support::server::{Server, accepts, free_address};
use support::{apache, nginx};
use tempfile::TempDir;

const NAME: &str = "example.org";

/// A configuration on disk and the server for it.
struct Site {
    dir: TempDir,
    state: TempDir,
    root: PathBuf,
    program: Program,
    kind: Kind,
    target: Target,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Nginx,
    Apache,
}

#[test]
fn nginx_with_ssl_on_where_it_is_known() {
    let site = Site::nginx(install::nginx_packaged(), "listen {address};", "ssl on;");
    site.resumes();
    let before = site.text();
    site.fixed(&[], &["        ssl_session_tickets off;"]);
    site.one_line_more(&before, "        ssl_session_tickets off;");
    site.undone(&before);
}

#[test]
fn nginx_with_ssl_on_where_it_was_removed() {
    let site = Site::nginx(install::nginx_mainline(), "listen {address};", "ssl on;");
    let (accepted, said) = site.accepted();
    assert!(
        !accepted && said.contains("unknown directive \"ssl\""),
        "before: {said}"
    );
    let before = site.text();
    let listen = format!("        listen {} ssl;", site.target.address);
    site.fixed(&[], &[&listen, "        ssl_session_tickets off;"]);
    let after = site.text();
    assert!(after.lines().any(|line| line == listen), "{after}");
    assert!(!after.contains("ssl on"), "{after}");
    site.undone(&before);
}

#[test]
fn nginx_of_today() {
    let site = Site::nginx(install::nginx_mainline(), "listen {address} ssl;", "");
    site.resumes();
    let before = site.text();
    site.fixed(&[], &["        ssl_session_tickets off;"]);
    site.one_line_more(&before, "        ssl_session_tickets off;");
    site.undone(&before);
}

#[test]
fn apache_by_its_own_directive() {
    let site = Site::apache();
    site.resumes();
    let before = site.text();
    site.fixed(&[], &["        SSLSessionTickets off"]);
    site.one_line_more(&before, "        SSLSessionTickets off");
    site.undone(&before);
}

#[test]
fn apache_by_command() {
    let site = Site::apache();
    site.resumes();
    let before = site.text();
    let line = "        SSLOpenSSLConfCmd Options -SessionTicket";
    site.fixed(&["--apache-directive", "conf-command"], &[line]);
    site.one_line_more(&before, line);
    site.undone(&before);
}

impl Site {
    /// The report's server block; TLS 1.3 is asked for as Debian's main file does.
    fn nginx(program: Program, listen: &str, ssl: &str) -> Self {
        let dir = TempDir::with_prefix("nginx-fix-").unwrap();
        let (target, pair) = identity(dir.path());
        let listen = listen.replace("{address}", &target.address.to_string());
        let ssl = if ssl.is_empty() {
            String::new()
        } else {
            format!("        {ssl}\n")
        };
        let http = format!(
            "    ssl_protocols TLSv1.2 TLSv1.3;\n\n    server {{\n        {listen}\n        \
             server_name {NAME};\n        root {};\n{ssl}        ssl_certificate {};\n        \
             ssl_certificate_key {};\n    }}\n",
            dir.path().display(),
            pair.cert.display(),
            pair.key.display()
        );
        let root = dir.path().join("nginx.conf");
        fs::write(&root, nginx::main_file(dir.path(), &http)).unwrap();
        let state = TempDir::new().unwrap();
        Self {
            dir,
            state,
            root,
            program,
            kind: Kind::Nginx,
            target,
        }
    }

    /// The report's virtual host.
    fn apache() -> Self {
        let program = install::apache();
        let dir = apache::server_root();
        let (target, pair) = identity(dir.path());
        let text = format!(
            "Listen {0}\n<IfModule mod_ssl.c>\n    \
             SSLStaplingCache shmcb:{1}/stapling_cache(128000)\n    <VirtualHost *:{2}>\n        \
             ServerName {NAME}\n        SSLEngine on\n        SSLCertificateFile {3}\n        \
             SSLCertificateKeyFile {4}\n    </VirtualHost>\n</IfModule>\n",
            target.address,
            dir.path().display(),
            target.address.port(),
            pair.cert.display(),
            pair.key.display()
        );
        let root = dir.path().join("apache2.conf");
        fs::write(&root, apache::main_file(dir.path(), &text)).unwrap();
        let state = TempDir::new().unwrap();
        Self {
            dir,
            state,
            root,
            program,
            kind: Kind::Apache,
            target,
        }
    }

    /// Before: the server takes the file, and clients resume by ticket.
    fn resumes(&self) {
        let (accepted, said) = self.accepted();
        assert!(accepted, "before: {said}");
        assert_eq!(self.seen(), State::ON, "before the fix");
    }

    /// `fix` prints the lines and writes nothing; `fix --write` writes; the server takes the
    /// result and no ticket resumes; `fix` again has nothing to say.
    fn fixed(&self, args: &[&str], lines: &[&str]) {
        let before = self.text();
        let shown = self.stekguard("fix", args);
        assert_eq!(shown.code, Some(1), "a patch is printed: {shown:?}");
        for line in lines {
            let added = format!("+{line}");
            assert!(
                shown.stdout.lines().any(|have| have == added),
                "{added}\n{}",
                shown.stdout
            );
        }
        assert_eq!(self.text(), before, "without --write nothing is written");

        let files = self.files();
        let written = self.stekguard("fix", &[args, &["--write"]].concat());
        assert_eq!(written.code, Some(0), "fix --write: {written:?}");
        assert_eq!(
            self.files(),
            files,
            "fix --write leaves no other file behind"
        );
        let (accepted, said) = self.accepted();
        assert!(accepted, "after: {said}\n{}", self.text());
        assert_eq!(self.seen(), State::OFF, "after the fix");

        let again = self.stekguard("fix", args);
        assert_eq!(
            (again.code, again.stdout.as_str()),
            (Some(0), ""),
            "{}",
            again.stderr
        );
    }

    /// The fix added `line` and touched nothing else.
    fn one_line_more(&self, before: &str, line: &str) {
        let after = self.text();
        let without: Vec<_> = after
            .split_inclusive('\n')
            .filter(|l| l.trim_end() != line)
            .collect();
        assert_eq!(without.concat(), before);
        assert_eq!(after.lines().count(), before.lines().count() + 1);
    }

    fn undone(&self, before: &str) {
        let state = self.state.path();
        let undone = program::run(state, &["undo"]);
        assert_eq!(undone.code, Some(0), "undo: {undone:?}");
        assert_eq!(self.text(), before, "undo restores the bytes");
    }

    fn stekguard(&self, command: &str, args: &[&str]) -> program::Run {
        let kind = if self.kind == Kind::Nginx {
            "nginx"
        } else {
            "apache"
        };
        let version = format!("{kind}={}", self.program.version);
        let root = self.root.to_string_lossy();
        let args = [&[command, "--server-version", &version], args, &[&root]].concat();
        program::run(self.state.path(), &args)
    }

    fn accepted(&self) -> (bool, String) {
        let dir = self.dir.path();
        let mut args = match self.kind {
            Kind::Nginx => nginx::arguments(dir, &self.root),
            Kind::Apache => apache::arguments(dir, &self.root),
        };
        args.push("-t".to_owned());
        accepts(&self.program.path, &args)
    }

    fn seen(&self) -> State {
        let _server = self.serve();
        observe(&Manner::default(), &self.target).unwrap().state
    }

    fn serve(&self) -> Server {
        let serve = if self.kind == Kind::Nginx {
            nginx::serve
        } else {
            apache::serve
        };
        serve(&self.program, self.dir.path(), &self.root, &self.target)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.root).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// An address of its own, and a certificate with the nonce that the client asks for.
fn identity(dir: &Path) -> (Target, Pair) {
    let nonce = certs::nonce();
    let pair = certs::self_signed(dir, "site", &[NAME], &nonce);
    let address: SocketAddr = free_address();
    (
        Target {
            address,
            sni: Some(NAME.to_owned()),
            nonce,
        },
        pair,
    )
}
