//! The steps and edits of one file. It knows who asked for what, so that it can say who
//! contradicts whom.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::catalog::Server;
use crate::fix::desk::StepEdits;
use crate::fix::plan::{PlannedFile, Reason};
use crate::source::File;
use crate::text::{Edit, EditSet, Span};

/// What happens to one statement.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) enum Step {
    /// It gets these arguments.
    Set {
        /// The statement.
        span: Span,
        /// All of them.
        arguments: Vec<String>,
    },
    /// It goes.
    Remove {
        /// The statement.
        span: Span,
    },
    /// It comes.
    Insert {
        /// The block's statement; `None` for the file's top level.
        block: Option<Span>,
        /// Name and arguments.
        statement: Vec<String>,
        /// One more of the same name takes nothing away.
        additive: bool,
    },
}

/// Why a step is not taken.
pub(super) enum Stop {
    /// A step of this rule says otherwise.
    Contradicts(&'static str),
    /// A sentence.
    Other(String),
}

/// The steps taken on one file.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub(super) struct Sheet {
    steps: Vec<(Step, &'static str)>,
    replaced: Vec<(Edit, Why)>,
    inserted: BTreeMap<u32, Inserted>,
}

#[derive(Clone, Eq, PartialEq, Debug, Default)]
struct Inserted {
    pieces: Vec<(Vec<u8>, Why)>,
    tail: &'static [u8],
}

#[derive(Clone, Eq, PartialEq, Debug)]
struct Why {
    rule: &'static str,
    text: String,
}

impl Sheet {
    /// True where nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.inserted.is_empty()
    }

    /// Takes a step; one that was taken already counts once.
    pub(super) fn take(
        &mut self,
        step: Step,
        rule: &'static str,
        reason: &str,
        edits: impl FnOnce(&Step) -> Result<StepEdits, String>,
    ) -> Result<(), Stop> {
        if self.steps.iter().any(|(taken, _)| *taken == step) {
            return Ok(());
        }
        if let Some((_, other)) = self
            .steps
            .iter()
            .find(|(taken, _)| contradict(taken, &step))
        {
            return Err(Stop::Contradicts(other));
        }
        let why = Why {
            rule,
            text: reason.to_string(),
        };
        match edits(&step).map_err(Stop::Other)? {
            StepEdits::Replace(edits) => {
                for edit in edits {
                    self.replace(edit, why.clone())?;
                }
            }
            StepEdits::Insert { at, text, tail } => {
                if let Some((_, other)) = self.replaced.iter().find(|(e, _)| inside(e.span, at)) {
                    return Err(Stop::Contradicts(other.rule));
                }
                let inserted = self.inserted.entry(at).or_default();
                inserted.pieces.push((text, why));
                inserted.tail = tail;
            }
        }
        self.steps.push((step, rule));
        Ok(())
    }

    fn replace(&mut self, edit: Edit, why: Why) -> Result<(), Stop> {
        let overlaps = |other: &Span| other.start < edit.span.end && edit.span.start < other.end;
        if let Some((_, other)) = self.replaced.iter().find(|(e, _)| overlaps(&e.span)) {
            return Err(Stop::Contradicts(other.rule));
        }
        let hit = self.inserted.iter().find(|(at, _)| inside(edit.span, **at));
        if let Some(other) = hit.and_then(|(_, inserted)| inserted.pieces.first()) {
            return Err(Stop::Contradicts(other.1.rule));
        }
        self.replaced.push((edit, why));
        Ok(())
    }

    /// The file before and after; `None` where nothing changes.
    pub(super) fn planned(
        &self,
        file: &File,
        paths: Vec<Arc<Path>>,
        server: Server,
        crowded: bool,
    ) -> Option<PlannedFile> {
        let mut pieces: Vec<(Edit, Option<Why>)> = Vec::new();
        pieces.extend(
            self.replaced
                .iter()
                .map(|(edit, why)| (edit.clone(), Some(why.clone()))),
        );
        for (at, inserted) in &self.inserted {
            let span = Span::at(*at);
            let each = inserted.pieces.iter();
            pieces.extend(each.map(|(text, why)| {
                (
                    Edit {
                        span,
                        replacement: text.clone(),
                    },
                    Some(why.clone()),
                )
            }));
            if !inserted.tail.is_empty() {
                pieces.push((
                    Edit {
                        span,
                        replacement: inserted.tail.to_vec(),
                    },
                    None,
                ));
            }
        }
        // Stable: what is inserted at one place keeps the order in which it was asked for.
        pieces.sort_by_key(|(edit, _)| edit.span);
        let (edits, reasons) = merge(&pieces);
        let mut set = EditSet::new();
        for edit in edits {
            set.insert(edit).ok()?;
        }
        let after = set.apply(&file.text).ok()?;
        (after != *file.text).then(|| PlannedFile {
            paths,
            real: file.real.clone(),
            server,
            before: Arc::clone(&file.text),
            after,
            rounds: vec![set],
            reasons,
            crowded,
        })
    }
}

/// Joins insertions at one place, and says where each piece comes to lie.
fn merge(pieces: &[(Edit, Option<Why>)]) -> (Vec<Edit>, Vec<Reason>) {
    let mut edits: Vec<Edit> = Vec::new();
    let mut reasons = Vec::new();
    let mut shift = 0i64;
    for (edit, why) in pieces {
        let length = edit.replacement.len() as i64;
        let start = i64::from(edit.span.start) + shift;
        if let Some(why) = why {
            let span = Span::new(start as u32, (start + length) as u32);
            reasons.push(Reason {
                span,
                rule: why.rule,
                text: why.text.clone(),
            });
        }
        shift += length - i64::from(edit.span.len());
        match edits.last_mut() {
            Some(last) if last.span.is_empty() && last.span == edit.span => {
                last.replacement.extend_from_slice(&edit.replacement);
            }
            _ => edits.push(edit.clone()),
        }
    }
    (edits, reasons)
}

fn inside(span: Span, at: u32) -> bool {
    span.start < at && at < span.end
}

fn contradict(taken: &Step, step: &Step) -> bool {
    match (taken, step) {
        (
            Step::Set { span: one, .. } | Step::Remove { span: one },
            Step::Set { span: other, .. } | Step::Remove { span: other },
        ) => one == other,
        (
            Step::Insert {
                block: one,
                statement: first,
                additive,
            },
            Step::Insert {
                block: other,
                statement: second,
                ..
            },
        ) => {
            let same_name = match (first.first(), second.first()) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => false,
            };
            !additive && one == other && same_name
        }
        _ => false,
    }
}
