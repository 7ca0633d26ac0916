//! `${NAME}` in a line, as `ap_resolve_env` resolves it (httpd `server/core.c`).
//!
//! Knows nothing of where values come from: the caller looks them up.

use std::borrow::Cow;

/// A line after expansion.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Expanded<'a> {
    /// The line; borrowed where nothing was replaced.
    pub line: Cow<'a, [u8]>,
    /// Names that no value was found for; they stay as written. A name with `:` belongs to
    /// another syntax (RewriteMap) and is not listed.
    pub undefined: Vec<&'a [u8]>,
}

/// Finds a variable's value by its name.
pub type Lookup<'l, 'a> = &'l dyn Fn(&[u8]) -> Option<Cow<'a, [u8]>>;

/// Replaces every `${NAME}` of a whole logical line, before it is cut into words. Quotes
/// and backslashes do not protect; a value is not expanded again.
pub fn expand<'a>(line: &'a [u8], value: Lookup<'_, 'a>) -> Expanded<'a> {
    let mut undefined = Vec::new();
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
        out.extend_from_slice(&found);
        copied = end;
    }
    let Some(mut out) = out else {
        return Expanded {
            line: Cow::Borrowed(line),
            undefined,
        };
    };
    out.extend_from_slice(line.get(copied..).unwrap_or_default());
    Expanded {
        line: Cow::Owned(out),
        undefined,
    }
}

/// The next `${...}` at or behind `from`: its first byte and one past its `}`.
fn reference(line: &[u8], from: usize) -> Option<(usize, usize)> {
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
    fn whole_lines_are_expanded_once() {
        assert_eq!(run("x ${A} '${A}' \\${A}"), ("x 1 2 '1 2' \\1 2".into(), 0));
        assert_eq!(run("${R}$A$${A}"), ("${A}$A$1 2".into(), 0));
        assert_eq!(run("${B} ${m:k} ${A"), ("${B} ${m:k} ${A".into(), 1));
        assert_eq!(run("${A${A}"), ("${A${A}".into(), 1));
    }
}
