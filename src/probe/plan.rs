//! What a probe is to do, and why it could not. Data alone.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Target, TargetError};

/// What to look at, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where.
    pub targets: Vec<Target>,
    /// Addresses with the name to ask for, beside the targets.
    pub places: Vec<(SocketAddr, Option<String>)>,
    /// Names to ask for at each target; empty: the target's own.
    pub names: Vec<Option<String>>,
    /// Look at TLS 1.2.
    pub tls12: bool,
    /// Look at TLS 1.3.
    pub tls13: bool,
    /// How many fresh sessions of each kind are offered.
    pub attempts: u32,
    /// How often a connection is tried again that did not come about.
    pub retries: u32,
    /// Connections a second at most.
    pub rate: u32,
    /// Endpoints that are looked at side by side.
    pub jobs: usize,
    /// What else is looked at.
    pub mode: Mode,
}

/// What else is looked at.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Mode {
    /// Nothing.
    Look,
    /// How it goes on over time.
    Watch {
        /// How long.
        duration: Duration,
        /// Between two looks.
        every: Duration,
    },
    /// Sessions of each address at the others.
    Fleet,
    /// Sessions of each name at the others, of none and of an unknown one too.
    Across,
    /// Which sessions a client can end.
    Endings,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            places: Vec::new(),
            names: Vec::new(),
            tls12: true,
            tls13: true,
            attempts: 6,
            retries: 1,
            rate: 50,
            jobs: 4,
            mode: Mode::Look,
        }
    }
}

/// Why a probe could not do its job at all.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum ProbeError {
    /// A place that cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A name without an address.
    #[error("{host} has no address: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The client could not be made.
    #[error("{0}")]
    Client(String),
    /// A connection that is the whole job failed.
    #[error("{address}: {why}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// Built without the feature.
    #[error("this stekguard was built without its TLS client, which probe needs")]
    NotBuilt,
}
