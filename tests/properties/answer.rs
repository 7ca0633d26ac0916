//! What `inspect` and `lint` say of a configuration, without the places: no file, line or column,
//! no count of files, findings in no order. What is left may not depend on how the text is
//! written.

use std::path::Path;

use serde_json::Value;
use stekguard::app::{Request, Startup, Versions, inspect, lint};
use stekguard::catalog::{Server, Version};
use stekguard::report;

/// How a configuration is asked about.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Else the version is not known.
    pub version: Option<(Server, Version)>,
    pub startup: Startup,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub inspect: Value,
    /// Each finding, and what was not read, sorted.
    pub lint: Vec<String>,
    pub endpoints: usize,
}

/// Asks.
pub fn answer(root: &Path, question: &Question) -> Answer {
    let request = Request {
        paths: vec![root.to_path_buf()],
        versions: Versions {
            servers: question.version.into_iter().collect(),
            ..Versions::default()
        },
        startup: question.startup.clone(),
        pedantic: true,
        ..Request::default()
    };
    let inspection = inspect(&request).unwrap();
    let servers = inspection.report();
    let text = report::inspect_json(&servers, &inspection.problems, true);
    let mut state: Value = serde_json::from_str(&text).unwrap();
    let outcome = lint(&request).unwrap();
    let found = report::lint_json(&outcome.report());
    let mut found: Value = serde_json::from_str(&found).unwrap();
    stripped(&mut state);
    stripped(&mut found);
    let mut lines: Vec<String> = Vec::new();
    for part in ["findings", "suppressed", "incomplete", "servers", "summary"] {
        match &found[part] {
            Value::Array(all) => lines.extend(all.iter().map(|one| format!("{part}: {one}"))),
            one => lines.push(format!("{part}: {one}")),
        }
    }
    lines.sort();
    let endpoints = state["servers"][0]["endpoints"].as_array();
    Answer {
        endpoints: endpoints.map_or(0, Vec::len),
        inspect: state,
        lint: lines,
    }
}

impl Answer {
    /// The lines by which two answers differ.
    pub fn differences(&self, other: &Self) -> String {
        let lines = |answer: &Self| {
            let mut lines: Vec<String> = serde_json::to_string_pretty(&answer.inspect)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect();
            lines.extend(answer.lint.iter().cloned());
            lines.join("\n")
        };
        let (one, two) = (lines(self), lines(other));
        let diff = similar::TextDiff::from_lines(&one, &two);
        let mut text = diff.unified_diff().context_radius(2).to_string();
        text.truncate(text.char_indices().nth(6000).map_or(text.len(), |it| it.0));
        text
    }
}

/// Places, and how many files there are.
const PLACES: [&str; 5] = ["path", "line", "column", "via", "files"];

fn stripped(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A ticket key's files are no place in the configuration.
            fields.retain(|name, value| {
                !PLACES.contains(&name.as_str()) || (name == "files" && value.is_array())
            });
            fields.values_mut().for_each(stripped);
            // A name is quoted as it is written, and httpd's have no case.
            for name in ["message", "why"] {
                if let Some(Value::String(text)) = fields.get_mut(name) {
                    *text = text.to_lowercase();
                }
            }
            if let Some(Value::Array(related)) = fields.get_mut("related") {
                related.sort_by_key(ToString::to_string);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(stripped),
        Value::String(text) => *text = without_numbers(text),
        _ => {}
    }
}

/// `line 12` and `x.conf:12` without the number and the file.
fn without_numbers(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let place = word.trim_end_matches(|c: char| c.is_ascii_digit() || ",;.()".contains(c));
        let conf = place.contains(".conf") || place.contains("/moved/");
        if conf { "FILE" } else { word }
    });
    let mut out: Vec<&str> = Vec::new();
    for word in words {
        let number = word.trim_matches(|c: char| !c.is_ascii_digit());
        let behind = matches!(out.last(), Some(&"line" | &"lines" | &"(line"));
        out.push(if behind && !number.is_empty() {
            "N"
        } else {
            word
        });
    }
    out.join(" ")
}
