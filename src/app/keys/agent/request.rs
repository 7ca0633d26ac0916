//! What an agent is asked for, what it tells, and what its unit has to let it do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::keys::fleet_wish::{FleetMode, FleetWish};
use crate::app::keys::{AgentUnit, KeysRequest, Rotated};
use crate::keys::Status;
use crate::keys::fleet::Places;
use crate::keys::fleet::agent::Seen;

/// Where secrets lie that systemd hands over.
const CREDENTIALS: &str = "/etc/stekguard";

/// What an agent works with.
#[derive(Clone, Debug)]
pub struct AgentRequest {
    /// The folder, the server and the plan.
    pub keys: KeysRequest,
    /// The fleet.
    pub fleet: FleetWish,
    /// Where private keys may be beside files.
    pub places: Places,
    /// One round of questions and one run, then the end.
    pub once: bool,
    /// Metrics are shown at this loopback address.
    pub metrics: Option<SocketAddr>,
    /// A drill: the wall clock is read this many milliseconds wrong.
    pub clock_offset: i64,
}

impl AgentRequest {
    /// Only an agent that runs can open what is sealed for its host.
    pub fn has_to_run(&self) -> bool {
        self.fleet.mode == FleetMode::PerHost
    }
}

/// What an agent has to tell.
#[derive(Debug)]
pub enum AgentNews<'a> {
    /// A remark.
    Note(&'a str),
    /// Something is wrong.
    Alarm(&'a str),
    /// It ran.
    Ran(&'a Rotated),
    /// It could not; it goes on.
    Failed(&'a AppError),
    /// How it stands now.
    Stands(&'a Status, &'a Seen),
}

/// What the unit of an agent has to let it do: its memory, folders that are stores, and secrets
/// that the settings call `credential:NAME`, taken from files of these names.
pub fn agent_unit(fleet: &FleetWish) -> (AgentUnit, Vec<PathBuf>) {
    let secrets = [fleet.identity().ok(), fleet.fleet_key().ok()];
    let names = secrets.iter().flatten();
    let names = names.filter_map(|it| it.strip_prefix("credential:"));
    let credentials = names.map(|name| (name.to_owned(), Path::new(CREDENTIALS).join(name)));
    let unit = AgentUnit {
        credentials: credentials.collect(),
        memory: fleet.memory.clone(),
    };
    let folder = fleet.write_store.strip_prefix("directory:");
    (unit, folder.map(PathBuf::from).into_iter().collect())
}

/// How one round ended.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Ended {
    /// What is wrong, one sentence each.
    pub wrong: Vec<String>,
    /// The keys did not go live.
    pub failed: bool,
}

/// Hears news; its answer to [`AgentNews::Stands`] is shown as metrics.
pub type Tell<'a> = dyn FnMut(&AgentNews<'_>) -> Option<String> + 'a;
