//! How the keys stand, and what a run would do about it: looks and changes nothing.

use std::path::PathBuf;

use serde::Serialize;

use super::{KeysRequest, Status, Verdict, rotate, targets};
use crate::app::{AppError, clock};
use crate::keys::core::{Key, Offer};
use crate::keys::{Folder, KeysError, check_now};

/// How the keys stand.
#[derive(Clone, Debug)]
pub struct Stand {
    /// `None`: there is no folder yet.
    pub status: Option<Status>,
    /// The keys that the server has loaded, the encrypting one first.
    pub keys: Vec<Placed>,
    /// A run would change something.
    pub changes: bool,
    /// Why keys must not be made there, as things are, where there is no folder yet.
    pub doubt: Option<String>,
}

/// A key and where it lies.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Placed {
    /// The first 8 bytes of the SHA-256 of its bytes, in hexadecimal digits.
    pub id: String,
    /// The slot in which it encrypts: time since 1970 by the interval.
    pub slot: u64,
    /// How often all keys were replaced before.
    pub generation: u32,
    /// Its file; `None` where that is gone or damaged.
    pub path: Option<PathBuf>,
}

/// Looks.
///
/// # Errors
/// [`AppError::Keys`] where the folder cannot be read or a run would refuse it.
pub fn stand(request: &KeysRequest) -> Result<Stand, AppError> {
    let folder = request.folder()?;
    let saved = folder.saved();
    let allowed = request.allow_disk || saved.is_some_and(|saved| saved.allow_disk);
    let ground = folder.check_ground(allowed);
    if !folder.dir().is_dir() {
        let doubt = match ground {
            // Memory may be mounted there before keys are made.
            Err(why @ KeysError::Ground { .. }) => Some(why.to_string()),
            other => other.map(|()| None)?,
        };
        return Ok(Stand {
            status: None,
            keys: Vec::new(),
            changes: true,
            doubt,
        });
    }
    ground?;
    let status = Status::read(&folder, &request.schedule(), clock::both())?;
    let whole = rotate::turn(request, &folder, &|| targets::live(request)).stands()?;
    Ok(Stand {
        keys: placed(&folder, &status)?,
        changes: status.pending || !whole,
        status: Some(status),
        doubt: None,
    })
}

/// Asks the server for tickets and compares them with the current key, as the request says.
///
/// # Errors
/// [`AppError::Keys`] where the folder's path cannot be used.
pub fn check(request: &KeysRequest) -> Result<Verdict, AppError> {
    Ok(check_now(&request.folder()?, &targets::live(request)))
}

fn placed(folder: &Folder, status: &Status) -> Result<Vec<Placed>, KeysError> {
    let files = folder.contents()?.keys;
    let path = |key: &Key| {
        let found = files.iter().find(|offer: &&Offer| offer.key == *key);
        found.map(|offer| folder.file(offer))
    };
    let loaded = status.encrypts.iter().chain(&status.decrypts);
    let placed = loaded.map(|key| Placed {
        id: key.id.to_string(),
        slot: key.slot.epoch,
        generation: key.slot.generation,
        path: path(key),
    });
    Ok(placed.collect())
}
