//! The SARIF report against the standard (OASIS SARIF 2.1.0): its shape, its indices, places
//! that lead to the bytes meant, and fixes that repair what they belong to.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod formats_support;
#[path = "cli/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use formats_support::{demo, hostile, json_in, tree};
use serde_json::Value;

fn sarif(directory: &Path, path: &str) -> Value {
    json_in(
        directory,
        &["lint", "--pedantic", "--format", "sarif", path],
    )
}

/// Violations of the shape, which stands in testdata and follows from the standard's text.
fn wrong(log: &Value) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/formats/sarif-shape.json");
    let shape: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    schema::violations(&shape, log)
}

/// Every object below a value.
fn objects<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            out.push(value);
            fields.values().for_each(|it| objects(it, out));
        }
        Value::Array(items) => items.iter().for_each(|it| objects(it, out)),
        _ => {}
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn logs() -> Vec<(&'static str, Value)> {
    let (evil, root) = hostile();
    let broken =
        "events {}\nhttp {\n    include gone.conf;\n    server {\n        listen 443 ssl\n";
    let broken = tree(&[("nginx.conf", broken.as_bytes())]);
    vec![
        ("demo", sarif(demo().path(), "etc")),
        ("hostile", sarif(evil.path(), &root)),
        ("broken", sarif(broken.path(), "nginx.conf")),
        ("nowhere", sarif(broken.path(), "no/such/file")),
    ]
}

#[test]
fn the_log_has_the_shape_of_the_standard() {
    for (name, log) in logs() {
        let wrong = wrong(&log);
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }
    // The check itself finds what is wrong.
    let good = sarif(demo().path(), "etc");
    for (pointer, value) in [
        ("/version", Value::from("2.0.0")),
        ("/runs/0/results/0/level", Value::from("fatal")),
        ("/runs/0/results/0/locations", Value::Null),
        ("/runs/0/columnKind", Value::from("bytes")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!wrong(&bad).is_empty(), "{pointer}");
    }
}

#[test]
fn indices_lead_to_what_they_name() {
    for (name, log) in logs() {
        let run = &log["runs"][0];
        let rules = list(&run["tool"]["driver"], "rules");
        let ids: BTreeSet<&str> = rules.iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len(), "{name}: an id is that of one rule");
        for result in list(run, "results") {
            let index = result["ruleIndex"]
                .as_u64()
                .expect("every rule is described") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"], "{name}");
            assert_eq!(list(result, "locations").len(), 1, "{name}");
            let ids: Vec<&Value> = list(result, "relatedLocations")
                .iter()
                .map(|it| &it["id"])
                .collect();
            let each: BTreeSet<u64> = ids.iter().map(|id| id.as_u64().unwrap()).collect();
            assert_eq!(each.len(), ids.len(), "{name}: ids of places");
        }
        let artifacts = list(run, "artifacts");
        let mut all = Vec::new();
        objects(&log, &mut all);
        for object in all.iter().filter(|it| it["uri"].is_string()) {
            let index = object["index"].as_u64().unwrap() as usize;
            assert_eq!(artifacts[index]["location"], **object, "{name}");
        }
        let kinds = list(&run["tool"]["driver"], "notifications");
        for note in list(&run["invocations"][0], "toolExecutionNotifications") {
            let index = note["descriptor"]["index"].as_u64().unwrap() as usize;
            assert_eq!(kinds[index]["id"], note["descriptor"]["id"], "{name}");
        }
        let prints = list(run, "results").iter();
        let prints: Vec<String> = prints
            .map(|it| it["partialFingerprints"]["stekguard/v1"].to_string())
            .collect();
        let each: BTreeSet<&String> = prints.iter().collect();
        assert_eq!(each.len(), prints.len(), "{name}: fingerprints");
    }
}

#[test]
fn rules_say_what_services_sort_and_show_by() {
    let log = sarif(demo().path(), "etc");
    let rules = list(&log["runs"][0]["tool"]["driver"], "rules");
    assert!(rules.len() >= 27, "{}", rules.len());
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(
                rule[text]["text"].as_str().unwrap().len() > 10,
                "{id}: {text}"
            );
        }
        let page = rule["help"]["markdown"].as_str().unwrap();
        assert!(
            page.starts_with(&format!("# {id}\n")) && page.contains("## Why"),
            "{id}"
        );
        assert!(
            rule["helpUri"].as_str().unwrap().starts_with("https://"),
            "{id}"
        );
        let score: f64 = rule["properties"]["security-severity"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((0.0..=10.0).contains(&score), "{id}");
        let tags = list(&rule["properties"], "tags");
        assert!(tags.iter().any(|it| it == "security"), "{id}");
        assert!(
            tags.iter().any(|it| it == "nginx" || it == "apache"),
            "{id}"
        );
        let name = rule["name"].as_str().unwrap();
        assert!(
            name.chars().all(|c| c.is_ascii_alphanumeric()),
            "{id}: {name}"
        );
    }
}

/// The offset of a line and column, both from 1, columns in characters.
fn offset(text: &str, line: &Value, column: &Value) -> usize {
    let line = line.as_u64().unwrap() as usize;
    let column = column.as_u64().unwrap() as usize;
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = &text[start..];
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    start
        + ends
            .into_iter()
            .nth(column - 1)
            .expect("a column of the line")
}

/// The bytes of a region, by lines and columns; the offset says the same.
fn range(text: &str, region: &Value) -> std::ops::Range<usize> {
    let start = offset(text, &region["startLine"], &region["startColumn"]);
    let end = offset(text, &region["endLine"], &region["endColumn"]);
    assert_eq!(
        region["byteOffset"].as_u64().unwrap() as usize,
        start,
        "{region}"
    );
    assert_eq!(
        region["byteLength"].as_u64().unwrap() as usize,
        end - start,
        "{region}"
    );
    start..end
}

#[test]
fn places_lead_to_the_bytes_meant() {
    const TEXT: &str = "events {}\nhttp {\n    # größe 東京 \u{1f980}\n    server {\n        \
        listen 443 ssl;\n        server_name größe.test;\n        ssl_certificate a.pem;\n        \
        ssl_certificate_key a.key;\n        /* é */ ssl_session_timeout 30d; ssl_session_cache \
        shared:A:1m;\n    }\n}\n";
    let text = TEXT.replace("/* é */ ", "ssl_ciphers \"é東\u{1f980}\"; ");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let log = sarif(directory.path(), "nginx.conf");
    let results = list(&log["runs"][0], "results");
    let found = results
        .iter()
        .find(|it| it["ruleId"] == "excessive-session-timeout")
        .unwrap();
    let region = &found["locations"][0]["physicalLocation"]["region"];
    assert_eq!(&text[range(&text, region)], "ssl_session_timeout 30d;");
    let column = region["startColumn"].as_u64().unwrap();
    assert_eq!(column, 9 + 19, "characters, not bytes");
}

/// Forty hosts of one address, each with a lifetime that is too long: none can be changed without
/// the others, and each is a finding. All forty lines stand in the report once.
#[test]
fn a_long_fix_of_many_findings_is_listed_once() {
    let mut text = String::from("Listen 8443\nSSLSessionCache shmcb:/run/s(512000)\n");
    let first = text.lines().count() as u64;
    for host in 0..40 {
        text += &format!(
            "<VirtualHost *:8443>\nServerName h{host}\nSSLEngine on\nSSLSessionTickets off\n\
             SSLSessionCacheTimeout {}\n</VirtualHost>\n",
            100_000 + host
        );
    }
    let directory = tree(&[("httpd.conf", text.as_bytes())]);
    let log = sarif(directory.path(), "httpd.conf");
    assert_eq!(wrong(&log), Vec::<String>::new());
    let results = list(&log["runs"][0], "results");
    let own = results
        .iter()
        .filter(|it| it["ruleId"] == "excessive-session-timeout");
    let own: Vec<&Value> = own.collect();
    assert_eq!(own.len(), 40);
    let changes = list(&own[0]["fixes"][0], "artifactChanges");
    assert_eq!(changes.len(), 1);
    let lines = list(&changes[0], "replacements").iter();
    let lines = lines.map(|it| it["deletedRegion"]["startLine"].as_u64().unwrap());
    let expected = (0..40).map(|host| first + 6 * host + 5);
    assert!(lines.eq(expected));
    let print = &own[0]["partialFingerprints"]["stekguard/v1"];
    assert!(print.is_string());
    assert!(own[0]["properties"]["fixListedWith"].is_null());
    for other in &own[1..] {
        assert!(other["fixes"].is_null());
        assert_eq!(other["properties"]["fixListedWith"], *print);
    }
}

/// One address with forty names whose lifetime is too long, and three with tickets off in files of
/// their own, of which the first may not be edited: the second one's fix is listed, whatever became
/// of the first's. Asking for one rule's findings changes nothing about that.
#[test]
fn a_long_fix_is_listed_with_the_first_that_holds() {
    let server = |name: &str, more: &str| {
        format!(
            "server {{ listen 10.0.0.1:443 ssl; server_name {name}; ssl_certificate c; \
             ssl_certificate_key k; {more} }}\n"
        )
    };
    let names = (0..40).map(|host| server(&format!("h{host}"), "ssl_session_timeout 30d;"));
    let names: String = names.collect();
    let own = "ssl_session_tickets off;";
    let generated = format!("# do not edit\n{}", server("a", own));
    let root =
        "events {}\nhttp {\ninclude z.conf; include a.conf; include b.conf; include c.conf;\n}\n";
    let directory = tree(&[
        ("nginx.conf", root.as_bytes()),
        ("a.conf", generated.as_bytes()),
        ("b.conf", server("b", own).as_bytes()),
        ("c.conf", server("c", own).as_bytes()),
        ("z.conf", names.as_bytes()),
    ]);
    let mut words = vec![
        "lint",
        "--policy",
        "rotate",
        "--server-version",
        "nginx=1.28.0",
    ];
    words.extend(["--format", "sarif", "nginx.conf"]);
    let rule = "ticket-keys-against-policy";
    for only in [&[][..], &["--rule", rule]] {
        let log = json_in(directory.path(), &[&words, only].concat());
        assert_eq!(wrong(&log), Vec::<String>::new());
        let results = list(&log["runs"][0], "results");
        let of = |file: &str| {
            let mut found = results.iter().filter(|it| {
                let place = &it["locations"][0]["physicalLocation"]["artifactLocation"];
                it["ruleId"] == rule && place["uri"] == file
            });
            found.next().unwrap().clone()
        };
        assert!(of("a.conf")["fixes"].is_null());
        assert!(of("a.conf")["properties"]["fixListedWith"].is_null());
        let holder = of("b.conf");
        let changes = list(&holder["fixes"][0], "artifactChanges").iter();
        let edits: usize = changes.map(|it| list(it, "replacements").len()).sum();
        assert!(edits > 40, "{edits}");
        let other = of("c.conf");
        assert!(other["fixes"].is_null());
        let print = &holder["partialFingerprints"]["stekguard/v1"];
        assert_eq!(other["properties"]["fixListedWith"], *print);
    }
}

#[test]
fn each_fix_repairs_what_it_belongs_to() {
    let directory = demo();
    let log = sarif(directory.path(), "etc");
    let mut tried = 0;
    for result in list(&log["runs"][0], "results") {
        for fix in list(result, "fixes") {
            let copy = demo();
            for change in list(fix, "artifactChanges") {
                let file = copy
                    .path()
                    .join(change["artifactLocation"]["uri"].as_str().unwrap());
                let mut text = fs::read_to_string(&file).unwrap();
                let mut edits: BTreeMap<usize, (std::ops::Range<usize>, String)> = BTreeMap::new();
                for replacement in list(change, "replacements") {
                    let range = range(&text, &replacement["deletedRegion"]);
                    let new = replacement["insertedContent"]["text"]
                        .as_str()
                        .unwrap_or_default();
                    edits.insert(range.start, (range, new.to_owned()));
                }
                for (range, new) in edits.into_values().rev() {
                    text.replace_range(range, &new);
                }
                fs::write(&file, text).unwrap();
            }
            let after = sarif(copy.path(), "etc");
            let print = &result["partialFingerprints"];
            let results = list(&after["runs"][0], "results");
            let still = results.iter().any(|it| it["partialFingerprints"] == *print);
            assert!(
                !still,
                "{}: {}",
                result["ruleId"], fix["description"]["text"]
            );
            let invocation = &after["runs"][0]["invocations"][0];
            assert_eq!(invocation["executionSuccessful"], true);
            tried += 1;
        }
    }
    println!("{tried} fixes repair what they belong to");
    assert!(tried >= 8, "{tried}");
}
