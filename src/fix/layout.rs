//! Lines, indentation and line ends around an offset. Knows bytes only.

use crate::syntax::Tree;
use crate::text::Span;

/// The indentation of a block's content where the file shows none.
const UNIT: &[u8] = b"    ";

/// Offset of the first byte of the line that holds `at`.
pub(super) fn line_start(text: &[u8], at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or(text);
    before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |feed| feed as u32 + 1)
}

/// Offset behind the line feed of the line that holds `at`; `None` where the file ends
/// without one.
pub(super) fn next_line(text: &[u8], at: u32) -> Option<u32> {
    let rest = text.get(at as usize..)?;
    rest.iter()
        .position(|byte| *byte == b'\n')
        .map(|feed| at + feed as u32 + 1)
}

/// True where only space stands before `at` in its line.
pub(super) fn begins_line(text: &[u8], at: u32) -> bool {
    Span::new(line_start(text, at), at)
        .of(text)
        .iter()
        .all(|byte| is_blank(*byte))
}

/// The rest of the line behind `at`, without its line end and the space at its ends.
pub(super) fn rest_of_line(text: &[u8], at: u32) -> &[u8] {
    let end = next_line(text, at).unwrap_or(text.len() as u32);
    Span::new(at, end).of(text).trim_ascii()
}

/// The space that the line of `at` begins with.
pub(super) fn indent(text: &[u8], at: u32) -> &[u8] {
    let line = text
        .get(line_start(text, at) as usize..)
        .unwrap_or_default();
    let length = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    line.get(..length).unwrap_or_default()
}

/// The line end that lines around `at` have: its own, else the one before, else LF.
pub(super) fn line_end(text: &[u8], at: u32) -> &'static [u8] {
    let own = next_line(text, at);
    let start = line_start(text, at);
    let Some(behind) = own.or((start > 0).then_some(start)) else {
        return b"\n";
    };
    let line = text.get(..behind as usize).unwrap_or_default();
    if line.ends_with(b"\r\n") {
        b"\r\n"
    } else {
        b"\n"
    }
}

/// By how much the file indents the content of a block: the first block that shows it.
pub(super) fn unit<'text>(text: &'text [u8], tree: &Tree) -> &'text [u8] {
    let shown = tree.nodes.iter().find_map(|node| {
        let parent = tree.node(node.parent?);
        let (outer, inner) = (parent.span.start, node.span.start);
        if !begins_line(text, outer) || !begins_line(text, inner) {
            return None;
        }
        let deeper = indent(text, inner).strip_prefix(indent(text, outer))?;
        (!deeper.is_empty()).then_some(deeper)
    });
    shown.unwrap_or(UNIT)
}

/// The bytes to take away so that a statement leaves no trace: with its lines where it
/// stands alone on them, else with the space before it (or behind it, at a line's start).
pub(super) fn removal(text: &[u8], span: Span) -> Span {
    let first = begins_line(text, span.start);
    let alone = rest_of_line(text, span.end).is_empty();
    if first && alone {
        return whole_lines(text, span);
    }
    let blanks = |byte: &&u8| matches!(byte, b' ' | b'\t');
    if first {
        let behind = text.get(span.end as usize..).unwrap_or_default();
        let space = behind.iter().take_while(blanks).count() as u32;
        return Span::new(span.start, span.end + space);
    }
    let before = text.get(..span.start as usize).unwrap_or_default();
    let space = before.iter().rev().take_while(blanks).count() as u32;
    Span::new(span.start - space, span.end)
}

/// A last line without line feed takes the line end before it along, so that the file ends
/// without one as it did.
fn whole_lines(text: &[u8], span: Span) -> Span {
    let start = line_start(text, span.start);
    if let Some(end) = next_line(text, span.end) {
        return Span::new(start, end);
    }
    let before = text.get(..start as usize).unwrap_or_default();
    let feed = [b"\r\n".as_slice(), b"\n"]
        .into_iter()
        .find(|feed| before.ends_with(feed));
    Span::new(
        start - feed.map_or(0, |feed| feed.len() as u32),
        text.len() as u32,
    )
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, what: &str) -> String {
        let start = text.find(what).unwrap() as u32;
        let span = removal(text.as_bytes(), Span::new(start, start + what.len() as u32));
        format!(
            "{}{}",
            &text[..span.start as usize],
            &text[span.end as usize..]
        )
    }

    #[test]
    fn a_statement_leaves_no_trace() {
        assert_eq!(without("a;\n  b;\nc;\n", "b;"), "a;\nc;\n");
        assert_eq!(without("a;\r\n  b; \r\nc;\r\n", "b;"), "a;\r\nc;\r\n");
        assert_eq!(without("a;\n  b; # c\n", "b;"), "a;\n  # c\n");
        assert_eq!(without("a; b;\n", "b;"), "a;\n");
        assert_eq!(without("s { b; }", "b;"), "s { }");
        assert_eq!(without("b;\tc;", "b;"), "c;");
        assert_eq!(without("a;\n b\n c;", "b\n c;"), "a;");
        assert_eq!(without("a;\r\nb;", "b;"), "a;");
        assert_eq!(without("b;", "b;"), "");
    }

    #[test]
    fn line_ends_are_the_neighbours() {
        assert_eq!(line_end(b"a\r\nb\n", 0), b"\r\n");
        assert_eq!(line_end(b"a\r\nb\n", 3), b"\n");
        assert_eq!(line_end(b"a\r\nb", 3), b"\r\n");
        assert_eq!(line_end(b"a", 0), b"\n");
    }
}
