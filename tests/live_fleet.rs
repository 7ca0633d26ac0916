//! A fleet on one machine, every part of it real: five nginx of two versions on two sites, a
//! Redis master with a copy at each site, a memcached filled by a relay, a generator and an
//! agent beside every nginx, each agent with a clock of its own. Slots of two seconds; what one
//! host issues, every other one resumes, while the master stops for a slot, a copy is wiped, and
//! the generator is killed and another one takes its place. Nothing that was written anywhere
//! holds a key.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(dead_code)]

#[path = "fleet_stores/contract.rs"]
mod contract;
mod fleet_site;
mod keys_bench;
#[path = "fleet_stores/servers.rs"]
mod servers;
mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use servers::ask;
use support::client::{Kind, connect};
use support::session::Issued;

use fleet_site::{HOSTS, SLOT, Site};

/// Sixty, and what the start takes.
const SLOTS: u32 = 63;
const KINDS: [Kind; 2] = [Kind::Ticket12, Kind::Tls13];
/// Of the nineteen past slots; the last one and the clocks' difference are not promised.
const WINDOW: Duration = Duration::from_secs(34);

#[derive(Default)]
struct Seen {
    resumed: u64,
    /// By the host that issued and the one that resumed.
    pairs: BTreeMap<(usize, usize), u64>,
    failed: Vec<String>,
    /// The oldest session that resumed.
    oldest: Duration,
}

#[test]
fn every_host_resumes_what_any_other_issued() {
    let mut site = Site::start(true);
    site.settled();
    let seen = Mutex::new(Seen::default());
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let after = |slots: u32| {
        let left = (SLOT * slots).saturating_sub(began.elapsed());
        thread::sleep(left);
    };
    thread::scope(|scope| {
        for from in 0..HOSTS {
            for kind in KINDS {
                let (targets, seen, over) = (site.targets(), &seen, &over);
                scope.spawn(move || traveller(&targets, from, kind, over, seen));
            }
        }
        let watch = site.watch();
        let end = &over;
        scope.spawn(move || watch.run(end));

        after(16);
        println!("slot 16: the master stops for a slot");
        site.master.signal(Signal::STOP);
        thread::sleep(SLOT);
        site.master.signal(Signal::CONT);

        after(28);
        println!("slot 28: the copy of the first site is wiped");
        let wipe = "CONFIG SET replica-read-only no\r\nFLUSHALL\r\n";
        assert!(ask(site.copies[0].port, wipe, "+OK\r\n+OK").is_some());

        after(40);
        println!("slot 40: the generator is killed, another one starts");
        site.replace_generator();

        after(SLOTS);
        over.store(true, Ordering::SeqCst);
    });
    let seen = seen.into_inner().unwrap();
    println!(
        "{} resumptions on {} pairs of hosts, {} failed, the oldest session was {:.1} s old",
        seen.resumed,
        seen.pairs.len(),
        seen.failed.len(),
        seen.oldest.as_secs_f32()
    );
    site.figures();
    site.stands();
    assert!(
        seen.failed.is_empty(),
        "{:#?}",
        &seen.failed[..seen.failed.len().min(20)]
    );
    assert_eq!(seen.pairs.len(), HOSTS * HOSTS, "{:?}", seen.pairs);
    let fewest = seen.pairs.values().min().unwrap();
    assert!(*fewest >= 20, "{:?}", seen.pairs);
    assert!(seen.oldest > WINDOW - SLOT * 2, "{:?}", seen.oldest);
    // The keys came from the fleet: every host has the same one for every slot.
    site.agreed(45);
    site.no_key_byte_was_written();
}

/// The same with one key of the whole fleet in memcached, and the mutation: hosts that get the
/// coming keys only when their slot has begun refuse what faster ones issue.
#[test]
fn without_keys_ahead_sessions_fail() {
    let mut site = Site::start(false);
    site.settled();
    let seen = Mutex::new(Seen::default());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for from in 0..HOSTS {
            let (targets, seen, over) = (site.targets(), &seen, &over);
            scope.spawn(move || traveller(&targets, from, KINDS[from % 2], over, seen));
        }
        // A dozen slots show it thirty times; on a machine that is busy otherwise it may take more.
        let failed = || !seen.lock().unwrap().failed.is_empty();
        for slot in 0..SLOTS {
            if slot >= 12 && failed() {
                break;
            }
            thread::sleep(SLOT);
        }
        over.store(true, Ordering::SeqCst);
    });
    let seen = seen.into_inner().unwrap();
    println!(
        "no keys ahead: {} resumed, {} failed",
        seen.resumed,
        seen.failed.len()
    );
    assert!(
        !seen.failed.is_empty(),
        "nothing failed of {}",
        seen.resumed
    );
}

/// Takes sessions at one host and carries them to all others, again at every age of the window.
fn traveller(
    targets: &[support::client::Target],
    from: usize,
    kind: Kind,
    over: &AtomicBool,
    seen: &Mutex<Seen>,
) {
    let mut kept: Vec<(Instant, Issued)> = Vec::new();
    let mut turn = 0_usize;
    while !over.load(Ordering::SeqCst) {
        if turn.is_multiple_of(12) {
            let began = Instant::now();
            match connect(&targets[from], kind, None) {
                Ok(fresh) => kept.push((began, fresh.issued.last().unwrap().clone())),
                Err(why) => seen.lock().unwrap().failed.push(format!("{from}: {why}")),
            }
        }
        turn += 1;
        kept.retain(|(since, _)| since.elapsed() < WINDOW);
        // The newest, and the others in turn.
        let Some(at) = kept.len().checked_sub(1) else {
            continue;
        };
        let at = if turn.is_multiple_of(3) {
            at
        } else {
            turn % kept.len()
        };
        let (since, session) = &kept[at];
        let to = (from + turn) % targets.len();
        let age = since.elapsed();
        let outcome = connect(&targets[to], kind, Some(session));
        // It began within the window, but was answered behind it.
        if since.elapsed() > WINDOW + SLOT / 2 {
            continue;
        }
        let mut seen = seen.lock().unwrap();
        match outcome {
            Ok(connection) if connection.resumed => {
                seen.resumed += 1;
                *seen.pairs.entry((from, to)).or_default() += 1;
                seen.oldest = seen.oldest.max(age);
            }
            Ok(_) => seen.failed.push(format!(
                "{kind:?} of {from} at {to}, {age:?} old: full handshake"
            )),
            Err(why) => seen
                .failed
                .push(format!("{kind:?} of {from} at {to}, {age:?} old: {why}")),
        }
        drop(seen);
        thread::sleep(Duration::from_millis(25));
    }
}
