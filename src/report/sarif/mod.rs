//! SARIF 2.1.0, the exchange format of static analysis (OASIS standard): for code scanning
//! services and editors.

mod files;
mod shape;

use std::collections::{HashMap, HashSet};

use files::Files;
use shape::{
    ArtifactChange, Configuration, Content, Descriptor, Driver, Fingerprints, Invocation, Log,
    Message, Notice, Notification, Outcome, OutcomeProperties, Reference, Repair, Replacement,
    RuleProperties, Run, Suppression, Tool,
};

use super::fingerprint::fingerprints;
use super::{EditKey, FileEdits, Listed, Pipeline, Problem, RulePage, edit_key, page};
use crate::catalog::Server;
use crate::finding::{Applicability, Confidence, Finding, Severity, Silence};

/// The kind of notification of something that was not read.
const INCOMPLETE: &str = "incomplete";

/// The log: one run. What was not read is a notification, and the run then not successful.
pub fn sarif(pipeline: &Pipeline<'_>) -> String {
    let lint = pipeline.lint;
    let mut files = Files::new(pipeline);
    let problems = lint.problems.iter();
    let notifications: Vec<Notification> = problems
        .map(|problem| notification(problem, &mut files))
        .collect();
    let prints = fingerprints(pipeline);
    let holders = holders(pipeline, &prints);
    let mut each = prints.iter();
    let mut results: Vec<Outcome> = Vec::new();
    for (finding, print) in lint.findings.iter().zip(&mut each) {
        results.push(outcome(finding, print, &holders, pipeline, &mut files));
    }
    for (silenced, print) in lint.silenced.iter().zip(each) {
        let mut accepted = outcome(&silenced.finding, print, &holders, pipeline, &mut files);
        accepted
            .suppressions
            .extend(suppression(&silenced.by, &mut files));
        results.push(accepted);
    }
    let rules = pipeline.rules.iter();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "stekguard",
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules.map(|rule| descriptor(rule, pipeline)).collect(),
                    notifications: vec![Notice {
                        id: INCOMPLETE,
                        short_description: Message::text(
                            "Something was not read, so that nothing can be called clean",
                        ),
                    }],
                },
            },
            invocations: [Invocation {
                execution_successful: lint.problems.is_empty(),
                tool_execution_notifications: notifications,
            }],
            column_kind: "unicodeCodePoints",
            artifacts: files.artifacts(),
            results,
        }],
    };
    super::json::print(&log)
}

/// The fingerprints of findings whose fixes list what those of others have in common with them.
fn holders<'a>(pipeline: &'a Pipeline<'a>, prints: &'a [String]) -> HashMap<&'a EditKey, &'a str> {
    let named = pipeline.edits.values().filter_map(|listed| match listed {
        Listed::With(holder) => Some(holder),
        Listed::Here(_) => None,
    });
    let named: HashSet<&EditKey> = named.collect();
    if named.is_empty() {
        return HashMap::new();
    }
    let each = pipeline.lint.findings.iter().zip(prints);
    let known = each.filter_map(|(finding, print)| {
        let holder = named.get(&edit_key(finding))?;
        Some((*holder, print.as_str()))
    });
    known.collect()
}

fn descriptor(rule: &RulePage<'_>, pipeline: &Pipeline<'_>) -> Descriptor {
    let text = |title: &str| {
        let section = page::section(rule.text, title).unwrap_or_default();
        page::paragraphs(section).join("\n\n")
    };
    let (finds, why) = (text("What it finds"), text("Why"));
    let mut tags = vec!["security", "tls", "session-resumption"];
    tags.extend(rule.servers.iter().map(|server| match server {
        Server::Nginx => "nginx",
        Server::Apache => "apache",
    }));
    Descriptor {
        id: rule.name,
        name: pascal(rule.name),
        short_description: Message::text(rule.summary),
        full_description: Message::text(finds.clone()),
        help_uri: page::reference(rule.text).map(str::to_owned),
        help: Message {
            text: format!("{finds}\n\n{why}"),
            markdown: Some(format!("# {}\n\n{}", rule.name, rule.text.trim())),
        },
        default_configuration: Configuration {
            level: level(rule.severity),
        },
        properties: RuleProperties {
            tags,
            precision: precision(rule.name, pipeline),
            problem_severity: match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note | Severity::Pedantic => "recommendation",
            },
            security_severity: security_severity(rule.severity),
        },
    }
}

/// `tickets-without-rotation` as `TicketsWithoutRotation`.
fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Pedantic => "note",
    }
}

/// A score in the ranges by which services sort: high, medium, low, and next to nothing. The
/// grade decides; no CVSS vector is claimed.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "8.0",
        Severity::Warning => "5.0",
        Severity::Note => "2.0",
        Severity::Pedantic => "0.1",
    }
}

/// How sure the tool is of this rule's findings here: as sure as of the least sure one.
fn precision(rule: &str, pipeline: &Pipeline<'_>) -> &'static str {
    let findings = pipeline.lint.findings.iter();
    let own = findings.filter(|finding| finding.rule == rule);
    match own.map(|finding| finding.confidence).min() {
        Some(Confidence::Low) => "low",
        Some(Confidence::Medium) => "medium",
        Some(Confidence::High) | None => "high",
    }
}

fn outcome<'a>(
    finding: &'a Finding,
    fingerprint: &str,
    holders: &HashMap<&EditKey, &str>,
    pipeline: &'a Pipeline<'a>,
    files: &mut Files<'a>,
) -> Outcome {
    let related = finding.related.iter().enumerate();
    let related = related.map(|(index, it)| files.place(&it.location, Some(index + 1), &it.label));
    let related_locations = related.collect();
    let edits = pipeline.edits.get(&edit_key(finding));
    let rules = pipeline.rules;
    Outcome {
        rule_id: finding.rule,
        rule_index: rules.iter().position(|rule| rule.name == finding.rule),
        level: level(finding.severity),
        message: message(finding),
        locations: [files.place(&finding.location, None, &finding.label)],
        related_locations,
        partial_fingerprints: Fingerprints {
            stekguard: fingerprint.to_owned(),
        },
        fixes: match edits {
            Some(Listed::Here(edits)) => repair(finding, edits, files).into_iter().collect(),
            Some(Listed::With(_)) | None => Vec::new(),
        },
        suppressions: Vec::new(),
        properties: OutcomeProperties {
            confidence: match finding.confidence {
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::Low => "low",
            },
            endpoints: finding.endpoints.clone(),
            versions: finding.versions.iter().map(ToString::to_string).collect(),
            when: finding.when.clone(),
            fix_listed_with: match edits {
                Some(Listed::With(other)) => holders.get(other).map(|print| (*print).to_owned()),
                Some(Listed::Here(_)) | None => None,
            },
        },
    }
}

/// The sentence, then what to do. In a message, brackets would begin a link and braces a
/// placeholder.
fn message(finding: &Finding) -> Message {
    let mut text = finding.message.clone();
    for help in &finding.help {
        text.push_str("\n\n");
        text.push_str(help);
    }
    Message::text(plain(&text))
}

/// Text that stays text in a SARIF message (3.11.5, 3.11.6): brackets are escaped by a
/// backslash, braces by doubling.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '[' | ']' | '\\' => out.extend(['\\', character]),
            '{' | '}' => out.extend([character, character]),
            _ => out.push(character),
        }
    }
    out
}

/// The fix as replacements; `None` where it inserts bytes that are no text.
fn repair<'a>(finding: &Finding, edits: &'a [FileEdits], files: &mut Files<'a>) -> Option<Repair> {
    let fix = finding.fix.as_ref()?;
    let mut changes = Vec::new();
    for file in edits {
        let mut replacements = Vec::new();
        for edit in &file.edits {
            let text = String::from_utf8(edit.replacement.clone()).ok()?;
            replacements.push(Replacement {
                deleted_region: files.region(&file.path, edit.span)?,
                inserted_content: (!text.is_empty()).then_some(Content { text }),
            });
        }
        changes.push(ArtifactChange {
            artifact_location: files.file(&file.path),
            replacements,
        });
    }
    let title = match fix.applicability {
        Applicability::Safe => fix.title.clone(),
        Applicability::Unsafe => format!("{} (may change more than was asked for)", fix.title),
    };
    Some(Repair {
        description: Message::text(plain(&title)),
        artifact_changes: changes,
    })
}

/// What keeps a finding from being reported.
fn suppression<'a>(by: &'a Silence, files: &mut Files<'a>) -> Option<Suppression> {
    let (kind, justification, location) = match by {
        Silence::Comment { at, reason } => {
            ("inSource", reason.as_str(), Some(files.place(at, None, "")))
        }
        Silence::Baseline => ("external", "the baseline holds it", None),
        Silence::Off | Silence::Elsewhere => return None,
    };
    Some(Suppression {
        kind,
        status: "accepted",
        justification: justification.to_owned(),
        location,
    })
}

fn notification<'a>(problem: &'a Problem, files: &mut Files<'a>) -> Notification {
    let place = match &problem.location {
        Some(location) => Some(files.place(location, None, "")),
        None if problem.path.as_os_str().is_empty() => None,
        None => Some(files.line(&problem.path, problem.line)),
    };
    Notification {
        level: "error",
        message: Message::text(plain(&problem.message)),
        descriptor: Some(Reference {
            id: INCOMPLETE,
            index: 0,
        }),
        locations: place.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_text_is_no_link_and_no_placeholder() {
        assert_eq!(plain(r"[::]:443 {0} \d"), r"\[::\]:443 {{0}} \\d");
        assert_eq!(pascal("early-data-replay"), "EarlyDataReplay");
    }
}
