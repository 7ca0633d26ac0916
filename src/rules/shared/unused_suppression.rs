//! A suppression that no finding needs.
//!
//! ## What it finds
//! `# stekguard: ignore[RULE] REASON` where the statement that it is about has no finding of that
//! rule, or where it is about no statement: a blank line lies between, or the block ends. Told
//! only where everything was read, and where no judged version has such a finding.
//!
//! ## Why
//! The cause was repaired and the comment stayed, or it stands in the wrong place. It would hide
//! the next finding that comes up there.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     # stekguard: ignore[tickets-without-rotation] old clients need them
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Use instead
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! There is no fix: a comment is its author's. The finding cannot be suppressed.
//!
//! ## References
//! * <https://docs.astral.sh/ruff/rules/unused-noqa/>, the same idea for Python

use std::collections::HashMap;
use std::path::Path;

use crate::catalog::Server;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::{Remark, Said};
use crate::rules::{Context, Rule, by_name};

/// The rule. What it finds depends on the findings of all others, so [`unmatched`] is asked
/// once they are there.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "unused-suppression",
    severity: Severity::Note,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a suppression that no finding needs",
    source: include_str!("unused_suppression.rs"),
    check,
};

fn check(_: &Context<'_>) -> Vec<Finding> {
    Vec::new()
}

/// The rules of suppressions that none of these findings needs.
pub(in crate::rules) fn unmatched(remarks: &[Remark], findings: &[Finding]) -> Vec<Finding> {
    // Where findings begin, by file and rule: there may be as many comments.
    let mut places: HashMap<(&Path, &str), Vec<u32>> = HashMap::new();
    for finding in findings.iter().filter(|_| !remarks.is_empty()) {
        let place = &finding.location;
        let starts = places.entry((&*place.path, finding.rule)).or_default();
        starts.push(place.span.start);
    }
    places
        .values_mut()
        .for_each(|starts| starts.sort_unstable());
    let mut out = Vec::new();
    for remark in remarks.iter().filter(|remark| !remark.argument) {
        let Said::Ignore { rules, .. } = &remark.said else {
            continue;
        };
        let known = rules.iter().filter(|name| by_name(name).is_some());
        let unused = known.filter(|name| {
            let starts = places.get(&(&*remark.location.path, name.as_str()));
            !remark.covers.zip(starts).is_some_and(|(covers, starts)| {
                let first = starts.partition_point(|start| *start < covers.start);
                starts.get(first).is_some_and(|start| *start < covers.end)
            })
        });
        out.extend(unused.map(|name| finding(remark, name)));
    }
    out
}

fn finding(remark: &Remark, name: &str) -> Finding {
    let message = match remark.covers {
        Some(_) => format!("no finding of {name} is suppressed here"),
        None => format!("this stands at no statement, so it suppresses nothing of {name}"),
    };
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: Confidence::High,
        message,
        location: remark.location.clone(),
        label: String::new(),
        related: Vec::new(),
        endpoints: Vec::new(),
        help: vec!["remove it, or put it directly above what it is about".to_owned()],
        versions: Default::default(),
        when: Vec::new(),
        fix: None,
    }
}
