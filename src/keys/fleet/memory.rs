//! What a host of a fleet remembers over a reboot: the highest generation that it has seen, so
//! that nobody can bring void keys back by an older copy of the store. Holds no secret.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FleetName;
use crate::keys::KeysError;
use crate::machine::open_regular;

const SCHEMA: &str = "stekguard-fleet-memory/1";
const NEW: &str = ".new";
/// No memory of ours comes near.
const LARGEST: u64 = 64 * 1024;

/// The file of one fleet.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Memory {
    path: PathBuf,
    fleet: FleetName,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    schema: String,
    fleet: String,
    generation: u32,
}

impl Memory {
    /// The memory of a fleet in a folder; made when there is something to remember.
    pub fn at(folder: &Path, fleet: &FleetName) -> Self {
        Self {
            path: folder.join(format!("{fleet}.json")),
            fleet: fleet.clone(),
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The highest generation; 0 where nothing was remembered yet.
    ///
    /// # Errors
    /// [`KeysError::File`] where there is a file that cannot be read or is not of this fleet.
    pub fn floor(&self) -> Result<u32, KeysError> {
        let failed = |why| KeysError::file("read", &self.path, why);
        let file = match open_regular(&self.path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(0),
            opened => opened.map_err(failed)?.0,
        };
        let mut text = String::new();
        file.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(failed)?;
        let read: Remembered = serde_json::from_str(&text).map_err(|why| failed(why.into()))?;
        if read.schema != SCHEMA || read.fleet != self.fleet.as_str() {
            let why = format!("it is no memory of the fleet {}", self.fleet);
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, why)));
        }
        Ok(read.generation)
    }

    /// Remembers a generation, unless a higher one is remembered already. What cannot be read
    /// is replaced.
    ///
    /// # Errors
    /// [`KeysError::File`]; what was remembered before is still there.
    pub fn raise(&self, generation: u32) -> Result<(), KeysError> {
        if self.floor().is_ok_and(|floor| floor >= generation) {
            return Ok(());
        }
        let written = self.write(generation);
        written.map_err(|why| KeysError::file("write", &self.path, why))
    }

    fn write(&self, generation: u32) -> io::Result<()> {
        let text = serde_json::to_vec(&Remembered {
            schema: SCHEMA.to_owned(),
            fleet: self.fleet.as_str().to_owned(),
            generation,
        })?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut new = self.path.clone().into_os_string();
        new.push(NEW);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&text)?;
        // It has to outlive a power cut: that is what it is for.
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rises_and_says_when_it_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let fleet = FleetName::parse("web").unwrap();
        let memory = Memory::at(&dir.path().join("deep/er"), &fleet);
        assert_eq!(memory.floor().unwrap(), 0);
        memory.raise(3).unwrap();
        memory.raise(2).unwrap();
        assert_eq!(memory.floor().unwrap(), 3);
        for text in [&b"{"[..], b"", b"\xff\xfe", b"{\"schema\":\"other/1\"}"] {
            fs::write(memory.path(), text).unwrap();
            assert!(memory.floor().is_err());
        }
        let other = FleetName::parse("mail").unwrap();
        let elsewhere = Memory::at(dir.path(), &other);
        elsewhere.raise(9).unwrap();
        fs::copy(elsewhere.path(), memory.path()).unwrap();
        assert!(memory.floor().is_err());
        memory.raise(4).unwrap();
        assert_eq!(memory.floor().unwrap(), 4);
    }
}
