//! A plan in the making: what is taken so far, file by file.
//!
//! Changes become steps (one statement each), steps become edits. A proposal is tried on
//! copies of the files it touches and taken when all of it fits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Change, Target};
use crate::fix::arguments::Statement;
use crate::fix::place::{Page, spot};
use crate::fix::plan::{Note, Options, Plan, Proposal, Refusal};
use crate::fix::protect;
use crate::fix::sheet::{Sheet, Step, Stop};
use crate::fix::siblings::{Sibling, accumulates, additive, crowded, instances, siblings};
use crate::fix::{apache, layout, nginx};
use crate::source::{File, FileId, FileOrigin, Project};
use crate::syntax::NodeId;
use crate::text::{Edit, Location, Span};

/// A plan in the making.
pub(super) struct Draft<'project> {
    project: &'project Project,
    options: Options,
    sheets: BTreeMap<FileId, Sheet>,
    plan: Plan,
}

/// Why a change is not taken: the file and a sentence.
struct Refused {
    path: PathBuf,
    reason: String,
}

impl<'project> Draft<'project> {
    /// Nothing taken.
    pub(super) fn new(project: &'project Project, options: Options) -> Self {
        Self {
            project,
            options,
            sheets: BTreeMap::new(),
            plan: Plan::default(),
        }
    }

    /// Takes a proposal whole, or notes why not.
    pub(super) fn take(&mut self, index: usize, proposal: &Proposal<'_>) {
        match self.attempt(proposal) {
            Ok(changed) => {
                let fix = proposal.fix;
                self.plan.taken.push(index);
                if changed.is_empty() {
                    return;
                }
                self.sheets.extend(changed);
                self.plan.go_live = self.plan.go_live.max(Some(fix.go_live));
                let costs = &mut self.plan.costs;
                costs.extend(fix.costs.iter().cloned());
                let mut seen = std::collections::BTreeSet::new();
                costs.retain(|cost| seen.insert(cost.clone()));
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
        for (id, sheet) in &self.sheets {
            let file = self.project.file(*id);
            let files = self.files_of(file);
            let count = instances(self.project, &files);
            if count > 1 {
                let text =
                    format!("the server reads this file {count} times; the change holds for all");
                self.plan.notes.push(Note {
                    path: file.path.to_path_buf(),
                    text,
                });
            }
            let paths = files
                .iter()
                .map(|id| Arc::clone(&self.project.file(*id).path))
                .collect();
            let crowded = crowded(self.project, &files);
            if let Some(planned) = sheet.planned(file, paths, self.project.server, crowded) {
                self.plan.files.push(planned);
            }
        }
        self.plan
    }

    /// The sheets that a proposal changes, changed; empty where all of it holds already.
    fn attempt(&self, proposal: &Proposal<'_>) -> Result<BTreeMap<FileId, Sheet>, Refused> {
        let mut tried: BTreeMap<FileId, Sheet> = BTreeMap::new();
        for change in &proposal.fix.changes {
            for (id, step) in self.steps(change)? {
                let file = self.project.file(id);
                let known = || self.sheets.get(&id).cloned().unwrap_or_default();
                let sheet = tried.entry(id).or_insert_with(known);
                let edits = |step: &Step| self.edits(file, step);
                sheet
                    .take(step, proposal.rule, &proposal.reason, edits)
                    .map_err(|stop| {
                        let path = file.path.to_path_buf();
                        let reason = match stop {
                            Stop::Other(reason) => reason,
                            Stop::Contradicts(rule) => {
                                format!(
                                    "{} and {rule} ask for different things here",
                                    proposal.rule
                                )
                            }
                        };
                        Refused { path, reason }
                    })?;
            }
        }
        tried.retain(|id, sheet| self.sheets.get(id) != Some(sheet) && !sheet.is_empty());
        for id in tried.keys() {
            self.editable(self.project.file(*id))?;
        }
        Ok(tried)
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
        match protect::owner(&[&file.path, real], &file.text) {
            Some(reason) if !self.options.force => refuse(&reason),
            _ => Ok(()),
        }
    }

    /// What a change means for statements.
    fn steps(&self, change: &Change) -> Result<Vec<(FileId, Step)>, Refused> {
        match change {
            Change::SetArguments {
                statement,
                arguments,
            } => {
                let (id, node) = self.statement(statement)?;
                let span = self.project.file(id).tree.node(node).span;
                Ok(vec![(
                    id,
                    Step::Set {
                        span,
                        arguments: arguments.clone(),
                    },
                )])
            }
            Change::Remove { statement } => {
                let (id, node) = self.statement(statement)?;
                let span = self.project.file(id).tree.node(node).span;
                Ok(vec![(id, Step::Remove { span })])
            }
            Change::Insert {
                target: Target::Block(block),
                statement,
            } => {
                let (id, node) = self.statement(block)?;
                let span = self.project.file(id).tree.node(node).span;
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
        let present = siblings(self.project, &self.files_of(file), block, name.as_bytes());
        let says = |sibling: &Sibling| {
            sibling
                .arguments
                .iter()
                .map(Vec::as_slice)
                .eq(arguments.iter().map(String::as_bytes))
        };
        if additive {
            let there = present
                .iter()
                .any(|sibling| !sibling.conditional && says(sibling));
            return Ok(if there { Vec::new() } else { vec![insert] });
        }
        let set = |sibling: &Sibling| {
            let step = Step::Set {
                span: sibling.span,
                arguments: arguments.to_vec(),
            };
            (self.first_entry(sibling.file), step)
        };
        // Under a condition of its own it is no answer, unless a new one would be too.
        let section = self.section(id, block, name.as_bytes());
        let depends = |sibling: &&Sibling| {
            let beside = section.is_some() && self.parent(sibling) == section;
            sibling.conditional && !(beside && self.first_entry(sibling.file) == id)
        };
        let (depending, plain): (Vec<_>, Vec<_>) = present.iter().partition(depends);
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

    /// The block that a new statement would come to stand in.
    fn section(&self, id: FileId, block: Option<Span>, name: &[u8]) -> Option<NodeId> {
        let file = self.project.file(id);
        let block = block.and_then(|span| node_at(file, span));
        let in_force = |span: Span| self.in_force(file, span);
        spot(self.page(file, &in_force), block, name).ok()?.inside
    }

    fn parent(&self, sibling: &Sibling) -> Option<NodeId> {
        let file = self.project.file(sibling.file);
        file.tree.node(node_at(file, sibling.span)?).parent
    }

    fn page<'a>(&self, file: &'a File, in_force: &'a dyn Fn(Span) -> bool) -> Page<'a> {
        Page {
            server: self.project.server,
            text: &file.text,
            tree: &file.tree,
            in_force,
        }
    }

    /// The bytes of a step on a file of its own.
    fn edits(&self, file: &File, step: &Step) -> Result<StepEdits, String> {
        let text = &*file.text;
        match step {
            Step::Set { span, arguments } => {
                let statement = self.words(file, *span).ok_or("the statement has no name")?;
                let edits = statement.edits(arguments);
                edits
                    .map(StepEdits::Replace)
                    .ok_or_else(|| "a value cannot be spelled".into())
            }
            Step::Remove { span } => {
                if self.project.server == Server::Nginx && holds_comment(file, *span) {
                    return Err("a comment stands inside the statement".into());
                }
                let span = layout::removal(text, *span);
                Ok(StepEdits::Replace(vec![Edit {
                    span,
                    replacement: Vec::new(),
                }]))
            }
            Step::Insert {
                block, statement, ..
            } => {
                let server = self.project.server;
                let line = match server {
                    Server::Nginx => nginx::line(statement),
                    Server::Apache => apache::line(statement),
                };
                let line = line.ok_or("a value cannot be spelled")?;
                let block = block.map(|span| node_at(file, span).ok_or("the block is gone"));
                let name = statement.first().map_or(&b""[..], |name| name.as_bytes());
                let in_force = |span: Span| self.in_force(file, span);
                let spot = spot(self.page(file, &in_force), block.transpose()?, name)?;
                let text = [spot.lead, line, spot.trail].concat();
                Ok(StepEdits::Insert {
                    at: spot.at,
                    text,
                    tail: spot.tail,
                })
            }
        }
    }

    fn words<'a>(&self, file: &'a File, span: Span) -> Option<Statement<'a>> {
        let node = node_at(file, span)?;
        if self.project.server == Server::Nginx {
            return nginx::statement(&file.text, &file.tree, node);
        }
        // Variables: what httpd reads there is the word's value, not its bytes.
        let mut statement = apache::statement(&file.text, &file.tree, node)?;
        let read = self.project.directives.iter().find(|directive| {
            directive.span == span && self.project.file(directive.file).path == file.path
        });
        let range = read
            .map(|directive| directive.arguments.clone())
            .unwrap_or_default();
        let texts = self
            .project
            .arguments
            .get(range.start as usize..range.end as usize);
        for text in texts.unwrap_or_default() {
            let word = statement
                .arguments
                .iter_mut()
                .find(|word| word.span == text.span);
            if let (Some(word), Some(value)) = (word, &text.value) {
                word.value = value.to_vec();
            }
        }
        Some(statement)
    }

    fn in_force(&self, file: &File, span: Span) -> bool {
        let files = self.files_of(file);
        let mut directives = self.project.directives.iter();
        directives.any(|directive| directive.span == span && files.contains(&directive.file))
    }

    fn statement(&self, location: &Location) -> Result<(FileId, NodeId), Refused> {
        let id = self.file(&location.path)?;
        let node = node_at(self.project.file(id), location.span);
        let node = node.ok_or_else(|| Refused {
            path: location.path.to_path_buf(),
            reason: format!("no statement stands at line {}", location.line),
        })?;
        Ok((id, node))
    }

    fn file(&self, path: &Path) -> Result<FileId, Refused> {
        let position = self
            .project
            .files
            .iter()
            .position(|file| &*file.path == path);
        let found = position.map(|index| self.first_entry(FileId(index as u32)));
        found.ok_or_else(|| Refused {
            path: path.to_path_buf(),
            reason: "the file is not part of the configuration".to_string(),
        })
    }

    /// The project's first entry for a file that it may have under several names.
    fn first_entry(&self, id: FileId) -> FileId {
        self.files_of(self.project.file(id))
            .first()
            .copied()
            .unwrap_or(id)
    }

    fn files_of(&self, file: &File) -> Vec<FileId> {
        let same = |other: &File| match (&other.real, &file.real) {
            (Some(one), Some(other)) => one == other,
            (None, None) => other.path == file.path,
            _ => false,
        };
        let files = self.project.files.iter().enumerate();
        files
            .filter(|(_, other)| same(other))
            .map(|(index, _)| FileId(index as u32))
            .collect()
    }
}

/// The bytes of one step.
pub(super) enum StepEdits {
    /// Bytes replaced or taken away.
    Replace(Vec<Edit>),
    /// A statement added.
    Insert {
        /// Where.
        at: u32,
        /// With the layout around it.
        text: Vec<u8>,
        /// Behind all that is added there.
        tail: &'static [u8],
    },
}

fn node_at(file: &File, span: Span) -> Option<NodeId> {
    let nodes = &file.tree.nodes;
    let first = nodes.partition_point(|node| node.span.start < span.start);
    let same = nodes
        .get(first..)?
        .iter()
        .take_while(|node| node.span.start == span.start);
    let offset = same.clone().position(|node| node.span == span)?;
    Some(NodeId((first + offset) as u32))
}

fn holds_comment(file: &File, span: Span) -> bool {
    let tokens = &file.tree.tokens;
    let first = tokens.partition_point(|token| token.span.start < span.start);
    let inside = tokens
        .iter()
        .skip(first)
        .take_while(|token| token.span.end <= span.end);
    inside
        .into_iter()
        .any(|token| token.kind == crate::syntax::TokenKind::Comment)
}
