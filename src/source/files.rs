//! Where bytes come from: the trait that everything in this room reads through.
//!
//! It must not know servers. Readers of it get bytes or one clear reason, and never block.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::FileOrigin;

/// Largest file that is read unless a caller says otherwise: 64 MiB. Real configurations
/// stay below one; 16 MiB is httpd's own limit for a line.
pub const DEFAULT_LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// Files by path. Every answer follows symlinks, as the servers do.
pub trait FileSystem: fmt::Debug + Sync {
    /// The whole file. Never blocks: what is not a regular file is refused, not opened.
    ///
    /// # Errors
    /// [`ReadError`] says why there are no bytes.
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError>;

    /// [`read`](Self::read) of a file whose bytes are secret: where they lie is wiped when
    /// dropped. A daemon that rotates keys reads the configuration that names them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_secret(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        // What is in memory already stays there.
        Ok(Zeroizing::new(self.read(path)?.to_vec()))
    }

    /// The names in a directory in byte order, `.` and `..` left out.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::NotDirectory`] where `path` is something else.
    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError>;

    /// [`list`](Self::list) with the [`kind`](Self::kind) of each where the directory itself
    /// says it.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    fn entries(&self, path: &Path) -> Result<Vec<(OsString, Option<FileKind>)>, ReadError> {
        let names = self.list(path)?;
        Ok(names.into_iter().map(|name| (name, None)).collect())
    }

    /// What stands at a path; `None` for nothing (a dangling symlink included).
    fn kind(&self, path: &Path) -> Option<FileKind>;

    /// The file that an edit has to change: absolute, symlinks resolved. `None` where the
    /// bytes have no such place.
    fn real(&self, path: &Path) -> Option<PathBuf>;

    /// [`real`](Self::real), where the real path of the file's folder may be known.
    fn real_in(&self, path: &Path, _folder: Option<&Path>) -> Option<PathBuf> {
        self.real(path)
    }

    /// [`read`](Self::read) and [`real`](Self::real) of a file in one step. `folder` is the
    /// real path of its folder, where the caller knows it.
    fn open(
        &self,
        path: &Path,
        _folder: Option<&Path>,
    ) -> (Result<Arc<[u8]>, ReadError>, Option<PathBuf>) {
        (self.read(path), self.real(path))
    }

    /// Where the bytes of a path come from.
    fn origin(&self, path: &Path) -> FileOrigin;

    /// Every regular file (or symlink to one) below a directory, in byte order. Symlinked
    /// directories and version control's own are not entered, so that no file counts twice.
    fn walk(&self, directory: &Path) -> Walk;

    /// What the file system keeps about a file; `None` for nothing there, or nothing known.
    fn metadata(&self, _path: &Path) -> Option<Metadata> {
        None
    }

    /// True for a symlink, also for one that leads nowhere.
    fn is_link(&self, _path: &Path) -> bool {
        false
    }

    /// True where a directory stands at `path`.
    fn is_directory(&self, path: &Path) -> bool {
        self.kind(path) == Some(FileKind::Directory)
    }
}

/// What a file system keeps about a file.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Metadata {
    /// In bytes.
    pub size: u64,
    /// Permission bits as `chmod` takes them; `None` where the platform has none.
    pub mode: Option<u32>,
    /// The owner's number; `None` where the platform has none.
    pub owner: Option<u32>,
    /// When it was written last, in seconds since 1970.
    pub modified: Option<u64>,
}

/// What stands at a path.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A FIFO, socket or device: never opened.
    Special,
}

/// The result of a search through a directory.
#[derive(Clone, Default, Debug)]
pub struct Walk {
    /// The files found, in byte order.
    pub files: Vec<PathBuf>,
    /// Directories that could not be listed, with the reason.
    pub unreadable: Vec<(PathBuf, ReadError)>,
}

/// Why a file or directory could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing there, or a dangling symlink.
    #[error("no such file or directory")]
    NotFound,
    /// There, but this user may not read it.
    #[error("permission denied")]
    Permission,
    /// A directory where a file was asked for.
    #[error("it is a directory")]
    Directory,
    /// Something else where a directory was asked for.
    #[error("it is not a directory")]
    NotDirectory,
    /// A FIFO, socket or device.
    #[error("it is a pipe, socket or device, not a regular file")]
    NotRegular,
    /// The kernel would have its reader wait, as for `/proc/kmsg`.
    #[error("reading it would wait for somebody who writes to it")]
    Waits,
    /// Larger than the limit.
    #[error("it is larger than {limit} bytes, the most that is read of a file")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Anything else the operating system says (a symlink loop, an I/O error).
    #[error("{0}")]
    Other(#[source] Arc<io::Error>),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Permission,
            io::ErrorKind::IsADirectory => Self::Directory,
            io::ErrorKind::NotADirectory => Self::NotDirectory,
            io::ErrorKind::WouldBlock => Self::Waits,
            // Of a place where a regular file stood a moment ago.
            io::ErrorKind::InvalidInput => Self::NotRegular,
            _ => Self::Other(Arc::new(error)),
        }
    }
}

impl ReadError {
    /// True where nothing is there. A path through a regular file names nothing either.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound | Self::NotDirectory)
    }
}
