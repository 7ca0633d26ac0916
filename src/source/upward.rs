//! The nearest file of a name, from a place upward. Looks, and reads nothing.

use std::path::{Path, PathBuf};

use super::files::FileSystem;
use super::path::clean;

/// The file of this name in the folder of `start` or the nearest one above. `start` is a
/// directory or a file, taken from the working directory where it is relative. What stands
/// there may be unreadable or no file at all: reading it tells.
pub fn upward(start: &Path, name: &str, files: &dyn FileSystem) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    let start = clean(&start);
    let folder = match files.is_directory(&start) {
        true => &*start,
        false => start.parent()?,
    };
    let candidates = folder.ancestors().map(|folder| folder.join(name));
    let mut there = candidates.filter(|path| files.kind(path).is_some() || files.is_link(path));
    there.next()
}
