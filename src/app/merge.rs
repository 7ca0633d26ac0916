//! Findings of several versions and of several roots become one list.
//!
//! The same rule at the same place with the same words is the same finding; it then says
//! for which versions it holds.

use std::collections::HashSet;
use std::sync::Arc;

use crate::catalog::Version;
use crate::finding::{Finding, Versions, order, sort};
use crate::text::Span;

/// Collects findings. Those of one version after the other become one list at once: of
/// several versions, most findings are the same.
#[derive(Debug, Default)]
pub(super) struct Merger {
    findings: Vec<Finding>,
}

impl Merger {
    /// Adds what holds for these versions, which are newer than all before: places, words and
    /// the fix of what is the same are the newest one's.
    pub(super) fn add_newer(&mut self, findings: Vec<Finding>, versions: &[Version]) {
        let older = std::mem::take(&mut self.findings);
        self.findings = merged(older, of_versions(findings, versions));
    }

    /// Adds what knows its versions (empty: all), in which none are older than those before.
    pub(super) fn put(&mut self, findings: Vec<Finding>) {
        match self.findings.is_empty() {
            true => self.findings = findings,
            false => self.findings.extend(findings),
        }
    }

    /// The findings in the order of their places. `judged` versions in all: what holds for
    /// each of them does not name versions.
    pub(super) fn finish(self, judged: usize) -> Vec<Finding> {
        let mut merged = merged(self.findings, Vec::new());
        for finding in &mut merged {
            if finding.versions.len() >= judged {
                finding.versions = Versions::default();
            }
        }
        merged
    }
}

fn of_versions(mut findings: Vec<Finding>, versions: &[Version]) -> Vec<Finding> {
    let versions = Versions::from(versions);
    for finding in &mut findings {
        finding.versions = Arc::clone(&versions);
    }
    findings
}

/// Both lists as one, in the order of their places, what is the same once.
fn merged(older: Vec<Finding>, newer: Vec<Finding>) -> Vec<Finding> {
    // As rules give them, and as the last version left them.
    let in_order = |all: &[Finding]| all.is_sorted_by(|a, b| order(a, b).is_lt());
    match in_order(&older) && in_order(&newer) {
        true => beside(older, newer),
        false => gathered(older, newer),
    }
}

/// The same of lists in order in which no two findings are at one place with the same words: each
/// finding moves once.
fn beside(older: Vec<Finding>, newer: Vec<Finding>) -> Vec<Finding> {
    if newer.is_empty() {
        return older;
    }
    let mut unions = Unions::default();
    let mut all = Vec::with_capacity(older.len().max(newer.len()));
    let mut newer = newer.into_iter().peekable();
    for mut known in older {
        let before = |next: &Finding| order(next, &known).is_lt();
        while let Some(next) = newer.next_if(before) {
            all.push(next);
        }
        let same = |next: &Finding| next.location == known.location && order(next, &known).is_eq();
        if let Some(mut next) = newer.next_if(same) {
            absorb(&mut known, &mut next, &mut unions);
        }
        all.push(known);
    }
    all.extend(newer);
    all
}

/// The same of any lists.
fn gathered(older: Vec<Finding>, newer: Vec<Finding>) -> Vec<Finding> {
    let mut all = older;
    all.reserve_exact(newer.len());
    all.extend(newer);
    // Stable: of those that are the same, the oldest comes first.
    sort(&mut all);
    for alike in all.chunk_by_mut(|a, b| order(a, b).is_eq()) {
        together(alike);
    }
    let mut unions = Unions::default();
    all.dedup_by(|newer, known| {
        let same = newer.location == known.location && order(newer, known).is_eq();
        if same {
            absorb(known, newer, &mut unions);
        }
        same
    });
    all.shrink_to_fit();
    all
}

/// What begins at the same place and ends elsewhere is not the same: of these, each goes to
/// the first that is.
fn together(alike: &mut [Finding]) {
    if alike.iter().all(|it| it.location == alike[0].location) {
        return;
    }
    let spans: Vec<Span> = alike.iter().map(|it| it.location.span).collect();
    alike.sort_by_cached_key(|it| spans.iter().position(|span| *span == it.location.span));
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

/// Versions of several findings together, which are mostly those of the finding before.
#[derive(Default)]
struct Unions {
    /// Older, newer, both.
    last: Option<[Versions; 3]>,
}

impl Unions {
    /// Both, sorted and each once; what holds everywhere names none.
    fn of(&mut self, older: &Versions, newer: &Versions) -> Versions {
        if older.is_empty() || newer.is_empty() {
            return Versions::default();
        }
        if let Some([before, after, both]) = &self.last
            && Arc::ptr_eq(before, older)
            && Arc::ptr_eq(after, newer)
        {
            return Arc::clone(both);
        }
        let mut both = [&older[..], &newer[..]].concat();
        both.sort_unstable();
        both.dedup();
        let both = Versions::from(both);
        self.last = Some([Arc::clone(older), Arc::clone(newer), Arc::clone(&both)]);
        both
    }
}

/// Puts a newer version's finding in the place of an older one's that is the same, for both.
fn absorb(into: &mut Finding, newer: &mut Finding, unions: &mut Unions) {
    std::mem::swap(into, newer);
    let older = newer;
    into.versions = unions.of(&older.versions, &into.versions);

    let newest = std::mem::take(&mut into.endpoints);
    into.endpoints = union(std::mem::take(&mut older.endpoints), newest);
    // A condition that holds at one version only does not restrict the finding.
    if older.when != into.when {
        into.when.clear();
    }
    into.severity = into.severity.max(older.severity);
    into.confidence = into.confidence.max(older.confidence);
    into.fix = into.fix.take().or_else(|| older.fix.take());
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Confidence, Severity};
    use crate::text::Location;

    /// Lists in order become the same in both ways.
    #[test]
    fn lists_in_order_are_merged_as_any_lists_are() {
        let list = |lines: &[(u32, u32)], endpoint: &str| {
            let made = lines.iter().map(|(line, end)| {
                let mut made = finding(*line, Severity::Warning, endpoint);
                made.location.span = Span::new(0, *end);
                made.versions = [Version::new(1, 0, endpoint.len() as u16)].into();
                made
            });
            made.collect::<Vec<_>>()
        };
        let lines = [(1, 1), (2, 1), (2, 2), (3, 1), (5, 1)];
        for older in 0..1 << lines.len() {
            for newer in 0..1 << lines.len() {
                let chosen = |set: i32| {
                    let numbered = lines.iter().enumerate();
                    let chosen = numbered.filter(|(bit, _)| set >> bit & 1 == 1);
                    let mut chosen: Vec<_> = chosen.map(|(_, line)| *line).collect();
                    // Of two that begin at one place a list in order has one.
                    chosen.dedup_by_key(|(line, _)| *line);
                    chosen
                };
                let (older, newer) = (list(&chosen(older), "a"), list(&chosen(newer), "bb"));
                let both = merged(older.clone(), newer.clone());
                let expected = gathered(older, newer);
                assert_eq!(format!("{both:?}"), format!("{expected:?}"));
            }
        }
    }

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
            versions: Versions::default(),
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
        merger.add_newer(vec![finding(1, Severity::Note, "a")], &versions[1..2]);
        merger.add_newer(vec![finding(1, Severity::Error, "b")], &versions[2..]);
        for version in versions {
            merger.add_newer(vec![finding(2, Severity::Note, "a")], &[version]);
        }
        let merged = merger.finish(3);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].location.line, 1);
        assert_eq!(merged[0].versions[..], versions[1..]);
        assert_eq!(merged[0].severity, Severity::Error);
        assert_eq!(merged[0].endpoints, ["a", "b"]);
        assert!(merged[1].versions.is_empty());
    }

    /// Two statements on one line can begin at the same column only in different ways of
    /// reading them; what is said of each stays apart, in the order in which it was said.
    #[test]
    fn places_with_other_ends_are_other_findings() {
        let ending = |end| {
            let mut finding = finding(1, Severity::Note, "a");
            finding.location.span = Span::new(0, end);
            finding
        };
        let versions = [Version::new(1, 0, 0), Version::new(1, 1, 0)];
        let mut merger = Merger::default();
        merger.add_newer(vec![ending(9), ending(4)], &versions[..1]);
        merger.add_newer(vec![ending(4), ending(9)], &versions[1..]);
        let merged = merger.finish(2);
        let ends: Vec<u32> = merged.iter().map(|it| it.location.span.end).collect();
        assert_eq!(ends, [9, 4]);
        assert!(merged.iter().all(|it| it.versions.is_empty()));
    }
}
