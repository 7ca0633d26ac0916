//! The tokens of one file.
//!
//! They tile it, so each is kept as what it is and where it ends: five bytes. A tree of a large
//! file is mostly tokens, and memory that is asked of the system for the first time costs more than
//! finding the token.

use crate::text::Span;

/// What a token is. Both servers share the enum; each lexer uses its part.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
#[repr(u8)]
pub enum TokenKind {
    /// Bytes between tokens that mean nothing (nginx: space, TAB, CR, LF; httpd: isspace
    /// without the line feed that ends a logical line).
    Space,
    /// httpd: backslash and line end that join two physical lines.
    Continuation,
    /// httpd: the line end of a logical line.
    Newline,
    /// A comment, without its line end.
    Comment,
    /// A word without quotes. nginx: a name or argument. httpd: a directive's name.
    Word,
    /// nginx: an argument (or name) in quotes, quotes included.
    Quoted,
    /// httpd: everything behind the name, raw; its words depend on the directive.
    Arguments,
    /// nginx: `;`.
    Semicolon,
    /// nginx: `{`. httpd: `<` or `</` of a section line.
    Open,
    /// nginx: `}`. httpd: the last `>` of a section line.
    Close,
    /// Bytes that another language owns: a Lua block's body; httpd's text after a
    /// section's `>`.
    Foreign,
    /// Bytes behind an error that were not read as anything.
    Invalid,
}

/// A piece of the file.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// Tokens that tile a file: each begins where the one before it ends.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    kinds: Vec<TokenKind>,
    ends: Vec<u32>,
}

impl Tokens {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// True for an empty file.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The token with this index.
    #[inline]
    pub fn get(&self, index: u32) -> Option<Token> {
        let kind = *self.kinds.get(index as usize)?;
        let end = *self.ends.get(index as usize)?;
        let span = Span::new(self.start(index), end);
        Some(Token { kind, span })
    }

    /// All of them.
    pub fn iter(&self) -> Run<'_> {
        self.run(0, self.len() as u32)
    }

    /// Those from the index `first` to before `last`.
    pub fn run(&self, first: u32, last: u32) -> Run<'_> {
        Run {
            tokens: self,
            next: first,
            last: last.min(self.len() as u32),
        }
    }

    /// Those that begin at `offset` or behind it.
    pub fn beginning_at(&self, offset: u32) -> Run<'_> {
        let before = match offset {
            0 => 0,
            _ => self.ends.partition_point(|end| *end < offset) + 1,
        };
        self.run(before as u32, self.len() as u32)
    }

    /// Where a token begins.
    #[inline]
    fn start(&self, index: u32) -> u32 {
        let before = (index as usize).checked_sub(1);
        before
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0)
    }

    /// Adds a token that goes from the last one to `end`.
    #[inline]
    pub(super) fn push(&mut self, kind: TokenKind, end: u32) {
        self.kinds.push(kind);
        self.ends.push(end);
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, count: usize) {
        self.kinds.reserve(count);
        self.ends.reserve(count);
    }

    /// Gives back room that nothing needed.
    pub(super) fn shrink_to_fit(&mut self) {
        self.kinds.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'tree> IntoIterator for &'tree Tokens {
    type Item = Token;
    type IntoIter = Run<'tree>;

    fn into_iter(self) -> Run<'tree> {
        self.iter()
    }
}

/// Tokens that follow each other.
#[derive(Clone, Debug)]
pub struct Run<'tree> {
    tokens: &'tree Tokens,
    next: u32,
    last: u32,
}

impl Run<'_> {
    /// The bytes that are left to go through; empty where there is no token.
    pub fn span(&self) -> Span {
        let start = self.tokens.start(self.next);
        let end = self.tokens.start(self.last);
        Span::new(start, end.max(start))
    }
}

impl Iterator for Run<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        if self.next >= self.last {
            return None;
        }
        let token = self.tokens.get(self.next)?;
        self.next += 1;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Tokens {
        let mut tokens = Tokens::default();
        for (kind, end) in [
            (TokenKind::Word, 4),
            (TokenKind::Space, 5),
            (TokenKind::Semicolon, 6),
        ] {
            tokens.push(kind, end);
        }
        tokens
    }

    #[test]
    fn a_token_begins_where_the_one_before_it_ends() {
        let tokens = three();
        let spans: Vec<Span> = tokens.iter().map(|token| token.span).collect();
        assert_eq!(spans, [Span::new(0, 4), Span::new(4, 5), Span::new(5, 6)]);
        assert_eq!(
            tokens.get(2).map(|token| token.kind),
            Some(TokenKind::Semicolon)
        );
        assert_eq!(tokens.get(3), None);
        assert_eq!(tokens.run(1, 3).span(), Span::new(4, 6));
        assert_eq!(tokens.run(1, 1).span(), Span::at(4));
        assert_eq!(tokens.run(1, 9).count(), 2);
    }

    #[test]
    fn tokens_from_an_offset_begin_there_or_behind_it() {
        let tokens = three();
        let starts = |offset| -> Vec<u32> {
            let run = tokens.beginning_at(offset);
            run.map(|token| token.span.start).collect()
        };
        assert_eq!(starts(0), [0, 4, 5]);
        assert_eq!(starts(1), [4, 5]);
        assert_eq!(starts(4), [4, 5]);
        assert_eq!(starts(5), [5]);
        assert!(starts(6).is_empty());
    }
}
