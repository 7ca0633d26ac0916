//! The command line of `probe`: its documents against their schema, names and addresses
//! compared, client certificates, mail, the PROXY protocol, IPv6, early data, and refusals.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "cli/schema.rs"]
mod schema;
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod};
use serde_json::Value;
use support::client::{Manner, Speech};
use support::mail::Protocol;
use support::observe::State;
use support::program::Run;
use support::table::{Block, Group, Row, Running};
use support::{certs, install, nginx, probe, program};

/// Runs, reads the document, checks it against the schema and the exit code.
fn document(state: &Path, code: i32, arguments: &[&str]) -> Value {
    let (run, document) = probe::probe(state, arguments).unwrap();
    assert_eq!(
        run.code,
        Some(code),
        "{arguments:?}: {} {}",
        run.stdout,
        run.stderr
    );
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/probe-1.json");
    let schema = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let wrong = schema::violations(&schema, &document);
    assert!(wrong.is_empty(), "{arguments:?}:\n{}", wrong.join("\n"));
    document
}

fn group(rows: Vec<Row>) -> Group {
    Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows,
    }
}

fn row(blocks: &[(&'static str, &'static str)]) -> Row {
    let block = |(name, lines): &(&'static str, &'static str)| Block::new(name, lines, State::ON);
    Row::new("row", blocks.iter().map(block).collect())
}

fn address(running: &Running, row: usize) -> String {
    running.targets[row][0].address.to_string()
}

/// The outcomes between two places of `crossings`, by kind.
fn outcomes(document: &Value, from: usize, to: usize) -> Vec<String> {
    let pairs = document["crossings"]["pairs"].as_array().unwrap();
    let here = pairs
        .iter()
        .filter(|pair| pair["from"] == from && pair["to"] == to);
    let word = |pair: &Value| {
        let (kind, outcome) = (
            pair["kind"].as_str().unwrap(),
            pair["outcome"].as_str().unwrap(),
        );
        format!("{kind} {outcome}")
    };
    here.map(word).collect()
}

#[test]
fn names_of_one_address_are_compared() {
    let running = nginx::start(
        &install::nginx_mainline(),
        &group(vec![row(&[("a.test", ""), ("b.test", "")])]),
    );
    let address = address(&running, 0);
    let document = document(
        running.dir.path(),
        0,
        &[&address, "--across", "a.test", "b.test"],
    );
    let places = document["crossings"]["places"].as_array().unwrap();
    let named = |name: &str| format!("{address} ({name})");
    assert_eq!(places[0], named("a.test"));
    assert_eq!(places[1], named("b.test"));
    assert_eq!(places[2], address);
    assert_eq!(places[3], named("stekguard-unknown.invalid"));
    // One certificate, one ticket key of the default server: everything crosses.
    for (from, to) in [(0, 1), (1, 0), (2, 0), (0, 3)] {
        let wanted = ["1.2-id none", "1.2-ticket resumes", "1.3 resumes"];
        let seen = outcomes(&document, from, to);
        // nginx sends an id that resumes nowhere.
        assert_eq!(seen[0], "1.2-id full");
        assert_eq!(seen[1..], wanted[1..], "{from} to {to}");
    }
    let shared = document["crossings"]["shared_keys"].as_array().unwrap();
    assert_eq!(shared[0]["places"].as_array().unwrap().len(), 4);
    assert_eq!(document["verdicts"].as_array().unwrap().len(), 0);
}

/// The same certificate and authorities, and a list of revocations at one of the two names: the
/// session of a revoked client opens what its certificate does not.
#[test]
fn a_session_that_opens_another_name_is_found() {
    let first = "ssl_verify_client on;\nssl_client_certificate {dir}/ca1.pem;";
    let second =
        "ssl_verify_client on;\nssl_client_certificate {dir}/ca1.pem;\nssl_crl {dir}/one.crl;";
    let rows = vec![row(&[("a.test", first), ("b.test", second)])];
    let running = nginx::start(&install::nginx_mainline(), &group(rows));
    let file = |end: &str| {
        running
            .dir
            .path()
            .join(format!("client1.{end}"))
            .display()
            .to_string()
    };
    let address = address(&running, 0);
    let arguments = [
        &*address,
        "--client-cert",
        &file("crt"),
        "--client-key",
        &file("key"),
        "--across",
        "a.test",
        "b.test",
    ];
    let document = document(running.dir.path(), 1, &arguments);
    let pairs = document["crossings"]["pairs"].as_array().unwrap();
    let pair = pairs
        .iter()
        .find(|it| it["from"] == 0 && it["to"] == 1 && it["kind"] == "1.3")
        .unwrap();
    assert_eq!(pair["outcome"], "resumes");
    assert_eq!(
        (&pair["status"], &pair["full_status"]),
        (&200.into(), &400.into())
    );
    assert_eq!(pair["opens"], true);
    let back = pairs
        .iter()
        .find(|it| it["from"] == 1 && it["to"] == 0 && it["kind"] == "1.3")
        .unwrap();
    assert_eq!(back["opens"], false, "{back}");
    let verdicts = document["verdicts"].as_array().unwrap();
    assert!(
        verdicts
            .iter()
            .all(|it| it["id"] == "session-opens-another-name"),
        "{verdicts:?}"
    );
    assert!(verdicts.len() >= 2);
}

#[test]
fn addresses_behind_a_name_are_compared() {
    let keyed = "ssl_session_ticket_key {dir}/k2.key;";
    let rows = vec![
        row(&[("a.test", keyed)]),
        row(&[("a.test", keyed)]),
        row(&[("a.test", "")]),
    ];
    let running = nginx::start(&install::nginx_mainline(), &group(rows));
    let all: Vec<String> = (0..3).map(|index| address(&running, index)).collect();
    let arguments = [&*all[0], &*all[1], &*all[2], "--sni", "a.test", "--fleet"];
    let document = document(running.dir.path(), 0, &arguments);
    assert_eq!(
        outcomes(&document, 0, 1)[1..],
        ["1.2-ticket resumes", "1.3 resumes"]
    );
    assert_eq!(
        outcomes(&document, 0, 2)[1..],
        ["1.2-ticket full", "1.3 full"]
    );
    let key = std::fs::read(running.dir.path().join("k2.key")).unwrap();
    let name: String = key[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let shared = document["crossings"]["shared_keys"].as_array().unwrap();
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0]["key"], name);
    assert_eq!(shared[0]["places"], serde_json::json!([0, 1]));
}

#[test]
fn mail_servers_are_seen_with_and_without_starttls() {
    let program = install::nginx_middle();
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
        for speech in [Speech::Mail(protocol), Speech::StartTls(protocol)] {
            let rows = vec![row(&[("a.test", "")])];
            let running = nginx::start_as(&program, &group(rows), speech);
            let manner = Manner {
                speech,
                ..Manner::default()
            };
            let seen =
                probe::endpoint(running.dir.path(), &manner, &running.targets[0][0]).unwrap();
            assert_eq!(
                probe::state_line(&seen),
                State::ON.to_string(),
                "{speech:?}"
            );
        }
    }
}

#[test]
fn early_data_is_sent_twice_and_the_proxy_line_first() {
    let mut behind = Block::new("a.test", "ssl_early_data on;", State::ON);
    behind.listen = " proxy_protocol";
    let rows = vec![Row::new("row", vec![behind])];
    let running = nginx::start(&install::nginx_mainline(), &group(rows));
    let address = address(&running, 0);
    let look = |code, more: &[&str]| {
        let arguments = [&[&*address, "--sni", "a.test", "--timeout", "3s"], more].concat();
        document(running.dir.path(), code, &arguments)
    };
    look(3, &[]);
    let document = look(1, &["--proxy-protocol"]);
    let early = &document["endpoints"][0]["early_data"];
    assert_eq!(
        (&early["accepted"], &early["accepted_again"]),
        (&true.into(), &true.into())
    );
    assert_eq!(early["bytes"], 16384);
    assert_eq!(document["verdicts"][0]["id"], "early-data-replay");
}

#[test]
fn a_file_beside_the_server_and_every_format_at_once() {
    let running = nginx::start(
        &install::nginx_mainline(),
        &group(vec![row(&[("a.test", "")])]),
    );
    let root = running.root.display().to_string();
    let file = |name: &str| running.dir.path().join(name).display().to_string();
    let version = format!("nginx={}", install::nginx_mainline().version);
    let (json, sarif) = (file("out.json"), file("out.sarif"));
    // The files promise another lifetime than the server was started with.
    let text = std::fs::read_to_string(&root).unwrap();
    let changed = text.replace(
        "server_name a.test;",
        "server_name a.test; ssl_session_timeout 9m;",
    );
    std::fs::write(&root, changed).unwrap();
    let outputs = [format!("json={json}"), format!("sarif={sarif}")];
    let arguments = [
        "probe",
        "--config",
        &root,
        "--server-version",
        &version,
        "-o",
        &outputs[0],
        "-o",
        &outputs[1],
    ];
    let run: Run = program::run(running.dir.path(), &arguments);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("the files beside the server"));
    let read =
        |file: &str| -> Value { serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap() };
    let said = read(&json);
    assert_eq!(said["verdicts"].as_array().unwrap().len(), 2, "{said:#}");
    let log = read(&sarif);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let line = 1 + text
        .lines()
        .position(|line| line.contains("server_name a.test"))
        .unwrap();
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], line);
        assert_eq!(place["artifactLocation"]["uri"], format!("file://{root}"));
        assert_eq!(result["ruleId"], "configuration-differs");
    }
    document(
        running.dir.path(),
        1,
        &["--config", &root, "--server-version", &version],
    );
    let address = address(&running, 0);
    let seen = document(
        running.dir.path(),
        0,
        &[&address, "--invalidate", "--attempts", "1"],
    );
    assert_eq!(seen["endings"].as_array().unwrap().len(), 1);
    document(
        running.dir.path(),
        0,
        &[&address, "--watch", "2s", "--attempts", "1"],
    );
}

/// A TLS server of this process that answers every request; its context may be changed.
fn own_server(bind: &str, change: impl Fn(&mut SslContextBuilder)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let pair = certs::self_signed(dir.path(), "peer", &["peer.test"], "nonce");
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder
        .set_certificate_file(&pair.cert, SslFiletype::PEM)
        .unwrap();
    builder
        .set_private_key_file(&pair.key, SslFiletype::PEM)
        .unwrap();
    builder.set_session_id_context(b"peer").unwrap();
    change(&mut builder);
    let context = builder.build();
    let listener = TcpListener::bind(bind).expect("a loopback address");
    let place = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(mut stream) = Ssl::new(&context).unwrap().accept(stream) else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            let _ = stream.shutdown();
        }
    });
    place
}

#[test]
fn ipv6_addresses_are_reached_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let place = own_server("[::1]:0", |_| {});
    let document = document(dir.path(), 0, &[&place, "--attempts", "2"]);
    let seen = &document["endpoints"][0];
    assert_eq!(seen["address"], place);
    assert_eq!(seen["name"], Value::Null);
    assert_eq!(seen["status"], 204);
    assert_eq!(seen["certificate"]["subject"], "peer.test");
    assert_eq!(seen["certificate"]["distrusted"], "self-signed certificate");
    assert_eq!(seen["tls13"]["ticket"]["resumes"], "always");
    assert_eq!(seen["tls13"]["ticket"]["single_use"], false);
}

/// OpenSSL keeps the sessions of a server that takes early data, and gives each away once.
#[test]
fn sessions_that_resume_once_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let place = own_server("127.0.0.1:0", |builder| {
        builder.set_max_early_data(1024).unwrap();
    });
    let document = document(dir.path(), 0, &[&place, "--attempts", "3"]);
    let seen = &document["endpoints"][0]["tls13"];
    assert_eq!(seen["issued"], "stateful");
    assert_eq!(seen["ticket"]["resumes"], "always");
    assert_eq!(seen["ticket"]["single_use"], true);
    let tls12 = &document["endpoints"][0]["tls12"]["ticket"];
    assert_eq!(
        (&tls12["resumes"], &tls12["single_use"]),
        (&"always".into(), &false.into())
    );
}

#[test]
fn the_rate_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = own_server("127.0.0.1:0", |_| {});
    let started = Instant::now();
    let arguments = [
        "probe",
        &place,
        "--tls",
        "1.3",
        "--attempts",
        "3",
        "--rate",
        "5",
    ];
    let run = program::run(dir.path(), &arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // Three full handshakes, three resumptions and one more: six gaps of 200 ms.
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(1200), "{took:?}");
}

#[test]
fn what_cannot_be_asked_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&[][..], "HOST"),
        (&["a.test:0"], "no port from 1 to 65535"),
        (&["https://a.test/"], "is a URL"),
        (&["a.test", "--attempts", "0"], "0 is not in 1..=1000"),
        (&["a.test", "--watch", "5w"], "none of s, m, h, d"),
        (
            &["a.test", "--fleet", "--invalidate"],
            "cannot be used with",
        ),
        (&["a.test", "--client-key", "x"], "--client-cert"),
        (&["a.test", "--server-version", "nginx=1.28.3"], "--config"),
        (&["a.test", "--starttls", "ftp"], "invalid value"),
        (
            &["127.0.0.1:1", "--client-cert", "/nowhere.pem"],
            "/nowhere.pem",
        ),
        (&["--config", "/nowhere.conf"], "/nowhere.conf"),
    ] {
        let run = program::run(dir.path(), &[&["probe"], arguments].concat());
        assert_eq!(
            run.code,
            Some(2),
            "{arguments:?}: {} {}",
            run.stdout,
            run.stderr
        );
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn failures_are_documents_too() {
    let dir = tempfile::tempdir().unwrap();
    let place = support::server::free_address().to_string();
    let seen = document(dir.path(), 3, &[&place, "--retries", "0"]);
    assert_eq!(seen["complete"], false);
    let missing = document(dir.path(), 2, &["--config", "/nowhere.conf"]);
    assert_eq!(missing["complete"], false);
    assert_eq!(missing["incomplete"].as_array().unwrap().len(), 1);
}
