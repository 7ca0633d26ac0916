//! What a client can end: `probe --invalidate` and `--session-in` against nginx and httpd, by
//! every kind of session and every way of ending a connection. And two facts about others'
//! sessions, shown by this test's own man in the middle and own second address: they are no
//! command of the program.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslSession, SslVerifyMode, SslVersion};
use serde_json::Value;
use support::install::{self, Program};
use support::observe::State;
use support::table::{Block, Group, Row, Running};
use support::{apache, client, nginx, probe, program};

/// What never resumed was not ended by anything.
const NEVER: &str = "never";
const NGINX_CACHE: &str = "ssl_session_tickets off;\nssl_session_cache shared:{zone}:1m;";

fn group(outside: &'static str, rows: &[(&'static str, &'static str)]) -> Group {
    let row = |(name, lines): &(&'static str, &'static str)| {
        Row::new(name, vec![Block::new("a.test", lines, State::ON)])
    };
    Group {
        outside,
        rows: rows.iter().map(row).collect(),
    }
}

fn nginx_group() -> Group {
    let rows = [
        ("cache", NGINX_CACHE),
        ("tickets", "ssl_session_tickets on;"),
    ];
    group("    ssl_protocols TLSv1.2 TLSv1.3;\n", &rows)
}

fn httpd_group() -> Group {
    let rows = [
        ("cache", "SSLSessionTickets off"),
        ("tickets", "SSLSessionTickets on"),
    ];
    group("SSLSessionCache shmcb:{dir}/scache(512000)\n", &rows)
}

/// Kind, connection and way, with what became of each session: `-` gone, `+` kept, or
/// [`NEVER`].
fn fates(running: &Running, row: usize) -> BTreeMap<String, String> {
    let address = running.targets[row][0].address.to_string();
    let arguments = [
        &*address,
        "--sni",
        "a.test",
        "--invalidate",
        "--attempts",
        "2",
    ];
    let (run, document) = probe::probe(running.dir.path(), &arguments).unwrap();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let tried = document["endings"][0]["tried"].as_array().unwrap();
    let mut fates = BTreeMap::new();
    for it in tried {
        let word = |name: &str| it[name].as_str().unwrap();
        let key = format!("{} {} {}", word("kind"), word("connection"), word("way"));
        let marks = it["still_resumes"].as_array().unwrap().iter();
        let marks = marks.map(|still| if still == true { '+' } else { '-' });
        let fate = match it["untried"].as_str() {
            None => marks.collect(),
            Some(why) => {
                assert_eq!(why, "sessions of this kind never resume here", "{it}");
                NEVER.to_owned()
            }
        };
        fates.insert(key, fate);
    }
    fates
}

/// What the table says, the same for all servers. In the order of the tickets of a connection.
fn table(cache: bool) -> BTreeMap<String, String> {
    let stored: &[(&str, &str, &str)] = &[
        (
            "1.2-id full fatal-alert",
            "-",
            "a stored session goes with its connection",
        ),
        (
            "1.2-id full fatal-close_notify",
            "-",
            "the level counts, not the description",
        ),
        ("1.2-id full close_notify", "+", ""),
        ("1.2-id full tcp-close", "+", ""),
        (
            "1.2-id resumed fatal-alert",
            "-",
            "the purpose-made second connection",
        ),
        ("1.2-id resumed fatal-close_notify", "-", ""),
        ("1.2-id resumed close_notify", "+", ""),
        ("1.2-id resumed tcp-close", "+", ""),
        (
            "1.3-stateful full fatal-alert",
            "+-",
            "only the last ticket is the connection's",
        ),
        (
            "1.3-stateful full fatal-close_notify",
            "++",
            "TLS 1.3 ignores the level",
        ),
        ("1.3-stateful full close_notify", "++", ""),
        ("1.3-stateful full tcp-close", "++", ""),
        (
            "1.3-stateful resumed fatal-alert",
            "++",
            "the connection has a session of its own",
        ),
        ("1.3-stateful resumed fatal-close_notify", "++", ""),
        ("1.3-stateful resumed close_notify", "++", ""),
        ("1.3-stateful resumed tcp-close", "++", ""),
        (
            "1.3-stateful resumed broken-off-resumption",
            "--",
            "before it has one of its own",
        ),
    ];
    let stateless = [
        "fatal-alert",
        "fatal-close_notify",
        "close_notify",
        "tcp-close",
    ];
    let mut table = BTreeMap::new();
    if cache {
        table.extend(
            stored
                .iter()
                .map(|(key, fate, _)| ((*key).to_owned(), (*fate).to_owned())),
        );
        return table;
    }
    for connection in ["full", "resumed"] {
        for way in stateless {
            table.insert(format!("1.2-ticket {connection} {way}"), "+".to_owned());
            table.insert(format!("1.3-stateless {connection} {way}"), "++".to_owned());
        }
    }
    table.insert(
        "1.3-stateless resumed broken-off-resumption".to_owned(),
        "++".to_owned(),
    );
    table
}

fn equals_table(running: &Running, ids_beside_tickets: bool) {
    assert_eq!(fates(running, 0), table(true), "cache");
    let mut seen = fates(running, 1);
    // A client without tickets has a stored session beside a server with tickets, if it has a
    // cache: the same rows as above.
    let stored = table(true);
    let ids: Vec<String> = seen
        .keys()
        .filter(|key| key.starts_with("1.2-id"))
        .cloned()
        .collect();
    for key in ids {
        let fate = seen.remove(&key).unwrap();
        let wanted = if ids_beside_tickets {
            &stored[&key]
        } else {
            NEVER
        };
        assert_eq!(fate, *wanted, "{key}");
    }
    assert_eq!(seen, table(false), "tickets");
    println!("{} rows with a cache, {} without", stored.len(), seen.len());
}

fn on_nginx(program: &Program) {
    let running = nginx::start(program, &nginx_group());
    equals_table(&running, false);
    saved_sessions(&running);
    others_sessions(&running);
}

#[test]
fn endings_at_the_packaged_nginx_are_as_the_table_says() {
    on_nginx(&install::nginx_packaged());
}

#[test]
fn endings_at_the_current_nginx_are_as_the_table_says() {
    on_nginx(&install::nginx_mainline());
}

#[test]
fn endings_at_httpd_are_as_the_table_says() {
    let running = apache::start(&install::apache(), &httpd_group());
    equals_table(&running, true);
    saved_sessions(&running);
    others_sessions(&running);
}

/// A session that `openssl s_client` saved, as `--session-in` takes it.
fn save(address: SocketAddr, version: &[&str], out: &Path) {
    let run = s_client(address, version, &["-sess_out", out.to_str().unwrap()]);
    assert!(out.metadata().is_ok_and(|file| file.len() > 0), "{run}");
}

/// What `openssl s_client` says; a request keeps it until tickets have arrived.
fn s_client(address: SocketAddr, version: &[&str], more: &[&str]) -> String {
    let mut child = Command::new("openssl")
        .args([
            "s_client",
            "-servername",
            "a.test",
            "-ign_eof",
            "-connect",
            &address.to_string(),
        ])
        .args(version)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n";
    child.stdin.take().unwrap().write_all(request).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Version, whether the session is stored, and whether it can be ended.
const KINDS: [(&[&str], usize, &str, bool); 4] = [
    (&["-tls1_2", "-no_ticket"], 0, "1.2-id", true),
    (&["-tls1_3"], 0, "1.3-stateful", true),
    (&["-tls1_2"], 1, "1.2-ticket", false),
    (&["-tls1_3"], 1, "1.3-stateless", false),
];

fn saved_sessions(running: &Running) {
    for (version, row, kind, ends) in KINDS {
        let address = running.targets[row][0].address;
        let file = running.dir.path().join("saved.pem");
        let _ = std::fs::remove_file(&file);
        save(address, version, &file);
        let end = || {
            let arguments = [
                &*address.to_string(),
                "--session-in",
                file.to_str().unwrap(),
            ];
            probe::probe(running.dir.path(), &arguments).unwrap()
        };
        let (run, document) = end();
        println!("{kind}: exit {:?}, {}", run.code, document["saved"]);
        assert_eq!(document["saved"]["kind"], kind);
        assert_eq!(document["saved"]["resumed"], true, "{kind}");
        assert_eq!(document["saved"]["still_resumes"], !ends, "{kind}");
        assert_eq!(run.code, Some(i32::from(!ends)), "{kind}");
        // OpenSSL's own client agrees.
        let file_name = file.to_str().unwrap();
        let said = s_client(address, version, &["-sess_in", file_name]);
        assert_eq!(said.contains("\nReused, "), !ends, "{kind}: {said}");
        let (run, document) = end();
        assert_eq!(document["saved"]["resumed"], !ends, "{kind}");
        assert_eq!(run.code, Some(i32::from(!ends)), "{kind}");
        let text = program::run(
            running.dir.path(),
            &["probe", &address.to_string(), "--session-in", file_name],
        );
        let words = if ends {
            "did not resume any more"
        } else {
            "new ticket key ends it"
        };
        assert!(text.stdout.contains(words), "{}", text.stdout);
    }
}

/// Not bound to the address; and ended by whoever writes into the connection.
fn others_sessions(running: &Running) {
    for (version, row, kind, stored) in KINDS {
        let address = running.targets[row][0].address;
        let file = running.dir.path().join("other.pem");
        let _ = std::fs::remove_file(&file);
        save(address, version, &file);
        let file = file.to_str().unwrap();
        let said = s_client(
            address,
            version,
            &["-sess_in", file, "-bind", "127.0.0.2:0"],
        );
        println!(
            "{kind} from another address: reused {}",
            said.contains("\nReused, ")
        );
        assert!(said.contains("\nReused, "), "{kind}: {said}");

        // A plaintext fatal alert, and a record that opens under no key.
        for (what, record) in [
            ("alert in clear", &[21, 3, 3, 0, 2, 2, 40][..]),
            (
                "corrupt record",
                &[
                    23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1,
                ],
            ),
        ] {
            let resumes = after_intrusion(address, version, record);
            println!("{kind}, {what} by somebody else: sessions still resume {resumes:?}");
            let last = *resumes.last().unwrap();
            assert_eq!(last, !stored, "{kind}, {what}");
            // The first of two tickets is another session of the store.
            assert!(resumes.len() == 1 || resumes[0], "{kind}, {what}");
        }
    }
}

/// A client's connection through a man in the middle who has no keys and adds one record to the
/// client's side after its request; whether the sessions of that connection resume.
fn after_intrusion(server: SocketAddr, version: &[&str], record: &[u8]) -> Vec<bool> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let middle = listener.local_addr().unwrap();
    let record = record.to_vec();
    let relay = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut onward = TcpStream::connect(server).unwrap();
        let (mut back, mut answers) = (client.try_clone().unwrap(), onward.try_clone().unwrap());
        let answers = thread::spawn(move || std::io::copy(&mut answers, &mut back));
        let mut bytes = [0; 4096];
        loop {
            match client.read(&mut bytes) {
                // The client has had its answer and closes: only now, so that it has all.
                Ok(0) | Err(_) => break,
                Ok(count) => onward.write_all(&bytes[..count]).unwrap(),
            }
        }
        onward.write_all(&record).unwrap();
        onward
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let _ = answers.join();
    });
    let ders = sessions_through(middle, version);
    relay.join().unwrap();
    assert!(!ders.is_empty());
    ders.iter()
        .map(|der| resumes(server, version, der))
        .collect()
}

fn context(
    version: &[&str],
    sessions: &std::sync::Arc<std::sync::Mutex<Vec<Vec<u8>>>>,
) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let version_ = if version[0] == "-tls1_3" {
        SslVersion::TLS1_3
    } else {
        SslVersion::TLS1_2
    };
    builder.set_min_proto_version(Some(version_)).unwrap();
    builder.set_max_proto_version(Some(version_)).unwrap();
    if version.contains(&"-no_ticket") {
        builder.set_options(SslOptions::NO_TICKET);
    }
    builder.set_session_cache_mode(openssl::ssl::SslSessionCacheMode::CLIENT);
    let sessions = sessions.clone();
    builder.set_new_session_callback(move |_, session| {
        sessions.lock().unwrap().push(session.to_der().unwrap());
    });
    builder.build()
}

/// Sessions of a connection whose client closes without a word, so that the last record of its
/// side is the intruder's.
fn sessions_through(middle: SocketAddr, version: &[&str]) -> Vec<Vec<u8>> {
    let sessions = std::sync::Arc::default();
    let mut ssl = Ssl::new(&context(version, &sessions)).unwrap();
    ssl.set_hostname("a.test").unwrap();
    let socket = TcpStream::connect(middle).unwrap();
    let mut stream = ssl.connect(socket).unwrap();
    stream
        .write_all(b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        .unwrap();
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).unwrap();
    assert!(count > 0);
    drop(stream);
    let sessions = sessions.lock().unwrap();
    sessions.clone()
}

fn resumes(server: SocketAddr, version: &[&str], der: &[u8]) -> bool {
    let sessions = std::sync::Arc::default();
    let mut ssl = Ssl::new(&context(version, &sessions)).unwrap();
    ssl.set_hostname("a.test").unwrap();
    client::offer(&mut ssl, &SslSession::from_der(der).unwrap()).unwrap();
    let stream = ssl.connect(TcpStream::connect(server).unwrap()).unwrap();
    stream.ssl().session_reused()
}

#[test]
fn what_is_no_session_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("session.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
    let arguments = ["127.0.0.1:1", "--session-in", file.to_str().unwrap()];
    let (run, document): (_, Value) = probe::probe(dir.path(), &arguments).unwrap();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("not of a session"), "{}", run.stderr);
    assert_eq!(document["complete"], false);
}
