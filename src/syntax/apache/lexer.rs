//! Logical lines to tokens that tile the text.
//!
//! Says where the pieces of a line stand; what follows from them is the parser's business.

use std::borrow::Cow;

use super::head::{Head, HeadKind, head};
use super::line::{Joined, Line};
use crate::syntax::{TokenKind, Tokens};
use crate::text::Span;

/// Appends the tokens of a line and returns what the line is, with the indices of the
/// tokens from its name to its last byte. `joined` is the line itself.
pub(super) fn tokenize<'j>(line: &Line, joined: &'j Joined<'_>, tokens: &mut Tokens) -> Lexed<'j> {
    let trimmed = joined.trimmed();
    let bytes = joined.bytes.get(trimmed.clone()).unwrap_or_default();
    let head = head(bytes);
    let mut out = Out {
        joined,
        whole: joined.is_whole(),
        tokens,
        done: 0,
        offset: line.span.start,
    };

    out.push(TokenKind::Space, trimmed.start);
    out.cut_before(trimmed.start);
    let first = out.tokens.len();
    let start = trimmed.start;
    match head.kind {
        HeadKind::Comment => out.whole(TokenKind::Comment, joined.bytes.len()),
        HeadKind::Empty => out.push(TokenKind::Invalid, trimmed.end),
        HeadKind::Directive => directive(&mut out, &head, start),
        HeadKind::Open => opening(&mut out, &head, start),
        HeadKind::Close => closing(&mut out, &head, start),
    }
    out.push(TokenKind::Invalid, trimmed.end);
    let last = out.tokens.len();
    let span = joined.span(trimmed.start, trimmed.end);
    out.push(TokenKind::Space, joined.bytes.len());
    out.finish(line);

    Lexed {
        kind: head.kind,
        lacks_bracket: head.lacks_bracket(),
        trailing: !head.rest.is_empty(),
        name: head.name,
        length: joined.bytes.len(),
        span,
        first: first as u32,
        last: last as u32,
    }
}

/// What the parser needs to know of a line.
pub(super) struct Lexed<'j> {
    pub(super) kind: HeadKind,
    /// The name, unquoted, without brackets.
    pub(super) name: Cow<'j, [u8]>,
    pub(super) lacks_bracket: bool,
    /// Something stands behind the first word.
    pub(super) trailing: bool,
    /// Joined length in bytes, without the line end.
    pub(super) length: usize,
    /// From the line's first to its last byte that is no space.
    pub(super) span: Span,
    pub(super) first: u32,
    pub(super) last: u32,
}

fn directive(out: &mut Out<'_, '_>, head: &Head<'_>, start: usize) {
    out.push(TokenKind::Word, start + head.word.end);
    out.push(TokenKind::Space, start + head.args.start);
    out.push(TokenKind::Arguments, start + head.args.end);
}

fn opening(out: &mut Out<'_, '_>, head: &Head<'_>, start: usize) {
    out.push(TokenKind::Open, start + head.name_range.start);
    out.push(TokenKind::Word, start + head.name_range.end);
    if head.rest.is_empty() {
        out.push(TokenKind::Close, start + head.word.end);
        return;
    }
    out.push(TokenKind::Space, start + head.args.start);
    out.push(TokenKind::Arguments, start + head.args.end);
    let Some(bracket) = head.bracket else {
        return;
    };
    out.push(TokenKind::Space, start + bracket);
    out.push(TokenKind::Close, start + bracket + 1);
    out.push(TokenKind::Foreign, start + head.rest.end);
}

fn closing(out: &mut Out<'_, '_>, head: &Head<'_>, start: usize) {
    out.push(TokenKind::Open, start + head.name_range.start);
    out.push(TokenKind::Word, start + head.name_range.end);
    out.push(TokenKind::Close, start + head.word.end);
    out.push(TokenKind::Space, start + head.rest.start);
    out.push(TokenKind::Foreign, start + head.rest.end);
}

/// Emits tokens in joined positions; continuations become tokens of their own where they
/// stand.
struct Out<'a, 't> {
    joined: &'a Joined<'t>,
    /// Nothing was cut out of the line, as of nearly every line.
    whole: bool,
    tokens: &'a mut Tokens,
    /// Joined bytes already in tokens.
    done: usize,
    /// The text's offset up to which tokens tile.
    offset: u32,
}

impl Out<'_, '_> {
    /// A token up to the joined position `end`, split at continuations.
    #[inline]
    fn push(&mut self, kind: TokenKind, end: usize) {
        if !self.whole {
            return self.push_around(kind, end);
        }
        if self.done < end {
            self.token(kind, self.offset + (end - self.done) as u32);
            self.done = end;
        }
    }

    /// The same in a line with continuations.
    fn push_around(&mut self, kind: TokenKind, end: usize) {
        while self.done < end {
            self.cut_before(self.done);
            let stretch = self.joined.stretch_end(self.done).min(end);
            let stop = self.offset + (stretch - self.done) as u32;
            self.token(kind, stop);
            self.done = stretch;
        }
    }

    /// A token up to the joined position `end` that covers its continuations.
    fn whole(&mut self, kind: TokenKind, end: usize) {
        if self.done < end {
            let stop = self.joined.offset(end - 1) + 1;
            self.token(kind, stop);
            self.done = end;
        }
    }

    /// The continuation that ends right before a joined position, if it is still open.
    fn cut_before(&mut self, position: usize) {
        if self.whole {
            return;
        }
        let offset = self.joined.offset(position);
        if offset > self.offset {
            self.token(TokenKind::Continuation, offset);
        }
    }

    /// What is left of the line: a last continuation, bytes behind a NUL, the line end.
    fn finish(&mut self, line: &Line) {
        if self.offset < line.content.end {
            self.token(TokenKind::Continuation, line.content.end);
        }
        if line.nul {
            let line_feed = u32::from(line.line_feed);
            self.token(TokenKind::Invalid, line.span.end - line_feed);
        }
        if self.offset < line.span.end {
            self.token(TokenKind::Newline, line.span.end);
        }
    }

    fn token(&mut self, kind: TokenKind, end: u32) {
        self.tokens.push(kind, end);
        self.offset = end;
    }
}
