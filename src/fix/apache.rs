//! httpd: words of a statement, and how a value is spelled so that httpd reads it back.
//!
//! Must not know what a directive means; that a flag reads one word is the catalog's fact.

use crate::catalog::{self, Arity};
use crate::fix::arguments::{Statement, Word};
use crate::fix::spell;
use crate::syntax::apache::{logical, words};
use crate::syntax::{NodeId, Tree};
use crate::text::Span;

/// The words of a statement of the tree; `None` for a line without a name.
pub(super) fn statement<'text>(
    text: &'text [u8],
    tree: &Tree,
    node: NodeId,
) -> Option<Statement<'text>> {
    let logical = logical(text, tree, node);
    if logical.name.is_empty() {
        return None;
    }
    let flag = catalog::apache(&logical.name).is_some_and(|row| row.arity == Arity::Flag);
    let read = if flag { 1 } else { usize::MAX };
    let found = words(&logical.args)
        .into_iter()
        .take(read)
        .map(|word| Word {
            span: logical.span(word.range),
            quote: word.quote.filter(|_| word.terminated),
            open: !word.terminated,
            read: None,
            value: word.value.into_owned(),
        });
    let arguments = found.collect();
    let name = Span::new(logical.name_span.start, logical.name_span.end);
    Some(Statement {
        text,
        name,
        arguments,
        spell,
    })
}

/// A whole line without its line end.
pub(super) fn line(words: &[String]) -> Option<Vec<u8>> {
    spell::words(words, spell)
}

/// Spells a value. A line end cannot be spelled, nor `${`, which no quote protects.
fn spell(value: &[u8], quote: Option<u8>) -> Option<Vec<u8>> {
    let expands = value.windows(2).any(|pair| pair == b"${");
    if expands || value.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return None;
    }
    Some(spell::quoted(value, quote, needs_quotes))
}

fn needs_quotes(value: &[u8]) -> bool {
    let special = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, 0x0b | b'\\' | b'"' | b'\'' | b'>')
    };
    value.is_empty() || value.starts_with(b"#") || value.iter().any(special)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::apache::parse;

    fn read(text: &[u8]) -> Vec<Vec<u8>> {
        let tree = parse(text);
        let statement = statement(text, &tree, NodeId(0)).unwrap();
        statement
            .arguments
            .into_iter()
            .map(|word| word.value)
            .collect()
    }

    #[test]
    fn every_value_reads_back_in_every_spelling() {
        let values: [&[u8]; 8] = [
            b"off", b"", b"a b", b"\\", b"\\\\x", b"\"'", b"a\tb", b"#\xe9",
        ];
        for value in values {
            for quote in [None, Some(b'"'), Some(b'\'')] {
                let text = [b"N ".as_slice(), &spell(value, quote).unwrap(), b"\n"].concat();
                assert_eq!(read(&text), [value], "{}", text.escape_ascii());
            }
        }
        assert_eq!(spell(b"${x}", None), None);
        assert_eq!(spell(b"a\nb", None), None);
    }

    #[test]
    fn a_flag_has_one_argument_whatever_follows() {
        assert_eq!(read(b"SSLSessionTickets on # why\n"), [b"on"]);
        assert_eq!(
            read(b"SSLProtocol all -SSLv3\n"),
            [b"all".as_slice(), b"-SSLv3"]
        );
    }
}
