//! Includes followed: files read once, put in place as often as they are named.
//!
//! Which files a name stands for is `include`'s to say.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{self, Server};
use crate::source::ahead::{self, AT_ONCE, Batch};
use crate::source::files::ReadError;
use crate::source::reading::Reading;
use crate::source::room::Room;
use crate::source::{DirectiveId, FileId, FileOrigin, ProblemKind, Via, ViaId, content, path};

use super::Expander;
use super::execute::one;
use super::include::{Finder, Named};
use super::reader::RawLine;

impl<'a> Expander<'a> {
    pub(super) fn finder(&self, optional: bool) -> Finder<'_> {
        Finder {
            files: self.files,
            folders: &self.folders,
            options: self.options,
            server_root: &self.server_root,
            optional,
            at_home: self.root.installed,
            own: self.root.path.parent().unwrap_or(Path::new("")),
            seen: Cell::new(0),
        }
    }

    pub(super) fn include(
        &mut self,
        raw: &RawLine,
        id: DirectiveId,
        arguments: &[Vec<u8>],
        optional: bool,
    ) -> Result<(), String> {
        let name = one(
            arguments,
            if optional {
                "IncludeOptional"
            } else {
                "Include"
            },
        )?
        .to_vec();
        if self.depth >= self.options.limits.depth {
            let most = self.options.limits.depth;
            let message = format!(
                "exceeded maximum include depth of {most}; there appears to be a recursion"
            );
            self.report(raw, ProblemKind::Cycle, message, true);
            self.stopped = true;
            return Ok(());
        }
        let directive = self.project.directive(id);
        let via = Via {
            parent: Some(raw.via),
            file: raw.file,
            span: directive.span,
        };
        let via_id = ViaId(self.project.vias.len() as u32);
        self.project.vias.push(via);
        let found = self.finder(optional).find(&name);
        let mut room = Some(Room::before(&self.project));
        let mut parts = found.chunks(AT_ONCE).peekable();
        let first = parts.peek().and_then(|part| self.fresh(part));
        let mut ready = first.map(Batch::read);
        while let Some(part) = parts.next() {
            self.ahead.put(ready.take());
            let next = parts.peek().and_then(|part| self.fresh(part));
            ready = ahead::beside(next, || self.put_all(raw, part, &name, via_id));
            if let Some(room) = room.take() {
                room.make(&mut self.project, &found, &self.options.limits);
            }
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    /// Puts what an include names in its place.
    fn put_all(&mut self, raw: &RawLine, found: &[Named], name: &[u8], via: ViaId) {
        for named in found {
            match named {
                Named::File(path) => self.follow(raw, path, name, via),
                Named::Refused(message) => self.unresolved(raw, name, message.clone(), true),
                Named::Elsewhere(path) => self.elsewhere(raw, path, name, via),
            }
            if self.stopped {
                return;
            }
        }
    }

    /// Files that the same include names and that nobody asked for yet, to be read ahead.
    fn fresh<'p>(&mut self, found: &'p [Named]) -> Option<Batch<'p>>
    where
        'a: 'p,
    {
        let known = &self.known;
        let mut fresh = Vec::new();
        for named in found {
            let Named::File(path) = named else {
                continue;
            };
            if !known.contains_key(&path::spelling(path)) {
                fresh.push(path.as_path());
            }
        }
        self.ahead.batch(fresh, false, self.files, Reading::Apache)
    }

    /// Reads the file of an include in its place.
    fn follow(&mut self, raw: &RawLine, path: &Path, name: &[u8], via: ViaId) {
        self.instances += 1;
        if self.instances > self.options.limits.instances {
            let most = self.options.limits.instances;
            return self.stop(
                raw,
                format!("files and macros are put in more than {most} times"),
            );
        }
        let Some(file) = self.file(raw, path, name) else {
            return;
        };
        if self.bytes > self.options.limits.bytes {
            let most = self.options.limits.bytes;
            return self.stop(
                raw,
                format!("all files have more than {most} bytes together"),
            );
        }
        self.depth += 1;
        self.read(file, via);
        self.depth -= 1;
    }

    /// A file by path, read when it is first asked for; `None` with a problem reported.
    fn file(&mut self, raw: &RawLine, path: &Path, name: &[u8]) -> Option<FileId> {
        if let Some(file) = self.known.get(&path::spelling(path)) {
            return Some(*file);
        }
        if let Some(ready) = self.ahead.take(path, false) {
            let origin = self.files.origin(path);
            return Some(self.put_file(path, ready, origin));
        }
        let text = match self.files.read(path) {
            Ok(text) => text,
            // httpd opens this one device.
            Err(ReadError::NotRegular) if path == Path::new("/dev/null") => Arc::from([]),
            Err(reason) if reason.is_missing() => return self.missing(raw, path, name),
            Err(reason) => {
                let message = format!("could not open {}: {reason}", path.display());
                self.report(raw, ProblemKind::Unreadable, message, true);
                return None;
            }
        };
        if let Some(message) = content::objection(&text) {
            let message = format!("{}: {message}", path.display());
            self.report(raw, ProblemKind::NotConfiguration, message, true);
            return None;
        }
        let origin = self.files.origin(path);
        Some(self.add_file(path, text, origin))
    }

    /// What stands in for a file that is not there.
    fn missing(&mut self, raw: &RawLine, path: &Path, name: &[u8]) -> Option<FileId> {
        if let Some(stub) = catalog::stub(Server::Apache, &String::from_utf8_lossy(name)) {
            self.assume(path);
            return Some(self.add_file(path, stub.text.into(), FileOrigin::Stub));
        }
        let message = format!(
            "could not open configuration file {}: no such file",
            path.display()
        );
        self.unresolved(raw, name, message, true);
        None
    }

    fn elsewhere(&mut self, raw: &RawLine, path: &Path, name: &[u8], via: ViaId) {
        if catalog::stub(Server::Apache, &String::from_utf8_lossy(name)).is_some() {
            return self.follow(raw, path, name, via);
        }
        let message = format!(
            "{}: not here, so what this Include reads on the server is unknown; add it or allow \
             it with --allow-missing",
            path.display()
        );
        self.unresolved(raw, name, message, false);
    }

    fn unresolved(&mut self, raw: &RawLine, name: &[u8], message: String, refused: bool) {
        let named = path::from_bytes(name);
        let full = path::below(&self.server_root, name);
        if self.options.allow_missing.allows(name, [&named, &full]) {
            return self.assume(&full);
        }
        // The server's own environment may know what is not known here.
        let variable = name.windows(2).any(|pair| pair == b"${");
        let message = match variable {
            true => format!("{message}; the name holds a variable that has no value here"),
            false => message,
        };
        self.report(raw, ProblemKind::Missing, message, refused && !variable);
    }

    fn assume(&mut self, path: &Path) {
        if self.assumed.insert(PathBuf::from(path)) {
            self.project.assumed.push(PathBuf::from(path));
        }
    }
}
