//! What the fix of each finding would change by itself, for formats that carry fixes along.
//!
//! Unlike the patch of `fix`, these changes have not been judged together.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::finding::Finding;
use crate::fix::{self, Edited, Options, Proposal};
use crate::report::{Edits, FileEdits, edit_key};
use crate::source::Project;

/// The edits of every finding whose fix has a place in one of the configurations, the first
/// in which it has.
pub(super) fn edits(findings: &[Finding], projects: &[Arc<Project>]) -> Edits {
    let mut found: Vec<Option<Vec<FileEdits>>> = vec![None; findings.len()];
    // A configuration that was not read completely is not changed.
    for project in projects.iter().filter(|project| project.complete()) {
        let files: HashSet<&Path> = project.files.iter().map(|file| &*file.path).collect();
        let open = findings.iter().zip(&found).map(|(finding, found)| {
            let own = found.is_none() && files.contains(&*finding.location.path);
            own.then(|| proposal(finding)).flatten()
        });
        let proposals: Vec<Option<Proposal<'_>>> = open.collect();
        if proposals.iter().all(Option::is_none) {
            continue;
        }
        let edited = fix::edits_of_each(project, &proposals, &Options::default());
        for (edited, found) in edited.into_iter().zip(&mut found) {
            if !edited.is_empty() {
                *found = Some(changes(edited));
            }
        }
    }
    let each = findings.iter().zip(found);
    each.filter_map(|(finding, files)| Some((edit_key(finding), files?)))
        .collect()
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
