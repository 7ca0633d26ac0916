//! Sessions of one place at another: names of an address, or addresses behind a name.

use super::look::hex;
use super::pace::Pace;
use super::{Kind, Place, side_by_side};
use crate::probe::{Crossing, Crossings, Outcome, Plan, Share};
use crate::tls::Session;

/// Tries every ordered pair of two places.
pub(super) fn crossings(
    pace: &Pace<'_>,
    plan: &Plan,
    between: &'static str,
    places: &[Place],
) -> Crossings {
    let kinds = Kind::asked(plan);
    let mut pairs = Vec::new();
    for from in 0..places.len() {
        for to in (0..places.len()).filter(|to| *to != from) {
            pairs.extend(kinds.iter().map(|kind| (from, to, *kind)));
        }
    }
    let work =
        |(from, to, kind): &(usize, usize, Kind)| crossing(pace, plan, (places, *from, *to), *kind);
    let mut pairs = side_by_side(plan.jobs, &pairs, work);
    pairs.sort_by_key(|pair| (pair.from, pair.to, pair.kind));
    Crossings {
        between,
        places: places.iter().map(Place::label).collect(),
        pairs,
        shared_keys: shared(pace, &kinds, places),
    }
}

/// A session is offered as often as elsewhere: one process of several may not know it.
fn crossing(
    pace: &Pace<'_>,
    plan: &Plan,
    (places, from, to): (&[Place], usize, usize),
    kind: Kind,
) -> Crossing {
    let (here, there) = (&places[from], &places[to]);
    let mut crossing = Crossing {
        from,
        to,
        kind: kind.word(),
        outcome: Outcome::None,
        status: None,
        full_status: None,
        opens: false,
    };
    for _ in 0..plan.attempts.max(1) {
        let fresh = pace.visit(here, &kind.hello(here.name.as_deref()));
        let session = fresh.ok().and_then(|seen| seen.sessions.last().cloned());
        let Some(session) = session else {
            return crossing;
        };
        let hello = kind.hello(there.name.as_deref()).with(&session);
        match pace.visit(there, &hello) {
            Ok(seen) if seen.resumed => {
                crossing.outcome = Outcome::Resumes;
                crossing.status = seen.status;
                break;
            }
            Ok(_) => crossing.outcome = Outcome::Full,
            Err(_) => {
                crossing.outcome = Outcome::Fails;
                break;
            }
        }
    }
    if crossing.outcome == Outcome::Resumes {
        let full = pace.visit(there, &kind.hello(there.name.as_deref()));
        let refused = full.as_ref().map_or(true, |seen| denied(seen.status));
        crossing.full_status = full.ok().and_then(|seen| seen.status);
        crossing.opens = refused && !denied(crossing.status);
    }
    crossing
}

/// A request that is refused for want of the right certificate or name.
fn denied(status: Option<u16>) -> bool {
    matches!(status, Some(400 | 401 | 403 | 421 | 495 | 496))
}

fn shared(pace: &Pace<'_>, kinds: &[Kind], places: &[Place]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    let kinds = kinds.iter().filter(|kind| **kind != Kind::Id12);
    for kind in kinds {
        for (index, place) in places.iter().enumerate() {
            let seen = pace.visit(place, &kind.hello(place.name.as_deref()));
            let sessions = seen.map(|seen| seen.sessions).unwrap_or_default();
            let Some(key) = sessions.last().and_then(Session::key_name).map(hex) else {
                continue;
            };
            match shares.iter_mut().find(|share| share.key == key) {
                Some(share) if share.places.contains(&index) => {}
                Some(share) => share.places.push(index),
                None => shares.push(Share {
                    key,
                    places: vec![index],
                }),
            }
        }
    }
    shares.retain(|share| share.places.len() > 1);
    shares
}
