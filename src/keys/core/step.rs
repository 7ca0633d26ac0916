//! One look at the keys: which are wanted, which set the server should run with, and what is
//! wrong. Pure: the same clocks, view and state give the same answer.

use std::cmp::Reverse;
use std::fmt;

use super::clock::{Clock, Now};
use super::key::{Key, KeyId, Slot};
use super::schedule::{GRACE, Schedule, WhenMissing};
use super::state::{Held, Set, State};

/// What lies outside of the host's own state.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct View {
    /// Keys that the source offers; those that are held already do no harm.
    pub offers: Vec<Offer>,
    /// The lowest generation that is still good, where the source says so.
    pub floor: u32,
    /// The slot that a trusted source believes it is.
    pub witness: Option<u64>,
}

/// A key that can be had.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Offer {
    /// Its name.
    pub key: Key,
    /// It was derived on this host.
    pub derived: bool,
}

/// What to do.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Step {
    /// The state after this look; [`State::applied`] follows once a set was loaded.
    pub state: State,
    /// The slot that it is.
    pub epoch: u64,
    /// Slots without a key. A source that makes keys makes these and has the step taken again.
    pub wanted: Vec<Slot>,
    /// A slot for which this host makes a key of its own, because none came.
    pub make: Option<Slot>,
    /// Keys to derive, offered at the next look.
    pub ratchet: Option<Ratchet>,
    /// The set to load, where it differs from what the server runs with.
    pub load: Option<Set>,
    /// Another look is due as soon as the set is loaded: a key that was loaded just now has to
    /// be known to the server before it encrypts.
    pub again: bool,
    /// Milliseconds until the next slot starts.
    pub due: u64,
    /// What is wrong.
    pub alarms: Vec<Alarm>,
}

/// Keys that follow from another one.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Ratchet {
    /// The last key that there is.
    pub from: Key,
    /// The slot up to which keys are derived, one from the other.
    pub until: u64,
}

/// What is wrong. None of them stops the server.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Alarm {
    /// The wall clock is this many milliseconds ahead of the time that slots count by.
    ClockOff(i64),
    /// The encrypting key is this many slots too old.
    NoFreshKey(u64),
    /// There is no key at all.
    NoKey,
    /// Two keys for one slot.
    Conflict(Slot),
    /// An offered key was not taken.
    Rejected(Key, Rejection),
}

/// Why an offered key was not taken.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Rejection {
    /// Its slot is over for longer than sessions live.
    TooOld,
    /// Its slot is too far ahead.
    TooEarly,
    /// All keys have been replaced since it was made.
    BelowFloor,
    /// The offered keys share no key with the held ones where they should.
    NoSuccession,
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::TooOld => "too-old",
            Self::TooEarly => "too-early",
            Self::BelowFloor => "below-floor",
            Self::NoSuccession => "no-succession",
        })
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockOff(by) => {
                let way = if *by > 0 { "ahead of" } else { "behind" };
                let seconds = by.unsigned_abs() / 1000;
                write!(
                    out,
                    "the wall clock is {seconds} s {way} the time that slots are counted by"
                )
            }
            Self::NoFreshKey(slots) => {
                write!(
                    out,
                    "no new key: the encrypting one is {slots} slots too old"
                )
            }
            Self::NoKey => out.write_str("there is no key"),
            Self::Conflict(slot) => write!(out, "two keys for slot {}", slot.epoch),
            Self::Rejected(key, why) => write!(out, "key {} not taken: {why}", key.id),
        }
    }
}

/// Takes one look.
pub fn step(schedule: &Schedule, now: Now, view: &View, state: &State) -> Step {
    let clock = state.clock.map_or_else(
        || Clock::start(now),
        |clock| clock.tick(schedule, now, view.witness),
    );
    let mut desk = Desk {
        schedule,
        epoch: schedule.epoch(clock.time),
        floor: state.floor.max(view.floor),
        held: state.held.clone(),
        alarms: Vec::new(),
        before: state.applied.as_ref(),
    };
    if clock.is_off(schedule) {
        desk.alarms.push(Alarm::ClockOff(clock.deviation));
    }
    desk.take_in(&view.offers);
    let choice = desk.encrypting();
    let overdue = desk.overdue(choice.map(|(key, _)| key));
    let last_resort = overdue > GRACE;
    let set = match choice {
        _ if last_resort && schedule.when_missing == WhenMissing::TicketsOff => {
            Some(Set::default())
        }
        Some((key, _)) => Some(desk.set(key)),
        // A server without keys goes on as it is.
        None => None,
    };
    let load = set.filter(|set| state.applied.as_ref() != Some(set));
    let next = schedule.start(desk.epoch.saturating_add(1));
    Step {
        epoch: desk.epoch,
        wanted: desk.wanted(),
        make: desk.make(last_resort),
        ratchet: desk.ratchet(last_resort),
        again: load.is_some() && choice.is_some_and(|(_, again)| again),
        load,
        due: next.saturating_sub(clock.time),
        alarms: desk.alarms,
        state: State {
            clock: Some(clock),
            floor: desk.floor,
            held: desk.held,
            applied: state.applied.clone(),
        },
    }
}

/// One look while it is taken.
struct Desk<'a> {
    schedule: &'a Schedule,
    epoch: u64,
    floor: u32,
    held: Vec<Held>,
    alarms: Vec<Alarm>,
    before: Option<&'a Set>,
}

impl Desk<'_> {
    fn take_in(&mut self, offers: &[Offer]) {
        let succeeds = self.succeeds(offers);
        for offer in offers {
            if self.held.iter().any(|held| held.key == offer.key) {
                continue;
            }
            if let Some(why) = self.rejection(offer, succeeds) {
                self.alarms.push(Alarm::Rejected(offer.key, why));
                continue;
            }
            self.held.push(Held::new(offer.key, offer.derived));
        }
        self.held.sort_by_key(|held| held.key);
        for pair in self.held.windows(2) {
            let both = !pair[0].derived && !pair[1].derived;
            if both && pair[0].key.slot == pair[1].key.slot {
                self.alarms.push(Alarm::Conflict(pair[0].key.slot));
            }
        }
    }

    fn rejection(&self, offer: &Offer, succeeds: bool) -> Option<Rejection> {
        let slot = offer.key.slot;
        let oldest = self.epoch.saturating_sub(self.schedule.previous);
        // The other clock may be ahead.
        let newest = self.epoch.saturating_add(self.schedule.ahead + 1);
        if slot.generation < self.floor {
            return Some(Rejection::BelowFloor);
        }
        if slot.epoch < oldest {
            return Some(Rejection::TooOld);
        }
        if slot.epoch > newest {
            return Some(Rejection::TooEarly);
        }
        (!succeeds && !offer.derived).then_some(Rejection::NoSuccession)
    }

    /// Keys for slots that are held already have to be the held ones, one of them at least:
    /// otherwise somebody put other keys into the source's place.
    fn succeeds(&self, offers: &[Offer]) -> bool {
        let held = |slot: Slot| {
            self.held
                .iter()
                .filter(move |held| held.key.slot == slot && !held.derived)
        };
        let mut shared = offers
            .iter()
            .filter(|offer| !offer.derived && offer.key.slot.generation >= self.floor)
            .filter(|offer| held(offer.key.slot).next().is_some())
            .peekable();
        shared.peek().is_none()
            || shared.any(|offer| held(offer.key.slot).any(|held| held.key == offer.key))
    }

    /// The key that encrypts, and whether a better one only has to be known to the server.
    fn encrypting(&self) -> Option<(Key, bool)> {
        let usable = || {
            self.held
                .iter()
                .filter(|held| held.key.slot.generation >= self.floor)
        };
        let due = || usable().filter(|held| held.key.slot.epoch <= self.epoch);
        let Some(best) = due().max_by(|left, right| rank(left).cmp(&rank(right))) else {
            // Every key is one of a coming slot: this clock is behind.
            return usable().map(|held| held.key).min().map(|key| (key, false));
        };
        let current = self.before.and_then(|set| set.encrypts);
        let current = current.and_then(|key| usable().find(|held| held.key == key));
        if let Some(current) = current.filter(|current| rank(current) > rank(best)) {
            return Some((current.key, false));
        }
        if best.loaded {
            return Some((best.key, false));
        }
        let known = due().filter(|held| held.loaded);
        let known = known.max_by(|left, right| rank(left).cmp(&rank(right)));
        Some(known.map_or((best.key, false), |known| (known.key, true)))
    }

    fn set(&self, encrypts: Key) -> Set {
        let oldest = |held: &&Held| {
            let slot = held.key.slot;
            let overtime = held
                .stopped
                .map_or(0, |at| self.schedule.overtime(slot.epoch, at));
            let last = slot.epoch.saturating_add(overtime);
            last.saturating_add(self.schedule.previous) >= self.epoch
        };
        let kept = self
            .held
            .iter()
            .filter(|held| held.key != encrypts && held.key.slot.generation >= self.floor)
            .filter(oldest)
            .map(|held| held.key);
        let (mut coming, mut past): (Vec<Key>, Vec<Key>) =
            kept.partition(|key| key.slot > encrypts.slot);
        coming.sort_unstable();
        past.sort_unstable();
        past.reverse();
        coming.append(&mut past);
        Set {
            encrypts: Some(encrypts),
            decrypts: coming,
        }
    }

    /// How many slots too old the encrypting key is; without a key more than the grace.
    fn overdue(&mut self, encrypts: Option<Key>) -> u64 {
        let Some(key) = encrypts else {
            self.alarms.push(Alarm::NoKey);
            return GRACE + 1;
        };
        let overdue = self.epoch.saturating_sub(key.slot.epoch);
        if overdue > 0 {
            self.alarms.push(Alarm::NoFreshKey(overdue));
        }
        overdue
    }

    fn wanted(&self) -> Vec<Slot> {
        let last = self.epoch.saturating_add(self.schedule.ahead);
        let slots = (self.epoch..=last).map(|epoch| Slot {
            generation: self.floor,
            epoch,
        });
        let missing = |slot: &Slot| {
            let covers = |held: &Held| {
                held.key.slot.epoch == slot.epoch && held.key.slot.generation >= slot.generation
            };
            !self.held.iter().any(|held| covers(held) && !held.derived)
        };
        slots.filter(missing).collect()
    }

    fn make(&self, last_resort: bool) -> Option<Slot> {
        let random = self.schedule.when_missing == WhenMissing::LocalRandom;
        (last_resort && random).then_some(Slot {
            generation: self.floor,
            epoch: self.epoch,
        })
    }

    fn ratchet(&self, last_resort: bool) -> Option<Ratchet> {
        let usable = |held: &&Held| held.key.slot.generation >= self.floor;
        let last = self
            .held
            .iter()
            .filter(usable)
            .max_by(|a, b| rank(a).cmp(&rank(b)))?;
        let until = self.epoch.saturating_add(self.schedule.ahead);
        let wanted = self.schedule.when_missing == WhenMissing::Ratchet
            && (last_resort || last.derived)
            && last.key.slot.epoch < until;
        wanted.then_some(Ratchet {
            from: last.key,
            until,
        })
    }
}

/// The order in which keys are taken to encrypt: the newest slot, a key of the source before a
/// derived one, and of two the one with the lower id, so that all hosts take the same.
pub(super) fn rank(held: &Held) -> (Slot, bool, Reverse<KeyId>) {
    (held.key.slot, !held.derived, Reverse(held.key.id))
}
