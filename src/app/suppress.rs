//! Which findings are reported: those that no comment accepts and whose rule is not off. What is
//! not reported is kept with its reason.
//!
//! Takes findings only. What was not read is no finding, so nothing here can hide it.

use std::collections::BTreeSet;

use super::measure::Measure;
use crate::finding::{Finding, Silence, Silenced};
use crate::model::{Remark, Said};
use crate::rules::{ABOUT_SUPPRESSIONS, UNUSED_SUPPRESSION};
use crate::source::clean_path;
use crate::text::Location;

/// Findings apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    /// To be reported, with the grades of the settings.
    pub(super) findings: Vec<Finding>,
    /// Not to be reported.
    pub(super) silenced: Vec<Silenced>,
}

/// Sorts the findings of one configuration.
pub(super) fn sort(findings: Vec<Finding>, remarks: &[Remark], measure: &Measure) -> Sorted {
    let mut sorted = Sorted::default();
    for mut finding in findings {
        // A version for which it has no use does not make a comment useless.
        if finding.rule == UNUSED_SUPPRESSION && !finding.versions.is_empty() {
            continue;
        }
        let by = match comment(&finding, remarks) {
            Some(by) => by,
            None if measure.grade(&mut finding) => {
                sorted.findings.push(finding);
                continue;
            }
            None => Silence::Off,
        };
        sorted.silenced.push(Silenced { finding, by });
    }
    sorted
}

/// Drops findings about comments that another configuration has use for, and all of them where
/// not everything was read: nobody knows then.
pub(super) fn settle_unused(findings: &mut Vec<Finding>, silenced: &[Silenced], complete: bool) {
    // Roots can spell a shared file differently.
    let place = |at: &Location| (clean_path(&at.path), at.span);
    let used: BTreeSet<_> = silenced
        .iter()
        .filter_map(|silenced| match &silenced.by {
            Silence::Comment { at, .. } => Some((place(at), silenced.finding.rule)),
            _ => None,
        })
        .collect();
    findings.retain(|finding| {
        let in_use = || {
            let here = place(&finding.location);
            let mut known = used.iter().filter(|(at, _)| *at == here);
            known.any(|(_, rule)| finding.message.contains(&format!("finding of {rule} ")))
        };
        finding.rule != UNUSED_SUPPRESSION || (complete && !in_use())
    });
}

fn comment(finding: &Finding, remarks: &[Remark]) -> Option<Silence> {
    if ABOUT_SUPPRESSIONS.contains(&finding.rule) {
        return None;
    }
    // The nearest comment says it best: blocks stand around statements.
    let about = remarks.iter().filter(|it| it.is_about(&finding.location));
    let mut named = about.filter_map(|remark| match &remark.said {
        Said::Ignore { rules, reason } if rules.iter().any(|rule| rule == finding.rule) => {
            Some((remark, reason))
        }
        _ => None,
    });
    let (remark, reason) = named.next_back()?;
    Some(Silence::Comment {
        at: remark.location.clone(),
        reason: reason.clone(),
    })
}

/// The same finding of several configurations is one.
pub(super) fn one_each(mut silenced: Vec<Silenced>) -> Vec<Silenced> {
    let key = |silenced: &Silenced| {
        let finding = &silenced.finding;
        (
            finding.location.clone(),
            finding.rule,
            finding.message.clone(),
        )
    };
    silenced.sort_by_cached_key(key);
    silenced.dedup_by(|one, other| key(one) == key(other));
    silenced
}
