//! The hunks of a planned file, and the file with some of them only. Texts; opens no file.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use crate::fix::FixError;
use crate::fix::plan::{PlannedFile, Reason};
use crate::text::{Edit, EditSet, Span};

/// Lines of context around a change, as git and diff have.
const CONTEXT: usize = 3;

/// Changes of one file that are shown together.
#[derive(Clone, Debug)]
pub struct Hunk {
    /// Why.
    pub reasons: Vec<Reason>,
    /// Its lines before, from 0.
    pub(super) old: Range<usize>,
    /// Its lines afterwards, from 0.
    pub(super) new: Range<usize>,
    pub(super) ops: Vec<DiffOp>,
}

impl Hunk {
    /// Its lines before, from 1.
    #[must_use]
    pub fn lines(&self) -> Range<usize> {
        self.old.start + 1..self.old.end + 1
    }
}

/// A replacement in the text as it was read.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Change {
    /// The bytes replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub new: Vec<u8>,
}

/// The hunks, in order.
#[must_use]
pub fn hunks(file: &PlannedFile) -> Vec<Hunk> {
    hunks_of(file, &lines(&file.before), &lines(&file.after))
}

/// The same for who has its lines before and afterwards.
pub(super) fn hunks_of(file: &PlannedFile, old: &[&[u8]], new: &[&[u8]]) -> Vec<Hunk> {
    let starts = starts(new);
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Myers, old, new), CONTEXT);
    // Usually they are; what follows from it is only that fewer are looked at.
    let sorted = file.reasons.is_sorted_by_key(|reason| reason.span.start);
    groups
        .into_iter()
        .filter_map(|ops| hunk(ops, &starts, &file.reasons, sorted))
        .collect()
}

/// The file with these of its hunks only; `None` where that changes nothing.
///
/// # Errors
/// [`FixError::Edit`] where hunks touch each other.
pub fn select(file: &PlannedFile, keep: &[bool]) -> Result<Option<PlannedFile>, FixError> {
    let (old, new) = (lines(&file.before), lines(&file.after));
    let (old_starts, new_starts) = (starts(&old), starts(&new));
    let error = |source| FixError::Edit {
        path: file.real.clone().unwrap_or_default(),
        source,
    };
    let mut round = EditSet::new();
    let mut reasons = Vec::new();
    // How much longer the text before a hunk is than it was.
    let mut grown = 0i64;
    let hunks = hunks(file);
    for (hunk, _) in hunks.iter().zip(keep).filter(|(_, keep)| **keep) {
        let moved = byte(&old_starts, hunk.old.start) + grown - byte(&new_starts, hunk.new.start);
        for reason in &hunk.reasons {
            let at = |offset: u32| u32::try_from(i64::from(offset) + moved).unwrap_or_default();
            let span = Span::new(at(reason.span.start), at(reason.span.end));
            reasons.push(Reason {
                span,
                ..reason.clone()
            });
        }
        for op in hunk.ops.iter().filter(|op| !is_equal(op)) {
            let edit = edit(op, &old_starts, &new);
            grown += edit.replacement.len() as i64 - i64::from(edit.span.len());
            round.insert(edit).map_err(error)?;
        }
    }
    let after = round.apply(&file.before).map_err(error)?;
    if after == *file.before {
        return Ok(None);
    }
    Ok(Some(PlannedFile {
        after: after.into(),
        rounds: vec![round],
        reasons,
        ..file.clone()
    }))
}

/// What changes, in order of place: as it was planned where one round did it, else line by
/// line.
#[must_use]
pub fn changes(file: &PlannedFile) -> Vec<Change> {
    if let [round] = file.rounds.as_slice() {
        let planned = round.iter().map(|edit| Change {
            span: edit.span,
            new: edit.replacement.clone(),
        });
        return planned.collect();
    }
    let (old, new) = (lines(&file.before), lines(&file.after));
    let old_starts = starts(&old);
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let edits = ops.iter().filter(|op| !is_equal(op)).map(|op| {
        let edit = edit(op, &old_starts, &new);
        Change {
            span: edit.span,
            new: edit.replacement,
        }
    });
    edits.collect()
}

pub(super) fn is_equal(op: &DiffOp) -> bool {
    matches!(op, DiffOp::Equal { .. })
}

/// Lines with their line feeds. Only LF ends a line here, as in git.
pub(super) fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::with_capacity(text.len() / 24 + 1);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        lines.push(&text[start..=end]);
        start = end + 1;
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

/// Where lines begin, and where the last one ends.
fn starts(lines: &[&[u8]]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(lines.len() + 1);
    starts.push(0);
    let mut at = 0;
    for line in lines {
        at += line.len();
        starts.push(at);
    }
    starts
}

fn byte(starts: &[usize], line: usize) -> i64 {
    starts.get(line).copied().unwrap_or(0) as i64
}

fn hunk(ops: Vec<DiffOp>, starts: &[usize], reasons: &[Reason], sorted: bool) -> Option<Hunk> {
    let (first, last) = (ops.first()?, ops.last()?);
    let old = first.old_range().start..last.old_range().end;
    let new = first.new_range().start..last.new_range().end;
    let bytes = byte(starts, new.start)..=byte(starts, new.end);
    let inside = |reason: &&Reason| {
        bytes.contains(&i64::from(reason.span.start)) && i64::from(reason.span.end) <= *bytes.end()
    };
    let at = |reason: &Reason| i64::from(reason.span.start);
    let near = match sorted {
        true => {
            let first = reasons.partition_point(|reason| at(reason) < *bytes.start());
            let behind = reasons.partition_point(|reason| at(reason) <= *bytes.end());
            reasons.get(first..behind).unwrap_or_default()
        }
        false => reasons,
    };
    Some(Hunk {
        reasons: near.iter().filter(inside).cloned().collect(),
        old,
        new,
        ops,
    })
}

fn edit(op: &DiffOp, starts: &[usize], new: &[&[u8]]) -> Edit {
    let (gone, come) = (op.old_range(), op.new_range());
    let at = |line: usize| byte(starts, line) as u32;
    Edit {
        span: Span::new(at(gone.start), at(gone.end)),
        replacement: new.get(come).unwrap_or_default().concat(),
    }
}
