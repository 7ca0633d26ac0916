//! Who could put something else in the place of a path: its owner and whoever may write it, and
//! the same of every folder above it.

use std::path::{Path, PathBuf};

/// The first part of a path that somebody other than root and this user could change, links
/// followed; also what is not there or cannot be looked at. `None` where nobody could.
///
/// A folder in which others may make files, but not move ours (`/tmp`), is none.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[must_use]
pub fn stranger(path: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // Links on the way, then the way that they lead.
    first_strange(&whole).or_else(|| match std::fs::canonicalize(&whole) {
        Ok(real) => first_strange(&real),
        Err(_) => Some(whole.clone()),
    })
}

/// The first part of a path that others could change; here that is not known.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
#[must_use]
pub fn stranger(_: &Path) -> Option<PathBuf> {
    None
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn first_strange(path: &Path) -> Option<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    let strange = |part: &&Path| is_strange(part, own);
    parts.into_iter().find(strange).map(Path::to_path_buf)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn is_strange(part: &Path, own: u32) -> bool {
    use std::os::unix::fs::MetadataExt;

    /// Others may make files here, but not move or remove those of somebody else.
    const STICKY: u32 = 0o1000;
    const WRITE: u32 = 0o022;
    let Ok(metadata) = std::fs::symlink_metadata(part) else {
        return true;
    };
    if metadata.uid() != 0 && metadata.uid() != own {
        return true;
    }
    // The mode of a link says nothing.
    let open = !metadata.is_symlink() && metadata.mode() & WRITE != 0;
    open && !(metadata.is_dir() && metadata.mode() & STICKY != 0)
}

/// True where this process may do everything.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// True where this process may do everything; here that is not known.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
#[must_use]
pub fn is_root() -> bool {
    false
}
