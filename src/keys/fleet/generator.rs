//! The generator: makes a seed for every slot that nobody has claimed, offers its whole window
//! to the store at every tick, and says that it lives. What to do is decided in
//! [`crate::keys::core`]; this carries it out.
//!
//! Seeds live in this process's memory and nowhere else, and end with it. It opens no record,
//! its own included: it has nothing to open one with, but for the one key of the fleet-key mode,
//! by which it only seals.

mod counts;
mod offers;
mod recipients;
mod window;

use std::collections::BTreeMap;

pub use counts::{GeneratorCounts, RecordKind};

use recipients::Recipients;

use super::record::{Head, sign_head};
use super::seal::FleetKey;
use super::sign::{Pinned, Signer};
use super::store::{Store, StoreError};
use super::{FleetName, Item, Roster, SealError, Seed};
use crate::keys::core::{
    GeneratorState, GeneratorStep, GeneratorView, Key, Now, Schedule, Slot, generate,
};

/// The longest pause between two tries while the store is down, in milliseconds.
const LONGEST_PAUSE: u64 = 60_000;
/// The first pause, in milliseconds.
const FIRST_PAUSE: u64 = 1_000;

/// How seeds are sealed.
pub enum Sealing {
    /// For each host of the roster.
    Hosts,
    /// Under one key that all hosts have.
    Fleet(FleetKey),
}

/// What a generator is, apart from what it learns.
pub struct GeneratorOptions {
    /// The fleet.
    pub fleet: FleetName,
    /// How seeds are sealed.
    pub sealing: Sealing,
    /// Its private key.
    pub signer: Signer,
    /// The other generators that it believes; its own key may be among them.
    pub others: Pinned,
    /// When which key encrypts.
    pub schedule: Schedule,
    /// How often the store is looked at, in milliseconds.
    pub poll: u64,
    /// The fleet has had no key so far: nobody is waited for.
    pub founding: bool,
}

/// A running generator.
pub struct Generator {
    options: GeneratorOptions,
    /// Every generator that is believed, this one among them.
    pinned: Pinned,
    store: Box<dyn Store>,
    roster: Roster,
    seeds: BTreeMap<Key, Seed>,
    state: GeneratorState,
    recipients: Recipients,
    counts: GeneratorCounts,
    /// How often in a row the store did not do what it was asked.
    failures: u32,
}

/// What a tick came to.
#[derive(Clone, Debug, Default)]
pub struct GeneratorTick {
    /// What was done, one line each, with ids alone.
    pub audit: Vec<String>,
    /// What is wrong.
    pub alarms: Vec<String>,
    /// Why the tick could not be done to its end: the store or the signer.
    pub failed: Option<String>,
    /// What was counted since the start.
    pub counts: GeneratorCounts,
    /// Milliseconds until the next tick.
    pub pause: u64,
}

/// What stops a tick; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
}

impl Generator {
    /// A generator without seeds.
    pub fn new(options: GeneratorOptions, store: Box<dyn Store>, roster: Roster) -> Self {
        let own = options.signer.public().clone();
        let mut pinned = options.others.clone();
        if !pinned.0.contains(&own) {
            pinned.0.push(own);
        }
        Self {
            pinned,
            store,
            roster,
            options,
            seeds: BTreeMap::new(),
            state: GeneratorState::default(),
            recipients: Recipients::default(),
            counts: GeneratorCounts::default(),
            failures: 0,
        }
    }

    /// Takes the roster as it stands now. The generation never falls, whatever it says.
    pub fn set_roster(&mut self, roster: Roster) {
        self.roster = roster;
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now) -> GeneratorTick {
        let mut tick = GeneratorTick::default();
        let done = self.work(now, &mut tick);
        self.counts.ticks += 1;
        self.counts.hosts = self.roster.hosts.len();
        self.counts.seeds = self.seeds.len();
        self.counts.generation = self.state.generation;
        match done {
            Ok(()) => {
                self.failures = 0;
                self.counts.last_ok = now.wall / 1000;
            }
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                self.counts.failed += 1;
                tick.failed = Some(why.to_string());
            }
        }
        self.counts.store_up = self.failures == 0;
        tick.pause = self.pause(tick.pause);
        tick.counts = self.counts.clone();
        tick
    }

    /// `due`: milliseconds to the next slot.
    fn pause(&self, due: u64) -> u64 {
        let interval = self.options.schedule.interval;
        let poll = self.options.poll.max(1);
        let pause = match self.failures {
            0 => poll,
            count => {
                let first = poll.min(FIRST_PAUSE);
                let longest = LONGEST_PAUSE.min(interval / 4).max(first);
                let doubled = first.saturating_mul(1 << (count - 1).min(16));
                doubled.min(longest)
            }
        };
        // A new slot is one more reason to look.
        pause.min(due.max(1))
    }

    fn work(&mut self, now: Now, tick: &mut GeneratorTick) -> Result<(), Stopped> {
        let offered = self.offer_window(now, tick);
        if let Err(why) = offered {
            // Time goes on without a store, and what has left the window is wiped.
            let step = generate(&self.options.schedule, now, &self.view(), &self.state);
            self.settle(&step, tick);
            return Err(why);
        }
        self.say_alive(now)
    }

    /// What can be said without the store.
    fn view(&self) -> GeneratorView {
        GeneratorView {
            seeds: self.seeds.keys().copied().collect(),
            generation: self.roster.generation.max(self.state.generation),
            founding: self.options.founding,
            ..GeneratorView::default()
        }
    }

    /// Remembers what a step says, and wipes the seeds that it gives up.
    fn settle(&mut self, step: &GeneratorStep, tick: &mut GeneratorTick) {
        for key in &step.drop {
            let Slot { generation, epoch } = key.slot;
            let why = match (generation < step.state.generation, epoch < step.window.0) {
                (true, _) => "its generation is void",
                (_, true) => "its slot is over",
                _ => "another generator was first",
            };
            self.wipe(*key, why, tick);
        }
        self.recipients.forget_but(&self.seeds);
        self.state = step.state.clone();
        self.counts.epoch = step.epoch;
        self.counts.newest = step.newest;
        tick.pause = step.due;
    }

    fn wipe(&mut self, key: Key, why: &str, tick: &mut GeneratorTick) {
        if self.seeds.remove(&key).is_some() {
            let Slot { generation, epoch } = key.slot;
            let line = format!("seed {} of slot {generation}:{epoch} wiped: {why}", key.id);
            tick.audit.push(line);
        }
    }

    /// The heartbeat, by which hosts know the floor and the slot.
    fn say_alive(&mut self, now: Now) -> Result<(), Stopped> {
        let schedule = &self.options.schedule;
        let head = Head {
            fleet: self.options.fleet.clone(),
            generation: self.state.generation,
            time: now.wall,
            interval: schedule.interval,
            newest: self.counts.newest,
        };
        let record = sign_head(&head, &self.options.signer)?;
        let expires = self.expires(schedule.epoch(now.wall));
        let name = Item::Head.name(&self.options.fleet);
        self.store.put(&name, &record, expires)?;
        Ok(())
    }

    /// When the record of a slot is of no use any more, in seconds since 1970: no host keeps its
    /// key so long, whatever its clock says.
    fn expires(&self, epoch: u64) -> u64 {
        let schedule = &self.options.schedule;
        let last = epoch.saturating_add(schedule.previous).saturating_add(3);
        let end = schedule.start(last).saturating_add(schedule.skew);
        (end / 1000).saturating_add(1)
    }
}
