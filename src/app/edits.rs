//! What the fix of each finding would change by itself, for formats that carry fixes along.
//!
//! Unlike the patch of `fix`, these changes have not been judged together.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::finding::Finding;
use crate::fix::{self, Edited, Options, Proposal};
use crate::report::{Edits, FileEdits, Listed, edit_key};
use crate::source::Project;

/// A list of changes that fixes have in common is listed with one of them where it is longer: each
/// of thousands of fixes may need every line of its address.
const LONGEST: usize = 32;

/// The edits of every finding whose fix has a place in one of the configurations, the first
/// in which it has.
pub(super) fn edits(findings: &[Finding], projects: &[Arc<Project>]) -> Edits {
    let mut found: Vec<Option<Vec<FileEdits>>> = vec![None; findings.len()];
    let listed = listed(findings);
    let mut by_file: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if finding.fix.is_some() && listed[index].is_none() {
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
        let proposals: Vec<Option<Proposal<'_>>> = open
            .iter()
            .map(|index| proposal(&findings[*index]))
            .collect();
        if proposals.is_empty() {
            continue;
        }
        let edited = fix::edits_of_each(project, &proposals, &Options::default());
        for (edited, index) in edited.into_iter().zip(open) {
            if !edited.is_empty() {
                found[index] = Some(changes(edited));
            }
        }
    }
    let known: Vec<bool> = found.iter().map(Option::is_some).collect();
    let each = findings.iter().zip(found).zip(listed);
    let each = each.filter_map(|((finding, files), with)| {
        let with = with.filter(|with| known[*with]).map(Listed::With);
        Some((edit_key(finding), files.map(Listed::Here).or(with)?))
    });
    each.collect()
}

/// For findings that have a long list in common with an earlier one: which one that is.
fn listed(findings: &[Finding]) -> Vec<Option<usize>> {
    let mut first: HashMap<usize, usize> = HashMap::new();
    let each = findings.iter().enumerate().map(|(index, finding)| {
        let common = &finding.fix.as_ref()?.common;
        if common.len() <= LONGEST {
            return None;
        }
        let first = *first.entry(common.as_ptr().addr()).or_insert(index);
        (first != index).then_some(first)
    });
    each.collect()
}

fn proposal(finding: &Finding) -> Option<Proposal<'_>> {
    Some(Proposal {
        rule: finding.rule,
        reason: finding.message.clone(),
        fix: finding.fix.as_ref()?,
    })
}

fn changes(edited: Edited) -> Vec<FileEdits> {
    let each = edited.into_iter().map(|(path, edits)| FileEdits {
        path,
        edits: edits.iter().cloned().collect(),
    });
    each.collect()
}
