//! `undo`: the last write taken back, and the list of what can be.

use std::path::PathBuf;

use super::AppError;
use crate::fix::{self, Progress, Recovered, State};

/// A write that the journal remembers.
#[derive(Clone, Debug)]
pub struct Past {
    /// Its number.
    pub id: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// Its files.
    pub files: Vec<PathBuf>,
    /// The rules that asked for it.
    pub rules: Vec<String>,
    /// What became of it, in a word or two.
    pub state: &'static str,
}

/// What an undo did.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The files that have their old bytes again.
    pub files: Vec<PathBuf>,
    /// Files of an interrupted run that somebody changed since; they were left alone.
    pub left: Vec<PathBuf>,
    /// What an interrupted run had begun was ended, and nothing else was taken back.
    pub interrupted: bool,
}

/// Takes the last write back that was not taken back yet, or ends what an interrupted run began.
///
/// # Errors
/// [`AppError::Fix`]; nothing has changed then, unless it says so.
pub fn undo(force: bool) -> Result<Undone, AppError> {
    let done = fix::undo(&State::from_environment()?, force)?;
    let recovered = done.recovered.iter();
    Ok(Undone {
        left: recovered.flat_map(|it| it.left.clone()).collect(),
        interrupted: done.recovered.iter().any(Recovered::has_ended_something),
        files: done.files,
    })
}

/// The writes that the journal remembers, newest first.
///
/// # Errors
/// [`AppError::Fix`] where the journal cannot be read.
pub fn past() -> Result<Vec<Past>, AppError> {
    let entries = fix::list(&State::from_environment()?)?;
    Ok(entries.into_iter().rev().map(past_entry).collect())
}

fn past_entry(entry: fix::Entry) -> Past {
    let mut rules: Vec<String> = entry
        .files
        .iter()
        .flat_map(|file| file.rules.clone())
        .collect();
    rules.sort();
    rules.dedup();
    Past {
        id: entry.id,
        time: entry.time,
        files: entry.files.into_iter().map(|file| file.path).collect(),
        rules,
        state: match entry.progress {
            Progress::Applying | Progress::Undoing => "interrupted",
            Progress::Applied => "written",
            Progress::Undone => "taken back",
            Progress::RolledBack => "failed, nothing written",
        },
    }
}
