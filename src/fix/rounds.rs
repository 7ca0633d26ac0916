//! Plans one after the other: a second plan on what the first one makes, told as one.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fix::plan::{Note, Plan, PlannedFile};
use crate::text::{EditSet, Span};

impl Plan {
    /// This plan, then `next`, as [`Sum`] tells them.
    pub fn then(self, next: Plan) -> Plan {
        let mut sum = Sum::default();
        sum.add(self);
        sum.add(next);
        sum.whole()
    }
}

/// Plans, each planned on the result of those before it. Adding one takes as long as that one is
/// large, however many there were.
#[derive(Debug, Default)]
pub struct Sum {
    /// All but the files.
    plan: Plan,
    /// `None` for one that has become what it was.
    files: Vec<Option<PlannedFile>>,
    /// Where the first `sorted` of the files stand.
    places: HashMap<Identity, usize>,
    sorted: usize,
    notes: HashSet<Note>,
    costs: HashSet<String>,
}

/// What makes two planned files one.
type Identity = (Option<PathBuf>, Vec<Arc<Path>>);

impl Sum {
    /// Adds a plan. Refusals and the indices of proposals are those of the last one: what was
    /// refused before may have been taken since.
    pub fn add(&mut self, next: Plan) {
        self.add_files(next.files);
        let new = next.notes.into_iter();
        let new = new.filter(|note| self.notes.insert(note.clone()));
        self.plan.notes.extend(new);
        let new = next.costs.into_iter();
        let new = new.filter(|cost| self.costs.insert(cost.clone()));
        self.plan.costs.extend(new);
        self.plan.go_live = self.plan.go_live.max(next.go_live);
        self.plan.taken = next.taken;
        self.plan.refused = next.refused;
    }

    /// All of them as one.
    #[must_use]
    pub fn whole(self) -> Plan {
        Plan {
            files: self.files.into_iter().flatten().collect(),
            ..self.plan
        }
    }

    fn add_files(&mut self, next: Vec<PlannedFile>) {
        let mut next = next.into_iter().filter(|file| *file.before != *file.after);
        if self.files.is_empty() {
            // Often there is no other plan.
            self.files.extend(next.by_ref().map(Some));
        }
        for file in next {
            self.sort();
            let place = identity(&file);
            let known = self.places.get(&place).copied();
            let Some((at, mut known)) = known.and_then(|at| Some((at, self.files[at].take()?)))
            else {
                self.places.insert(place, self.files.len());
                self.files.push(Some(file));
                self.sorted = self.files.len();
                continue;
            };
            known.go_on(file);
            self.files[at] = (*known.before != *known.after).then_some(known);
        }
    }

    fn sort(&mut self) {
        for at in self.sorted..self.files.len() {
            if let Some(file) = &self.files[at] {
                self.places.insert(identity(file), at);
            }
        }
        self.sorted = self.files.len();
    }
}

fn identity(file: &PlannedFile) -> Identity {
    (file.real.clone(), file.paths.clone())
}

impl PlannedFile {
    fn go_on(&mut self, next: Self) {
        for round in &next.rounds {
            let shifts = Shifts::of(round);
            for reason in &mut self.reasons {
                reason.span = shifts.moved(reason.span);
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

/// Where bytes come to lie after edits.
struct Shifts {
    /// Sorted and disjoint, each with how much longer the text in front of it has become.
    edits: Vec<(Span, i64)>,
    /// How much longer the whole text is.
    whole: i64,
}

impl Shifts {
    fn of(edits: &EditSet) -> Self {
        let mut whole = 0;
        let each = edits.iter().map(|edit| {
            let before = whole;
            whole += edit.replacement.len() as i64 - i64::from(edit.span.len());
            (edit.span, before)
        });
        Self {
            edits: each.collect(),
            whole,
        }
    }

    /// Those that were replaced come to lie where their replacement begins.
    fn moved(&self, span: Span) -> Span {
        let start = self.to(span.start);
        Span::new(start, self.to(span.end).max(start))
    }

    fn to(&self, at: u32) -> u32 {
        // What is inserted at an offset stands behind what ends there.
        let before = |(edit, _): &(Span, i64)| {
            let inserted_here = edit.is_empty() && edit.start == at;
            edit.end <= at && !inserted_here
        };
        let first = self.edits.partition_point(before);
        let (at, shift) = match self.edits.get(first) {
            Some((edit, shift)) if edit.start < at => (edit.start, *shift),
            Some((_, shift)) => (at, *shift),
            None => (at, self.whole),
        };
        (i64::from(at) + shift).max(0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Edit;

    #[test]
    fn bytes_lie_behind_what_was_put_before_them() {
        let mut edits = EditSet::new();
        for (start, end, text) in [(2, 2, "++"), (4, 6, "x"), (6, 6, "!"), (9, 12, "")] {
            let replacement = text.as_bytes().to_vec();
            let span = Span::new(start, end);
            edits.insert(Edit { span, replacement }).unwrap();
        }
        // abcdefghijklmn becomes ab++cdx!ghimn.
        let shifts = Shifts::of(&edits);
        let to: Vec<u32> = (0..=14).map(|at| shifts.to(at)).collect();
        assert_eq!(to, [0, 1, 2, 5, 6, 6, 7, 9, 10, 11, 11, 11, 11, 12, 13]);
        assert_eq!(shifts.moved(Span::new(5, 10)), Span::new(6, 11));
    }
}
