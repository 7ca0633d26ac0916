//! What a client needs to be let in: a user, a password out of a file, certificates, and how long
//! it waits. Holds no password; the file is read when a connection is made, so that a new one
//! is taken without a restart.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::StoreError;

/// Longer ones are no passwords.
const LONGEST: u64 = 4096;
/// The name of a credential of systemd, as in `credential:redis`.
const CREDENTIAL: &str = "credential:";

/// How to get into a store.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Access {
    /// The user; one in the store's address comes first.
    pub user: Option<String>,
    /// The file with the password: its first line.
    pub password: Option<PathBuf>,
    /// Certificates to trust for `rediss://` (PEM); without it the system's.
    pub authorities: Option<PathBuf>,
    /// The client's own certificate and key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The longest that one call may take, connecting and all.
    pub patience: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            user: None,
            password: None,
            authorities: None,
            identity: None,
            patience: Duration::from_secs(5),
        }
    }
}

impl Access {
    /// The file of a secret as users name it: a path, or `credential:NAME` for the file NAME in
    /// the folder that systemd gives to a service ($CREDENTIALS_DIRECTORY).
    ///
    /// # Errors
    /// [`StoreError::File`] for a credential without such a folder, or with a path for a name.
    pub fn secret_file(text: &str, credentials: Option<&Path>) -> Result<PathBuf, StoreError> {
        let Some(name) = text.strip_prefix(CREDENTIAL) else {
            return Ok(PathBuf::from(text));
        };
        let wrong = |why: &str| StoreError::File {
            path: PathBuf::from(text),
            why: why.to_owned(),
        };
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Err(wrong("the name of a credential is no path"));
        }
        let folder = credentials.ok_or_else(|| {
            wrong("$CREDENTIALS_DIRECTORY is not set: LoadCredential= in the unit gives it")
        })?;
        Ok(folder.join(name))
    }

    /// The password, read now.
    pub(super) fn password(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        let Some(path) = &self.password else {
            return Ok(None);
        };
        let wrong = |why: String| StoreError::File {
            path: path.clone(),
            why,
        };
        let file = File::open(path).map_err(|why| wrong(why.to_string()))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
        let read = file.take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|why| wrong(why.to_string()))?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() || bytes.len() as u64 > LONGEST {
            return Err(wrong("its first line is no password".to_owned()));
        }
        Ok(Some(Zeroizing::new(line.to_owned())))
    }
}
