//! `[fleet]` of the settings: ticket keys that many hosts share. Plain data: what names, keys
//! and addresses have to look like is the business of those who use them.

use serde::{Deserialize, Serialize};

use super::Period;

/// Where a host remembers what must not be rolled back.
pub const FLEET_MEMORY: &str = "/var/lib/stekguard/fleet";
/// The scope of a host that says none.
pub const FLEET_SCOPE: &str = "default";
/// How long a store may take to answer, in seconds.
pub const STORE_PATIENCE: u64 = 2;

/// What the settings say about a fleet. Names of files start from the settings' folder.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetSettings {
    /// The fleet's name.
    pub name: Option<String>,
    /// This host's name in the roster.
    pub host: Option<String>,
    /// For whom keys are sealed.
    pub mode: Option<FleetMode>,
    /// Stores that are read, the nearest first.
    pub store: Vec<String>,
    /// The store that is written; the first one where there is none.
    pub write_store: Option<String>,
    /// The name to log in to the store by.
    pub store_user: Option<String>,
    /// The file with the store's password.
    pub store_password_file: Option<String>,
    /// The certificates by which a store's own is judged.
    pub store_ca: Option<String>,
    /// The certificate to show to a store.
    pub store_cert: Option<String>,
    /// That certificate's key.
    pub store_key: Option<String>,
    /// How long a store may take to answer.
    pub store_patience: Option<Period>,
    /// Public keys of the generators that are believed.
    pub signers: Vec<String>,
    /// The generator's private key.
    pub signing_key: Option<String>,
    /// The key that all hosts of the fleet have.
    pub fleet_key: Option<String>,
    /// The host's private key.
    pub identity: Option<String>,
    /// The generator's list of hosts.
    pub roster: Option<String>,
    /// Hosts of one scope have the same key files.
    pub scope: Option<String>,
    /// Where a host remembers the highest generation.
    pub memory: Option<String>,
    /// How often the store is looked at.
    pub poll: Option<Period>,
}

/// For whom keys are sealed.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetMode {
    /// For each host by itself, under a key that only lives in its memory.
    #[default]
    PerHost,
    /// Under one key that all hosts have on their disks.
    FleetKey,
}
