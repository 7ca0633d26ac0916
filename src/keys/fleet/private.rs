//! The files that private keys lie in: read only if they are closed to others, made closed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::SealError;
use super::sign::Places;

/// No private key of ours comes near, in bytes.
const LARGEST: usize = 4096;
const CREDENTIAL: &str = "credential:";
/// What others must not have of a file.
const FILE: u32 = 0o077;
/// For a unit with `User=`, systemd lets that user read the credential by an access list, whose
/// mask stands where the group's rights are; the file is root's.
const PASSED: u32 = 0o037;

/// The text behind `/PATH` or `credential:NAME`.
///
/// # Errors
/// [`SealError`], which names the file.
pub(super) fn read_private(source: &str, places: &Places) -> Result<Zeroizing<String>, SealError> {
    if source.starts_with('/') {
        return read(Path::new(source), FILE);
    }
    let Some(name) = source.strip_prefix(CREDENTIAL) else {
        return Err(SealError::NoSource(source.chars().take(80).collect()));
    };
    read(&credential(name, places)?, PASSED)
}

fn credential(name: &str, places: &Places) -> Result<PathBuf, SealError> {
    let missing = || SealError::NoCredential(name.to_owned());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_name = !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
    let folder = places.credentials.as_ref().filter(|_| is_name);
    Ok(folder.ok_or_else(missing)?.join(name))
}

fn read(path: &Path, closed: u32) -> Result<Zeroizing<String>, SealError> {
    let failed = |source| SealError::File {
        what: "read",
        path: path.to_owned(),
        source,
    };
    // Without waiting for somebody to write, where it is a pipe.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(failed)?;
    check(&file, path, closed)?;
    // Never grown: that would leave a copy behind.
    let mut bytes = Zeroizing::new(vec![0; LARGEST]);
    let mut filled = 0;
    while filled < LARGEST {
        match (&file).read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let text = std::str::from_utf8(&bytes[..filled]).ok();
    let text = text.filter(|text| text.len() < LARGEST);
    let text = text.ok_or_else(|| SealError::NotAKey {
        place: path.display().to_string(),
        wanted: "a text of a few lines",
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Judges the file that is open, not the name, which may mean another one by now.
fn check(file: &File, path: &Path, closed: u32) -> Result<(), SealError> {
    let failed = |source| SealError::File {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    let mode = found.mode() & 0o7777;
    if mode & closed != 0 {
        return Err(SealError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let own = rustix::process::geteuid().as_raw();
    match found.uid() {
        // root can read and replace everything anyway, and owns what systemd passes.
        0 => Ok(()),
        owner if owner == own => Ok(()),
        owner => Err(SealError::Owner {
            path: path.to_owned(),
            owner,
        }),
    }
}

/// Writes a private key into a new file, for its owner alone. Never over a file that is there.
///
/// # Errors
/// [`SealError::File`].
pub fn write_private(path: &Path, text: &str) -> Result<(), SealError> {
    let failed = |source| SealError::File {
        what: "write",
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(failed)?;
    let written = file.write_all(text.as_bytes());
    written.and_then(|()| file.sync_all()).map_err(failed)
}
