//! `probe` against real nginx servers: the truth table of one server, and which of two blocks
//! decides, as the program itself sees it; and ticket keys that differ in nothing but how they
//! are made and kept, each told apart.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use std::fs;

use serde_json::{Value, json};
use support::install::{self, Program};
use support::observe::State;
use support::table::{Block, Group, Row};
use support::{nginx, probe};
use tempfile::TempDir;

fn equals_table(program: &Program, family: usize) {
    let groups = rows::nginx::groups();
    let judged = probe::equals_table(groups, family, |group| nginx::start(program, group));
    assert!(judged > 40, "{judged}");
}

#[test]
fn the_packaged_nginx_is_seen_as_the_table_says() {
    equals_table(&install::nginx_packaged(), 0);
}

#[test]
fn the_middle_nginx_is_seen_as_the_table_says() {
    equals_table(&install::nginx_middle(), 1);
}

#[test]
fn the_current_nginx_is_seen_as_the_table_says() {
    equals_table(&install::nginx_mainline(), 2);
}

/// Servers that differ in their ticket keys alone, and two without tickets.
fn keys_group(files: &TempDir) -> Group {
    let file = |name: &str, bytes: &[u8]| {
        let path = files.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let mut random = [0; 80];
    openssl::rand::rand_bytes(&mut random).unwrap();
    let zero = file("zero.key", &[0; 80]);
    let short = file("short.key", &[0; 48]);
    let mut counted = [0; 80];
    counted
        .iter_mut()
        .zip(0..)
        .for_each(|(byte, at)| *byte = at);
    let counted = file("counted.key", &counted);
    // The HMAC half is random, the other is not.
    let mut half = random;
    half[48..].fill(b'1');
    let half = file("half.key", &half);
    let fixed = file("fixed.key", &random);
    let rows = [
        ("zero", format!("ssl_session_ticket_key {zero};")),
        ("short", format!("ssl_session_ticket_key {short};")),
        ("counted", format!("ssl_session_ticket_key {counted};")),
        ("half", format!("ssl_session_ticket_key {half};")),
        (
            "static",
            format!("ssl_session_ticket_key {fixed};\nssl_session_timeout 5s;"),
        ),
        (
            "rotating",
            "ssl_session_cache shared:rotating:1m;\nssl_session_timeout 5s;".to_owned(),
        ),
        (
            "cached",
            "ssl_session_tickets off;\nssl_session_cache shared:cached:1m;".to_owned(),
        ),
        (
            "off",
            "ssl_session_tickets off;\nssl_session_cache off;".to_owned(),
        ),
    ];
    let rows = rows.into_iter().map(|(name, lines)| {
        let lines: &'static str = Box::leak(lines.into_boxed_str());
        Row::new(name, vec![Block::new("a.test", lines, State::ON)])
    });
    Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows: rows.collect(),
    }
}

fn watched(program: &Program) -> (Vec<&'static str>, Value) {
    let files = TempDir::new().unwrap();
    let group = keys_group(&files);
    let running = nginx::start(program, &group);
    let addresses: Vec<String> = running
        .targets
        .iter()
        .map(|row| row[0].address.to_string())
        .collect();
    let mut arguments: Vec<&str> = addresses.iter().map(String::as_str).collect();
    arguments.extend([
        "--sni",
        "a.test",
        "--watch",
        "18s",
        "--every",
        "1s",
        "--fail-on",
        "error",
    ]);
    let (run, document) = probe::probe(running.dir.path(), &arguments).unwrap();
    // The keys that everybody knows.
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    (group.rows.iter().map(|row| row.name).collect(), document)
}

/// What tells the servers apart, from the document alone.
fn apart(endpoint: &Value) -> Value {
    let watched = &endpoint["watched"];
    let weak = endpoint["keys"][0]["weak"]["pattern"].as_str();
    let part = endpoint["keys"][0]["weak"]["part"].as_str();
    let keys = watched["keys"].as_array().map_or(0, Vec::len);
    json!({
        "issued": [endpoint["tls12"]["issued"], endpoint["tls13"]["issued"]],
        "resumes": [endpoint["tls12"]["session_id"]["resumes"], endpoint["tls12"]["ticket"]["resumes"],
            endpoint["tls13"]["ticket"]["resumes"]],
        "weak": weak.map(|weak| format!("{}: {weak}", part.unwrap_or("?"))),
        "key": match keys { 0 => "none", 1 => "static", _ => "changes" },
    })
}

fn told_apart(program: &Program, rotates: bool) -> Value {
    let (names, document) = watched(program);
    let stateless = |weak: Option<&str>, id: &str, key: &str| {
        json!({"issued": ["stateless", "stateless"], "resumes": [id, "always", "always"],
            "weak": weak, "key": key})
    };
    let wanted = [
        (
            "zero",
            stateless(Some("both: all bytes 00"), "never", "static"),
        ),
        (
            "short",
            stateless(Some("both: all bytes 00"), "never", "static"),
        ),
        (
            "counted",
            stateless(Some("both: bytes counting up from 10"), "never", "static"),
        ),
        (
            "half",
            stateless(Some("aes: all bytes 31"), "never", "static"),
        ),
        ("static", stateless(None, "never", "static")),
        (
            "rotating",
            stateless(None, "always", if rotates { "changes" } else { "static" }),
        ),
        (
            "cached",
            json!({"issued": ["none", "stateful"], "resumes": ["always", "always", "always"],
            "weak": null, "key": "none"}),
        ),
        (
            "off",
            json!({"issued": ["none", "stateful"], "resumes": ["never", "never", "never"],
            "weak": null, "key": "none"}),
        ),
    ];
    for (index, (name, wanted)) in wanted.iter().enumerate() {
        assert_eq!(names[index], *name);
        let endpoint = &document["endpoints"][index];
        println!("{name}: {}", apart(endpoint));
        assert_eq!(apart(endpoint), *wanted, "{name}: {endpoint:#}");
    }
    let verdicts = document["verdicts"].as_array().unwrap();
    let weak = verdicts.iter().filter(|it| it["id"] == "weak-ticket-key");
    assert_eq!(weak.count(), 4);
    document
}

/// The chain of a kind: whether it outlived the first session's lifetime.
fn chain<'a>(document: &'a Value, row: usize, kind: &str) -> &'a Value {
    let chains = document["endpoints"][row]["watched"]["chains"]
        .as_array()
        .unwrap();
    chains.iter().find(|chain| chain["kind"] == kind).unwrap()
}

#[test]
fn ticket_keys_of_the_current_nginx_are_told_apart() {
    let document = told_apart(&install::nginx_mainline(), true);
    let rotating = &document["endpoints"][5]["watched"];
    let (least, most) = (&rotating["period"][0], &rotating["period"][1]);
    println!("rotates every {least} to {most} s: {}", rotating["keys"]);
    // One key encrypts for about one timeout.
    assert!(
        least.as_u64().unwrap() >= 4 && most.as_u64().unwrap() <= 7,
        "{rotating:#}"
    );
    // Bounded since 1.23.2: a chain ends with the first session's time.
    for row in [4, 5] {
        let chain = chain(&document, row, "1.3");
        println!("chain: {chain}");
        assert_eq!(chain["unbounded"], false, "{chain}");
        assert!(chain["dead_at"].as_u64().unwrap() <= 7, "{chain}");
        let life = &document["endpoints"][row]["watched"]["session"][0];
        assert!(life["alive_at"].as_u64().unwrap() >= 3, "{life}");
        assert!(
            (5..=7).contains(&life["dead_at"].as_u64().unwrap()),
            "{life}"
        );
    }
}

#[test]
fn ticket_keys_of_the_packaged_nginx_are_told_apart() {
    let document = told_apart(&install::nginx_packaged(), false);
    for row in [4, 5] {
        let chain = chain(&document, row, "1.3");
        println!("chain: {chain}");
        assert_eq!(chain["unbounded"], true, "{chain}");
        assert!(chain["dead_at"].is_null(), "{chain}");
    }
    let verdicts = document["verdicts"].as_array().unwrap();
    assert!(verdicts.iter().any(|it| it["id"] == "unbounded-session"));
}
