//! Baselines on the real binary: known findings are quiet, new ones are told, gone ones counted,
//! whatever lines come and go.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "settings/binary.rs"]
#[allow(dead_code)]
mod binary;
#[path = "cli/schema.rs"]
mod schema;

use std::fs;

use binary::{run, tree, write};
use serde_json::Value;

/// A server with a finding of its own.
fn server(port: u16) -> String {
    format!(
        "server {{\n    listen {port} ssl;\n    ssl_certificate a.pem;\n    ssl_certificate_key \
         a.key;\n    ssl_session_tickets on;\n}}\n"
    )
}

fn site(ports: &[u16]) -> String {
    let servers: String = ports.iter().map(|port| server(*port)).collect();
    format!("events {{}}\nhttp {{\n{servers}}}\n")
}

fn begun(ports: &[u16]) -> tempfile::TempDir {
    let folder = tree(&[("nginx.conf", site(ports).as_bytes())]);
    let written = run(
        folder.path(),
        &["lint", "--write-baseline", "known.json", "."],
    );
    assert_eq!(written.code, 0, "{written:?}");
    folder
}

fn document(folder: &std::path::Path, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn known_findings_are_quiet_and_new_ones_told() {
    let folder = begun(&[443, 444]);
    let known = document(folder.path(), "known.json");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/baseline-1.json");
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(schema::violations(&schema, &known).is_empty());
    let entries = known["findings"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_ne!(entries[0]["fingerprint"], entries[1]["fingerprint"]);

    let same = run(folder.path(), &["lint", "--baseline", "known.json", "."]);
    assert_eq!((same.code, same.out.as_str()), (0, ""), "{same:?}");
    assert!(same.err.contains("; 2 in the baseline"), "{same:?}");

    // Lines above and between change nothing.
    let moved = site(&[443, 444]).replace("server {", "# one more line\n\nserver {");
    write(
        folder.path(),
        "nginx.conf",
        format!("# a head\n{moved}").as_bytes(),
    );
    let same = run(folder.path(), &["lint", "--baseline", "known.json", "."]);
    assert_eq!((same.code, same.out.as_str()), (0, ""), "{same:?}");

    write(
        folder.path(),
        "nginx.conf",
        site(&[443, 444, 445]).as_bytes(),
    );
    let new = run(
        folder.path(),
        &["lint", "--format", "json", "--baseline", "known.json", "."],
    );
    assert_eq!(new.code, 1);
    let report: Value = serde_json::from_str(&new.out).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["suppressed"][0]["by"], "baseline");
    assert_eq!(report["summary"]["suppressed"], 2);
}

#[test]
fn gone_findings_are_counted_and_leave_a_new_baseline() {
    let folder = begun(&[443, 444]);
    write(folder.path(), "nginx.conf", site(&[443]).as_bytes());
    let less = run(folder.path(), &["lint", "--baseline", "known.json", "."]);
    assert_eq!(less.code, 0, "{less:?}");
    assert!(
        less.err
            .contains("; 1 in the baseline; 1 of the baseline gone"),
        "{less:?}"
    );
    let again = [
        "lint",
        "--baseline",
        "known.json",
        "--write-baseline",
        "known.json",
        ".",
    ];
    assert_eq!(run(folder.path(), &again).code, 0);
    assert_eq!(
        document(folder.path(), "known.json")["findings"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // A file that is not looked at is not gone.
    write(folder.path(), "other/nginx.conf", b"events {}\n");
    let other = run(
        folder.path(),
        &["lint", "--baseline", "known.json", "other"],
    );
    assert!(!other.err.contains("gone"), "{other:?}");
}

#[test]
fn paths_are_from_the_baselines_folder() {
    let folder = begun(&[443]);
    let known = document(folder.path(), "known.json");
    assert_eq!(known["findings"][0]["path"], "nginx.conf");
    // From elsewhere, by an absolute path.
    let below = folder.path().join("deep");
    fs::create_dir(&below).unwrap();
    let whole = folder.path().join("nginx.conf");
    let arguments = [
        "lint",
        "--baseline",
        "../known.json",
        whole.to_str().unwrap(),
    ];
    let same = run(&below, &arguments);
    assert_eq!((same.code, same.out.as_str()), (0, ""), "{same:?}");
    // Moved to another machine's folder, both together.
    let moved = tree(&[
        ("nginx.conf", &fs::read(&whole).unwrap()),
        (
            "known.json",
            &fs::read(folder.path().join("known.json")).unwrap(),
        ),
    ]);
    assert_eq!(
        run(moved.path(), &["lint", "--baseline", "known.json", "."]).code,
        0
    );
}

#[test]
fn an_incomplete_result_makes_no_baseline_and_is_never_hidden() {
    let text = format!("include missing.conf;\n{}", site(&[443]));
    let folder = tree(&[("nginx.conf", text.as_bytes())]);
    let written = run(
        folder.path(),
        &["lint", "--write-baseline", "known.json", "."],
    );
    assert_eq!(written.code, 2);
    assert!(
        written.err.contains("known.json: not written"),
        "{written:?}"
    );
    assert!(!folder.path().join("known.json").exists());
    let folder = begun(&[443]);
    write(folder.path(), "nginx.conf", text.as_bytes());
    let same = run(folder.path(), &["lint", "--baseline", "known.json", "."]);
    assert_eq!(same.code, 2, "{same:?}");
}

#[test]
fn what_is_no_baseline_is_named_with_its_line() {
    let folder = begun(&[443]);
    let deep = "[".repeat(200_000);
    for (bytes, words) in [
        (
            &b"{\n  \"schema\": 3\n}"[..],
            "bad.json:2: this is no baseline",
        ),
        (
            b"{\"schema\": \"stekguard-baseline/2\", \"findings\": []}",
            "its schema is",
        ),
        (b"\xff\xfe", "bad.json:1: this is no baseline"),
        (b"", "bad.json:1: this is no baseline"),
        (deep.as_bytes(), "bad.json:1: this is no baseline"),
    ] {
        write(folder.path(), "bad.json", bytes);
        let run = run(folder.path(), &["lint", "--baseline", "bad.json", "."]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.err.contains(words), "{words}: {run:?}");
    }
    let missing = run(folder.path(), &["lint", "--baseline", "none.json", "."]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("none.json: no such file"),
        "{missing:?}"
    );
}

#[test]
fn less_sure_findings_can_be_left_out() {
    // Under a condition that nothing decides, a finding is less sure.
    let text = "Listen 443\n<IfDefine MAYBE>\n<VirtualHost *:443>\n  SSLEngine on\n  \
        SSLCertificateFile a.pem\n  SSLSessionTickets on\n</VirtualHost>\n</IfDefine>\n";
    let folder = tree(&[("httpd.conf", text.as_bytes())]);
    let confidences = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec!["lint", "--format", "json"];
        all.extend(arguments);
        let run = run(folder.path(), &all);
        let report: Value = serde_json::from_str(&run.out).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|it| it["confidence"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = confidences(&["."]);
    assert!(all.iter().any(|it| it != "high"), "{all:?}");
    let sure = confidences(&["--min-confidence", "high", "."]);
    assert!(
        sure.iter().all(|it| it == "high") && sure.len() < all.len(),
        "{sure:?}"
    );
    write(
        folder.path(),
        "stekguard.toml",
        b"min_confidence = \"high\"\n",
    );
    assert_eq!(confidences(&["."]), sure);
    assert_eq!(confidences(&["--min-confidence", "low", "."]), all);
}
