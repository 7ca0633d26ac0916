//! Plans one after the other: a second plan on what the first one makes, told as one.

use crate::fix::plan::{Plan, PlannedFile};
use crate::text::{EditSet, Span};

impl Plan {
    /// This plan, then `next`, which was planned on its result. Refusals and the indices of
    /// proposals are those of `next`: what was refused before may have been taken since.
    pub fn then(mut self, next: Plan) -> Plan {
        for file in next.files {
            match self.files.iter_mut().find(|known| same(known, &file)) {
                Some(known) => known.go_on(file),
                None => self.files.push(file),
            }
        }
        self.files.retain(|file| *file.before != *file.after);
        for note in next.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        for cost in next.costs {
            if !self.costs.contains(&cost) {
                self.costs.push(cost);
            }
        }
        self.go_live = self.go_live.max(next.go_live);
        Plan {
            taken: next.taken,
            refused: next.refused,
            ..self
        }
    }
}

fn same(one: &PlannedFile, other: &PlannedFile) -> bool {
    one.real == other.real && one.paths == other.paths
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
