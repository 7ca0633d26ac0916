//! `keys status --fleet`: what the store has of a fleet, read and verified; the roster says by
//! whose identities. Writes nothing. What is wrong is judged in [`crate::keys::fleet`].

use super::FleetWish;
use super::fleet_error::FleetError;
use crate::app::{AppError, clock};
use crate::keys::core::{Schedule, Slot, WhenMissing};
use crate::keys::fleet::store::{self, Store, StoreError};
use crate::keys::fleet::{
    Enrolled, Facts, Head, Header, HostName, HostReport, Item, Refused, Roster, RosterFile,
    read_claim, read_head, read_report,
};

pub use crate::keys::fleet::Overview;

/// Records that are asked for at once.
const AT_ONCE: usize = 100;
/// A report may be as many looks at the store old.
const LOOKS: u64 = 5;
/// No report is stale before this, in milliseconds.
const SHORTEST: u64 = 2_000;
/// Slots of the window that are looked at; a plan of more is drawn in part.
const CLAIMS: u64 = 1_000;

/// How the fleet of the settings stands.
///
/// # Errors
/// [`AppError::Fleet`] where the roster cannot be read or no store answers.
pub fn fleet_status(wish: &FleetWish) -> Result<Overview, AppError> {
    Ok(Overview::of(facts(wish)?))
}

fn facts(wish: &FleetWish) -> Result<Facts, FleetError> {
    let roster = RosterFile::at(wish.roster()?).read()?;
    let schedule = Schedule::new(&wish.rotation, WhenMissing::Ratchet);
    let (mut store, head) = nearest(wish)?;
    let head = head.map(|bytes| {
        let head = read_head(&bytes, &wish.name, &wish.signers);
        head.and_then(|head| head.of_interval(schedule.interval))
    });
    let reports = reports(wish, store.as_mut(), &roster)?;
    let now = clock::both().wall;
    let heard = head.as_ref().and_then(|head| head.as_ref().ok());
    let claims = claims(wish, store.as_mut(), &schedule, heard, now)?;
    let strangers = strangers(wish, store.as_mut(), &roster)?;
    Ok(Facts {
        fleet: wish.name.clone(),
        schedule,
        lifetime: wish.rotation.lifetime.saturating_mul(1000),
        now,
        stale: wish.poll.saturating_mul(LOOKS).max(SHORTEST),
        head,
        reports,
        claims,
        strangers,
    })
}

/// A store and the heartbeat that it has.
type Answered = (Box<dyn Store>, Option<Vec<u8>>);

/// The first store that answers, and what it says of the generator.
fn nearest(wish: &FleetWish) -> Result<Answered, FleetError> {
    let name = Item::Head.name(&wish.name);
    let mut failed = None;
    for url in &wish.stores {
        let answered = store::open(url, &wish.access).and_then(|mut store| {
            let found = store.read(std::slice::from_ref(&name))?;
            Ok((store, found.into_iter().next().flatten()))
        });
        match answered {
            Ok(answered) => return Ok(answered),
            Err(why) => failed = Some(why),
        }
    }
    let nothing = || StoreError::NoStore(String::new());
    Err(failed.unwrap_or_else(nothing).into())
}

type Report = (HostName, Option<Result<HostReport, Refused>>);

fn reports(
    wish: &FleetWish,
    store: &mut dyn Store,
    roster: &Roster,
) -> Result<Vec<Report>, StoreError> {
    let mut out = Vec::new();
    for hosts in roster.hosts.chunks(AT_ONCE) {
        let name = |host: &Enrolled| Item::Report(host.name.clone()).name(&wish.name);
        let names: Vec<String> = hosts.iter().map(name).collect();
        let records = store.read(&names)?;
        for (host, record) in hosts.iter().zip(records) {
            let read = |bytes: Vec<u8>| read_report(&bytes, &wish.name, &host.name, &host.identity);
            out.push((host.name.clone(), record.map(read)));
        }
    }
    Ok(out)
}

/// Who has which slot of the window, in the generation that is in force.
fn claims(
    wish: &FleetWish,
    store: &mut dyn Store,
    schedule: &Schedule,
    head: Option<&Head>,
    now: u64,
) -> Result<Vec<Result<Header, Refused>>, StoreError> {
    let generation = head.map_or(0, |head| head.generation);
    let epoch = schedule.epoch(now);
    let last = epoch
        .saturating_add(schedule.ahead.min(CLAIMS))
        .saturating_add(1);
    let first = epoch.saturating_sub(schedule.previous.min(CLAIMS));
    let slots: Vec<Slot> = (first..=last)
        .map(|epoch| Slot { generation, epoch })
        .collect();
    let mut out = Vec::new();
    for slots in slots.chunks(AT_ONCE) {
        let names: Vec<String> = slots
            .iter()
            .map(|slot| Item::Key(*slot).name(&wish.name))
            .collect();
        let records = store.read(&names)?;
        for (slot, record) in slots.iter().zip(records) {
            let Some(bytes) = record else { continue };
            let claim = read_claim(&bytes, &wish.name, *slot, &wish.signers);
            out.push(claim.and_then(|header| header.of_interval(schedule.interval)));
        }
    }
    Ok(out)
}

/// Hosts that report and that the roster does not have, those that were revoked among them.
fn strangers(
    wish: &FleetWish,
    store: &mut dyn Store,
    roster: &Roster,
) -> Result<Vec<String>, StoreError> {
    let prefix = format!("stekguard:{}:report:", wish.name);
    let names = match store.list(&prefix) {
        // memcached cannot tell, and a user of Redis may not be allowed to.
        Err(StoreError::Unable { .. } | StoreError::Refused { .. }) => return Ok(Vec::new()),
        names => names?,
    };
    let enrolled = |name: &str| roster.hosts.iter().any(|host| host.name.as_str() == name);
    let names = names.iter().filter_map(|name| name.strip_prefix(&prefix));
    let strangers = names.filter(|name| !enrolled(name));
    let mut strangers: Vec<String> = strangers.map(str::to_owned).collect();
    strangers.sort();
    Ok(strangers)
}
