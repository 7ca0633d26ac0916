//! Comments that accept findings: what one says survives being written again, and comments hide
//! exactly what they name. Compares judging with and without them; writes nothing.

use std::collections::BTreeSet;

use stekguard::app::{Outcome, Request, Versions, lint};
use stekguard::catalog::{Server, newest};
use stekguard::finding::{Finding, Silence};
use stekguard::policy::{Goal, Policy};
use stekguard::rules::ABOUT_SUPPRESSIONS;
use stekguard::syntax::remark::{Remark, has_mark, remark};

/// The whole input as one comment, then as a configuration with comments.
pub(crate) fn all(bytes: &[u8]) {
    one(bytes);
    hides_what_it_names(bytes);
}

fn one(bytes: &[u8]) {
    let Some(said) = remark(bytes) else {
        return;
    };
    assert!(has_mark(bytes), "a comment that speaks has the mark");
    match &said {
        Remark::Ignore { rules, reason } => {
            assert!(!rules.is_empty() && rules.iter().all(|rule| rule.trim() == rule));
            assert!(rules.iter().all(|rule| !rule.is_empty()));
            assert!(!reason.is_empty() && reason.trim() == reason);
            let written = format!("# stekguard: ignore[{}] {reason}", rules.join(", "));
            assert_eq!(remark(written.as_bytes()), Some(said.clone()), "{written}");
        }
        Remark::Context(context) => assert!(!context.is_empty()),
        Remark::Malformed(why) => assert!(!why.is_empty()),
    }
}

/// With every comment made silent, the findings are those that were reported and those that the
/// comments have accepted. The text keeps its length, so places stay.
fn hides_what_it_names(bytes: &[u8]) {
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|it| it == needle);
    // A context changes what the file is.
    if !has_mark(bytes) || contains(b"context") {
        return;
    }
    let silent = replaced(bytes, b"stekguard:", b"stekguarx:");
    let (Some(with), Some(without)) = (judged(bytes), judged(&silent)) else {
        return;
    };
    let mut told: BTreeSet<_> = with.findings.iter().filter_map(fact).collect();
    for silenced in &with.silenced {
        let fact = fact(&silenced.finding);
        assert!(fact.is_some(), "no comment hides what is said of comments");
        assert!(matches!(&silenced.by, Silence::Comment { reason, .. } if !reason.is_empty()));
        told.extend(fact);
    }
    let all: BTreeSet<_> = without.findings.iter().filter_map(fact).collect();
    assert_eq!(told, all, "comments hide what they name, and nothing else");
    assert_eq!(with.complete(), without.complete());
}

fn judged(bytes: &[u8]) -> Option<Outcome> {
    let versions = [Server::Nginx, Server::Apache].map(|server| (server, newest(server)));
    let request = Request {
        stream: Some(bytes.to_vec()),
        versions: Versions {
            servers: versions.to_vec(),
            ..Versions::default()
        },
        policy: Policy {
            goal: Goal::NoTickets,
            ..Policy::default()
        },
        pedantic: true,
        ..Request::default()
    };
    lint(&request).ok()
}

/// Rule, place and words of a finding that is not about comments.
fn fact(finding: &Finding) -> Option<(&'static str, u32, u32, String)> {
    if ABOUT_SUPPRESSIONS.contains(&finding.rule) {
        return None;
    }
    let span = finding.location.span;
    Some((finding.rule, span.start, span.end, finding.message.clone()))
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for at in 0..out.len().saturating_sub(old.len() - 1) {
        if out[at..].starts_with(old) {
            out[at..at + old.len()].copy_from_slice(new);
        }
    }
    out
}
