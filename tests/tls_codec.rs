//! Keys, tickets and sessions, against OpenSSL: its HMAC, and what `openssl s_server`,
//! `s_client` and `sess_id` say of the very same session.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use stekguard::tls::{Layout, Protocol, Session, Ticket, TicketKey, TlsError};

/// 0, 1, 2, ...
fn counted(length: usize) -> Vec<u8> {
    (0..length).map(|byte| byte as u8).collect()
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(data).unwrap()
}

/// Name, IV and four blocks, signed by OpenSSL.
fn ticket(name: &[u8], hmac_key: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend(counted(16 + 64));
    let mac = hmac(hmac_key, &bytes);
    bytes.extend(mac);
    bytes
}

/// Where the HMAC key stands in a file of each layout.
const HMAC_AT: [(Layout, usize, usize); 3] = [
    (Layout::Nginx80, 16, 48),
    (Layout::Nginx48, 32, 48),
    (Layout::Apache48, 16, 32),
];

#[test]
fn a_ticket_verifies_under_its_key_in_every_layout_and_under_no_other() {
    for (layout, from, to) in HMAC_AT {
        let file = counted(layout.bytes());
        let key = TicketKey::from_file_bytes(layout, &file).unwrap();
        let good = ticket(&file[..16], &file[from..to]);
        assert!(Ticket::parse(&good).unwrap().verifies(&key), "{layout:?}");
        // Every bit counts, the name's too.
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(!Ticket::parse(&bad).unwrap().verifies(&key), "byte {at}");
        }
        for (other, ..) in HMAC_AT.iter().filter(|row| row.0 != layout) {
            let key = TicketKey::from_file_bytes(*other, &counted(other.bytes())).unwrap();
            assert!(
                !Ticket::parse(&good).unwrap().verifies(&key),
                "{layout:?} under {other:?}"
            );
        }
    }
}

#[test]
fn a_key_comes_back_as_it_was_and_its_id_is_a_digest() {
    for (layout, ..) in HMAC_AT {
        let file = counted(layout.bytes());
        let key = TicketKey::from_file_bytes(layout, &file).unwrap();
        assert_eq!(*key.to_file_bytes(layout).unwrap(), file);
        assert_eq!(key.name()[..], file[..16]);
        let same = TicketKey::from_file_bytes(layout, &file).unwrap();
        assert!(key == same);
        for at in 0..file.len() {
            let mut other = file.clone();
            other[at] ^= 1;
            let other = TicketKey::from_file_bytes(layout, &other).unwrap();
            assert!(key != other, "{layout:?}, byte {at}");
            assert_ne!(key.id(), other.id());
        }
    }
    let file = counted(80);
    let key = TicketKey::from_file_bytes(Layout::Nginx80, &file).unwrap();
    let digest: String = sha256(&file)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(key.id(), digest);
    // The same key in the other order of 48 bytes has the same id.
    let nginx = TicketKey::from_file_bytes(Layout::Nginx48, &counted(48)).unwrap();
    let swapped = nginx.to_file_bytes(Layout::Apache48).unwrap();
    assert_eq!(swapped[16..32], counted(48)[32..]);
    let apache = TicketKey::from_file_bytes(Layout::Apache48, &swapped).unwrap();
    assert!(nginx == apache && nginx.id() == apache.id());
}

#[test]
fn a_key_file_of_another_length_or_width_is_refused() {
    for (layout, ..) in HMAC_AT {
        for length in [0, 1, 16, 47, 48, 49, 79, 80, 81, 96] {
            let key = TicketKey::from_file_bytes(layout, &counted(length));
            assert_eq!(key.is_ok(), length == layout.bytes(), "{layout:?} {length}");
        }
    }
    let wide = TicketKey::from_file_bytes(Layout::Nginx80, &counted(80)).unwrap();
    assert!(matches!(
        wide.to_file_bytes(Layout::Nginx48),
        Err(TlsError::KeyWidth {
            aes: 256,
            wanted: 48
        })
    ));
}

#[test]
fn what_is_no_stateless_ticket_is_none() {
    // Name, IV and MAC without a block between them; a block that is not whole; stateful.
    for length in [0, 16, 32, 64, 65, 79, 81, 95] {
        assert!(Ticket::parse(&counted(length)).is_none(), "{length}");
    }
    assert!(Ticket::parse(&counted(80)).is_some());
}

#[test]
fn debug_output_shows_no_secret() {
    let bytes = ticket(&counted(16), &counted(32));
    let shown = format!("{:?}", Ticket::parse(&bytes).unwrap());
    assert_eq!(
        shown,
        "Ticket { key_name: \"000102030405060708090a0b0c0d0e0f\", bytes: 128 }"
    );
}

/// `openssl s_server` on a free port, ended when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        let subject = ["-subj", "/CN=codec.test", "-days", "2", "-nodes"];
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048"])
            .args(subject)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .output()
            .unwrap();
        assert!(made.status.success());
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &port.to_string()])
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&cert)
            // A session keeps the name only if the server has taken it.
            .args(["-servername", "codec.test", "-cert2"])
            .arg(&cert)
            .arg("-key2")
            .arg(&key)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    /// A session by `openssl s_client`, written to `out`.
    fn session(&self, version: &str, out: &Path) {
        for _ in 0..50 {
            let run = Command::new("sh")
                .arg("-c")
                .arg(format!(
                    "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.3) | openssl s_client {version} \
                     -connect 127.0.0.1:{} -servername codec.test -ign_eof -sess_out {}",
                    self.port,
                    out.display()
                ))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            if out.metadata().is_ok_and(|file| file.len() > 0) {
                assert!(said.contains("CN = codec.test"), "another server: {said}");
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("openssl s_server gave no session");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `openssl sess_id -text` prints: the ticket out of its hex dump, and the lines' values.
fn as_openssl_reads(pem: &Path) -> (Vec<u8>, impl Fn(&str) -> String) {
    let run = Command::new("openssl")
        .args(["sess_id", "-noout", "-text", "-in"])
        .arg(pem)
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let mut ticket = Vec::new();
    for line in text.lines() {
        // `    0010 - 3a 2b ...-... 0f   text`
        let Some((at, dump)) = line.trim().split_once(" - ") else {
            continue;
        };
        if at.len() != 4 || u16::from_str_radix(at, 16).is_err() {
            continue;
        }
        let bytes = dump[..dump.len().min(47)].replace('-', " ");
        let bytes = bytes.split_whitespace();
        ticket.extend(bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    let value = move |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    (ticket, value)
}

#[test]
fn sessions_are_read_as_openssl_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    for (version, protocol) in [("-tls1_2", Protocol::Tls12), ("-tls1_3", Protocol::Tls13)] {
        let pem = dir.path().join("session.pem");
        let _ = fs::remove_file(&pem);
        server.session(version, &pem);
        let (ticket, value) = as_openssl_reads(&pem);
        let bytes = fs::read(&pem).unwrap();
        let session = Session::from_bytes(&bytes).unwrap();
        assert_eq!(session.protocol(), protocol);
        assert!(!ticket.is_empty());
        assert_eq!(session.ticket(), ticket);
        assert_eq!(session.key_name().unwrap(), &ticket[..16]);
        assert!(session.stateless().is_some() && !session.is_stateful());
        assert_eq!(session.name(), Some("codec.test"));
        let id: String = session.id().iter().map(|b| format!("{b:02X}")).collect();
        assert_eq!(id, value("Session-ID:"));
        let hint = value("TLS session ticket lifetime hint:");
        assert_eq!(format!("{} (seconds)", session.hint()), hint);
        assert_eq!(
            session.timeout().to_string() + " (sec)",
            value("Timeout   :")
        );

        // DER is the same session; what is cut off or changed is refused or read, never a panic.
        let der = session.der().to_vec();
        assert_eq!(Session::from_bytes(&der).unwrap().ticket(), ticket);
        for length in 0..der.len() {
            assert!(Session::from_bytes(&der[..length]).is_err(), "{length}");
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            let _ = Session::from_bytes(&changed);
        }
        let shown = format!("{session:?}");
        assert!(shown.starts_with("Session { protocol: Tls1"), "{shown}");
        let secret = value("Master-Key:") + &value("Resumption PSK:");
        assert!(secret.len() >= 64 && !shown.to_uppercase().contains(&secret));
    }
}

#[test]
fn what_is_no_session_is_said() {
    for (bytes, why) in [
        (&b""[..], "cut off"),
        (b"hello", "cut off"),
        (b"-----BEGIN CERTIFICATE-----\n", "not of a session"),
        (b"-----BEGIN SSL SESSION PARAMETERS-----\nMIIB", "last line"),
        (
            b"-----BEGIN SSL SESSION PARAMETERS-----\n!!\n-----END SSL SESSION PARAMETERS-----",
            "base64",
        ),
        (&[0x30, 0x00], "missing"),
        (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "cut off"),
        (
            &[
                0x30, 0x89, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
            "cut off",
        ),
    ] {
        let error = Session::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
