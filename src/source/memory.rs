//! Files that stand in memory: standard input, tests, and replacements over another file
//! system. Nothing here touches a disk.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{FileKind, FileSystem, Metadata, ReadError, Walk};
use super::{FileOrigin, path};

/// Named bytes. Directories exist where a file's path says so.
#[derive(Clone, Debug)]
pub struct Memory {
    entries: BTreeMap<PathBuf, Entry>,
    metadata: BTreeMap<PathBuf, Metadata>,
    origin: FileOrigin,
}

#[derive(Clone, Debug)]
enum Entry {
    Bytes(Arc<[u8]>),
    Failure(ReadError),
}

impl Default for Memory {
    fn default() -> Self {
        Self::with_origin(FileOrigin::Memory)
    }
}

impl Memory {
    pub(super) fn with_origin(origin: FileOrigin) -> Self {
        Self {
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
            origin,
        }
    }

    /// Files from pairs of path and bytes; a later one replaces an earlier one.
    pub fn new<P: AsRef<Path>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        let mut memory = Self::default();
        for (path, bytes) in files {
            memory.insert(path.as_ref(), bytes.as_ref().into());
        }
        memory
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: &Path, bytes: Arc<[u8]>) {
        self.entries.insert(path::clean(path), Entry::Bytes(bytes));
    }

    /// Says what a file system would keep about a path; without it nothing is known.
    pub fn describe(&mut self, path: &Path, metadata: Metadata) {
        self.metadata.insert(path::clean(path), metadata);
    }

    /// Puts a file there that cannot be read.
    pub fn insert_failure(&mut self, path: &Path, error: ReadError) {
        self.entries
            .insert(path::clean(path), Entry::Failure(error));
    }

    /// The paths of all files, in path order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.entries.keys().map(PathBuf::as_path)
    }

    /// Entries below a directory with their path from there.
    fn below(&self, directory: &Path) -> impl Iterator<Item = (&Path, PathBuf)> {
        let directory = path::clean(directory);
        // Path order is by component, so everything below stands in one run.
        let from = self.entries.range(directory.clone()..);
        let run = from.take_while({
            let directory = directory.clone();
            move |(path, _)| path.starts_with(&directory)
        });
        run.filter_map(move |(path, _)| {
            let rest = path.strip_prefix(&directory).ok()?;
            (!rest.as_os_str().is_empty()).then(|| (path.as_path(), rest.to_path_buf()))
        })
    }
}

impl FileSystem for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError> {
        match self.entries.get(&path::clean(path)) {
            Some(Entry::Bytes(bytes)) => Ok(Arc::clone(bytes)),
            Some(Entry::Failure(error)) => Err(error.clone()),
            None if self.is_directory(path) => Err(ReadError::Directory),
            None => Err(ReadError::NotFound),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError> {
        let mut names: Vec<OsString> = self
            .below(path)
            .filter_map(|(_, rest)| Some(rest.components().next()?.as_os_str().to_owned()))
            .collect();
        if names.is_empty() {
            return Err(ReadError::NotFound);
        }
        names.sort_by(|left, right| path::bytes_of(left).cmp(&path::bytes_of(right)));
        names.dedup();
        Ok(names)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        match self.entries.get(&path::clean(path)) {
            Some(Entry::Failure(ReadError::NotRegular)) => Some(FileKind::Special),
            Some(Entry::Failure(ReadError::NotFound)) => None,
            Some(_) => Some(FileKind::File),
            None => self.below(path).next().map(|_| FileKind::Directory),
        }
    }

    fn real(&self, _path: &Path) -> Option<PathBuf> {
        None
    }

    fn origin(&self, _path: &Path) -> FileOrigin {
        self.origin
    }

    fn metadata(&self, path: &Path) -> Option<Metadata> {
        self.metadata.get(&path::clean(path)).copied()
    }

    fn walk(&self, directory: &Path) -> Walk {
        let files = self
            .below(directory)
            .map(|(path, _)| path.to_path_buf())
            .collect();
        Walk {
            files,
            unreadable: Vec::new(),
        }
    }
}

/// Another file system with some files replaced or added: what a fix would leave behind.
#[derive(Debug)]
pub struct Overlay<'base> {
    base: &'base dyn FileSystem,
    replaced: Memory,
}

impl<'base> Overlay<'base> {
    /// `base`, nothing replaced yet.
    pub fn new(base: &'base dyn FileSystem) -> Self {
        Self {
            base,
            replaced: Memory::default(),
        }
    }

    /// Replaces a file, or adds it. Give the real path of a file that is reached by
    /// symlinks: every path to it then sees the new bytes.
    pub fn replace(&mut self, path: &Path, bytes: Arc<[u8]>) {
        self.replaced.insert(path, bytes);
    }

    /// Says what a file system would keep about a path.
    pub fn describe(&mut self, path: &Path, metadata: Metadata) {
        self.replaced.describe(path, metadata);
    }

    /// The path under which the replacement of `path` stands.
    fn replacement(&self, path: &Path) -> Option<PathBuf> {
        if self.replaced.kind(path) == Some(FileKind::File) {
            return Some(path.to_path_buf());
        }
        let real = self.base.real(path)?;
        (self.replaced.kind(&real) == Some(FileKind::File)).then_some(real)
    }
}

impl FileSystem for Overlay<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError> {
        match self.replacement(path) {
            Some(path) => self.replaced.read(&path),
            None => self.base.read(path),
        }
    }

    fn open(
        &self,
        path: &Path,
        folder: Option<&Path>,
    ) -> (Result<Arc<[u8]>, ReadError>, Option<PathBuf>) {
        let is_replaced = |path: &Path| self.replaced.kind(path) == Some(FileKind::File);
        if is_replaced(path) {
            return (self.replaced.read(path), self.base.real(path));
        }
        let (bytes, real) = self.base.open(path, folder);
        match real {
            Some(real) if is_replaced(&real) => (self.replaced.read(&real), Some(real)),
            real => (bytes, real),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError> {
        let real = self.base.real(path);
        let added = real.as_deref().unwrap_or(path);
        let mut names = match (self.base.list(path), self.replaced.list(added)) {
            (Ok(names), Err(_)) | (Err(_), Ok(names)) => return Ok(names),
            (Err(error), Err(_)) => return Err(error),
            (Ok(mut names), Ok(more)) => {
                names.extend(more);
                names
            }
        };
        names.sort_by(|left, right| path::bytes_of(left).cmp(&path::bytes_of(right)));
        names.dedup();
        Ok(names)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        match self.replacement(path) {
            Some(_) => Some(FileKind::File),
            None => self.base.kind(path).or_else(|| self.replaced.kind(path)),
        }
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        self.base.real(path)
    }

    fn origin(&self, path: &Path) -> FileOrigin {
        match self.replacement(path) {
            Some(_) => FileOrigin::Memory,
            None => self.base.origin(path),
        }
    }

    fn metadata(&self, path: &Path) -> Option<Metadata> {
        let given = self.replaced.metadata(path);
        given.or_else(|| self.base.metadata(path))
    }

    fn walk(&self, directory: &Path) -> Walk {
        let mut walk = self.base.walk(directory);
        walk.files.extend(self.replaced.walk(directory).files);
        walk.files.sort();
        walk.files.dedup();
        walk
    }
}
