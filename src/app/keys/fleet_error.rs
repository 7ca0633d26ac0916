//! What stops a command of a fleet. Never carries key bytes.

use std::path::{Path, PathBuf};

use crate::keys::fleet::store::StoreError;
use crate::keys::fleet::{NameError, RosterError, RosterFileError, SealError};

/// Why something about a fleet could not be done.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The settings do not say what is needed.
    #[error("`{key}` is not set: it belongs into [fleet] of {}", named(settings.as_deref()))]
    Missing {
        /// The key of `[fleet]`.
        key: &'static str,
        /// The nearest settings that were read.
        settings: Option<PathBuf>,
    },
    /// A store's address, or a file that is needed to get in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A private key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The roster.
    #[error(transparent)]
    Roster(#[from] RosterFileError),
    /// A host's or a fleet's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Seeds could reach a disk or another process.
    #[error("{0}: seeds must not leave this process's memory")]
    Unlocked(String),
    /// A host of this name has another identity.
    #[error("{}: host {host} is there already, with another identity", roster.display())]
    OtherIdentity {
        /// The roster.
        roster: PathBuf,
        /// The host.
        host: String,
    },
    /// A change of the roster that cannot be.
    #[error("{}: {why}", roster.display())]
    Change {
        /// The roster.
        roster: PathBuf,
        /// Why not.
        why: RosterError,
    },
    /// One key opens everything: nobody can be left out.
    #[error(
        "every host of this fleet has the fleet key, so {0} cannot be left out of it: make a new \
         fleet key, give it to the generators and to every other host, then `stekguard keys \
         rotate-now --fleet`; in per-host mode a host is revoked by its name"
    )]
    FleetKey(String),
}

fn named(path: Option<&Path>) -> String {
    let nameless = || "the nearest stekguard.toml, or of that of --config".to_owned();
    path.map_or_else(nameless, |path| path.display().to_string())
}
