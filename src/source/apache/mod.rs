//! httpd: a configuration expanded as the server reads it.
//!
//! Line by line, because what httpd does while it reads (Define, LoadModule, conditionals,
//! macros, includes) changes what the next line means; the tree of a file alone cannot tell.
//! Where a version, a module or a command-line definition decides, both ways are kept: the
//! directives stand under a condition. Nothing here judges a directive's value.
//!
//! Sources: httpd server/config.c (ap_build_config, ap_build_config_sub,
//! ap_build_cont_config, ap_soak_end_container), server/core.c (start_cond_section,
//! set_define), modules/core/mod_macro.c; tests/source_apache.rs compares with a live httpd.

mod answer;
mod condition;
mod emit;
mod envvars;
mod execute;
mod facts;
mod follow;
mod include;
mod macros;
mod placement;
mod problem;
mod reader;
mod section;
mod using;
mod value;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::Server;
use crate::syntax::apache::{Expanded, HeadKind, LINE_LIMIT, expand as expand_line, expanded_head};
use crate::syntax::apache::{is_conditional, is_macro};
use crate::text::{LineIndex, Span};

use self::facts::{ALWAYS, Conditions, Facts, Known};
use self::macros::Macro;
use self::reader::{RawLine, Reader};
use self::section::Frame;
use super::ahead::{Ahead, Ready};
use super::files::FileSystem;
use super::folders::Folders;
use super::options::{LoadOptions, Root, RootKind};
use super::reading::{Grown, Reading};
use super::{
    DirectiveId, File, FileId, FileOrigin, Problem, ProblemKind, Project, Via, ViaId, WhenId,
    content, path,
};

pub use self::envvars::environment;
pub use self::facts::other_name;

/// Bytes that variables and macros may add to a configuration: past it, it is a bomb.
const MOST_EXPANDED: usize = 64 * 1024 * 1024;

/// Reads an httpd configuration as the server does. Never fails: what could not be read
/// stands in [`Project::problems`], what httpd refuses first comes first.
pub fn expand(root: &Root, files: &dyn FileSystem, options: &LoadOptions) -> Project {
    let mut expander = Expander::new(root, files, options);
    expander.run();
    expander.finish()
}

struct Expander<'a> {
    root: &'a Root,
    files: &'a dyn FileSystem,
    folders: Folders<'a>,
    options: &'a LoadOptions,
    project: Project,
    /// Files by their [`path::spelling`].
    known: HashMap<OsString, FileId>,
    /// Files of the include that is followed.
    ahead: Ahead,
    conditions: Conditions,
    defines: Facts,
    /// By their name in lower case: httpd keeps them in a table that ignores case.
    variables: Facts,
    modules: Facts,
    /// A LoadModule was seen: this httpd loads what it needs.
    loads_modules: bool,
    macros: HashMap<Vec<u8>, Macro>,
    /// A macro was defined once, perhaps taken away since.
    had_macros: bool,
    /// What relative names are below, as the server knows it.
    server_root: PathBuf,
    /// Under which open conditions lines are read now.
    when: WhenId,
    /// The sections around the line, across includes.
    parents: Vec<DirectiveId>,
    /// How many includes are open.
    depth: usize,
    instances: usize,
    /// Of all files.
    bytes: usize,
    /// Bytes that variables and macros added.
    expanded: usize,
    /// What httpd finds when it carries the directives out, after all was read.
    late: Vec<Problem>,
    /// What stands in the list of problems: a file may be read many times.
    reported: HashSet<Problem>,
    /// Missing files that are in `assumed` of the project.
    assumed: HashSet<PathBuf>,
    /// What stands in `late`.
    reported_late: HashSet<Problem>,
    /// Files of which httpd refused a line: what follows may be our own recovery.
    refused: HashSet<FileId>,
    /// Variables whose value is unclear and was reported.
    unclear: HashSet<Vec<u8>>,
    stopped: bool,
}

impl<'a> Expander<'a> {
    fn new(root: &'a Root, files: &'a dyn FileSystem, options: &'a LoadOptions) -> Self {
        Self {
            root,
            files,
            folders: Folders::new(files),
            options,
            project: empty(root),
            known: HashMap::new(),
            ahead: Ahead::default(),
            conditions: Conditions::new(),
            defines: Facts::default(),
            variables: Facts::default(),
            modules: Facts::default(),
            loads_modules: false,
            macros: HashMap::new(),
            had_macros: false,
            server_root: root.base().to_path_buf(),
            when: ALWAYS,
            parents: Vec::new(),
            depth: 0,
            instances: 0,
            bytes: 0,
            expanded: 0,
            late: Vec::new(),
            reported: HashSet::new(),
            assumed: HashSet::new(),
            reported_late: HashSet::new(),
            refused: HashSet::new(),
            unclear: HashSet::new(),
            stopped: false,
        }
    }

    fn run(&mut self) {
        let text = match self.files.read(&self.root.path) {
            Ok(text) => text,
            Err(reason) => {
                let kind = match reason.is_missing() {
                    true => ProblemKind::Missing,
                    false => ProblemKind::Unreadable,
                };
                return self.root_problem(kind, &format!("cannot be read: {reason}"));
            }
        };
        if let Some(message) = root_objection(self.root, &text) {
            // The file counts as read, its text for messages too; it has no statements.
            self.add_file(&self.root.path, Arc::clone(&text), FileOrigin::Memory);
            return self.root_problem(ProblemKind::NotConfiguration, message);
        }
        self.start();
        let origin = self.files.origin(&self.root.path);
        let file = self.add_file(&self.root.path, text, origin);
        self.project.vias.push(Via {
            parent: None,
            file,
            span: Span::at(0),
        });
        self.read(file, ViaId(0));
    }

    /// States what holds before the first line is read.
    fn start(&mut self) {
        let options = self.options;
        for name in options.defines.iter().chain(options.variables.keys()) {
            let name = name.as_bytes().to_vec();
            self.defines.state(name, Some(Vec::new()), ALWAYS);
        }
        for name in &options.undefined {
            self.defines.state(name.as_bytes().to_vec(), None, ALWAYS);
        }
        for (name, value) in &options.variables {
            let name = name.as_bytes().to_ascii_lowercase();
            self.variables.state(name, Some(value.clone()), ALWAYS);
        }
        for name in options.modules.iter().flatten() {
            self.modules
                .state(name.as_bytes().to_vec(), Some(Vec::new()), ALWAYS);
        }
    }

    fn root_problem(&mut self, kind: ProblemKind, message: &str) {
        self.project.problems.push(Problem {
            kind,
            path: self.root.path.clone(),
            line: 0,
            span: None,
            message: message.to_owned(),
            refused: true,
        });
    }

    fn finish(mut self) -> Project {
        self.project.problems.append(&mut self.late);
        // A file that httpd does not read to its end is never carried out.
        if !self.project.problems.iter().any(|problem| problem.refused) {
            let misplaced = self.misplaced();
            self.project.problems.extend(misplaced);
        }
        self.project.atoms = self.conditions.atoms;
        self.project.whens = self.conditions.whens;
        self.project
    }

    /// Reads one instance of a file in the place that `parents` says.
    fn read(&mut self, file: FileId, via: ViaId) {
        let text = Arc::clone(&self.project.file(file).text);
        let mut reader = Reader::new(file, text, via);
        let mut frames = Vec::new();
        let outside = self.when;
        while let Some(raw) = reader.next() {
            self.line(&mut reader, &mut frames, &raw);
            if self.stopped {
                break;
            }
        }
        if let Some(lost) = reader.lost.take().filter(|lost| !lost.bytes.is_empty()) {
            let message = "httpd does not read this line: behind a Use, a last line without a \
                           line feed is lost";
            self.report(&lost, ProblemKind::Syntax, message.to_owned(), false);
        }
        self.end_of_file(frames);
        self.when = outside;
    }

    fn line(&mut self, reader: &mut Reader, frames: &mut Vec<Frame>, raw: &RawLine) {
        if self.check(raw) || self.closes_conditional(frames, raw) {
            return;
        }
        if matches!(raw.bytes.first(), None | Some(b'#')) {
            return;
        }
        let Some(expanded) = self.expanded(raw) else {
            return;
        };
        let head = expanded_head(&expanded.line);
        match head.kind {
            HeadKind::Empty | HeadKind::Comment => {}
            HeadKind::Close => self.close(frames, raw, &head),
            HeadKind::Open if is_conditional(&head.name) => {
                self.conditional(reader, frames, raw, &head, &expanded);
            }
            HeadKind::Open if is_macro(&head.name) => {
                self.define_macro(reader, raw, &expanded, &head);
            }
            HeadKind::Open => self.open(frames, raw, &expanded, &head),
            HeadKind::Directive => {
                let id = self.emit(raw, &expanded, &head);
                self.execute(reader, raw, &head, &expanded, id);
            }
        }
    }

    /// What makes a line unreadable whatever it says; true where it is to be left out.
    fn check(&mut self, raw: &RawLine) -> bool {
        if raw.line.nul && raw.exact {
            let message = "a NUL byte hides the rest of the line, for httpd too".to_owned();
            self.report(raw, ProblemKind::Syntax, message, false);
        }
        if raw.bytes.len() > LINE_LIMIT {
            self.report(raw, ProblemKind::Syntax, "line too long".to_owned(), true);
            return true;
        }
        if raw.exact && raw.line.span.start == 0 && raw.bytes.starts_with(b"\xef\xbb\xbf") {
            let message = "invalid command: the file begins with a byte order mark, which httpd \
                           takes for the beginning of a name; save the file without it";
            self.report_late(raw, message.to_owned());
        }
        false
    }

    /// The line with its variables replaced; `None` where that is a bomb.
    fn expanded<'line>(&mut self, raw: &'line RawLine) -> Option<Expanded<'line>> {
        let unclear = RefCell::new(Vec::new());
        let value = |name: &[u8]| self.variable(name, &unclear).map(Cow::Owned);
        let expanded = expand_line(&raw.bytes, &value);
        for name in unclear.into_inner() {
            let shown = String::from_utf8_lossy(&name).into_owned();
            if self.unclear.insert(name) {
                let message = format!(
                    "the value of ${{{shown}}} depends on a condition that is \
                                       not known here; its last one is taken"
                );
                self.report(raw, ProblemKind::Limit, message, false);
            }
        }
        self.grows(raw, expanded.line.len().saturating_sub(raw.bytes.len()))?;
        if expanded.line.len() > LINE_LIMIT {
            self.stop(raw, format!("a line grows longer than {LINE_LIMIT} bytes"));
            return None;
        }
        Some(expanded)
    }

    /// Counts what variables and macros add; `None` stops at a bomb.
    fn grows(&mut self, raw: &RawLine, by: usize) -> Option<()> {
        self.expanded += by;
        if self.expanded <= MOST_EXPANDED {
            return Some(());
        }
        self.stop(
            raw,
            format!("variables and macros add more than {MOST_EXPANDED} bytes"),
        );
        None
    }

    /// A variable's value: defined above, else from the starter's environment.
    fn variable(&self, name: &[u8], unclear: &RefCell<Vec<Vec<u8>>>) -> Option<Vec<u8>> {
        let key = name.to_ascii_lowercase();
        match self.variables.known(&key, self.when, &self.conditions) {
            Known::Value(Some(value)) | Known::Perhaps(_, Some(value)) => {
                return Some(value.to_vec());
            }
            Known::Unclear => {
                unclear.borrow_mut().push(name.to_vec());
                return self.variables.newest(&key).map(<[u8]>::to_vec);
            }
            Known::Nothing | Known::Value(None) | Known::Perhaps(_, None) => {}
        }
        let name = std::str::from_utf8(name).ok()?;
        self.root.environment.get(name).cloned()
    }

    fn add_file(&mut self, path: &Path, text: Arc<[u8]>, origin: FileOrigin) -> FileId {
        let ready = Ready {
            lines: LineIndex::new(&text),
            tree: Grown::later(Reading::Apache),
            real: self.files.real(path).filter(|_| origin != FileOrigin::Stub),
            text,
        };
        self.put_file(path, ready, origin)
    }

    fn put_file(&mut self, path: &Path, ready: Ready, origin: FileOrigin) -> FileId {
        let Ready {
            text,
            lines,
            tree,
            real,
        } = ready;
        let id = FileId(self.project.files.len() as u32);
        self.bytes += text.len();
        self.known.insert(path::spelling(path), id);
        self.project.files.push(File {
            path: path.into(),
            real,
            origin,
            text,
            lines,
            tree,
        });
        id
    }
}

fn empty(root: &Root) -> Project {
    Project {
        server: Server::Apache,
        root: root.path.clone(),
        files: Vec::new(),
        directives: Vec::new(),
        arguments: Vec::new(),
        vias: Vec::new(),
        atoms: Vec::new(),
        whens: Vec::new(),
        problems: Vec::new(),
        assumed: Vec::new(),
        awaited: None,
        facts: super::Facts::default(),
    }
}

/// Why the root can be no main file.
fn root_objection(root: &Root, text: &[u8]) -> Option<&'static str> {
    if text.is_empty() && root.kind == RootKind::Root {
        return Some("the file is empty");
    }
    if content::is_empty_to_httpd(text) && root.kind == RootKind::Root {
        return Some("the file holds no directive");
    }
    content::objection(text)
}
