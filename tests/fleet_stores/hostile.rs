//! Servers that mean harm: every call ends in time, as an error, and reads no more than it
//! needs, whatever comes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use stekguard::keys::fleet::store::{Access, Store, StoreError, open};

use crate::contract::now;

const PATIENCE: Duration = Duration::from_millis(400);
/// Other tests run beside.
const SLACK: Duration = Duration::from_millis(1500);
/// What a call may take in: two answers, and what the system holds on its way (measured 2.5 MB
/// in each direction on loopback).
const TAKEN: usize = 24 << 20;

type Behaviour = fn(&mut TcpStream, &AtomicUsize);

/// A server that behaves so towards everybody; how many bytes it got rid of.
fn serve(behaviour: Behaviour) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let count = Arc::clone(&count);
            thread::spawn(move || behaviour(&mut client, &count));
        }
    });
    (port, sent)
}

fn say(client: &mut TcpStream, sent: &AtomicUsize, bytes: &[u8]) -> bool {
    let said = client.write(bytes);
    sent.fetch_add(*said.as_ref().unwrap_or(&0), Ordering::Relaxed);
    matches!(said, Ok(1..))
}

fn hear(client: &mut TcpStream) -> bool {
    matches!(client.read(&mut [0; 1 << 17]), Ok(1..))
}

/// Says this, and then noise without end.
fn flood(client: &mut TcpStream, sent: &AtomicUsize, start: &[u8]) {
    hear(client);
    say(client, sent, start);
    while say(client, sent, &[b'x'; 1 << 16]) {}
}

fn never(client: &mut TcpStream, _: &AtomicUsize) {
    while hear(client) {}
}

fn drips(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    for byte in b"$60000\r\n".iter().chain(std::iter::repeat(&b'x')) {
        if !say(client, sent, &[*byte]) {
            return;
        }
        thread::sleep(Duration::from_millis(150));
    }
}

fn drips_value(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    say(client, sent, b"VALUE a 0 60000\r\n");
    drips(client, sent);
}

fn closes(_: &mut TcpStream, _: &AtomicUsize) {}

fn hears_and_closes(client: &mut TcpStream, _: &AtomicUsize) {
    hear(client);
}

fn noise(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    let mut state = 0x9e37_79b9_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise: Vec<u8> = noise.take(1 << 20).collect();
    say(client, sent, &noise);
    never(client, sent);
}

macro_rules! floods {
    ($($name:ident = $start:expr;)*) => {
        $(fn $name(client: &mut TcpStream, sent: &AtomicUsize) {
            flood(client, sent, $start);
        })*
    };
}

floods! {
    half_a_gigabyte = b"$536870912\r\n";
    more_than_there_is = b"$9223372036854775807\r\n";
    a_line_without_end = b"+";
    a_number_without_end = b":1";
    a_huge_array = b"*9223372036854775807\r\n:1\r\n";
    a_huge_map = b"%4611686018427387903\r\n:1\r\n:2\r\n";
    a_huge_attribute = b"|4611686018427387903\r\n:1\r\n:2\r\n";
    a_huge_push = b">1000000000\r\n$7\r\nmessage\r\n";
    a_negative_text = b"=-5\r\nabc\r\n";
    a_huge_value = b"VALUE a 0 536870912\r\n";
    a_value_without_end = b"VALUE a 0 18446744073709551615\r\n";
    a_value_of_no_length = b"VALUE a 0 -1\r\n";
    a_value_nobody_asked_for = b"VALUE b 0 1\r\nx\r\n";
}

fn nests(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    say(client, sent, &b"*1\r\n".repeat(200_000));
    never(client, sent);
}

fn numbers(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    say(client, sent, b"*100000000\r\n");
    while say(client, sent, &b":1\r\n".repeat(10_000)) {}
}

fn same_value_again(client: &mut TcpStream, sent: &AtomicUsize) {
    hear(client);
    while say(client, sent, b"VALUE a 0 1\r\nx\r\n") {}
}

fn the_same_page_for_ever(client: &mut TcpStream, sent: &AtomicUsize) {
    while hear(client) {
        say(client, sent, b"*2\r\n$1\r\n7\r\n*1\r\n$1\r\na\r\n");
    }
}

fn tells_escapes(client: &mut TcpStream, sent: &AtomicUsize) {
    while hear(client) {
        say(client, sent, b"-ERR \x1b]0;owned\x07 \x1b[2J and so on\r\n");
    }
}

type Call = fn(&mut dyn Store) -> Result<(), StoreError>;

const CALLS: [(&str, Call); 5] = [
    ("read", |store| store.read(&["a".to_owned()]).map(drop)),
    ("claim", |store| {
        store.claim("a", b"x", now() + 60).map(drop)
    }),
    ("put", |store| store.put("a", b"x", now() + 60)),
    ("list", |store| store.list("a").map(drop)),
    ("expiries", |store| {
        store.expiries(&["a".to_owned()]).map(drop)
    }),
];

/// Every call of a client of this scheme against a server that behaves so.
fn holds(scheme: &str, name: &str, behaviour: Behaviour, down: Option<bool>) {
    for (call, run) in CALLS {
        let (port, sent) = serve(behaviour);
        let access = Access {
            patience: PATIENCE,
            ..Access::default()
        };
        let mut store = open(&format!("{scheme}://127.0.0.1:{port}"), &access).unwrap();
        let start = Instant::now();
        let done = run(&mut *store);
        let took = start.elapsed();
        let error = done.expect_err(&format!("{scheme} {name} {call}"));
        let text = error.to_string();
        assert!(
            took < PATIENCE + SLACK,
            "{scheme} {name} {call}: {took:?} {text}"
        );
        assert!(
            !text.chars().any(char::is_control) && text.len() < 400,
            "{text:?}"
        );
        drop(store);
        thread::sleep(Duration::from_millis(10));
        let sent = sent.load(Ordering::Relaxed);
        assert!(sent < TAKEN, "{scheme} {name} {call} took {sent} bytes");
        if matches!(error, StoreError::Unable { .. }) {
            assert_eq!((scheme, call), ("memcached", "list"));
            continue;
        }
        let is_down = matches!(error, StoreError::Down { .. });
        assert!(
            down.is_none_or(|down| down == is_down),
            "{scheme} {name} {call}: {text}"
        );
    }
}

#[test]
fn a_redis_that_means_harm_is_left_in_time() {
    let behaviours: [(&str, Behaviour, Option<bool>); 19] = [
        ("never answers", never, Some(true)),
        ("drips", drips, None),
        ("closes", closes, Some(true)),
        ("hears and closes", hears_and_closes, Some(true)),
        ("noise", noise, None),
        ("$536870912", half_a_gigabyte, None),
        ("$9223372036854775807", more_than_there_is, None),
        ("a line without end", a_line_without_end, None),
        ("a number without end", a_number_without_end, None),
        ("a huge array", a_huge_array, None),
        ("a huge map", a_huge_map, None),
        ("a huge attribute", a_huge_attribute, None),
        ("a huge push", a_huge_push, None),
        ("a negative text", a_negative_text, None),
        ("nests", nests, Some(false)),
        ("numbers", numbers, None),
        ("the same page for ever", the_same_page_for_ever, None),
        ("tells escapes", tells_escapes, Some(false)),
        ("speaks memcached", same_value_again, Some(false)),
    ];
    for (name, behaviour, down) in behaviours {
        holds("redis", name, behaviour, down);
    }
}

#[test]
fn a_memcached_that_means_harm_is_left_in_time() {
    let behaviours: [(&str, Behaviour, Option<bool>); 13] = [
        ("never answers", never, Some(true)),
        ("drips", drips, None),
        ("drips a value", drips_value, None),
        ("closes", closes, Some(true)),
        ("hears and closes", hears_and_closes, Some(true)),
        ("noise", noise, Some(false)),
        ("a huge value", a_huge_value, Some(false)),
        ("a value without end", a_value_without_end, Some(false)),
        ("a value of no length", a_value_of_no_length, Some(false)),
        (
            "a value nobody asked for",
            a_value_nobody_asked_for,
            Some(false),
        ),
        ("the same value again", same_value_again, Some(false)),
        ("a line without end", a_line_without_end, Some(false)),
        ("tells escapes", tells_escapes, Some(false)),
    ];
    for (name, behaviour, down) in behaviours {
        holds("memcached", name, behaviour, down);
    }
}

#[test]
#[cfg(feature = "tls")]
fn a_handshake_that_never_ends_is_left_in_time() {
    let behaviours: [(&str, Behaviour); 5] = [
        ("never answers", never),
        ("drips", drips),
        ("closes", closes),
        ("noise", noise),
        ("half a gigabyte", half_a_gigabyte),
    ];
    for (name, behaviour) in behaviours {
        holds("rediss", name, behaviour, Some(true));
    }
}

/// Where nobody listens, and where nobody answers at all.
#[test]
fn nobody_there_is_down() {
    let port = crate::servers::free_port();
    let access = Access {
        patience: PATIENCE,
        ..Access::default()
    };
    for host in [
        format!("127.0.0.1:{port}"),
        "no-such-host.invalid".to_owned(),
    ] {
        for scheme in ["redis", "memcached"] {
            let mut store = open(&format!("{scheme}://{host}"), &access).unwrap();
            let start = Instant::now();
            let down = store.read(&["a".to_owned()]);
            assert!(matches!(down, Err(StoreError::Down { .. })), "{down:?}");
            assert!(start.elapsed() < PATIENCE + SLACK, "{:?}", start.elapsed());
        }
    }
}
