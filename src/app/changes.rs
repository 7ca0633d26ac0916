//! What a repair changes, as data for callers that show or keep it themselves.

use std::path::PathBuf;

use super::clock::now;
use super::{AppError, Repair};
use crate::finding::GoLive;
use crate::fix::{self, PlannedFile, State};

/// A file before and after.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// Its path, symlinks resolved; for what exists in a stream only, as the server opens it.
    pub path: String,
    /// Its bytes as read.
    pub before: Vec<u8>,
    /// Its bytes afterwards.
    pub after: Vec<u8>,
    /// The rules that ask for it, sorted.
    pub rules: Vec<&'static str>,
}

impl Repair {
    /// The files that change.
    pub fn changes(&self) -> Vec<FileChange> {
        self.plan.files.iter().map(change).collect()
    }

    /// What makes it live; `None` where nothing changes.
    pub fn go_live_kind(&self) -> Option<GoLive> {
        self.plan.go_live
    }

    /// Copies the files as they were read into the state directory. Gives each file with its
    /// copy.
    ///
    /// # Errors
    /// [`AppError::Fix`]; no file of the server is touched.
    pub fn backup(&self) -> Result<Vec<(PathBuf, PathBuf)>, AppError> {
        let state = State::from_environment()?;
        Ok(fix::backup(&self.plan.files, &state, now())?)
    }
}

fn change(file: &PlannedFile) -> FileChange {
    let mut rules: Vec<&'static str> = file.reasons.iter().map(|reason| reason.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let opened = file.paths.first().map(|path| path.to_path_buf());
    let path = file.real.clone().or(opened).unwrap_or_default();
    FileChange {
        path: path.to_string_lossy().into_owned(),
        before: file.before.to_vec(),
        after: file.after.to_vec(),
        rules,
    }
}
