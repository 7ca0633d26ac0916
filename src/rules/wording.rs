//! A finding from its words and the endpoints that it concerns. Must not judge.

use super::{Rule, places};
use crate::finding::{Finding, Severity};
use crate::model::Site;
use crate::text::Location;

/// What a finding says and where.
#[derive(Debug)]
pub(super) struct Words<'a> {
    /// The deciding line.
    pub(super) location: Location,
    /// One sentence: what is wrong. The same in every version, so that findings merge.
    pub(super) message: String,
    /// What the caret line says, short.
    pub(super) label: String,
    /// What to do, one sentence each.
    pub(super) help: &'a [&'a str],
}

/// The finding about these endpoints, graded as the rule is.
pub(super) fn finding(site: &Site, rule: &Rule, endpoints: &[usize], words: Words<'_>) -> Finding {
    graded(site, rule, rule.severity, endpoints, words)
}

/// The finding about these endpoints with a grade of its own.
pub(super) fn graded(
    site: &Site,
    rule: &Rule,
    severity: Severity,
    endpoints: &[usize],
    words: Words<'_>,
) -> Finding {
    let when = places::conditions(site, endpoints);
    Finding {
        rule: rule.name,
        severity,
        confidence: places::confidence(&when),
        message: words.message,
        location: words.location,
        label: words.label,
        related: Vec::new(),
        endpoints: places::labels(site, endpoints),
        help: words.help.iter().map(|line| (*line).to_owned()).collect(),
        versions: Default::default(),
        when,
        fix: None,
    }
}
