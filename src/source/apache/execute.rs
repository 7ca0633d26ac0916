//! Directives that httpd carries out while it reads.
//!
//! Those that change how later lines are read, and no others.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::catalog::{self, Server};
use crate::source::files::ReadError;
use crate::source::{
    DirectiveId, FileId, FileOrigin, ProblemKind, Via, ViaId, content, glob, path,
};
use crate::syntax::apache::{Expanded, Head, MACRO_LINE_LIMIT, word};
use crate::text::Span;

use super::Expander;
use super::emit::arguments;
use super::facts::source_file;
use super::include::{Finder, Named};
use super::macros::{self, HeadError, Macro, ParameterError};
use super::reader::{BodyLine, RawLine, Reader};

impl<'a> Expander<'a> {
    pub(super) fn execute(
        &mut self,
        reader: &mut Reader,
        raw: &RawLine,
        head: &Head<'_>,
        expanded: &Expanded<'_>,
        id: DirectiveId,
    ) {
        let name = head.name.to_ascii_lowercase();
        let done = match name.as_slice() {
            b"define" => self.define(&arguments(head, expanded)),
            b"undefine" => self.undefine(&arguments(head, expanded)),
            b"loadmodule" => self.load_module(&arguments(head, expanded)),
            b"serverroot" => self.set_server_root(&arguments(head, expanded)),
            b"include" => self.include(raw, id, &arguments(head, expanded), false),
            b"includeoptional" => self.include(raw, id, &arguments(head, expanded), true),
            b"use" => self.use_macro(reader, raw, id, &arguments(head, expanded)),
            b"undefmacro" => self.undefine_macro(&arguments(head, expanded)),
            _ => Ok(()),
        };
        if let Err(message) = done {
            self.report(raw, ProblemKind::Syntax, message, true);
        }
    }

    fn define(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let (name, value) = match arguments {
            [name] if !name.is_empty() => (name, None),
            [name, value] if !name.is_empty() => (name, Some(value)),
            _ => return Err("Define takes 1-2 arguments".to_owned()),
        };
        if name.contains(&b':') {
            return Err("variable name must not contain ':'".to_owned());
        }
        self.defines
            .state(name.clone(), Some(Vec::new()), self.when);
        // An empty value is none: httpd takes it for a missing argument.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.variables
                .state(name.to_ascii_lowercase(), Some(value.clone()), self.when);
        }
        Ok(())
    }

    fn undefine(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let name = one(arguments, "UnDefine")?;
        if name.contains(&b':') {
            return Err("variable name must not contain ':'".to_owned());
        }
        self.defines.state(name.to_vec(), None, self.when);
        self.variables
            .state(name.to_ascii_lowercase(), None, self.when);
        Ok(())
    }

    fn load_module(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let [symbol, _file] = arguments else {
            return Err("LoadModule takes two arguments".to_owned());
        };
        self.loads_modules = true;
        for name in [source_file(symbol), symbol.clone()] {
            self.modules.state(name, Some(Vec::new()), self.when);
        }
        Ok(())
    }

    fn set_server_root(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let name = one(arguments, "ServerRoot")?;
        let named = path::below(&self.server_root, name);
        let finder = self.finder(false);
        let place = finder.place(&named);
        if !self.files.is_directory(&place) && !finder.is_elsewhere(&place) {
            return Err("ServerRoot must be a valid directory".to_owned());
        }
        self.server_root = named;
        Ok(())
    }

    pub(super) fn finder(&self, optional: bool) -> Finder<'_> {
        Finder {
            files: self.files,
            options: self.options,
            server_root: &self.server_root,
            optional,
            at_home: self.root.installed,
            own: self.root.path.parent().unwrap_or(Path::new("")),
        }
    }

    fn include(
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
        for named in self.finder(optional).find(&name) {
            match named {
                Named::File(path) => self.follow(raw, &path, &name, via_id),
                Named::Refused(message) => self.unresolved(raw, &name, message, true),
                Named::Elsewhere(path) => self.elsewhere(raw, &path, &name, via_id),
            }
            if self.stopped {
                break;
            }
        }
        Ok(())
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
        self.depth += 1;
        self.read(file, via);
        self.depth -= 1;
    }

    /// A file by path, read when it is first asked for; `None` with a problem reported.
    fn file(&mut self, raw: &RawLine, path: &Path, name: &[u8]) -> Option<FileId> {
        if let Some(file) = self.known.get(&path::clean(path)) {
            return Some(*file);
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
        let allowed = self.options.allow_missing.iter().any(|pattern| {
            let pattern = pattern.as_bytes();
            pattern == name
                || [&named, &full]
                    .iter()
                    .any(|path| glob::path_matches(pattern, path))
        });
        if allowed {
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
        if !self.project.assumed.iter().any(|known| known == path) {
            self.project.assumed.push(PathBuf::from(path));
        }
    }

    /// Reads a macro's definition up to its end.
    pub(super) fn define_macro(
        &mut self,
        reader: &mut Reader,
        raw: &RawLine,
        expanded: &Expanded<'_>,
        head: &Head<'_>,
    ) {
        self.had_macros = true;
        let location = format!(
            "defined on line {} of \"{}\"",
            raw.number,
            self.place_name(raw)
        );
        let rest = expanded.line.get(head.rest.clone()).unwrap_or_default();
        let definition = macros::definition(rest);
        let body = self.body(reader);
        let definition = match definition {
            Ok(definition) => definition,
            Err(error) => {
                let message = head_message(&error, &location);
                return self.report(raw, ProblemKind::Syntax, message, true);
            }
        };
        let Some(body) = body else {
            let name = String::from_utf8_lossy(&definition.name);
            let message = format!(
                "macro '{name}' ({location}) contents error: expected token not found: </Macro>"
            );
            return self.report(raw, ProblemKind::Syntax, message, true);
        };
        let parameters = definition.parameters;
        let defined = Macro {
            parameters,
            body,
            location,
            when: self.when,
        };
        self.macros.insert(definition.name, defined);
    }

    /// The lines up to a macro's end, without comments; `None` where there is no end.
    fn body(&mut self, reader: &mut Reader) -> Option<Vec<BodyLine>> {
        let mut nesting = 1;
        let mut lines = Vec::new();
        while let Some(raw) = reader.next() {
            if raw.line.content.len() as usize >= MACRO_LINE_LIMIT && joined_length(&raw) {
                return None;
            }
            if raw.bytes.first() == Some(&b'#') {
                continue;
            }
            let first = word(&raw.bytes, 0).map(|first| first.value.to_ascii_lowercase());
            match first.as_deref() {
                Some(b"</macro>") => nesting -= 1,
                Some(b"<macro") => nesting += 1,
                _ => {}
            }
            if nesting == 0 {
                return Some(lines);
            }
            lines.push(BodyLine::new(&raw));
        }
        None
    }

    fn use_macro(
        &mut self,
        reader: &mut Reader,
        raw: &RawLine,
        id: DirectiveId,
        arguments: &[Vec<u8>],
    ) -> Result<(), String> {
        if !self.had_macros {
            return Err("no macro defined before Use".to_owned());
        }
        let Some((name, arguments)) = arguments.split_first().filter(|(name, _)| !name.is_empty())
        else {
            return Err("no macro name specified with Use".to_owned());
        };
        let name = name.to_ascii_lowercase();
        let shown = String::from_utf8_lossy(&name).into_owned();
        let Some(found) = self.macros.get(&name) else {
            return Err(format!("macro '{shown}' undefined"));
        };
        if reader.is_in(&name) {
            return Err(format!("recursive use of macro '{shown}' is invalid"));
        }
        let location = &found.location;
        if found.parameters.len() != arguments.len() {
            return Err(format!(
                "macro '{shown}' ({location}) used with {} arguments instead of {}",
                arguments.len(),
                found.parameters.len()
            ));
        }
        let place = self.place_name(raw);
        let used = format!(
            "macro '{shown}' ({location}) used on line {} of \"{place}\"",
            raw.number
        );
        let lines = match found.lines(arguments) {
            Ok(lines) => lines,
            Err(line) => {
                return Err(format!(
                    "{used} error while substituting: while processing line {line} of macro \
                     '{shown}' ({location}) cannot substitute, buffer size too small"
                ));
            }
        };
        let unsure = self
            .conditions
            .reaches(self.when, found.when)
            .is_none_or(|left| !left.is_empty());
        if unsure {
            let message = format!("macro '{shown}' is defined under a condition that is not known");
            self.report(raw, ProblemKind::Limit, message, false);
        }
        self.put_in(reader, raw, id, name, used.into(), lines);
        Ok(())
    }

    fn put_in(
        &mut self,
        reader: &mut Reader,
        raw: &RawLine,
        id: DirectiveId,
        name: Vec<u8>,
        used: Rc<str>,
        lines: Vec<BodyLine>,
    ) {
        self.instances += 1;
        if self.instances > self.options.limits.instances {
            let most = self.options.limits.instances;
            return self.stop(
                raw,
                format!("files and macros are put in more than {most} times"),
            );
        }
        let added: usize = lines.iter().map(|line| line.bytes.len() + 64).sum();
        if self.grows(raw, added + used.len()).is_none() {
            return;
        }
        let span: Span = self.project.directive(id).span;
        let via = ViaId(self.project.vias.len() as u32);
        self.project.vias.push(Via {
            parent: Some(raw.via),
            file: raw.file,
            span,
        });
        reader.push(name, used, via, lines);
    }

    fn undefine_macro(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let name = one(arguments, "UndefMacro")?.to_ascii_lowercase();
        if !self.had_macros {
            return Err("no macro defined before UndefMacro".to_owned());
        }
        match self.macros.remove(&name) {
            Some(_) => Ok(()),
            None => {
                let name = String::from_utf8_lossy(&name);
                Err(format!("cannot remove undefined macro '{name}'"))
            }
        }
    }
}

/// The one argument of a directive that takes one.
fn one<'v>(arguments: &'v [Vec<u8>], name: &str) -> Result<&'v [u8], String> {
    match arguments {
        [one] if !one.is_empty() => Ok(one),
        _ => Err(format!("{name} takes one argument")),
    }
}

/// True where the joined line, with its line feed, is longer than a macro's buffer.
fn joined_length(raw: &RawLine) -> bool {
    let cuts: u32 = raw.line.cuts.iter().map(|cut| cut.len()).sum();
    let length = (raw.line.content.len() - cuts) as usize + usize::from(raw.line.line_feed);
    length > MACRO_LINE_LIMIT
}

fn head_message(error: &HeadError, location: &str) -> String {
    match error {
        HeadError::NoBracket => "<Macro> directive missing closing '>'".to_owned(),
        HeadError::EmptyName => "<Macro macro definition: empty name".to_owned(),
        HeadError::NoName => "<Macro macro definition: name not found".to_owned(),
        HeadError::Parameters(name, error) => {
            let name = String::from_utf8_lossy(name);
            match error {
                ParameterError::Empty(number) => {
                    format!("macro '{name}' ({location}): empty argument #{number} name")
                }
                ParameterError::Twice(parameter, first, second) => format!(
                    "argument name conflict in macro '{name}' ({location}): argument \
                     '{parameter}': #{first} and #{second}, change argument names!"
                ),
                ParameterError::TooMany(count) => {
                    format!("macro '{name}' ({location}): {count} parameters are too many to read")
                }
            }
        }
    }
}
