//! Statements of a project's files, and what a step on one of them does to the bytes.
//!
//! Decides nothing about proposals: it finds, and it spells.

use crate::catalog::Server;
use crate::fix::arguments::Statement;
use crate::fix::place::{Page, spot};
use crate::fix::sheet::Step;
use crate::fix::siblings::Sibling;
use crate::fix::{apache, layout, nginx};
use crate::source::{File, FileId, Project};
use crate::syntax::{NodeId, TokenKind};
use crate::text::{Edit, Span};

/// A project to look things up in.
#[derive(Copy, Clone)]
pub(super) struct Desk<'project> {
    /// The project.
    pub(super) project: &'project Project,
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

impl Desk<'_> {
    /// The block that a new statement would come to stand in.
    pub(super) fn section(&self, id: FileId, block: Option<Span>, name: &[u8]) -> Option<NodeId> {
        let file = self.project.file(id);
        let block = block.and_then(|span| node_at(file, span));
        let in_force = |span: Span| self.in_force(file, span);
        spot(self.page(file, &in_force), block, name).ok()?.inside
    }

    pub(super) fn parent(&self, sibling: &Sibling) -> Option<NodeId> {
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
    pub(super) fn edits(&self, file: &File, step: &Step) -> Result<StepEdits, String> {
        let text = &*file.text;
        match step {
            Step::Set { span, arguments } => {
                let statement = self.words(file, *span).ok_or("the statement has no name")?;
                Ok(StepEdits::Replace(statement.edits(arguments)?))
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
            directive.span.start == span.start
                && self.project.file(directive.file).path == file.path
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
        directives
            .any(|directive| directive.span.start == span.start && files.contains(&directive.file))
    }

    /// The project's first entry for a file that it may have under several names.
    pub(super) fn first_entry(&self, id: FileId) -> FileId {
        self.files_of(self.project.file(id))
            .first()
            .copied()
            .unwrap_or(id)
    }

    pub(super) fn files_of(&self, file: &File) -> Vec<FileId> {
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

/// The statement that begins where `span` does; no two statements of a file begin alike.
pub(super) fn node_at(file: &File, span: Span) -> Option<NodeId> {
    let nodes = &file.tree.nodes;
    let first = nodes.partition_point(|node| node.span.start < span.start);
    let node = nodes
        .get(first)
        .filter(|node| node.span.start == span.start);
    node.map(|_| NodeId(first as u32))
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
        .any(|token| token.kind == TokenKind::Comment)
}
