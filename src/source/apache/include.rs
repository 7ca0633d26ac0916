//! Which files an Include names (httpd `server/util.c`: ap_dir_nofnmatch, ap_dir_fnmatch).
//!
//! Looks for files; reading them is the expander's.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use crate::source::files::{FileKind, FileSystem, ReadError};
use crate::source::folders::Folders;
use crate::source::maps::PathMap;
use crate::source::options::LoadOptions;
use crate::source::path;

/// httpd's own bound on directories within directories.
const DIRECTORY_DEPTH: usize = 128;

/// What an Include names, in the order in which httpd opens it.
#[derive(Debug)]
pub(super) enum Named {
    /// A file to open; it may be missing.
    File(PathBuf),
    /// httpd stops here and says so.
    Refused(String),
    /// A folder of the server's machine that is not here: what it holds is unknown.
    Elsewhere(PathBuf),
}

/// Finds files for one Include.
pub(super) struct Finder<'a> {
    pub(super) files: &'a dyn FileSystem,
    pub(super) folders: &'a Folders<'a>,
    pub(super) options: &'a LoadOptions,
    /// What relative names are below.
    pub(super) server_root: &'a Path,
    pub(super) optional: bool,
    /// The tree stands where its server reads it: what is not here does not exist.
    pub(super) at_home: bool,
    /// The folder of the root file: as good as home.
    pub(super) own: &'a Path,
    /// Files and folders looked at so far.
    pub(super) seen: Cell<usize>,
}

impl Finder<'_> {
    /// Everything that a name stands for.
    pub(super) fn find(&self, name: &[u8]) -> Vec<Named> {
        let mut found = Vec::new();
        let full = self.place(&path::below(self.server_root, name));
        let bytes = path::bytes_of(full.as_os_str()).into_owned();
        if !is_pattern(&bytes) {
            self.whole(&full, 0, &mut found);
            return found;
        }
        let absolute = path::is_absolute(&bytes);
        let start = PathBuf::from(if absolute { "/" } else { "" });
        let parts: Vec<&[u8]> = bytes
            .split(|b| *b == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        self.matching(start, &parts, &mut found);
        found
    }

    /// Where a path of the server's machine lies here.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        let cleaned = path::clean(path);
        let map = self
            .mapped(&cleaned)
            // A pattern's folder decides, because the pattern itself never exists.
            .or_else(|| self.mapped(&fixed_folder(&cleaned)));
        match map.and_then(|map| Some(map.to.join(cleaned.strip_prefix(&map.from).ok()?))) {
            Some(mapped) => mapped,
            None => cleaned,
        }
    }

    /// The first map that holds for a path.
    fn mapped(&self, path: &Path) -> Option<&PathMap> {
        let mut maps = self.options.path_map.over(path).into_iter();
        maps.find(|map| {
            let rest = path.strip_prefix(&map.from);
            rest.is_ok_and(|rest| map.whole || self.files.kind(&map.to.join(rest)).is_some())
        })
    }

    /// A name without wildcards: a file, or a directory with all that is below it.
    fn whole(&self, path: &Path, depth: usize, found: &mut Vec<Named>) {
        // Folders with two links each to the next one have more names than can be looked at.
        let most = self.options.limits.instances;
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() > most {
            return found.push(Named::Refused(format!(
                "this names more than {most} files and folders: name fewer of them, or the \
                 folders one by one"
            )));
        }
        match self.files.kind(path) {
            Some(FileKind::Directory) => self.directory(path, depth, found),
            None if self.is_elsewhere(path) => found.push(Named::Elsewhere(path.to_path_buf())),
            // What may not be looked at may well be there.
            None if self.optional && !self.is_hidden(path) => {}
            _ => found.push(Named::File(path.to_path_buf())),
        }
    }

    fn is_hidden(&self, path: &Path) -> bool {
        matches!(self.files.read(path), Err(ReadError::Permission))
    }

    fn directory(&self, path: &Path, depth: usize, found: &mut Vec<Named>) {
        if depth >= DIRECTORY_DEPTH {
            return found.push(Named::Refused(format!(
                "directory '{}' exceeds the maximum include directory nesting level of \
                 {DIRECTORY_DEPTH}; there is probably a recursion",
                path.display()
            )));
        }
        match self.files.list(path) {
            Ok(names) => {
                for name in names {
                    self.whole(&path.join(name), depth + 1, found);
                    if matches!(found.last(), Some(Named::Refused(_))) {
                        return;
                    }
                }
            }
            Err(error) => found.push(Named::Refused(cannot_open(path, &error.to_string()))),
        }
    }

    /// A name with wildcards, component by component.
    fn matching(&self, mut at: PathBuf, parts: &[&[u8]], found: &mut Vec<Named>) {
        let mut parts = parts;
        while let Some((part, rest)) = parts.split_first() {
            parts = rest;
            if is_pattern(part) {
                return self.matches(&at, part, rest, found);
            }
            at = at.join(path::from_bytes(part));
        }
        self.whole(&at, 0, found);
    }

    fn matches(&self, at: &Path, part: &[u8], rest: &[&[u8]], found: &mut Vec<Named>) {
        let here = if at.as_os_str().is_empty() {
            Path::new(".")
        } else {
            at
        };
        let entries = match self.folders.matching(here, part) {
            Ok(entries) => entries,
            Err(error) if error.is_missing() && self.is_elsewhere(here) => {
                return found.push(Named::Elsewhere(here.to_path_buf()));
            }
            Err(error) if error.is_missing() && self.optional => return,
            Err(error) => {
                return found.push(Named::Refused(cannot_open(at, &error.to_string())));
            }
        };
        let before = found.len();
        let mut any = false;
        for (name, kind) in entries {
            let path = at.join(&name);
            if rest.is_empty() && kind == Some(FileKind::File) {
                any = true;
                found.push(Named::File(path));
                continue;
            }
            if !rest.is_empty() && !self.is_plain_directory(at, &path) {
                continue;
            }
            any = true;
            if rest.is_empty() {
                self.whole(&path, 0, found);
            } else {
                self.matching(path, rest, found);
            }
            if matches!(found.last(), Some(Named::Refused(_))) && found.len() > before {
                return;
            }
        }
        if !any && !self.optional {
            let part = String::from_utf8_lossy(part);
            found.push(Named::Refused(format!(
                "no matches for the wildcard '{part}' in '{}'",
                at.display()
            )));
        }
    }

    /// httpd does not follow a symlink to a directory where a wildcard matched it on the way.
    fn is_plain_directory(&self, folder: &Path, path: &Path) -> bool {
        if !self.files.is_directory(path) {
            return false;
        }
        let (Some(folder), Some(real)) = (self.files.real(folder), self.files.real(path)) else {
            return true;
        };
        path.file_name()
            .is_some_and(|name| folder.join(name) == real)
    }

    /// True for what is not here, but may well be on the server.
    pub(super) fn is_elsewhere(&self, path: &Path) -> bool {
        if self.at_home {
            return false;
        }
        let own = if self.own.as_os_str().is_empty() {
            Path::new(".")
        } else {
            self.own
        };
        if path.starts_with(own) || self.options.path_map.knows_all_around(path) {
            return false;
        }
        !self
            .files
            .real(own)
            .is_some_and(|real| path.starts_with(real))
            && path.is_absolute()
    }
}

fn cannot_open(path: &Path, reason: &str) -> String {
    format!("could not open directory {}: {reason}", path.display())
}

/// The part of a path in front of its first component with a wildcard.
fn fixed_folder(path: &Path) -> PathBuf {
    path.iter()
        .take_while(|part| !is_pattern(&path::bytes_of(part)))
        .collect()
}

/// What httpd takes as a pattern (`apr_fnmatch_test`): a `[` counts only with its `]`.
fn is_pattern(name: &[u8]) -> bool {
    let mut open = false;
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'?' | b'*' => return true,
            b'\\' => {
                bytes.next();
            }
            b'[' => open = true,
            b']' if open => return true,
            _ => {}
        }
    }
    false
}
