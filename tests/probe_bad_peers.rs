//! Peers that are no server, or no longer one: each gets one clear line and exit code 3, in
//! bounded time. Every one of them is a listener of this test.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVersion};
use openssl::x509::X509;
use support::{certs, probe, program};

/// The longest that one connection may take here, with one more attempt after a timeout.
const PATIENCE: &str = "1s";
const BOUND: Duration = Duration::from_secs(12);

/// A listener that treats every connection alike, to the end of the test.
fn peer(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let treat = std::sync::Arc::new(treat);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let treat = treat.clone();
            thread::spawn(move || treat(stream));
        }
    });
    address
}

/// What the program says in both formats; the line about the peer.
fn refused(what: &str, address: SocketAddr, more: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let place = address.to_string();
    let arguments = [&[&*place, "--timeout", PATIENCE], more].concat();
    let started = Instant::now();
    let (run, document) = probe::probe(dir.path(), &arguments).unwrap();
    let took = started.elapsed();
    assert_eq!(run.code, Some(3), "{what}: {} {}", run.stdout, run.stderr);
    assert_eq!(document["complete"], false, "{what}");
    let why = document["endpoints"][0]["unreachable"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    println!("{what}: {why} ({:.1} s)", took.as_secs_f64());
    assert!(took < BOUND, "{what} took {took:?}");
    let text = program::run(dir.path(), &[&["probe"], &*arguments].concat());
    assert_eq!(text.code, Some(3), "{what}");
    let line = format!("{address}: {why}");
    assert_eq!(
        text.stdout.lines().filter(|it| **it == line).count(),
        1,
        "{}",
        text.stdout
    );
    assert!(!text.stderr.contains("panicked"), "{}", text.stderr);
    why
}

#[test]
fn a_port_that_accepts_and_never_speaks() {
    let address = peer(|stream| {
        thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
    assert_eq!(
        refused("mute", address, &[]),
        "no answer in time in the handshake"
    );
    let why = refused("mute, STARTTLS", address, &["--starttls", "smtp"]);
    assert_eq!(why, "no answer in time before TLS");
}

#[test]
fn a_port_where_nothing_listens() {
    let address = support::server::free_address();
    let why = refused("nothing", address, &[]);
    assert!(
        why.starts_with("cannot connect: Connection refused"),
        "{why}"
    );
}

#[test]
fn a_port_that_closes_at_once() {
    let why = refused("closes", peer(drop), &[]);
    assert_eq!(why, "the server closed the connection in the handshake");
}

#[test]
fn a_port_that_closes_after_the_hello() {
    let address = peer(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    let why = refused("closes after the hello", address, &[]);
    assert_eq!(why, "the server closed the connection in the handshake");
}

#[test]
fn plain_http() {
    let address = peer(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let why = refused("plain HTTP", address, &[]);
    assert_eq!(
        why,
        "the server does not speak TLS here: it answers in plain HTTP"
    );
}

#[test]
fn a_mail_server_in_clear() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"* OK IMAP4 ready\r\n");
        let _ = stream.read(&mut [0; 4096]);
    });
    let why = refused("IMAP", address, &[]);
    assert!(why.contains("--starttls imap"), "{why}");
}

#[test]
fn a_mail_server_that_does_not_start_tls() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"220 mail.test ESMTP\r\n");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"250-mail.test\r\n250 8BITMIME\r\n");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"502 not\x1b[31m implemented\r\n");
    });
    let dir = tempfile::tempdir().unwrap();
    let arguments = [
        &*address.to_string(),
        "--starttls",
        "smtp",
        "--timeout",
        PATIENCE,
    ];
    let (run, document) = probe::probe(dir.path(), &arguments).unwrap();
    assert_eq!(run.code, Some(3));
    let why = document["endpoints"][0]["unreachable"].as_str().unwrap();
    assert!(
        why.starts_with("the server does not start TLS by smtp: it answers `502 not"),
        "{why}"
    );
    // What a peer says does not reach the terminal as it is.
    let text = program::run(dir.path(), &[&["probe"], &arguments[..]].concat());
    assert!(!text.stdout.contains('\x1b'), "{}", text.stdout);
}

/// A TLS server of this process, with what it does after the handshake.
fn tls_peer(
    versions: [SslVersion; 2],
    after: impl Fn(&mut TcpStream) + Send + Sync + 'static,
) -> SocketAddr {
    let dir = tempfile::tempdir().unwrap();
    let pair = certs::self_signed(dir.path(), "peer", &["peer.test"], "nonce");
    let certificate = X509::from_pem(&std::fs::read(pair.cert).unwrap()).unwrap();
    let key = PKey::private_key_from_pem(&std::fs::read(pair.key).unwrap()).unwrap();
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    builder.set_certificate(&certificate).unwrap();
    builder.set_private_key(&key).unwrap();
    builder.set_min_proto_version(Some(versions[0])).unwrap();
    builder.set_max_proto_version(Some(versions[1])).unwrap();
    let context = builder.build();
    peer(move |stream| {
        let Ok(mut stream) = Ssl::new(&context).unwrap().accept(stream) else {
            return;
        };
        after(stream.get_mut());
    })
}

#[test]
fn a_server_of_tls_1_0_alone() {
    let address = tls_peer([SslVersion::TLS1, SslVersion::TLS1], |_| {});
    let why = refused("TLS 1.0", address, &[]);
    assert_eq!(why, "the server speaks neither TLS 1.2 nor TLS 1.3");
    let why = refused("TLS 1.0", address, &["--tls", "1.3"]);
    assert_eq!(why, "the server does not speak this version of TLS");
}

#[test]
fn garbage_after_the_handshake() {
    let address = tls_peer([SslVersion::TLS1_2, SslVersion::TLS1_3], |stream| {
        let _ = stream.write_all(&[0x47; 4096]);
        thread::sleep(Duration::from_secs(2));
    });
    let why = refused("garbage", address, &[]);
    assert!(
        why.starts_with("the server breaks the TLS protocol after the handshake: "),
        "{why}"
    );
}

#[test]
fn garbage_in_the_handshake() {
    let address = peer(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&[0x16, 3, 3, 0, 200]);
        let _ = stream.write_all(&[0x5a; 200]);
        thread::sleep(Duration::from_secs(2));
    });
    let why = refused("garbage in the handshake", address, &[]);
    assert!(
        why.starts_with("the server breaks the TLS protocol in the handshake: "),
        "{why}"
    );
}

/// A ServerHello of TLS 1.2 (RFC 5246 7.4.1.3), so that a certificate may follow in clear.
fn server_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], &[0xc0, 0x2f], &[0]].concat();
    handshake(2, &body)
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&[22, 3, 3], &length[..], message].concat()
}

#[test]
fn an_endless_certificate() {
    // Announced as the largest there can be.
    let address = peer(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&record(&server_hello()));
        let _ = stream.write_all(&record(&[11, 0xff, 0xff, 0xff]));
        while stream.write_all(&record(&[0x30; 16_000])).is_ok() {}
    });
    let why = refused("endless certificate", address, &["--tls", "1.2"]);
    assert!(why.contains("in the handshake"), "{why}");
    // One byte at a time, of a size that is allowed.
    let address = peer(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&record(&server_hello()));
        let _ = stream.write_all(&record(&[11, 0, 0x80, 0, 0, 0x7f, 0xfd]));
        while stream.write_all(&record(&[0x30])).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let why = refused("dripping certificate", address, &["--tls", "1.2"]);
    assert_eq!(why, "no answer in time in the handshake");
}

#[test]
fn a_greeting_without_end() {
    let address = peer(|mut stream| while stream.write_all(&[b'2'; 4096]).is_ok() {});
    let why = refused("endless greeting", address, &["--starttls", "smtp"]);
    assert_eq!(why, "the server sends without end before TLS");
}

#[test]
fn an_answer_without_end() {
    // The handshake is fine and so is every ticket: reading stops, and the rest is seen.
    let dir = tempfile::tempdir().unwrap();
    let pair = certs::self_signed(dir.path(), "peer", &["peer.test"], "nonce");
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder
        .set_certificate_file(&pair.cert, openssl::ssl::SslFiletype::PEM)
        .unwrap();
    builder
        .set_private_key_file(&pair.key, openssl::ssl::SslFiletype::PEM)
        .unwrap();
    let context = builder.build();
    let address = peer(move |stream| {
        if let Ok(mut stream) = Ssl::new(&context).unwrap().accept(stream) {
            let _ = stream.read(&mut [0; 4096]);
            while stream.write_all(&[b'x'; 16_000]).is_ok() {}
        }
    });
    let started = Instant::now();
    let arguments = [&*address.to_string(), "--timeout", "5s", "--attempts", "2"];
    let (run, document) = probe::probe(dir.path(), &arguments).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(document["endpoints"][0]["tls13"]["issued"], "stateless");
    assert!(started.elapsed() < BOUND);
}

#[test]
fn a_host_without_an_address() {
    let dir = tempfile::tempdir().unwrap();
    let (run, document) = probe::probe(dir.path(), &["no-such-host.invalid"]).unwrap();
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr.contains("no-such-host.invalid has no address"),
        "{}",
        run.stderr
    );
    assert_eq!(document["complete"], false);
}
