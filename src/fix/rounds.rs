//! Plans one after the other: a second plan on what the first one makes, told as one.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fix::plan::{Note, Plan, PlannedFile};
use crate::text::{EditSet, Span};

impl Plan {
    /// This plan, then `next`, which was planned on its result. Refusals and the indices of
    /// proposals are those of `next`: what was refused before may have been taken since.
    pub fn then(mut self, next: Plan) -> Plan {
        match self.files.is_empty() {
            true => self.files = next.files,
            false => self.go_on(next.files),
        }
        self.files.retain(|file| *file.before != *file.after);
        let mut known: HashSet<Note> = self.notes.iter().cloned().collect();
        let new = next.notes.into_iter();
        self.notes
            .extend(new.filter(|note| known.insert(note.clone())));
        let mut known: HashSet<String> = self.costs.iter().cloned().collect();
        let new = next.costs.into_iter();
        self.costs
            .extend(new.filter(|cost| known.insert(cost.clone())));
        self.go_live = self.go_live.max(next.go_live);
        Plan {
            taken: next.taken,
            refused: next.refused,
            ..self
        }
    }

    /// Takes files over that were planned on the result of these.
    fn go_on(&mut self, next: Vec<PlannedFile>) {
        if next.is_empty() {
            return;
        }
        let known = self.files.iter().enumerate();
        let known: HashMap<_, usize> = known.map(|(at, file)| (identity(file), at)).collect();
        for file in next {
            match known
                .get(&identity(&file))
                .and_then(|at| self.files.get_mut(*at))
            {
                Some(known) => known.go_on(file),
                None => self.files.push(file),
            }
        }
    }
}

/// What makes two planned files one.
fn identity(file: &PlannedFile) -> (Option<PathBuf>, Vec<Arc<Path>>) {
    (file.real.clone(), file.paths.clone())
}

impl PlannedFile {
    fn go_on(&mut self, next: Self) {
        for round in &next.rounds {
            for reason in &mut self.reasons {
                reason.span = moved(reason.span, round);
            }
        }
        self.reasons.extend(next.reasons);
        self.reasons.sort();
        self.reasons.dedup();
        self.rounds.extend(next.rounds);
        self.after = next.after;
        self.crowded |= next.crowded;
    }
}

/// Where bytes come to lie after the edits; those that were replaced, where their
/// replacement begins.
fn moved(span: Span, edits: &EditSet) -> Span {
    let to = |at: u32| {
        let mut shift = 0i64;
        for edit in edits.iter() {
            if edit.span.end > at || (edit.span.is_empty() && edit.span.start == at) {
                break;
            }
            shift += edit.replacement.len() as i64 - i64::from(edit.span.len());
        }
        let inside = edits
            .iter()
            .find(|edit| edit.span.start < at && at < edit.span.end);
        let at = inside.map_or(at, |edit| edit.span.start);
        (i64::from(at) + shift).max(0) as u32
    };
    let start = to(span.start);
    Span::new(start, to(span.end).max(start))
}
