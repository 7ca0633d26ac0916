//! A plan in the making: what is taken so far, file by file.
//!
//! Changes become steps (one statement each), steps become edits. A proposal is tried on
//! copies of the files it touches and taken when all of it fits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::Duplicate;
use crate::finding::Change;
use crate::fix::desk::Desk;
use crate::fix::plan::{Edited, FEW, Note, Plan, PlannedFile, Proposal, Refusal};
use crate::fix::sheet::{Mark, Sheet, Step, Stop};
use crate::fix::siblings::Chains;
use crate::fix::steps::{Refused, steps};
use crate::source::{File, FileId, FileOrigin, Project};
use crate::text::EditSet;

/// A plan in the making.
pub(super) struct Draft<'project> {
    project: &'project Project,
    desk: &'project Desk<'project>,
    sheets: BTreeMap<FileId, Sheet>,
    costs: Vec<String>,
    /// Where the lists of changes lie that were taken with a fix that has them in common with
    /// others.
    common: HashSet<usize>,
    /// Long lists that were not taken, by where they lie and by rule: why the list by itself is
    /// refused; `None` where it was for what stood beside it. Each of many fixes would go through
    /// all of it to be refused again.
    not_taken: HashMap<(usize, &'static str), Option<Stopped>>,
    plan: Plan,
}

/// The first change that is refused, and why.
#[derive(Clone)]
struct Stopped {
    at: Change,
    why: Refused,
}

impl<'project> Draft<'project> {
    /// Nothing taken.
    pub(super) fn new(project: &'project Project, desk: &'project Desk<'project>) -> Self {
        Self {
            project,
            desk,
            sheets: BTreeMap::new(),
            costs: Vec::new(),
            common: HashSet::new(),
            not_taken: HashMap::new(),
            plan: Plan::default(),
        }
    }

    /// Takes a proposal whole, or notes why not.
    pub(super) fn take(&mut self, index: usize, proposal: &Proposal<'_>) {
        match self.attempt(proposal).map_err(|stopped| stopped.why) {
            Ok(changed) => {
                self.plan.taken.push(index);
                if changed {
                    let fix = proposal.fix;
                    self.plan.go_live = self.plan.go_live.max(Some(fix.go_live));
                    self.costs.extend(fix.costs.iter().cloned());
                }
            }
            Err(Refused { path, reason }) => {
                let rule = proposal.rule;
                self.plan.refused.push(Refusal {
                    proposal: index,
                    rule,
                    path,
                    reason,
                });
            }
        }
    }

    /// The plan of all that was taken.
    pub(super) fn finish(mut self) -> Plan {
        let mut seen = BTreeSet::new();
        self.costs.retain(|cost| seen.insert(cost.clone()));
        self.plan.costs = std::mem::take(&mut self.costs);
        if self.sheets.is_empty() {
            return self.plan;
        }
        let chains = self.desk.chains();
        let sheets: Vec<(&FileId, &Sheet)> = self.sheets.iter().collect();
        let sheets = sheets.par_iter().with_min_len(FEW);
        let finished = sheets.map(|(id, sheet)| self.finished(**id, sheet, chains));
        let finished: Vec<_> = finished.collect();
        for (note, planned) in finished {
            self.plan.notes.extend(note);
            self.plan.files.extend(planned);
        }
        self.plan
    }

    /// A file with what was taken of it, and what to know of it.
    fn finished(
        &self,
        id: FileId,
        sheet: &Sheet,
        chains: &Chains,
    ) -> (Option<Note>, Option<PlannedFile>) {
        let file = self.project.file(id);
        let files = self.desk.files_of(id);
        let count = chains.count(files);
        let note = (count > 1).then(|| Note {
            path: file.path.to_path_buf(),
            text: format!("the server reads this file {count} times; the change holds for all"),
        });
        let paths = files.iter();
        let paths = paths.map(|id| Arc::clone(&self.project.file(*id).path));
        let crowded = chains.crowded(self.project, files);
        let planned = sheet.planned(file, paths.collect(), self.project.server, crowded);
        (note, planned)
    }

    /// The edits of all that was taken, without the texts that come of them; `None` where
    /// something was refused.
    pub(super) fn edits(self) -> Option<Edited> {
        if !self.plan.refused.is_empty() {
            return None;
        }
        let each = self.sheets.iter().filter_map(|(id, sheet)| {
            let (edits, _) = sheet.edits()?;
            let first = *self.desk.files_of(*id).first()?;
            let path = Arc::clone(&self.project.file(first).path);
            changes(&edits, &self.project.file(*id).text).then_some((path, edits))
        });
        Some(each.collect())
    }

    /// Takes a proposal, and says whether it changes anything; or takes nothing of it.
    fn attempt(&mut self, proposal: &Proposal<'_>) -> Result<bool, Stopped> {
        let fix = proposal.fix;
        let list = fix.common.as_ptr().addr();
        // What stands already because of another fix is not gone through again.
        if self.common.contains(&list) {
            return self.take_all(proposal, &mut fix.changes.iter());
        }
        if let Some(known) = self.not_taken.get(&(list, proposal.rule)).cloned() {
            // The first change that is known to be refused says why. What was taken since then may
            // stop the list before that; it is refused in any case.
            match (known, self.try_out(proposal, &mut fix.changes.iter())) {
                (Some(by_list), Err(by_own)) if by_list.at < by_own.at => return Err(by_list),
                (_, Err(by_own)) => return Err(by_own),
                (Some(by_list), Ok(())) => return Err(by_list),
                (None, Ok(())) => {}
            }
        }
        let taken = self.take_all(proposal, &mut fix.all());
        if taken.is_ok() {
            self.common.insert(list);
        } else if fix.common.len() >= FEW {
            let alone = self.try_out(proposal, &mut fix.common.iter());
            self.not_taken.insert((list, proposal.rule), alone.err());
        }
        taken
    }

    /// Whether these changes would be taken; takes none of them.
    fn try_out(
        &mut self,
        proposal: &Proposal<'_>,
        changes: &mut dyn Iterator<Item = &Change>,
    ) -> Result<(), Stopped> {
        let mut marks = BTreeMap::new();
        let taken = self.take_changes(proposal, changes, &mut marks);
        self.drop_since(marks);
        taken.map(|_| ())
    }

    /// Takes all of these changes, or none.
    fn take_all(
        &mut self,
        proposal: &Proposal<'_>,
        changes: &mut dyn Iterator<Item = &Change>,
    ) -> Result<bool, Stopped> {
        let mut marks = BTreeMap::new();
        let taken = self.take_changes(proposal, changes, &mut marks);
        if taken.is_err() {
            self.drop_since(marks);
        }
        taken
    }

    fn drop_since(&mut self, marks: BTreeMap<FileId, Mark>) {
        for (id, mark) in marks {
            self.sheets.entry(id).or_default().drop_since(mark);
        }
    }

    fn take_changes(
        &mut self,
        proposal: &Proposal<'_>,
        changes: &mut dyn Iterator<Item = &Change>,
        marks: &mut BTreeMap<FileId, Mark>,
    ) -> Result<bool, Stopped> {
        let mut changed = false;
        for change in changes {
            let taken = self.take_change(proposal, change, marks);
            changed |= taken.map_err(|why| Stopped {
                at: change.clone(),
                why,
            })?;
        }
        Ok(changed)
    }

    fn take_change(
        &mut self,
        proposal: &Proposal<'_>,
        change: &Change,
        marks: &mut BTreeMap<FileId, Mark>,
    ) -> Result<bool, Refused> {
        let mut changed = false;
        for (id, step) in steps(self.project, self.desk, change)? {
            let once = self.stands_once(id, &step);
            let (file, desk) = (self.project.file(id), self.desk);
            let sheet = self.sheets.entry(id).or_default();
            let mark = *marks.entry(id).or_insert_with(|| sheet.mark());
            let edits = |step: &Step| desk.edits(id, step);
            let taken = sheet.take(step, proposal.rule, &proposal.reason, edits);
            let changes = sheet.changed_since(mark);
            taken.map_err(|stop| refused(file, proposal.rule, stop))?;
            if changes {
                self.editable(id)
                    .map_err(|refused| self.without_override(refused, once))?;
                changed = true;
            }
        }
        Ok(changed)
    }

    /// The name of a directive that its server takes only once in a block, where a step changes
    /// one.
    fn stands_once(&self, id: FileId, step: &Step) -> Option<String> {
        let Step::Set { span, .. } = step else {
            return None;
        };
        let directive = self.desk.directives_at(id, *span).next()?;
        let spec = self.project.directive(directive).spec?;
        (spec.duplicate == Duplicate::Error).then(|| spec.name.to_owned())
    }

    /// Says too why no line beside it helps.
    fn without_override(&self, refused: Refused, once: Option<String>) -> Refused {
        let Some(name) = once else {
            return refused;
        };
        let reason = format!(
            "{}; no line beside it can override {name}, which may stand once in a block",
            refused.reason
        );
        Refused { reason, ..refused }
    }

    fn editable(&self, id: FileId) -> Result<(), Refused> {
        let file = self.project.file(id);
        let refuse = |reason: &str| {
            Err(Refused {
                path: file.path.to_path_buf(),
                reason: reason.to_string(),
            })
        };
        if file.origin == FileOrigin::Stub {
            return refuse("the file is not there, only what is known of it");
        }
        self.desk.reserved(id).map_or(Ok(()), refuse)
    }
}

/// Whether a text is another one after the edits.
fn changes(edits: &EditSet, text: &[u8]) -> bool {
    let gone: usize = edits.iter().map(|edit| edit.span.len() as usize).sum();
    let come: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
    if edits.is_empty() {
        return false;
    }
    match gone == come {
        // Only then it takes the whole text to tell.
        true => edits.apply(text).is_ok_and(|after| after != *text),
        false => edits.iter().all(|it| it.span.end as usize <= text.len()),
    }
}

fn refused(file: &File, rule: &'static str, stop: Stop) -> Refused {
    let reason = match stop {
        Stop::Other(reason) => reason,
        Stop::Contradicts(other) if other == rule => {
            format!("{rule} asks for different things here")
        }
        Stop::Contradicts(other) => format!("{rule} and {other} ask for different things here"),
    };
    Refused {
        path: file.path.to_path_buf(),
        reason,
    }
}
