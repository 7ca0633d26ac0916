//! What the fix of each finding would change by itself, for formats that carry fixes along.
//!
//! Unlike the patch of `fix`, these changes have not been judged together.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::finding::{Finding, Fix};
use crate::fix::{self, Edited, Options, Proposal};
use crate::report::{Edits, FileEdits, Listed, edit_key};
use crate::source::Project;

/// A list of changes that fixes have in common is listed with one of them where it is longer: each
/// of thousands of fixes may need every line of its address.
const LONGEST: usize = 32;

/// The edits of every finding whose fix has a place in one of the configurations, the first
/// in which it has.
pub(super) fn edits(findings: &[Finding], projects: &[Arc<Project>]) -> Edits {
    let mut found: Vec<Option<Listed>> = vec![None; findings.len()];
    let mut by_file: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if finding.fix.is_some() {
            let own = by_file.entry(&finding.location.path).or_default();
            own.push(index);
        }
    }
    // A configuration that was not read completely is not changed.
    for project in projects.iter().filter(|project| project.complete()) {
        let files: HashSet<&Path> = project.files.iter().map(|file| &*file.path).collect();
        let own = files.iter().filter_map(|path| by_file.get(path)).flatten();
        let mut open: Vec<usize> = own.copied().filter(|it| found[*it].is_none()).collect();
        open.sort_unstable();
        if !open.is_empty() {
            in_project(findings, project, &open, &mut found);
        }
    }
    let each = findings.iter().zip(found);
    each.filter_map(|(finding, listed)| Some((edit_key(finding), listed?)))
        .collect()
}

/// The edits of these findings in one configuration. Of those whose fixes have a long list in
/// common, the first whose own changes hold has all of it.
fn in_project(
    findings: &[Finding],
    project: &Project,
    open: &[usize],
    found: &mut [Option<Listed>],
) {
    let long = |index: usize| findings[index].fix.as_ref().and_then(long_list);
    let own: Vec<Option<Fix>> = open
        .iter()
        .map(|index| long(*index).and(findings[*index].fix.as_ref()).map(alone))
        .collect();
    let each = open.iter().zip(&own);
    let each = each.filter_map(|(index, own)| {
        let finding = &findings[*index];
        Some((
            *index,
            proposal(finding, own.as_ref().or(finding.fix.as_ref())?),
        ))
    });
    let (indices, proposals): (Vec<usize>, Vec<Proposal<'_>>) = each.unzip();
    let edited = fix::edits_of_each(project, &proposals, &Options::default());
    let mut holders: HashMap<usize, usize> = HashMap::new();
    let mut others: Vec<(usize, usize)> = Vec::new();
    for (index, edited) in indices.into_iter().zip(edited) {
        let Some(edited) = edited else {
            continue;
        };
        match long(index) {
            None => found[index] = listed(edited),
            Some(list) => {
                let holder = *holders.entry(list).or_insert(index);
                if holder != index {
                    others.push((index, holder));
                }
            }
        }
    }
    let mut holders: Vec<usize> = holders.into_values().collect();
    holders.sort_unstable();
    let whole = holders.iter().filter_map(|index| {
        let finding = &findings[*index];
        Some(proposal(finding, finding.fix.as_ref()?))
    });
    let whole: Vec<Proposal<'_>> = whole.collect();
    let edited = fix::edits_of_each(project, &whole, &Options::default());
    for (index, edited) in holders.into_iter().zip(edited) {
        found[index] = edited.and_then(listed);
    }
    for (index, holder) in others {
        let there = matches!(found[holder], Some(Listed::Here(_)));
        found[index] = there.then(|| Listed::With(edit_key(&findings[holder])));
    }
}

/// Which list of changes a fix has in common with others, where that is a long one.
fn long_list(fix: &Fix) -> Option<usize> {
    (fix.common.len() > LONGEST).then(|| fix.common.as_ptr().addr())
}

/// A fix's own changes.
fn alone(fix: &Fix) -> Fix {
    Fix {
        common: Arc::default(),
        ..fix.clone()
    }
}

fn proposal<'a>(finding: &'a Finding, fix: &'a Fix) -> Proposal<'a> {
    Proposal {
        rule: finding.rule,
        reason: finding.message.clone(),
        fix,
    }
}

fn listed(edited: Edited) -> Option<Listed> {
    (!edited.is_empty()).then(|| Listed::Here(changes(edited)))
}

fn changes(edited: Edited) -> Vec<FileEdits> {
    let each = edited.into_iter().map(|(path, edits)| FileEdits {
        path,
        edits: edits.iter().cloned().collect(),
    });
    each.collect()
}
