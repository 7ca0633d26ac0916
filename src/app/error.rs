//! Why a use case could not do its job at all.

use std::path::PathBuf;

use crate::fix::FixError;
use crate::probe::ProbeError;
use crate::source::SourceError;

/// What stops a use case before there is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nothing to read, or not readable.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Standard input could not be read.
    #[error("standard input: {0}")]
    StandardInput(#[source] std::io::Error),
    /// Standard input is larger than any configuration.
    #[error("standard input: more than {limit} bytes")]
    StandardInputTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Standard input holds nothing.
    #[error("standard input is empty")]
    StandardInputEmpty,
    /// A server's program did not say its version.
    #[error("--detect: {program}: {why}")]
    Detect {
        /// The program and its argument.
        program: String,
        /// Why there is no answer.
        why: String,
    },
    /// No rule of this name.
    #[error("no rule is called {name}")]
    UnknownRule {
        /// The name as given.
        name: String,
        /// Names that are close to it, closest first.
        close: Vec<&'static str>,
    },
    /// A probe could not do its job.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A saved session that cannot be read.
    #[error("{}: {why}", path.display())]
    Session {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Ticket keys could not be worked on.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
    /// A fleet could not be worked on.
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    #[error(transparent)]
    Fleet(#[from] super::keys::FleetError),
    /// Settings that cannot be used.
    #[error(transparent)]
    Settings(super::SettingsError),
    /// A baseline that cannot be used.
    #[error(transparent)]
    Baseline(#[from] super::BaselineError),
    /// Files could not be written or taken back.
    #[error(transparent)]
    Fix(#[from] FixError),
}
