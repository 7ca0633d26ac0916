//! Names in nginx's includes to paths here.
//!
//! A tree can stand elsewhere than on its server: below a folder of a repository, or in a
//! dump. It must not read files, only look for them.

use std::path::{Path, PathBuf};

use super::files::FileSystem;
use super::folders::Folders;
use super::maps::PathMap;
use super::options::{LoadOptions, Root};
use super::{FileOrigin, glob, path};

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Named {
    /// A file that has to be there.
    One(PathBuf),
    /// The files that a pattern matches; none is fine. Where a folder may not be looked into,
    /// there may be more.
    Pattern(Vec<PathBuf>, Option<PathBuf>),
    /// A pattern over a folder of the server's machine that is not here: what it matches
    /// there cannot be known.
    Elsewhere(PathBuf),
}

/// Resolves the names of one tree.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    files: &'a dyn FileSystem,
    folders: Folders<'a>,
    options: &'a LoadOptions,
    /// The folder that relative names start from.
    base: PathBuf,
    /// A missing folder is nothing here: the tree stands where its server reads it.
    at_home: bool,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(root: &Root, files: &'a dyn FileSystem, options: &'a LoadOptions) -> Self {
        let at_home = root.installed || files.origin(&root.path) == FileOrigin::Dump;
        Self {
            files,
            folders: Folders::new(files),
            options,
            base: root.base().to_path_buf(),
            at_home,
        }
    }

    pub(super) fn resolve(&self, name: &[u8]) -> Named {
        let is_pattern = glob::is_pattern(name);
        let mapped = self.mapped(name, is_pattern);
        // A mapped name is whole: it starts where this program does.
        let base = if mapped.is_some() {
            Path::new("")
        } else {
            &self.base
        };
        let name = mapped.as_deref().unwrap_or(name);
        if !is_pattern {
            return Named::One(path::below(base, name));
        }
        let glob::Expansion { paths, hidden } = glob::expand(base, name, &self.folders);
        let foreign = path::is_absolute(name) && mapped.is_none() && !self.at_home;
        if !paths.is_empty() || hidden.is_some() || !foreign {
            return Named::Pattern(paths, hidden);
        }
        let folder = glob::fixed_folder(&self.base, name);
        if self.files.is_directory(&folder) || self.is_own(&folder) {
            return Named::Pattern(paths, hidden);
        }
        Named::Elsewhere(folder)
    }

    /// True where the tree stands as its server reads it, or in a dump.
    pub(super) fn is_at_home(&self) -> bool {
        self.at_home
    }

    /// True where the user (`--allow-missing`) said that this file may be missing.
    pub(super) fn may_be_missing(&self, path: &Path, name: &[u8]) -> bool {
        let written = path::from_bytes(name);
        self.options.allow_missing.allows(name, [path, &written])
    }

    /// True for a folder within the tree's own.
    fn is_own(&self, folder: &Path) -> bool {
        let base = if self.base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.base
        };
        let real = self.files.real(base);
        let folder = path::clean(folder);
        real.is_some_and(|real| folder.starts_with(real))
            || (base.is_absolute() && folder.starts_with(path::clean(base)))
    }

    /// An absolute name at the place where the server's folder lies here.
    fn mapped(&self, name: &[u8], is_pattern: bool) -> Option<Vec<u8>> {
        if !path::is_absolute(name) {
            return None;
        }
        let looked_for = if is_pattern {
            glob::fixed_folder(&self.base, name)
        } else {
            path::from_bytes(name)
        };
        let looked_for = path::clean(&looked_for);
        let mut maps = self.options.path_map.over(&looked_for).into_iter();
        let map = maps.find(|map| self.applies(map, &looked_for))?;
        let from = map.from.components().count();
        let parts = name
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty());
        // The root component counts in `from` and not in `parts`.
        let rest: Vec<&[u8]> = parts.skip(from - 1).collect();
        let mut out = path::bytes_of(map.to.as_os_str()).into_owned();
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(&rest.join(&b'/'));
        Some(out)
    }

    fn applies(&self, map: &PathMap, path: &Path) -> bool {
        let Ok(rest) = path.strip_prefix(&map.from) else {
            return false;
        };
        map.whole || self.files.kind(&map.to.join(rest)).is_some()
    }
}
