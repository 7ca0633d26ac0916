//! What is wanted: goals and thresholds, as pure data. Knows no rule.

mod profile;
mod rotation;
pub mod settings;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use profile::{PROFILES, Profile};
pub use rotation::Rotation;

/// Where `stekguard keys` puts nginx's ticket keys where nobody says otherwise: a folder of a
/// file system in memory.
pub const KEYS_DIRECTORY: &str = "/run/stekguard/keys/nginx";

/// What resumption has to look like.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Resumption off, or stateless tickets off with a bounded cache, or rotating keys.
    #[default]
    Sound,
    /// No stateless tickets.
    NoTickets,
    /// Nothing resumes.
    NoResumption,
    /// Stateless tickets under key files that somebody replaces.
    Rotate,
    /// Stateless tickets under keys that nginx replaces itself, in a shared session cache.
    Automatic,
}

impl Goal {
    /// True where stateless tickets are wanted, under keys that are replaced.
    pub const fn wants_tickets(self) -> bool {
        matches!(self, Self::Rotate | Self::Automatic)
    }
}

/// What `lint` measures by and `fix` aims at.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Policy {
    /// The goal.
    pub goal: Goal,
    /// A lifetime strictly above this many seconds is a warning.
    pub lifetime_warning: u64,
    /// A lifetime strictly above this many seconds is an error.
    pub lifetime_error: u64,
    /// A ticket key that is older than this many seconds should have been replaced.
    pub key_age: u64,
    /// How httpd's tickets are turned off.
    pub apache_directive: ApacheDirective,
    /// How ticket keys rotate, where they do.
    pub rotation: Rotation,
    /// The folder on nginx's machine that holds the rotated keys and the file that lists them.
    /// Who includes `*.conf` of it has declared that its keys are replaced.
    pub keys_directory: PathBuf,
    /// Files that no fix may edit, so that a rule looks for another place. Paths as the server
    /// opens them.
    pub untouchable: Arc<HashSet<PathBuf>>,
}

/// How httpd's tickets are turned off.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum ApacheDirective {
    /// `SSLOpenSSLConfCmd Options -SessionTicket` where the vhost already uses
    /// `SSLOpenSSLConfCmd Options`, else `SSLSessionTickets off`.
    #[default]
    #[serde(rename = "auto")]
    Automatic,
    /// `SSLSessionTickets off` (2.4.11 and later).
    #[serde(rename = "session-tickets")]
    SessionTickets,
    /// `SSLOpenSSLConfCmd Options -SessionTicket`.
    #[serde(rename = "conf-command")]
    ConfCmd,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            goal: Goal::Sound,
            // RFC 5246 F.1.4 suggests a day; RFC 8446 4.6.1 forbids more than a week.
            lifetime_warning: 24 * 60 * 60,
            lifetime_error: 7 * 24 * 60 * 60,
            // RFC 9325 3.4 asks for weekly new keys at least; nginx's own live for a timeout.
            key_age: 24 * 60 * 60,
            apache_directive: ApacheDirective::Automatic,
            rotation: Rotation::default(),
            keys_directory: PathBuf::from(KEYS_DIRECTORY),
            untouchable: Arc::default(),
        }
    }
}
