//! What a host knows of its keys between two looks. Pure; kept by the caller.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::key::Key;

/// Keys as a server loads them.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Set {
    /// The one that encrypts; `None`: no tickets.
    pub encrypts: Option<Key>,
    /// Those that only decrypt: coming ones first, then past ones, newest first.
    pub decrypts: Vec<Key>,
}

impl Set {
    /// Every key, the encrypting one first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.encrypts.iter().chain(&self.decrypts)
    }

    /// True when the server has this key loaded.
    pub fn has(&self, key: &Key) -> bool {
        self.keys().any(|held| held == key)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(key) = self.encrypts else {
            return out.write_str("no tickets: no key came in time");
        };
        let (id, epoch, more) = (key.id, key.slot.epoch, self.decrypts.len());
        write!(
            out,
            "key {id} of slot {epoch} encrypts, {more} more decrypt"
        )
    }
}

/// A key that the host has.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Its name.
    pub key: Key,
    /// It was derived from an older key because no new one came.
    #[serde(default)]
    pub derived: bool,
    /// A server runs with it, as far as was verified.
    #[serde(default)]
    pub loaded: bool,
    /// When it stopped encrypting, in milliseconds since 1970.
    #[serde(default)]
    pub stopped: Option<u64>,
    /// When it became public, in milliseconds since 1970, where that was said.
    #[serde(default)]
    pub made: Option<u64>,
}

impl Held {
    /// A key that was just taken in.
    pub const fn new(key: Key, derived: bool) -> Self {
        Self {
            key,
            derived,
            loaded: false,
            stopped: None,
            made: None,
        }
    }
}

/// What a host knows of its keys. The default is a host that knows nothing yet.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The time of slots at the last look.
    pub clock: Option<Clock>,
    /// Keys of a lower generation are void; never falls.
    pub floor: u32,
    /// Every key at hand, sorted.
    pub held: Vec<Held>,
    /// What the server runs with, as far as was verified.
    pub applied: Option<Set>,
}

impl State {
    /// The state once the server runs with `set`: what is not in it is forgotten, but for keys
    /// of coming slots, which wait.
    #[must_use]
    pub fn applied(mut self, set: &Set) -> Self {
        let time = self.clock.map_or(0, |clock| clock.time);
        let before = self.applied.as_ref().and_then(|old| old.encrypts);
        let current = set.encrypts.map(|key| key.slot);
        let waits = |key: &Key| current.is_some_and(|slot| key.slot > slot);
        self.held
            .retain(|held| set.has(&held.key) || waits(&held.key));
        for held in &mut self.held {
            held.loaded = set.has(&held.key);
            if Some(held.key) == set.encrypts {
                held.stopped = None;
            } else if Some(held.key) == before {
                held.stopped = Some(time);
            }
        }
        self.applied = Some(set.clone());
        self
    }

    /// The key that encrypts, as far as was verified.
    pub fn encrypts(&self) -> Option<Key> {
        self.applied.as_ref().and_then(|set| set.encrypts)
    }

    /// A key by its name.
    pub fn find(&self, key: &Key) -> Option<&Held> {
        self.held.iter().find(|held| held.key == *key)
    }
}
