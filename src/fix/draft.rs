//! A plan in the making: what is taken so far, file by file.
//!
//! Changes become steps (one statement each), steps become edits. A proposal is tried on
//! copies of the files it touches and taken when all of it fits.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::Duplicate;
use crate::finding::{Change, Target};
use crate::fix::desk::Desk;
use crate::fix::plan::{Edited, FEW, Note, Options, Plan, PlannedFile, Proposal, Refusal};
use crate::fix::protect;
use crate::fix::sheet::{Mark, Sheet, Step, Stop};
use crate::fix::siblings::{Chains, Sibling, accumulates, additive, siblings};
use crate::source::{File, FileId, FileOrigin, Project};
use crate::text::{EditSet, Location, Span};

/// A plan in the making.
pub(super) struct Draft<'project> {
    project: &'project Project,
    desk: &'project Desk<'project>,
    options: &'project Options,
    sheets: BTreeMap<FileId, Sheet>,
    costs: Vec<String>,
    /// Where the lists of changes lie that were taken with a fix that has them in common with
    /// others.
    common: HashSet<usize>,
    plan: Plan,
}

/// Why a change is not taken: the file and a sentence.
struct Refused {
    path: PathBuf,
    reason: String,
}

impl<'project> Draft<'project> {
    /// Nothing taken.
    pub(super) fn new(
        project: &'project Project,
        desk: &'project Desk<'project>,
        options: &'project Options,
    ) -> Self {
        Self {
            project,
            desk,
            options,
            sheets: BTreeMap::new(),
            costs: Vec::new(),
            common: HashSet::new(),
            plan: Plan::default(),
        }
    }

    /// Takes a proposal whole, or notes why not.
    pub(super) fn take(&mut self, index: usize, proposal: &Proposal<'_>) {
        match self.attempt(proposal) {
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

    /// The edits of all that was taken, without the texts that come of them.
    pub(super) fn edits(self) -> Edited {
        let each = self.sheets.iter().filter_map(|(id, sheet)| {
            let (edits, _) = sheet.edits()?;
            let first = *self.desk.files_of(*id).first()?;
            let path = Arc::clone(&self.project.file(first).path);
            changes(&edits, &self.project.file(*id).text).then_some((path, edits))
        });
        each.collect()
    }

    /// Takes a proposal, and says whether it changes anything; or takes nothing of it.
    fn attempt(&mut self, proposal: &Proposal<'_>) -> Result<bool, Refused> {
        let mut marks: BTreeMap<FileId, Mark> = BTreeMap::new();
        let taken = self.take_changes(proposal, &mut marks);
        if taken.is_ok() {
            self.common.insert(proposal.fix.common.as_ptr().addr());
        } else {
            for (id, mark) in marks {
                self.sheets.entry(id).or_default().drop_since(mark);
            }
        }
        taken
    }

    fn take_changes(
        &mut self,
        proposal: &Proposal<'_>,
        marks: &mut BTreeMap<FileId, Mark>,
    ) -> Result<bool, Refused> {
        let mut changed = false;
        let fix = proposal.fix;
        // What stands already because of another fix is not gone through again.
        let changes: Vec<&Change> = match self.common.contains(&fix.common.as_ptr().addr()) {
            true => fix.changes.iter().collect(),
            false => fix.all().collect(),
        };
        for change in changes {
            for (id, step) in self.steps(change)? {
                let once = self.stands_once(id, &step);
                let (file, desk) = (self.project.file(id), self.desk);
                let sheet = self.sheets.entry(id).or_default();
                let mark = *marks.entry(id).or_insert_with(|| sheet.mark());
                let edits = |step: &Step| desk.edits(id, step);
                let taken = sheet.take(step, proposal.rule, &proposal.reason, edits);
                let changes = sheet.changed_since(mark);
                taken.map_err(|stop| refused(file, proposal.rule, stop))?;
                if changes {
                    self.editable(file)
                        .map_err(|refused| self.without_override(refused, once))?;
                    changed = true;
                }
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

    fn editable(&self, file: &File) -> Result<(), Refused> {
        let refuse = |reason: &str| {
            Err(Refused {
                path: file.path.to_path_buf(),
                reason: reason.to_string(),
            })
        };
        if file.origin == FileOrigin::Stub {
            return refuse("the file is not there, only what is known of it");
        }
        let real = file.real.as_deref().unwrap_or(&file.path);
        match protect::owner(&[&file.path, real], &file.text, self.options) {
            Some(reason) => refuse(&reason),
            None => Ok(()),
        }
    }

    /// What a change means for statements.
    fn steps(&self, change: &Change) -> Result<Vec<(FileId, Step)>, Refused> {
        match change {
            Change::SetArguments {
                statement,
                arguments,
            } => {
                let (id, span) = self.place(statement)?;
                Ok(vec![(
                    id,
                    Step::Set {
                        span,
                        arguments: arguments.clone(),
                    },
                )])
            }
            Change::Remove { statement } => {
                let (id, span) = self.place(statement)?;
                Ok(vec![(id, Step::Remove { span })])
            }
            Change::Insert {
                target: Target::Block(block),
                statement,
            } => {
                let (id, span) = self.place(block)?;
                self.insertion(id, Some(span), statement)
            }
            Change::Insert {
                target: Target::File(path),
                statement,
            } => {
                let id = self.file(path)?;
                self.insertion(id, None, statement)
            }
        }
    }

    /// An insertion, or the change of what stands there already.
    fn insertion(
        &self,
        id: FileId,
        block: Option<Span>,
        statement: &[String],
    ) -> Result<Vec<(FileId, Step)>, Refused> {
        let file = self.project.file(id);
        let refuse = |reason: String| Refused {
            path: file.path.to_path_buf(),
            reason,
        };
        let Some((name, arguments)) = statement.split_first() else {
            return Err(refuse("nothing to insert".to_string()));
        };
        let server = self.project.server;
        let additive = additive(server, name.as_bytes());
        let insert = (
            id,
            Step::Insert {
                block,
                statement: statement.to_vec(),
                additive,
            },
        );
        let present = siblings(self.project, self.desk, id, block, name.as_bytes());
        let says = |sibling: &Sibling| {
            sibling
                .arguments
                .iter()
                .map(Vec::as_slice)
                .eq(arguments.iter().map(String::as_bytes))
        };
        let set = |sibling: &Sibling| {
            let step = Step::Set {
                span: sibling.span,
                arguments: arguments.to_vec(),
            };
            (self.desk.first_entry(sibling.file), step)
        };
        // Under a condition of its own it is no answer, unless a new one would be too.
        let conditions = present.iter().any(|sibling| sibling.conditional);
        let section = conditions
            .then(|| self.desk.section(id, block, name.as_bytes()))
            .flatten();
        let depends = |sibling: &&Sibling| {
            let beside = section.is_some() && self.desk.parent(sibling) == section;
            sibling.conditional && !(beside && self.desk.first_entry(sibling.file) == id)
        };
        let (depending, plain): (Vec<_>, Vec<_>) = present.iter().partition(depends);
        if additive {
            let there = plain.iter().any(|sibling| says(sibling));
            return Ok(if there { Vec::new() } else { vec![insert] });
        }
        let counts = plain.len() > 1 && accumulates(server, name.as_bytes());
        if counts && !plain.iter().all(|sibling| says(sibling)) {
            let count = plain.len();
            return Err(refuse(format!(
                "{name} stands here {count} times and every one counts"
            )));
        }
        let mut steps: Vec<_> = depending.iter().map(|sibling| set(sibling)).collect();
        steps.push(plain.last().map_or(insert, |sibling| set(sibling)));
        Ok(steps)
    }

    /// The statement that stands at a place.
    fn place(&self, location: &Location) -> Result<(FileId, Span), Refused> {
        let id = self.file(&location.path)?;
        let known = self.desk.simple(id, location.span);
        let in_tree = || {
            let node = self.desk.node_at(id, location.span)?;
            Some(self.desk.tree(id).node(node).span)
        };
        let span = known.or_else(in_tree).ok_or_else(|| Refused {
            path: location.path.to_path_buf(),
            reason: format!("no statement stands at line {}", location.line),
        })?;
        Ok((id, span))
    }

    fn file(&self, path: &Path) -> Result<FileId, Refused> {
        self.desk.file(path).ok_or_else(|| Refused {
            path: path.to_path_buf(),
            reason: "the file is not part of the configuration".to_string(),
        })
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
