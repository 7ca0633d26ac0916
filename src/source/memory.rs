//! Files that stand in memory: standard input, tests, and replacements over another file
//! system. Nothing here touches a disk.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

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
    fn below(&self, directory: &Path) -> impl Iterator<Item = (&Path, &Path)> {
        let directory = path::clean(directory);
        // Path order is by component, so everything below stands in one run.
        let from = self.entries.range(directory.clone()..);
        let run = from.take_while({
            let directory = directory.clone();
            move |(path, _)| path.starts_with(&directory)
        });
        run.filter_map(move |(path, _)| {
            let rest = path.strip_prefix(&directory).ok()?;
            (!rest.as_os_str().is_empty()).then_some((path.as_path(), rest))
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

/// Files that stand in the place of others, sorted once for every look at them.
#[derive(Clone, Debug, Default)]
pub struct Replacements {
    files: Memory,
    /// The same bytes by the paths as they were given: most files are asked for so.
    exact: HashMap<PathBuf, Arc<[u8]>>,
}

impl Replacements {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a file, or adds it. Give the real path of a file that is reached by
    /// symlinks: every path to it then sees the new bytes.
    pub fn insert(&mut self, path: &Path, bytes: Arc<[u8]>) {
        self.exact.insert(path.to_path_buf(), Arc::clone(&bytes));
        self.files.insert(path, bytes);
    }

    /// True where no file is replaced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }
}

/// The same bytes by the same paths.
impl PartialEq for Replacements {
    fn eq(&self, other: &Self) -> bool {
        self.exact == other.exact
    }
}

impl Eq for Replacements {}

impl Extend<(PathBuf, Arc<[u8]>)> for Replacements {
    fn extend<I: IntoIterator<Item = (PathBuf, Arc<[u8]>)>>(&mut self, files: I) {
        // In an order: two spellings can lead to one place.
        let mut all: Vec<_> = files.into_iter().collect();
        all.sort_by(|(one, _), (other, _)| one.as_os_str().cmp(other.as_os_str()));
        let places = all
            .iter()
            .map(|(path, bytes)| (path::clean(path), Entry::Bytes(Arc::clone(bytes))));
        match self.is_empty() {
            true => self.files.entries = places.collect(),
            false => self.files.entries.extend(places),
        }
        self.exact.extend(all);
    }
}

impl FromIterator<(PathBuf, Arc<[u8]>)> for Replacements {
    fn from_iter<I: IntoIterator<Item = (PathBuf, Arc<[u8]>)>>(files: I) -> Self {
        let mut replacements = Self::new();
        replacements.extend(files);
        replacements
    }
}

impl IntoIterator for Replacements {
    type Item = (PathBuf, Arc<[u8]>);
    type IntoIter = std::collections::hash_map::IntoIter<PathBuf, Arc<[u8]>>;

    /// In no order.
    fn into_iter(self) -> Self::IntoIter {
        self.exact.into_iter()
    }
}

/// Another file system with some files replaced or added: what a fix would leave behind.
#[derive(Debug)]
pub struct Overlay<'base> {
    base: &'base dyn FileSystem,
    replaced: Cow<'base, Replacements>,
    /// Paths that were opened and are not replaced under any name.
    untouched: Mutex<HashSet<PathBuf>>,
}

impl<'base> Overlay<'base> {
    /// `base`, nothing replaced yet.
    pub fn new(base: &'base dyn FileSystem) -> Self {
        Self {
            base,
            replaced: Cow::Owned(Replacements::new()),
            untouched: Mutex::default(),
        }
    }

    /// `base` with all of these replaced.
    pub fn of(base: &'base dyn FileSystem, files: &'base Replacements) -> Self {
        Self {
            replaced: Cow::Borrowed(files),
            ..Self::new(base)
        }
    }

    /// Replaces a file, or adds it, as [`Replacements::insert`] does.
    pub fn replace(&mut self, path: &Path, bytes: Arc<[u8]>) {
        self.replaced.to_mut().insert(path, bytes);
        self.untouched = Mutex::default();
    }

    /// Says what a file system would keep about a path.
    pub fn describe(&mut self, path: &Path, metadata: Metadata) {
        self.replaced.to_mut().files.describe(path, metadata);
    }

    /// The path under which the replacement of `path` stands.
    fn replacement(&self, path: &Path) -> Option<PathBuf> {
        if self.replaced.exact.contains_key(path)
            || self.replaced.files.kind(path) == Some(FileKind::File)
        {
            return Some(path.to_path_buf());
        }
        let untouched = self.untouched.lock();
        if untouched.is_ok_and(|untouched| untouched.contains(path)) {
            return None;
        }
        let real = self.base.real(path)?;
        (self.replaced.files.kind(&real) == Some(FileKind::File)).then_some(real)
    }
}

impl FileSystem for Overlay<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError> {
        if let Some(bytes) = self.replaced.exact.get(path) {
            return Ok(Arc::clone(bytes));
        }
        match self.replacement(path) {
            Some(path) => self.replaced.files.read(&path),
            None => self.base.read(path),
        }
    }

    fn read_secret(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        match self.replaced.exact.contains_key(path) || self.replacement(path).is_some() {
            true => Ok(Zeroizing::new(self.read(path)?.to_vec())),
            false => self.base.read_secret(path),
        }
    }

    fn open(
        &self,
        path: &Path,
        folder: Option<&Path>,
    ) -> (Result<Arc<[u8]>, ReadError>, Option<PathBuf>) {
        let own = match self.replaced.exact.get(path) {
            Some(bytes) => Some(Arc::clone(bytes)),
            None => self.replaced.files.read(path).ok(),
        };
        if let Some(bytes) = own {
            return (Ok(bytes), self.base.real_in(path, folder));
        }
        let (text, real) = self.base.open(path, folder);
        if let Some(bytes) = real
            .as_deref()
            .and_then(|it| self.replaced.files.read(it).ok())
        {
            return (Ok(bytes), real);
        }
        if let Ok(mut untouched) = self.untouched.lock() {
            untouched.insert(path.to_path_buf());
        }
        (text, real)
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError> {
        let real = self.base.real(path);
        let added = real.as_deref().unwrap_or(path);
        let mut names = match (self.base.list(path), self.replaced.files.list(added)) {
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
            None => self
                .base
                .kind(path)
                .or_else(|| self.replaced.files.kind(path)),
        }
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        self.base.real(path)
    }

    fn real_in(&self, path: &Path, folder: Option<&Path>) -> Option<PathBuf> {
        self.base.real_in(path, folder)
    }

    fn origin(&self, path: &Path) -> FileOrigin {
        let base = self.base.origin(path);
        match self.replacement(path) {
            // What a dump names stays on its machine, whatever a fix makes of a file.
            Some(_) if base != FileOrigin::Dump => FileOrigin::Memory,
            _ => base,
        }
    }

    fn metadata(&self, path: &Path) -> Option<Metadata> {
        let given = self.replaced.files.metadata(path);
        given.or_else(|| self.base.metadata(path))
    }

    fn walk(&self, directory: &Path) -> Walk {
        let mut walk = self.base.walk(directory);
        walk.files.extend(self.replaced.files.walk(directory).files);
        walk.files.sort();
        walk.files.dedup();
        walk
    }
}
