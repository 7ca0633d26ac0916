//! The JSON documents against their schemas in docs/schema.

use std::fs;

use serde_json::Value;

use crate::schema::violations;
use crate::{SOUND, TICKETS_ON, at, project, run, tree};

fn schema(name: &str) -> Value {
    let text = fs::read_to_string(project("docs/schema").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Runs, reads the document and checks it.
fn document(name: &str, code: i32, arguments: &[&str]) -> Value {
    let run = run(arguments);
    assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
    let document: Value = serde_json::from_str(&run.out).expect("stdout is one document");
    let wrong = violations(&schema(name), &document);
    assert!(wrong.is_empty(), "{arguments:?}:\n{}", wrong.join("\n"));
    document
}

#[test]
fn findings_fit_the_schema() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let lint = document("lint-1.json", 1, &["lint", "--format", "json", &root]);
    assert_eq!(lint["complete"], true);
    assert_eq!(lint["summary"]["warning"], 1);
    let finding = &lint["findings"][0];
    assert_eq!(finding["rule"], "tickets-without-rotation");
    assert_eq!(
        (finding["line"].as_u64(), finding["column"].as_u64()),
        (Some(3), Some(5))
    );
    assert_eq!(finding["endpoints"][0], "*:443 (a.test)");
    assert_eq!(finding["fix"]["applicability"], "safe");
    assert!(lint["servers"][0]["versions"].as_array().unwrap().len() > 3);
}

#[test]
fn the_demo_fits_both_schemas() {
    let demo = project("testdata/demo");
    let demo = demo.to_str().unwrap();
    let lint = document("lint-1.json", 1, &["lint", "--format", "json", demo]);
    assert!(lint["findings"].as_array().unwrap().len() > 5);
    let inspect = document("inspect-1.json", 0, &["inspect", "--format", "json", demo]);
    let kinds: Vec<&Value> = inspect["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| &server["kind"])
        .collect();
    assert_eq!(kinds, ["apache", "nginx"]);
    assert!(inspect["servers"][0].get("pairs").is_none());
    let pairs = document(
        "inspect-1.json",
        0,
        &["inspect", "--pairs", "--format", "json", demo],
    );
    assert!(pairs["servers"][1]["pairs"].is_array());
}

#[test]
fn what_is_not_complete_is_in_the_document() {
    let text = SOUND.replace("http {", "http {\n    include gone.conf;");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let lint = document("lint-1.json", 2, &["lint", "--format", "json", &root]);
    assert_eq!(lint["complete"], false);
    assert_eq!(lint["incomplete"][0]["kind"], "missing");
    assert_eq!(lint["incomplete"][0]["line"], 3);
    assert_eq!(lint["servers"][0]["complete"], false);
    let inspect = document("inspect-1.json", 2, &["inspect", "--format", "json", &root]);
    assert_eq!(inspect["servers"][0]["complete"], false);
    assert_eq!(inspect["servers"][0]["incomplete"][0]["line"], 3);
}

#[test]
fn a_request_that_cannot_be_met_gives_a_document_too() {
    for (name, command) in [("lint-1.json", "lint"), ("inspect-1.json", "inspect")] {
        let document = document(name, 2, &[command, "--format", "json", "/nowhere/at/all"]);
        assert_eq!(document["complete"], false);
        assert!(
            document["incomplete"][0]["why"]
                .as_str()
                .unwrap()
                .contains("/nowhere/at/all")
        );
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    let demo = project("testdata/demo");
    let demo = demo.to_str().unwrap();
    for arguments in [
        &["lint", demo][..],
        &["inspect", "--format", "json", demo],
        &["fix", demo],
    ] {
        let first = run(arguments);
        let second = run(arguments);
        assert_eq!(
            (first.code, first.out, first.err),
            (second.code, second.out, second.err)
        );
    }
}
