//! The live check and the end of all sessions, on a real nginx: what goes live is proven by
//! tickets, what cannot be proven is never called so, a set that does not go live is taken back,
//! and after `rotate-now` nothing of before resumes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use keys_bench::ending::{children, has_memory};
use keys_bench::{Bench, Daemon, Ran};
use support::authority::Authority;
use support::client::Kind;
use support::install::{self, Program};

const KINDS: [Kind; 3] = [Kind::Id12, Kind::Ticket12, Kind::Tls13];
const INCLUDE: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 18h;";

#[test]
fn packaged_forgets_all_sessions() {
    rotate_now(&install::nginx_packaged());
}

#[test]
fn mainline_forgets_all_sessions() {
    rotate_now(&install::nginx_mainline());
}

/// The cache stands beside the keys and changes its name with them.
fn rotate_now(program: &Program) {
    let bench = Bench::new(program, INCLUDE);
    // The pinned worker would be ended by its own timeout otherwise.
    let text = fs::read_to_string(&bench.root).unwrap();
    fs::write(&bench.root, text.replace("worker_shutdown_timeout 1s;", "")).unwrap();
    let server = bench.serve();
    bench.ran("init", &["--cache", "1m"]).ended(0);
    let before = KINDS.map(|kind| bench.session(kind));
    for (kind, session) in KINDS.iter().zip(&before) {
        assert!(bench.resumes(*kind, session), "{kind:?} resumes at first");
    }
    // Somebody who says nothing holds a worker of before.
    let pinned = TcpStream::connect(bench.address).unwrap();
    thread::sleep(Duration::from_millis(200));
    let workers = children(bench.pid());

    let done = bench.ran("rotate-now", &["--cache", "1m"]).ended(0);
    assert!(
        done.err.contains("tickets are under the current key"),
        "{}",
        done.err
    );
    for (kind, session) in KINDS.iter().zip(&before) {
        assert!(!bench.resumes(*kind, session), "{kind:?} still resumes");
        let new = bench.session(*kind);
        assert!(bench.resumes(*kind, &new), "{kind:?} of now resumes");
    }
    let left = children(bench.pid());
    assert!(
        workers.iter().all(|pid| !left.contains(pid)),
        "{workers:?} {left:?}"
    );
    assert_eq!(bench.key_files().len(), 3);
    drop((pinned, server));
}

#[test]
fn a_cache_that_outlives_the_keys_is_named() {
    let program = install::nginx_mainline();
    let own = format!("{INCLUDE}\n    ssl_session_cache shared:lasting:1m;");
    let bench = Bench::new(&program, &own);
    let server = bench.serve();
    bench.ran("init", &[]).ended(0);
    let before = KINDS.map(|kind| bench.session(kind));
    let done = bench.ran("rotate-now", &[]).ended(1);
    assert!(done.err.contains("lasting"), "{}", done.err);
    let resumed: Vec<bool> = KINDS
        .iter()
        .zip(&before)
        .map(|(kind, session)| bench.resumes(*kind, session))
        .collect();
    // What was said: the id resumes, tickets do not.
    assert_eq!(resumed, [true, false, false]);
    drop(server);
}

/// A restart was asked for, so there is one, whether or not the pid file shows a server.
#[test]
fn a_restart_is_done_where_no_server_was_seen() {
    let own = format!("{INCLUDE}\n    ssl_session_cache shared:lasting:1m;");
    let bench = Bench::new(&install::nginx_packaged(), &own);
    let server = bench.serve();
    bench.ran("init", &[]).ended(0);
    let before = KINDS.map(|kind| bench.session(kind));
    let arguments = support::nginx::arguments(bench.dir.path(), &bench.root).join(" ");
    let (program, old) = (install::nginx_packaged().path, bench.pid());
    let unseen = ["--pid-file", "/nonexistent"];

    // Without one nobody was told, which is no success.
    let told = bench.ran("rotate-now", &unseen).ended(1);
    assert!(told.err.contains("--restart-command"), "{}", told.err);
    assert!(bench.resumes(Kind::Tls13, &before[2]));
    let failed = [&unseen[..], &["--restart-command", "false"]].concat();
    let failed = bench.ran("rotate-now", &failed).ended(1);
    assert!(failed.err.contains("the restart failed"), "{}", failed.err);
    assert!(failed.err.contains("none was told"), "{}", failed.err);

    // Ended by its number, waited for, and started again in the background.
    let restart = format!(
        "kill {old}; while ss -Hltn 'sport = :{port}' | grep -q .; do sleep 0.05; done; \
         setsid {path} {arguments} >/dev/null 2>&1 & \
         until ss -Hltn 'sport = :{port}' | grep -q .; do sleep 0.05; done",
        port = bench.address.port(),
        path = program.display(),
    );
    let done = [&unseen[..], &["--restart-command", &restart]].concat();
    let done = bench.ran("rotate-now", &done).ended(0);
    assert!(
        done.err.contains("tickets are under the current key"),
        "{}",
        done.err
    );
    let new = bench.pid();
    assert_ne!(old, new, "the server was restarted");
    for (kind, session) in KINDS.iter().zip(&before) {
        assert!(!bench.resumes(*kind, session), "{kind:?} still resumes");
    }
    let ended = Command::new("kill").arg(new.to_string()).status().unwrap();
    assert!(ended.success());
    drop(server);
}

#[test]
fn a_set_that_does_not_go_live_is_taken_back() {
    let bench = Bench::new(&install::nginx_packaged(), INCLUDE);
    let server = bench.serve();
    bench.ran("init", &[]).ended(0);
    let (include, session) = (bench.include(), bench.session(Kind::Tls13));
    // A command that only says that it reloads.
    let failed = bench.ran(
        "rotate-now",
        &["--reload-command", "true", "--patience", "1s"],
    );
    let failed = failed.ended(2);
    assert!(failed.err.contains("did not go live"), "{}", failed.err);
    assert_eq!(bench.include(), include);
    assert!(bench.resumes(Kind::Tls13, &session));
    // The server took nothing in; the live check alone would have found it too.
    let failed = bench.ran(
        "rotate-now",
        &["--reload-command", "true", "--pid-file", "/nonexistent"],
    );
    let failed = failed.ended(2);
    assert!(
        failed.err.contains("is not under the current key"),
        "{}",
        failed.err
    );
    assert_eq!(bench.include(), include);
    bench.ran("status", &[]).ended(1);
    let done = bench
        .ran("rotate-now", &["--restart-command", "true"])
        .ended(0);
    assert!(
        done.err.contains("tickets are under the current key"),
        "{}",
        done.err
    );
    assert!(!bench.resumes(Kind::Tls13, &session));
    bench.ran("status", &[]).ended(0);
    drop(server);
}

#[test]
fn a_server_without_the_include_is_told_apart() {
    let bench = Bench::new(&install::nginx_packaged(), "    ssl_session_timeout 18h;");
    let server = bench.serve();
    let at = format!("{}=a.test", bench.address);
    let wrong = bench.ran("init", &["--check", &at]).ended(1);
    assert!(wrong.err.contains("include"), "{}", wrong.err);
    // Nobody said where to look, and the configuration knows of no such keys: not a pass.
    let unchecked = bench
        .ran("rotate-now", &["--restart-command", "true"])
        .ended(0);
    assert!(unchecked.err.contains("not checkable"), "{}", unchecked.err);
    let doctor = bench.ran("doctor", &[]).ended(1);
    assert!(doctor.out.contains("error    include"), "{}", doctor.out);
    assert!(doctor.out.contains("warning  live check"), "{}", doctor.out);
    drop(server);
}

#[test]
fn what_stands_before_the_handshake_is_said_or_answered() {
    let program = install::nginx_packaged();
    let bench = Bench::new(&program, INCLUDE);
    let authority = Authority::new(bench.dir.path(), "ca");
    let client = authority.client(bench.dir.path(), "client", 2);
    let ca = &authority.file;
    let verify = format!(
        "ssl_client_certificate {}; ssl_verify_client on;",
        ca.display()
    );
    let (cert, key) = (
        client.cert.display().to_string(),
        client.key.display().to_string(),
    );
    for (listen, server, with) in [
        ("ssl proxy_protocol", "", &["--proxy-protocol"][..]),
        (
            "ssl",
            verify.as_str(),
            &["--client-cert", &cert, "--client-key", &key][..],
        ),
        ("ssl", "ssl_protocols TLSv1.2;", &[][..]),
        ("ssl", "ssl_protocols TLSv1.3;", &[][..]),
    ] {
        bench.configure(INCLUDE, listen, server);
        let ready = bench.dir.path().join("nginx.pid");
        let _ = fs::remove_file(&ready);
        let server = support::server::Server::start_when(
            &program.path,
            &support::nginx::arguments(bench.dir.path(), &bench.root),
            std::slice::from_ref(&bench.root),
            || fs::read_to_string(&ready).is_ok_and(|pid| pid.ends_with('\n')),
        );
        let done = bench.ran("init", with).ended(0);
        let changed = done.err.contains("encrypts");
        let done = match changed {
            true => done,
            false => bench
                .ran(
                    "rotate-now",
                    &[with, &["--restart-command", "true"]].concat(),
                )
                .ended(0),
        };
        assert!(
            done.err.contains("under the current key"),
            "{listen} {with:?}: {}",
            done.err
        );
        if !with.is_empty() && listen.contains("proxy") {
            let blind = bench
                .ran("rotate-now", &["--restart-command", "true"])
                .ended(0);
            assert!(
                blind.err.contains("not checkable"),
                "{listen}: {}",
                blind.err
            );
        }
        drop(server);
    }
}

#[test]
fn tickets_off_is_not_checkable() {
    let bench = Bench::new(&install::nginx_packaged(), INCLUDE);
    bench.configure(
        INCLUDE,
        "ssl",
        "ssl_session_tickets off; ssl_session_cache shared:s:1m;",
    );
    let server = bench.serve();
    let at = format!("{}=a.test", bench.address);
    let done = bench.ran("init", &["--check", &at]).ended(0);
    assert!(done.err.contains("not checkable"), "{}", done.err);
    assert!(!done.err.contains("under the current key"), "{}", done.err);
    drop(server);
}

#[test]
fn draining_workers_are_reported_by_their_age() {
    let bench = Bench::new(&install::nginx_packaged(), INCLUDE);
    let text = fs::read_to_string(&bench.root).unwrap();
    fs::write(&bench.root, text.replace("worker_shutdown_timeout 1s;", "")).unwrap();
    let server = bench.serve();
    let plan = ["--interval", "2s", "--lifetime", "30s", "--skew", "1s"];
    bench.ran("init", &plan).ended(0);
    let pinned = TcpStream::connect(bench.address).unwrap();
    thread::sleep(Duration::from_millis(300));
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        bench.ran("rotate", &plan).ended(0);
        let status = bench.ran("status", &plan);
        if status.out.contains("worker_shutdown_timeout") {
            assert_eq!(status.code, Some(1));
            break;
        }
        assert!(Instant::now() < deadline, "{}", status.out);
        thread::sleep(Duration::from_millis(300));
    }
    drop((pinned, server));
}

#[test]
fn metrics_are_shown_on_a_loopback_port_and_in_a_file() {
    let bench = Bench::new(&install::nginx_packaged(), INCLUDE);
    let server = bench.serve();
    let port = support::server::free_address().to_string();
    let file = bench.dir.path().join("keys.prom");
    let more = [
        "--metrics-listen",
        &port,
        "--metrics-file",
        file.to_str().unwrap(),
    ];
    let mut daemon = Daemon::start(bench.keys("run", &more), &bench.dir.path().join("run.log"));
    daemon.says("tickets are under the current key");
    let deadline = Instant::now() + Duration::from_secs(5);
    let page = loop {
        let page = scraped(&port);
        if page.contains("stekguard_keys_current_epoch ") || Instant::now() > deadline {
            break page;
        }
        thread::sleep(Duration::from_millis(50));
    };
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let body = page.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, fs::read_to_string(&file).unwrap());
    for line in [
        "stekguard_keys_ahead 2",
        "stekguard_keys_loaded 3",
        "stekguard_keys_reloads_total{result=\"ok\"} 1",
        "stekguard_keys_live_check{result=\"verified\"} 1",
        "stekguard_keys_draining 0",
    ] {
        assert!(body.lines().any(|it| it == line), "no {line} in\n{body}");
    }
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("stekguard_keys_"), "{line}");
        value.parse::<f64>().unwrap();
    }
    drop(daemon);
    let open = bench
        .ran("run", &["--metrics-listen", "0.0.0.0:0"])
        .ended(2);
    assert!(open.err.contains("loopback"), "{}", open.err);
    drop(server);
}

fn scraped(address: &str) -> String {
    use std::io::Write;
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// What the rule of `has_memory` rests on: a process that lives is never taken for one that
/// ends, and one that has ended and waits to be collected has nothing left.
#[test]
fn memory_is_gone_only_where_the_kernel_says_so() {
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = sleeper.id().to_string();
    assert!(has_memory(&pid));
    assert!(has_memory(&std::process::id().to_string()));
    sleeper.kill().unwrap();
    // Not collected yet: a zombie, with its number and without its memory.
    let deadline = Instant::now() + Duration::from_secs(10);
    while has_memory(&pid) {
        assert!(Instant::now() < deadline, "{pid} keeps its memory");
        thread::sleep(Duration::from_millis(10));
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(stat.contains(") Z "), "{stat}");
    sleeper.wait().unwrap();
}

/// A server with tickets under a key of its own, repaired in one call: the keys are there before
/// the line that reads them, and the tickets of the next start are under the current one.
#[test]
fn the_fixer_makes_the_first_keys() {
    let bench = Bench::new(&install::nginx_packaged(), "");
    let state = tempfile::tempdir().unwrap();
    let fix = |folder: &Path, more: &[&str]| {
        let mut fix = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        fix.args(["fix", "--write", "--validate", "never", "--isolated"])
            .args(more)
            .arg("--keys-dir")
            .arg(folder)
            .arg(&bench.root)
            .env("STEKGUARD_STATE_DIR", state.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        Ran::of(fix)
    };
    let before = fs::read(&bench.root).unwrap();
    let rotate = ["--policy", "rotate", "--init-keys"];

    // A folder on a disk, and another policy: refused, and nothing is written.
    let disk = bench.dir.path().join("keys");
    let run = fix(&disk, &rotate).ended(2);
    assert!(run.err.contains("tmpfs"), "{}", run.err);
    let run = fix(&bench.memory.keys(), &["--init-keys"]).ended(2);
    assert!(run.err.contains("--policy rotate"), "{}", run.err);
    assert_eq!(fs::read(&bench.root).unwrap(), before);
    assert!(bench.key_files().is_empty() && !disk.exists());

    let run = fix(&bench.memory.keys(), &rotate);
    assert!(run.err.contains("keys are in "), "{}", run.err);
    assert_ne!(fs::read(&bench.root).unwrap(), before, "{}", run.err);
    // One that encrypts and two of coming slots.
    assert_eq!(bench.key_files().len(), 3);

    let _server = bench.serve();
    let ticket = bench.session(Kind::Ticket12).ticket;
    let slot = bench
        .slot_of(&ticket)
        .expect("a ticket under a key of the folder");
    assert_eq!(slot, keys_bench::wall() / 3_600_000);
    let session = bench.session(Kind::Tls13);
    assert_eq!(bench.slot_of(&session.ticket), Some(slot));
}
