//! `fix --write --reload` on running servers: made live on new workers or put back; nginx
//! reloaded between any two renames; and the reload that ends httpd, refused and shown.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::certs::{self, Pair};
use support::client::{Kind, Manner, Target, connect};
use support::install::{self, Program};
use support::observe::{State, observe};
use support::program::{self, Run};
use support::server::{Server, accepts, free_address};
use support::{apache, nginx};
use tempfile::TempDir;

const NAME: &str = "reload.test";
/// Files that change in the tree of several files.
const FILES: usize = 4;

/// A configuration on disk with a server that runs with it.
struct Site {
    server: Option<Server>,
    dir: TempDir,
    state: TempDir,
    root: PathBuf,
    program: Program,
    kind: &'static str,
    target: Target,
}

impl Site {
    /// nginx whose http block holds `outside` and a server that holds `inside`.
    fn nginx(outside: &str, inside: &str) -> Self {
        let program = install::nginx_packaged();
        let dir = TempDir::with_prefix("nginx-reload-").unwrap();
        let (target, pair) = identity(dir.path());
        let http = format!(
            "    ssl_protocols TLSv1.2 TLSv1.3;\n{outside}    server {{\n        listen {} ssl;\n        \
             server_name {NAME};\n        ssl_certificate {};\n        ssl_certificate_key {};\n{inside}    }}\n",
            target.address,
            pair.cert.display(),
            pair.key.display()
        );
        let root = dir.path().join("nginx.conf");
        fs::write(&root, nginx::main_file(dir.path(), &http)).unwrap();
        Self::new(dir, root, program, "nginx", target)
    }

    /// httpd with `outside` at the top and `inside` its virtual host.
    fn apache(outside: &str, inside: &str) -> Self {
        let program = install::apache();
        let dir = apache::server_root();
        let (target, pair) = identity(dir.path());
        let text = format!(
            "Listen {0}\n{outside}<VirtualHost {0}>\n    ServerName {NAME}\n    SSLEngine on\n    \
             SSLCertificateFile {1}\n    SSLCertificateKeyFile {2}\n{inside}</VirtualHost>\n",
            target.address,
            pair.cert.display(),
            pair.key.display()
        );
        let text = text.replace("{dir}", &dir.path().display().to_string());
        let root = dir.path().join("apache2.conf");
        fs::write(&root, apache::main_file(dir.path(), &text)).unwrap();
        Self::new(dir, root, program, "apache", target)
    }

    fn new(
        dir: TempDir,
        root: PathBuf,
        program: Program,
        kind: &'static str,
        target: Target,
    ) -> Self {
        Self {
            server: None,
            dir,
            state: TempDir::new().unwrap(),
            root,
            program,
            kind,
            target,
        }
    }

    fn start(&mut self) {
        let serve = match self.kind {
            "nginx" => nginx::serve,
            _ => apache::serve,
        };
        let server = serve(&self.program, self.dir.path(), &self.root, &self.target);
        self.server = Some(server);
        assert!(self.is_up());
    }

    fn fix(&self, arguments: &[&str]) -> Run {
        let version = format!("{}={}", self.kind, self.program.version);
        let root = self.root.to_string_lossy();
        let first = ["fix", "--write", "--server-version", &version];
        program::run(self.state.path(), &[&first, arguments, &[&root]].concat())
    }

    /// The master, by the file that the configuration names.
    fn master(&self) -> u32 {
        let name = match self.kind {
            "nginx" => "nginx.pid",
            _ => "httpd.pid",
        };
        let pid = fs::read_to_string(self.dir.path().join(name)).unwrap();
        pid.trim().parse().unwrap()
    }

    fn is_up(&self) -> bool {
        connect(&self.target, Kind::Ticket12, None).is_ok()
    }

    fn seen(&self) -> State {
        observe(&Manner::default(), &self.target).unwrap().state
    }

    fn accepted(&self) -> (bool, String) {
        let mut arguments = match self.kind {
            "nginx" => nginx::arguments(self.dir.path(), &self.root),
            _ => apache::arguments(self.dir.path(), &self.root),
        };
        arguments.push("-t".to_owned());
        accepts(&self.program.path, &arguments)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.root).unwrap()
    }
}

fn identity(dir: &Path) -> (Target, Pair) {
    let nonce = certs::nonce();
    let pair = certs::self_signed(dir, "site", &[NAME], &nonce);
    let address: SocketAddr = free_address();
    let sni = Some(NAME.to_owned());
    (
        Target {
            address,
            sni,
            nonce,
        },
        pair,
    )
}

/// The process's children.
fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Written, live on new workers of the same master, seen by a client.
fn made_live(mut site: Site) {
    site.start();
    assert_eq!(site.seen(), State::ON);
    let master = site.master();
    let before = children(master);
    let run = site.fix(&["--reload"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let said = format!("process {master} is up on new workers");
    assert!(run.stderr.contains(&said), "{run:?}");
    assert!(!run.stderr.contains("a reload makes it live"), "{run:?}");
    assert!(children(master).iter().any(|child| !before.contains(child)));
    assert_eq!(site.master(), master);
    let gone = || !children(master).iter().any(|child| before.contains(child));
    wait_until("old workers stay", gone);
    assert_eq!(site.seen(), State::OFF);
}

#[test]
fn nginx_is_made_live() {
    made_live(Site::nginx("", "        ssl_session_tickets on;\n"));
}

#[test]
fn httpd_is_made_live() {
    made_live(Site::apache("", "    SSLSessionTickets on\n"));
}

/// nginx does not take the result: it goes on as it was, and so do the files.
#[test]
fn what_nginx_does_not_take_is_put_back() {
    let mut site = Site::nginx("", "        ssl_session_tickets on;\n");
    site.start();
    let master = site.master();
    // Broken by somebody else since it was started.
    let broken = site.text().replace(
        "access_log off;",
        "access_log off; keepalive_timeout bogus;",
    );
    fs::write(&site.root, &broken).unwrap();
    let run = site.fix(&["--reload", "--validate", "never"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("did not take the new files"), "{run:?}");
    assert!(run.stderr.contains("all files are as they were"), "{run:?}");
    assert_eq!(site.text(), broken);
    assert_eq!(site.master(), master);
    assert!(site.is_up());
    let listed = program::run(site.state.path(), &["undo", "--list"]);
    assert!(
        listed.stdout.contains("failed, nothing written"),
        "{listed:?}"
    );
}

#[test]
fn a_server_that_does_not_run_is_said_before_anything_is_written() {
    let site = Site::nginx("", "        ssl_session_tickets on;\n");
    let before = site.text();
    let run = site.fix(&["--reload"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr
            .contains("is the server running?; nothing was written"),
        "{run:?}"
    );
    // A process of another name is not signalled.
    let pid = site.dir.path().join("nginx.pid");
    fs::write(&pid, std::process::id().to_string()).unwrap();
    let run = site.fix(&["--reload"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("is no nginx"), "{run:?}");
    assert_eq!(site.text(), before);
}

/// The trap: the configuration test passes, and a reload ends the server.
#[test]
fn a_reload_that_would_end_httpd_is_refused_and_does_end_it() {
    let cache = "SSLSessionCache shmcb:{dir}/cache(512000)\n";
    let mut site = Site::apache(cache, "");
    site.start();
    let (before, master) = (site.text(), site.master());
    let policy = ["--policy", "no-resumption"];

    // The plan says what to do.
    let version = format!("apache={}", site.program.version);
    let root = site.root.to_string_lossy().into_owned();
    let shown = program::run(
        site.state.path(),
        &[
            "fix",
            "--policy",
            "no-resumption",
            "--server-version",
            &version,
            &root,
        ],
    );
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown.stderr.contains("stop the server and start it again"),
        "{shown:?}"
    );

    let run = site.fix(&[&policy[..], &["--reload"]].concat());
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("--reload would end the server"),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("stop the server and start it again"),
        "{run:?}"
    );
    assert_eq!(site.text(), before);
    assert!(site.is_up() && lives(master));

    // Written without it, the server's own test is content, and the reload ends it.
    let run = site.fix(&policy);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.contains("stop the server and start it again"),
        "{run:?}"
    );
    let (accepted, said) = site.accepted();
    assert!(accepted && said.contains("Syntax OK"), "{said}");
    assert!(
        site.is_up() && lives(master),
        "writing alone changes nothing"
    );
    let sent = Command::new("kill")
        .args(["-USR1", &master.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    wait_until("httpd survives the reload", || !lives(master));
    assert!(!site.is_up());

    // Stop and start, as the plan says.
    site.server = None;
    site.start();
    assert_eq!(site.seen(), State::OFF, "nothing resumes");
}

/// httpd reads 48 bytes of a key file and ends where there are fewer; its test does not look.
#[test]
fn a_key_file_that_would_end_httpd_is_seen() {
    let key = "SSLSessionTicketKeyFile {dir}/ticket.key\n";
    let mut site = Site::apache(key, "    SSLSessionCacheTimeout 900000\n");
    let file = site.dir.path().join("ticket.key");
    certs::ticket_key(&file, 48);
    site.start();
    let master = site.master();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..20]).unwrap();
    let (accepted, said) = site.accepted();
    assert!(accepted, "{said}");
    let before = site.text();
    let run = site.fix(&["--reload", "--rule", "excessive-session-timeout"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("the key file has 20 bytes, not 48"),
        "{run:?}"
    );
    assert_eq!(site.text(), before);
    assert!(lives(master));
    // And so it is.
    let sent = Command::new("kill")
        .args(["-USR1", &master.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    wait_until("httpd survives the reload", || !lives(master));
}

/// Stopped at every rename, with everything that waits beside the files where `include
/// conf.d/*` looks; nginx is reloaded, takes the mixture, and answers.
#[test]
fn nginx_is_reloaded_between_any_two_renames() {
    let mut site = Site::nginx("    include conf.d/*;\n    include more/*;\n", "");
    let base = site.dir.path().to_owned();
    let folder = |name: &str| base.join(name);
    for name in ["conf.d", "more"] {
        fs::create_dir(folder(name)).unwrap();
    }
    let mut old = BTreeMap::new();
    for number in 0..FILES {
        let text = format!(
            "server {{\n    listen {} ssl;\n    server_name n{number}.test;\n    \
             ssl_certificate site.crt;\n    ssl_certificate_key site.key;\n    \
             ssl_session_tickets on;\n}}\n",
            free_address()
        );
        let name = ["conf.d", "more"][number % 2];
        old.insert(folder(name).join(format!("{number}.conf")), text);
    }
    old.insert(site.root.clone(), site.text());
    let reset = |files: &BTreeMap<PathBuf, String>| {
        for (path, text) in files {
            fs::write(path, text).unwrap();
        }
    };
    reset(&old);
    site.start();
    let master = site.master();
    let mut mixtures = Vec::new();
    for rename in 1.. {
        assert!(rename < 50);
        reset(&old);
        let status = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e"])
            .arg(format!("inject=rename:signal=KILL:when={rename}"))
            .arg(env!("CARGO_BIN_EXE_stekguard"))
            .args(["fix", "--write", "--server-version"])
            .arg(format!("nginx={}", site.program.version))
            .arg(&site.root)
            .env("STEKGUARD_STATE_DIR", site.state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let changed =
            |(path, text): &(&PathBuf, &String)| fs::read_to_string(path).unwrap() != **text;
        let new = old.iter().filter(changed).count();
        let beside = fs::read_dir(folder("conf.d")).unwrap().count() - FILES.div_ceil(2);
        let (accepted, said) = site.accepted();
        assert!(accepted, "rename {rename}, {new} new: {said}");
        // Panics where the old workers stay, which is what nginx does with what it refuses.
        site.server.as_ref().unwrap().reload();
        assert_eq!(site.master(), master);
        assert!(site.is_up(), "rename {rename}, {new} new");
        mixtures.push((new, beside));
        if status.code() == Some(0) {
            break;
        }
    }
    println!("(files that are new, files that wait in conf.d) at each reload: {mixtures:?}");
    let counts: Vec<usize> = mixtures.iter().map(|(new, _)| *new).collect();
    for expected in 0..=FILES + 1 {
        assert!(
            counts.contains(&expected),
            "no reload met {expected} new files: {counts:?}"
        );
    }
    assert!(
        mixtures.iter().any(|(_, beside)| *beside > 0),
        "nothing ever waited beside"
    );
}
