//! One tick of a generator: which seeds it makes, which it offers to the store, and which it
//! gives up. Pure: it never sees a seed, and it never needs to open a record.
//!
//! Several generators may run. A slot belongs to whoever claimed it first; the others give their
//! seed up. Every tick offers the whole window again, so a store that was emptied heals. Whoever
//! made a slot's seed offers it again, nobody else: a second seed for a slot that hosts know
//! already would have two keys in use at once. Therefore
//!
//! * what others claimed is remembered, also when the store forgot it. Only a slot that is far
//!   enough away for every host to learn a second key, and whose first seed nobody brought back
//!   for [`Schedule::patience`], is claimed anew: its generator is gone, and hosts that were cut
//!   off while its record stood would never get a key;
//! * a store that has lost something, as far as is remembered, may have lost claims that were
//!   never seen. So nothing new is claimed for the same time, and own seeds are offered at once.
//!   A generator that has just started does not know whether a store without a key of the
//!   current slot is new or was emptied, and waits too. [`GeneratorView::founding`] says that there is nobody to wait for.

use super::clock::{Clock, Now};
use super::key::{Key, Slot};
use super::schedule::Schedule;
use super::step::Alarm;

/// A slot's claim as it stands in a store, or is to stand there.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Claimed {
    /// The slot and the seed's id.
    pub key: Key,
    /// When it was first offered, in milliseconds since 1970, by the wall clock of its generator.
    /// It stands in the record's header; hosts judge by it whether everybody can know the key.
    pub made: u64,
}

/// What lies outside of a generator's own state.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct GeneratorView {
    /// The seeds that it has in memory.
    pub seeds: Vec<Key>,
    /// The claims of the window ([`GeneratorStep::window`]) as they stand in the store, verified.
    /// `None`: the store did not answer, and nothing follows from that.
    pub claims: Option<Vec<Claimed>>,
    /// The highest generation that somebody trusted knows of: the roster's, and the head's.
    pub generation: u32,
    /// The slot that another generator's head names.
    pub witness: Option<u64>,
    /// The operator says that the fleet has had no key so far: slots are claimed at once.
    pub founding: bool,
}

/// Another generator's claim.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Foreign {
    /// What was claimed.
    pub key: Key,
    /// Since when the store does not have it any more, by the time of slots.
    pub missing: Option<u64>,
}

/// What a generator remembers between two ticks, apart from its seeds. Starts as
/// `GeneratorState::default()`; never written anywhere. At most two entries a slot of the window.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct GeneratorState {
    /// The time of slots at the last tick.
    pub clock: Option<Clock>,
    /// The generation that it makes keys of; never falls.
    pub generation: u32,
    /// When it last found the store to have lost something, by the time of slots: at the first
    /// answer without a key of the current slot, and whenever a claim that stood is missing. 0:
    /// never. `None`: the store has not answered yet.
    pub lost: Option<u64>,
    /// The generation at that moment. A later one is new to everybody: nobody is waited for.
    pub joined: u32,
    /// Its own claims that have stood in the store, sorted by slot.
    pub stood: Vec<Claimed>,
    /// Claims of others, sorted by slot.
    pub foreign: Vec<Foreign>,
}

/// What a generator does at a tick.
///
/// The order: make the seeds of `make`, call [`generate`] again with them among the view's
/// seeds, wipe those of `drop`, write the records of `offer`, and then the head. A claim that
/// turns out to be taken is among the view's claims at the next tick, which drops the seed.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct GeneratorStep {
    /// What to remember.
    pub state: GeneratorState,
    /// The slot that it is.
    pub epoch: u64,
    /// Slots to make a seed for.
    pub make: Vec<Slot>,
    /// Own seeds whose record the store does not have: offer them, first writer wins.
    pub offer: Vec<Claimed>,
    /// Own seeds whose record stands: seals for hosts with a new recipient key are due for these.
    pub stand: Vec<Claimed>,
    /// Own seeds to wipe: another one was first, the slot left the window, or it is void.
    pub drop: Vec<Key>,
    /// The newest slot number that has a claim, or will have one once `offer` was written: for
    /// the head.
    pub newest: u64,
    /// The first and the last slot number to read claims of.
    pub window: (u64, u64),
    /// Milliseconds until the next slot starts.
    pub due: u64,
    /// What is wrong: the clock, or a slot of its own that another seed holds now.
    pub alarms: Vec<Alarm>,
}

/// Takes one tick.
pub fn generate(
    schedule: &Schedule,
    now: Now,
    view: &GeneratorView,
    state: &GeneratorState,
) -> GeneratorStep {
    let clock = Clock::next(state.clock, schedule, now, view.witness);
    let mut bench = Bench::new(schedule, now, clock, view, state);
    if clock.is_off(schedule) {
        bench.alarms.push(Alarm::ClockOff(clock.deviation));
    }
    if let Some(claims) = &view.claims {
        bench.learn(claims);
    }
    let (kept, drop): (Vec<Key>, Vec<Key>) = view.seeds.iter().partition(|key| bench.is_kept(key));
    let make = bench.make(&kept);
    let (stand, offer) = bench.offers(&kept);
    let known = stand.iter().chain(&offer).map(|claim| claim.key);
    let known = known.chain(bench.state.foreign.iter().map(|foreign| foreign.key));
    let newest = known.map(|key| key.slot.epoch).max();
    GeneratorStep {
        epoch: bench.epoch,
        make,
        offer,
        stand,
        drop,
        newest: newest.unwrap_or(bench.epoch),
        window: bench.window,
        due: schedule
            .start(bench.epoch.saturating_add(1))
            .saturating_sub(clock.time),
        alarms: bench.alarms,
        state: bench.state,
    }
}

/// One tick while it is taken.
struct Bench<'a> {
    schedule: &'a Schedule,
    view: &'a GeneratorView,
    wall: u64,
    time: u64,
    epoch: u64,
    window: (u64, u64),
    state: GeneratorState,
    alarms: Vec<Alarm>,
}

impl<'a> Bench<'a> {
    fn new(
        schedule: &'a Schedule,
        now: Now,
        clock: Clock,
        view: &'a GeneratorView,
        state: &GeneratorState,
    ) -> Self {
        let mut state = state.clone();
        let first = state.lost.is_none();
        state.clock = Some(clock);
        let claims = view.claims.iter().flatten();
        // A claim that was verified proves its generation, whatever the head says.
        let proven = claims.map(|claim| claim.key.slot.generation).max();
        state.generation = state
            .generation
            .max(view.generation)
            .max(proven.unwrap_or(0));
        if first {
            state.joined = state.generation;
        }
        let epoch = schedule.epoch(clock.time);
        let window = (
            epoch.saturating_sub(schedule.previous).saturating_sub(1),
            epoch.saturating_add(schedule.ahead).saturating_add(1),
        );
        Self {
            schedule,
            view,
            wall: now.wall,
            time: clock.time,
            epoch,
            window,
            state,
            alarms: Vec::new(),
        }
    }

    /// Compares what stands in the store with what is remembered.
    fn learn(&mut self, claims: &[Claimed]) {
        let window = self.window;
        let generation = self.state.generation;
        let counts = |slot: Slot| {
            slot.generation == generation && (window.0..=window.1).contains(&slot.epoch)
        };
        self.notice_loss(claims);
        for foreign in &mut self.state.foreign {
            let stands = claims.iter().any(|claim| claim.key == foreign.key);
            foreign.missing = match stands {
                true => None,
                false => foreign.missing.or(Some(self.time)),
            };
        }
        for claim in claims.iter().filter(|claim| counts(claim.key.slot)) {
            if self.view.seeds.contains(&claim.key) {
                self.stands(*claim);
            } else {
                self.is_foreign(claim.key);
            }
        }
        self.state.stood.retain(|claim| counts(claim.key.slot));
        self.state.foreign.retain(|claim| counts(claim.key.slot));
        self.state.stood.sort_unstable_by_key(|claim| claim.key);
        self.state.foreign.sort_unstable_by_key(|claim| claim.key);
    }

    /// A claim that stood at the last look and is gone now.
    fn notice_loss(&mut self, claims: &[Claimed]) {
        let gone = |key: Key| {
            let in_window = (self.window.0..=self.window.1).contains(&key.slot.epoch);
            let current = key.slot.generation == self.state.generation;
            // Another one in its place is no loss.
            in_window && current && !claims.iter().any(|it| it.key.slot == key.slot)
        };
        let foreign = self.state.foreign.iter();
        let mut foreign = foreign.filter(|it| it.missing.is_none());
        let lost = foreign.any(|it| gone(it.key)) || self.state.stood.iter().any(|it| gone(it.key));
        let generation = self.state.generation;
        let current = |claim: &Claimed| {
            let slot = claim.key.slot;
            slot.generation == generation && slot.epoch == self.epoch
        };
        let first = || match claims.iter().any(current) {
            true => 0,
            false => self.time,
        };
        let lost = lost.then_some(self.time).or(self.state.lost);
        self.state.lost = Some(lost.unwrap_or_else(first));
    }

    fn stands(&mut self, claim: Claimed) {
        if !self.state.stood.iter().any(|it| it.key == claim.key) {
            self.state.stood.push(claim);
        }
    }

    fn is_foreign(&mut self, key: Key) {
        if self.state.foreign.iter().any(|it| it.key == key) {
            return;
        }
        let own = |claim: &Claimed| claim.key.slot == key.slot;
        if self.state.stood.iter().any(own) {
            self.alarms.push(Alarm::Conflict(key.slot));
            self.state.stood.retain(|claim| !own(claim));
        }
        // The newest one is the one that others can read; one is enough to remember.
        self.state.foreign.retain(|it| it.key.slot != key.slot);
        self.state.foreign.push(Foreign { key, missing: None });
    }

    /// A seed of this generation, in the window, in whose slot no other one stands.
    fn is_kept(&self, key: &Key) -> bool {
        let slot = key.slot;
        let in_window = (self.window.0..=self.window.1).contains(&slot.epoch);
        let mut others = self.state.foreign.iter();
        let lost = others.any(|it| it.key.slot == slot && it.missing.is_none());
        slot.generation == self.state.generation && in_window && !lost
    }

    fn make(&self, kept: &[Key]) -> Vec<Slot> {
        if self.view.claims.is_none() {
            return Vec::new();
        }
        let generation = self.state.generation;
        let slots = (self.epoch..=self.window.1).map(|epoch| Slot { generation, epoch });
        let free = |slot: &Slot| !kept.iter().any(|key| key.slot == *slot);
        slots
            .filter(free)
            .filter(|slot| self.may_claim(*slot))
            .collect()
    }

    fn may_claim(&self, slot: Slot) -> bool {
        let waited = |since: u64| self.time.saturating_sub(since) >= self.schedule.patience();
        let foreign = self.state.foreign.iter().find(|it| it.key.slot == slot);
        if let Some(foreign) = foreign {
            let far = self.schedule.is_ripe(slot.epoch, self.wall);
            return far && foreign.missing.is_some_and(waited);
        }
        let new = self.view.founding || slot.generation > self.state.joined;
        new || self.state.lost.is_some_and(waited)
    }

    /// Own claims: those that stand, and those that the store lacks.
    fn offers(&self, kept: &[Key]) -> (Vec<Claimed>, Vec<Claimed>) {
        let Some(claims) = &self.view.claims else {
            return (Vec::new(), Vec::new());
        };
        let mut stand = Vec::new();
        let mut offer = Vec::new();
        for key in kept {
            let stood = self.state.stood.iter().find(|claim| claim.key == *key);
            let claim = Claimed {
                key: *key,
                made: stood.map_or(self.wall, |claim| claim.made),
            };
            match claims.iter().any(|claim| claim.key == *key) {
                true => stand.push(claim),
                false => offer.push(claim),
            }
        }
        (stand, offer)
    }
}
