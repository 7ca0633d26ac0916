//! Lines to directives of the project, with the bytes that they stand for.
//!
//! It must not decide what a line is or does.

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::{self, Arity};
use crate::source::{Directive, DirectiveId, Text};
use crate::syntax::apache::{Expanded, Head, HeadKind, word, words};

use super::Expander;
use super::reader::{Places, RawLine};

impl Expander<'_> {
    /// Appends a directive below the innermost open section.
    pub(super) fn emit(
        &mut self,
        raw: &RawLine,
        expanded: &Expanded<'_>,
        head: &Head<'_>,
    ) -> DirectiveId {
        let id = DirectiveId(self.project.directives.len() as u32);
        let spec = catalog::apache(&head.name);
        let first = self.project.arguments.len() as u32;
        let args = expanded.line.get(head.args.clone()).unwrap_or_default();
        let found = match spec.map(|spec| spec.arity) {
            Some(Arity::Flag) => word(args, 0).into_iter().collect(),
            _ => words(args),
        };
        let text = Arc::clone(&self.project.file(raw.file).text);
        let places = raw.places(&text);
        for found in found {
            let range = head.args.start + found.range.start..head.args.start + found.range.end;
            let argument = text_of(&places, &text, expanded, range, &found.value);
            self.project.arguments.push(argument);
        }
        let name = text_of(
            &places,
            &text,
            expanded,
            head.name_range.clone(),
            &head.name,
        );
        let span = places.span(0, raw.bytes.len());
        self.project.directives.push(Directive {
            spec,
            name,
            arguments: first..self.project.arguments.len() as u32,
            file: raw.file,
            span,
            body: None,
            parent: self.parents.last().copied(),
            end: id.0 + 1,
            via: raw.via,
            when: self.when,
        });
        if self.project.directives.len() >= self.options.limits.directives {
            let most = self.options.limits.directives;
            self.stop(
                raw,
                format!("more than {most} directives with all includes expanded"),
            );
        }
        id
    }

    /// Ends a block at the line that closes it. The body is known where both lines stand in
    /// the same text.
    pub(super) fn close_block(&mut self, id: DirectiveId, opening: &RawLine, closing: &RawLine) {
        let end = self.project.directives.len() as u32;
        let text = &self.project.files[closing.file.0 as usize].text;
        let last = closing.span(text, 0, closing.bytes.len());
        let directive = &mut self.project.directives[id.0 as usize];
        directive.end = end;
        let same = opening.file == closing.file
            && opening.instance == closing.instance
            && opening.line.span.end <= closing.line.span.start;
        if same {
            directive.span = directive.span.cover(last);
            let body = opening.line.span.end..closing.line.span.start;
            directive.body = Some(crate::text::Span::new(body.start, body.end));
        }
    }

    /// Ends a block that nothing closes.
    pub(super) fn abandon_block(&mut self, id: DirectiveId) {
        let end = self.project.directives.len() as u32;
        self.project.directives[id.0 as usize].end = end;
    }
}

/// Where a word stands, and its value where that is not what stands there.
fn text_of(
    places: &Places<'_>,
    text: &[u8],
    expanded: &Expanded<'_>,
    range: Range<usize>,
    value: &[u8],
) -> Text {
    let origin = expanded.origin(range);
    let span = places.span(origin.start, origin.end);
    let value = (span.of(text) != value).then(|| value.into());
    Text { span, value }
}

/// The words behind a directive's name, as one that takes a fixed number of arguments reads
/// them.
pub(super) fn arguments(head: &Head<'_>, expanded: &Expanded<'_>) -> Vec<Vec<u8>> {
    debug_assert!(head.kind == HeadKind::Directive);
    let raw = expanded.line.get(head.args.clone()).unwrap_or_default();
    words(raw)
        .into_iter()
        .map(|word| word.value.into_owned())
        .collect()
}
