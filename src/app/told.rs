//! A repair and what was done with it, as data for the report room.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Applied, Repair};
use crate::finding::Finding;
use crate::{fix, report};

impl Repair {
    /// The same for the report room; `shown` says which findings were asked for.
    pub fn report(&self, shown: &dyn Fn(&Finding) -> bool) -> report::Fixed<'_> {
        let after = self.after.findings.iter();
        let mut rest: BTreeMap<_, usize> = BTreeMap::new();
        for finding in after.clone() {
            *rest.entry(key(finding)).or_default() += 1;
        }
        let before = self.before.findings.iter().filter(|it| shown(it));
        let fixed = before.filter(|finding| match rest.get_mut(&key(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        report::Fixed {
            error: None,
            problems: &self.before.problems,
            fixed: fixed.collect(),
            left: after.filter(|it| shown(it)).collect(),
            files: self.plan.files.iter().map(file).collect(),
            refused: &self.refused,
            failed: &self.failed,
            costs: self.costs(),
            notes: self.notes(),
            go_live: self.plan.go_live,
            broken_between: None,
            done: None,
        }
    }
}

impl Applied {
    /// The same for the report room.
    pub fn report(&self) -> report::Done {
        let tested = self.tested.iter();
        let reloaded = self.reloaded.iter();
        report::Done {
            journal: self.id,
            written: self.files.clone(),
            tested: tested
                .map(|it| (it.root.clone(), it.by.clone(), it.why_not.clone()))
                .collect(),
            reloaded: reloaded.map(|it| (it.root.clone(), it.pid)).collect(),
        }
    }
}

/// What makes a finding the same before and after: lines move.
fn key(finding: &Finding) -> (&'static str, &str, &Path) {
    (finding.rule, &finding.message, &finding.location.path)
}

fn file(file: &fix::PlannedFile) -> report::FixedFile<'_> {
    let edits = fix::changes(file).into_iter().map(|change| {
        let range = change.span.start as usize..change.span.end as usize;
        (range, change.new)
    });
    let mut reasons: Vec<(&str, &str)> = file
        .reasons
        .iter()
        .map(|it| (it.rule, it.text.as_str()))
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    report::FixedFile {
        real: file.real.as_deref(),
        opened_as: file.paths.iter().map(|path| &**path).collect(),
        before: &file.before,
        edits: edits.collect(),
        reasons,
    }
}
