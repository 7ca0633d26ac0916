//! Debian's `envvars` as data: the variables that httpd's starter sets.
//!
//! Reads assignments, runs nothing. What only a shell can find out is left out, so that the
//! variable stays unknown.

use std::collections::BTreeMap;

/// The variables that a shell that reads `text` would have, as far as they can be told.
///
/// Understood: `NAME=value` and `export NAME=value` with quotes and with variables assigned
/// above, `: ${NAME:=default}`, `unset NAME`, comments. Of an `if`, the `else` branch
/// counts: in Debian's file that is the instance without a suffix.
pub fn environment(text: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut known = BTreeMap::new();
    let mut branches: Vec<bool> = Vec::new();
    for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        let keyword = line
            .split(|byte| byte.is_ascii_whitespace() || *byte == b';')
            .next();
        match keyword.unwrap_or_default() {
            b"if" | b"for" | b"while" | b"case" => branches.push(false),
            b"else" => {
                branches.pop();
                branches.push(true);
            }
            b"fi" | b"done" | b"esac" => {
                branches.pop();
            }
            _ if branches.iter().all(|taken| *taken) => statement(line, &mut known),
            _ => {}
        }
    }
    known
}

fn statement(line: &[u8], known: &mut BTreeMap<String, Vec<u8>>) {
    let line = line
        .strip_prefix(b"export ")
        .unwrap_or(line)
        .trim_ascii_start();
    if let Some(name) = line.strip_prefix(b"unset ") {
        known.remove(&*String::from_utf8_lossy(name.trim_ascii()));
        return;
    }
    if let Some(rest) = line.strip_prefix(b": ") {
        default_value(rest.trim_ascii(), known);
        return;
    }
    let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
        return;
    };
    let (name, value) = (line.get(..equals), line.get(equals + 1..));
    let (Some(name), Some(value)) = (name, value) else {
        return;
    };
    if !is_name(name) {
        return;
    }
    let name = String::from_utf8_lossy(name).into_owned();
    match decode(value, known) {
        Some(value) => known.insert(name, value),
        None => known.remove(&name),
    };
}

/// `${NAME:=value}`, perhaps in quotes.
fn default_value(text: &[u8], known: &mut BTreeMap<String, Vec<u8>>) {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let Some(inner) = text.strip_prefix(b"${") else {
        return;
    };
    let Some(end) = inner.iter().rposition(|byte| *byte == b'}') else {
        return;
    };
    let inner = inner.get(..end).unwrap_or_default();
    let Some(at) = inner.windows(2).position(|pair| pair == b":=") else {
        return;
    };
    let (name, value) = (inner.get(..at).unwrap_or_default(), inner.get(at + 2..));
    let name = String::from_utf8_lossy(name).into_owned();
    if known.contains_key(&name) {
        return;
    }
    if let Some(value) = decode(value.unwrap_or_default(), known) {
        known.insert(name, value);
    }
}

fn is_name(name: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(word)
}

/// A shell word's value; `None` where only a shell can tell.
fn decode(text: &[u8], known: &BTreeMap<String, Vec<u8>>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut quote: Option<u8> = None;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b' ' | b'\t' | b';', None) => break,
            (b'\\', None | Some(b'"')) => {
                value.push(*text.get(at)?);
                at += 1;
            }
            (b'`', None | Some(b'"')) => return None,
            (b'$', None | Some(b'"')) => {
                let (name, length) = reference(text.get(at..)?)?;
                at += length;
                // Unset is empty, as in a shell.
                value.extend(known.get(name).into_iter().flatten());
            }
            _ => value.push(byte),
        }
    }
    Some(value)
}

/// `NAME` or `{NAME}` behind a `$`, and its length.
fn reference(text: &[u8]) -> Option<(&str, usize)> {
    let braced = text.first() == Some(&b'{');
    let inner = text.get(usize::from(braced)..)?;
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = inner.iter().take_while(|byte| word(byte)).count();
    let name = std::str::from_utf8(inner.get(..length)?).ok()?;
    if length == 0 || (braced && inner.get(length) != Some(&b'}')) {
        return None;
    }
    Some((name, length + 2 * usize::from(braced)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_nothing_is_run() {
        let text = b"unset HOME\n# A=1\nif [ x ]; then\n\tSUFFIX=\"-x\"\nelse\n\tSUFFIX=\nfi\n\
            export APACHE_RUN_DIR=/var/run/apache2$SUFFIX\nexport A='b c' # d\nLANG=C\nexport LANG\n\
            B=\"${A}!\"\nC=$(date)\nD=`date`\n: ${E:=/etc}\n: \"${A:=z}\"\nF=a\\ b\n";
        let known = environment(text);
        let expected = [
            ("A", "b c"),
            ("APACHE_RUN_DIR", "/var/run/apache2"),
            ("B", "b c!"),
            ("E", "/etc"),
            ("F", "a b"),
            ("LANG", "C"),
            ("SUFFIX", ""),
        ];
        let expected: BTreeMap<String, Vec<u8>> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(known, expected);
    }
}
