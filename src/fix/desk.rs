//! Statements of a project's files, and what a step on one of them does to the bytes.
//!
//! Decides nothing about proposals: it finds, and it spells.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::catalog::Server;
use crate::fix::arguments::Statement;
use crate::fix::place::{Page, spot};
use crate::fix::sheet::Step;
use crate::fix::siblings::{Chains, Sibling};
use crate::fix::slip::Slip;
use crate::fix::{apache, layout, nginx};
use crate::source::{DirectiveId, FileId, Project};
use crate::syntax::{NodeId, TokenKind, Tree};
use crate::text::{Edit, Span};

/// A project to look things up in.
pub(super) struct Desk<'project> {
    project: &'project Project,
    paths: HashMap<&'project Path, FileId>,
    /// By file: all entries that are the same file on disk, itself included.
    same: Vec<Arc<[FileId]>>,
    /// Directives by their place, then in the order of the project; several where a file is
    /// read several times.
    places: Vec<(FileId, u32, DirectiveId)>,
    /// Trees of the files that were looked at: they go when the desk does.
    trees: Vec<OnceLock<Arc<Tree>>>,
    chains: OnceLock<Chains>,
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

impl<'project> Desk<'project> {
    /// Sorts a project's files by their names.
    pub(super) fn new(project: &'project Project) -> Self {
        let ids = || (0..project.files.len() as u32).map(FileId);
        let paths = ids().map(|id| (&*project.file(id).path, id)).collect();
        let mut by_real: HashMap<&Path, Vec<FileId>> = HashMap::new();
        for id in ids() {
            let file = project.file(id);
            by_real
                .entry(file.real.as_deref().unwrap_or(&file.path))
                .or_default()
                .push(id);
        }
        let mut same: Vec<Arc<[FileId]>> = ids().map(|id| Arc::from([id])).collect();
        for group in by_real.into_values().filter(|group| group.len() > 1) {
            let group: Arc<[FileId]> = group.into();
            for id in group.iter() {
                same[id.0 as usize] = Arc::clone(&group);
            }
        }
        let places = project.directives.iter().enumerate();
        let mut places: Vec<_> = places
            .map(|(index, it)| (it.file, it.span.start, DirectiveId(index as u32)))
            .collect();
        // Mostly sorted already: files are read one after the other.
        places.sort();
        Self {
            project,
            paths,
            same,
            places,
            trees: ids().map(|_| OnceLock::new()).collect(),
            chains: OnceLock::new(),
        }
    }

    /// A file's tree.
    pub(super) fn tree(&self, id: FileId) -> &Tree {
        let grown = || self.project.file(id).passing_tree();
        self.trees[id.0 as usize].get_or_init(grown)
    }

    /// The statement that begins where `span` does; no two statements of a file begin alike.
    pub(super) fn node_at(&self, id: FileId, span: Span) -> Option<NodeId> {
        let nodes = &self.tree(id).nodes;
        let first = nodes.partition_point(|node| node.span.start < span.start);
        let node = nodes
            .get(first)
            .filter(|node| node.span.start == span.start);
        node.map(|_| NodeId(first as u32))
    }

    /// By which includes the server reads each file; looked for when it is first asked for.
    pub(super) fn chains(&self) -> &Chains {
        self.chains.get_or_init(|| Chains::of(self.project, self))
    }

    /// The block that a new statement would come to stand in.
    pub(super) fn section(&self, id: FileId, block: Option<Span>, name: &[u8]) -> Option<NodeId> {
        let block = block.and_then(|span| self.node_at(id, span));
        let in_force = |span: Span| self.in_force(id, span);
        spot(self.page(id, &in_force), block, name).ok()?.inside
    }

    pub(super) fn parent(&self, sibling: &Sibling) -> Option<NodeId> {
        let node = self.node_at(sibling.file, sibling.span)?;
        self.tree(sibling.file).node(node).parent
    }

    fn page<'a>(&'a self, id: FileId, in_force: &'a dyn Fn(Span) -> bool) -> Page<'a> {
        Page {
            server: self.project.server,
            text: &self.project.file(id).text,
            tree: self.tree(id),
            in_force,
        }
    }

    /// The bytes of a step on a file of its own.
    pub(super) fn edits(&self, id: FileId, step: &Step) -> Result<StepEdits, String> {
        let file = self.project.file(id);
        let text = &*file.text;
        match step {
            Step::Set { span, arguments } => {
                let statement = self.words(id, *span).ok_or("the statement has no name")?;
                Ok(StepEdits::Replace(statement.edits(arguments)?))
            }
            Step::Remove { span } => {
                if self.project.server == Server::Nginx && self.holds_comment(id, *span) {
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
                let block = block.map(|span| self.node_at(id, span).ok_or("the block is gone"));
                let name = statement.first().map_or(&b""[..], |name| name.as_bytes());
                let in_force = |span: Span| self.in_force(id, span);
                let spot = spot(self.page(id, &in_force), block.transpose()?, name)?;
                let text = [spot.lead, line, spot.trail].concat();
                Ok(StepEdits::Insert {
                    at: spot.at,
                    text,
                    tail: spot.tail,
                })
            }
        }
    }

    fn words(&self, id: FileId, span: Span) -> Option<Statement<'_>> {
        let server = self.project.server;
        let statement = match self.slip(id, span) {
            Some(slip) => slip.statement(),
            None => {
                let node = self.node_at(id, span)?;
                in_tree(server, &self.project.file(id).text, self.tree(id), node)
            }
        };
        let mut statement = statement?;
        if server == Server::Nginx {
            return Some(statement);
        }
        // What httpd reads there once variables are replaced.
        let read = self.directives_at(id, span).next();
        let texts = read.map(|id| self.project.argument_texts(id));
        for text in texts.unwrap_or_default() {
            let word = statement
                .arguments
                .iter_mut()
                .find(|word| word.span == text.span);
            if let (Some(word), Some(value)) = (word, &text.value) {
                word.read = Some(value.to_vec());
            }
        }
        Some(statement)
    }

    /// A statement without a body, read by itself.
    fn slip(&self, id: FileId, span: Span) -> Option<Slip<'_>> {
        let span = self.simple(id, span)?;
        Slip::read(self.project.server, &self.project.file(id).text, span)
    }

    /// The place of the statement that begins where `span` does, where it is in force and has
    /// no body: the project knows it, and the file's tree need not be made for it.
    pub(super) fn simple(&self, id: FileId, span: Span) -> Option<Span> {
        let there = self.directives_at(id, span).next()?;
        let directive = self.project.directive(there);
        directive.body.is_none().then_some(directive.span)
    }

    fn holds_comment(&self, id: FileId, span: Span) -> bool {
        match self.slip(id, span) {
            Some(slip) => slip.holds_comment(),
            None => holds_comment(self.tree(id), span),
        }
    }

    fn in_force(&self, id: FileId, span: Span) -> bool {
        self.directives_at(id, span).next().is_some()
    }

    /// The directives that begin where `span` does in a file.
    pub(super) fn directives_at(
        &self,
        id: FileId,
        span: Span,
    ) -> impl Iterator<Item = DirectiveId> {
        let entries = self.files_of(id).iter();
        entries.flat_map(move |id| self.of_entry(*id, span))
    }

    /// The same for one entry of a file that the project may have under several names.
    pub(super) fn of_entry(&self, id: FileId, span: Span) -> impl Iterator<Item = DirectiveId> {
        let place = (id, span.start);
        let first = self
            .places
            .partition_point(|(file, start, _)| (*file, *start) < place);
        let behind = self.places.get(first..).unwrap_or_default().iter();
        let there = behind.take_while(move |(file, start, _)| (*file, *start) == place);
        there.map(|(_, _, directive)| *directive)
    }

    /// The file that is opened by this path.
    pub(super) fn file(&self, path: &Path) -> Option<FileId> {
        self.paths.get(path).map(|id| self.first_entry(*id))
    }

    /// The project's first entry for a file that it may have under several names.
    pub(super) fn first_entry(&self, id: FileId) -> FileId {
        self.files_of(id).first().copied().unwrap_or(id)
    }

    /// All entries for the same file.
    pub(super) fn files_of(&self, id: FileId) -> &[FileId] {
        self.same.get(id.0 as usize).map_or(&[], |same| same)
    }
}

/// The words of a statement of a file's tree.
pub(super) fn in_tree<'text>(
    server: Server,
    text: &'text [u8],
    tree: &Tree,
    node: NodeId,
) -> Option<Statement<'text>> {
    match server {
        Server::Nginx => nginx::statement(text, tree, node),
        Server::Apache => apache::statement(text, tree, node),
    }
}

fn holds_comment(tree: &Tree, span: Span) -> bool {
    let behind = tree.tokens.beginning_at(span.start);
    let mut inside = behind.take_while(|token| token.span.end <= span.end);
    inside.any(|token| token.kind == TokenKind::Comment)
}
