//! The directory where writes are remembered, and the lock on it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::fix::FixError;
use crate::machine::{is_root, stranger};

/// The state directory. It and all below it belong to the user alone.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct State {
    dir: PathBuf,
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Not left to the closing of the file: a child process that was just made may still
    /// hold it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl State {
    /// This directory; made when first needed.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// `$STEKGUARD_STATE_DIR`; for root `/var/lib/stekguard`; `$XDG_STATE_HOME/stekguard`;
    /// `~/.local/state/stekguard`; on Windows `%LOCALAPPDATA%\stekguard`.
    ///
    /// # Errors
    /// [`FixError::NoState`] when none of the variables is set.
    pub fn from_environment() -> Result<Self, FixError> {
        Self::choose(is_root(), &|name| std::env::var_os(name)).ok_or(FixError::NoState)
    }

    fn choose(root: bool, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let absolute = |name: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|dir| dir.is_absolute())
        };
        if let Some(dir) = variable("STEKGUARD_STATE_DIR").filter(|dir| !dir.is_empty()) {
            return Some(Self::at(dir));
        }
        if root {
            return Some(Self::at("/var/lib/stekguard"));
        }
        let home = || Some(absolute("HOME")?.join(".local/state"));
        let base = absolute("XDG_STATE_HOME")
            .or_else(home)
            .or_else(|| absolute("LOCALAPPDATA"));
        Some(Self::at(base?.join("stekguard")))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the entries lie.
    pub(super) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// Nobody else may say what stood in a file: root writes what it reads here anywhere. A
    /// directory that is not there yet is nobody's.
    pub(super) fn is_own(&self) -> Result<(), FixError> {
        for dir in [self.dir.clone(), self.journal()] {
            let part = match fs::symlink_metadata(&dir) {
                Ok(_) if is_root() => stranger(&dir),
                Ok(_) => stranger(&dir).filter(|part| *part == dir),
                Err(_) => None,
            };
            if let Some(part) = part {
                return Err(FixError::Foreign { dir, part });
            }
        }
        Ok(())
    }

    /// Makes the directories and takes the lock, without waiting.
    pub(super) fn lock(&self) -> Result<Lock, FixError> {
        self.is_own()?;
        make_directory(&self.dir)?;
        make_directory(&self.journal())?;
        self.is_own()?;
        let path = self.dir.join("lock");
        let file = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(|source| FixError::io(&path, "open", source))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(FixError::Busy(path)),
            Err(TryLockError::Error(source)) => Err(FixError::io(&path, "lock", source)),
        }
    }
}

/// Makes a directory that only the user can enter; one that is there stays as it is.
pub(super) fn make_directory(dir: &Path) -> Result<(), FixError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|source| FixError::io(dir, "make", source))
}

/// Opens files that only the user can read.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes renames in a directory last through a power cut.
pub(super) fn sync_directory(dir: &Path) -> Result<(), FixError> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let synced: io::Result<()> = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|source| FixError::io(dir, "sync", source))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_wins() {
        let choose = |root, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            };
            State::choose(root, &variable).map(|state| state.dir)
        };
        let home = ("HOME", "/home/u");
        let xdg = ("XDG_STATE_HOME", "/x");
        let own = ("STEKGUARD_STATE_DIR", "/s");
        assert_eq!(choose(false, &[home, xdg, own]), Some("/s".into()));
        assert_eq!(choose(true, &[home, xdg, own]), Some("/s".into()));
        assert_eq!(
            choose(true, &[home, xdg]),
            Some("/var/lib/stekguard".into())
        );
        assert_eq!(choose(false, &[home, xdg]), Some("/x/stekguard".into()));
        assert_eq!(
            choose(false, &[home]),
            Some("/home/u/.local/state/stekguard".into())
        );
        assert_eq!(
            choose(false, &[home, ("XDG_STATE_HOME", "rel")]),
            choose(false, &[home])
        );
        assert_eq!(choose(false, &[]), None);
    }

    /// A program that is being started has a copy of every open file until it runs.
    #[test]
    fn a_lock_ends_whoever_has_its_file_open() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::at(dir.path().join("state"));
        let held = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(FixError::Busy(_))));
        let child = held.file.try_clone().unwrap();
        drop(held);
        assert!(state.lock().is_ok());
        drop(child);
    }
}
