//! Statements of a project's files, and what a step on one of them does to the bytes.
//!
//! Decides nothing about proposals: it finds, and it spells.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::catalog::Server;
use crate::fix::arguments::Statement;
use crate::fix::layout::Lined;
use crate::fix::place::{Page, Spot, spot};
use crate::fix::plan::Options;
use crate::fix::sheet::Step;
use crate::fix::siblings::{Chains, Sibling, siblings};
use crate::fix::slip::Slip;
use crate::fix::{apache, nginx, protect};
use crate::source::{DirectiveId, FileId, Project};
use crate::syntax::{NodeId, TokenKind, Tree};
use crate::text::{Edit, Span};

/// A project to look things up in.
pub(super) struct Desk<'project> {
    project: &'project Project,
    options: &'project Options,
    paths: HashMap<&'project Path, FileId>,
    /// By file: all entries that are the same file on disk, itself included.
    same: Vec<Arc<[FileId]>>,
    /// Directives by their place, then in the order of the project; several where a file is
    /// read several times.
    places: Vec<(FileId, u32, DirectiveId)>,
    /// What was looked for in each file: it goes when the desk does.
    looks: Vec<Look>,
    chains: OnceLock<Chains>,
    wide: Mutex<Wide>,
}

/// What one file was looked through for. Of a file with many statements, each asks for it.
#[derive(Default)]
struct Look {
    tree: OnceLock<Arc<Tree>>,
    /// By how much it indents the content of a block.
    unit: OnceLock<Vec<u8>>,
    /// Why it is not to be edited.
    reserved: OnceLock<Option<String>>,
}

/// What was found in places with many statements, which many fixes ask for.
#[derive(Default)]
struct Wide {
    siblings: HashMap<Place, Arc<[Sibling]>>,
    spots: HashMap<Place, Result<Spot, String>>,
}

/// A file, a block in it (`None`: the file's top level), and a statement's name.
type Place = (FileId, Option<Span>, Vec<u8>);

/// Blocks with fewer statements are looked through each time: that takes less than to remember
/// what was found.
const WIDE: u32 = 64;

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
    pub(super) fn new(project: &'project Project, options: &'project Options) -> Self {
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
            options,
            paths,
            same,
            places,
            looks: ids().map(|_| Look::default()).collect(),
            chains: OnceLock::new(),
            wide: Mutex::default(),
        }
    }

    /// A file's tree.
    pub(super) fn tree(&self, id: FileId) -> &Tree {
        let grown = || self.project.file(id).passing_tree();
        self.looks[id.0 as usize].tree.get_or_init(grown)
    }

    /// Why a file is not to be edited, one sentence; `None` where nobody claims it.
    pub(super) fn reserved(&self, id: FileId) -> Option<&str> {
        let file = self.project.file(id);
        let real = file.real.as_deref().unwrap_or(&file.path);
        let owner = || protect::owner(&[&file.path, real], &file.text, self.options);
        let reserved = self.looks[id.0 as usize].reserved.get_or_init(owner);
        reserved.as_deref()
    }

    /// The statements called `name` directly in `block`, as [`siblings`] finds them.
    pub(super) fn siblings(&self, id: FileId, block: Option<Span>, name: &[u8]) -> Arc<[Sibling]> {
        let find = || Arc::from(siblings(self.project, self, id, block, name));
        self.once((id, block, name), |wide| &mut wide.siblings, find)
    }

    /// The place for a statement called `name` directly in `block`.
    fn spot(&self, id: FileId, block: Option<Span>, name: &[u8]) -> Result<Spot, String> {
        let find = || {
            let node = block.map(|span| self.node_at(id, span).ok_or("the block is gone"));
            let in_force = |span: Span| self.in_force(id, span);
            let unit = || self.unit(id);
            let page = Page {
                server: self.project.server,
                lined: self.lined(id),
                tree: self.tree(id),
                in_force: &in_force,
                unit: &unit,
            };
            spot(page, node.transpose()?, name)
        };
        self.once((id, block, name), |wide| &mut wide.spots, find)
    }

    /// What is found in a place; where it has many statements, what was found there before.
    fn once<T: Clone>(
        &self,
        (id, block, name): (FileId, Option<Span>, &[u8]),
        table: impl Fn(&mut Wide) -> &mut HashMap<Place, T>,
        find: impl FnOnce() -> T,
    ) -> T {
        if !self.is_wide(id, block) {
            return find();
        }
        let place = (id, block, name.to_vec());
        let lock = || self.wide.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table(&mut lock()).get(&place).cloned();
        known.unwrap_or_else(|| {
            let found = find();
            table(&mut lock()).insert(place, found.clone());
            found
        })
    }

    fn is_wide(&self, id: FileId, block: Option<Span>) -> bool {
        let Some(block) = block else {
            return true;
        };
        let mut there = self.directives_at(id, block);
        there.any(|there| self.project.directive(there).end - there.0 > WIDE)
    }

    fn lined(&self, id: FileId) -> Lined<'_> {
        let file = self.project.file(id);
        Lined {
            text: &file.text,
            lines: &file.lines,
        }
    }

    fn unit(&self, id: FileId) -> &[u8] {
        let shown = || self.lined(id).unit(self.tree(id)).to_vec();
        self.looks[id.0 as usize].unit.get_or_init(shown)
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
        self.spot(id, block, name).ok()?.inside
    }

    pub(super) fn parent(&self, sibling: &Sibling) -> Option<NodeId> {
        let node = self.node_at(sibling.file, sibling.span)?;
        self.tree(sibling.file).node(node).parent
    }

    /// The bytes of a step on a file of its own.
    pub(super) fn edits(&self, id: FileId, step: &Step) -> Result<StepEdits, String> {
        match step {
            Step::Set { span, arguments } => {
                let statement = self.words(id, *span).ok_or("the statement has no name")?;
                Ok(StepEdits::Replace(statement.edits(arguments)?))
            }
            Step::Remove { span } => {
                if self.project.server == Server::Nginx && self.holds_comment(id, *span) {
                    return Err("a comment stands inside the statement".into());
                }
                let span = self.lined(id).removal(*span);
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
                let name = statement.first().map_or(&b""[..], |name| name.as_bytes());
                let spot = self.spot(id, *block, name)?;
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
