//! The words of a statement, as nginx stores them.
//!
//! Reads tokens, not text: a word's place and its decoded bytes. It must not interpret them.

use std::borrow::Cow;

use crate::syntax::{NodeId, Token, TokenKind, Tree};
use crate::text::Span;

/// A name or argument.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Word<'text> {
    /// Where it stands, quotes included.
    pub span: Span,
    /// Its bytes as nginx stores them: without quotes, escapes resolved. May hold NUL, where
    /// most of nginx stops comparing.
    pub value: Cow<'text, [u8]>,
    /// It stood in quotes.
    pub quoted: bool,
}

/// The words of a statement: its name, then its arguments. Comments between them are left
/// out, and so is a quoted word that the end of the file cut.
pub fn words<'a>(text: &'a [u8], tree: &'a Tree, node: NodeId) -> impl Iterator<Item = Word<'a>> {
    tree.head(node).filter_map(|token| word(text, token))
}

/// The name of a statement; `None` for a block that an error left without one.
pub fn name<'a>(text: &'a [u8], tree: &'a Tree, node: NodeId) -> Option<Word<'a>> {
    words(text, tree, node).next()
}

/// The words behind the name.
pub fn args<'a>(text: &'a [u8], tree: &'a Tree, node: NodeId) -> impl Iterator<Item = Word<'a>> {
    words(text, tree, node).skip(1)
}

fn word(text: &[u8], token: Token) -> Option<Word<'_>> {
    let raw = token.span.of(text);
    match token.kind {
        TokenKind::Word => Some(Word {
            span: token.span,
            value: decode(raw),
            quoted: false,
        }),
        TokenKind::Quoted => {
            let inside = raw.get(1..raw.len() - 1).unwrap_or_default();
            Some(Word {
                span: token.span,
                value: decode(inside),
                quoted: true,
            })
        }
        _ => None,
    }
}

/// Resolves escapes: `\"`, `\'` and `\\` lose the backslash, `\t`, `\r` and `\n` become
/// control bytes, any other pair stays as it is. The same within quotes and without.
pub fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = raw.iter().position(|byte| *byte == b'\\') else {
        return Cow::Borrowed(raw);
    };
    let (plain, mut rest) = raw.split_at(first);
    let mut value = Vec::with_capacity(raw.len());
    value.extend_from_slice(plain);
    loop {
        match rest {
            [] => return Cow::Owned(value),
            [b'\\', byte @ (b'"' | b'\'' | b'\\'), behind @ ..] => {
                value.push(*byte);
                rest = behind;
            }
            [b'\\', b't', behind @ ..] => {
                value.push(b'\t');
                rest = behind;
            }
            [b'\\', b'r', behind @ ..] => {
                value.push(b'\r');
                rest = behind;
            }
            [b'\\', b'n', behind @ ..] => {
                value.push(b'\n');
                rest = behind;
            }
            [byte, behind @ ..] => {
                value.push(*byte);
                rest = behind;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_resolve_as_nginx_stores_them() {
        for (raw, value) in [
            (r"a\;b", r"a\;b".as_bytes()),
            (r"a\{b", br"a\{b"),
            (r"a\ b", br"a\ b"),
            (r"a\.b", br"a\.b"),
            (r#"a\"b"#, b"a\"b"),
            (r"a\'b", b"a'b"),
            (r"a\\b", br"a\b"),
            (r"a\\\b", br"a\\b"),
            (r"\t\r\n", b"\t\r\n"),
            (r"\\t", br"\t"),
            ("a\\", b"a\\"),
        ] {
            assert_eq!(decode(raw.as_bytes()).as_ref(), value, "{raw}");
        }
    }
}
