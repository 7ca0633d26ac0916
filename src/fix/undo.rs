//! The last write taken back, from the journal.

use std::fs;
use std::path::PathBuf;

use crate::fix::journal::{Entry, Progress, entries};
use crate::fix::recover::{Recovered, recover_locked};
use crate::fix::replace::{discard, prepare, read, rename, replace, replaceable};
use crate::fix::state::{make_directory, private};
use crate::fix::{FixError, State};

/// What an undo did.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Undone {
    /// The journal's entry.
    pub id: u64,
    /// The files, with their old bytes.
    pub files: Vec<PathBuf>,
    /// What earlier interrupted runs left, put right first.
    pub recovered: Vec<Recovered>,
}

/// The journal's entries, oldest first. Takes no lock and changes nothing.
///
/// # Errors
/// [`FixError::Io`] or [`FixError::Journal`].
pub fn list(state: &State) -> Result<Vec<Entry>, FixError> {
    entries(state)
}

/// Takes the last write back that was not taken back yet. Where a run was interrupted, what it
/// had begun is taken back, and nothing else: that is the last write. With `force` also where files
/// changed since, or are gone: what came later is lost.
///
/// # Errors
/// [`FixError::NothingToUndo`]; [`FixError::ChangedSince`]; otherwise as for writing, all
/// files are as they were unless it is [`FixError::HalfUndone`].
pub fn undo(state: &State, force: bool) -> Result<Undone, FixError> {
    let lock = state.lock()?;
    let recovered = recover_locked(state, &lock)?;
    if let Some(last) = recovered.iter().rfind(|it| it.has_ended_something()) {
        return Ok(Undone {
            id: last.id,
            files: last.restored.clone(),
            recovered,
        });
    }
    let applied = |entry: &Entry| entry.progress == Progress::Applied;
    let mut entry = entries(state)?
        .into_iter()
        .rfind(applied)
        .ok_or(FixError::NothingToUndo)?;
    check(&entry, force)?;
    entry.advance(Progress::Undoing)?;
    if let Err(error) = put_back(&entry).and_then(|()| entry.advance(Progress::Undone)) {
        return Err(put_forward(&mut entry, error));
    }
    let files = entry.files.iter().map(|file| file.path.clone()).collect();
    Ok(Undone {
        id: entry.id,
        files,
        recovered,
    })
}

fn check(entry: &Entry, force: bool) -> Result<(), FixError> {
    for (index, file) in entry.files.iter().enumerate() {
        let now = read(&file.path)?;
        if now.is_none() && force {
            revive(entry, index)?;
        } else if !force && now != Some(entry.new_bytes(index)?) {
            return Err(FixError::ChangedSince(file.path.clone()));
        }
        replaceable(&file.path)?;
    }
    Ok(())
}

/// A file that is gone comes back with its old bytes, readable by the user alone: what it
/// allowed to others went with it.
fn revive(entry: &Entry, index: usize) -> Result<(), FixError> {
    let Some(file) = entry.files.get(index) else {
        return Ok(());
    };
    let error = |source| FixError::io(&file.path, "write", source);
    if let Some(dir) = file.path.parent() {
        make_directory(dir)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut fresh = private(options.write(true).create_new(true))
        .open(&file.path)
        .map_err(error)?;
    std::io::Write::write_all(&mut fresh, &entry.old(index)?).map_err(error)
}

/// The file that became new last becomes old first.
fn put_back(entry: &Entry) -> Result<(), FixError> {
    for (index, file) in entry.files.iter().enumerate() {
        prepare(&file.path, &entry.old(index)?, &file.waiting)?;
    }
    entry
        .files
        .iter()
        .rev()
        .try_for_each(|file| rename(&file.waiting, &file.path))
}

/// The undo failed: the files that are old already become new again.
fn put_forward(entry: &mut Entry, error: FixError) -> FixError {
    let mut left = Vec::new();
    for (index, file) in entry.files.iter().enumerate() {
        discard(&file.waiting);
        let forward = || -> Result<(), FixError> {
            if read(&file.path)? != Some(entry.old(index)?) {
                return Ok(());
            }
            replace(&file.path, &entry.new_bytes(index)?, &file.waiting)
        };
        if forward().is_err() {
            left.push(file.path.clone());
        }
    }
    // Left as undoing, the entry would be taken back at the next start without being asked.
    if left.is_empty() && entry.advance(Progress::Applied).is_ok() {
        return error;
    }
    FixError::HalfUndone {
        source: Box::new(error),
        left,
        journal: entry.dir.clone(),
    }
}
