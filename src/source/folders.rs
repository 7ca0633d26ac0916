//! The names in folders that patterns ask for. A folder that many patterns ask for is listed
//! twice at most, and not all of its names are compared with each of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::files::{FileKind, FileSystem, ReadError};
use super::{glob, path};

/// A name, and what it is where the folder itself says it.
pub(super) type Named = (OsString, Option<FileKind>);

/// Folders during the reading of one configuration.
#[derive(Debug)]
pub(super) struct Folders<'a> {
    pub(super) files: &'a dyn FileSystem,
    /// Those asked for: `None` once, then what is in them. Most are asked for once.
    known: RefCell<HashMap<PathBuf, Option<Vec<Named>>>>,
}

impl<'a> Folders<'a> {
    pub(super) fn new(files: &'a dyn FileSystem) -> Self {
        Self {
            files,
            known: RefCell::default(),
        }
    }

    /// The names in a folder that match one component of a pattern, in byte order.
    ///
    /// # Errors
    /// [`ReadError`] where the folder cannot be listed.
    pub(super) fn matching(&self, folder: &Path, pattern: &[u8]) -> Result<Vec<Named>, ReadError> {
        let by = |(name, _): &&Named| glob::component_matches(pattern, &path::bytes_of(name));
        let mut known = self.known.borrow_mut();
        let Some(slot) = known.get_mut(folder) else {
            known.insert(folder.to_path_buf(), None);
            let mut entries = self.files.entries(folder)?;
            entries.retain(|entry| by(&entry));
            return Ok(entries);
        };
        let entries = match slot {
            Some(entries) => entries,
            None => slot.insert(self.files.entries(folder)?),
        };
        let begin = glob::beginning(pattern);
        let first = entries.partition_point(|(name, _)| *path::bytes_of(name) < *begin);
        let behind = entries[first..].iter();
        let alike = behind.take_while(|(name, _)| path::bytes_of(name).starts_with(begin));
        Ok(alike.filter(by).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    /// Whether asked for the first time or later, the same is found as by trying each name.
    #[test]
    fn patterns_match_the_same_each_time() {
        let names = ["a", "a.b", "a.c", "ab", "b", "b*", ".a", "é", "[", "a\\"];
        let patterns = [
            "*", "a*", "a.*", "a?", "?", "b\\*", ".*", "é*", "[", "[ab]", "a[.b]*", "a\\\\", "c*",
            "",
        ];
        let files = Memory::new(names.map(|name| (format!("/d/{name}"), "")));
        let folders = Folders::new(&files);
        for _ in 0..3 {
            for pattern in patterns {
                let found = folders.matching(Path::new("/d"), pattern.as_bytes());
                let found: Vec<OsString> = found.unwrap().into_iter().map(|it| it.0).collect();
                let matches =
                    |name: &&&str| glob::component_matches(pattern.as_bytes(), name.as_bytes());
                let mut expected: Vec<&str> = names.iter().filter(matches).copied().collect();
                expected.sort_unstable();
                assert_eq!(found, expected, "{pattern}");
            }
            let missing = folders.matching(Path::new("/no"), b"*");
            assert!(matches!(missing, Err(ReadError::NotFound)));
        }
    }
}
