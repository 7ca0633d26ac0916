//! The real disk, read only. It must not write, and it opens nothing but regular files.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};
use zeroize::Zeroizing;

use super::files::{DEFAULT_LARGEST_FILE, FileKind, FileSystem, Metadata, ReadError, Walk};
use super::{FileOrigin, classify, path};
use crate::machine::open_seen;

/// Files below this size are read in one piece.
const PIECE: usize = 4 * 1024;

/// Directories that hold no configuration but many files.
const NOT_ENTERED: [&str; 5] = [".git", ".hg", ".svn", "node_modules", "__pycache__"];

/// The machine's files.
#[derive(Clone, Debug)]
pub struct Disk {
    largest_file: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            largest_file: DEFAULT_LARGEST_FILE,
        }
    }
}

impl Disk {
    /// A disk that refuses files of more than `largest_file` bytes (never above 4 GiB - 1,
    /// where offsets end).
    pub fn with_largest_file(largest_file: u64) -> Self {
        Self {
            largest_file: largest_file.min(u64::from(u32::MAX)),
        }
    }
}

impl Disk {
    /// Reads a file of which this is known. What stands there may be something else by then, so
    /// it is opened as carefully as if nothing were known.
    fn read_known(&self, path: &Path, metadata: &fs::Metadata) -> Result<Arc<[u8]>, ReadError> {
        self.check(metadata)?;
        let mut file = open_seen(path)?;
        let size = metadata.len() as usize;
        let mut piece = [0; PIECE];
        let read = match size < PIECE {
            true => file.read(&mut piece)?,
            false => 0,
        };
        let begun = piece.get(..read).unwrap_or_default();
        // The whole file, unless it grew meanwhile; files of /proc say 0.
        if read == size && size > 0 {
            return Ok(begun.into());
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(begun);
        file.take((self.largest_file + 1).saturating_sub(read as u64))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > self.largest_file {
            return Err(self.too_large());
        }
        Ok(bytes.into())
    }

    fn check(&self, metadata: &fs::Metadata) -> Result<(), ReadError> {
        if metadata.is_dir() {
            return Err(ReadError::Directory);
        }
        if !metadata.is_file() {
            return Err(ReadError::NotRegular);
        }
        if metadata.len() > self.largest_file {
            return Err(self.too_large());
        }
        Ok(())
    }

    fn too_large(&self) -> ReadError {
        ReadError::TooLarge {
            limit: self.largest_file,
        }
    }
}

impl FileSystem for Disk {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError> {
        self.read_known(path, &fs::metadata(path)?)
    }

    /// Straight into a buffer that is wiped, also where a larger one takes its place.
    fn read_secret(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let metadata = fs::metadata(path)?;
        self.check(&metadata)?;
        let mut file = open_seen(path)?;
        // One more than there is: the last read then gives nothing.
        let mut bytes = Zeroizing::new(vec![0; metadata.len() as usize + 1]);
        let mut filled = 0;
        loop {
            match file.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why.into()),
            }
            if filled as u64 > self.largest_file {
                return Err(self.too_large());
            }
            if filled == bytes.len() {
                // It grew, or says 0 as files of /proc do.
                let mut larger = Zeroizing::new(vec![0; (2 * filled).max(PIECE)]);
                larger[..filled].copy_from_slice(&bytes);
                bytes = larger;
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn open(
        &self,
        path: &Path,
        folder: Option<&Path>,
    ) -> (Result<Arc<[u8]>, ReadError>, Option<PathBuf>) {
        let own = fs::symlink_metadata(path);
        let own = own.ok().filter(fs::Metadata::is_file);
        // What is no symlink itself lies where its folder does.
        match (own, folder, path.file_name()) {
            (Some(own), Some(folder), Some(name)) => {
                (self.read_known(path, &own), Some(folder.join(name)))
            }
            _ => (self.read(path), self.real(path)),
        }
    }

    fn real_in(&self, path: &Path, folder: Option<&Path>) -> Option<PathBuf> {
        let plain = || fs::symlink_metadata(path).is_ok_and(|own| own.is_file());
        match (folder, path.file_name()) {
            (Some(folder), Some(name)) if plain() => Some(folder.join(name)),
            _ => self.real(path),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name());
        }
        names.sort_by(|left, right| path::bytes_of(left).cmp(&path::bytes_of(right)));
        Ok(names)
    }

    fn entries(&self, path: &Path) -> Result<Vec<(OsString, Option<FileKind>)>, ReadError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type().ok().and_then(plain_kind);
            entries.push((entry.file_name(), kind));
        }
        entries.sort_by(|(left, _), (right, _)| path::bytes_of(left).cmp(&path::bytes_of(right)));
        Ok(entries)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() {
            FileKind::Directory
        } else if metadata.is_file() {
            FileKind::File
        } else {
            FileKind::Special
        })
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        fs::canonicalize(path).ok()
    }

    fn is_link(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
    }

    fn origin(&self, _path: &Path) -> FileOrigin {
        FileOrigin::Disk
    }

    fn metadata(&self, path: &Path) -> Option<Metadata> {
        let metadata = fs::metadata(path).ok()?;
        let since = metadata.modified().ok();
        let since = since.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let (mode, owner) = mode_and_owner(&metadata);
        Some(Metadata {
            size: metadata.len(),
            mode,
            owner,
            modified: since.map(|since| since.as_secs()),
        })
    }

    fn walk(&self, directory: &Path) -> Walk {
        let mut found = Walk::default();
        let entries = WalkDir::new(directory).sort_by(|left, right| {
            path::bytes_of(left.file_name()).cmp(&path::bytes_of(right.file_name()))
        });
        for entry in entries.into_iter().filter_entry(is_entered) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => match self.kind(entry.path()) {
                    Some(FileKind::File) => found.files.push(entry.into_path()),
                    // A main file that cannot be read is not passed over in silence.
                    Some(FileKind::Special) if classify::is_main_name(entry.path()) => {
                        let path = entry.into_path();
                        found.unreadable.push((path, ReadError::NotRegular));
                    }
                    None if classify::is_main_name(entry.path()) => {
                        let path = entry.into_path();
                        found.unreadable.push((path, ReadError::NotFound));
                    }
                    _ => {}
                },
                Err(error) => {
                    let path = error.path().unwrap_or(directory).to_path_buf();
                    let reason = error
                        .into_io_error()
                        .map_or(ReadError::NotFound, Into::into);
                    found.unreadable.push((path, reason));
                }
            }
        }
        found
    }
}

/// What is surely the same behind symlinks.
fn plain_kind(kind: fs::FileType) -> Option<FileKind> {
    match kind {
        kind if kind.is_file() => Some(FileKind::File),
        kind if kind.is_dir() => Some(FileKind::Directory),
        _ => None,
    }
}

#[cfg(unix)]
fn mode_and_owner(metadata: &fs::Metadata) -> (Option<u32>, Option<u32>) {
    use std::os::unix::fs::MetadataExt as _;
    (Some(metadata.mode() & 0o7777), Some(metadata.uid()))
}

#[cfg(not(unix))]
fn mode_and_owner(_metadata: &fs::Metadata) -> (Option<u32>, Option<u32>) {
    (None, None)
}

fn is_entered(entry: &DirEntry) -> bool {
    let skipped = NOT_ENTERED.iter().any(|name| entry.file_name() == *name);
    entry.depth() == 0 || !skipped || !entry.file_type().is_dir()
}
