//! Which files an include takes, of those of a test: what both servers do alike. Patterns with
//! `*` and `?` in any part of a path, never for a dot in front, in the order of their bytes.

use std::path::{Component, Path, PathBuf};

use super::Texts;

/// No pattern.
pub fn is_plain(path: &Path) -> bool {
    !path.to_string_lossy().contains(['*', '?', '['])
}

/// The files under a pattern, in order; `None` where the pattern says more than these tests know.
pub fn matching<'a>(texts: &'a Texts, pattern: &Path) -> Option<Vec<&'a PathBuf>> {
    let sound = |part: Component| matches!(part, Component::RootDir | Component::Normal(_));
    let known = !pattern.to_string_lossy().contains(['[', '$', '\\']);
    if !known || !pattern.components().all(sound) {
        return None;
    }
    let wanted: Vec<Component> = pattern.components().collect();
    let fits = |path: &&PathBuf| {
        let parts: Vec<Component> = path.components().collect();
        let alike = |(part, wanted): (&Component, &Component)| {
            let bytes = |it: &Component| it.as_os_str().as_encoded_bytes().to_vec();
            glob(&bytes(part), &bytes(wanted))
        };
        parts.len() == wanted.len() && parts.iter().zip(&wanted).all(alike)
    };
    let mut found: Vec<&PathBuf> = texts.keys().filter(fits).collect();
    found.sort_by_key(|path| path.as_os_str().as_encoded_bytes());
    Some(found)
}

fn glob(name: &[u8], pattern: &[u8]) -> bool {
    let hidden = name.starts_with(b".") && !pattern.starts_with(b".");
    !hidden && fits(name, pattern)
}

fn fits(name: &[u8], pattern: &[u8]) -> bool {
    match (name, pattern) {
        ([], []) => true,
        (_, [b'*', rest @ ..]) => (0..=name.len()).any(|skip| fits(&name[skip..], rest)),
        ([_, name @ ..], [b'?', rest @ ..]) => fits(name, rest),
        ([one, name @ ..], [other, rest @ ..]) => one == other && fits(name, rest),
        _ => false,
    }
}
