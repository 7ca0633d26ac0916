//! What is wanted: goals and thresholds, as pure data. Knows no rule.

mod rotation;
pub mod settings;

use serde::{Deserialize, Serialize};

pub use rotation::Rotation;

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
        }
    }
}
