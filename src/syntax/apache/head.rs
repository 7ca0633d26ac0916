//! What a logical line is: a directive, or a section's opening or closing line.
//!
//! Works on a joined and trimmed line, raw or expanded, so that the parser and the expander
//! judge alike (httpd `server/config.c`, `ap_build_config_sub`). It must not know names.

use std::borrow::Cow;
use std::ops::Range;

use super::words::{Word, is_space, word};

/// The kinds of a logical line.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum HeadKind {
    /// Nothing: empty, or a first word of two quotes, which httpd skips.
    Empty,
    /// `#` is its first byte.
    Comment,
    /// `Name args`.
    Directive,
    /// `<Name args>`.
    Open,
    /// `</Name>`.
    Close,
}

/// A logical line, taken apart.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Head<'a> {
    /// What it is.
    pub kind: HeadKind,
    /// The name as httpd compares it: unquoted, without `<`, `</` and `>`.
    pub name: Cow<'a, [u8]>,
    /// The first word's bytes in the line, quotes and brackets included.
    pub word: Range<usize>,
    /// The bytes of the name in the line, without brackets (the whole word where quoted).
    pub name_range: Range<usize>,
    /// The arguments' bytes in the line: for a section's opening line, up to its last `>`.
    pub args: Range<usize>,
    /// The `>` that ends the opening or closing line's mark. `None` for a section is an
    /// error, except for an opening line of one word, which httpd completes.
    pub bracket: Option<usize>,
    /// Everything behind the first word, trimmed: what httpd hands to the directive.
    pub rest: Range<usize>,
}

impl Head<'_> {
    /// True for a section's line that lacks its `>`.
    pub fn lacks_bracket(&self) -> bool {
        match self.kind {
            HeadKind::Open => self.bracket.is_none() && !self.rest.is_empty(),
            HeadKind::Close => self.bracket.is_none(),
            _ => false,
        }
    }
}

/// Takes a joined, trimmed line apart.
pub fn head(line: &[u8]) -> Head<'_> {
    if line.first() == Some(&b'#') {
        return plain(HeadKind::Comment, line);
    }
    expanded_head(line)
}

/// The same for a line whose variables are replaced: comments were dropped before, so that
/// a `#` from a value is a name.
pub fn expanded_head(line: &[u8]) -> Head<'_> {
    let Some(first) = word(line, 0).filter(|first| !first.value.is_empty()) else {
        return plain(HeadKind::Empty, line);
    };
    let rest = first.range.end + spaces(line.get(first.range.end..).unwrap_or_default());
    let rest = rest..line.len().max(rest);
    match (first.value.first(), first.value.get(1)) {
        (Some(b'<'), Some(b'/')) => closing(first, rest),
        (Some(b'<'), _) => opening(line, first, rest),
        (_, Some(b'/')) => directive(first, rest, false),
        _ => directive(first, rest, true),
    }
}

fn plain<'a>(kind: HeadKind, line: &[u8]) -> Head<'a> {
    let end = line.len();
    Head {
        kind,
        name: Cow::Borrowed(&[]),
        word: 0..0,
        name_range: 0..0,
        args: end..end,
        bracket: None,
        rest: end..end,
    }
}

/// httpd drops a `>` at the end of any first word whose second byte is not `/`.
fn directive(first: Word<'_>, rest: Range<usize>, cuts: bool) -> Head<'_> {
    let ends = cuts && first.value.last() == Some(&b'>');
    Head {
        kind: HeadKind::Directive,
        name: middle(first.value, 0, usize::from(ends)),
        word: first.range.clone(),
        name_range: first.range,
        args: rest.clone(),
        bracket: None,
        rest,
    }
}

fn closing(first: Word<'_>, rest: Range<usize>) -> Head<'_> {
    let ends = first.value.last() == Some(&b'>');
    let bare = first.quote.is_none();
    let end = first.range.end - usize::from(ends && bare);
    Head {
        kind: HeadKind::Close,
        name: middle(first.value, 2, usize::from(ends)),
        name_range: if bare {
            first.range.start + 2..end
        } else {
            first.range.clone()
        },
        bracket: ends.then_some(end),
        word: first.range,
        args: rest.clone(),
        rest,
    }
}

fn opening<'a>(line: &'a [u8], first: Word<'a>, rest: Range<usize>) -> Head<'a> {
    let ends = first.value.last() == Some(&b'>');
    let bare = first.quote.is_none();
    let name_start = first.range.start + usize::from(bare);
    let alone = rest.is_empty();
    let name_end = first.range.end - usize::from(ends && bare && alone && first.value.len() > 1);
    let in_word = (ends && alone).then_some(name_end);
    let in_rest = line
        .get(rest.clone())
        .unwrap_or_default()
        .iter()
        .rposition(|b| *b == b'>');
    let bracket = in_word.or(in_rest.map(|at| rest.start + at));
    let args_end = if alone {
        rest.end
    } else {
        bracket.unwrap_or(rest.end)
    };
    Head {
        kind: HeadKind::Open,
        name: middle(first.value, 1, usize::from(ends)),
        name_range: name_start..name_end.max(name_start),
        word: first.range,
        args: trimmed_end(line, rest.start..args_end),
        bracket,
        rest,
    }
}

fn middle(value: Cow<'_, [u8]>, left: usize, right: usize) -> Cow<'_, [u8]> {
    let end = value.len().saturating_sub(right).max(left);
    match value {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(left..end).unwrap_or_default()),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(left..end).unwrap_or_default().to_vec()),
    }
}

fn spaces(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(bytes.len())
}

fn trimmed_end(line: &[u8], range: Range<usize>) -> Range<usize> {
    let bytes = line.get(range.clone()).unwrap_or_default();
    let length = bytes
        .iter()
        .rposition(|byte| !is_space(*byte))
        .map_or(0, |at| at + 1);
    range.start..range.start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> (HeadKind, String, String, Option<usize>) {
        let head = head(line.as_bytes());
        let name = String::from_utf8_lossy(&head.name).into_owned();
        (
            head.kind,
            name,
            line[head.args.clone()].to_owned(),
            head.bracket,
        )
    }

    #[test]
    fn lines_are_taken_apart_as_httpd_does() {
        let directive = HeadKind::Directive;
        assert_eq!(
            show("Listen 80"),
            (directive, "Listen".into(), "80".into(), None)
        );
        assert_eq!(
            show("\"Listen\" 80"),
            (directive, "Listen".into(), "80".into(), None)
        );
        assert_eq!(
            show("Listen> 80"),
            (directive, "Listen".into(), "80".into(), None)
        );
        let open = HeadKind::Open;
        assert_eq!(show("<A b > c"), (open, "A".into(), "b".into(), Some(5)));
        assert_eq!(
            show("<A b> # -> c"),
            (open, "A".into(), "b> # -".into(), Some(9))
        );
        assert_eq!(show("<A>"), (open, "A".into(), "".into(), Some(2)));
        assert_eq!(show("<A"), (open, "A".into(), "".into(), None));
        assert_eq!(show("<A b"), (open, "A".into(), "b".into(), None));
        let close = HeadKind::Close;
        assert_eq!(show("</A> b"), (close, "A".into(), "b".into(), Some(3)));
        assert_eq!(show("</A >"), (close, "A".into(), ">".into(), None));
        assert_eq!(show("\"\" x").0, HeadKind::Empty);
        assert_eq!(show("# x").0, HeadKind::Comment);
    }
}
