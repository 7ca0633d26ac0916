//! `${NAME}` in a line, as `ap_resolve_env` resolves it (httpd `server/core.c`).
//!
//! Knows nothing of where values come from: the caller looks them up.

use std::borrow::Cow;
use std::ops::Range;

/// A line after expansion.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Expanded<'a> {
    /// The line; borrowed where nothing was replaced.
    pub line: Cow<'a, [u8]>,
    /// Names that no value was found for; they stay as written. A name with `:` belongs to
    /// another syntax (RewriteMap) and is not listed.
    pub undefined: Vec<&'a [u8]>,
    /// What was replaced, in order: the value's place in `line`, the reference's in the
    /// original.
    pub replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Expanded<'_> {
    /// The bytes of the original that bytes of `line` come from: the same ones where
    /// nothing was replaced, a whole reference where a part of its value is meant.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        if self.replaced.is_empty() {
            return range.start..range.end.max(range.start);
        }
        let behind = self
            .replaced
            .partition_point(|(new, _)| new.end <= range.start);
        let start = match self.replaced.get(behind) {
            Some((new, old)) if new.start <= range.start && !new.is_empty() => old.start,
            _ => self.shifted(behind, range.start),
        };
        let touched = self
            .replaced
            .partition_point(|(new, _)| new.start < range.end);
        let end = match touched
            .checked_sub(1)
            .and_then(|last| self.replaced.get(last))
        {
            Some((new, old)) if new.end >= range.end && !new.is_empty() => old.end,
            _ => self.shifted(touched, range.end),
        };
        start..end.max(start)
    }

    /// A position behind `count` replacements.
    fn shifted(&self, count: usize, position: usize) -> usize {
        match count
            .checked_sub(1)
            .and_then(|last| self.replaced.get(last))
        {
            Some((new, old)) => old.end + (position - new.end.min(position)),
            None => position,
        }
    }
}

/// Finds a variable's value by its name.
pub type Lookup<'l, 'a> = &'l dyn Fn(&[u8]) -> Option<Cow<'a, [u8]>>;

/// Replaces every `${NAME}` of a whole logical line, before it is cut into words. Quotes
/// and backslashes do not protect; a value is not expanded again.
pub fn expand<'a>(line: &'a [u8], value: Lookup<'_, 'a>) -> Expanded<'a> {
    let mut undefined = Vec::new();
    let mut replaced = Vec::new();
    let mut out: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some((start, end)) = reference(line, at) {
        let name = line.get(start + 2..end - 1).unwrap_or_default();
        at = end;
        let Some(found) = value(name) else {
            if !name.contains(&b':') {
                undefined.push(name);
            }
            continue;
        };
        let out = out.get_or_insert_with(|| Vec::with_capacity(line.len() + found.len()));
        out.extend_from_slice(line.get(copied..start).unwrap_or_default());
        let new = out.len()..out.len() + found.len();
        out.extend_from_slice(&found);
        replaced.push((new, start..end));
        copied = end;
    }
    let Some(mut out) = out else {
        return Expanded {
            line: Cow::Borrowed(line),
            undefined,
            replaced,
        };
    };
    out.extend_from_slice(line.get(copied..).unwrap_or_default());
    Expanded {
        line: Cow::Owned(out),
        undefined,
        replaced,
    }
}

/// The next `${...}` at or behind `from`: its first byte and one past its `}`.
fn reference(line: &[u8], from: usize) -> Option<(usize, usize)> {
    let from = from + memchr::memchr(b'$', line.get(from..)?)?;
    let rest = line.get(from..)?;
    let start = from + rest.windows(2).position(|pair| pair == b"${")?;
    let end = line
        .get(start + 2..)?
        .iter()
        .position(|byte| *byte == b'}')?;
    Some((start, start + 2 + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> (String, usize) {
        let value = |name: &[u8]| match name {
            b"A" => Some(Cow::Borrowed(&b"1 2"[..])),
            b"R" => Some(Cow::Borrowed(&b"${A}"[..])),
            _ => None,
        };
        let expanded = expand(line.as_bytes(), &value);
        (
            String::from_utf8_lossy(&expanded.line).into_owned(),
            expanded.undefined.len(),
        )
    }

    #[test]
    fn bytes_know_where_they_come_from() {
        let line = b"a ${A} b${A}c d";
        let expanded = expand(line, &|_| Some(Cow::Borrowed(&b"1 2"[..])));
        assert_eq!(&*expanded.line, b"a 1 2 b1 2c d");
        for (range, origin) in [
            (0..1, "a"),
            (2..3, "${A}"),
            (4..5, "${A}"),
            (6..8, "b${A}"),
            (9..11, "${A}c"),
            (12..13, "d"),
        ] {
            assert_eq!(&line[expanded.origin(range)], origin.as_bytes());
        }
    }

    #[test]
    fn whole_lines_are_expanded_once() {
        assert_eq!(run("x ${A} '${A}' \\${A}"), ("x 1 2 '1 2' \\1 2".into(), 0));
        assert_eq!(run("${R}$A$${A}"), ("${A}$A$1 2".into(), 0));
        assert_eq!(run("${B} ${m:k} ${A"), ("${B} ${m:k} ${A".into(), 1));
        assert_eq!(run("${A${A}"), ("${A${A}".into(), 1));
    }
}
