//! What every store promises, whatever its engine: the same checks for all of them.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stekguard::keys::fleet::store::{Access, Claim, LARGEST, Store, StoreError, open};

/// A way to one store, again and again.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) url: String,
    pub(crate) access: Access,
}

impl Way {
    pub(crate) fn open(&self) -> Box<dyn Store> {
        open(&self.url, &self.access).unwrap()
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn name(rest: &str) -> String {
    format!("stekguard:contract:{rest}")
}

pub(crate) fn read_one(store: &mut dyn Store, name: &str) -> Option<Vec<u8>> {
    let mut read = store.read(&[name.to_owned()]).unwrap();
    assert_eq!(read.len(), 1);
    read.remove(0)
}

/// Everything.
pub(crate) fn holds(way: &Way, lists: bool) {
    first_writer_wins(way, 40);
    a_claim_says_what_stands(way);
    put_writes_over(way);
    reads_keep_the_order(way);
    odd_records_come_back(way);
    what_is_no_record_is_refused(way);
    records_expire(way);
    if lists {
        names_are_listed(way);
    } else {
        let refused = way.open().list("stekguard:");
        assert!(matches!(refused, Err(StoreError::Unable { .. })));
    }
}

/// Eight writers race for every slot: one wins, all others are told its bytes.
pub(crate) fn first_writer_wins(way: &Way, slots: usize) {
    const WRITERS: usize = 8;
    let barrier = Arc::new(Barrier::new(WRITERS));
    let expires = now() + 300;
    let threads: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (way, barrier) = (way.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                let mut store = way.open();
                let mut claims = Vec::new();
                for slot in 0..slots {
                    let record = format!("writer {writer} slot {slot}").into_bytes();
                    barrier.wait();
                    let claim = store.claim(&name(&format!("race:{slot}")), &record, expires);
                    claims.push((record, claim.unwrap()));
                }
                claims
            })
        })
        .collect();
    let claims: Vec<Vec<_>> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    let mut store = way.open();
    let mut winners = [0; WRITERS];
    for slot in 0..slots {
        let stands = read_one(&mut *store, &name(&format!("race:{slot}"))).unwrap();
        let mut written = 0;
        for (writer, claims) in claims.iter().enumerate() {
            let (record, claim) = &claims[slot];
            match claim {
                Claim::Written => {
                    written += 1;
                    winners[writer] += 1;
                    assert_eq!(*record, stands);
                }
                Claim::Taken(bytes) => assert_eq!(*bytes, stands, "slot {slot}"),
            }
        }
        assert_eq!(written, 1, "slot {slot}");
    }
    assert_eq!(winners.iter().sum::<i32>() as usize, slots);
}

fn a_claim_says_what_stands(way: &Way) {
    let mut store = way.open();
    let (name, expires) = (name("claim"), now() + 300);
    assert_eq!(store.claim(&name, b"one", expires).unwrap(), Claim::Written);
    for other in [&b"two"[..], b"one"] {
        let claim = store.claim(&name, other, expires).unwrap();
        assert_eq!(claim, Claim::Taken(b"one".to_vec()));
    }
    assert_eq!(read_one(&mut *store, &name).unwrap(), b"one");
}

fn put_writes_over(way: &Way) {
    let mut store = way.open();
    let (name, expires) = (name("put"), now() + 300);
    for record in [&b"first"[..], b"the second, which is longer", b"3"] {
        store.put(&name, record, expires).unwrap();
        assert_eq!(read_one(&mut *store, &name).unwrap(), record);
    }
    let claim = store.claim(&name, b"claimed", expires).unwrap();
    assert_eq!(claim, Claim::Taken(b"3".to_vec()));
    // Over a claim too: a generator seals anew what it made itself.
    let claimed = self::name("put-over-claim");
    store.claim(&claimed, b"a", expires).unwrap();
    store.put(&claimed, b"b", expires).unwrap();
    assert_eq!(read_one(&mut *store, &claimed).unwrap(), b"b");
}

fn reads_keep_the_order(way: &Way) {
    let mut store = way.open();
    let names: Vec<String> = (0..22).map(|at| name(&format!("order:{at}"))).collect();
    for (at, name) in names.iter().enumerate().filter(|(at, _)| at % 3 != 1) {
        store
            .put(name, format!("record {at}").as_bytes(), now() + 300)
            .unwrap();
    }
    let mut asked: Vec<usize> = (0..22).rev().collect();
    // The same name twice is answered twice.
    asked.push(5);
    let wanted: Vec<String> = asked.iter().map(|at| names[*at].clone()).collect();
    let read = store.read(&wanted).unwrap();
    for (at, record) in asked.iter().zip(&read) {
        let expected = (at % 3 != 1).then(|| format!("record {at}").into_bytes());
        assert_eq!(*record, expected, "{at}");
    }
    assert_eq!(read.len(), 23);
    assert_eq!(store.read(&[]).unwrap(), Vec::<Option<Vec<u8>>>::new());
}

fn odd_records_come_back(way: &Way) {
    let mut store = way.open();
    let all: Vec<u8> = (0..=255).collect();
    let odd: [&[u8]; 9] = [
        b"",
        b"\r\n",
        b"END\r\n",
        b"$-1\r\n",
        b"VALUE stekguard:contract:odd:0 0 4\r\n",
        &[0; 64],
        &all,
        &vec![b'x'; 1000],
        &vec![0xa5; LARGEST],
    ];
    let names: Vec<String> = (0..odd.len())
        .map(|at| name(&format!("odd:{at}")))
        .collect();
    for (name, record) in names.iter().zip(odd) {
        store.put(name, record, now() + 300).unwrap();
        let claim = store.claim(name, b"other", now() + 300).unwrap();
        assert_eq!(claim, Claim::Taken(record.to_vec()), "{name}");
    }
    let read = store.read(&names).unwrap();
    for (at, record) in odd.iter().enumerate() {
        assert_eq!(read[at].as_deref(), Some(*record), "{at}");
    }
}

fn what_is_no_record_is_refused(way: &Way) {
    let mut store = way.open();
    let large = vec![0; LARGEST + 1];
    let refused = store.put(&name("large"), &large, now() + 300);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    let refused = store.claim(&name("large"), &large, now() + 300);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    let long = "a".repeat(251);
    for bad in [
        "",
        "a b",
        "a\r\nflush_all",
        "../a",
        ".hidden",
        "a/b",
        "A",
        "*",
        "a_b",
        &long,
    ] {
        let refused = store.read(&[bad.to_owned()]);
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{bad:?}"
        );
        let refused = store.put(bad, b"x", now() + 300);
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{bad:?}"
        );
    }
    assert_eq!(read_one(&mut *store, &name("large")), None);
}

fn records_expire(way: &Way) {
    let mut store = way.open();
    let (put, claimed, past) = (name("life:put"), name("life:claim"), name("life:past"));
    store.put(&past, b"gone", now() - 100).unwrap();
    assert_eq!(read_one(&mut *store, &past), None);
    let until = now() + 3;
    store.put(&put, b"p", until).unwrap();
    store.claim(&claimed, b"c", until).unwrap();
    assert_eq!(read_one(&mut *store, &put).unwrap(), b"p");
    assert_eq!(read_one(&mut *store, &claimed).unwrap(), b"c");
    let claim = store.claim(&claimed, b"late", now() + 300).unwrap();
    assert_eq!(claim, Claim::Taken(b"c".to_vec()));
    // memcached's clock ticks once a second.
    while now() <= until + 1 {
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(read_one(&mut *store, &put), None);
    assert_eq!(read_one(&mut *store, &claimed), None);
    let claim = store.claim(&claimed, b"next", now() + 300).unwrap();
    assert_eq!(claim, Claim::Written);
    assert_eq!(read_one(&mut *store, &claimed).unwrap(), b"next");
}

fn names_are_listed(way: &Way) {
    let mut store = way.open();
    let mut expected = Vec::new();
    for at in 0..300 {
        let name = name(&format!("list:{at}"));
        store.put(&name, b"x", now() + 300).unwrap();
        expected.push(name);
    }
    store.put(&name("list:expired"), b"x", now() - 5).unwrap();
    // Signs of a pattern are themselves.
    store.put(&name("lisp"), b"x", now() + 300).unwrap();
    expected.sort();
    assert_eq!(store.list(&name("list:")).unwrap(), expected);
    assert_eq!(store.list(&name("list:29")).unwrap().len(), 11);
    for none in ["li?t", "li*", "[l]ist", "nothing"] {
        assert!(store.list(&name(none)).unwrap().is_empty(), "{none}");
    }
}
