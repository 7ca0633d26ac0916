//! One file replaced as a whole: new bytes beside it, then one rename.
//!
//! A reader sees the old bytes or the new ones. The file must be a symlink's target: a
//! rename over a link would leave the target behind.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::fix::attributes;
use crate::fix::state::{private, sync_directory};
use crate::fix::{FixError, State};
use crate::machine::{open_regular, read_at_most};

/// No file that was read to be changed is larger.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Reads a file to compare it; `None` where it is gone.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, FixError> {
    match read_at_most(path, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FixError::io(path, "read", source)),
    }
}

/// Says whether a file can be replaced at all, before anything is written.
pub(super) fn replaceable(path: &Path) -> Result<(), FixError> {
    let error = |source| FixError::io(path, "write", source);
    let metadata = fs::symlink_metadata(path).map_err(error)?;
    if !metadata.is_file() {
        return Err(error(ErrorKind::InvalidInput.into()));
    }
    if attributes::links(&metadata) > 1 {
        return Err(FixError::HardLinks(path.to_path_buf()));
    }
    if is_mount_point(path) {
        return Err(FixError::Mounted(path.to_path_buf()));
    }
    // Whoever may not write the file may not replace it either, even where the directory
    // would let them.
    OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
        .map_err(error)
}

/// True where the kernel lists the file itself as mounted, as containers do with single
/// files: a rename over it fails, and would not reach the file outside anyway.
fn is_mount_point(path: &Path) -> bool {
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mut lines = mounts.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let place = line.split(|byte| *byte == b' ').nth(4);
        place.is_some_and(|place| unescaped(place) == path.as_os_str().as_encoded_bytes())
    })
}

/// The kernel writes a space in a name as `\040`, and so some other bytes.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut at = 0;
    while let Some(byte) = name.get(at) {
        let digits = name.get(at + 1..at + 4).filter(|_| *byte == b'\\');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(code) => {
                out.push(code);
                at += 4;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

/// Where the new bytes wait for the rename. nginx's and httpd's wildcards skip dotfiles; an
/// httpd Include of a whole directory does not, so a `crowded` file's new bytes wait in the
/// state directory, if that is on the same file system.
pub(super) fn waiting_place(
    path: &Path,
    crowded: bool,
    state: &State,
    name: &str,
) -> Result<PathBuf, FixError> {
    let name = format!(".stekguard-{}-{name}.tmp", std::process::id());
    let no_room = || FixError::NoRoom(path.to_path_buf());
    let beside = path.parent().ok_or_else(no_room)?;
    if !crowded {
        return Ok(beside.join(name));
    }
    let device = |dir: &Path| fs::metadata(dir).ok().as_ref().and_then(attributes::device);
    match (device(beside), device(state.dir())) {
        (Some(one), Some(other)) if one == other => Ok(state.dir().join(name)),
        _ => Err(no_room()),
    }
}

/// Writes the new bytes to their waiting place, with the attributes of the file.
pub(super) fn prepare(path: &Path, bytes: &[u8], waiting: &Path) -> Result<(), FixError> {
    let error = |source| FixError::io(path, "write a new version of", source);
    let (old, _) = open_regular(path).map_err(|source| FixError::io(path, "read", source))?;
    let mut new = private(OpenOptions::new().write(true).create_new(true))
        .open(waiting)
        .map_err(error)?;
    new.write_all(bytes).map_err(error)?;
    attributes::copy(path, &old, &new)?;
    new.sync_all().map_err(error)
}

/// Puts the waiting bytes in the file's place, for good.
pub(super) fn rename(waiting: &Path, path: &Path) -> Result<(), FixError> {
    fs::rename(waiting, path).map_err(|source| match source.kind() {
        ErrorKind::ResourceBusy => FixError::Mounted(path.to_path_buf()),
        _ => FixError::io(path, "replace", source),
    })?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Prepare and rename in one; nothing is left behind where it fails.
pub(super) fn replace(path: &Path, bytes: &[u8], waiting: &Path) -> Result<(), FixError> {
    let replaced = prepare(path, bytes, waiting).and_then(|()| rename(waiting, path));
    if replaced.is_err() {
        discard(waiting);
    }
    replaced
}

/// Removes bytes that wait no longer. Best effort: what stays is a dotfile.
pub(super) fn discard(waiting: &Path) {
    let _ = fs::remove_file(waiting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_the_kernel_writes_them() {
        assert_eq!(unescaped(b"/a\\040b\\134c\\"), b"/a b\\c\\");
        assert_eq!(unescaped(b"/plain"), b"/plain");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn mount_points_are_known() {
        assert!(is_mount_point(Path::new("/proc")));
        assert!(!is_mount_point(Path::new("/proc/self/status")));
    }
}
