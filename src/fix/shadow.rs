//! A shadow of the tree for the server's own test: the new bytes beside the real files, or
//! a copy of the whole tree. Lies in the state directory, where no server reads, and is gone
//! afterwards. Runs nothing.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::fix::plan::PlannedFile;
use crate::fix::state::{make_directory, private};
use crate::fix::tree::Copied;
use crate::fix::{FixError, State};

/// A shadow; dropping it removes it.
#[derive(Debug)]
pub struct Shadow {
    dir: PathBuf,
}

impl Drop for Shadow {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a run that was killed left of its shadow. Only for the holder of the lock.
pub(super) fn remove(state: &State) {
    let _ = fs::remove_dir_all(place(state));
}

fn place(state: &State) -> PathBuf {
    state.dir().join("shadow")
}

impl Shadow {
    /// An empty one. The caller holds the state's lock, as a gate of a write does.
    ///
    /// # Errors
    /// [`FixError::Io`].
    pub fn new(state: &State) -> Result<Self, FixError> {
        remove(state);
        let dir = std::path::absolute(place(state))
            .map_err(|source| FixError::io(state.dir(), "make", source))?;
        make_directory(&dir)?;
        Ok(Self { dir })
    }

    /// The new bytes of files, each as a file of its own: the pairs of new and real file.
    ///
    /// # Errors
    /// [`FixError::Io`].
    pub fn files(&self, files: &[PlannedFile]) -> Result<Vec<(PathBuf, PathBuf)>, FixError> {
        let mut pairs = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let Some(real) = &file.real else { continue };
            let new = self.dir.join(format!("{index}.new"));
            write(&new, &file.after)?;
            pairs.push((new, real.clone()));
        }
        Ok(pairs)
    }

    /// Lays a copied tree out: its files, and for everything else in their folders a link to
    /// what stands there. Gives the folder that stands for `/`.
    ///
    /// # Errors
    /// [`FixError::Io`].
    pub fn tree(&self, copied: &Copied) -> Result<PathBuf, FixError> {
        let top = self.top();
        for folder in copied.folders() {
            let here = within(&top, folder);
            make_directory(&here)?;
            link_entries(folder, &here, copied)?;
        }
        for (path, bytes) in &copied.files {
            write(&within(&top, path), bytes)?;
        }
        Ok(top)
    }

    /// The folder that stands for `/` in a copy.
    #[must_use]
    pub fn top(&self) -> PathBuf {
        self.dir.join("tree")
    }
}

/// Where an absolute path lies in the copy.
pub(super) fn within(top: &Path, path: &Path) -> PathBuf {
    top.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(unix)]
fn link_entries(folder: &Path, here: &Path, copied: &Copied) -> Result<(), FixError> {
    let error = |source| FixError::io(folder, "read", source);
    for item in fs::read_dir(folder).map_err(error)? {
        let name = item.map_err(error)?.file_name();
        let original = folder.join(&name);
        if copied.replaces(&original) {
            continue;
        }
        let link = here.join(&name);
        std::os::unix::fs::symlink(&original, &link)
            .map_err(|source| FixError::io(&link, "make", source))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn link_entries(folder: &Path, _: &Path, _: &Copied) -> Result<(), FixError> {
    Err(FixError::Copy {
        path: folder.to_path_buf(),
        why: "this system has no links that a server follows".to_owned(),
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FixError> {
    let error = |source| FixError::io(path, "write", source);
    let mut options = OpenOptions::new();
    let mut file = private(options.write(true).create_new(true))
        .open(path)
        .map_err(error)?;
    file.write_all(bytes).map_err(error)
}
