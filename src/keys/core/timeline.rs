//! When each key decrypts, encrypts and is forgotten: what is known of the past, and the plan
//! for what is to come. Pure, and for looking at only: nothing is decided by it.

use super::desk::Desk;
use super::key::{KeyId, Slot};
use super::schedule::{GRACE, Schedule};
use super::state::{Held, State};

/// What a key is used for during a stretch of time.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Phase {
    /// Its slot is to come: it decrypts only.
    Ahead,
    /// New tickets are under it.
    Encrypts,
    /// Its slot is over: it decrypts only.
    Previous,
    /// There is no key for the slot.
    Missing,
}

/// A stretch of time; both ends in milliseconds since 1970, the second one outside.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Stretch {
    /// What for.
    pub phase: Phase,
    /// Its start.
    pub from: u64,
    /// Its end.
    pub until: u64,
}

/// A key and its stretches, or slots in a row that have none.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Life {
    /// The slot, the first one where several are missing.
    pub slot: Slot,
    /// How many slots: more than 1 only where they are missing.
    pub slots: u64,
    /// The key; `None` where it is missing.
    pub key: Option<KeyId>,
    /// It was derived from an older key because none came.
    pub derived: bool,
    /// The server has it, as far as was verified.
    pub loaded: bool,
    /// It encrypts now.
    pub encrypts: bool,
    /// What it is used for when, in order of time.
    pub stretches: Vec<Stretch>,
}

/// Every key at hand over time.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Timeline {
    /// Now, in milliseconds since 1970, as slots are counted.
    pub now: u64,
    /// The slot that it is.
    pub epoch: u64,
    /// The plan.
    pub schedule: Schedule,
    /// How long a session may resume, in milliseconds.
    pub lifetime: u64,
    /// The keys, by slot.
    pub lives: Vec<Life>,
}

impl Timeline {
    /// What `state` comes to. `lifetime` and `now` are in milliseconds; `now` counts where the
    /// state knows no time of its own.
    pub fn of(schedule: &Schedule, lifetime: u64, now: u64, state: &State) -> Self {
        let now = state.clock.map_or(now, |clock| clock.time);
        let epoch = schedule.epoch(now);
        let sheet = Sheet {
            schedule,
            now,
            epoch,
            state,
            rank: Desk::new(schedule, epoch, state, 0),
        };
        let mut lives: Vec<Life> = sheet.usable().map(|held| sheet.life(held)).collect();
        lives.extend(sheet.missing());
        lives.sort_by_key(|life| (life.slot.epoch, life.slot.generation, life.key));
        Self {
            now,
            epoch: sheet.epoch,
            schedule: *schedule,
            lifetime,
            lives,
        }
    }

    /// The slots that a picture shows, the second one outside: from the oldest key's to the one
    /// in which the last key has been forgotten, and never more than the plan spans.
    pub fn span(&self) -> (u64, u64) {
        let Schedule {
            ahead, previous, ..
        } = self.schedule;
        let least = self.epoch.saturating_sub(previous.saturating_add(GRACE));
        let most = [ahead, previous, GRACE + 3]
            .iter()
            .fold(self.epoch, |sum, more| sum.saturating_add(*more));
        let first = self.lives.iter().map(|life| life.slot.epoch).min();
        let first = first.unwrap_or(self.epoch).min(self.epoch);
        let ends = self.lives.iter().flat_map(|life| &life.stretches);
        let last = ends.map(|stretch| stretch.until).max().unwrap_or(self.now);
        let last = last.max(self.now.saturating_add(self.lifetime));
        let last = self.schedule.epoch(last).saturating_add(1);
        (first.max(least), last.clamp(self.epoch + 1, most))
    }
}

struct Sheet<'a> {
    schedule: &'a Schedule,
    now: u64,
    epoch: u64,
    state: &'a State,
    rank: Desk<'a>,
}

impl Sheet<'_> {
    fn usable(&self) -> impl Iterator<Item = &Held> {
        let floor = self.state.floor;
        let good = move |held: &&Held| held.key.slot.generation >= floor;
        self.state.held.iter().filter(good)
    }

    fn life(&self, held: &Held) -> Life {
        let slot = held.key.slot;
        let encrypts = self.encrypting(held);
        let (from, until) = self.span(held, encrypts);
        let start = self
            .schedule
            .start(slot.epoch.saturating_sub(self.schedule.ahead));
        let stopped = held.stopped.or(encrypts.then_some(until));
        let overtime = stopped.map_or(0, |at| self.schedule.overtime(slot.epoch, at));
        let last = [overtime, self.schedule.previous, 1]
            .iter()
            .fold(slot.epoch, |sum, more| sum.saturating_add(*more));
        let stretches = [
            (Phase::Ahead, start.min(self.now), from),
            (Phase::Encrypts, from, until),
            (Phase::Previous, until, self.schedule.start(last)),
        ];
        let stretches = stretches
            .iter()
            .filter(|(_, from, until)| from < until)
            .map(|&(phase, from, until)| Stretch { phase, from, until });
        Life {
            slot,
            slots: 1,
            key: Some(held.key.id),
            derived: held.derived,
            loaded: held.loaded,
            encrypts,
            stretches: stretches.collect(),
        }
    }

    /// Whether it encrypts now; where nothing was loaded yet, whether the plan says so.
    fn encrypting(&self, held: &Held) -> bool {
        match &self.state.applied {
            Some(set) => set.encrypts == Some(held.key),
            None => held.key.slot.epoch == self.epoch && self.first_of_its_slot(held),
        }
    }

    /// When it encrypts: nothing but an empty span where another key of its slot does.
    fn span(&self, held: &Held, encrypts: bool) -> (u64, u64) {
        let epoch = held.key.slot.epoch;
        let start = self.schedule.start(epoch);
        let end = self.schedule.start(epoch.saturating_add(1));
        // The key before went on for longer than its slot.
        let late = self.usable().filter(|other| other.key.slot < held.key.slot);
        let late = late.filter_map(|other| other.stopped).max().unwrap_or(0);
        let from = start.max(late.min(self.now));
        if encrypts {
            return (from.min(self.now), end.max(self.now));
        }
        if let Some(stopped) = held.stopped {
            return (from.min(stopped), stopped);
        }
        if !self.first_of_its_slot(held) {
            return (start, start);
        }
        // A key whose turn it is, or was, while an older one goes on.
        let waits = self
            .state
            .encrypts()
            .is_some_and(|key| key.slot < held.key.slot);
        let from = if waits {
            from.max(self.now.min(end))
        } else {
            from
        };
        (from.min(end), end)
    }

    fn first_of_its_slot(&self, held: &Held) -> bool {
        let epoch = held.key.slot.epoch;
        let same = self.usable().filter(|it| it.key.slot.epoch == epoch);
        same.max_by_key(|it| (it.key.slot, self.rank.suits(it))) == Some(held)
    }

    /// Slots of the window that have no key, neighbours together.
    fn missing(&self) -> Vec<Life> {
        let mut epochs: Vec<u64> = self.usable().map(|held| held.key.slot.epoch).collect();
        epochs.sort_unstable();
        let oldest = self.epoch.saturating_sub(self.schedule.previous);
        let end = self
            .epoch
            .saturating_add(self.schedule.ahead)
            .saturating_add(1);
        // What came before the oldest key was before this host.
        let mut next = epochs
            .first()
            .map_or(self.epoch, |first| self.epoch.min(*first));
        next = next.max(oldest);
        let mut out = Vec::new();
        for epoch in epochs.into_iter().chain([end]) {
            if epoch > next && next < end {
                out.push(self.gap(next, epoch.min(end)));
            }
            next = next.max(epoch.saturating_add(1));
        }
        out
    }

    fn gap(&self, first: u64, end: u64) -> Life {
        Life {
            slot: Slot {
                generation: self.state.floor,
                epoch: first,
            },
            slots: end - first,
            key: None,
            derived: false,
            loaded: false,
            encrypts: false,
            stretches: vec![Stretch {
                phase: Phase::Missing,
                from: self.schedule.start(first),
                until: self.schedule.start(end),
            }],
        }
    }
}
