//! The formats of `lint` on the real binary: each says what JSON says, parses as what it is,
//! stays whole with hostile names, and is never clean where something was not read.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod formats_support;
#[path = "cli/schema.rs"]
mod schema;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats_support::{demo, hostile, json_in, run_in, tree, xml};
use serde_json::Value;

/// Formats that programs read.
const DOCUMENTS: [&str; 7] = [
    "json",
    "json-lines",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
];

const SOUND: &str = "events {}\nhttp {\n    ssl_session_tickets off;\n    server {\n        \
                     listen 443 ssl;\n        ssl_certificate a.pem;\n        \
                     ssl_certificate_key a.key;\n    }\n}\n";

/// `rule path line` of every finding.
type Said = BTreeSet<(String, String, u64)>;

fn said(rule: &str, path: &str, line: u64) -> (String, String, u64) {
    let rule = rule.strip_prefix("stekguard.").unwrap_or(rule);
    (rule.to_owned(), path.to_owned(), line)
}

/// What a format says, read back by other means than it was written.
fn read_back(format: &str, text: &str) -> Said {
    match format {
        "json" => {
            let document: Value = serde_json::from_str(text).unwrap();
            let findings = document["findings"].as_array().unwrap().iter();
            findings.map(from_json).collect()
        }
        "json-lines" => {
            let lines = text
                .lines()
                .map(|it| serde_json::from_str::<Value>(it).unwrap());
            let findings = lines.filter(|line| line["type"] == "finding");
            findings.map(|line| from_json(&line)).collect()
        }
        "sarif" => {
            let document: Value = serde_json::from_str(text).unwrap();
            let results = document["runs"][0]["results"].as_array().unwrap().iter();
            results
                .map(|it| {
                    let place = &it["locations"][0]["physicalLocation"];
                    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                    let line = place["region"]["startLine"].as_u64().unwrap();
                    said(it["ruleId"].as_str().unwrap(), &percent_decoded(uri), line)
                })
                .collect()
        }
        "github" => text.lines().map(from_github).collect(),
        "gitlab" => {
            let document: Value = serde_json::from_str(text).unwrap();
            let issues = document.as_array().unwrap().iter();
            issues
                .map(|it| {
                    let place = &it["location"];
                    let line = place["lines"]["begin"].as_u64().unwrap();
                    let path = place["path"].as_str().unwrap();
                    said(it["check_name"].as_str().unwrap(), path, line)
                })
                .collect()
        }
        "junit" => from_junit(&xml(text)),
        "checkstyle" => from_checkstyle(&xml(text)),
        _ => panic!("{format}"),
    }
}

fn from_json(finding: &Value) -> (String, String, u64) {
    let text = |name: &str| finding[name].as_str().unwrap();
    said(
        text("rule"),
        text("path"),
        finding["line"].as_u64().unwrap(),
    )
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// As the runner reads a line: properties up to `::`, separated by commas.
fn from_github(line: &str) -> (String, String, u64) {
    let rest = line.strip_prefix("::").expect("a command");
    let (head, _) = rest.split_once("::").unwrap();
    let (_, properties) = head.split_once(' ').unwrap();
    let value = |name: &str| {
        let mut all = properties.split(',');
        let found = all.find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        percent_decoded(found.unwrap_or_default())
    };
    let title = value("title");
    let rule = title.strip_prefix("stekguard: ").unwrap();
    let rule = rule.split(" (").next().unwrap();
    said(rule, &value("file"), value("line").parse().unwrap_or(0))
}

fn from_junit(rows: &[Value]) -> Said {
    let cases = rows.iter().filter(|row| row[0] == "testcase");
    let own = cases.filter(|row| row[1]["file"].is_string());
    own.map(|row| {
        let text = |name: &str| row[1][name].as_str().unwrap();
        let rule = text("name").split(':').next().unwrap();
        said(rule, text("file"), text("line").parse().unwrap())
    })
    .collect()
}

fn from_checkstyle(rows: &[Value]) -> Said {
    let mut file = String::new();
    let mut out = Said::new();
    for row in rows {
        let text = |name: &str| row[1][name].as_str().unwrap_or_default();
        match row[0].as_str().unwrap() {
            "file" => file = text("name").to_owned(),
            "error" => {
                let line = text("line").parse().unwrap_or(0);
                out.insert(said(text("source"), &file, line));
            }
            _ => {}
        }
    }
    out
}

fn lint(directory: &Path, format: &str, path: &str) -> formats_support::Run {
    run_in(directory, &["lint", "--pedantic", "--format", format, path])
}

#[test]
fn every_format_says_the_same() {
    let directory = demo();
    let expected = read_back("json", &lint(directory.path(), "json", "etc").out);
    assert!(expected.len() > 10, "{expected:?}");
    for format in DOCUMENTS {
        let run = lint(directory.path(), format, "etc");
        assert_eq!(run.code, 1, "{format}: {}", run.err);
        assert_eq!(read_back(format, &run.out), expected, "{format}");
    }
    let concise = lint(directory.path(), "concise", "etc");
    assert_eq!(concise.out.lines().count(), expected.len());
    for (rule, path, line) in &expected {
        let start = format!("{path}:{line}:");
        let word = format!("[{rule}]: ");
        let found = concise
            .out
            .lines()
            .any(|it| it.starts_with(&start) && it.contains(&word));
        assert!(found, "{rule} at {path}:{line}");
    }
}

#[test]
fn files_are_named_from_the_working_directory() {
    let directory = demo();
    let whole = directory.path().canonicalize().unwrap();
    let absolute = whole.join("etc").to_str().unwrap().to_owned();
    for format in ["sarif", "github", "gitlab", "junit", "checkstyle"] {
        let relative = read_back(format, &lint(&whole, format, "etc").out);
        assert_eq!(
            read_back(format, &lint(&whole, format, &absolute).out),
            relative
        );
        assert!(
            relative.iter().all(|(_, path, _)| path.starts_with("etc/")),
            "{format}"
        );
    }
}

#[test]
fn hostile_names_stay_names() {
    let (directory, root) = hostile();
    let expected = read_back("json", &lint(directory.path(), "json", &root).out);
    assert!(
        expected.iter().all(|(_, path, _)| *path == root),
        "{expected:?}"
    );
    assert!(expected.len() >= 2);
    for format in DOCUMENTS {
        let run = lint(directory.path(), format, &root);
        assert_eq!(
            read_back(format, &run.out),
            expected,
            "{format}:\n{}",
            run.out
        );
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!run.out.contains(control), "{format}: control characters");
        assert!(
            !run.out.contains("\n::error::"),
            "{format}: a command of its own"
        );
    }
    for format in ["text", "full", "concise"] {
        let run = lint(directory.path(), format, &root);
        let control = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
        assert!(!run.out.contains(control), "{format}: {:?}", run.out);
    }
}

#[test]
fn nothing_is_clean_that_was_not_read() {
    let text = SOUND.replace("http {", "http {\n    include gone.conf;");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    for (path, place) in [("nginx.conf", "nginx.conf"), ("nowhere.conf", "")] {
        for format in DOCUMENTS {
            let run = lint(directory.path(), format, path);
            assert_eq!(run.code, 2, "{format}");
            let text = run.out;
            match format {
                "json" | "sarif" | "json-lines" => {
                    let last = text.lines().last().unwrap();
                    let lines = format == "json-lines";
                    let document: Value =
                        serde_json::from_str(if lines { last } else { &text }).unwrap();
                    let whole = if format == "sarif" {
                        let invocation = &document["runs"][0]["invocations"][0];
                        let notes = &invocation["toolExecutionNotifications"];
                        assert_eq!(notes[0]["level"], "error");
                        &invocation["executionSuccessful"]
                    } else {
                        &document["complete"]
                    };
                    assert_eq!(*whole, false, "{format}: {text}");
                }
                "junit" => {
                    let rows = xml(&text);
                    assert_eq!(rows[0][1]["errors"], "1");
                    assert!(rows.iter().any(|row| row[0] == "error"), "{text}");
                }
                "gitlab" => assert!(text.contains("\"blocker\""), "{text}"),
                "github" => {
                    let file = format!("file={place},");
                    assert!(text.starts_with("::error "), "{text}");
                    assert!(place.is_empty() || text.contains(&file), "{text}");
                }
                _ => assert!(text.contains("stekguard.incomplete"), "{text}"),
            }
        }
    }
}

#[test]
fn a_clean_tree_is_said_to_be_so() {
    let directory = tree(&[("nginx.conf", SOUND.as_bytes())]);
    for format in DOCUMENTS {
        let run = run_in(
            directory.path(),
            &["lint", "--format", format, "nginx.conf"],
        );
        assert_eq!(run.code, 0, "{format}: {}", run.err);
        assert_eq!(read_back(format, &run.out), Said::new(), "{format}");
    }
    let junit = xml(&run_in(
        directory.path(),
        &["lint", "--format", "junit", "nginx.conf"],
    )
    .out);
    let cases = junit.iter().filter(|row| row[0] == "testcase").count();
    assert_eq!(
        cases, 1,
        "a report without a test would look like one that did not run"
    );
}

#[test]
fn junit_counts_what_it_holds() {
    let directory = demo();
    let rows = xml(&lint(directory.path(), "junit", "etc").out);
    let number = |row: &Value, name: &str| row[1][name].as_str().unwrap().parse::<usize>().unwrap();
    let count = |name: &str| rows.iter().filter(|row| row[0] == name).count();
    assert_eq!(rows[0][0], "testsuites");
    for (attribute, element) in [
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
    ] {
        assert_eq!(number(&rows[0], attribute), count(element), "{attribute}");
        let suites = rows.iter().filter(|row| row[0] == "testsuite");
        let sum: usize = suites.map(|row| number(row, attribute)).sum();
        assert_eq!(sum, count(element), "{attribute} of the suites");
    }
    // A remark is no failure.
    let pedantic = json_in(
        directory.path(),
        &["lint", "--pedantic", "--format", "json", "etc"],
    );
    let grades = pedantic["findings"].as_array().unwrap().iter();
    let bad = grades.filter(|it| it["severity"] == "error" || it["severity"] == "warning");
    assert_eq!(count("failure"), bad.count());
}

#[test]
fn gitlab_knows_a_finding_again() {
    const TWICE: &str = "events {}\nhttp {\n    server {\n        listen 443 ssl;\n        \
        server_name a.test;\n        ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n        \
        ssl_session_tickets on;\n    }\n    server {\n        listen 8443 ssl;\n        \
        server_name b.test;\n        ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n        \
        ssl_session_tickets on;\n    }\n}\n";
    let prints = |text: &str| -> Vec<(String, String)> {
        let directory = tree(&[("nginx.conf", text.as_bytes())]);
        let report = json_in(
            directory.path(),
            &["lint", "--format", "gitlab", "nginx.conf"],
        );
        let issues = report.as_array().unwrap().iter();
        issues
            .map(|it| (it["check_name"].to_string(), it["fingerprint"].to_string()))
            .collect()
    };
    let before = prints(TWICE);
    let all: BTreeSet<&String> = before.iter().map(|(_, print)| print).collect();
    assert_eq!(all.len(), before.len(), "no two alike: {before:?}");
    let alike = before
        .iter()
        .filter(|(rule, _)| rule.contains("tickets-without-rotation"));
    assert!(alike.count() >= 2, "{before:?}");
    let moved = prints(&format!("# a line\n\n# more\n{TWICE}"));
    assert_eq!(moved, before, "lines above do not count");
    // In another file it is another finding.
    let directory = tree(&[("other.conf", TWICE.as_bytes())]);
    let report = json_in(
        directory.path(),
        &["lint", "--format", "gitlab", "other.conf"],
    );
    assert!(!all.contains(&report[0]["fingerprint"].to_string()));
}

#[test]
fn gitlab_has_the_fields_that_gitlab_asks_for() {
    let directory = demo();
    let report = json_in(
        directory.path(),
        &["lint", "--pedantic", "--format", "gitlab", "etc"],
    );
    for issue in report.as_array().unwrap() {
        for name in ["description", "check_name", "fingerprint", "severity"] {
            assert!(
                issue[name].as_str().is_some_and(|it| !it.is_empty()),
                "{name}: {issue}"
            );
        }
        let grades = ["info", "minor", "major", "critical", "blocker"];
        assert!(grades.contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        assert!(
            !issue["location"]["path"]
                .as_str()
                .unwrap()
                .starts_with("./")
        );
    }
}

#[test]
fn json_lines_fit_their_schema_and_end_in_a_summary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/lint-lines-1.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let gone = SOUND.replace(
        "http {",
        "http {\n    include gone.conf;\n    ssl_session_tickets on;",
    );
    let broken = tree(&[("nginx.conf", gone.as_bytes())]);
    for (directory, path) in [(demo(), "etc"), (broken, "nginx.conf")] {
        let text = lint(directory.path(), "json-lines", path).out;
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for line in &lines {
            let wrong = schema::violations(&schema, line);
            assert!(wrong.is_empty(), "{line}:\n{}", wrong.join("\n"));
        }
        let (last, rest) = lines.split_last().unwrap();
        assert_eq!(last["type"], "summary");
        assert!(rest.iter().all(|line| line["type"] != "summary"));
        let incomplete = rest.iter().any(|line| line["type"] == "incomplete");
        assert_eq!(last["complete"], !incomplete);
    }
}

#[test]
fn full_explains_each_rule_once_and_says_what_a_fix_costs() {
    let directory = demo();
    let run = run_in(directory.path(), &["lint", "--format", "full", "etc"]);
    let report = json_in(directory.path(), &["lint", "--format", "json", "etc"]);
    let findings = report["findings"].as_array().unwrap();
    let rules: BTreeSet<&str> = findings
        .iter()
        .map(|it| it["rule"].as_str().unwrap())
        .collect();
    assert_eq!(run.out.matches("\n  why\n").count(), rules.len());
    let fixes: Vec<&Value> = findings.iter().filter(|it| !it["fix"].is_null()).collect();
    assert_eq!(run.out.matches("\n  fix\n").count(), fixes.len());
    for fix in fixes {
        let title = fix["fix"]["title"].as_str().unwrap();
        assert!(run.out.contains(&format!("    {title}\n")), "{title}");
    }
    assert!(run.out.contains("cost: "), "{}", run.out);
    assert!(run.out.contains("by: stekguard fix --unsafe-fixes\n"));
    let text = run_in(directory.path(), &["lint", "etc"]);
    let blocks = text.out.split("\n\n").filter(|it| !it.trim().is_empty());
    for block in blocks {
        assert!(
            run.out.contains(block.trim_end()),
            "everything of the text report:\n{block}"
        );
    }
}

#[test]
fn several_reports_at_once_are_those_of_single_runs() {
    let directory = demo();
    let place = directory.path();
    let mut arguments = vec!["lint", "--format", "concise", "etc"];
    let formats = [
        "text",
        "full",
        "json",
        "json-lines",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
        "html",
    ];
    let outputs: Vec<String> = formats.iter().map(|it| format!("{it}=out.{it}")).collect();
    for output in &outputs {
        arguments.extend(["--output", output]);
    }
    let run = run_in(place, &arguments);
    assert_eq!(run.code, 1, "{}", run.err);
    assert_eq!(
        run.out,
        run_in(place, &["lint", "--format", "concise", "etc"]).out
    );
    for format in formats {
        let written = fs::read_to_string(place.join(format!("out.{format}"))).unwrap();
        let alone = run_in(place, &["lint", "--format", format, "etc"]).out;
        assert_eq!(written, alone, "{format}");
        assert!(!written.is_empty());
    }
    // Inspect and fix take them the same way.
    let inspect = run_in(
        place,
        &["inspect", "etc", "-o", "html=a.html", "-o", "json=a.json"],
    );
    assert_eq!(inspect.code, 0, "{}", inspect.err);
    assert_eq!(inspect.out, run_in(place, &["inspect", "etc"]).out);
    assert!(
        fs::read_to_string(place.join("a.html"))
            .unwrap()
            .starts_with("<!doctype html>")
    );
    let fix = run_in(
        place,
        &["fix", "etc", "--output", "html=b.html", "-o", "fix.patch"],
    );
    assert_eq!((fix.code, fix.out.as_str()), (1, ""), "{}", fix.err);
    assert!(
        fs::read_to_string(place.join("fix.patch"))
            .unwrap()
            .starts_with("--- a/")
    );
    assert!(
        fs::read_to_string(place.join("b.html"))
            .unwrap()
            .contains("id=\"patch\"")
    );
}

#[test]
fn a_wrong_output_is_refused_before_anything_is_read() {
    let directory = tree(&[("nginx.conf", SOUND.as_bytes())]);
    for (arguments, words) in [
        (&["-o", "srif=x"][..], "did you mean `sarif`?"),
        (&["-o", "xml=x"], "one of text, full, concise"),
        (&["-o", "a", "-o", "b"], "two files for one report"),
        (&["-o", "json=a", "-o", "sarif=a"], "two reports for a"),
        (
            &["-o", "json=-", "-o", "sarif=-"],
            "two reports for standard output",
        ),
        (&["-o", "json="], "no file is named"),
        (&["--format", "srif"], "sarif"),
    ] {
        let mut all = vec!["lint", "nginx.conf"];
        all.extend(arguments);
        let run = run_in(directory.path(), &all);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            run.err.starts_with("error: ") && run.err.contains(words),
            "{}",
            run.err
        );
        let files = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1, "{arguments:?}: nothing is written");
    }
    let html = ["inspect", "--expanded", "--format", "html", "nginx.conf"];
    assert_eq!(run_in(directory.path(), &html).code, 2);
}

#[test]
fn one_report_that_cannot_be_written_does_not_lose_the_others() {
    let directory = demo();
    let run = run_in(
        directory.path(),
        &[
            "lint",
            "etc",
            "-o",
            "json=no/such/folder",
            "-o",
            "sarif=kept.sarif",
        ],
    );
    assert_eq!(run.code, 2);
    assert!(run.err.contains("error: no/such/folder: "), "{}", run.err);
    assert!(run.out.contains("error[malformed-session-timeout]"));
    assert!(directory.path().join("kept.sarif").is_file());
}

#[test]
fn what_was_accepted_is_told_with_its_reason_and_not_as_a_finding() {
    const REASON: &str = "legacy clients <until> \"June\" & later";
    let text = format!(
        "events {{}}\nhttp {{\n    ssl_session_tickets off;\n    server {{\n        listen 443 ssl;\n        \
         ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n        \
         ssl_session_cache shared:A:1m;\n        \
         # stekguard: ignore[excessive-session-timeout] {REASON}\n        \
         ssl_session_timeout 30d;\n    }}\n}}\n"
    );
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let run = |format: &str| {
        let run = run_in(
            directory.path(),
            &["lint", "--format", format, "nginx.conf"],
        );
        assert_eq!(run.code, 0, "{format}: {}{}", run.out, run.err);
        run.out
    };
    let sarif: Value = serde_json::from_str(&run("sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    let suppression = &results[0]["suppressions"][0];
    assert_eq!(suppression["kind"], "inSource");
    assert_eq!(suppression["justification"], REASON);
    let line = &suppression["location"]["physicalLocation"]["region"]["startLine"];
    assert_eq!(
        (line.as_u64(), &results[0]["ruleId"]),
        (Some(9), &"excessive-session-timeout".into())
    );
    let rows = xml(&run("junit"));
    let skipped: Vec<&Value> = rows.iter().filter(|row| row[0] == "skipped").collect();
    assert_eq!(
        (skipped.len(), &skipped[0][1]["message"]),
        (1, &REASON.into())
    );
    assert_eq!(
        (&rows[0][1]["skipped"], &rows[0][1]["failures"]),
        (&"1".into(), &"0".into())
    );
    let lines = run("json-lines");
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["type"], &line["reason"]),
        (&"suppressed".into(), &REASON.into())
    );
    assert_eq!(run("gitlab"), "[]\n");
    assert_eq!(run("github"), "");
    for format in ["text", "full", "concise"] {
        assert_eq!(run(format), "", "{format}");
    }
    let page = run("html");
    assert!(page.contains("1 accepted finding"), "{page}");
    assert!(page.contains("legacy clients &lt;until&gt; &quot;June&quot; &amp; later"));
}
