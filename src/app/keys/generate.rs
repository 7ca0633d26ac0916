//! `keys generate`: the generator of a fleet, tick after tick until it is killed. A restart loses
//! the seeds, as it has to be: nothing of them is written anywhere.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::fleet_wish::{FleetMode, FleetWish};
use super::{FleetError, port};
use crate::app::{AppError, clock};
use crate::keys::core::{Schedule, WhenMissing};
use crate::keys::fleet::store::open;
use crate::keys::fleet::{
    FleetKey, Generator, GeneratorOptions, Places, RosterFile, Sealing, Signer,
};
use crate::keys::{KeysError, keep_to_itself};

pub use crate::keys::fleet::{GeneratorCounts, GeneratorTick};
pub use crate::keys::{GeneratorUnit, generator_unit};

/// Where a credential comes from that the settings name.
const CREDENTIALS: &str = "/etc/stekguard";

/// How a generator runs.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    /// The fleet.
    pub fleet: FleetWish,
    /// What the environment says about private keys.
    pub places: Places,
    /// One tick and no more.
    pub once: bool,
    /// The fleet has had no key so far.
    pub founding: bool,
    /// Memory that the system does not lock is good enough.
    pub allow_unlocked: bool,
    /// Where metrics are shown.
    pub metrics: Option<SocketAddr>,
}

/// What the unit of a generator is made of, as far as the settings say it.
pub fn unit_of(fleet: &FleetWish, agent: Option<PathBuf>, program: PathBuf) -> GeneratorUnit {
    let secrets = fleet.secrets();
    let named = secrets
        .iter()
        .filter_map(|it| it.strip_prefix("credential:"));
    let credentials: Vec<(String, PathBuf)> = named
        .map(|name| (name.to_owned(), Path::new(CREDENTIALS).join(name)))
        .collect();
    let folder = fleet.write_store.strip_prefix("directory:");
    let signs = secrets.iter().any(|it| it.starts_with("agent:"));
    GeneratorUnit {
        program,
        fleet: fleet.name.to_string(),
        arguments: Vec::new(),
        // A folder belongs to somebody, and the agent's socket too.
        own_user: credentials.len() == secrets.len() && folder.is_none(),
        credentials,
        agent: agent.filter(|_| signs),
        writes: folder.map(PathBuf::from).into_iter().collect(),
    }
}

/// Runs until killed; `tell` hears of every tick, and its text is served as metrics. Gives the
/// last tick where there is one.
///
/// # Errors
/// [`AppError`] for whatever is wrong before the first tick: settings, private keys, the roster,
/// the store's address, the port. Later nothing ends it.
pub fn generate(
    request: &GenerateRequest,
    tell: &mut dyn FnMut(&GeneratorTick) -> Option<String>,
) -> Result<GeneratorTick, AppError> {
    let mut start = keep_to_itself();
    if let (Some(first), false) = (start.first(), request.allow_unlocked) {
        return Err(FleetError::Unlocked(first.clone()).into());
    }
    let file = RosterFile::at(request.fleet.roster()?);
    let mut generator = ready(request, &file, &mut start)?;
    let page = match request.metrics {
        Some(address) => Some(port::open(address).map_err(KeysError::Port)?),
        None => None,
    };
    loop {
        let mut alarms = std::mem::take(&mut start);
        match file.read() {
            Ok(roster) => generator.set_roster(roster),
            Err(why) => alarms.push(format!("{why}; the roster of before holds")),
        }
        let mut tick = generator.tick(clock::both());
        tick.alarms.splice(0..0, alarms);
        let text = tell(&tick);
        if let (Some(page), Some(text)) = (&page, text) {
            page.show(text);
        }
        if request.once {
            return Ok(tick);
        }
        thread::sleep(Duration::from_millis(tick.pause));
    }
}

/// A generator that has everything it needs; `remarks` hears of what is odd.
fn ready(
    request: &GenerateRequest,
    file: &RosterFile,
    remarks: &mut Vec<String>,
) -> Result<Generator, FleetError> {
    let GenerateRequest { fleet, places, .. } = request;
    let roster = file.read()?;
    let signer = Signer::open(fleet.signing_key()?, places)?;
    let sealing = match fleet.mode {
        FleetMode::PerHost => Sealing::Hosts,
        FleetMode::FleetKey => Sealing::Fleet(FleetKey::open(fleet.fleet_key()?, places)?),
    };
    if !fleet.signers.0.is_empty() && !fleet.signers.0.contains(signer.public()) {
        remarks.push(format!(
            "{} is not in `signers`: hosts with the same list do not believe this generator",
            signer.public()
        ));
    }
    let schedule = Schedule::new(&fleet.rotation, WhenMissing::Ratchet);
    let options = GeneratorOptions {
        fleet: fleet.name.clone(),
        sealing,
        signer,
        others: fleet.signers.clone(),
        schedule,
        // Whoever has a slot's seed has to offer it while the others still wait.
        poll: fleet.poll.min((schedule.interval / 20).max(1)),
        founding: request.founding,
    };
    let store = open(&fleet.write_store, &fleet.access)?;
    Ok(Generator::new(options, store, roster))
}
