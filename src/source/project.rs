//! A configuration as the server takes it: files once, directives expanded.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Facts;
use super::reading::Grown;
use crate::catalog::{self, Server};
use crate::syntax::Tree;
use crate::text::{LineIndex, Location, Span};

/// Index of a file in its project.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct FileId(pub u32);

/// Index of an expanded directive in its project.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct DirectiveId(pub u32);

/// Index of an include chain; `ViaId(0)` is the root file itself.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct ViaId(pub u32);

/// Index of a conjunction of conditions; `WhenId(0)` holds always.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct WhenId(pub u32);

/// One configuration tree of one server.
#[derive(Clone, Debug)]
pub struct Project {
    /// Whose configuration it is.
    pub server: Server,
    /// The root file, as the server names it.
    pub root: PathBuf,
    /// Every file that was read, once; the root first.
    pub files: Vec<File>,
    /// Every directive in force in the server's reading order, blocks before their
    /// contents, an included file's directives in the place of the include (which itself
    /// stays as a directive). A file included twice stands here twice.
    pub directives: Vec<Directive>,
    /// Arguments of all directives.
    pub arguments: Vec<Text>,
    /// Include chains (and macro uses).
    pub vias: Vec<Via>,
    /// What conditions ask about.
    pub atoms: Vec<Atom>,
    /// Conjunctions of conditions that could not be decided.
    pub whens: Vec<When>,
    /// What could not be read, resolved or parsed.
    pub problems: Vec<Problem>,
    /// Missing files that the user allowed or that a stub stands for.
    pub assumed: Vec<PathBuf>,
    /// nginx: the list of rotated ticket keys, where a pattern names its folder and nothing of
    /// it is seen.
    pub awaited: Option<Awaited>,
    /// What the files are like that directives name.
    pub facts: Facts,
}

/// A list of ticket keys that is counted on and not seen.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Awaited {
    /// Its path on the server.
    pub path: PathBuf,
    /// It is surely not there: the tree stands where its server reads it, and the folder could
    /// be looked into.
    pub missing: bool,
}

/// A file of the tree.
#[derive(Clone, Debug)]
pub struct File {
    /// The path, as the server opens it (absolute where the root's was).
    pub path: Arc<Path>,
    /// The file that an edit has to change: symlinks resolved. `None` where there is none
    /// (standard input, a dump, a stub).
    pub real: Option<PathBuf>,
    /// Where its bytes came from.
    pub origin: FileOrigin,
    /// Its bytes.
    pub text: Arc<[u8]>,
    /// Its lines.
    pub lines: LineIndex,
    /// Its tree, while it is needed.
    pub(super) tree: Grown,
}

/// Where a file's bytes came from.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum FileOrigin {
    /// Read from disk.
    Disk,
    /// Given in memory: standard input, a test.
    Memory,
    /// A section of `nginx -T` output.
    Dump,
    /// Built in for a server's own file that is not there.
    Stub,
}

/// A directive in force.
#[derive(Clone, Debug)]
pub struct Directive {
    /// The catalog's row; `None` for directives that the project's rooms do not mean.
    pub spec: Option<&'static catalog::Directive>,
    /// Its name as read.
    pub name: Text,
    /// Range in [`Project::arguments`].
    pub arguments: Range<u32>,
    /// The file it stands in. A macro's line stands where the macro is defined.
    pub file: FileId,
    /// The whole statement, a block with its body and closing mark.
    pub span: Span,
    /// A block's body in its file, between the marks; `None` for simple directives.
    pub body: Option<Span>,
    /// The enclosing block.
    pub parent: Option<DirectiveId>,
    /// One past the last descendant; `id + 1` where there is none.
    pub end: u32,
    /// By which includes it was reached.
    pub via: ViaId,
    /// Under which undecided conditions it is in force.
    pub when: WhenId,
}

/// A piece of text that usually stands in a file as it is.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it stands, quotes included. For expanded text: what it was expanded from.
    pub span: Span,
    /// Its value where that is not the bytes of the span (quotes, escapes, variables).
    pub value: Option<Box<[u8]>>,
}

/// How a file, or a macro's body, was reached.
#[derive(Clone, Debug)]
pub struct Via {
    /// The chain that the include itself was reached by.
    pub parent: Option<ViaId>,
    /// The include's (or `Use`'s) file.
    pub file: FileId,
    /// The include's statement.
    pub span: Span,
}

/// Something that a condition asks and that the files alone do not answer.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Atom {
    /// What kind of question.
    pub kind: AtomKind,
    /// As written, without a leading `!`: `IfModule mod_ssl.c`, `IfVersion >= 2.4.11`.
    pub text: String,
}

/// Kinds of questions.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum AtomKind {
    /// Is the module loaded?
    Module(String),
    /// Is the name defined?
    Define(String),
    /// Does the version satisfy the test? Decided by the model for each version judged.
    Version {
        /// The operator as written, `!` removed.
        operator: String,
        /// The operand as written.
        operand: String,
    },
    /// Does the file exist?
    File(PathBuf),
    /// Anything else (IfDirective, IfSection).
    Other,
}

/// An atom that must hold, or must not.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct Literal {
    /// Index in [`Project::atoms`].
    pub atom: u32,
    /// Whether it has to hold.
    pub holds: bool,
}

/// A conjunction; empty holds always.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct When(pub Vec<Literal>);

/// Something that was not read, resolved or parsed.
#[derive(Clone, Eq, PartialEq, Hash, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The file concerned: the one that has the line, or the one that is missing where no
    /// line asks for it.
    pub path: PathBuf,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
    /// The bytes concerned, for a snippet.
    pub span: Option<Span>,
    /// One sentence without the place: what is wrong and what to do.
    pub message: String,
    /// True where the server would refuse the configuration for it; false where only this
    /// tool could not read on. Both make the result incomplete.
    pub refused: bool,
}

/// Kinds of problems.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum ProblemKind {
    /// There, but not readable (permission, not a regular file, too large).
    Unreadable,
    /// Not there.
    Missing,
    /// Includes itself.
    Cycle,
    /// A limit of this tool was reached.
    Limit,
    /// The server would not parse it.
    Syntax,
    /// Not a configuration: binary, UTF-16, empty root, a template.
    NotConfiguration,
}

impl File {
    /// Its tree.
    pub fn tree(&self) -> &Tree {
        self.tree.of(&self.text)
    }

    /// True where these bytes were parsed as a file of directives and hold no error; false says
    /// nothing.
    pub fn is_flawless(&self) -> bool {
        self.tree.is_flawless()
    }

    /// Its tree where it is there, else one that the file does not keep.
    pub fn passing_tree(&self) -> Arc<Tree> {
        self.tree.passing(&self.text)
    }

    /// The same for a reader that goes on when the file gives it back.
    pub(super) fn shared_tree(&self) -> Arc<Tree> {
        Arc::clone(self.tree.of(&self.text))
    }
}

impl Project {
    /// Gives the trees back of all files but the first `kept`: they would be made again.
    pub(super) fn forget_trees(&mut self, kept: usize) {
        for file in self.files.iter_mut().skip(kept) {
            file.tree.forget();
        }
    }

    /// Gives back what the files say, and keeps the files, what went wrong with them and the
    /// facts. Nobody may look for a directive then.
    pub fn forget_statements(&mut self) {
        self.forget_trees(0);
        self.directives = Vec::new();
        self.arguments = Vec::new();
        self.vias = Vec::new();
    }

    /// A file.
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    /// A directive.
    pub fn directive(&self, id: DirectiveId) -> &Directive {
        &self.directives[id.0 as usize]
    }

    /// A directive's name as read, unquoted.
    pub fn name(&self, id: DirectiveId) -> &[u8] {
        let directive = self.directive(id);
        self.value(directive, &directive.name)
    }

    /// The value of a text of `directive`.
    pub fn value<'project>(
        &'project self,
        directive: &Directive,
        text: &'project Text,
    ) -> &'project [u8] {
        match &text.value {
            Some(value) => value,
            None => text.span.of(&self.file(directive.file).text),
        }
    }

    /// A directive's arguments, decoded.
    pub fn arguments(&self, id: DirectiveId) -> impl ExactSizeIterator<Item = &[u8]> + Clone {
        let directive = self.directive(id);
        self.argument_texts(id)
            .iter()
            .map(move |text| self.value(directive, text))
    }

    /// A directive's arguments with their places.
    pub fn argument_texts(&self, id: DirectiveId) -> &[Text] {
        let range = &self.directive(id).arguments;
        &self.arguments[range.start as usize..range.end as usize]
    }

    /// The first argument.
    pub fn first_argument(&self, id: DirectiveId) -> Option<&[u8]> {
        self.arguments(id).next()
    }

    /// An argument for people: bytes that are no UTF-8 are replaced.
    pub fn argument_text(&self, id: DirectiveId, index: usize) -> Option<Cow<'_, str>> {
        self.arguments(id).nth(index).map(String::from_utf8_lossy)
    }

    /// Directives directly below `parent` (includes expanded), or at the top for `None`.
    pub fn children(&self, parent: Option<DirectiveId>) -> Subtree<'_> {
        let (next, end) = match parent {
            Some(id) => (id.0 + 1, self.directive(id).end),
            None => (0, self.directives.len() as u32),
        };
        Subtree {
            project: self,
            next,
            end,
        }
    }

    /// The place of a directive's statement.
    pub fn location(&self, id: DirectiveId) -> Location {
        let directive = self.directive(id);
        self.location_of(directive.file, directive.span)
    }

    /// The place of a directive's name, which stands for a block in messages.
    pub fn name_location(&self, id: DirectiveId) -> Location {
        let directive = self.directive(id);
        self.location_of(directive.file, directive.name.span)
    }

    /// A place in a file.
    pub fn location_of(&self, file: FileId, span: Span) -> Location {
        let file = self.file(file);
        Location::new(&file.path, span, &file.lines)
    }

    /// The includes that led to a directive, outermost first.
    pub fn via(&self, id: DirectiveId) -> Vec<Location> {
        let mut chain = Vec::new();
        let mut next = Some(self.directive(id).via);
        while let Some(via) = next.filter(|via| via.0 != 0) {
            let step = &self.vias[via.0 as usize];
            chain.push(self.location_of(step.file, step.span));
            next = step.parent;
        }
        chain.reverse();
        chain
    }

    /// True when every file was read, parsed and every include resolved (invariant 2).
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Iterator over the directives directly below a block.
#[derive(Clone, Debug)]
pub struct Subtree<'project> {
    project: &'project Project,
    next: u32,
    end: u32,
}

impl Iterator for Subtree<'_> {
    type Item = DirectiveId;

    fn next(&mut self) -> Option<DirectiveId> {
        if self.next >= self.end {
            return None;
        }
        let id = DirectiveId(self.next);
        self.next = self.project.directive(id).end;
        Some(id)
    }
}
