//! What can go wrong in this room. Refusals of single changes are no errors; they stand in
//! the plan.

use std::io;
use std::path::{Path, PathBuf};

use crate::text::EditError;

/// Why a plan does not hold, or was not written or taken back.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// Edits do not fit the text they were planned for.
    #[error("{path}: {source}")]
    Edit {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: EditError,
    },
    /// A byte outside the edits would change.
    #[error("{path}: byte {at} outside the edits would change")]
    Touched {
        /// The file.
        path: PathBuf,
        /// The first such byte.
        at: usize,
    },
    /// The result has a syntax error that the file did not have.
    #[error("{path}:{line}: the change would not parse: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line in the result.
        line: u32,
        /// The server's sentence.
        message: String,
    },
    /// The caller's check said no to the result.
    #[error("the change does not hold: {0}")]
    Check(String),
    /// There is no file to write to: standard input, a dump.
    #[error("{0}: not a file on this machine, apply the patch where it is")]
    NoFile(PathBuf),
    /// The file is not what was planned for.
    #[error("{0}: changed since it was read, nothing was written")]
    Changed(PathBuf),
    /// The file is not what the last write left.
    #[error("{0}: changed since it was written, taking it back would lose that")]
    ChangedSince(PathBuf),
    /// More than one name leads to the file's bytes, and replacing it would part them.
    #[error("{0}: has other hard links, replacing it would leave them behind")]
    HardLinks(PathBuf),
    /// Owner, mode or extended attributes cannot be kept.
    #[error("{path}: cannot keep its {what}: {source}")]
    Attributes {
        /// The file.
        path: PathBuf,
        /// What would be lost.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// No place for the new bytes where the server would not read them too early.
    #[error("{0}: no place beside it for a new version that the server would not include")]
    NoRoom(PathBuf),
    /// The file is a mount point of its own.
    #[error(
        "{0}: is mounted there by itself and cannot be replaced; change the file that is mounted"
    )]
    Mounted(PathBuf),
    /// The server's own test, or the command that stands for it, says no, or could not be run.
    #[error("{0}; nothing was written")]
    Refused(String),
    /// The server did not take the new files.
    #[error("{0}; all files are as they were")]
    NotLive(String),
    /// A copy of the tree cannot be made for a test.
    #[error("{path}: cannot be copied for a test: {why}")]
    Copy {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another instance is writing.
    #[error("another stekguard is writing (lock {0})")]
    Busy(PathBuf),
    /// Somebody else could have written what the journal says.
    #[error(
        "{}: others can change {}, so what stands there is not used: have it belong to you alone \
         (chmod go-w), or set STEKGUARD_STATE_DIR to another directory",
        dir.display(), part.display()
    )]
    Foreign {
        /// The directory of the journal.
        dir: PathBuf,
        /// What others can change: it, or a directory above it.
        part: PathBuf,
    },
    /// No directory for the journal.
    #[error("no place for the journal: set STEKGUARD_STATE_DIR, XDG_STATE_HOME or HOME")]
    NoState,
    /// The journal cannot be read.
    #[error("{path}: the journal entry is damaged: {message}")]
    Journal {
        /// The entry.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Nothing to take back.
    #[error("nothing to take back")]
    NothingToUndo,
    /// Reading or writing failed.
    #[error("{path}: cannot {what}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `read`, `write`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed and so did putting back what was already written.
    #[error("{source}; also not put back: {left:?}, their old bytes are in {journal}")]
    HalfWritten {
        /// The first failure.
        source: Box<FixError>,
        /// The files that still have the new bytes.
        left: Vec<PathBuf>,
        /// The journal entry.
        journal: PathBuf,
    },
    /// Taking back failed, and so did making all files new again or noting that they are.
    #[error(
        "{source}; {}: the next `stekguard undo` ends what was begun (journal {journal})",
        half_undone(left)
    )]
    HalfUndone {
        /// The first failure.
        source: Box<FixError>,
        /// The files that have the old bytes.
        left: Vec<PathBuf>,
        /// The journal entry.
        journal: PathBuf,
    },
}

fn half_undone(left: &[PathBuf]) -> String {
    match left {
        [] => "all files have their new bytes again, which could not be noted".to_owned(),
        _ => format!("these files have their old bytes already, the others not: {left:?}"),
    }
}

impl FixError {
    /// An error of the system at a file.
    pub(super) fn io(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            what,
            source,
        }
    }
}
