//! Macros defined and used: bodies are taken from the reader and given back to it.

use std::rc::Rc;

use crate::source::{DirectiveId, ProblemKind, Via, ViaId};
use crate::syntax::apache::{Expanded, Head, MACRO_LINE_LIMIT, word};
use crate::text::Span;

use super::Expander;
use super::execute::one;
use super::macros::{self, HeadError, Macro, ParameterError};
use super::reader::{BodyLine, RawLine, Reader};

impl Expander<'_> {
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

    pub(super) fn use_macro(
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

    pub(super) fn undefine_macro(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
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
