//! A folder that others may write to, and files in it that may be anything: every file is
//! opened relative to the folder, never through a link, without waiting, and read to a bound.
//! Knows nothing of records.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::clock::Deadline;

/// Files of a write that is under way, or was cut off.
pub(super) const NEW: &str = ".new-";
const LOCK: &str = ".lock";
/// The owner writes, the group reads, nobody else comes near: records are sealed, but who may
/// write them decides who may hold them back.
const FILE: Mode = Mode::from_raw_mode(0o640);
const DIRECTORY: Mode = Mode::from_raw_mode(0o750);
/// A folder of more files is none of ours.
const MOST: usize = 200_000;

/// What lies under a name.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A link, a pipe, a folder: nothing that is read.
    Strange,
    /// The file's bytes, cut off behind the bound.
    Bytes(Vec<u8>),
}

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// Nobody else removes files while this lives.
#[derive(Debug)]
pub(super) struct Lock(OwnedFd);

impl Drop for Lock {
    fn drop(&mut self) {
        // Not left to the closing: a child that was just made may still hold it open.
        let _ = fs::flock(&self.0, FlockOperation::Unlock);
    }
}

impl Folder {
    /// Opens it.
    pub(super) fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(path, flags, Mode::empty()).map(Self)
    }

    /// Opens it, made where only the last part of its path is missing.
    pub(super) fn made(path: &Path) -> Result<Self, Errno> {
        match Self::open(path) {
            Err(Errno::NOENT) => match fs::mkdir(path, DIRECTORY) {
                Ok(()) | Err(Errno::EXIST) => Self::open(path),
                Err(why) => Err(why),
            },
            opened => opened,
        }
    }

    /// What lies under a name: at most `most` bytes and one.
    pub(super) fn read(&self, name: &str, most: usize) -> Result<Found, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&self.0, name, flags | OFlags::NOCTTY, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::NODEV) => {
                return Ok(Found::Strange);
            }
            Err(why) => return Err(why),
        };
        let stat = fs::fstat(&file)?;
        if !fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Ok(Found::Strange);
        }
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(size.min(most) + 1);
        let read = File::from(file)
            .take(most as u64 + 1)
            .read_to_end(&mut bytes);
        read.map_err(errno)?;
        Ok(Found::Bytes(bytes))
    }

    /// Writes a whole file under a name that nobody looks at.
    pub(super) fn write(&self, name: &str, parts: &[&[u8]]) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let file = fs::openat(&self.0, name, flags | OFlags::CLOEXEC, FILE)?;
        // Whatever the umask: agents are in the group.
        fs::fchmod(&file, FILE)?;
        let mut file = File::from(file);
        for part in parts {
            file.write_all(part).map_err(errno)?;
        }
        // Linked before its bytes are there, it would stand empty after a loss of power.
        file.sync_data().map_err(errno)
    }

    /// Gives a written file its name, unless the name is taken. The other name may be left.
    pub(super) fn claim(&self, new: &str, name: &str) -> Result<bool, Errno> {
        let linked = fs::linkat(&self.0, new, &self.0, name, AtFlags::empty());
        let linked = match linked {
            // File systems without links.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK) => {
                fs::renameat_with(&self.0, new, &self.0, name, RenameFlags::NOREPLACE)
            }
            linked => linked,
        };
        match linked {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Gives a file another name, over what stands there.
    pub(super) fn rename(&self, new: &str, name: &str) -> Result<(), Errno> {
        fs::renameat(&self.0, new, &self.0, name)
    }

    /// Removes a file; one that is not there is no error.
    pub(super) fn remove(&self, name: &str) -> Result<(), Errno> {
        match fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    /// When a file was last written, in seconds since 1970.
    pub(super) fn written(&self, name: &str) -> Option<u64> {
        let stat = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        u64::try_from(stat.st_mtime).ok()
    }

    /// The names in it, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, Errno> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.0)?.take(MOST) {
            names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Takes the folder for removing files.
    pub(super) fn lock(&self, deadline: Deadline) -> Result<Lock, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = fs::openat(&self.0, LOCK, flags | OFlags::CLOEXEC, FILE)?;
        loop {
            match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock(file)),
                Err(Errno::WOULDBLOCK | Errno::INTR) => deadline.pause()?,
                Err(why) => return Err(why),
            }
        }
    }
}

fn errno(why: std::io::Error) -> Errno {
    Errno::from_io_error(&why).unwrap_or(Errno::IO)
}
