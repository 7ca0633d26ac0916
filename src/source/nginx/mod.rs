//! nginx: includes expanded in place, as `ngx_conf_parse` and `ngx_conf_include` do it.
//!
//! Every include of a file is an instance of its own. It must not judge values: what a
//! directive means is the model's.

mod awaited;
mod include;
mod once;
mod placement;
mod reader;
mod values;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::catalog::{self, Context, Duplicate, Server};
use crate::syntax::nginx::{Word, words};
use crate::syntax::{NodeId, NodeKind, Tree};
use crate::text::Span;

use super::ahead::Ahead;
use super::files::FileSystem;
use super::options::{LoadOptions, Root, RootKind};
use super::resolve::Resolver;
use super::{
    Directive, DirectiveId, File, FileId, FileOrigin, Problem, ProblemKind, Project, Text, Via,
    ViaId, When, WhenId,
};
use once::Once;

/// Reads an nginx configuration.
pub(super) fn expand(root: &Root, files: &dyn FileSystem, options: &LoadOptions) -> Project {
    let mut expander = Expander {
        files,
        options,
        resolver: Resolver::new(root, files, options),
        project: empty(root),
        known: HashMap::new(),
        ahead: Ahead::default(),
        identities: HashMap::new(),
        identity: Vec::new(),
        stack: Vec::new(),
        reported: HashSet::new(),
        assumed: HashSet::new(),
        once: Once::default(),
        placed: !matches!(root.kind, RootKind::Fragment(_)),
        instances: 0,
        bytes: 0,
        stopped: false,
    };
    expander.run(root);
    expander.project
}

fn empty(root: &Root) -> Project {
    Project {
        server: Server::Nginx,
        root: root.path.clone(),
        files: Vec::new(),
        directives: Vec::new(),
        arguments: Vec::new(),
        vias: Vec::new(),
        atoms: Vec::new(),
        whens: vec![When::default()],
        problems: Vec::new(),
        assumed: Vec::new(),
        awaited: None,
        facts: super::Facts::default(),
    }
}

struct Expander<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    resolver: Resolver<'a>,
    project: Project,
    /// Files by spelling and by how their top level is read.
    known: HashMap<(OsString, bool), FileId>,
    /// Files of the include that is followed.
    ahead: Ahead,
    /// One number per file behind all its spellings and symlinks.
    identities: HashMap<OsString, u32>,
    /// The identity of each [`FileId`].
    identity: Vec<u32>,
    /// The instances being read, outermost first.
    stack: Vec<FileId>,
    reported: HashSet<(PathBuf, u32, String)>,
    /// Missing files that are in `assumed` of the project.
    assumed: HashSet<PathBuf>,
    /// Directives that may stand once, of the blocks that are open.
    once: Once,
    /// Contexts are known, not guessed.
    placed: bool,
    instances: usize,
    /// Of all files.
    bytes: usize,
    stopped: bool,
}

/// Where a file's statements land.
#[derive(Copy, Clone)]
struct Place {
    parent: Option<DirectiveId>,
    /// `None` inside blocks that the catalog does not know.
    context: Option<Context>,
    via: ViaId,
}

/// An open block of the file being read.
struct Frame {
    /// One past the block's last node.
    end: u32,
    directive: DirectiveId,
    context: Option<Context>,
}

impl Expander<'_> {
    fn run(&mut self, root: &Root) {
        let text = match self.files.read(&root.path) {
            Ok(text) => text,
            Err(reason) => return self.unreadable_root(root, &reason),
        };
        if let Some(message) = reader::root_objection(root, &text) {
            let problem = Problem {
                kind: ProblemKind::NotConfiguration,
                path: root.path.clone(),
                line: 0,
                span: None,
                message: message.to_owned(),
                refused: true,
            };
            self.project.problems.push(problem);
            // The file counts as read, its text for messages too; it has no statements.
            let origin = self.files.origin(&root.path);
            let file = self.file_of(&root.path, text, false, origin);
            self.project.files.push(File {
                tree: reader::no_statements(),
                ..file
            });
            return;
        }
        let origin = self.files.origin(&root.path);
        let file = self.add_file(&root.path, text, false, origin);
        let mut place = Place {
            parent: None,
            context: Some(Context::Main),
            via: ViaId(0),
        };
        self.project.vias.push(Via {
            parent: None,
            file,
            span: Span::at(0),
        });
        if let RootKind::Fragment(context) = root.kind {
            place = self.surround(context.opening(), place);
        }
        self.instance(file, place);
        self.close_surroundings(place);
        self.project.forget_trees(0);
    }

    /// Puts blocks around a lone fragment, from a text of nested empty blocks.
    fn surround(&mut self, text: &'static [u8], outside: Place) -> Place {
        if text.is_empty() {
            return outside;
        }
        let name = Path::new("<around the fragment>");
        let file = self.add_file(name, text.into(), false, FileOrigin::Stub);
        let mut inside = outside;
        let tree = self.project.file(file).shared_tree();
        for node in 0..tree.nodes.len() as u32 {
            let id = self.push(file, &tree, NodeId(node), inside);
            let context = self.project.directive(id).spec.and_then(|spec| spec.opens);
            inside = Place {
                parent: Some(id),
                context,
                ..inside
            };
        }
        inside
    }

    fn close_surroundings(&mut self, place: Place) {
        let end = self.project.directives.len() as u32;
        let mut next = place.parent;
        while let Some(id) = next {
            let directive = &mut self.project.directives[id.0 as usize];
            directive.end = end;
            next = directive.parent;
        }
    }

    /// Reads one instance of a file into `place`.
    fn instance(&mut self, file: FileId, place: Place) {
        self.stack.push(file);
        let mut frames: Vec<Frame> = Vec::new();
        let tree = self.project.file(file).shared_tree();
        for (index, statement) in tree.nodes.iter().enumerate() {
            let node = index as u32;
            self.close_until(&mut frames, node);
            if self.stopped {
                break;
            }
            let here = match frames.last() {
                None => place,
                Some(frame) => Place {
                    parent: Some(frame.directive),
                    context: frame.context,
                    ..place
                },
            };
            let id = self.push(file, &tree, NodeId(node), here);
            let kind = statement.kind;
            // Behind an error of the file's own syntax, blocks are guesses.
            if tree.errors.is_empty() {
                self.check_placement(id, here, kind);
            }
            match kind {
                NodeKind::Block => frames.push(Frame {
                    end: statement.end,
                    directive: id,
                    context: self.project.directive(id).spec.and_then(|spec| spec.opens),
                }),
                NodeKind::Directive | NodeKind::Data if self.project.name(id) == b"include" => {
                    self.include(id, here, kind == NodeKind::Data);
                }
                _ => {}
            }
        }
        self.close_until(&mut frames, u32::MAX);
        self.stack.pop();
    }

    /// Ends the blocks that lie before `node`.
    fn close_until(&mut self, frames: &mut Vec<Frame>, node: u32) {
        let end = self.project.directives.len() as u32;
        while let Some(frame) = frames.pop_if(|frame| frame.end <= node) {
            self.project.directives[frame.directive.0 as usize].end = end;
        }
    }

    fn push(&mut self, file: FileId, tree: &Tree, node: NodeId, place: Place) -> DirectiveId {
        let id = DirectiveId(self.project.directives.len() as u32);
        let first = self.project.arguments.len() as u32;
        let source = &self.project.files[file.0 as usize];
        let statement = tree.node(node);
        let mut texts = words(&source.text, tree, node).map(|word| text_of(&word));
        let nameless = Text {
            span: Span::at(statement.span.start),
            value: None,
        };
        let name = texts.next().unwrap_or(nameless);
        self.project.arguments.extend(texts);
        let spelled = name
            .value
            .as_deref()
            .unwrap_or_else(|| name.span.of(&source.text));
        let spec = match statement.kind {
            NodeKind::Data => None,
            _ => spec(spelled, place.context),
        };
        let directive = Directive {
            spec,
            name,
            arguments: first..self.project.arguments.len() as u32,
            file,
            span: statement.span,
            body: statement.body,
            parent: place.parent,
            end: id.0 + 1,
            via: place.via,
            when: WhenId(0),
        };
        self.project.directives.push(directive);
        if self.project.directives.len() >= self.options.limits.directives {
            let most = self.options.limits.directives;
            self.stop(
                id,
                format!("more than {most} directives with all includes expanded"),
            );
        } else if self.project.arguments.len() >= self.options.limits.words {
            let most = self.options.limits.words;
            self.stop(
                id,
                format!("more than {most} words with all includes expanded"),
            );
        }
        id
    }

    /// Says what nginx would say of the place and form of a directive.
    fn check_placement(&mut self, id: DirectiveId, place: Place, kind: NodeKind) {
        let directive = self.project.directive(id);
        let Some(spec) = directive.spec else {
            return;
        };
        let context = place.context.filter(|_| self.placed);
        let arguments = self.project.arguments(id).len();
        let objection = placement::objection(spec, context, kind, arguments);
        if let Some(message) = objection.or_else(|| self.value_objection(id)) {
            self.report(id, ProblemKind::Syntax, message, true);
        }
    }

    /// Says what nginx would say of a second directive of its kind and of the arguments.
    fn value_objection(&mut self, id: DirectiveId) -> Option<String> {
        let directive = self.project.directive(id);
        let spec = directive.spec?;
        // Only of these a second one is refused.
        let seen =
            spec.duplicate == Duplicate::Error && self.once.again(directive.parent, spec.name);
        let repeated = values::repetition(spec, seen);
        if repeated.is_some() || !values::is_checked(spec) {
            return repeated;
        }
        values::objection(spec, self.project.arguments(id))
    }

    /// Records a problem of a directive once, however often its file is included.
    fn report(&mut self, id: DirectiveId, kind: ProblemKind, message: String, refused: bool) {
        let place = self.project.location(id);
        let path = place.path.to_path_buf();
        if !self
            .reported
            .insert((path.clone(), place.line, message.clone()))
        {
            return;
        }
        let line = place.line;
        let span = Some(place.span);
        self.project.problems.push(Problem {
            kind,
            path,
            line,
            span,
            message,
            refused,
        });
    }

    fn stop(&mut self, id: DirectiveId, message: String) {
        self.stopped = true;
        self.report(
            id,
            ProblemKind::Limit,
            format!("{message}; not read further"),
            false,
        );
    }
}

/// The row for a name where it stands. In a place that does not allow it, any row of the
/// name: a reader still knows what is meant.
fn spec(name: &[u8], context: Option<Context>) -> Option<&'static catalog::Directive> {
    let context = context?;
    let rows = catalog::nginx(name);
    rows.iter()
        .find(|row| row.allowed_in(context))
        .or_else(|| rows.first())
}

fn text_of(word: &Word<'_>) -> Text {
    let changed = word.quoted || word.value.len() != word.span.len() as usize;
    let value = changed.then(|| word.value.as_ref().into());
    Text {
        span: word.span,
        value,
    }
}
