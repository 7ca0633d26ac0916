//! A plan to disk: all files or none, and the way back kept.

use std::fs;
use std::path::PathBuf;

use crate::fix::journal::{Entry, EntryFile, Progress, entry_dir, next_id, prune};
use crate::fix::plan::PlannedFile;
use crate::fix::recover::{Recovered, recover_locked};
use crate::fix::replace::{discard, prepare, read, rename, replace, replaceable, waiting_place};
use crate::fix::{FixError, Order, State};

/// What a write did.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Written {
    /// The journal's entry.
    pub id: u64,
    /// The files, in the order in which they were replaced.
    pub files: Vec<PathBuf>,
    /// What earlier interrupted runs left, put right first.
    pub recovered: Vec<Recovered>,
    /// How many of the oldest entries the journal let go.
    pub forgotten: usize,
}

/// Who has a say in a write, while nobody else writes. By default everybody agrees.
pub trait Gates {
    /// All files are what was planned for, and nothing is changed yet. An error ends the
    /// write.
    ///
    /// # Errors
    /// What is said of the write that does not take place.
    fn before(&mut self) -> Result<(), FixError> {
        Ok(())
    }

    /// All files are new. An error puts all of them back.
    ///
    /// # Errors
    /// What is said of the write that was taken back.
    fn after(&mut self) -> Result<(), FixError> {
        Ok(())
    }
}

/// Nobody else is asked.
struct Open;

impl Gates for Open {}

/// Writes planned files in the usual order. `now` is the time for the journal, in seconds
/// since 1970.
///
/// # Errors
/// As [`write_through`].
pub fn write(files: &[PlannedFile], state: &State, now: u64) -> Result<Written, FixError> {
    write_through(files, &Order::usual(files.len()), state, now, &mut Open)
}

/// Writes planned files in this order, where the gates agree.
///
/// # Errors
/// Nothing is changed, or all is put back, unless it is [`FixError::HalfWritten`]. Among
/// others [`FixError::Changed`] where a file is not what was planned for, and
/// [`FixError::Busy`] where another instance writes.
pub fn write_through(
    files: &[PlannedFile],
    order: &Order,
    state: &State,
    now: u64,
    gates: &mut dyn Gates,
) -> Result<Written, FixError> {
    let lock = state.lock()?;
    let recovered = recover_locked(state, &lock)?;
    let files: Vec<&PlannedFile> = order
        .sequence
        .iter()
        .filter_map(|index| files.get(*index))
        .collect();
    for file in &files {
        let real = check(file)?;
        replaceable(&real)?;
    }
    gates.before()?;
    let mut entry = enter(&files, state, now)?;
    let bytes: Vec<(&[u8], &[u8])> = files
        .iter()
        .map(|file| (&*file.before, &*file.after))
        .collect();
    entry.store(&bytes)?;
    let applied = apply(&files, &entry)
        .and_then(|()| entry.advance(Progress::Applied))
        .and_then(|()| gates.after());
    if let Err(error) = applied {
        return Err(roll_back(&files, &mut entry, error));
    }
    Ok(Written {
        id: entry.id,
        files: entry.files.iter().map(|file| file.path.clone()).collect(),
        recovered,
        forgotten: prune(state),
    })
}

/// The file is there, and is what was planned for.
fn check(file: &PlannedFile) -> Result<PathBuf, FixError> {
    let Some(real) = file.real.as_deref() else {
        let path = file.paths.first().map(|path| path.to_path_buf());
        return Err(FixError::NoFile(path.unwrap_or_default()));
    };
    let changed = || FixError::Changed(real.to_path_buf());
    let target = fs::canonicalize(real).map_err(|source| FixError::io(real, "read", source))?;
    if target != real || read(real)?.as_deref() != Some(&*file.before) {
        return Err(changed());
    }
    Ok(target)
}

fn enter(files: &[&PlannedFile], state: &State, now: u64) -> Result<Entry, FixError> {
    let id = next_id(state)?;
    let mut entered = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let path = file.real.clone().unwrap_or_default();
        let waiting = waiting_place(&path, file.crowded, state, &format!("{id}-{index}"))?;
        let mut rules: Vec<String> = file
            .reasons
            .iter()
            .map(|reason| reason.rule.to_string())
            .collect();
        rules.sort();
        rules.dedup();
        entered.push(EntryFile {
            path,
            rules,
            crowded: file.crowded,
            waiting,
        });
    }
    let dir = entry_dir(state, id);
    Ok(Entry {
        id,
        time: now,
        progress: Progress::Applying,
        files: entered,
        dir,
    })
}

/// All new bytes are on disk before the first rename, so that a full disk changes nothing.
fn apply(files: &[&PlannedFile], entry: &Entry) -> Result<(), FixError> {
    for (file, place) in files.iter().zip(&entry.files) {
        prepare(&place.path, &file.after, &place.waiting)?;
    }
    for (file, place) in files.iter().zip(&entry.files) {
        check(file)?;
        rename(&place.waiting, &place.path)?;
    }
    Ok(())
}

/// Puts back what was replaced already, last first: the mixtures on the way back are those of
/// the way there. The first error stays the one that is told.
fn roll_back(files: &[&PlannedFile], entry: &mut Entry, error: FixError) -> FixError {
    // Killed on the way back, the next start has to go on with it.
    if entry.progress == Progress::Applied {
        let _ = entry.advance(Progress::Applying);
    }
    let mut left = Vec::new();
    for (file, place) in files.iter().zip(&entry.files).rev() {
        discard(&place.waiting);
        let is_new = matches!(read(&place.path), Ok(Some(bytes)) if *bytes == *file.after);
        if is_new && replace(&place.path, &file.before, &place.waiting).is_err() {
            left.push(place.path.clone());
        }
    }
    if left.is_empty() {
        // Left as applying, the entry would be rolled back again at the next start, which
        // finds nothing to do; left as applied, undo would say that the files have changed.
        let _ = entry.advance(Progress::RolledBack);
        return error;
    }
    FixError::HalfWritten {
        source: Box::new(error),
        left,
        journal: entry.dir.clone(),
    }
}
