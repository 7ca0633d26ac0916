//! nginx: words of a statement, and how a value is spelled so that nginx reads it back.
//!
//! Must not know what a directive means.

use crate::fix::arguments::{Statement, Word};
use crate::fix::spell;
use crate::syntax::nginx::words;
use crate::syntax::{NodeId, Tree};

/// The words of a statement of the tree; `None` for a block without a name.
pub(super) fn statement<'text>(
    text: &'text [u8],
    tree: &Tree,
    node: NodeId,
) -> Option<Statement<'text>> {
    let mut found = words(text, tree, node).map(|word| Word {
        span: word.span,
        quote: word
            .quoted
            .then(|| word.span.of(text).first().copied())
            .flatten(),
        open: false,
        read: None,
        value: word.value.into_owned(),
    });
    let name = found.next()?.span;
    Some(Statement {
        text,
        name,
        arguments: found.collect(),
        spell,
    })
}

/// A whole statement.
pub(super) fn line(words: &[String]) -> Option<Vec<u8>> {
    let mut line = spell::words(words, spell)?;
    line.push(b';');
    Some(line)
}

/// Spells a value. Every backslash is doubled, which nginx undoes in all spellings alike.
fn spell(value: &[u8], quote: Option<u8>) -> Option<Vec<u8>> {
    Some(spell::quoted(value, quote, needs_quotes))
}

/// Generous: quotes that are not needed do no harm.
fn needs_quotes(value: &[u8]) -> bool {
    let special = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}' | b'\\' | b'#' | b'"' | b'\''
        )
    };
    value.is_empty() || value.iter().any(special)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::nginx::{Options, parse};

    #[test]
    fn every_value_reads_back_in_every_spelling() {
        let values: [&[u8]; 9] = [
            b"off",
            b"",
            b"a b",
            b"a;b",
            b"\\n",
            b"\\",
            b"\"'",
            b"a\nb\t",
            b"#${x}\xe9",
        ];
        for value in values {
            for quote in [None, Some(b'"'), Some(b'\'')] {
                let text = [b"n ".as_slice(), &spell(value, quote).unwrap(), b";"].concat();
                let tree = parse(&text, &Options::default());
                assert!(tree.errors.is_empty(), "{}", text.escape_ascii());
                let read = statement(&text, &tree, NodeId(0)).unwrap();
                assert_eq!(read.arguments.len(), 1, "{}", text.escape_ascii());
                assert_eq!(read.arguments[0].value, value, "{}", text.escape_ascii());
            }
        }
    }
}
