//! Findings of several versions and of several roots become one list.
//!
//! The same rule at the same place with the same words is the same finding; it then says
//! for which versions it holds.

use std::collections::{BTreeMap, HashSet};

use crate::catalog::Version;
use crate::finding::Finding;
use crate::text::Location;

/// What makes two findings one.
type Key = (&'static str, Location, String);

/// Collects findings.
#[derive(Debug, Default)]
pub(super) struct Merger {
    findings: Vec<Finding>,
    known: BTreeMap<Key, usize>,
}

impl Merger {
    /// Adds what holds for these versions. Call it with the oldest first: places, words and
    /// the fix are the newest one's.
    pub(super) fn add(&mut self, mut finding: Finding, versions: Vec<Version>) {
        finding.versions = versions;
        self.put(finding);
    }

    /// Adds a finding that already knows its versions (empty: all).
    pub(super) fn put(&mut self, finding: Finding) {
        let key = (
            finding.rule,
            finding.location.clone(),
            finding.message.clone(),
        );
        match self.known.get(&key) {
            Some(index) => absorb(&mut self.findings[*index], finding),
            None => {
                self.known.insert(key, self.findings.len());
                self.findings.push(finding);
            }
        }
    }

    /// The findings in the order of their places. `judged` versions in all: what holds for
    /// each of them does not name versions.
    pub(super) fn finish(mut self, judged: usize) -> Vec<Finding> {
        for finding in &mut self.findings {
            if finding.versions.len() >= judged {
                finding.versions.clear();
            }
        }
        sort(&mut self.findings);
        self.findings
    }
}

/// By path, line, column, rule and words.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| {
            let place = &finding.location;
            (
                std::sync::Arc::clone(&place.path),
                place.line,
                place.column,
                finding.rule,
            )
        };
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
}

/// Both lists without repetition, in order.
fn union(mut older: Vec<String>, newer: Vec<String>) -> Vec<String> {
    if older == newer {
        return older;
    }
    let known: HashSet<String> = older.iter().cloned().collect();
    older.extend(
        newer
            .into_iter()
            .filter(|endpoint| !known.contains(endpoint)),
    );
    older
}

fn absorb(into: &mut Finding, newer: Finding) {
    let everywhere = into.versions.is_empty() || newer.versions.is_empty();
    let mut versions = std::mem::take(&mut into.versions);
    versions.extend(newer.versions);
    versions.sort_unstable();
    versions.dedup();

    let endpoints = union(std::mem::take(&mut into.endpoints), newer.endpoints);
    // A condition that holds at one version only does not restrict the finding.
    let when = std::mem::take(&mut into.when);
    let when = if when == newer.when { when } else { Vec::new() };

    *into = Finding {
        severity: into.severity.max(newer.severity),
        confidence: into.confidence.max(newer.confidence),
        versions: if everywhere { Vec::new() } else { versions },
        endpoints,
        when,
        fix: newer.fix.or_else(|| into.fix.take()),
        ..Finding {
            versions: Vec::new(),
            endpoints: Vec::new(),
            when: Vec::new(),
            fix: None,
            ..newer
        }
    };
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Confidence, Severity};
    use crate::text::Span;

    fn finding(line: u32, severity: Severity, endpoint: &str) -> Finding {
        Finding {
            rule: "r",
            severity,
            confidence: Confidence::High,
            message: "m".to_owned(),
            location: Location {
                path: Arc::from(Path::new("f")),
                span: Span::new(0, 1),
                line,
                column: 1,
            },
            label: String::new(),
            related: Vec::new(),
            endpoints: vec![endpoint.to_owned()],
            help: Vec::new(),
            versions: Vec::new(),
            when: Vec::new(),
            fix: None,
        }
    }

    #[test]
    fn the_same_finding_of_several_versions_is_one() {
        let versions = [
            Version::new(1, 18, 0),
            Version::new(1, 20, 0),
            Version::new(1, 22, 0),
        ];
        let mut merger = Merger::default();
        for version in versions {
            merger.add(finding(2, Severity::Note, "a"), vec![version]);
        }
        merger.add(finding(1, Severity::Note, "a"), vec![versions[1]]);
        merger.add(finding(1, Severity::Error, "b"), vec![versions[2]]);
        let merged = merger.finish(3);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].location.line, 1);
        assert_eq!(merged[0].versions, versions[1..]);
        assert_eq!(merged[0].severity, Severity::Error);
        assert_eq!(merged[0].endpoints, ["a", "b"]);
        assert!(merged[1].versions.is_empty());
    }
}
