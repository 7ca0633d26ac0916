//! One look at the keys: which are wanted, which set the server should run with, and what is
//! wrong. Pure: the same clocks, view and state give the same answer.

use std::fmt;

use super::clock::{Clock, Now};
use super::desk::Desk;
use super::key::{Key, Slot};
use super::schedule::{GRACE, Schedule, WhenMissing};
use super::state::{Set, State};

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
    /// It was derived on this host, or made for it alone.
    pub derived: bool,
    /// Since when it is public, in milliseconds since 1970, as its record says. `None`: long
    /// enough for everybody who is to know it.
    pub made: Option<u64>,
}

impl Offer {
    /// A key that everybody knows who is to know it.
    pub const fn new(key: Key, derived: bool) -> Self {
        Self {
            key,
            derived,
            made: None,
        }
    }

    /// A key of a fleet, public since then.
    pub const fn public(key: Key, made: u64) -> Self {
        Self {
            key,
            derived: false,
            made: Some(made),
        }
    }
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
    /// The set to load, where it differs from what the server runs with and cannot wait for the
    /// next slot: keys that come early are loaded when the order changes anyway.
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
    /// The source's newest key is this many slots too old.
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
    /// There are two other keys for its slot already.
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
                write!(out, "no new key: the newest one is {slots} slots too old")
            }
            Self::NoKey => out.write_str("there is no key"),
            Self::Conflict(slot) => write!(out, "two keys for slot {}", slot.epoch),
            Self::Rejected(key, why) => write!(out, "key {} not taken: {why}", key.id),
        }
    }
}

/// Takes one look.
pub fn step(schedule: &Schedule, now: Now, view: &View, state: &State) -> Step {
    let clock = Clock::next(state.clock, schedule, now, view.witness);
    let epoch = schedule.epoch(clock.time);
    let mut desk = Desk::new(schedule, epoch, state, view.floor);
    if clock.is_off(schedule) {
        desk.alarms.push(Alarm::ClockOff(clock.deviation));
    }
    desk.take_in(&view.offers);
    let choice = desk.encrypting();
    let overdue = desk.overdue(choice.is_some());
    let last_resort = overdue > GRACE;
    let off = last_resort && schedule.when_missing == WhenMissing::TicketsOff;
    let set = match choice {
        _ if off => Some(Set::default()),
        Some((key, _)) => Some(desk.set(key)),
        // Keys that were replaced because they leaked must not go on until new ones come.
        None if desk.runs_on_void_keys() => Some(Set::default()),
        // A server without keys goes on as it is.
        None => None,
    };
    let load = set.filter(|set| desk.presses(set));
    let next = schedule.start(epoch.saturating_add(1));
    Step {
        epoch,
        wanted: desk.wanted(),
        make: desk.make(last_resort),
        ratchet: desk.ratchet(overdue),
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
