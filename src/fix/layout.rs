//! Lines, indentation and line ends around an offset. Knows bytes only.
//!
//! Lines are looked up and not searched for: a file may be one line, and it is asked once for
//! each statement.

use crate::syntax::Tree;
use crate::text::{LineIndex, Span};

/// The indentation of a block's content where the file shows none.
const UNIT: &[u8] = b"    ";

/// A text and where its lines begin.
#[derive(Copy, Clone)]
pub(super) struct Lined<'a> {
    /// The bytes.
    pub(super) text: &'a [u8],
    /// Their lines.
    pub(super) lines: &'a LineIndex,
}

impl<'a> Lined<'a> {
    /// Offset of the first byte of the line that holds `at`.
    pub(super) fn line_start(self, at: u32) -> u32 {
        at + 1 - self.lines.position(at).column
    }

    /// Offset behind the line feed of the line that holds `at`; `None` where the file ends
    /// without one.
    pub(super) fn next_line(self, at: u32) -> Option<u32> {
        let next = self.lines.span(self.lines.line(at) + 1)?;
        Some(next.start)
    }

    /// True where only space stands before `at` in its line.
    pub(super) fn begins_line(self, at: u32) -> bool {
        begins_line(self.text, at)
    }

    /// The rest of the line behind `at`, without its line end and the space at its ends.
    pub(super) fn rest_of_line(self, at: u32) -> &'a [u8] {
        let end = self.next_line(at).unwrap_or(self.text.len() as u32);
        Span::new(at.min(end), end).of(self.text).trim_ascii()
    }

    /// The space that the line of `at` begins with.
    pub(super) fn indent(self, at: u32) -> &'a [u8] {
        let line = self
            .text
            .get(self.line_start(at) as usize..)
            .unwrap_or_default();
        let length = line
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        line.get(..length).unwrap_or_default()
    }

    /// The line end that lines around `at` have: its own, else the one before, else LF.
    pub(super) fn line_end(self, at: u32) -> &'static [u8] {
        let start = self.line_start(at);
        let Some(behind) = self.next_line(at).or((start > 0).then_some(start)) else {
            return b"\n";
        };
        let line = self.text.get(..behind as usize).unwrap_or_default();
        if line.ends_with(b"\r\n") {
            b"\r\n"
        } else {
            b"\n"
        }
    }

    /// By how much the file indents the content of a block: the first block that shows it.
    pub(super) fn unit(self, tree: &Tree) -> &'a [u8] {
        let shown = tree.nodes.iter().find_map(|node| {
            let parent = tree.node(node.parent?);
            let (outer, inner) = (parent.span.start, node.span.start);
            if !self.begins_line(outer) || !self.begins_line(inner) {
                return None;
            }
            let deeper = self.indent(inner).strip_prefix(self.indent(outer))?;
            (!deeper.is_empty()).then_some(deeper)
        });
        shown.unwrap_or(UNIT)
    }

    /// The bytes to take away so that a statement leaves no trace: with its lines where it
    /// stands alone on them, else with the space before it (or behind it, at a line's start).
    pub(super) fn removal(self, span: Span) -> Span {
        let first = self.begins_line(span.start);
        let alone = self.rest_of_line(span.end).is_empty();
        if first && alone {
            return self.whole_lines(span);
        }
        let blanks = |byte: &&u8| matches!(byte, b' ' | b'\t');
        if first {
            let behind = self.text.get(span.end as usize..).unwrap_or_default();
            let space = behind.iter().take_while(blanks).count() as u32;
            return Span::new(span.start, span.end + space);
        }
        let before = self.text.get(..span.start as usize).unwrap_or_default();
        let space = before.iter().rev().take_while(blanks).count() as u32;
        Span::new(span.start - space, span.end)
    }

    /// A last line without line feed takes the line end before it along, so that the file ends
    /// without one as it did.
    fn whole_lines(self, span: Span) -> Span {
        let start = self.line_start(span.start);
        if let Some(end) = self.next_line(span.end) {
            return Span::new(start, end);
        }
        let before = self.text.get(..start as usize).unwrap_or_default();
        let feed = [b"\r\n".as_slice(), b"\n"]
            .into_iter()
            .find(|feed| before.ends_with(feed));
        Span::new(
            start - feed.map_or(0, |feed| feed.len() as u32),
            self.text.len() as u32,
        )
    }
}

/// True where only space stands before `at` in its line.
pub(super) fn begins_line(text: &[u8], at: u32) -> bool {
    let before = text.get(..at as usize).unwrap_or(text).iter();
    let last = before.rev().find(|byte| !is_blank(**byte));
    last.is_none_or(|byte| *byte == b'\n')
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, what: &str) -> String {
        let start = text.find(what).unwrap() as u32;
        let lines = LineIndex::new(text.as_bytes());
        let lined = Lined {
            text: text.as_bytes(),
            lines: &lines,
        };
        let span = lined.removal(Span::new(start, start + what.len() as u32));
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
        for (text, at, expected) in [
            (&b"a\r\nb\n"[..], 0, &b"\r\n"[..]),
            (b"a\r\nb\n", 3, b"\n"),
            (b"a\r\nb", 3, b"\r\n"),
            (b"a", 0, b"\n"),
        ] {
            let lines = LineIndex::new(text);
            let lined = Lined {
                text,
                lines: &lines,
            };
            assert_eq!(lined.line_end(at), expected, "{text:?} {at}");
        }
    }
}
