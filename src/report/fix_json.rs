//! The report of a fix as JSON, `stekguard-fix/1`; its schema stands in docs/schema. Within a
//! version, fields are only added.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Problem;
use super::json::{Gap, LintFinding, print};
use crate::finding::{Finding, GoLive};

/// Everything that a fix has to say.
#[derive(Clone, Debug, Default)]
pub struct Fixed<'a> {
    /// What stopped it, one sentence; `None` where the job was done.
    pub error: Option<String>,
    /// What was not read; not empty means that nothing there was changed.
    pub problems: &'a [Problem],
    /// Findings that the patch repairs.
    pub fixed: Vec<&'a Finding>,
    /// Findings that are there afterwards.
    pub left: Vec<&'a Finding>,
    /// The files that change.
    pub files: Vec<FixedFile<'a>>,
    /// What is not repaired and why.
    pub refused: &'a [String],
    /// Repairs that did not prove themselves.
    pub failed: &'a [String],
    /// What it costs, a sentence each.
    pub costs: &'a [String],
    /// What a reader should know, a sentence each.
    pub notes: Vec<String>,
    /// What makes it live.
    pub go_live: Option<GoLive>,
    /// Why a server that reads the files while they are replaced may find them broken.
    pub broken_between: Option<String>,
    /// What was done to the files; `None` where nothing was to be written.
    pub done: Option<Done>,
}

/// A file that changes.
#[derive(Clone, Debug)]
pub struct FixedFile<'a> {
    /// The file itself, symlinks resolved; `None` where it is on no disk here.
    pub real: Option<&'a Path>,
    /// The names by which the server opens it.
    pub opened_as: Vec<&'a Path>,
    /// Its bytes before.
    pub before: &'a [u8],
    /// Replacements of byte ranges of `before`, in order.
    pub edits: Vec<(std::ops::Range<usize>, Vec<u8>)>,
    /// Rules and reasons.
    pub reasons: Vec<(&'a str, &'a str)>,
}

/// What was done to the files.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The number in the journal.
    pub journal: Option<u64>,
    /// The files, in the order in which they were replaced.
    pub written: Vec<PathBuf>,
    /// Each root, what its test was, and why it was not tested.
    pub tested: Vec<(PathBuf, Option<String>, Option<String>)>,
    /// Roots of the servers that were reloaded, with their process ids.
    pub reloaded: Vec<(PathBuf, u32)>,
}

/// The document.
#[must_use]
pub fn json(report: &Fixed<'_>) -> String {
    let done = report.done.as_ref();
    let not_tested = done.map_or(0, |done| {
        done.tested.iter().filter(|(_, by, _)| by.is_none()).count()
    });
    print(&Document {
        schema: "stekguard-fix/1",
        error: report.error.as_deref(),
        complete: report.problems.is_empty() && report.error.is_none(),
        incomplete: report.problems.iter().map(Gap::new).collect(),
        fixed: report.fixed.iter().map(|it| LintFinding::new(it)).collect(),
        left: report.left.iter().map(|it| LintFinding::new(it)).collect(),
        files: report.files.iter().map(File::new).collect(),
        not_changed: report.refused,
        failed: report.failed,
        costs: report.costs,
        notes: &report.notes,
        go_live: report.go_live.map(|go_live| match go_live {
            GoLive::Reload => "reload",
            GoLive::StopAndStart => "stop-and-start",
        }),
        broken_between: report.broken_between.as_deref(),
        written: done.is_some_and(|done| done.journal.is_some()),
        journal: done.and_then(|done| done.journal),
        order: done.map_or_else(Vec::new, |done| {
            done.written
                .iter()
                .map(|path| path.to_string_lossy())
                .collect()
        }),
        not_validated: not_tested,
        validated: done.map_or_else(Vec::new, |done| {
            let tests = done.tested.iter().map(|(root, by, why_not)| Validation {
                root: root.to_string_lossy(),
                passed: by.is_some(),
                by: by.as_deref(),
                why_not: why_not.as_deref(),
            });
            tests.collect()
        }),
        reloaded: done.map_or_else(Vec::new, |done| {
            let servers = done.reloaded.iter().map(|(root, pid)| Reload {
                root: root.to_string_lossy(),
                pid: *pid,
            });
            servers.collect()
        }),
    })
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    error: Option<&'a str>,
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    fixed: Vec<LintFinding<'a>>,
    left: Vec<LintFinding<'a>>,
    files: Vec<File<'a>>,
    not_changed: &'a [String],
    failed: &'a [String],
    costs: &'a [String],
    notes: &'a [String],
    go_live: Option<&'static str>,
    broken_between: Option<&'a str>,
    written: bool,
    journal: Option<u64>,
    order: Vec<Cow<'a, str>>,
    validated: Vec<Validation<'a>>,
    not_validated: usize,
    reloaded: Vec<Reload<'a>>,
}

#[derive(Serialize)]
struct Validation<'a> {
    root: Cow<'a, str>,
    passed: bool,
    by: Option<&'a str>,
    why_not: Option<&'a str>,
}

#[derive(Serialize)]
struct Reload<'a> {
    root: Cow<'a, str>,
    pid: u32,
}

#[derive(Serialize)]
struct File<'a> {
    path: Option<Cow<'a, str>>,
    opened_as: Vec<Cow<'a, str>>,
    edits: Vec<Edit<'a>>,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    rule: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Edit<'a> {
    start: usize,
    end: usize,
    line: usize,
    old: Cow<'a, str>,
    new: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_bytes: Option<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_bytes: Option<&'a [u8]>,
}

impl<'a> File<'a> {
    fn new(file: &'a FixedFile<'a>) -> Self {
        // They stand in order: no byte is looked at twice.
        let (mut line, mut counted) = (1, 0);
        let edits = file.edits.iter().map(|(range, new)| {
            let old = file.before.get(range.clone()).unwrap_or_default();
            let between = file.before.get(counted..range.start).unwrap_or_default();
            line += between.iter().filter(|byte| **byte == b'\n').count();
            counted = range.start;
            Edit {
                start: range.start,
                end: range.end,
                line,
                old: String::from_utf8_lossy(old),
                new: String::from_utf8_lossy(new),
                old_bytes: inexact(old),
                new_bytes: inexact(new),
            }
        });
        let reasons = file.reasons.iter();
        Self {
            path: file.real.map(Path::to_string_lossy),
            opened_as: file
                .opened_as
                .iter()
                .map(|path| path.to_string_lossy())
                .collect(),
            edits: edits.collect(),
            reasons: reasons.map(|(rule, text)| Reason { rule, text }).collect(),
        }
    }
}

/// The bytes where text would not give them back.
fn inexact(bytes: &[u8]) -> Option<&[u8]> {
    std::str::from_utf8(bytes).is_err().then_some(bytes)
}
