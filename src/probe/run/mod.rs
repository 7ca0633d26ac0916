//! The probe at work: opens connections, within the rate that was asked for.

mod cross;
mod ending;
mod look;
mod pace;
mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::tls::Manner;
use crate::tls::Protocol;
use crate::tls::client::{self, Hello};

use super::{Mode, Observed, Plan, ProbeError, Probed};
use pace::Pace;

pub use ending::end_saved;

/// Does what the plan says. `tick` is called with every connection: how many there were, and
/// where the last one goes.
///
/// # Errors
/// [`ProbeError`] where there is nothing to look at; what is not reachable is part of the
/// answer.
pub fn run(
    plan: &Plan,
    manner: &Manner,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<Probed, ProbeError> {
    let pace = Pace::new(plan, manner, tick)?;
    let places = places(plan, manner.patience)?;
    let mut probed = Probed {
        endpoints: side_by_side(plan.jobs, &places, |place| look::look(&pace, plan, place)),
        ..Probed::default()
    };
    match &plan.mode {
        Mode::Look => {}
        Mode::Watch { duration, every } => {
            let seen = watched(&pace, plan, &places, &probed.endpoints, (*duration, *every));
            for (endpoint, watched) in probed.endpoints.iter_mut().zip(seen) {
                endpoint.watched = watched;
            }
        }
        Mode::Fleet => probed.crossings = Some(cross::crossings(&pace, plan, "addresses", &places)),
        Mode::Across => probed.crossings = Some(cross::crossings(&pace, plan, "names", &places)),
        Mode::Endings => {
            let reachable = places.iter().zip(&probed.endpoints);
            let reachable = reachable.filter(|(_, seen)| seen.unreachable.is_none());
            let reachable: Vec<_> = reachable.map(|(place, _)| place.clone()).collect();
            probed.endings = side_by_side(plan.jobs, &reachable, |place| {
                ending::endings(&pace, plan, place)
            });
        }
    }
    Ok(probed)
}

/// All at once: a watch lasts, however many there are.
fn watched(
    pace: &Pace<'_>,
    plan: &Plan,
    places: &[Place],
    seen: &[Observed],
    times: (Duration, Duration),
) -> Vec<Option<super::Watched>> {
    let pairs: Vec<_> = places.iter().zip(seen).collect();
    side_by_side(places.len(), &pairs, |(place, seen)| {
        let answers = seen.unreachable.is_none() && !seen.rejects;
        answers.then(|| watch::watch(pace, plan, place, times))
    })
}

/// An address and the name to ask for there.
#[derive(Clone, Eq, PartialEq, Debug)]
struct Place {
    address: SocketAddr,
    name: Option<String>,
}

impl Place {
    fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.address),
            None => self.address.to_string(),
        }
    }
}

/// One kind of client.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
enum Kind {
    /// TLS 1.2 without the ticket extension.
    Id12,
    /// TLS 1.2 with it.
    Ticket12,
    /// TLS 1.3.
    Tls13,
}

impl Kind {
    /// Those that the plan asks for. TLS 1.3 first: who speaks no TLS at all is found out once.
    fn asked(plan: &Plan) -> Vec<Self> {
        let all = [Self::Tls13, Self::Ticket12, Self::Id12];
        let wanted = |kind: &Self| match kind {
            Self::Tls13 => plan.tls13,
            Self::Id12 | Self::Ticket12 => plan.tls12,
        };
        all.into_iter().filter(wanted).collect()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Id12 => "1.2-id",
            Self::Ticket12 => "1.2-ticket",
            Self::Tls13 => "1.3",
        }
    }

    fn hello(self, name: Option<&str>) -> Hello<'_> {
        let protocol = match self {
            Self::Tls13 => Protocol::Tls13,
            Self::Id12 | Self::Ticket12 => Protocol::Tls12,
        };
        Hello {
            tickets: self != Self::Id12,
            ..Hello::new(protocol, name)
        }
    }
}

/// A name that no server has: RFC 6761 keeps the domain empty.
const UNKNOWN_NAME: &str = "stekguard-unknown.invalid";

fn places(plan: &Plan, patience: Duration) -> Result<Vec<Place>, ProbeError> {
    let given = plan.places.iter().cloned();
    let given = given.map(|(address, name)| Place { address, name });
    let mut places: Vec<Place> = given.collect();
    for target in &plan.targets {
        let addresses =
            client::resolve(&target.host, target.port).map_err(|why| ProbeError::Unresolved {
                host: target.host.clone(),
                why,
            })?;
        // One address behind a name stands for all, unless they are to be compared.
        let addresses = match plan.mode {
            Mode::Fleet => addresses,
            _ => client::first_that_answers(addresses, patience),
        };
        let mut names = plan.names.clone();
        if names.is_empty() {
            names.push(target.name().map(str::to_owned));
        }
        if plan.mode == Mode::Across {
            names.extend([None, Some(UNKNOWN_NAME.to_owned())]);
        }
        for address in addresses {
            for name in &names {
                let place = Place {
                    address,
                    name: name.clone().filter(|name| !name.is_empty()),
                };
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    Ok(places)
}

/// Does something for every item, some at a time; answers in the items' order.
fn side_by_side<I: Sync, T: Send>(
    jobs: usize,
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else {
                        return;
                    };
                    let answer = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(index, answer);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}
