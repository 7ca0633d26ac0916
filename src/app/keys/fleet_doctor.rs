//! Rows of `keys doctor` for a host or a generator of a fleet: whom it believes, its keys' files,
//! its stores, the generator's heartbeat and the clocks. Changes nothing, shows no key.

use super::fleet_error::FleetError;
use super::{Check, FleetMode, FleetWish, Grade};
use crate::app::clock;
use crate::keys::fleet::store;
use crate::keys::fleet::{FleetKey, Item, Places, RosterFile, SealError, Signer, read_head};
use crate::policy::settings::Period;

/// A host that looks less often than this many times a slot may miss a key.
const LOOKS: u64 = 4;

/// Looks at everything.
pub fn fleet_doctor(wish: &FleetWish, places: &Places) -> Vec<Check> {
    let mut checks = vec![signers(wish)];
    checks.extend(keys(wish, places));
    checks.extend(roster(wish));
    checks.push(poll(wish));
    checks.extend(stores(wish));
    checks
}

fn signers(wish: &FleetWish) -> Check {
    let name = "fleet signers";
    match wish.signers.0.len() {
        0 => {
            let text = "no generator is believed: `signers` of [fleet] names their public keys";
            Check::new(name, Grade::Error, text)
        }
        count => Check::new(name, Grade::Ok, format!("{count} public keys are believed")),
    }
}

/// The private keys: there, of the right kind, and closed to others.
fn keys(wish: &FleetWish, places: &Places) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |name, source: Result<&str, FleetError>, open: Open, needed: bool| {
        let opened = match source {
            Ok(source) => open(source, places).map_err(|why| why.to_string()),
            Err(_) if !needed => return,
            Err(why) => Err(why.to_string()),
        };
        checks.push(match opened {
            Ok(text) => Check::new(name, Grade::Ok, text),
            Err(why) => Check::new(name, Grade::Error, why),
        });
    };
    let host = wish.host.is_some();
    add("fleet identity", wish.identity(), identity, host);
    add("signing key", wish.signing_key(), identity, false);
    if wish.mode == FleetMode::FleetKey {
        add("fleet key", wish.fleet_key(), fleet_key, true);
    }
    checks
}

type Open = fn(&str, &Places) -> Result<String, SealError>;

fn identity(source: &str, places: &Places) -> Result<String, SealError> {
    let signer = Signer::open(source, places)?;
    Ok(format!("closed to others, {}", signer.public()))
}

fn fleet_key(source: &str, places: &Places) -> Result<String, SealError> {
    FleetKey::open(source, places)?;
    Ok("closed to others; every host that has it can read all keys of the fleet".to_owned())
}

fn roster(wish: &FleetWish) -> Option<Check> {
    let name = "roster";
    let path = wish.roster().ok()?;
    Some(match RosterFile::at(path).read() {
        Err(why) => Check::new(name, Grade::Error, why.to_string()),
        Ok(roster) if roster.hosts.is_empty() => {
            Check::new(name, Grade::Warning, "no host is enrolled")
        }
        Ok(roster) => {
            let (hosts, generation) = (roster.hosts.len(), roster.generation);
            Check::new(
                name,
                Grade::Ok,
                format!("{hosts} hosts, generation {generation}"),
            )
        }
    })
}

fn poll(wish: &FleetWish) -> Check {
    let name = "fleet poll";
    let interval = wish.rotation.interval.saturating_mul(1000);
    let every = match wish.poll % 1000 {
        0 => Period(wish.poll / 1000).to_string(),
        _ => format!("{}ms", wish.poll),
    };
    let text = format!(
        "every {every}, a slot has {}",
        Period(wish.rotation.interval)
    );
    match wish.poll.saturating_mul(LOOKS) > interval {
        true => {
            let text = format!("{text}: look at the store {LOOKS} times a slot at least");
            Check::new(name, Grade::Warning, text)
        }
        false => Check::new(name, Grade::Ok, text),
    }
}

/// Every store once; the generator by the first that answers.
fn stores(wish: &FleetWish) -> Vec<Check> {
    let name = Item::Head.name(&wish.name);
    let mut urls: Vec<&String> = wish.stores.iter().chain([&wish.write_store]).collect();
    urls.dedup();
    let mut checks = Vec::new();
    let mut head = None;
    for url in urls {
        let answered = store::open(url, &wish.access).and_then(|mut store| {
            let found = store.read(std::slice::from_ref(&name))?;
            Ok((store.name().to_owned(), found.into_iter().next().flatten()))
        });
        checks.push(match answered {
            Ok((store, found)) => {
                head = head.or(Some(found));
                Check::new("store", Grade::Ok, format!("{store} answers"))
            }
            Err(why) => Check::new("store", Grade::Error, why.to_string()),
        });
    }
    checks.extend(head.map(|head| generator(wish, head.as_deref())));
    checks
}

/// The heartbeat: signed, of now, and by a clock like this one.
fn generator(wish: &FleetWish, record: Option<&[u8]>) -> Check {
    let name = "generator";
    let Some(record) = record else {
        let text = "the store has no heartbeat: does `keys generate` run?";
        return Check::new(name, Grade::Error, text);
    };
    let interval = wish.rotation.interval.saturating_mul(1000);
    let read = read_head(record, &wish.name, &wish.signers);
    let head = match read.and_then(|head| head.of_interval(interval)) {
        Ok(head) => head,
        Err(why) => {
            let text = format!("its heartbeat is not believed: {why}");
            return Check::new(name, Grade::Error, text);
        }
    };
    let now = clock::both().wall;
    let skew = wish.rotation.skew.saturating_mul(1000).max(1000);
    let (behind, ahead) = (head.time.saturating_sub(now), now.saturating_sub(head.time));
    if behind > skew {
        let text = format!("this clock is {} s behind the generator's", behind / 1000);
        return Check::new(name, Grade::Warning, text);
    }
    if ahead > interval {
        let text = format!(
            "not heard for {} s, or this clock is that far ahead of the generator's",
            ahead / 1000
        );
        return Check::new(name, Grade::Warning, text);
    }
    let text = format!(
        "heard {} s ago, keys up to slot {}",
        ahead / 1000,
        head.newest
    );
    Check::new(name, Grade::Ok, text)
}
