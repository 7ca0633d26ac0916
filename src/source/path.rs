//! Paths as byte strings, and their lexical form. It must not touch a disk.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// The bytes of a name or path. Exact on Unix; elsewhere names are Unicode anyway.
pub(super) fn bytes_of(name: &OsStr) -> Cow<'_, [u8]> {
    #[cfg(unix)]
    return Cow::Borrowed(std::os::unix::ffi::OsStrExt::as_bytes(name));
    #[cfg(not(unix))]
    return Cow::Owned(name.to_string_lossy().into_owned().into_bytes());
}

/// The path that a configuration's bytes name.
pub(super) fn from_bytes(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec());
    #[cfg(not(unix))]
    let name = OsString::from(String::from_utf8_lossy(bytes).into_owned());
    PathBuf::from(name)
}

/// The path without `.`, doubled slashes and `name/..`: one spelling for one key. Only for
/// comparing: with symlinks, `name/..` can be another place.
pub fn clean(path: &Path) -> PathBuf {
    if is_clean(&bytes_of(path.as_os_str())) {
        return path.to_path_buf();
    }
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(last(&out), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if matches!(last(&out), Some(Component::RootDir)) => {}
            other => out.push(other),
        }
    }
    out
}

/// The same as a key: a path would be compared and hashed part by part.
pub(super) fn spelling(path: &Path) -> OsString {
    clean(path).into_os_string()
}

/// True for a path that is spelled so already, as most are. On Windows none is known to be.
fn is_clean(path: &[u8]) -> bool {
    // What begins with a period is looked at closely.
    let is_name = |at: usize| !matches!(path.get(at), None | Some(b'/' | b'.'));
    let first = usize::from(path.starts_with(b"/"));
    cfg!(unix) && is_name(first) && memchr::memchr_iter(b'/', path).all(|at| is_name(at + 1))
}

fn last(path: &Path) -> Option<Component<'_>> {
    path.components().next_back()
}

/// `path` itself where it is absolute, else below `base`. Absolute as the servers mean it:
/// a leading slash, on every platform.
pub(super) fn below(base: &Path, path: &[u8]) -> PathBuf {
    if is_absolute(path) || base.as_os_str().is_empty() {
        return from_bytes(path);
    }
    base.join(from_bytes(path))
}

/// True for a path that the servers take as absolute.
pub(super) fn is_absolute(path: &[u8]) -> bool {
    path.first() == Some(&b'/') || (cfg!(windows) && path.get(1) == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_one_path() {
        for (given, expected) in [
            ("/etc/nginx/./a", "/etc/nginx/a"),
            ("/etc//nginx/../b", "/etc/b"),
            ("/../b", "/b"),
            ("../b", "../b"),
            ("./b", "b"),
            ("a/../../b", "../b"),
        ] {
            assert_eq!(clean(Path::new(given)), Path::new(expected), "{given}");
        }
    }

    #[test]
    fn relative_names_stand_below_the_base() {
        assert_eq!(
            below(Path::new("/etc/nginx"), b"a/b"),
            Path::new("/etc/nginx/a/b")
        );
        assert_eq!(below(Path::new("/etc/nginx"), b"/a/b"), Path::new("/a/b"));
        assert_eq!(below(Path::new(""), b"a"), Path::new("a"));
    }
}
