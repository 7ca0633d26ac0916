//! Did a repair make things better and nothing worse? Compares what is found before and
//! after; changes nothing.

use std::collections::{BTreeMap, HashSet};

use super::lint::Judged;
use crate::finding::Severity;
use crate::model::Endpoint;
use crate::policy::Goal;

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

/// The result reads completely, has no new finding of warning or above, and meets the goal
/// except where a finding says that it does not.
pub(super) fn prove(before: &Before, after: &Judged, goal: Goal) -> Result<(), String> {
    if let Some(problem) = after.loaded.project.problems.first() {
        let place = problem.path.display();
        return Err(format!("{place}:{}: {}", problem.line, problem.message));
    }
    for ((rule, message), times) in found(after) {
        let known = before
            .found
            .get(&(rule, message.clone()))
            .copied()
            .unwrap_or(0);
        if times > known {
            return Err(format!("it would cause {rule}: {message}"));
        }
    }
    let said: HashSet<&str> = after
        .findings
        .iter()
        .chain(after.silenced.iter().map(|silenced| &silenced.finding))
        .flat_map(|finding| finding.endpoints.iter().map(String::as_str))
        .collect();
    let missed = after
        .site
        .endpoints
        .iter()
        .find(|endpoint| misses(endpoint, goal) && !said.contains(&*endpoint.label()));
    match missed {
        Some(endpoint) => Err(format!("{} would still resume", endpoint.label())),
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
        *out.entry((finding.rule, finding.message.clone()))
            .or_insert(0) += 1;
    }
    out
}

fn misses(endpoint: &Endpoint, goal: Goal) -> bool {
    match goal {
        Goal::Sound => false,
        Goal::NoTickets => endpoint.reachable && endpoint.stateless_resumes(),
        Goal::NoResumption => endpoint.reachable && endpoint.resumes(),
    }
}
