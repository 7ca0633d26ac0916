//! nginx: the files of a tree, each read and parsed once, and what stands in for a missing
//! one.
//!
//! It must not follow includes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{self, Server};
use crate::syntax::Tree;
use crate::syntax::nginx::{InitialContext, Options};
use crate::text::{LineIndex, Span};

use super::Expander;
use crate::source::ahead::{Batch, Ready};
use crate::source::files::ReadError;
use crate::source::options::{Root, RootKind};
use crate::source::reading::{Grown, Reading};
use crate::source::{
    DirectiveId, File, FileId, FileOrigin, Problem, ProblemKind, content, path as paths,
};

impl<'a> Expander<'a> {
    pub(super) fn unreadable_root(&mut self, root: &Root, reason: &ReadError) {
        self.project.problems.push(Problem {
            kind: if reason.is_missing() {
                ProblemKind::Missing
            } else {
                ProblemKind::Unreadable
            },
            path: root.path.clone(),
            line: 0,
            span: None,
            message: format!("cannot be read: {reason}"),
            refused: true,
        });
    }

    /// A file by path, read when it is first asked for; `None` with a problem reported.
    pub(super) fn file(
        &mut self,
        id: DirectiveId,
        path: &Path,
        data: bool,
        name: &[u8],
    ) -> Option<FileId> {
        let key = (paths::spelling(path), data);
        if let Some(file) = self.known.get(&key) {
            return Some(*file);
        }
        if let Some(ready) = self.ahead.take(path, data) {
            let origin = self.files.origin(path);
            return Some(self.put_file(path, ready, data, origin));
        }
        let text = match self.files.read(path) {
            Ok(text) => text,
            Err(reason) if reason.is_missing() => return self.missing(id, path, data, name),
            Err(reason) => {
                let message = format!("{}: cannot be read: {reason}", path.display());
                self.report(id, ProblemKind::Unreadable, message, true);
                return None;
            }
        };
        if let Some(message) = content::objection(&text) {
            let message = format!("{}: {message}", path.display());
            self.report(id, ProblemKind::NotConfiguration, message, true);
            return None;
        }
        let origin = self.files.origin(path);
        Some(self.add_file(path, text, data, origin))
    }

    /// What stands in for a file that is not there.
    fn missing(&mut self, id: DirectiveId, path: &Path, data: bool, name: &[u8]) -> Option<FileId> {
        let stub = catalog::stub(Server::Nginx, &String::from_utf8_lossy(name));
        // On the server itself, and in a dump of it, what is missing is missing.
        if let Some(stub) = stub.filter(|_| !self.resolver.is_at_home()) {
            self.assume(path);
            return Some(self.add_file(path, stub.text.into(), data, FileOrigin::Stub));
        }
        if self.resolver.may_be_missing(path, name) {
            self.assume(path);
            return None;
        }
        let message = format!("{}: no such file", path.display());
        self.report(id, ProblemKind::Missing, message, true);
        None
    }

    /// A pattern over a folder that this machine does not have. nginx takes it for no
    /// match; here it says only that the tree is not complete.
    pub(super) fn elsewhere(&mut self, id: DirectiveId, folder: &Path, name: &[u8]) {
        let pattern = String::from_utf8_lossy(name);
        let path = paths::from_bytes(name);
        if catalog::stub(Server::Nginx, &pattern).is_some()
            || self.resolver.may_be_missing(&path, name)
        {
            return self.assume(&path);
        }
        let message = format!(
            "{}: the folder is not here, so the files that {pattern} names on the server are \
             unknown; add them, read `nginx -T`, or allow it with --allow-missing",
            folder.display()
        );
        self.report(id, ProblemKind::Missing, message, false);
    }

    /// A pattern over a folder that this user may not look into. The server, which begins as
    /// root, reads what is there.
    pub(super) fn hidden(&mut self, id: DirectiveId, folder: &Path, name: &[u8]) {
        let path = paths::from_bytes(name);
        if self.resolver.may_be_missing(&path, name) {
            return self.assume(&path);
        }
        let message = format!(
            "{}: permission denied, so the files that {} names are unknown; read them as a user \
             who may, or allow it with --allow-missing",
            folder.display(),
            String::from_utf8_lossy(name)
        );
        self.report(id, ProblemKind::Unreadable, message, false);
    }

    fn assume(&mut self, path: &Path) {
        if self.assumed.insert(path.to_path_buf()) {
            self.project.assumed.push(path.to_path_buf());
        }
    }

    /// Files that the same include names and that nobody asked for yet, to be read ahead.
    pub(super) fn fresh<'p>(&mut self, all: &'p [PathBuf], data: bool) -> Option<Batch<'p>>
    where
        'a: 'p,
    {
        let known = &self.known;
        let fresh = |path: &&PathBuf| !known.contains_key(&(paths::spelling(path), data));
        let fresh: Vec<&Path> = all.iter().filter(fresh).map(PathBuf::as_path).collect();
        self.known.reserve(fresh.len());
        self.identities.reserve(fresh.len());
        self.ahead.batch(fresh, data, self.files, reading(data))
    }

    pub(super) fn add_file(
        &mut self,
        path: &Path,
        text: Arc<[u8]>,
        data: bool,
        origin: FileOrigin,
    ) -> FileId {
        let file = self.file_of(path, text, data, origin);
        self.put(file, data)
    }

    /// A file that was read ahead.
    fn put_file(&mut self, path: &Path, ready: Ready, data: bool, origin: FileOrigin) -> FileId {
        let real = ready.real.filter(|_| has_place(origin));
        let file = File {
            path: path.into(),
            real,
            origin,
            text: ready.text,
            lines: ready.lines,
            tree: ready.tree,
        };
        self.put(file, data)
    }

    fn put(&mut self, file: File, data: bool) -> FileId {
        let id = FileId(self.project.files.len() as u32);
        self.bytes += file.text.len();
        let spelling = paths::spelling(&file.path);
        let next = self.identities.len() as u32;
        let real = file.real.as_ref().map(|real| real.as_os_str().to_owned());
        let key = real.unwrap_or_else(|| spelling.clone());
        self.identity
            .push(*self.identities.entry(key).or_insert(next));
        self.known.insert((spelling, data), id);
        if let Some(problem) = syntax_problem(&file) {
            self.project.problems.push(problem);
        }
        self.project.files.push(file);
        id
    }

    pub(super) fn file_of(
        &self,
        path: &Path,
        text: Arc<[u8]>,
        data: bool,
        origin: FileOrigin,
    ) -> File {
        let tree = Grown::later(reading(data));
        let real = has_place(origin).then(|| self.files.real(path)).flatten();
        let lines = LineIndex::new(&text);
        File {
            path: path.into(),
            real,
            origin,
            text,
            lines,
            tree,
        }
    }
}

/// How a file is read whose top level holds data, or statements.
fn reading(data: bool) -> Reading {
    let context = match data {
        true => InitialContext::Data,
        false => InitialContext::Directives,
    };
    Reading::Nginx(Options {
        context,
        ..Options::default()
    })
}

/// The tree of what is no configuration.
pub(super) fn no_statements() -> Grown {
    Grown::now(reading(false), Tree::default())
}

/// True where an edit could change the file itself.
fn has_place(origin: FileOrigin) -> bool {
    matches!(origin, FileOrigin::Disk | FileOrigin::Memory)
}

/// Why the root can be no main file.
pub(super) fn root_objection(root: &Root, text: &[u8]) -> Option<&'static str> {
    if content::failed_dump(text) {
        return Some("nginx -T failed and printed errors only; nothing to judge");
    }
    if text.is_empty() && root.kind == RootKind::Root {
        return Some("the file is empty");
    }
    if content::is_empty(text) && root.kind == RootKind::Root {
        return Some("the file holds no directive");
    }
    content::objection(text)
}

/// The first error of a file, which is where nginx stops.
fn syntax_problem(file: &File) -> Option<Problem> {
    if file.text.starts_with(b"\xef\xbb\xbf") {
        return Some(Problem {
            kind: ProblemKind::Syntax,
            path: file.path.to_path_buf(),
            line: 1,
            span: Some(Span::new(0, 3)),
            message: "unknown directive: the file begins with a byte order mark, which nginx \
                      takes for the beginning of a name; save the file without it"
                .to_owned(),
            refused: true,
        });
    }
    let error = file.tree().errors.iter().find(|error| error.fatal)?;
    Some(Problem {
        kind: ProblemKind::Syntax,
        path: file.path.to_path_buf(),
        line: error.line,
        span: Some(error.span),
        message: error.message.clone(),
        refused: true,
    })
}
