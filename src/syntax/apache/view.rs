//! A node of the tree as httpd reads it: name and raw arguments, with the way back to the
//! file.
//!
//! Reads only the node's own line. Cutting arguments into words is the caller's choice,
//! because it depends on the directive.

use std::borrow::Cow;
use std::ops::Range;

use super::head::head;
use super::line::Joined;
use crate::syntax::{NodeId, TokenKind, Tree};
use crate::text::Span;

/// The logical line of a node.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Logical<'t> {
    /// The name, unquoted and without `<`, `</` and `>`; names compare without case.
    pub name: Cow<'t, [u8]>,
    /// The raw arguments, continuations removed, trimmed; a section's end at its last `>`.
    pub args: Cow<'t, [u8]>,
    /// Where the name stands, without brackets (with its quotes, if any).
    pub name_span: Span,
    joined: Joined<'t>,
    args_start: usize,
}

impl Logical<'_> {
    /// Where bytes of the arguments stand in the file (as a [`super::Word`]'s range).
    pub fn span(&self, range: Range<usize>) -> Span {
        self.joined
            .span(self.args_start + range.start, self.args_start + range.end)
    }

    /// Where the arguments stand in the file.
    pub fn args_span(&self) -> Span {
        self.span(0..self.args.len())
    }

    /// The whole line, joined and trimmed: what httpd expands and cuts.
    pub fn line(&self) -> &[u8] {
        &self.joined.bytes
    }
}

/// Reads a node's own line. `text` is the text that `tree` was parsed from.
pub fn logical<'t>(text: &'t [u8], tree: &Tree, node: NodeId) -> Logical<'t> {
    let tokens = tree.head(node);
    let line = tokens.span();
    let cuts: Vec<Span> = tokens
        .filter(|token| token.kind == TokenKind::Continuation)
        .map(|token| token.span)
        .collect();
    let joined = Joined::new(text, line, &cuts);
    match joined.bytes {
        Cow::Borrowed(line) => {
            let head = head(line);
            let args = Cow::Borrowed(line.get(head.args.clone()).unwrap_or_default());
            build(joined, head.name, args, head.name_range, head.args.start)
        }
        Cow::Owned(ref line) => {
            let head = head(line);
            let args = Cow::Owned(line.get(head.args.clone()).unwrap_or_default().to_vec());
            let name = Cow::Owned(head.name.into_owned());
            let (range, at) = (head.name_range, head.args.start);
            build(joined, name, args, range, at)
        }
    }
}

fn build<'t>(
    joined: Joined<'t>,
    name: Cow<'t, [u8]>,
    args: Cow<'t, [u8]>,
    name_range: Range<usize>,
    args_start: usize,
) -> Logical<'t> {
    let name_span = joined.span(name_range.start, name_range.end);
    Logical {
        name,
        args,
        name_span,
        joined,
        args_start,
    }
}
