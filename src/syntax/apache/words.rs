//! Words of a line, as `ap_getword_conf` cuts them (httpd `server/util.c`).
//!
//! Which words a directive reads is the catalog's business, not this file's.

use std::borrow::Cow;
use std::ops::Range;

/// A word and where it stands.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Word<'a> {
    /// Its value: quotes removed, escapes resolved.
    pub value: Cow<'a, [u8]>,
    /// Its bytes in the raw text, quotes included.
    pub range: Range<usize>,
    /// The quote that opened it. An unterminated one runs to the end and is accepted.
    pub quote: Option<u8>,
    /// The quote that opened it was closed (true without quotes).
    pub terminated: bool,
}

/// What httpd takes as space between words: C's `isspace`.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The bytes without the space around them.
pub fn trim(raw: &[u8]) -> &[u8] {
    let start = raw
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(raw.len());
    let end = raw
        .iter()
        .rposition(|byte| !is_space(*byte))
        .map_or(start, |at| at + 1);
    raw.get(start..end).unwrap_or_default()
}

/// All words of raw arguments. An empty pair of quotes is a word with an empty value.
pub fn words(raw: &[u8]) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = word(raw, at) {
        at = next.range.end;
        found.push(next);
    }
    found
}

/// The first word at or behind `from`; `None` where only space is left.
pub fn word(raw: &[u8], from: usize) -> Option<Word<'_>> {
    let rest = raw.get(from..)?;
    let start = from + rest.iter().position(|byte| !is_space(*byte))?;
    let rest = raw.get(start..)?;
    match rest.first()? {
        quote @ (b'"' | b'\'') => Some(quoted(rest, start, *quote)),
        _ => Some(bare(rest, start)),
    }
}

/// What a directive that takes `On` or `Off` reads: the first word and nothing else.
/// `None` is neither, which httpd refuses.
pub fn flag(raw: &[u8]) -> Option<bool> {
    let first = word(raw, 0)?;
    if first.value.eq_ignore_ascii_case(b"on") {
        return Some(true);
    }
    first.value.eq_ignore_ascii_case(b"off").then_some(false)
}

/// What a byte does inside a word without quotes.
#[derive(Copy, Clone)]
enum Within {
    Plain,
    Space,
    Backslash,
}

const WITHIN: [Within; 256] = {
    let mut table = [Within::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        if is_space(byte as u8) {
            table[byte] = Within::Space;
        }
        byte += 1;
    }
    table[b'\\' as usize] = Within::Backslash;
    table
};

fn bare(rest: &[u8], start: usize) -> Word<'_> {
    let mut escaped = false;
    let mut length = 0;
    while let Some(byte) = rest.get(length) {
        match WITHIN[*byte as usize] {
            Within::Plain => {}
            Within::Space => break,
            Within::Backslash => escaped = true,
        }
        length += 1;
    }
    let raw = rest.get(..length).unwrap_or_default();
    Word {
        value: match escaped {
            true => unescape(raw, None),
            false => Cow::Borrowed(raw),
        },
        range: start..start + raw.len(),
        quote: None,
        terminated: true,
    }
}

fn quoted(rest: &[u8], start: usize, quote: u8) -> Word<'_> {
    let inner = rest.get(1..).unwrap_or_default();
    let (length, terminated) = quoted_length(inner, quote);
    let raw = inner.get(..length).unwrap_or_default();
    Word {
        value: unescape(raw, Some(quote)),
        range: start..start + 1 + length + usize::from(terminated),
        quote: Some(quote),
        terminated,
    }
}

/// Length of the bytes before the closing quote, and whether there is one. Inside quotes a
/// backslash protects only the same quote and a backslash.
fn quoted_length(inner: &[u8], quote: u8) -> (usize, bool) {
    let mut at = 0;
    while let Some(byte) = inner.get(at) {
        if *byte == quote {
            return (at, true);
        }
        let escapes = *byte == b'\\'
            && inner
                .get(at + 1)
                .is_some_and(|b| *b == quote || *b == b'\\');
        at += if escapes { 2 } else { 1 };
    }
    (inner.len(), false)
}

/// `\\` becomes `\`, and inside quotes an escaped quote itself; other escapes stay.
fn unescape(raw: &[u8], quote: Option<u8>) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        let next = raw.get(at + 1).copied();
        let escapes = *byte == b'\\' && (next == Some(b'\\') || (quote.is_some() && next == quote));
        value.push(if escapes {
            next.unwrap_or(*byte)
        } else {
            *byte
        });
        at += if escapes { 2 } else { 1 };
    }
    Cow::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(raw: &str) -> Vec<String> {
        words(raw.as_bytes())
            .iter()
            .map(|word| String::from_utf8_lossy(&word.value).into_owned())
            .collect()
    }

    #[test]
    fn words_follow_the_servers_escapes() {
        assert_eq!(values(r#"a "b c" 'd "e' f"#), ["a", "b c", "d \"e", "f"]);
        assert_eq!(
            values(r#""a\"b\\c\d" x\\y x\"y"#),
            [r#"a"b\c\d"#, r"x\y", r#"x\"y"#]
        );
        assert_eq!(values(r#""a"b"#), ["a", "b"]);
        assert_eq!(values(r#"a"b c""#), ["a\"b", "c\""]);
        assert_eq!(values(r#"x """#), ["x", ""]);
        assert_eq!(values("\"open to the end "), ["open to the end "]);
        assert_eq!(values("a\x0bb\x0cc"), ["a", "b", "c"]);
    }

    #[test]
    fn ranges_cover_the_quotes() {
        let raw = br#" "a b"  'c"#;
        let found = words(raw);
        assert_eq!(found[0].range, 1..6);
        assert_eq!(found[1].range, 8..10);
        assert!(found[0].terminated && !found[1].terminated);
    }

    #[test]
    fn a_flag_reads_one_word() {
        assert_eq!(flag(b"off # comment"), Some(false));
        assert_eq!(flag(b"\"ON\" bogus"), Some(true));
        assert_eq!(flag(b"yes"), None);
        assert_eq!(flag(b""), None);
    }
}
