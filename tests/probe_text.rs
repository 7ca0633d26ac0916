//! What `probe` tells people: the text of a run says what the document of the same run says, for
//! names compared, a server watched, and sessions ended. The servers are real; which words have to
//! be there follows from how they are configured.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::observe::State;
use support::table::{Block, Group, Row, Running};
use support::{install, nginx, program};

/// nginx with one address for these names, whose blocks hold these lines.
fn start(blocks: &[(&'static str, &'static str)]) -> (Running, String) {
    let block = |(name, lines): &(&'static str, &'static str)| Block::new(name, lines, State::ON);
    let group = Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows: vec![Row::new("row", blocks.iter().map(block).collect())],
    };
    let running = nginx::start(&install::nginx_mainline(), &group);
    let address = running.targets[0][0].address.to_string();
    (running, address)
}

/// The text on stdout, and the document of the same run.
fn both(dir: &Path, arguments: &[&str]) -> (String, Value) {
    let file = dir.join("probe.json");
    let output = format!("json={}", file.display());
    let first = [
        "probe", "--rate", "5000", "--color", "never", "--output", &output,
    ];
    let run = program::run(dir, &[&first, arguments].concat());
    assert_eq!(run.code, Some(0), "{} {}", run.stdout, run.stderr);
    let document = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    (run.stdout, document)
}

/// The cells of the lines behind this head, up to the first line that is no row of it.
fn rows(text: &str, head: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let parts = line.split("  ").map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let mut lines = text.lines().skip_while(|line| cells(line) != head);
    assert!(lines.next().is_some(), "no {head:?} in\n{text}");
    lines
        .map(cells)
        .take_while(|row| row.len() == head.len())
        .collect()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a Vec<Value> {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.unwrap_or_else(|| panic!("no list {pointer}"))
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[test]
fn names_that_share_a_key_are_a_table_of_pairs() {
    let (running, address) = start(&[("a.test", ""), ("b.test", "")]);
    let arguments = [&*address, "--across", "a.test", "b.test"];
    let (text, document) = both(running.dir.path(), &arguments);
    for (number, place) in list(&document, "/crossings/places").iter().enumerate() {
        let line = format!("  #{} {}", number + 1, place.as_str().unwrap());
        assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
    }
    let shown = rows(&text, &["FROM", "TO", "TLS", "OUTCOME"]);
    let pairs = list(&document, "/crossings/pairs");
    assert_eq!(shown.len(), pairs.len(), "{text}");
    for (row, pair) in shown.iter().zip(pairs) {
        let place = |name: &str| format!("#{}", pair[name].as_u64().unwrap() + 1);
        assert_eq!(row[..2], [place("from"), place("to")]);
        assert_eq!(row[2], word(pair, "kind"));
        let outcome = word(pair, "outcome");
        let answers = pair["status"].as_u64().filter(|_| outcome == "resumes");
        let wanted = match answers {
            Some(status) => format!("{outcome}, answers {status}"),
            None => outcome.to_owned(),
        };
        assert_eq!(row[3], wanted);
    }
    // One server and one ticket key: a ticket of either name resumes at the other.
    let ticket = |row: &&Vec<String>| row[0] == "#1" && row[1] == "#2" && row[2] == "1.2-ticket";
    assert!(shown.iter().find(ticket).unwrap()[3].starts_with("resumes"));
    assert!(text.contains("is shared by #1, #2, #3, #4"), "{text}");
}

#[test]
fn a_server_that_keeps_its_key_is_said_to() {
    let (running, address) = start(&[("a.test", "")]);
    let arguments = [&*address, "--watch", "2s", "--attempts", "1"];
    let (text, document) = both(running.dir.path(), &arguments);
    let watched = &document["endpoints"][0]["watched"];
    let keys = list(watched, "/keys");
    assert_eq!(keys.len(), 1, "{watched:#}");
    let key = format!("  key {} first seen after", word(&keys[0], "name"));
    assert!(text.contains(&key), "no {key} in\n{text}");
    assert!(text.contains("  the key did not change\n"), "{text}");
    // nginx's tickets live for five minutes: both kinds resume for all of two seconds.
    for kind in ["1.2-ticket", "1.3"] {
        let start = format!("  TLS {kind}, one session");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        assert!(line.contains("300 s"), "{line}");
        assert!(line.contains("resumed to the end, after "), "{line}");
    }
    // Without a cache, an id resumes nowhere.
    let id = text
        .lines()
        .find(|line| line.starts_with("  TLS 1.2-id, one session"));
    assert!(id.unwrap().ends_with("never resumed"), "{text}");
}

#[test]
fn a_server_without_sessions_has_no_key_to_watch() {
    let (running, address) = start(&[("a.test", "ssl_session_tickets off;")]);
    let arguments = [&*address, "--watch", "2s", "--attempts", "1"];
    let (text, _) = both(running.dir.path(), &arguments);
    assert!(text.contains("  no ticket key was seen\n"), "{text}");
}

/// The table of the guide on ending a session: what the server keeps, a fatal alert ends; what the
/// client keeps, nothing does.
#[test]
fn what_a_client_can_end_is_a_table() {
    let cache = "ssl_session_tickets off;\nssl_session_cache shared:{zone}:1m;";
    for (lines, fate) in [(cache, "gone"), ("ssl_session_tickets on;", "kept")] {
        let (running, address) = start(&[("a.test", lines)]);
        let arguments = [
            &*address,
            "--sni",
            "a.test",
            "--invalidate",
            "--attempts",
            "1",
        ];
        let (text, document) = both(running.dir.path(), &arguments);
        let head = format!("what a client can end at {address} (a.test)");
        assert!(text.contains(&head), "no {head} in\n{text}");
        assert!(text.contains("A stateless ticket cannot be ended"));
        let shown = rows(&text, &["TLS", "CONNECTION", "ENDED BY", "ITS SESSIONS"]);
        let tried = list(&document, "/endings/0/tried");
        assert_eq!(shown.len(), tried.len(), "{text}");
        for (row, it) in shown.iter().zip(tried) {
            let names = ["kind", "connection", "way"].map(|name| word(it, name).to_owned());
            assert_eq!(row[..3], names);
            let fates: Vec<&str> = list(it, "/still_resumes")
                .iter()
                .map(|still| if still == true { "kept" } else { "gone" })
                .collect();
            let each = fates.iter().zip(1..);
            let each = each.map(|(fate, number)| format!("ticket {number}: {fate}"));
            let wanted = match (it["untried"].as_str(), &fates[..]) {
                (Some(why), _) => format!("not tried: {why}"),
                (None, [one]) => (*one).to_owned(),
                (None, _) => each.collect::<Vec<_>>().join(", "),
            };
            assert_eq!(row[3], wanted);
        }
        let alerts = shown
            .iter()
            .filter(|row| row[1..3] == ["full", "fatal-alert"]);
        let alerts: Vec<_> = alerts.filter(|row| !row[3].starts_with("not")).collect();
        assert!(!alerts.is_empty(), "{text}");
        assert!(alerts.iter().all(|row| row[3].contains(fate)), "{text}");
    }
}
