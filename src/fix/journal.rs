//! What was written and what stood there before: one directory an entry, with the old and
//! new bytes of each file and an `entry.json` that says how far it got.
//!
//! The entry is on disk before the first file changes, so that every state in which a run
//! can end can be told and put right.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fix::state::{make_directory, private, sync_directory};
use crate::fix::{FixError, State};
use crate::machine::read_at_most;

const FORMAT: u32 = 1;
const ENTRY: &str = "entry.json";
/// More than a file may have that is read to be changed; a journal holds none that is larger.
const LARGEST: u64 = 256 * 1024 * 1024;

/// How many writes the journal remembers.
pub const KEPT: usize = 50;

/// A write that the journal remembers.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Entry {
    /// Its number; later writes have higher ones.
    pub id: u64,
    /// When, in seconds since 1970, as the caller said.
    pub time: u64,
    /// How far it got.
    pub progress: Progress,
    /// The files.
    pub files: Vec<EntryFile>,
    pub(super) dir: PathBuf,
}

/// How far a write or its undoing got.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Files are being replaced; found later, this run was interrupted.
    Applying,
    /// All files are new.
    Applied,
    /// Files are being put back; found later, this run was interrupted.
    Undoing,
    /// All files are old again.
    Undone,
    /// The write failed or was interrupted, and all files are old.
    RolledBack,
}

/// A file of an entry.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct EntryFile {
    /// The real path.
    pub path: PathBuf,
    /// The rules that asked for the change.
    pub rules: Vec<String>,
    /// No temporary file beside it.
    pub(super) crowded: bool,
    /// Where new bytes wait.
    pub(super) waiting: PathBuf,
}

/// `entry.json`.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    time: u64,
    progress: Progress,
    files: Vec<StoredFile>,
}

#[derive(Serialize, Deserialize)]
struct StoredFile {
    path: StoredPath,
    rules: Vec<String>,
    crowded: bool,
    waiting: StoredPath,
}

/// Paths that are no UTF-8 are stored as numbers.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredPath {
    Text(String),
    Bytes(Vec<u8>),
}

/// All entries, oldest first. Reads only; no entries where the directory is not there.
/// A directory without `entry.json` is a run that ended before it changed anything.
pub(super) fn entries(state: &State) -> Result<Vec<Entry>, FixError> {
    state.is_own()?;
    let dir = state.journal();
    let found = match fs::read_dir(&dir) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(FixError::io(&dir, "read", source)),
    };
    let mut entries = Vec::new();
    for item in found {
        let item = item.map_err(|source| FixError::io(&dir, "read", source))?;
        let id = item
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u64>().ok());
        if let Some(id) = id
            && let Some(entry) = read(id, &item.path())?
        {
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| entry.id);
    Ok(entries)
}

/// An id above all that are taken, by entries or by what is left of one.
pub(super) fn next_id(state: &State) -> Result<u64, FixError> {
    let dir = state.journal();
    let found = fs::read_dir(&dir).map_err(|source| FixError::io(&dir, "read", source))?;
    let names = found.filter_map(|item| item.ok()?.file_name().to_str()?.parse::<u64>().ok());
    Ok(names.max().unwrap_or(0) + 1)
}

/// Lets the oldest entries go that are neither wanted nor in work; gives how many. What
/// cannot be removed now is tried again at the next write.
pub(super) fn prune(state: &State) -> usize {
    let Ok(entries) = entries(state) else {
        return 0;
    };
    let over = entries.len().saturating_sub(KEPT);
    let settled =
        |entry: &&Entry| !matches!(entry.progress, Progress::Applying | Progress::Undoing);
    let old = entries.iter().take(over).filter(settled);
    // Without its `entry.json` a directory is nothing that a later run would act on.
    old.filter(|entry| {
        fs::remove_file(entry.dir.join(ENTRY)).is_ok() && fs::remove_dir_all(&entry.dir).is_ok()
    })
    .count()
}

/// Where the entry of this number lies.
pub(super) fn entry_dir(state: &State, id: u64) -> PathBuf {
    state.journal().join(format!("{id:08}"))
}

impl Entry {
    /// Writes the entry and the bytes; when it returns they last.
    pub(super) fn store(&self, bytes: &[(&[u8], &[u8])]) -> Result<(), FixError> {
        make_directory(&self.dir)?;
        for (index, (old, new)) in bytes.iter().enumerate() {
            write(&self.dir.join(format!("{index}.old")), old)?;
            write(&self.dir.join(format!("{index}.new")), new)?;
        }
        self.save()?;
        self.dir.parent().map_or(Ok(()), sync_directory)
    }

    /// Notes how far it got.
    pub(super) fn advance(&mut self, progress: Progress) -> Result<(), FixError> {
        self.progress = progress;
        self.save()
    }

    /// The bytes of a file before the write.
    pub(super) fn old(&self, index: usize) -> Result<Vec<u8>, FixError> {
        self.bytes(&format!("{index}.old"))
    }

    /// The bytes of a file after the write.
    pub(super) fn new_bytes(&self, index: usize) -> Result<Vec<u8>, FixError> {
        self.bytes(&format!("{index}.new"))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, FixError> {
        let path = self.dir.join(name);
        read_at_most(&path, LARGEST).map_err(|source| FixError::io(&path, "read", source))
    }

    fn save(&self) -> Result<(), FixError> {
        let files = self.files.iter().map(|file| StoredFile {
            path: stored(&file.path),
            rules: file.rules.clone(),
            crowded: file.crowded,
            waiting: stored(&file.waiting),
        });
        let stored = Stored {
            format: FORMAT,
            time: self.time,
            progress: self.progress,
            files: files.collect(),
        };
        let path = self.dir.join(ENTRY);
        let mut json = serde_json::to_vec_pretty(&stored).map_err(|error| damaged(&path, error))?;
        json.push(b'\n');
        let waiting = self.dir.join("entry.tmp");
        write(&waiting, &json)?;
        fs::rename(&waiting, &path).map_err(|source| FixError::io(&path, "write", source))?;
        sync_directory(&self.dir)
    }
}

fn read(id: u64, dir: &Path) -> Result<Option<Entry>, FixError> {
    let path = dir.join(ENTRY);
    let json = match read_at_most(&path, LARGEST) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FixError::io(&path, "read", source)),
    };
    let stored: Stored = serde_json::from_slice(&json).map_err(|error| damaged(&path, error))?;
    if stored.format != FORMAT {
        return Err(damaged(
            &path,
            format!("format {} is not known", stored.format),
        ));
    }
    let mut files = Vec::new();
    for file in stored.files {
        files.push(EntryFile {
            path: restored(file.path).ok_or_else(|| damaged(&path, "not a path here"))?,
            rules: file.rules,
            crowded: file.crowded,
            waiting: restored(file.waiting).ok_or_else(|| damaged(&path, "not a path here"))?,
        });
    }
    let (time, progress) = (stored.time, stored.progress);
    Ok(Some(Entry {
        id,
        time,
        progress,
        files,
        dir: dir.to_path_buf(),
    }))
}

fn damaged(path: &Path, message: impl ToString) -> FixError {
    FixError::Journal {
        path: path.to_path_buf(),
        message: message.to_string(),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FixError> {
    let error = |source| FixError::io(path, "write", source);
    let mut options = OpenOptions::new();
    let mut file = private(options.write(true).create(true).truncate(true))
        .open(path)
        .map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.sync_all().map_err(error)
}

fn stored(path: &Path) -> StoredPath {
    match path.to_str() {
        Some(text) => StoredPath::Text(text.to_string()),
        None => StoredPath::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
    }
}

#[cfg(unix)]
fn restored(path: StoredPath) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(match path {
        StoredPath::Text(text) => text.into(),
        StoredPath::Bytes(bytes) => std::ffi::OsString::from_vec(bytes).into(),
    })
}

#[cfg(not(unix))]
fn restored(path: StoredPath) -> Option<PathBuf> {
    match path {
        StoredPath::Text(text) => Some(text.into()),
        StoredPath::Bytes(_) => None,
    }
}
