//! What the fix of each finding would change by itself, for formats that carry fixes along.
//!
//! Unlike the patch of `fix`, these changes have not been judged together.

use std::sync::Arc;

use crate::finding::Finding;
use crate::fix::{self, Options, Proposal};
use crate::report::{Edits, FileEdits, edit_key};
use crate::source::Project;

/// The edits of every finding whose fix has a place in one of the configurations.
pub(super) fn edits(findings: &[Finding], projects: &[Arc<Project>]) -> Edits {
    let mut out = Edits::new();
    for finding in findings {
        let found = projects.iter().find_map(|project| one(finding, project));
        if let Some(files) = found {
            out.insert(edit_key(finding), files);
        }
    }
    out
}

/// Edits of one finding; `None` where this configuration is not its own, or the fix finds no
/// place. A configuration that was not read completely is not changed.
fn one(finding: &Finding, project: &Project) -> Option<Vec<FileEdits>> {
    let fix = finding.fix.as_ref()?;
    let path = &finding.location.path;
    let own = project.files.iter().any(|file| file.path == *path);
    if !own || !project.complete() {
        return None;
    }
    let proposal = Proposal {
        rule: finding.rule,
        reason: finding.message.clone(),
        fix,
    };
    let plan = fix::plan(project, &[proposal], Options::default());
    let mut files = Vec::new();
    for file in plan.files {
        // One proposal is one round; its places are those of the file as it is.
        let [round] = &file.rounds[..] else {
            return None;
        };
        files.push(FileEdits {
            path: file.paths.first()?.clone(),
            edits: round.iter().cloned().collect(),
        });
    }
    (!files.is_empty()).then_some(files)
}
