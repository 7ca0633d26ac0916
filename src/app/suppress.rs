//! Which findings are reported: those that no comment accepts and whose rule is not off. What is
//! not reported is kept with its reason.
//!
//! Takes findings only. What was not read is no finding, so nothing here can hide it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::measure::Measure;
use crate::finding::{Finding, Silence, Silenced};
use crate::model::{Remark, Said};
use crate::rules::{ABOUT_SUPPRESSIONS, UNUSED_SUPPRESSION};
use crate::source::clean_path;
use crate::text::{Location, Span};

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
    let comments = Comments::of(remarks);
    let mut sorted = Sorted::default();
    for mut finding in findings {
        // A version for which it has no use does not make a comment useless.
        if finding.rule == UNUSED_SUPPRESSION && !finding.versions.is_empty() {
            continue;
        }
        let by = match comments.about(&finding) {
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
    let mut used: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for silenced in silenced {
        if let Silence::Comment { at, .. } = &silenced.by {
            used.entry(place(at))
                .or_default()
                .insert(silenced.finding.rule);
        }
    }
    findings.retain(|finding| {
        let in_use = || {
            let known = used.get(&place(&finding.location));
            let mut known = known.into_iter().flatten();
            known.any(|rule| finding.message.contains(&format!("finding of {rule} ")))
        };
        finding.rule != UNUSED_SUPPRESSION || (complete && !in_use())
    });
}

/// Comments that accept findings, found by what they accept: there may be as many as findings.
struct Comments<'a> {
    by: HashMap<(&'a Path, &'a str), Vec<Accepts<'a>>>,
}

/// A comment that accepts the findings of one rule.
struct Accepts<'a> {
    remark: &'a Remark,
    reason: &'a String,
    covers: Span,
    /// Its place among all comments.
    order: usize,
    /// The last one before it, of the same file and rule, whose statement goes on here.
    around: Option<usize>,
}

impl<'a> Comments<'a> {
    fn of(remarks: &'a [Remark]) -> Self {
        let mut by: HashMap<(&Path, &str), Vec<Accepts<'_>>> = HashMap::new();
        for (order, remark) in remarks.iter().enumerate() {
            let (Said::Ignore { rules, reason }, Some(covers)) = (&remark.said, remark.covers)
            else {
                continue;
            };
            for rule in rules {
                let all = by.entry((&remark.location.path, rule)).or_default();
                all.push(Accepts {
                    remark,
                    reason,
                    covers,
                    order,
                    around: None,
                });
            }
        }
        by.values_mut().for_each(nest);
        Self { by }
    }

    fn about(&self, finding: &Finding) -> Option<Silence> {
        if self.by.is_empty() || ABOUT_SUPPRESSIONS.contains(&finding.rule) {
            return None;
        }
        let all = self.by.get(&(&*finding.location.path, finding.rule))?;
        let at = finding.location.span.start;
        let behind = all.partition_point(|it| it.covers.start <= at);
        let mut next = behind.checked_sub(1);
        let mut named: Option<&Accepts<'_>> = None;
        while let Some(it) = next.and_then(|index| all.get(index)) {
            // The nearest comment says it best: blocks stand around statements.
            if it.covers.end > at && named.is_none_or(|known| known.order < it.order) {
                named = Some(it);
            }
            next = it.around;
        }
        let named = named?;
        Some(Silence::Comment {
            at: named.remark.location.clone(),
            reason: named.reason.clone(),
        })
    }
}

/// Puts comments into the order of their statements, and finds for each the one around it. Of
/// several about one statement the last stays: it is the nearest.
fn nest(all: &mut Vec<Accepts<'_>>) {
    all.sort_by_key(|it| (it.covers.start, Reverse(it.covers.end), Reverse(it.order)));
    all.dedup_by_key(|it| it.covers);
    let mut open: Vec<usize> = Vec::new();
    for index in 0..all.len() {
        let start = all[index].covers.start;
        while open.pop_if(|last| all[*last].covers.end <= start).is_some() {}
        all[index].around = open.last().copied();
        open.push(index);
    }
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
