//! File name patterns as the C library matches them, over bytes, and their expansion.
//!
//! `fnmatch(3)` and `glob(3)` in the C locale: nginx calls `glob` with no flags; httpd
//! matches each component with a leading period protected. There are no braces and no `**`.

use std::path::{Path, PathBuf};

use super::files::{FileKind, ReadError};
use super::folders::{Folders, Named};
use super::path;

/// True where nginx (and httpd) take a name as a pattern.
pub(super) fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Matches one path component. A leading period is matched by a period only.
pub(super) fn component_matches(pattern: &[u8], name: &[u8]) -> bool {
    let literal_period = pattern.starts_with(b".") || pattern.starts_with(b"\\.");
    if name.starts_with(b".") && !literal_period {
        return false;
    }
    wildcard_matches(pattern, name)
}

/// What every name that a component matches begins with.
pub(super) fn beginning(pattern: &[u8]) -> &[u8] {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    let first = pattern.iter().position(special);
    &pattern[..first.unwrap_or(pattern.len())]
}

/// Backtracks to the last `*` only, so the time is bounded by the product of the lengths.
pub(super) fn wildcard_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while next < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, next));
            at += 1;
            continue;
        }
        if let Some(length) = single_matches(&pattern[at..], name[next]) {
            at += length;
            next += 1;
            continue;
        }
        let Some((behind_star, taken)) = star else {
            return false;
        };
        star = Some((behind_star, taken + 1));
        (at, next) = (behind_star, taken + 1);
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Matches one byte with the head of a pattern; gives the head's length.
fn single_matches(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', inside @ ..] => match Class::parse(inside) {
            Some(class) => class.contains(byte).then_some(class.length + 1),
            // Without its `]`, a bracket is a byte like any other.
            None => (byte == b'[').then_some(1),
        },
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        // With nothing behind it, a backslash matches nothing.
        [b'\\'] => None,
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// A bracket expression, read without its opening bracket.
struct Class<'pattern> {
    negated: bool,
    members: &'pattern [u8],
    /// Bytes up to and with `]`.
    length: usize,
}

impl<'pattern> Class<'pattern> {
    fn parse(inside: &'pattern [u8]) -> Option<Self> {
        let negated = matches!(inside.first(), Some(b'!' | b'^'));
        let start = usize::from(negated);
        let mut at = start;
        loop {
            match inside.get(at)? {
                // First, it is a member.
                b']' if at > start => break,
                b'\\' => at += 2,
                b'[' if matches!(inside.get(at + 1), Some(b':')) => {
                    at = named_end(inside, at).unwrap_or(at + 1);
                }
                _ => at += 1,
            }
        }
        Some(Self {
            negated,
            members: &inside[start..at],
            length: at + 1,
        })
    }

    fn contains(&self, byte: u8) -> bool {
        self.has_member(byte) != self.negated
    }

    fn has_member(&self, byte: u8) -> bool {
        let mut rest = self.members;
        while let Some((low, behind)) = member(rest) {
            match low {
                Member::Named(name) => {
                    if named_contains(name, byte) {
                        return true;
                    }
                    rest = behind;
                }
                Member::Byte(low) => match behind {
                    [b'-', high_text @ ..] if !high_text.is_empty() => {
                        let Some((Member::Byte(high), behind)) = member(high_text) else {
                            return false;
                        };
                        if (low..=high).contains(&byte) {
                            return true;
                        }
                        rest = behind;
                    }
                    _ if low == byte => return true,
                    _ => rest = behind,
                },
            }
        }
        false
    }
}

enum Member<'pattern> {
    Byte(u8),
    Named(&'pattern [u8]),
}

/// The first member of a bracket expression and what is behind it.
fn member(members: &[u8]) -> Option<(Member<'_>, &[u8])> {
    match members {
        [] => None,
        [b'\\', byte, rest @ ..] => Some((Member::Byte(*byte), rest)),
        [b'[', b':', ..] if named_end(members, 0).is_some() => {
            let end = named_end(members, 0)?;
            Some((Member::Named(&members[2..end - 2]), &members[end..]))
        }
        [byte, rest @ ..] => Some((Member::Byte(*byte), rest)),
    }
}

/// One past `:]` of a named class that begins at `at`.
fn named_end(members: &[u8], at: usize) -> Option<usize> {
    let name = members.get(at + 2..)?;
    let length = name.windows(2).position(|pair| pair == b":]")?;
    name[..length]
        .iter()
        .all(u8::is_ascii_lowercase)
        .then_some(at + 2 + length + 2)
}

/// POSIX classes in the C locale.
fn named_contains(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"graph" => byte.is_ascii_graphic(),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

/// The folder in front of the first component with a wildcard.
pub(super) fn fixed_folder(base: &Path, pattern: &[u8]) -> PathBuf {
    let first = pattern
        .iter()
        .position(|byte| matches!(byte, b'*' | b'?' | b'['));
    let head = &pattern[..first.unwrap_or(pattern.len())];
    let slash = head.iter().rposition(|byte| *byte == b'/');
    path::below(base, &unescaped(&head[..slash.map_or(0, |at| at + 1)]))
}

/// What a pattern names.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// In byte order of the whole path, as `glob` sorts them.
    pub(super) paths: Vec<PathBuf>,
    /// The first folder on the way that may not be looked into by this user.
    pub(super) hidden: Option<PathBuf>,
}

/// The paths that a pattern names, in byte order of the whole path, as `glob` sorts them.
/// `base` stands in front as it is: nothing in it is a wildcard.
///
/// nginx itself hands the whole path to `glob`, so wildcards in its own prefix count there;
/// nobody can mean that, and the names found are the same everywhere else.
pub(super) fn expand(base: &Path, pattern: &[u8], folders: &Folders<'_>) -> Expansion {
    let files = folders.files;
    let absolute = path::is_absolute(pattern);
    let mut hidden = None;
    let mut found = vec![if absolute {
        PathBuf::from("/")
    } else {
        base.to_path_buf()
    }];
    let mut fixed = true;
    let mut components = pattern.split(|byte| *byte == b'/').peekable();
    while let Some(component) = components.next() {
        if component.is_empty() {
            continue;
        }
        let is_last = components.peek().is_none();
        fixed &= !is_pattern(component);
        found = descend(&found, component, folders, &mut hidden);
        if !is_last {
            found.retain(|path| files.kind(path) != Some(FileKind::File));
        } else if !fixed && !is_pattern(component) {
            found.retain(|path| is_named(path, folders, &mut hidden));
        }
    }
    found.sort_by(|left, right| {
        path::bytes_of(left.as_os_str()).cmp(&path::bytes_of(right.as_os_str()))
    });
    Expansion {
        paths: found,
        hidden,
    }
}

/// The names in a folder that a component matches; a folder that may not be listed is noted.
fn names(
    folder: &Path,
    component: &[u8],
    folders: &Folders<'_>,
    hidden: &mut Option<PathBuf>,
) -> Vec<Named> {
    match folders.matching(folder, component) {
        Ok(names) => names,
        Err(reason) => {
            if matches!(reason, ReadError::Permission) {
                hidden.get_or_insert_with(|| folder.to_path_buf());
            }
            Vec::new()
        }
    }
}

/// One component deeper. A plain component is appended; whether it exists shows later.
fn descend(
    above: &[PathBuf],
    component: &[u8],
    folders: &Folders<'_>,
    hidden: &mut Option<PathBuf>,
) -> Vec<PathBuf> {
    if !is_pattern(component) {
        let name = path::from_bytes(&unescaped(component));
        return above.iter().map(|folder| folder.join(&name)).collect();
    }
    let mut found = Vec::new();
    for folder in above {
        let listed = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let names = names(listed, component, folders, hidden).into_iter();
        found.extend(names.map(|(name, _)| folder.join(name)));
    }
    found
}

/// True where something of this name stands, be it a symlink to nothing, which `glob` finds
/// and the server then fails to open.
fn is_named(path: &Path, folders: &Folders<'_>, hidden: &mut Option<PathBuf>) -> bool {
    if folders.files.kind(path).is_some() {
        return true;
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    let itself = escaped(&path::bytes_of(name));
    !names(folder, &itself, folders, hidden).is_empty()
}

/// A pattern that matches this name only.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for byte in name {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}

/// A component without the backslashes that a pattern needs.
fn unescaped(component: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(component.len());
    let mut bytes = component.iter();
    while let Some(byte) = bytes.next() {
        let byte = if *byte == b'\\' {
            bytes.next().unwrap_or(byte)
        } else {
            byte
        };
        out.push(*byte);
    }
    out
}

/// Compares a path with a pattern of the user: per component, or with the file's name alone
/// where the pattern has no slash.
pub(super) fn path_matches(pattern: &[u8], path: &Path) -> bool {
    let text = path::bytes_of(path.as_os_str());
    let parts = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let kept = bytes
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty());
        kept.map(<[u8]>::to_vec).collect()
    };
    let (wanted, given) = (parts(pattern), parts(&text));
    if !pattern.contains(&b'/') {
        let name = given.last().map(Vec::as_slice).unwrap_or_default();
        return wildcard_matches(pattern, name);
    }
    let anchored = path::is_absolute(pattern);
    let Some(skipped) = given.len().checked_sub(wanted.len()) else {
        return false;
    };
    let tail = wanted.iter().zip(&given[skipped..]);
    (!anchored || skipped == 0)
        && tail
            .into_iter()
            .all(|(wanted, given)| wildcard_matches(wanted, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_match_as_in_the_c_library() {
        // Expected values: fnmatch(3) with FNM_PERIOD, run in the C locale.
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            ("*", ".a", false),
            (".*", ".a", true),
            ("?a", ".a", false),
            ("[.]a", ".a", false),
            ("*a*b*c", "xaybzc", true),
            ("*a*b*c", "xaybz", false),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("[^a-c]1", "d1", true),
            ("[]a]", "]", true),
            ("[!]a]", "b", true),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("[ab", "[ab", true),
            ("[[:digit:]]x", "7x", true),
            ("[[:digit:]]x", "ax", false),
            ("[\\]]", "]", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a{b,c}", "ab", false),
            ("a{b,c}", "a{b,c}", true),
            ("", "", true),
            ("*", "", true),
            ("[!]", "!", false),
            ("\\.a", ".a", true),
            ("a\\", "a\\", false),
            ("[\\a-c]", "b", true),
            ("[[:bogus:]]", "b", false),
            ("[[:bogus:]]x", "bx", false),
            ("[c-a]", "b", false),
        ] {
            let seen = component_matches(pattern.as_bytes(), name.as_bytes());
            assert_eq!(seen, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!component_matches(
            pattern.as_bytes(),
            "a".repeat(20_000).as_bytes()
        ));
    }

    #[test]
    fn users_patterns_match_names_or_tails() {
        for (pattern, path, expected) in [
            ("*.inc", "/etc/nginx/a.inc", true),
            ("snippets/*", "/etc/nginx/snippets/a.conf", true),
            ("/etc/*/a.inc", "/etc/nginx/a.inc", true),
            ("/etc/*", "/etc/nginx/a.inc", false),
            ("a.inc", "/etc/nginx/b.inc", false),
        ] {
            let seen = path_matches(pattern.as_bytes(), Path::new(path));
            assert_eq!(seen, expected, "{pattern} {path}");
        }
    }
}
