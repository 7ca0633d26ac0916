//! A store that lies: whatever lies in it, a record that is not what a pinned generator made for
//! this fleet, slot and host is refused, counted by its reason, said once and never applied; the
//! keys of the host go on meanwhile, and a good record is taken as ever.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod fleet_bench;
mod keys_bench;
mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fleet_bench::{Fleet, KINDS, Running, hear, slot, wait_until};
use keys_bench::wall;
use stekguard::keys::core::Slot;
use stekguard::keys::fleet::{
    FleetKey, FleetName, HostKey, Item, Recipient, Seed, Signer, seal_for_fleet, seal_for_host,
    sign_head,
};
use support::install;

const HOUR: u64 = 3600;

/// What lies in the place of the current slot's record.
type Forgery = fn(&Fleet, Slot, &Path);

/// A record of this fleet for a slot, signed by its generator.
fn good(fleet: &Fleet, slot: Slot) -> Vec<u8> {
    fleet.record(slot, &Seed::random().unwrap())
}

fn raw(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

fn put(fleet: &Fleet, slot: Slot, bytes: &[u8]) {
    fleet.put(&Item::Key(slot), bytes);
}

const FORGERIES: [(&str, &str, Forgery); 17] = [
    ("a changed byte", "signature", |fleet, slot, _| {
        let mut record = good(fleet, slot);
        let middle = record.len() / 2;
        record[middle] ^= 1;
        put(fleet, slot, &record);
    }),
    ("a changed signature", "signature", |fleet, slot, _| {
        let mut record = good(fleet, slot);
        *record.last_mut().unwrap() ^= 1;
        put(fleet, slot, &record);
    }),
    (
        "a stranger's signature",
        "unknown-signer",
        |fleet, slot, _| {
            let stranger = Signer::random().unwrap();
            let seed = Seed::random().unwrap();
            let header = fleet.header(slot, &seed);
            let key = FleetKey::random().unwrap();
            put(
                fleet,
                slot,
                &seal_for_fleet(&seed, &key, &header, &stranger).unwrap(),
            );
        },
    ),
    ("another fleet", "fleet", |fleet, slot, _| {
        let seed = Seed::random().unwrap();
        let mut header = fleet.header(slot, &seed);
        header.fleet = FleetName::parse("mail").unwrap();
        let key = FleetKey::random().unwrap();
        put(
            fleet,
            slot,
            &seal_for_fleet(&seed, &key, &header, &fleet.signer).unwrap(),
        );
    }),
    (
        "the last slot's record, replayed",
        "slot",
        |fleet, slot, _| {
            let before = Slot {
                epoch: slot.epoch - 1,
                ..slot
            };
            put(fleet, slot, &good(fleet, before));
        },
    ),
    ("a record below the floor", "slot", |fleet, slot, _| {
        let below = Slot {
            generation: slot.generation - 1,
            ..slot
        };
        put(fleet, slot, &good(fleet, below));
    }),
    ("slots of another length", "interval", |fleet, slot, _| {
        let seed = Seed::random().unwrap();
        let mut header = fleet.header(slot, &seed);
        header.interval += 1;
        put(fleet, slot, &fleet.seal_with(&seed, &header));
    }),
    ("another fleet key", "sealed", |fleet, slot, _| {
        let seed = Seed::random().unwrap();
        let header = fleet.header(slot, &seed);
        let key = FleetKey::random().unwrap();
        put(
            fleet,
            slot,
            &seal_for_fleet(&seed, &key, &header, &fleet.signer).unwrap(),
        );
    }),
    ("a heartbeat in its place", "kind", |fleet, slot, _| {
        put(
            fleet,
            slot,
            &sign_head(&fleet.head(), &fleet.signer).unwrap(),
        );
    }),
    ("a version to come", "version", |fleet, slot, _| {
        let mut record = good(fleet, slot);
        record[4] = 9;
        put(fleet, slot, &record);
    }),
    ("half of it", "truncated", |fleet, slot, _| {
        let record = good(fleet, slot);
        put(fleet, slot, &record[..record.len() / 2]);
    }),
    ("nothing", "truncated", |_, _, path| raw(path, b"")),
    ("more behind it", "too-large", |fleet, slot, _| {
        let mut record = good(fleet, slot);
        record.extend_from_slice(b"more");
        put(fleet, slot, &record);
    }),
    ("1 MiB of noise", "too-large", |_, _, path| {
        let mut noise = vec![0; 1 << 20];
        File::open("/dev/urandom")
            .unwrap()
            .read_exact(&mut noise)
            .unwrap();
        raw(path, &noise);
    }),
    ("a file of 8 GiB", "too-large", |_, _, path| {
        File::create(path).unwrap().set_len(8 << 30).unwrap();
    }),
    ("a pipe that nobody writes", "truncated", |_, _, path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    }),
    ("a folder", "truncated", |_, _, path| {
        fs::create_dir(path).unwrap()
    }),
];

#[test]
fn every_forgery_is_refused_by_its_reason() {
    let mut fleet = Fleet::new(false, HOUR);
    fleet.generation = 1;
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let slot = fleet.slot(fleet.epoch());
    let path = fleet.file(&Item::Key(slot));
    let genuine = fs::read(&path).unwrap();
    for (what, reason, forge) in FORGERIES {
        one.reboot();
        fs::remove_file(&path).unwrap();
        forge(&fleet, slot, &path);
        let began = Instant::now();
        let ran = one.once(&["--leave-server"]);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{what}: {took:?}");
        assert!(matches!(ran.code, Some(0 | 1)), "{what}: {}", ran.err);
        // Slots that are to come have good keys; this one has none.
        assert_eq!(one.slots().1, [] as [u64; 0], "{what}");
        assert!(!one.slots().0.contains(&slot.epoch), "{what}: {}", ran.err);
        assert_eq!(one.slots().0.len(), 3, "{what}: {}", ran.err);
        let metric = format!("stekguard_fleet_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(one.metric(&metric), Some(1.0), "{what}: {}", ran.err);
        let words = format!("is not believed: {reason}");
        assert_eq!(ran.err.matches(&words).count(), 1, "{what}: {}", ran.err);
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        // The right one is taken afterwards.
        raw(&path, &genuine);
        let ran = one.once(&["--leave-server"]);
        assert!(one.slots().0.contains(&slot.epoch), "{what}: {}", ran.err);
    }
    println!("{} forgeries refused", FORGERIES.len());
}

#[test]
fn forged_heartbeats_change_nothing() {
    let mut fleet = Fleet::new(false, HOUR);
    fleet.generation = 5;
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    one.once(&["--leave-server"]);
    let (include, slots) = (one.bench.include(), one.slots());
    let stranger = Signer::random().unwrap();
    let higher = |by: u32| {
        let mut head = fleet.head();
        head.generation += by;
        head
    };
    let mut lower = fleet.head();
    lower.generation = 4;
    let mut foreign = higher(1);
    foreign.fleet = FleetName::parse("mail").unwrap();
    let mut length = higher(1);
    length.interval = 1;
    let signed = |head, signer: &Signer| sign_head(head, signer).unwrap();
    let forged = [
        ("unknown-signer", signed(&higher(1), &stranger)),
        ("below-floor", signed(&lower, &fleet.signer)),
        ("fleet", signed(&foreign, &fleet.signer)),
        ("interval", signed(&length, &fleet.signer)),
        ("kind", good(&fleet, fleet.slot(1))),
        ("malformed", vec![0x55; 500]),
    ];
    for (reason, record) in forged {
        fleet.put(&Item::Head, &record);
        let ran = one.once(&["--leave-server"]);
        let metric = format!("stekguard_fleet_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(one.metric(&metric), Some(1.0), "{reason}: {}", ran.err);
        assert_eq!(one.metric("stekguard_fleet_floor"), Some(5.0), "{reason}");
        assert_eq!(
            (one.bench.include(), one.slots()),
            (include.clone(), slots.clone())
        );
    }
}

/// Seals of others, and seals for a key of this host that is gone.
#[test]
fn seals_for_others_are_refused() {
    let mut fleet = Fleet::new(true, HOUR);
    let one = fleet.host("one", &install::nginx_packaged());
    let other = fleet.sibling("other", &install::nginx_packaged(), &one);
    fleet.tick();
    // The agent publishes its key; nothing is sealed for it yet.
    let haste = ["--leave-server"];
    let agent = one.agent(&haste);
    let host_file = fleet.file(&Item::Host(one.name.clone()));
    wait_until("the host's key", 10, || host_file.exists());
    wait_until("it waits", 10, || {
        one.metric("stekguard_fleet_unsealed") == Some(4.0)
    });
    assert_eq!(one.slots().0, [] as [u64; 0]);

    let slot = fleet.slot(fleet.epoch());
    let seed = Seed::random().unwrap();
    let header = fleet.header(slot, &seed);
    put(&fleet, slot, &fleet.record(slot, &seed));
    let seal = Item::Seal(slot, seed.id(), one.name.clone());
    let somebody = Recipient::random().unwrap();
    let key = |name: &stekguard::keys::fleet::HostName| HostKey {
        fleet: fleet.name.clone(),
        host: name.clone(),
        public: somebody.public(),
        made: wall(),
        expires: wall() + 86_400_000,
    };
    let stranger = Signer::random().unwrap();
    let by = |host: &HostKey, signer| seal_for_host(&seed, host, &header, signer).unwrap();
    for (reason, record) in [
        ("host", by(&key(&other.name), &fleet.signer)),
        ("recipient", by(&key(&one.name), &fleet.signer)),
        ("unknown-signer", by(&key(&one.name), &stranger)),
        ("truncated", vec![]),
    ] {
        fleet.put(&seal, &record);
        let metric = format!("stekguard_fleet_refused_total{{reason=\"{reason}\"}}");
        wait_until(reason, 20, || one.metric(&metric) >= Some(1.0));
        hear(&agent, &format!("is not believed: {reason}"));
        assert_eq!(one.slots().0, [] as [u64; 0], "{reason}");
    }
    // Sealed for the host that it is, it is taken.
    fs::remove_file(fleet.file(&Item::Key(slot))).unwrap();
    fleet.tick();
    wait_until("keys", 20, || one.slots().0.len() == 4);
    // Asked every two seconds and refused each time; each reason was said once.
    for reason in ["host", "recipient", "unknown-signer", "truncated"] {
        let said = agent.log().matches(&format!("believed: {reason}")).count();
        assert_eq!(said, 1, "{reason}: {}", agent.log());
    }
    drop(agent);
}

/// What somebody in the place of a Redis does with a connection.
type Manner = fn(TcpStream);

/// Only stores that do not answer, each in its own way: the keys that are held change by time.
#[test]
fn stores_that_never_answer_stop_nothing() {
    let manners: [Manner; 4] = [
        // Accepts, and says nothing.
        |stream| {
            thread::sleep(Duration::from_secs(120));
            drop(stream);
        },
        // One byte now and then, of an answer that never ends.
        |mut stream| {
            while stream.write_all(b"1").is_ok() {
                thread::sleep(Duration::from_millis(200));
            }
        },
        // Noise without an end.
        |mut stream| while stream.write_all(&[b'*'; 4096]).is_ok() {},
        // Hangs up.
        |stream| drop(stream),
    ];
    let mut stores = Vec::new();
    for manner in manners {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        stores.push(format!("redis://{}", listener.local_addr().unwrap()));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || manner(stream));
            }
        });
    }
    let mut fleet = Fleet::new(false, slot());
    fleet.ahead = 20;
    let one = fleet.host("one", &install::nginx_packaged());
    fleet.tick();
    let server = one.bench.serve();
    one.once(&[]);
    fleet.settle(&one, &stores);
    let began = wall();
    let agent = one.agent(&[]);
    let mut keys = BTreeSet::new();
    while keys.len() < 5 {
        assert!(
            wall() < began + 20_000 * slot(),
            "only {} keys encrypted",
            keys.len()
        );
        for kind in KINDS {
            let session = one.ticket(kind);
            assert!(one.takes(kind, &session), "{kind:?}");
            keys.insert(session.ticket[..16].to_vec());
        }
        thread::sleep(Duration::from_millis(100));
    }
    hear(&agent, "does not answer");
    assert_eq!(one.metric("stekguard_fleet_store_up"), Some(0.0));
    assert_eq!(one.slots().1, [] as [u64; 0]);
    drop(agent);
    // Beside one that answers they cost a moment and no key.
    stores.push(fleet.url());
    fleet.settle(&one, &stores);
    fleet.tick();
    let newest = fleet.epoch() + fleet.ahead;
    let agent = one.agent(&[]);
    wait_until("new keys", 40, || {
        one.slots().0.iter().any(|slot| *slot >= newest)
    });
    drop((agent, server));
}

/// Noise in every place, again and again: keys that are held change by time, and the log stays
/// short.
#[test]
fn a_store_full_of_noise_stops_nothing() {
    let running = Running::start(8, &[]);
    running.holds_ahead(6, 10);
    let Running {
        agent,
        generator,
        one,
        ..
    } = &running;
    generator.pause(true);
    let before = agent.log().lines().count();
    let mut keys = BTreeSet::new();
    let until = wall() + 15_000 * slot();
    while keys.len() < 6 {
        assert!(wall() < until, "only {} keys encrypted", keys.len());
        litter(&generator.fleet());
        for kind in KINDS {
            let session = one.ticket(kind);
            assert!(one.takes(kind, &session), "{kind:?}");
            keys.insert(session.ticket[..16].to_vec());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let refused: f64 = ["malformed", "too-large", "truncated", "slot"]
        .iter()
        .filter_map(|reason| {
            one.metric(&format!(
                "stekguard_fleet_refused_total{{reason=\"{reason}\"}}"
            ))
        })
        .sum();
    assert!(refused >= 12.0, "{refused} refused");
    let log = agent.log();
    let lines = log.lines().count() - before;
    assert!(lines < 100, "{lines} lines:\n{log}");
    assert_eq!(one.slots().1, [] as [u64; 0]);
    println!(
        "{refused} records refused over {} keys, {lines} lines said",
        keys.len()
    );

    generator.fleet().empty();
    generator.pause(false);
    running.holds_ahead(6, 20);
}

/// Other bytes in the place of every record that is asked for.
fn litter(fleet: &Fleet) {
    let epoch = fleet.epoch();
    let replayed = good(fleet, fleet.slot(epoch - 1));
    for at in epoch - fleet.previous..=epoch + fleet.ahead + 1 {
        let path = fleet.file(&Item::Key(fleet.slot(at)));
        match at % 4 {
            0 => raw(&path, &[0x55; 700]),
            1 => raw(&path, b""),
            2 => raw(&path, &[0xaa; 100_000]),
            _ => fleet.put(&Item::Key(fleet.slot(at)), &replayed),
        }
    }
    raw(&fleet.file(&Item::Head), &[0; 300]);
}
