//! The folder that the server reads keys from: one immutable file a key, an include that names
//! them in the order that the server shall have, and what is remembered.
//!
//! Every change is a new file that is renamed into place, keys first and the include last, so
//! that a reader finds a whole set at any moment. A file that is no longer wanted is overwritten
//! before it is removed. Knows no server's process and no time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeysError;
use super::core::{Key, Offer, Ratchet, Slot};
use super::ground::Ground;
use super::include;
use super::label;
use super::names;
use super::saved::Saved;
use super::secret::Secret;
use crate::machine::{open_regular, read_at_most};
use crate::tls::{Layout, TicketKey};

const STATE: &str = "state.json";
const LOCK: &str = "lock";
const NEW: &str = ".new-";
/// No state of ours comes near.
const LARGEST: u64 = 1 << 20;

/// A folder of keys of one layout.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: PathBuf,
    layout: Layout,
}

/// Nobody else changes the folder while this lives.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Not left to the closing of the file: a child that was just made may still hold it open.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// What lies in a folder.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Keys that are what their names say.
    pub keys: Vec<Offer>,
    /// Files that are named as keys and are none: cut off, or of other bytes.
    pub damaged: Vec<PathBuf>,
}

impl Folder {
    /// A folder at an absolute path without anything that a configuration would have to quote.
    ///
    /// # Errors
    /// [`KeysError::Path`].
    pub fn at(dir: &Path, layout: Layout) -> Result<Self, KeysError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+-".contains(&byte);
        let text = dir.to_str().filter(|text| text.bytes().all(plain));
        if text.is_none() || !dir.is_absolute() {
            return Err(KeysError::Path(dir.to_owned()));
        }
        Ok(Self {
            dir: dir.to_owned(),
            layout,
        })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How keys lie in their files.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Makes the folder, for its owner alone, on memory that is never swapped.
    ///
    /// # Errors
    /// [`KeysError::Ground`] where keys could reach a disk and that is not allowed.
    pub fn make(&self, allow_disk: bool) -> Result<(), KeysError> {
        self.check_ground(allow_disk)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o755);
        if let Some(parent) = self.dir.parent() {
            let made = builder.create(parent);
            made.map_err(|why| KeysError::file("make", parent, why))?;
        }
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
                Err(KeysError::file("make", &self.dir, why))
            }
            _ => self.close_to_others(),
        }?;
        // Once more: the folder itself may be another mount.
        self.check_ground(allow_disk)
    }

    /// Refuses a folder whose bytes may reach a disk.
    ///
    /// # Errors
    /// [`KeysError::Ground`], unless that is allowed.
    pub fn check_ground(&self, allow_disk: bool) -> Result<(), KeysError> {
        let why = Ground::under(&self.dir)?.why_not();
        match why.filter(|_| !allow_disk) {
            None => Ok(()),
            Some(why) => Err(KeysError::Ground {
                path: self.dir.clone(),
                why,
            }),
        }
    }

    fn close_to_others(&self) -> Result<(), KeysError> {
        let metadata = fs::symlink_metadata(&self.dir);
        let metadata = metadata.map_err(|why| KeysError::file("read", &self.dir, why))?;
        if !metadata.is_dir() {
            let why = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(KeysError::file("use", &self.dir, why));
        }
        if metadata.mode() & 0o777 == 0o700 {
            return Ok(());
        }
        let changed = fs::set_permissions(&self.dir, fs::Permissions::from_mode(0o700));
        changed.map_err(|why| KeysError::file("close to others", &self.dir, why))
    }

    /// Takes the folder for one run; does not wait.
    ///
    /// # Errors
    /// [`KeysError::Busy`], [`KeysError::NotMade`].
    pub fn lock(&self) -> Result<Lock, KeysError> {
        if !self.dir.is_dir() {
            return Err(KeysError::NotMade(self.dir.clone()));
        }
        let path = self.dir.join(LOCK);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|why| KeysError::file("open", &path, why))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(KeysError::Busy(self.dir.clone())),
            Err(TryLockError::Error(why)) => Err(KeysError::file("lock", &path, why)),
        }
    }

    /// What is remembered; `None` where nothing is, or nothing that can be read: the files of
    /// keys say the rest.
    pub fn saved(&self) -> Option<Saved> {
        let (file, _) = open_regular(&self.dir.join(STATE)).ok()?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Remembers.
    ///
    /// # Errors
    /// [`KeysError::File`]; what was remembered before is still there.
    pub fn save(&self, saved: &Saved) -> Result<(), KeysError> {
        let path = self.dir.join(STATE);
        let text = serde_json::to_vec(saved);
        let text = text.map_err(|why| KeysError::file("write", &path, why))?;
        self.put(STATE, &text)
    }

    /// Every key that lies here, each read and compared with its name.
    ///
    /// # Errors
    /// [`KeysError::File`] where the folder cannot be read.
    pub fn contents(&self) -> Result<Contents, KeysError> {
        let mut contents = Contents::default();
        for name in self.names()? {
            let Some(offer) = names::parse(&name) else {
                continue;
            };
            match self.secret(&offer) {
                Ok(_) => contents.keys.push(offer),
                Err(_) => contents.damaged.push(self.dir.join(name)),
            }
        }
        contents.keys.sort_by_key(|offer| offer.key);
        contents.damaged.sort();
        Ok(contents)
    }

    /// Makes a key for a slot; `derived` marks one that stands in for a key that did not come.
    ///
    /// # Errors
    /// [`KeysError`]; nothing has changed then.
    pub fn add(&self, slot: Slot, derived: bool) -> Result<Offer, KeysError> {
        let secret = Secret::random(self.layout)?;
        self.keep(slot, &secret, derived)
    }

    /// Makes the keys that follow from one that lies here.
    ///
    /// # Errors
    /// [`KeysError`]; some of the keys may lie here then.
    pub fn ratchet(&self, ratchet: &Ratchet) -> Result<Vec<Offer>, KeysError> {
        let contents = self.contents()?;
        let from = contents.keys.iter().find(|offer| offer.key == ratchet.from);
        let from = from.ok_or_else(|| KeysError::Damaged(self.dir.clone()))?;
        let mut last = self.secret(from)?;
        let mut offers = Vec::new();
        for epoch in ratchet.from.slot.epoch + 1..=ratchet.until {
            last = last.next(self.layout, epoch)?;
            let slot = Slot {
                epoch,
                ..ratchet.from.slot
            };
            offers.push(self.keep(slot, &last, true)?);
        }
        Ok(offers)
    }

    /// Writes a key's file.
    pub(super) fn keep(
        &self,
        slot: Slot,
        secret: &Secret,
        derived: bool,
    ) -> Result<Offer, KeysError> {
        let key = Key {
            slot,
            id: secret.id,
        };
        let offer = Offer::new(key, derived);
        self.put(&names::of(&offer), &secret.bytes)?;
        Ok(offer)
    }

    /// A key, on the heap and wiped when dropped.
    ///
    /// # Errors
    /// [`KeysError::Damaged`] where it is not what its name says.
    pub fn key(&self, offer: &Offer) -> Result<Box<TicketKey>, KeysError> {
        let key = self.secret(offer)?.key(self.layout);
        key.ok_or_else(|| KeysError::Damaged(self.file(offer)))
    }

    fn secret(&self, offer: &Offer) -> Result<Secret, KeysError> {
        let path = self.file(offer);
        let failed = |why| KeysError::file("read", &path, why);
        let (mut file, metadata) = open_regular(&path).map_err(failed)?;
        if metadata.len() != self.layout.bytes() as u64 {
            return Err(KeysError::Damaged(path));
        }
        let mut bytes = Zeroizing::new(vec![0; self.layout.bytes()]);
        file.read_exact(&mut bytes).map_err(failed)?;
        let secret = Secret::of(self.layout, bytes).filter(|secret| secret.id == offer.key.id);
        secret.ok_or(KeysError::Damaged(path))
    }

    /// The file of a key.
    pub fn file(&self, offer: &Offer) -> PathBuf {
        self.dir.join(names::of(offer))
    }

    /// The include as it stands; `None` where there is none.
    ///
    /// # Errors
    /// [`KeysError::File`] where it cannot be read.
    pub fn include(&self) -> Result<Option<Vec<u8>>, KeysError> {
        let path = self.dir.join(include::NAME);
        match read_at_most(&path, LARGEST) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(KeysError::file("read", &path, why)),
        }
    }

    /// The include's text for keys in this order.
    pub fn include_for(&self, keys: &[Offer], cache: Option<&str>) -> Vec<u8> {
        let files: Vec<PathBuf> = keys.iter().map(|offer| self.file(offer)).collect();
        include::text(self.layout, &files, cache)
    }

    /// Puts an include into place, or takes it away.
    ///
    /// # Errors
    /// [`KeysError::File`]; the old one is still there.
    pub fn put_include(&self, text: Option<&[u8]>) -> Result<(), KeysError> {
        let Some(text) = text else {
            let path = self.dir.join(include::NAME);
            return match fs::remove_file(&path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => {
                    Err(KeysError::file("remove", &path, why))
                }
                _ => Ok(()),
            };
        };
        self.put(include::NAME, text)
    }

    /// Overwrites and removes every key that is not one of these, and what an interrupted run
    /// left.
    ///
    /// # Errors
    /// [`KeysError::File`]; the others were still tried.
    pub fn forget_all_but(&self, kept: &[Key]) -> Result<usize, KeysError> {
        let mut failed = None;
        let mut forgotten = 0;
        for name in self.names()? {
            let unwanted = match names::parse(&name) {
                Some(offer) => !kept.contains(&offer.key),
                None => name.starts_with(NEW),
            };
            if !unwanted {
                continue;
            }
            match forget(&self.dir.join(name)) {
                Ok(()) => forgotten += 1,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(forgotten), Err)
    }

    fn names(&self) -> Result<Vec<String>, KeysError> {
        let failed = |why| KeysError::file("list", &self.dir, why);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    /// Writes a file of this name, whole or not at all.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), KeysError> {
        let path = self.dir.join(name);
        let new = self.dir.join(format!("{NEW}{name}"));
        // What a run that was killed left here.
        if new.exists() {
            forget(&new)?;
        }
        let put = || {
            write_new(&new, bytes).map_err(|why| KeysError::file("write", &path, why))?;
            label::as_folder(&self.dir, &new)?;
            fs::rename(&new, &path).map_err(|why| KeysError::file("write", &path, why))
        };
        put().inspect_err(|_| {
            let _ = forget(&new);
        })
    }
}

/// A key out of a file of somebody else's, on the heap and wiped when dropped.
///
/// # Errors
/// [`KeysError`] where it cannot be read or is no key of this layout.
pub fn read_key(path: &Path, layout: Layout) -> Result<Box<TicketKey>, KeysError> {
    let failed = |why| KeysError::file("read", path, why);
    let (file, _) = open_regular(path).map_err(failed)?;
    // httpd reads the first bytes of a longer file.
    let mut bytes = Zeroizing::new(Vec::with_capacity(layout.bytes()));
    let most = layout.bytes() as u64;
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let key = Secret::of(layout, bytes).and_then(|secret| secret.key(layout));
    key.ok_or_else(|| KeysError::Damaged(path.to_owned()))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// Overwrites a file in place and removes it.
fn forget(path: &Path) -> Result<(), KeysError> {
    let wiped = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| {
            let length = file.metadata()?.len().min(LARGEST);
            file.write_all(&vec![0; length as usize])
        });
    let removed = fs::remove_file(path);
    wiped
        .and(removed)
        .map_err(|why| KeysError::file("forget", path, why))
}
