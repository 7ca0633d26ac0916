//! New private keys, each into a file of its own that nobody else can read: a host's identity,
//! a generator's signing key, a fleet's key.

use std::path::Path;

use super::SealError;
use super::private::write_private;
use super::seal::FleetKey;
use super::sign::{PublicKey, Signer};

/// Makes a signing key, of a host or of a generator, and writes it as PEM. Gives what may be
/// shown.
///
/// # Errors
/// [`SealError::File`], also where there is a file already.
pub fn make_signing_key(path: &Path) -> Result<PublicKey, SealError> {
    let signer = Signer::random()?;
    let text = signer.pem().ok_or(SealError::Cipher)?;
    write_private(path, &text)?;
    Ok(signer.public().clone())
}

/// Makes the key of a fleet and writes it.
///
/// # Errors
/// [`SealError::File`], also where there is a file already.
pub fn make_fleet_key(path: &Path) -> Result<(), SealError> {
    write_private(path, &FleetKey::random()?.text())
}
