//! Interrupted runs put right: what was being written or taken back ends as all old.

use std::path::PathBuf;

use crate::fix::journal::{Entry, Progress, entries};
use crate::fix::replace::{discard, read, replace};
use crate::fix::shadow;
use crate::fix::state::Lock;
use crate::fix::{FixError, State};

/// An interrupted run, put right.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Recovered {
    /// The journal's entry.
    pub id: u64,
    /// It was being taken back, not written.
    pub undone: bool,
    /// Files that got their old bytes back.
    pub restored: Vec<PathBuf>,
    /// Files left alone, because somebody changed or removed them since; their old bytes are
    /// in the journal.
    pub left: Vec<PathBuf>,
}

impl Recovered {
    /// False where the run was interrupted before it changed a file.
    pub fn has_ended_something(&self) -> bool {
        self.undone || !self.restored.is_empty() || !self.left.is_empty()
    }
}

/// Puts right what interrupted runs left. Writing and undoing do this first.
///
/// # Errors
/// [`FixError::Busy`], or what kept a file from being put back; it is tried again next time.
pub fn recover(state: &State) -> Result<Vec<Recovered>, FixError> {
    let lock = state.lock()?;
    recover_locked(state, &lock)
}

pub(super) fn recover_locked(state: &State, _lock: &Lock) -> Result<Vec<Recovered>, FixError> {
    shadow::remove(state);
    let mut all = Vec::new();
    for mut entry in entries(state)? {
        let end = match entry.progress {
            Progress::Applying => Progress::RolledBack,
            Progress::Undoing => Progress::Undone,
            _ => continue,
        };
        all.push(put_back(&entry)?);
        entry.advance(end)?;
    }
    Ok(all)
}

/// Last first, as [`super::write`] would: the mixtures on the way back are then those of the
/// way there.
fn put_back(entry: &Entry) -> Result<Recovered, FixError> {
    let mut recovered = Recovered {
        id: entry.id,
        undone: entry.progress == Progress::Undoing,
        restored: Vec::new(),
        left: Vec::new(),
    };
    for (index, file) in entry.files.iter().enumerate().rev() {
        discard(&file.waiting);
        let (old, now) = (entry.old(index)?, read(&file.path)?);
        if now.as_ref() == Some(&old) {
            continue;
        }
        if now != Some(entry.new_bytes(index)?) {
            recovered.left.push(file.path.clone());
            continue;
        }
        replace(&file.path, &old, &file.waiting)?;
        recovered.restored.push(file.path.clone());
    }
    Ok(recovered)
}
