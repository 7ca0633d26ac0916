//! Copies of files before they change, for a caller who keeps them.
//!
//! They lie in the state directory and not beside the files: a server that includes a whole
//! folder would read a copy there as configuration.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::fix::plan::PlannedFile;
use crate::fix::state::{make_directory, private, sync_directory};
use crate::fix::{FixError, State};

/// Copies the planned files as they were read, below a folder with the time as its name. Gives
/// each file with its copy.
///
/// # Errors
/// [`FixError::NoFile`] for what exists in a stream only, [`FixError::Io`] where it cannot be
/// written. No file of the server is touched either way.
pub fn backup(
    files: &[PlannedFile],
    state: &State,
    now: u64,
) -> Result<Vec<(PathBuf, PathBuf)>, FixError> {
    let _lock = state.lock()?;
    let folder = free(&state.dir().join("backup"), now);
    let mut copies = Vec::new();
    for file in files {
        let Some(real) = &file.real else {
            let path = file.paths.first().map(|path| path.to_path_buf());
            return Err(FixError::NoFile(path.unwrap_or_default()));
        };
        let copy = folder.join(below_root(real));
        keep(&copy, &file.before)?;
        copies.push((real.clone(), copy));
    }
    Ok(copies)
}

/// A folder that is not there yet; the lock keeps others from taking it.
fn free(base: &Path, now: u64) -> PathBuf {
    let names = (0u32..).map(|number| match number {
        0 => now.to_string(),
        _ => format!("{now}-{number}"),
    });
    let mut folders = names.map(|name| base.join(name));
    folders.find(|folder| !folder.exists()).unwrap_or_default()
}

/// The path without its root, so that it can be joined.
fn below_root(path: &Path) -> PathBuf {
    let parts = path.components();
    parts
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

fn keep(copy: &Path, bytes: &[u8]) -> Result<(), FixError> {
    let folder = copy.parent().unwrap_or(copy);
    make_directory(folder)?;
    let mut file = private(OpenOptions::new().write(true).create_new(true))
        .open(copy)
        .map_err(|source| FixError::io(copy, "write", source))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|source| FixError::io(copy, "write", source))?;
    sync_directory(folder)
}
