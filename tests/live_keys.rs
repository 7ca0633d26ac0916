//! Ticket keys of a real nginx, rotated by the real binary every two seconds while clients
//! resume: none fails within the window, each fails behind it, and with the next key taken away
//! the same clients fail.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::collections::VecDeque;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use keys_bench::{Bench, Daemon, wall};
use support::client::{Kind, connect};
use support::install::{self, Program};
use support::session::Issued;

const SLOT: Duration = Duration::from_secs(2);
const SLOTS: u32 = 62;
const PREVIOUS: u32 = 19;
/// Two in TLS 1.2 and two in TLS 1.3.
const CLIENTS: [Kind; 4] = [Kind::Ticket12, Kind::Tls13, Kind::Ticket12, Kind::Tls13];
const PLAN: [&str; 8] = [
    "--interval",
    "2s",
    "--previous",
    "19",
    "--lifetime",
    "36s",
    "--skew",
    "1s",
];
/// Sessions end by their key, not by their age.
const HTTP: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 1h;";

#[test]
fn packaged_resumes_over_sixty_slots() {
    sixty_slots(&install::nginx_packaged());
}

#[test]
fn mainline_resumes_over_sixty_slots() {
    sixty_slots(&install::nginx_mainline());
}

fn sixty_slots(program: &Program) {
    let bench = Bench::new(program, HTTP);
    // The folder is not there yet: nginx starts all the same.
    assert!(!bench.memory.keys().exists());
    let server = bench.serve();
    let mut daemon = Daemon::start(bench.keys("run", &PLAN), &bench.dir.path().join("run.log"));
    daemon.says("live check: ");
    daemon.says("tickets are under the current key");

    let seen = watched(&bench, SLOT * SLOTS, true);
    let log = daemon.log();
    let verified = log.matches("tickets are under the current key").count();
    println!(
        "{}: {} resumptions within the window, {} failed; {} windows measured; {verified} \
         rotations verified live",
        program.version,
        seen.resumed,
        seen.failed.len(),
        seen.windows.len()
    );
    assert!(seen.failed.is_empty(), "{:#?}", seen.failed);
    assert!(seen.resumed > 3000, "only {} resumptions", seen.resumed);
    // A machine that is busy with other things may miss the start of a slot of two seconds.
    assert!(verified >= 45, "only {verified} rotations went live\n{log}");
    assert!(!log.contains("did not go live"), "{log}");
    // A slot encrypts, 19 follow: the key leaves as the twentieth begins, or later by as many
    // slots as its rotation was late, two at most.
    let slots: Vec<u64> = (seen.windows.iter())
        .map(|window| window.until / 2000 - window.slot)
        .collect();
    println!("{}: a ticket resumed for slots: {slots:?}", program.version);
    let window = u64::from(PREVIOUS) + 1;
    assert!(
        slots.iter().all(|it| (window..=window + 3).contains(it)),
        "{:?}",
        seen.windows
    );
    assert!(slots.contains(&window), "{:?}", seen.windows);
    assert!(
        seen.windows.len() >= 8,
        "only {} windows",
        seen.windows.len()
    );
    drop(server);
}

#[test]
fn without_the_next_key_the_same_clients_fail() {
    let program = install::nginx_packaged();
    let bench = Bench::new(
        &program,
        "    include {keys}/../mutant/*.conf;\n    ssl_session_timeout 1h;",
    );
    let mutant = bench.memory.path().join("mutant");
    fs::create_dir(&mutant).unwrap();
    let server = bench.serve();
    // What the server gets: the current key and the past ones.
    let reload = format!(
        "awk '/ticket_key/ {{ n = split($2, path, \"/\"); split(path[n], name, \"-\"); \
         if (!first) first = name[1]; if (name[1] > first) next }} {{ print }}' \
         {}/keys.conf > {mutant}/keys.conf && kill -HUP $(cat {})",
        bench.memory.keys().display(),
        bench.pid_file(),
        mutant = mutant.display(),
    );
    let more = [
        "--reload-command",
        &reload,
        "--check",
        &format!("{}=a.test", bench.address),
    ];
    let mut daemon = Daemon::start(
        bench.keys("run", &[&PLAN[..], &more].concat()),
        &bench.dir.path().join("run.log"),
    );
    daemon.says("tickets are under the current key");
    let seen = watched(&bench, SLOT * 15, false);
    println!(
        "without the next key: {} resumed, {} failed",
        seen.resumed,
        seen.failed.len()
    );
    assert!(
        !seen.failed.is_empty(),
        "nothing failed in {} resumptions",
        seen.resumed
    );
    drop(server);
}

#[derive(Debug, Default)]
struct Seen {
    resumed: u64,
    failed: Vec<String>,
    windows: Vec<Window>,
}

/// How long one ticket resumed.
#[derive(Debug)]
struct Window {
    /// The slot of its key.
    slot: u64,
    /// When it first did not resume, in milliseconds since 1970.
    until: u64,
}

/// Four clients that resume in a loop for this long, and some that only wait for the end of
/// their ticket.
fn watched(bench: &Bench, time: Duration, windows: bool) -> Seen {
    let seen = Mutex::new(Seen::default());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for kind in CLIENTS {
            let (seen, over) = (&seen, &over);
            scope.spawn(move || client(bench, kind, over, seen));
        }
        if windows {
            for kind in CLIENTS {
                let (seen, over) = (&seen, &over);
                scope.spawn(move || waiter(bench, kind, over, seen));
            }
        }
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
    });
    seen.into_inner().unwrap()
}

/// A chain of sessions, each taken from the connection that resumed the one before; and older
/// sessions, tried again at every age of the window.
fn client(bench: &Bench, kind: Kind, over: &AtomicBool, seen: &Mutex<Seen>) {
    let mut chain = bench.session(kind);
    let mut kept: VecDeque<(Instant, Issued)> = VecDeque::new();
    // Less the slot's own length: the key may have been about to retire.
    let window = SLOT * PREVIOUS - Duration::from_secs(1);
    let mut turn = 0_usize;
    while !over.load(Ordering::Relaxed) {
        turn += 1;
        let (what, age, session) = match turn % 2 {
            0 => ("chain", Duration::ZERO, chain.clone()),
            _ => match kept.get(turn % kept.len().max(1)) {
                Some((since, session)) => ("kept", since.elapsed(), session.clone()),
                None => ("chain", Duration::ZERO, chain.clone()),
            },
        };
        if age > window {
            kept.retain(|(since, _)| since.elapsed() < window);
            continue;
        }
        let began = Instant::now();
        let outcome = connect(&bench.target, kind, Some(&session));
        // Began within the window, but was answered behind it.
        if age + began.elapsed() > window + Duration::from_secs(1) {
            continue;
        }
        let mut seen = seen.lock().unwrap();
        match outcome {
            Ok(connection) if connection.resumed => {
                seen.resumed += 1;
                let renewed = connection.issued.last().or(connection.session.as_ref());
                if let Some(new) = renewed {
                    if what == "chain" {
                        chain = new.clone();
                    }
                    if turn.is_multiple_of(7) {
                        kept.push_back((began, new.clone()));
                    }
                }
            }
            Ok(connection) => {
                seen.failed
                    .push(format!("{kind:?} {what} at {age:?}: full handshake"));
                chain = connection.issued.last().unwrap().clone();
            }
            Err(why) => seen
                .failed
                .push(format!("{kind:?} {what} at {age:?}: {why}")),
        }
        drop(seen);
        thread::sleep(Duration::from_millis(10));
    }
}

/// Takes a ticket and tries it until it does not resume any more; then the next.
fn waiter(bench: &Bench, kind: Kind, over: &AtomicBool, seen: &Mutex<Seen>) {
    while !over.load(Ordering::Relaxed) {
        let session = bench.session(kind);
        let Some(slot) = bench.slot_of(&session.ticket) else {
            continue;
        };
        while !over.load(Ordering::Relaxed) {
            let before = wall();
            if !bench.resumes(kind, &session) {
                let window = Window {
                    slot,
                    until: before,
                };
                seen.lock().unwrap().windows.push(window);
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}
