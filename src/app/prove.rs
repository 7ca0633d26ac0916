//! Did a repair make things better and nothing worse? Compares what is found before and
//! after; changes nothing.

use std::collections::{BTreeMap, HashSet};

use super::Request;
use super::lint::Judged;
use super::refused::refusals;
use crate::finding::Severity;
use crate::model::Endpoint;
use crate::rules::{self, Context};

/// What was found before.
#[derive(Debug)]
pub(super) struct Before {
    /// How often each finding of warning or above was made, by rule and words: lines move.
    found: BTreeMap<(&'static str, String), usize>,
}

impl Before {
    pub(super) fn of(judged: &Judged) -> Self {
        Self {
            found: found(judged),
        }
    }
}

/// Said where a list of keys is included that is still to be made. The plan says that it has
/// to come first, and only the server's own machine can show it.
const TO_BE_MADE: &str = "missing-ticket-keys";

/// The result reads completely, is nothing that its server refuses, has no new finding of warning or above, and meets the goal
/// except where a finding says that it does not.
pub(super) fn prove(before: &Before, after: &Judged, request: &Request) -> Result<(), String> {
    if let Some(problem) = after.loaded.project.problems.first() {
        let place = problem.path.display();
        return Err(format!("{place}:{}: {}", problem.line, problem.message));
    }
    // What kept the server from starting before was a finding; what keeps it from starting now
    // would be of our making, or come to light by it.
    if let Some(refusal) = refusals(after).first() {
        let (place, line) = (refusal.path.display(), refusal.line);
        let message = &refusal.message;
        return Err(format!(
            "the server would not start: {place}:{line}: {message}"
        ));
    }
    for ((rule, message), times) in found(after) {
        let known = before
            .found
            .get(&(rule, message.clone()))
            .copied()
            .unwrap_or(0);
        if times > known && rule != TO_BE_MADE {
            let ways_out = ways_out(after, rule, &message);
            return Err(format!("it would cause {rule}: {message}{ways_out}"));
        }
    }
    let said: HashSet<&str> = after
        .findings
        .iter()
        .chain(after.silenced.iter().map(|silenced| &silenced.finding))
        .flat_map(|finding| finding.endpoints.iter().map(String::as_str))
        .collect();
    let site = &after.site;
    // Every server is measured by the policy of its file.
    let meets = |endpoint: &Endpoint| {
        let path = &endpoint.defined_at.path;
        let policy = request.laid.measure.policy(&request.policy, path);
        let policy = &policy;
        rules::meets(&Context { site, policy }, endpoint)
    };
    let missed = site
        .endpoints
        .iter()
        .find(|endpoint| !said.contains(&*endpoint.label()) && !meets(endpoint));
    match missed {
        Some(endpoint) => Err(format!(
            "{} would still be against the policy",
            endpoint.label()
        )),
        None => Ok(()),
    }
}

fn found(judged: &Judged) -> BTreeMap<(&'static str, String), usize> {
    let mut out = BTreeMap::new();
    for finding in judged
        .findings
        .iter()
        .filter(|it| it.severity >= Severity::Warning)
    {
        *out.entry((finding.rule, cause(&finding.message)))
            .or_insert(0) += 1;
    }
    out
}

/// What helps against a finding that a repair would cause: a person has to choose.
fn ways_out(judged: &Judged, rule: &str, message: &str) -> String {
    let mut findings = judged.findings.iter();
    let caused = findings.find(|it| it.rule == rule && cause(&it.message) == message);
    let help = caused.map_or(&[][..], |it| &it.help);
    help.iter().map(|way| format!("; {way}")).collect()
}

/// A message without what follows from it: that a line has no effect stays the same finding
/// when a repair changes what is in force instead.
fn cause(message: &str) -> String {
    let cause = message.split("; ").next();
    cause.unwrap_or(message).to_owned()
}
