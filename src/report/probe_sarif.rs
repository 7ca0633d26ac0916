//! `probe --format sarif`: SARIF 2.1.0 with one result a verdict. A verdict about files stands
//! at their line; one about a server alone at a logical location, the endpoint.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Probe;
use super::json::print;
use crate::finding::Severity;
use crate::probe::Verdict;
use crate::text::Location;

/// The log: one run. What could not be seen is a notification, and the run then not successful.
pub fn sarif(probe: &Probe<'_>) -> String {
    let lost = probe.probed.endpoints.iter().filter(|seen| seen.is_lost());
    let lost = lost.map(|seen| {
        let why = seen.unreachable.as_deref().unwrap_or_default();
        notification(&format!("{}: {why}", seen.label()))
    });
    let unread = probe.problems.iter().map(|problem| {
        let place = match problem.line {
            0 => problem.path.display().to_string(),
            line => format!("{}:{line}", problem.path.display()),
        };
        notification(&format!("{place}: {}", problem.message))
    });
    let notifications: Vec<Value> = lost.chain(unread).collect();
    let ids: BTreeSet<&str> = probe.verdicts.iter().map(|verdict| verdict.id).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let rules: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let results = probe.verdicts.iter().map(|verdict| result(verdict, &ids));
    let results: Vec<Value> = results.collect();
    print(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "stekguard",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    }))
}

fn notification(text: &str) -> Value {
    json!({"level": "error", "message": {"text": text}})
}

fn result(verdict: &Verdict, ids: &[&str]) -> Value {
    let level = match verdict.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Pedantic => "note",
    };
    let mut location = json!({
        "logicalLocations": [{"fullyQualifiedName": verdict.endpoint, "kind": "resource"}],
    });
    if let Some(at) = &verdict.at {
        location["physicalLocation"] = physical(at);
    }
    json!({
        "ruleId": verdict.id,
        "ruleIndex": ids.iter().position(|id| *id == verdict.id),
        "level": level,
        "message": {"text": format!("{}: {}. {}", verdict.endpoint, verdict.message, verdict.help)},
        "locations": [location],
    })
}

fn physical(at: &Location) -> Value {
    json!({
        "artifactLocation": {"uri": address(&at.path.to_string_lossy())},
        "region": {"startLine": at.line.max(1)},
    })
}

/// A path as a URI: absolute ones with their scheme.
fn address(path: &str) -> String {
    let mut uri = if path.starts_with('/') {
        "file://".to_owned()
    } else {
        String::new()
    };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
