//! What stops sealing, signing and the reading of private keys. Never carries key bytes.

use std::io;
use std::path::PathBuf;

use super::super::KeysError;

/// Why something could not be sealed, signed or prepared for it.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] KeysError),
    /// The seed is not the one that the header names.
    #[error("the seed is not the one that the header names")]
    Seed,
    /// A host's key and the header name different fleets.
    #[error("the key of host {host} belongs to the fleet {fleet}")]
    Fleet {
        /// The host.
        host: String,
        /// The fleet that its key names.
        fleet: String,
    },
    /// Nothing can be sealed for this public key.
    #[error("nothing can be sealed for the key that host {0} published")]
    Recipient(String),
    /// The cipher refused.
    #[error("the cipher refused to seal")]
    Cipher,
    /// A text is no public key.
    #[error("{0:?} is no public key: `ed25519:` and 44 letters of base64")]
    PublicKey(String),
    /// A text does not say where a private key is.
    #[error("{0:?} is no place of a private key: /PATH, credential:NAME or agent:ed25519:BASE64")]
    NoSource(String),
    /// A file with a private key could not be read or written.
    #[error("cannot {what} the private key {}: {source}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Others can read a private key.
    #[error(
        "the private key {path} is open to others (mode {mode:o}): chmod 600 {path}",
        path = .path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A private key belongs to somebody else, who could read and replace it.
    #[error(
        "the private key {} belongs to user {owner}: chown it to the user who runs this", .path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A text is no private key of the kind that was asked for.
    #[error("{place}: not {wanted}")]
    NotAKey {
        /// The file, or what stands for it.
        place: String,
        /// What it should have been.
        wanted: &'static str,
    },
    /// `credential:NAME` where the system passes none.
    #[error(
        "there is no credential {0}: systemd passes it by LoadCredential= or LoadCredentialEncrypted="
    )]
    NoCredential(String),
    /// The ssh-agent did not sign.
    #[error("the ssh-agent does not sign: {0}")]
    Agent(String),
}
