//! GitLab's code quality report: one JSON list.

use serde::Serialize;

use super::fingerprint::{fingerprints, of_problem};
use super::{Pipeline, page};
use crate::finding::Severity;

#[derive(Serialize)]
struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    check_name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    categories: [&'static str; 1],
    severity: &'static str,
    fingerprint: String,
    location: Location,
}

#[derive(Serialize)]
struct Content {
    body: String,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The report. What was not read is a `blocker`, named `stekguard.incomplete`.
pub fn gitlab(pipeline: &Pipeline<'_>) -> String {
    let mut issues: Vec<Issue> = Vec::new();
    for problem in pipeline.lint.problems {
        let path = pipeline.path(&problem.path);
        let fingerprint = of_problem(problem.kind, &path, problem.line, &problem.message);
        issues.push(Issue {
            kind: "issue",
            check_name: "stekguard.incomplete".to_owned(),
            description: problem.message.clone(),
            content: None,
            categories: ["Compatibility"],
            severity: "blocker",
            fingerprint,
            location: location(path.into_owned(), problem.line),
        });
    }
    let prints = fingerprints(pipeline);
    for (finding, fingerprint) in pipeline.lint.findings.iter().zip(prints) {
        let place = &finding.location;
        let why = pipeline.page(finding.rule);
        let why = why.and_then(|rule| page::section(rule.text, "Why"));
        issues.push(Issue {
            kind: "issue",
            check_name: format!("stekguard.{}", finding.rule),
            description: finding.message.clone(),
            content: why.map(|why| Content {
                body: page::paragraphs(why).join("\n\n"),
            }),
            categories: ["Security"],
            severity: severity(finding.severity),
            fingerprint,
            location: location(pipeline.path(&place.path).into_owned(), place.line),
        });
    }
    super::json::print(&issues)
}

/// A place needs a line; the first stands for the whole file.
fn location(path: String, line: u32) -> Location {
    let begin = line.max(1);
    Location {
        path,
        lines: Lines { begin },
    }
}

/// GitLab's words: `blocker` is left for what was not read.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Note => "minor",
        Severity::Pedantic => "info",
    }
}
