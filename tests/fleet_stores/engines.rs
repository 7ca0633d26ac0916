//! Redis and memcached: the contract on real servers, older commands, servers that go away and
//! come back, and copies.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use stekguard::keys::fleet::store::{Claim, LARGEST, StoreError};

use crate::contract::{self, Way, now, read_one};
use crate::servers::{Server, ask, until};

const NO_FILES: [&str; 4] = ["--save", "", "--appendonly", "no"];

fn redis(dir: &Path) -> Server {
    Server::redis(dir, &NO_FILES, None)
}

#[test]
fn redis_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path());
    contract::holds(&server.way("redis"), true);
}

#[test]
fn memcached_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::memcached(dir.path(), &[]);
    contract::holds(&server.way("memcached"), false);
}

/// A server that does not know `SET NX GET` and `EXPIRETIME`, as Redis 6.2: a real one behind a
/// wire that answers these as that version does.
#[test]
fn an_older_redis_holds_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = server.port;
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            thread::spawn(move || older(client, behind));
        }
    });
    let way = Way {
        url: format!("redis://127.0.0.1:{port}"),
        ..server.way("redis")
    };
    contract::holds(&way, true);
    let mut store = way.open();
    store.put("a", b"x", now() + 100).unwrap();
    let expires = store
        .expiries(&["a".to_owned(), "none".to_owned()])
        .unwrap();
    assert!(
        expires[0].unwrap().abs_diff(now() + 100) <= 1,
        "{expires:?}"
    );
    assert_eq!(expires[1], None);
}

fn older(mut client: TcpStream, behind: u16) {
    let mut server = TcpStream::connect(("127.0.0.1", behind)).unwrap();
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut bytes = vec![0; 1 << 20];
    loop {
        let Ok(count @ 1..) = client.read(&mut bytes) else {
            return;
        };
        let command = &bytes[..count];
        let has = |word: &[u8]| command.windows(word.len()).any(|it| it == word);
        let refused = match () {
            () if command.ends_with(b"\r\nNX\r\n$3\r\nGET\r\n") => {
                "-ERR syntax error\r\n".to_owned()
            }
            () if has(b"EXPIRETIME") => {
                let count = command.windows(10).filter(|it| it == b"EXPIRETIME").count();
                "-ERR unknown command 'EXPIRETIME'\r\n".repeat(count)
            }
            () => String::new(),
        };
        let done = match refused.is_empty() {
            true => server.write_all(command),
            false => client.write_all(refused.as_bytes()),
        };
        if done.is_err() {
            return;
        }
    }
}

/// Somebody planted a record that is larger than any: it is cut off, the others are read.
#[test]
fn a_huge_record_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path());
    let mut store = server.way("redis").open();
    store.put("good", b"record", now() + 60).unwrap();
    let line = "SETRANGE huge 33554432 x\r\n";
    assert!(ask(server.port, line, ":33554433").is_some());
    assert!(ask(server.port, "LPUSH list x\r\n", ":1").is_some());
    let names = ["good", "huge", "none", "list"].map(str::to_owned);
    let read = store.read(&names).unwrap();
    assert_eq!(read[0].as_deref(), Some(&b"record"[..]));
    assert_eq!(read[1].as_ref().map(Vec::len), Some(LARGEST + 1));
    assert_eq!(read[2], None);

    let cache = tempfile::tempdir().unwrap();
    let server = Server::memcached(cache.path(), &[]);
    let mut store = server.way("memcached").open();
    store.put("good", b"record", now() + 60).unwrap();
    let set = format!("set huge 0 0 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    assert!(ask(server.port, &set, "STORED").is_some());
    let read = store
        .read(&["huge", "good", "none"].map(str::to_owned))
        .unwrap();
    assert_eq!(read[0].as_ref().map(Vec::len), Some(LARGEST + 1));
    assert_eq!(read[1].as_deref(), Some(&b"record"[..]));
    assert_eq!(read[2], None);
}

/// A server that was started again: the next call finds it, and that it is empty.
#[test]
fn a_server_that_comes_back_is_found_empty() {
    let dir = tempfile::tempdir().unwrap();
    let server = redis(dir.path());
    let mut store = server.way("redis").open();
    store.put("a", b"x", now() + 60).unwrap();
    let port = server.port;
    drop(server);
    let start = Instant::now();
    let gone = store.read(&["a".to_owned()]);
    assert!(matches!(gone, Err(StoreError::Down { .. })), "{gone:?}");
    assert!(start.elapsed() < Duration::from_secs(1));
    let again = Server::redis(dir.path(), &NO_FILES, Some(port));
    assert_eq!(read_one(&mut *store, "a"), None);
    // The connection dies between two calls; nobody sees it.
    drop(again);
    let _again = Server::redis(dir.path(), &NO_FILES, Some(port));
    assert_eq!(store.claim("a", b"y", now() + 60).unwrap(), Claim::Written);
    assert_eq!(read_one(&mut *store, "a").unwrap(), b"y");
}

/// A copy serves while its master hangs, and while it is gone; it takes no writes; and it is
/// wiped with a master that comes back empty.
#[test]
fn a_replica_serves_without_its_master() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let master = redis(one.path());
    let of = format!("127.0.0.1 {}", master.port);
    let more = [
        &NO_FILES[..],
        &["--replicaof", &of, "--repl-diskless-load", "swapdb"],
    ]
    .concat();
    let replica = Server::redis(two.path(), &more, None);
    let mut to = master.way("redis");
    to.access.patience = Duration::from_millis(500);
    let (mut to, mut from) = (to.open(), replica.way("redis").open());
    let names: Vec<String> = (0..22).map(|at| format!("slot:{at}")).collect();
    for name in &names {
        to.claim(name, name.as_bytes(), now() + 300).unwrap();
    }
    let expected: Vec<_> = names
        .iter()
        .map(|it| Some(it.clone().into_bytes()))
        .collect();
    until("the copy is whole", || {
        from.read(&names).ok().as_ref() == Some(&expected)
    });
    let refused = from.claim("slot:99", b"x", now() + 300);
    let Err(StoreError::Refused { why, .. }) = &refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("READONLY"), "{why}");
    let refused = from.put("slot:1", b"x", now() + 300);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );

    master.signal(Signal::STOP);
    let start = Instant::now();
    let down = to.put("slot:99", b"x", now() + 300);
    assert!(matches!(down, Err(StoreError::Down { .. })), "{down:?}");
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(from.read(&names).unwrap(), expected);
    master.signal(Signal::CONT);

    let port = master.port;
    drop(master);
    until("the copy sees it", || {
        ask(
            replica.port,
            "INFO replication\r\n",
            "master_link_status:down",
        )
        .is_some()
    });
    assert_eq!(from.read(&names).unwrap(), expected);
    let _empty = Server::redis(one.path(), &NO_FILES, Some(port));
    until("the copy is wiped", || {
        from.read(&names).unwrap().iter().all(Option::is_none)
    });
}

#[test]
fn expiries_are_what_was_written() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (redis, memcached) = (
        redis(dirs[0].path()),
        Server::memcached(dirs[1].path(), &[]),
    );
    let directory = Way {
        url: format!("directory:{}", dirs[2].path().display()),
        ..redis.way("redis")
    };
    for (way, slack) in [
        (redis.way("redis"), 0),
        (directory, 0),
        (memcached.way("memcached"), 2),
    ] {
        let mut store = way.open();
        let expires = now() + 1234;
        store.put("a", b"x", expires).unwrap();
        let read = store
            .expiries(&["none".to_owned(), "a".to_owned()])
            .unwrap();
        assert_eq!(read[0], None, "{}", way.url);
        assert!(
            read[1].unwrap().abs_diff(expires) <= slack,
            "{} {read:?}",
            way.url
        );
    }
}

/// How many whole windows a second: 22 records of the usual size. Printed where
/// STEKGUARD_STORE_TIMING is set; `cargo test --release --test fleet_stores window -- --nocapture`
#[test]
fn a_window_is_read_at_once() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (redis, memcached) = (
        redis(dirs[0].path()),
        Server::memcached(dirs[1].path(), &[]),
    );
    let directory = Way {
        url: format!("directory:{}", dirs[2].path().display()),
        ..redis.way("redis")
    };
    let rounds = match std::env::var_os("STEKGUARD_STORE_TIMING") {
        Some(_) => 2000,
        None => 50,
    };
    let names: Vec<String> = (0..22)
        .map(|at| format!("stekguard:f:key:1:{at}"))
        .collect();
    for way in [directory, redis.way("redis"), memcached.way("memcached")] {
        let mut store = way.open();
        for name in &names {
            store.put(name, &[0x5a; 260], now() + 600).unwrap();
        }
        let mut taken: Vec<Duration> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                let read = store.read(&names).unwrap();
                assert!(read.iter().all(Option::is_some));
                start.elapsed()
            })
            .collect();
        taken.sort();
        let (median, late) = (taken[rounds / 2], taken[rounds * 99 / 100]);
        let engine = way.url.split(':').next().unwrap();
        println!(
            "{engine}: a window of 22 records in {median:?} (99 of 100 within {late:?}): {:.0} a second",
            1.0 / median.as_secs_f64()
        );
        assert!(median < Duration::from_millis(250), "{median:?}");
    }
}
