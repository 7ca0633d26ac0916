//! A relay from Redis into memcached: everything arrives with its time, once; what is lost comes
//! again and is counted.

use std::fs;
use std::process::{Command, Stdio};

use stekguard::keys::fleet::store::Claim;
use stekguard::keys::fleet::{FleetName, HostName, Relay};

use crate::contract::{now, read_one};
use crate::servers::{Server, ask, until};
use crate::setup::program;

const NO_FILES: [&str; 2] = ["--save", ""];

fn record(at: usize) -> Vec<u8> {
    (0..260).map(|byte| (byte * 7 + at) as u8).collect()
}

/// A fleet's 1,000 records and others.
fn names() -> Vec<String> {
    let mut names = vec!["stekguard:web:head".to_owned()];
    names.extend((0..22).map(|at| format!("stekguard:web:key:1:{at}")));
    for host in 0..40 {
        names.push(format!("stekguard:web:host:h{host}"));
        names.extend((0..24).map(|at| format!("stekguard:web:seal:1:{at}:00ff:h{host}")));
    }
    names.truncate(1000);
    names
}

#[test]
fn a_thousand_records_arrive_with_their_time() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let redis = Server::redis(dirs[0].path(), &NO_FILES, None);
    let memcached = Server::memcached(dirs[1].path(), &[]);
    let (from, to) = (redis.way("redis"), memcached.way("memcached"));
    let (mut source, mut copy) = (from.open(), to.open());
    let names = names();
    assert_eq!(names.len(), 1000);
    let start = now();
    for (at, name) in names.iter().enumerate() {
        source
            .put(name, &record(at), start + 600 + at as u64)
            .unwrap();
    }
    source
        .put("stekguard:web:report:h1", b"no", start + 600)
        .unwrap();
    source
        .put("stekguard:mail:key:1:1", b"no", start + 600)
        .unwrap();
    source
        .put("stekguard:webs:key:1:1", b"no", start + 600)
        .unwrap();
    let large = "SETRANGE stekguard:web:key:9:9 100000 x\r\nEXPIRE stekguard:web:key:9:9 600\r\n";
    assert!(ask(redis.port, large, ":1\r\n").is_some());
    let arguments = [
        "keys", "relay", "--from", &from.url, "--to", &to.url, "--fleet", "web",
    ];
    let (code, out, said) = program(&[&arguments[..], &["--once"]].concat());
    assert_eq!((code, out.as_str()), (0, ""), "{said}");
    assert!(
        said.contains("1000 records copied (260000 bytes)"),
        "{said}"
    );
    assert!(said.contains("1 are larger than a record"), "{said}");
    let read = copy.read(&names).unwrap();
    for (at, read) in read.iter().enumerate() {
        assert_eq!(read.as_deref(), Some(&record(at)[..]), "{}", names[at]);
    }
    for (at, expires) in copy.expiries(&names).unwrap().into_iter().enumerate() {
        let expected = start + 600 + at as u64;
        assert!(expires.unwrap().abs_diff(expected) <= 2, "{at} {expires:?}");
    }
    for none in [
        "web:report:h1",
        "mail:key:1:1",
        "webs:key:1:1",
        "web:key:9:9",
    ] {
        assert_eq!(read_one(&mut *copy, &format!("stekguard:{none}")), None);
    }

    let mut relay = Relay::new(FleetName::parse("web").unwrap(), Vec::new());
    let mut pass = || relay.pass(&mut *source, &mut *copy).unwrap();
    // Not known when what is there expires: written once more.
    assert_eq!((pass().written, pass().written), (1000, 0));
    let mut other = from.open();
    other.put(&names[7], b"changed", now() + 50).unwrap();
    // The same bytes for a longer time.
    other.put(&names[8], &record(8), now() + 5000).unwrap();
    let changed = pass();
    assert_eq!((changed.written, changed.lost, changed.seen), (2, 0, 1001));
    assert!(ask(memcached.port, "flush_all\r\n", "OK").is_some());
    let again = pass();
    assert_eq!((again.written, again.lost), (1000, 1000));
    // Gone at the source is not gone at the copy.
    assert!(ask(redis.port, "FLUSHALL\r\n", "OK").is_some());
    assert_eq!(pass().seen, 0);
    assert_eq!(read_one(&mut *to.open(), &names[7]).unwrap(), b"changed");
}

#[test]
fn a_host_takes_what_it_needs() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let redis = Server::redis(dirs[0].path(), &NO_FILES, None);
    let mut source = redis.way("redis").open();
    for name in names() {
        source.put(&name, b"x", now() + 600).unwrap();
    }
    let url = format!("directory:{}", dirs[1].path().display());
    let from = redis.way("redis").url;
    let (code, _, said) = program(&[
        "keys", "relay", "--from", &from, "--to", &url, "--fleet", "web", "--host", "h3", "--once",
    ]);
    assert_eq!(code, 0, "{said}");
    // The head, 22 slots, the host's key and 24 seals.
    assert!(said.contains("48 records copied"), "{said}");
    // And from a folder on into another store.
    let host = HostName::parse("h3").unwrap();
    let mut relay = Relay::new(FleetName::parse("web").unwrap(), vec![host]);
    let folder = crate::contract::Way {
        url,
        ..redis.way("redis")
    };
    let target = tempfile::tempdir().unwrap();
    let memcached = Server::memcached(target.path(), &[]);
    let mut target = memcached.way("memcached").open();
    let pass = relay.pass(&mut *folder.open(), &mut *target).unwrap();
    assert_eq!(pass.written, 48);
}

/// Others of the same size push records out of a memcached that is not theirs alone; the relay
/// sees it and brings them back.
#[test]
fn evictions_are_seen() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let redis = Server::redis(dirs[0].path(), &NO_FILES, None);
    let memcached = Server::memcached(dirs[1].path(), &["-m", "2", "-o", "no_slab_reassign"]);
    let (mut source, mut copy) = (redis.way("redis").open(), memcached.way("memcached").open());
    for at in 0..100 {
        let name = format!("stekguard:web:key:1:{at}");
        assert_eq!(
            source.claim(&name, &record(at), now() + 600).unwrap(),
            Claim::Written
        );
    }
    let mut relay = Relay::new(FleetName::parse("web").unwrap(), Vec::new());
    assert_eq!(relay.pass(&mut *source, &mut *copy).unwrap().written, 100);
    for at in 0..30_000 {
        copy.put(&format!("others:{at}"), &record(at), now() + 600)
            .unwrap();
    }
    let pass = relay.pass(&mut *source, &mut *copy).unwrap();
    println!(
        "{} of 100 records were pushed out by 30,000 others",
        pass.lost
    );
    assert!(pass.lost > 50, "{pass:?}");
    assert_eq!(pass.written, pass.lost);
    let url = memcached.way("memcached").url;
    let (code, table, _) = program(&["keys", "store-doctor", &url]);
    assert_eq!(code, 1);
    assert!(table.contains("were pushed out by others"), "{table}");
}

/// A source that goes away: the copy stays, the failure is said once, and it goes on.
#[test]
fn a_relay_goes_on_when_its_source_comes_back() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let redis = Server::redis(dirs[0].path(), &NO_FILES, None);
    let memcached = Server::memcached(dirs[1].path(), &[]);
    let (from, to) = (redis.way("redis"), memcached.way("memcached"));
    from.open()
        .put("stekguard:web:head", b"one", now() + 600)
        .unwrap();
    let metrics = dirs[2].path().join("metrics");
    let log = fs::File::create(dirs[2].path().join("log")).unwrap();
    let mut relay = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args([
            "keys", "relay", "--from", &from.url, "--to", &to.url, "--fleet", "web",
        ])
        .args(["--every", "1s", "--patience", "1s", "--metrics-file"])
        .arg(&metrics)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let shows = |line: &str| {
        fs::read_to_string(&metrics)
            .unwrap_or_default()
            .contains(line)
    };
    let mut copy = to.open();
    until("it is copied", || {
        read_one(&mut *copy, "stekguard:web:head").is_some()
    });
    let port = redis.port;
    drop(redis);
    until("the failure is seen", || shows("stekguard_relay_up 0"));
    assert_eq!(read_one(&mut *copy, "stekguard:web:head").unwrap(), b"one");
    let _again = Server::redis(dirs[0].path(), &NO_FILES, Some(port));
    until("it is up again", || shows("stekguard_relay_up 1"));
    assert_eq!(read_one(&mut *copy, "stekguard:web:head").unwrap(), b"one");
    from.open()
        .put("stekguard:web:head", b"two", now() + 600)
        .unwrap();
    until("the next is copied", || {
        read_one(&mut *copy, "stekguard:web:head").unwrap() == b"two"
    });
    relay.kill().unwrap();
    relay.wait().unwrap();
    let said = fs::read_to_string(dirs[2].path().join("log")).unwrap();
    assert_eq!(said.matches("does not answer").count(), 1, "{said}");
    assert!(said.contains("both stores answer again"), "{said}");
}
