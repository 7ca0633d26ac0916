//! One look while it is taken: what is taken in, which key encrypts, and which set is due.
//!
//! # Which offers are taken
//!
//! Offers come verified: signed, of this fleet, for this slot. Whether they agree with keys that
//! are held is then no question of trust but of accidents: a store was emptied while the only
//! generator was lost, or two generators reached two copies of it. Whoever came first, hosts
//! that started since know the second key alone and encrypt with it. So both are held and both
//! decrypt, nothing is dropped because of a contradiction, and nothing for other slots is
//! refused because of one; refusing would keep a fleet on dying keys for as long as the window.
//! Two keys of the source for one slot, and one of this host, are the most: memory is bounded.
//!
//! # Which key encrypts
//!
//! A key is *ripe* when it was public long enough before its slot for every host to have it,
//! cut off or not ([`Schedule::is_ripe`]). In ordinary life all are. The newest ripe key of a
//! slot that has begun encrypts, as long as it is not older than the grace: a key that came late
//! is known to some hosts only, an older one to all. Of two ripe keys of a slot the later one
//! encrypts: it is the one that stands in the store, the only one that a new host can have. Of
//! two that are not ripe it is the earlier one: more hosts know it. All hosts decide alike,
//! whatever they learnt first, because the time is in the signed record.
//!
//! A derived key comes before one of the source that is not ripe, since hosts that were cut off
//! together derived the same; a key of this host alone comes last.

use std::cmp::Reverse;

use super::key::{Key, KeyId, Slot};
use super::schedule::{GRACE, Schedule, WhenMissing};
use super::state::{Held, Set, State};
use super::step::{Alarm, Offer, Ratchet, Rejection};

/// The source's keys for one slot.
const MOST_OF_SOURCE: usize = 2;

/// A host's own keys for one slot.
const MOST_DERIVED: usize = 1;

/// One look while it is taken.
pub(super) struct Desk<'a> {
    schedule: &'a Schedule,
    epoch: u64,
    pub(super) floor: u32,
    pub(super) held: Vec<Held>,
    pub(super) alarms: Vec<Alarm>,
    before: Option<&'a Set>,
}

/// How well a key is suited among those of its slot; more is better.
pub(super) type Suits = (u8, u64, Reverse<KeyId>);

impl<'a> Desk<'a> {
    pub(super) fn new(schedule: &'a Schedule, epoch: u64, state: &'a State, floor: u32) -> Self {
        Self {
            schedule,
            epoch,
            floor: state.floor.max(floor),
            held: state.held.clone(),
            alarms: Vec::new(),
            before: state.applied.as_ref(),
        }
    }

    pub(super) fn take_in(&mut self, offers: &[Offer]) {
        // The source's keys first: whether a derived one is needed depends on them.
        let (derived, source): (Vec<&Offer>, Vec<&Offer>) =
            offers.iter().partition(|offer| offer.derived);
        for offer in source.into_iter().chain(derived) {
            self.take(offer);
        }
        self.held.sort_by_key(|held| held.key);
        let source: Vec<Slot> = self
            .held
            .iter()
            .filter(|held| !held.derived)
            .map(|held| held.key.slot)
            .collect();
        let twice = source.windows(2).filter(|pair| pair[0] == pair[1]);
        let conflicts = twice.map(|pair| Alarm::Conflict(pair[0]));
        self.alarms.extend(conflicts);
    }

    fn take(&mut self, offer: &Offer) {
        let known = self.held.iter_mut().find(|held| held.key == offer.key);
        if let Some(known) = known {
            known.made = known.made.or(offer.made);
            return;
        }
        if self.is_of_no_use(offer) {
            return;
        }
        if let Some(why) = self.rejection(offer) {
            self.alarms.push(Alarm::Rejected(offer.key, why));
            return;
        }
        let mut held = Held::new(offer.key, offer.derived);
        held.made = offer.made;
        self.held.push(held);
    }

    /// Nothing is wrong with it, and nobody needs it: a key that has just left the window and
    /// still stands in the store, or a derived one of a slot within the grace.
    fn is_of_no_use(&self, offer: &Offer) -> bool {
        let slot = offer.key.slot;
        let left = slot.epoch.saturating_add(self.schedule.previous + 1) == self.epoch;
        if !offer.derived || self.schedule.when_missing != WhenMissing::Ratchet {
            return left;
        }
        let goes_on =
            |held: &Held| held.derived && held.key.slot.epoch.saturating_add(1) == slot.epoch;
        let bridges = |held: &Held| {
            let since = held.key.slot.epoch;
            !held.derived && (since..=since.saturating_add(GRACE)).contains(&slot.epoch)
        };
        left || (self.usable().any(bridges) && !self.usable().any(goes_on))
    }

    fn rejection(&self, offer: &Offer) -> Option<Rejection> {
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
        let same = |held: &&Held| held.key.slot == slot && held.derived == offer.derived;
        let most = match offer.derived {
            true => MOST_DERIVED,
            false => MOST_OF_SOURCE,
        };
        (self.held.iter().filter(same).count() >= most).then_some(Rejection::NoSuccession)
    }

    fn usable(&self) -> impl Iterator<Item = &Held> {
        let floor = self.floor;
        self.held
            .iter()
            .filter(move |held| held.key.slot.generation >= floor)
    }

    /// The key that encrypts, and whether a better one only has to be known to the server.
    pub(super) fn encrypting(&self) -> Option<(Key, bool)> {
        let due = self
            .usable()
            .filter(|held| held.key.slot.epoch <= self.epoch);
        let due: Vec<&Held> = due.collect();
        let Some(best) = self.best(&due) else {
            // Every key is one of a coming slot: this clock is behind.
            let first = self
                .usable()
                .min_by_key(|held| (held.key.slot, Reverse(self.suits(held))));
            return first.map(|held| (held.key, false));
        };
        let current = self.before.and_then(|set| set.encrypts);
        let current = current.and_then(|key| self.usable().find(|held| held.key == key));
        if let Some(current) = current.filter(|current| current.key.slot > best.key.slot) {
            return Some((current.key, false));
        }
        if best.loaded {
            return Some((best.key, false));
        }
        let loaded: Vec<&Held> = due.into_iter().filter(|held| held.loaded).collect();
        let known = current.filter(|held| held.loaded);
        let known = known.or_else(|| self.best(&loaded));
        Some(known.map_or((best.key, false), |known| (known.key, true)))
    }

    /// The one to encrypt with, among keys of slots that have begun.
    fn best<'h>(&self, due: &[&'h Held]) -> Option<&'h Held> {
        let generation = due.iter().map(|held| held.key.slot.generation).max()?;
        let order = |held: &&&Held| (held.key.slot, self.suits(held));
        let due = || {
            due.iter()
                .filter(|held| held.key.slot.generation == generation)
        };
        let fresh = |held: &&&Held| held.key.slot.epoch.saturating_add(GRACE) >= self.epoch;
        let ripe = due().filter(|held| self.is_ripe(held)).filter(fresh);
        let best = ripe.max_by_key(order);
        best.or_else(|| due().max_by_key(order)).copied()
    }

    fn is_ripe(&self, held: &Held) -> bool {
        let slot = held.key.slot;
        let ripe = |made| self.schedule.is_ripe(slot.epoch, made);
        !held.derived && held.made.is_none_or(ripe)
    }

    pub(super) fn suits(&self, held: &Held) -> Suits {
        let made = held.made.unwrap_or(0);
        let id = Reverse(held.key.id);
        if self.is_ripe(held) {
            return (3, made, id);
        }
        if !held.derived {
            return (1, u64::MAX - made, id);
        }
        let alone = self.schedule.when_missing != WhenMissing::Ratchet;
        (if alone { 0 } else { 2 }, 0, id)
    }

    /// Every key that the server should have with this one encrypting.
    pub(super) fn set(&self, encrypts: Key) -> Set {
        let in_window = |held: &&Held| {
            let slot = held.key.slot;
            let overtime = held
                .stopped
                .map_or(0, |at| self.schedule.overtime(slot.epoch, at));
            let last = slot.epoch.saturating_add(overtime);
            last.saturating_add(self.schedule.previous) >= self.epoch
                && slot.epoch <= self.epoch.saturating_add(self.schedule.ahead)
        };
        let kept = self
            .usable()
            .filter(|held| held.key != encrypts)
            .filter(in_window)
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

    /// True when a set cannot wait for the change of order at the next slot's start: the server
    /// lacks a key of a slot up to the next one, or has one that it must not have.
    pub(super) fn presses(&self, set: &Set) -> bool {
        let Some(before) = self.before else {
            return true;
        };
        let next = self.epoch.saturating_add(1);
        let lacks = |key: &Key| key.slot.epoch <= next && !before.has(key);
        before.encrypts != set.encrypts
            || before.keys().any(|key| !set.has(key))
            || set.keys().any(lacks)
    }

    /// True when what encrypts is of a generation that is void.
    pub(super) fn runs_on_void_keys(&self) -> bool {
        let current = self.before.and_then(|set| set.encrypts);
        current.is_some_and(|key| key.slot.generation < self.floor)
    }

    /// How many slots too old the source's newest key is; without a key more than the grace.
    pub(super) fn overdue(&mut self, any: bool) -> u64 {
        if !any {
            self.alarms.push(Alarm::NoKey);
            return GRACE + 1;
        }
        let source = self.usable().filter(|held| !held.derived);
        let newest = source.map(|held| held.key.slot.epoch).max();
        let overdue = match newest {
            Some(newest) => self.epoch.saturating_sub(newest),
            // All of them have left the window.
            None => self.schedule.previous.max(GRACE) + 1,
        };
        if overdue > 0 {
            self.alarms.push(Alarm::NoFreshKey(overdue));
        }
        overdue
    }

    pub(super) fn wanted(&self) -> Vec<Slot> {
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

    pub(super) fn make(&self, last_resort: bool) -> Option<Slot> {
        let random = self.schedule.when_missing == WhenMissing::LocalRandom;
        let there = self.usable().any(|held| held.key.slot.epoch == self.epoch);
        (last_resort && random && !there).then_some(Slot {
            generation: self.floor,
            epoch: self.epoch,
        })
    }

    /// Keys are derived one slot before they encrypt, so that clocks need not agree, and go on
    /// until there is a key that every host can have.
    pub(super) fn ratchet(&self, overdue: u64) -> Option<Ratchet> {
        let current = self.before.and_then(|set| set.encrypts);
        let in_use = |held: &&Held| held.derived && Some(held.key) == current;
        let newest = |held: &&Held| (held.key.slot, self.suits(held));
        let from = if self.usable().any(|held| in_use(&held)) {
            self.usable().filter(|held| held.derived).max_by_key(newest)
        } else {
            self.usable()
                .max_by_key(newest)
                .filter(|_| overdue >= GRACE)
        };
        let from = from?.key;
        let ripe = self.usable().filter(|held| self.is_ripe(held));
        let ripe = ripe.map(|held| held.key.slot.epoch);
        let ripe = ripe.filter(|epoch| *epoch > from.slot.epoch).min();
        let until = self.epoch.saturating_add(self.schedule.ahead);
        let until = ripe.map_or(until, |epoch| until.min(epoch - 1));
        let wanted = self.schedule.when_missing == WhenMissing::Ratchet && from.slot.epoch < until;
        wanted.then_some(Ratchet { from, until })
    }
}
