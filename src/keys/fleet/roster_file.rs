//! The file of a roster: read whole, changed by one process at a time, written by a rename. What
//! somebody wrote beside the hosts stays.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::{Roster, RosterError, roster_text};
use crate::machine::read_at_most;

/// Far more than any roster, in bytes.
const LARGEST: u64 = 8 << 20;

/// Why a roster could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterFileError {
    /// The system refused the file.
    #[error("cannot {what} the roster {}: {source}", .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It says something else than a roster does.
    #[error(transparent)]
    Wrong(#[from] RosterError),
}

/// Where a roster is.
#[derive(Clone, Debug)]
pub struct RosterFile {
    path: PathBuf,
}

impl RosterFile {
    /// The file at this path, which is not opened yet.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`RosterFileError`], with the line that is wrong.
    pub fn read(&self) -> Result<Roster, RosterFileError> {
        Ok(Roster::parse(&self.text()?, &self.path)?)
    }

    /// Makes it, unless there is one: `false`.
    ///
    /// # Errors
    /// [`RosterFileError::File`].
    pub fn make(&self) -> Result<bool, RosterFileError> {
        let roster = Roster::default();
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&self.path);
        let mut file = match file {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(why) => return Err(self.failed("make", why)),
        };
        let written = file.write_all(roster.print().as_bytes());
        let written = written.and_then(|()| file.sync_all());
        written.map_err(|why| self.failed("write", why))?;
        Ok(true)
    }

    /// Changes it: `change` gives the roster that is wanted, `None` where it is so already. Gives
    /// what stands then.
    ///
    /// # Errors
    /// Those of `change` and of the file, which is then as before.
    pub fn change<E: From<RosterFileError>>(
        &self,
        change: impl FnOnce(&Roster) -> Result<Option<Roster>, E>,
    ) -> Result<Roster, E> {
        // Where the name is a link, the file behind it is replaced and not the link.
        let real = fs::canonicalize(&self.path).map_err(|why| self.failed("read", why))?;
        let folder = real.parent().unwrap_or(Path::new("/"));
        let lock = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
        let lock = lock.map_err(|why| self.failed("lock the folder of", why))?;
        let text = self.text()?;
        let before = Roster::parse(&text, &self.path).map_err(RosterFileError::Wrong)?;
        let Some(wanted) = change(&before)? else {
            return Ok(before);
        };
        let edited = roster_text::edited(&text, &before, &wanted);
        let replaced = replace(&real, &edited).and_then(|()| lock.sync_all());
        replaced.map_err(|why| self.failed("write", why))?;
        Ok(wanted)
    }

    fn text(&self) -> Result<String, RosterFileError> {
        let read = |why| self.failed("read", why);
        let bytes = read_at_most(&self.path, LARGEST).map_err(read)?;
        String::from_utf8(bytes).map_err(|_| read(io::ErrorKind::InvalidData.into()))
    }

    fn failed(&self, what: &'static str, source: io::Error) -> RosterFileError {
        RosterFileError::File {
            what,
            path: self.path.clone(),
            source,
        }
    }
}

/// A reader finds the old text or the new one, with the owner and the mode of before.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(path)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
        fchown(&file, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(before.mode() & 0o7777))?;
    file.sync_all()?;
    fs::rename(&new, path)
}
