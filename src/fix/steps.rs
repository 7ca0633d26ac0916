//! What a proposed change means for the statements that stand there.

use std::path::{Path, PathBuf};

use crate::finding::{Change, Target};
use crate::fix::desk::Desk;
use crate::fix::sheet::Step;
use crate::fix::siblings::{Sibling, accumulates, additive};
use crate::source::{FileId, Project};
use crate::text::{Location, Span};

/// Why a change is not taken: the file and a sentence.
#[derive(Clone)]
pub(super) struct Refused {
    /// The file.
    pub(super) path: PathBuf,
    /// The sentence.
    pub(super) reason: String,
}

/// The steps of a change, each with its file.
pub(super) fn steps(
    project: &Project,
    desk: &Desk<'_>,
    change: &Change,
) -> Result<Vec<(FileId, Step)>, Refused> {
    Reading { project, desk }.steps(change)
}

/// A project and where its statements stand.
struct Reading<'a> {
    project: &'a Project,
    desk: &'a Desk<'a>,
}

impl Reading<'_> {
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
        let present = self.desk.siblings(id, block, name.as_bytes());
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
