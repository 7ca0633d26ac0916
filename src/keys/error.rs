//! What stops work on keys. Never carries the bytes of a key.

use std::io;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;

/// Why something about keys could not be done.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The system refused a file.
    #[error("cannot {what} {}: {source}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder would let keys reach a disk.
    #[error("{}: {why}", .path.display())]
    Ground {
        /// The folder.
        path: PathBuf,
        /// Why keys must not lie there.
        why: String,
    },
    /// The folder's path cannot stand in a configuration.
    #[error("{}: the path of a key folder is absolute, of letters, digits and ./_+-", .0.display())]
    Path(PathBuf),
    /// There is no folder yet.
    #[error("there are no keys in {}: `stekguard keys init` makes them", .0.display())]
    NotMade(PathBuf),
    /// Another process is at it.
    #[error("{} is locked: another process works on these keys", .0.display())]
    Busy(PathBuf),
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[source] io::Error),
    /// The page of metrics cannot be shown.
    #[error("metrics: {0}")]
    Port(#[source] io::Error),
    /// One key in httpd that nothing proves.
    #[error("httpd: {0}")]
    Unproven(String),
    /// A key file that is not what its name says.
    #[error("{} is not the key that its name says", .0.display())]
    Damaged(PathBuf),
}

impl KeysError {
    #[cfg(target_os = "linux")]
    pub(super) fn file(what: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::File {
            what,
            path: path.to_owned(),
            source: source.into(),
        }
    }
}
