//! A fleet in virtual time: generators, a store with copies at sites, hosts with clocks of their
//! own, and clients that carry tickets from one host to another. The real cores decide; this
//! world only carries out, as the tool does, and writes down what every server had loaded when.
//!
//! Hosts do not act upon each other, so the store's history is made first, each host lives
//! through it alone (on all cores), and the probes are looked up at last.
#![allow(dead_code, unreachable_pub)]

mod hazard;
mod history;
mod host;
mod probes;
mod random;

use std::collections::BTreeSet;

use rayon::prelude::*;
use stekguard::keys::core::{Key, Schedule, WhenMissing};
use stekguard::policy::Rotation;

pub use history::{Generator, History};
pub use host::Host;
pub use probes::Probes;

pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;
/// When a world begins: the start of a slot.
pub const START: u64 = 490_000 * HOUR;

/// What a fleet is and what happens to it. Times are in milliseconds, `at` counts from [`START`];
/// shares are out of 1000.
#[derive(Clone, Debug)]
pub struct Weather {
    pub seed: u64,
    pub hosts: u64,
    pub slots: u64,
    pub schedule: Schedule,
    pub lifetime: u64,
    /// By how much each clock differs from the true time at most, drift included.
    pub skew: u64,
    /// The longest time that a host cannot reach its store, once a day.
    pub partition: u64,
    /// Every other day it is the site's copy that is cut off: it answers with what it had, with
    /// what it had hours ago, or with nothing.
    pub stale: bool,
    pub sites: u64,
    /// Nobody is cut off in this time.
    pub connected: (u64, u64),
    /// A look comes this late at most.
    pub late: u64,
    /// A host asks its store this often, and a generator ticks.
    pub poll: u64,
    /// A reload fails and is tried again.
    pub failing: u64,
    pub retry: u64,
    /// The agent is killed at a load: before it, or after it and before it is written down.
    pub killed: u64,
    /// A host starts anew, its folder empty, on a day.
    pub rebooted: u64,
    /// Both generations of workers run for so long after a reload.
    pub overlap: u64,
    pub generators: Vec<Generator>,
    /// A write reaches the store this late at most.
    pub slow: u64,
    /// When the store loses everything.
    pub wiped: Vec<u64>,
    /// When nobody reaches the store.
    pub down: Vec<(u64, u64)>,
    /// When the roster's generation rises.
    pub replaced: Vec<u64>,
    /// Keys are offered this many slots ahead; `None`: as the generator does.
    pub offered_ahead: Option<u64>,
    /// Somebody writes into every copy of the store.
    pub hostile: bool,
    /// Mutation: the server gets no key of a coming slot.
    pub without_next: bool,
}

impl Weather {
    /// The default plan, clocks that agree, nothing that fails, one generator.
    pub fn calm(seed: u64, hosts: u64, slots: u64) -> Self {
        let plan = Rotation::default();
        Self {
            seed,
            hosts,
            slots,
            schedule: Schedule::new(&plan, WhenMissing::Ratchet),
            lifetime: plan.lifetime * 1000,
            skew: 0,
            partition: 0,
            stale: false,
            connected: (0, 0),
            sites: 5,
            late: 0,
            poll: 3 * MINUTE,
            failing: 0,
            retry: 5 * MINUTE,
            killed: 0,
            rebooted: 0,
            overlap: 100,
            generators: vec![Generator::founder()],
            slow: 0,
            wiped: Vec::new(),
            down: Vec::new(),
            replaced: Vec::new(),
            offered_ahead: None,
            hostile: false,
            without_next: false,
        }
    }

    /// Everything that may happen to a host inside of the envelope, once a day or more often.
    pub fn rough(seed: u64, hosts: u64, slots: u64) -> Self {
        Self {
            skew: 5 * MINUTE,
            partition: 116 * MINUTE,
            stale: true,
            late: MINUTE,
            failing: 20,
            killed: 20,
            rebooted: 30,
            slow: 20_000,
            ..Self::calm(seed, hosts, slots)
        }
    }

    pub fn end(&self) -> u64 {
        START + self.slots * self.schedule.interval
    }
}

/// A fleet's life.
pub struct World {
    pub weather: Weather,
    pub history: History,
    pub hosts: Vec<Host>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub looks: u64,
    pub reloads: u64,
    pub failed_reloads: u64,
    pub kills: u64,
    pub reboots: u64,
    pub forged: u64,
    /// The most reloads of one host in one slot.
    pub most_in_slot: u64,
    /// Slots of hosts with more than one reload.
    pub crowded: u64,
    /// The longest that a key encrypted behind its slot.
    pub longest: u64,
    /// The longest that a key stayed behind the life of its last ticket.
    pub stayed: u64,
}

impl World {
    pub fn run(weather: Weather) -> Self {
        let history = History::make(&weather);
        let hosts = (0..weather.hosts)
            .into_par_iter()
            .map(|number| Host::new(number, &weather).live(&weather, &history))
            .collect();
        Self {
            weather,
            history,
            hosts,
        }
    }

    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for tally in self.hosts.iter().map(|host| host.tally) {
            all.looks += tally.looks;
            all.reloads += tally.reloads;
            all.failed_reloads += tally.failed_reloads;
            all.kills += tally.kills;
            all.reboots += tally.reboots;
            all.forged += tally.forged;
            all.crowded += tally.crowded;
            all.most_in_slot = all.most_in_slot.max(tally.most_in_slot);
            all.longest = all.longest.max(tally.longest);
            all.stayed = all.stayed.max(tally.stayed);
        }
        all
    }

    /// The first of what the hosts found broken.
    pub fn broken(&self) -> Vec<&String> {
        let broken = self.hosts.iter().flat_map(|host| &host.broken);
        broken.take(5).collect()
    }

    /// The keys that encrypt at a time, over all servers that run with tickets.
    pub fn encrypting(&self, at: u64) -> BTreeSet<Key> {
        let hosts = self.hosts.iter();
        hosts.filter_map(|host| host.encrypts(at)).collect()
    }

    /// In the middle of how many slots more than one key encrypts, from a time on.
    pub fn split(&self, from: u64) -> u64 {
        let interval = self.weather.schedule.interval;
        let middles = (0..self.weather.slots).map(|slot| START + slot * interval + interval / 2);
        let middles = middles.filter(|at| *at >= START + from);
        let split = middles.filter(|at| self.encrypting(*at).len() > 1).count();
        split.try_into().unwrap()
    }

    /// Offers tickets of random hosts to others and gives what became of them.
    pub fn probe(&self, count: u64) -> Probes {
        let interval = self.weather.schedule.interval;
        Probes::run(self, count, (interval, self.weather.slots * interval))
    }

    /// The same for tickets that are issued within a time.
    pub fn probe_within(&self, count: u64, span: (u64, u64)) -> Probes {
        Probes::run(self, count, span)
    }

    /// Prints the figures and demands what holds in every weather.
    pub fn check(&self, name: &str, probes: &Probes) {
        let days = self.weather.hosts * self.weather.slots * self.weather.schedule.interval / DAY;
        println!("{name}: {days} host-days, {probes}, {:?}", self.tally());
        assert!(self.broken().is_empty(), "{name}: {:?}", self.broken());
    }
}
