//! The real `keys run` while the wall clock is stepped by hours: slots go on by the clock that
//! nobody can set, nginx goes on with the right keys, and sessions go on resuming.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod keys_bench;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use keys_bench::{Bench, Daemon, Ran, wall};
use support::client::Kind;
use support::install;

const HTTP: &str = "    include {keys}/*.conf;\n    ssl_session_timeout 1h;";
const SLOT: u64 = 2000;
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
/// Where the wall clock stands against the true time, one after the other.
const STEPS: [(&str, i64); 6] = [
    ("+5h", 5 * 3600),
    ("-7h", -7 * 3600),
    ("+400d", 400 * 86_400),
    ("-30h", -30 * 3600),
    ("+3m", 180),
    ("+0", 0),
];
const STAY: Duration = Duration::from_secs(5);

/// Steps the wall clock of the processes that it was given to; their boot clock is the machine's.
struct Stepped {
    file: PathBuf,
}

impl Stepped {
    fn new(dir: &Path) -> Self {
        let stepped = Self {
            file: dir.join("wall-clock"),
        };
        stepped.to("+0");
        stepped
    }

    /// Renamed into place: a reader finds one value or the other.
    fn to(&self, offset: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, offset).unwrap();
        fs::rename(&new, &self.file).unwrap();
    }

    fn give(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_RESET", "1");
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let paths = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    let found = paths.into_iter().find(|path| path.is_file());
    found.expect("libfaketime is missing: run tests/install_servers.sh")
}

#[test]
fn a_wall_clock_that_is_stepped_by_hours_changes_no_key() {
    let bench = Bench::new(&install::nginx_packaged(), HTTP);
    let server = bench.serve();
    let clock = Stepped::new(bench.dir.path());
    let start = || {
        let mut run = bench.keys("run", &PLAN);
        clock.give(&mut run);
        Daemon::start(run, &bench.dir.path().join("run.log"))
    };
    let mut daemon = start();
    daemon.says("tickets are under the current key");
    let (mut resumed, mut kept) = (0, Vec::new());
    let mut reports = Vec::new();

    for (at, (offset, seconds)) in STEPS.into_iter().enumerate() {
        clock.to(offset);
        // What the tool's processes see is stepped indeed.
        let mut date = Command::new("date");
        date.arg("+%s");
        clock.give(&mut date);
        let seen: i64 = Ran::of(date).out.trim().parse().unwrap();
        let real = i64::try_from(wall() / 1000).unwrap();
        assert!(
            (seen - real - seconds).abs() <= 2,
            "{offset}: {seen} {real}"
        );
        // Every other time the daemon is killed and starts with its memory under the new clock.
        if at % 2 == 1 {
            drop(daemon);
            daemon = start();
        }
        let end = Instant::now() + STAY;
        let mut slots = Vec::new();
        while Instant::now() < end {
            for kind in [Kind::Ticket12, Kind::Tls13] {
                let session = bench.session(kind);
                let true_slot = wall() / SLOT;
                let slot = bench.slot_of(&session.ticket);
                let slot =
                    slot.unwrap_or_else(|| panic!("{offset}: a key of nobody\n{}", daemon.log()));
                // A busy machine may be late by a slot or two, and never by hours.
                assert!(
                    true_slot.abs_diff(slot) <= 2,
                    "{offset}: {slot}, not {true_slot}\n{}",
                    daemon.log()
                );
                slots.push(slot);
                kept.push((Instant::now(), kind, session));
            }
            // Sessions of before the step resume: none of the last 20 seconds is lost.
            let young = kept
                .iter()
                .filter(|(when, ..)| when.elapsed() < Duration::from_secs(20));
            for (_, kind, session) in young.step_by(5) {
                assert!(
                    bench.resumes(*kind, session),
                    "{offset}: lost\n{}",
                    daemon.log()
                );
                resumed += 1;
            }
            thread::sleep(Duration::from_millis(300));
        }
        slots.dedup();
        assert!(
            slots.len() >= 2,
            "{offset}: no rotation: {slots:?}\n{}",
            daemon.log()
        );
        assert!(slots.is_sorted(), "{offset}: {slots:?}");
        let mut status = bench.keys("status", &PLAN);
        clock.give(&mut status);
        let status = Ran::of(status);
        let off = status.out.contains("the wall clock is");
        assert_eq!(off, seconds != 0, "{offset}: {}", status.out);
        reports.push((offset, slots.len()));
    }
    println!("steps and the slots in them: {reports:?}; {resumed} resumptions, none failed");
    assert!(resumed > 100, "{resumed}");
    drop(daemon);
    drop(server);
}
