//! A folder as a store: on one machine, shared by a network file system, or carried by a tool
//! that keeps folders alike.
//!
//! A record is a file: 20 bytes that say what it is and when it expires, then its bytes. A claim
//! is a link(2) of a file that is whole already, so that exactly one writer wins; writing over is
//! a rename. What has expired is read as absent and removed by writers. A file that is none of
//! ours is handed on as it is, so that it is refused and counted. Each writer's own clock says
//! what has expired.

use std::path::PathBuf;

use rustix::io::Errno;

use super::clock::{self, Deadline};
use super::folder::{Folder, Found, NEW};
use super::{Access, Claim, LARGEST, Store, StoreError, check};

/// Which begins every record's file: what it is, and the version.
const MAGIC: [u8; 8] = *b"stekrec1";
/// Then when it expires and how long it is, both big-endian.
const HEAD: usize = MAGIC.len() + 8 + 4;
/// What has expired stays this long for the eye, and for a writer whose clock is ahead. Seconds.
const LINGER: u64 = 600;
/// How often a writer looks for what has expired, in seconds.
const SWEEP: u64 = 60;
/// A temporary file this old belongs to nobody, in seconds.
const ABANDONED: u64 = 3600;
/// Where a file stands while it is looked at once more before it is removed.
const ASIDE: &str = ".new-aside";
/// Writers that race for a name that expires all the time.
const ROUNDS: usize = 16;

/// A folder of records.
pub(super) struct Directory {
    name: String,
    path: PathBuf,
    patience: std::time::Duration,
    swept: u64,
}

/// A file of ours, or not.
enum Record {
    Absent,
    Expired,
    Standing(Vec<u8>),
}

impl Directory {
    pub(super) fn at(path: PathBuf, access: &Access) -> Self {
        Self {
            name: format!("directory:{}", path.display()),
            path,
            patience: access.patience,
            swept: 0,
        }
    }

    fn failed(&self, why: Errno) -> StoreError {
        let store = self.name.clone();
        let text = std::io::Error::from(why).to_string();
        match why {
            Errno::NOENT | Errno::IO | Errno::STALE | Errno::TIMEDOUT | Errno::NOTCONN => {
                StoreError::Down { store, why: text }
            }
            _ => StoreError::Refused { store, why: text },
        }
    }

    fn reading(&self) -> Result<Folder, StoreError> {
        Folder::open(&self.path).map_err(|why| self.failed(why))
    }

    /// The folder for a write, and a name for what is not whole yet.
    fn writing(&mut self) -> Result<(Folder, String), StoreError> {
        let folder = Folder::made(&self.path).map_err(|why| self.failed(why))?;
        let now = clock::now();
        if now.abs_diff(self.swept) >= SWEEP {
            self.swept = now;
            // What cannot be removed harms nobody: it is read as absent.
            let _ = sweep(&folder, now, Deadline::after(self.patience));
        }
        let mut random = [0_u8; 8];
        let filled = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
        filled.map_err(|why| self.failed(why))?;
        Ok((folder, format!("{NEW}{:016x}", u64::from_be_bytes(random))))
    }
}

impl Store for Directory {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let folder = self.reading()?;
        let now = clock::now();
        let read = |name: &String| {
            check::name(&self.name, name)?;
            let record = look(&folder, &file(name), now).map_err(|why| self.failed(why))?;
            Ok(record.bytes())
        };
        names.iter().map(read).collect()
    }

    fn claim(&mut self, name: &str, record: &[u8], expires: u64) -> Result<Claim, StoreError> {
        check::write(&self.name, name, record)?;
        let (folder, new) = self.writing()?;
        let head = head(record, expires);
        let deadline = Deadline::after(self.patience);
        let claimed = folder
            .write(&new, &[&head, record])
            .and_then(|()| claim(&folder, &new, &file(name), deadline));
        let _ = folder.remove(&new);
        claimed.map_err(|why| self.failed(why))
    }

    fn put(&mut self, name: &str, record: &[u8], expires: u64) -> Result<(), StoreError> {
        check::write(&self.name, name, record)?;
        let (folder, new) = self.writing()?;
        let head = head(record, expires);
        let put = folder
            .write(&new, &[&head, record])
            .and_then(|()| folder.rename(&new, &file(name)));
        put.map_err(|why| {
            let _ = folder.remove(&new);
            self.failed(why)
        })
    }

    fn expiries(&mut self, names: &[String]) -> Result<Vec<Option<u64>>, StoreError> {
        let folder = self.reading()?;
        let now = clock::now();
        let read = |name: &String| {
            check::name(&self.name, name)?;
            let found = folder.read(&file(name), HEAD + LARGEST);
            match found.map_err(|why| self.failed(why))? {
                Found::Bytes(bytes) => Ok(parse(&bytes).map(|it| it.0).filter(|at| *at > now)),
                Found::Nothing | Found::Strange => Ok(None),
            }
        };
        names.iter().map(read).collect()
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let folder = self.reading()?;
        let now = clock::now();
        let mut names = Vec::new();
        for name in folder.names().map_err(|why| self.failed(why))? {
            let Some(name) = record_name(&name).filter(|name| name.starts_with(prefix)) else {
                continue;
            };
            let record = look(&folder, &file(&name), now).map_err(|why| self.failed(why))?;
            names.extend(record.bytes().map(|_| name));
        }
        names.sort();
        Ok(names)
    }
}

impl Record {
    fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Standing(bytes) => Some(bytes),
            Self::Absent | Self::Expired => None,
        }
    }
}

/// A record's file. Colons cannot stand in names on Windows' shares; no record's name has `_`.
fn file(name: &str) -> String {
    name.replace(':', "_")
}

/// The record of a file's name, if it can be one.
fn record_name(file: &str) -> Option<String> {
    let name = file.replace('_', ":");
    (!file.contains(':') && check::is_name(&name)).then_some(name)
}

fn head(record: &[u8], expires: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    head[..8].copy_from_slice(&MAGIC);
    head[8..16].copy_from_slice(&expires.to_be_bytes());
    head[16..].copy_from_slice(&length.to_be_bytes());
    head
}

/// When a file of ours expires and how long its record is; `None` for any other file.
fn parse(bytes: &[u8]) -> Option<(u64, usize)> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (expires, rest) = rest.split_first_chunk()?;
    let (length, _) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some((u64::from_be_bytes(*expires), length))
}

fn look(folder: &Folder, file: &str, now: u64) -> Result<Record, Errno> {
    let bytes = match folder.read(file, HEAD + LARGEST)? {
        Found::Nothing => return Ok(Record::Absent),
        // Something is there that is no record: refused and counted by who asked.
        Found::Strange => return Ok(Record::Standing(Vec::new())),
        Found::Bytes(bytes) => bytes,
    };
    let (mut bytes, expires) = match parse(&bytes) {
        // A copy that is not whole yet is refused later too.
        Some((expires, length)) if bytes.len() == HEAD + length => {
            (bytes[HEAD..].to_vec(), Some(expires))
        }
        _ => (bytes, None),
    };
    if expires.is_some_and(|expires| expires <= now) {
        return Ok(Record::Expired);
    }
    bytes.truncate(LARGEST + 1);
    Ok(Record::Standing(bytes))
}

fn claim(folder: &Folder, new: &str, file: &str, deadline: Deadline) -> Result<Claim, Errno> {
    for _ in 0..ROUNDS {
        if folder.claim(new, file)? {
            return Ok(Claim::Written);
        }
        match look(folder, file, clock::now())? {
            Record::Standing(bytes) => return Ok(Claim::Taken(bytes)),
            Record::Absent => {}
            Record::Expired => {
                let lock = folder.lock(deadline)?;
                // Under the lock, so that nobody takes away what another one just claimed.
                remove_expired(folder, file, clock::now())?;
                let written = folder.claim(new, file)?;
                drop(lock);
                if written {
                    return Ok(Claim::Written);
                }
            }
        }
    }
    Err(Errno::TIMEDOUT)
}

/// Removes a file if it has expired. Under the lock only a rename can change it meanwhile;
/// what came by one is put back.
fn remove_expired(folder: &Folder, file: &str, now: u64) -> Result<(), Errno> {
    if !matches!(look(folder, file, now)?, Record::Expired) {
        return Ok(());
    }
    match folder.rename(file, ASIDE) {
        Err(Errno::NOENT) => return Ok(()),
        moved => moved?,
    }
    if !matches!(look(folder, ASIDE, now)?, Record::Expired) {
        // Taken again meanwhile: then that one is the newest.
        folder.claim(ASIDE, file)?;
    }
    folder.remove(ASIDE)
}

/// Removes what has expired and what killed writers left.
fn sweep(folder: &Folder, now: u64, deadline: Deadline) -> Result<(), Errno> {
    let long_ago = now.saturating_sub(LINGER);
    let _lock = folder.lock(deadline)?;
    for name in folder.names()? {
        if deadline.left().is_none() {
            return Ok(());
        }
        if record_name(&name).is_some() {
            remove_expired(folder, &name, long_ago)?;
        }
        let old = || folder.written(&name).is_some_and(|at| at + ABANDONED < now);
        if name.starts_with(NEW) && old() {
            folder.remove(&name)?;
        }
    }
    Ok(())
}
