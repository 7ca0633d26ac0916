//! What is remembered beside the keys: the core's state and what became of the last runs.
//! Holds ids and times, no key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::core::State;

/// The form that this version writes.
pub const SCHEMA: &str = "stekguard-keys/1";

/// The memory of one folder of keys.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Saved {
    /// [`SCHEMA`].
    pub schema: String,
    /// The core's state.
    pub state: State,
    /// Keys may lie on a disk here: somebody typed that out.
    #[serde(default)]
    pub allow_disk: bool,
    /// What was done, and how it ended.
    #[serde(default)]
    pub history: History,
}

/// What was done, and how it ended.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct History {
    /// Reloads that went live.
    pub reloads_ok: u64,
    /// Reloads that were taken back.
    pub reloads_failed: u64,
    /// When the last set went live, in seconds since 1970.
    pub last_reload: u64,
    /// When the last run ended, in seconds since 1970.
    pub last_run: u64,
    /// What the last live check said.
    pub live_check: Option<String>,
    /// The last failure, until a set goes live again.
    pub last_failure: Option<String>,
    /// Offered keys that were not taken, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Server processes that were replaced and still run.
    pub draining: Vec<Draining>,
}

/// A server process that was replaced and still runs, with the keys of its time.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Draining {
    /// Its number.
    pub pid: u32,
    /// When it was started, in ticks since boot: numbers are used again.
    pub started: u64,
    /// When it was first seen draining, in seconds since 1970.
    pub since: u64,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            state: State::default(),
            allow_disk: false,
            history: History::default(),
        }
    }
}
