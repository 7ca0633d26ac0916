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

/// The steps taken on one file, and in which order, so that the last ones can be dropped.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    steps: BTreeMap<Place, Vec<(Step, &'static str)>>,
    /// By start and end; none overlaps another.
    replaced: BTreeMap<(u32, u32), (Edit, Why)>,
    inserted: BTreeMap<u32, Inserted>,
    log: Vec<Logged>,
}

/// What steps have to agree about: a statement's arguments, or a block's content.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
enum Place {
    Statement(u32),
    Block(Option<u32>),
}

#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Logged {
    Step(Place),
    Replaced(u32, u32),
    Inserted(u32),
}

/// How far a sheet was.
#[derive(Copy, Clone, Debug)]
pub(super) struct Mark(usize);

#[derive(Debug, Default)]
struct Inserted {
    pieces: Vec<(Vec<u8>, Why)>,
    tail: &'static [u8],
}

#[derive(Clone, Debug)]
struct Why {
    rule: &'static str,
    text: String,
}

impl Step {
    fn place(&self) -> Place {
        match self {
            Self::Set { span, .. } | Self::Remove { span } => Place::Statement(span.start),
            Self::Insert { block, .. } => Place::Block(block.map(|span| span.start)),
        }
    }
}

impl Sheet {
    /// How far it is.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// True where bytes changed since.
    pub(super) fn changed_since(&self, mark: Mark) -> bool {
        let since = self.log.get(mark.0..).unwrap_or_default();
        since
            .iter()
            .any(|logged| !matches!(logged, Logged::Step(_)))
    }

    /// Drops what was taken since.
    pub(super) fn drop_since(&mut self, mark: Mark) {
        for logged in self.log.drain(mark.0.min(self.log.len())..).rev() {
            match logged {
                Logged::Step(place) => {
                    self.steps.get_mut(&place).and_then(Vec::pop);
                }
                Logged::Replaced(start, end) => {
                    self.replaced.remove(&(start, end));
                }
                Logged::Inserted(at) => {
                    let Some(inserted) = self.inserted.get_mut(&at) else {
                        continue;
                    };
                    inserted.pieces.pop();
                    if inserted.pieces.is_empty() {
                        self.inserted.remove(&at);
                    }
                }
            }
        }
    }

    /// Takes a step; one that was taken already counts once. Where it fails, part of it may
    /// have been taken: the caller drops it.
    pub(super) fn take(
        &mut self,
        step: Step,
        rule: &'static str,
        reason: &str,
        edits: impl FnOnce(&Step) -> Result<StepEdits, String>,
    ) -> Result<(), Stop> {
        let place = step.place();
        let taken = self.steps.entry(place).or_default();
        if taken.iter().any(|(taken, _)| *taken == step) {
            return Ok(());
        }
        if let Some((_, other)) = taken.iter().find(|(taken, _)| contradict(taken, &step)) {
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
                if let Some(other) = self.covering(Span::at(at)) {
                    return Err(Stop::Contradicts(other));
                }
                let inserted = self.inserted.entry(at).or_default();
                inserted.pieces.push((text, why));
                inserted.tail = tail;
                self.log.push(Logged::Inserted(at));
            }
        }
        self.steps.entry(place).or_default().push((step, rule));
        self.log.push(Logged::Step(place));
        Ok(())
    }

    fn replace(&mut self, edit: Edit, why: Why) -> Result<(), Stop> {
        let (start, end) = (edit.span.start, edit.span.end);
        let same = self.replaced.get(&(start, end)).map(|(_, why)| why.rule);
        if let Some(other) = same.or(self.covering(edit.span)) {
            return Err(Stop::Contradicts(other));
        }
        let mut hit = self
            .inserted
            .range(start.saturating_add(1)..end.max(start.saturating_add(1)));
        if let Some(other) = hit.next().and_then(|(_, inserted)| inserted.pieces.first()) {
            return Err(Stop::Contradicts(other.1.rule));
        }
        self.replaced.insert((start, end), (edit, why));
        self.log.push(Logged::Replaced(start, end));
        Ok(())
    }

    /// The rule that replaces bytes of `span`, or around it where it is empty. What was
    /// taken does not overlap, so the last one that begins before the end is the one.
    fn covering(&self, span: Span) -> Option<&'static str> {
        let before = self.replaced.range(..(span.end, 0)).next_back();
        let found = before.filter(|((_, end), _)| *end > span.start);
        found.map(|(_, (_, why))| why.rule)
    }

    /// The file before and after; `None` where nothing changes.
    pub(super) fn planned(
        &self,
        file: &File,
        paths: Vec<Arc<Path>>,
        server: Server,
        crowded: bool,
    ) -> Option<PlannedFile> {
        let (set, reasons) = self.edits()?;
        let after = set.apply(&file.text).ok()?;
        (after != *file.text).then(|| PlannedFile {
            paths,
            real: file.real.clone(),
            server,
            before: Arc::clone(&file.text),
            after: after.into(),
            rounds: vec![set],
            reasons,
            crowded,
        })
    }

    /// The edits, and where the reason of each comes to lie; `None` where they do not fit.
    pub(super) fn edits(&self) -> Option<(EditSet, Vec<Reason>)> {
        let mut pieces: Vec<(Edit, Option<Why>)> = Vec::new();
        pieces.extend(
            self.replaced
                .values()
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
        Some((set, reasons))
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
