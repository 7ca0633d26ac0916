//! A host in virtual time: its clocks, its server and its mishaps. The core is driven as the
//! tool drives it; what the server has loaded is written down and judged by the invariants.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use stekguard::keys::core::{
    Clock, Key, KeyId, Now, Offer, Schedule, Set, Slot, State, Step, View, step,
};

pub const HOUR: u64 = 3_600_000;

/// What can happen to the host. Shares are out of 1000.
#[derive(Clone, Debug)]
pub struct Weather {
    pub seed: u64,
    /// Slots that are simulated.
    pub slots: u64,
    /// A look comes at most this late, in milliseconds.
    pub delay: u64,
    /// A reload fails and is tried again within this many milliseconds.
    pub failing: u64,
    pub retry: u64,
    /// The tool is killed somewhere in between.
    pub killed: u64,
    /// The wall clock is stepped, by up to this many milliseconds.
    pub stepped: u64,
    pub step: u64,
    /// All keys are replaced.
    pub replaced: u64,
    /// The machine starts anew.
    pub rebooted: u64,
    /// The server gets no key of a coming slot.
    pub without_next: bool,
}

impl Weather {
    pub fn calm(seed: u64, slots: u64) -> Self {
        Self {
            seed,
            slots,
            delay: 0,
            failing: 0,
            retry: 0,
            killed: 0,
            stepped: 0,
            step: 0,
            replaced: 0,
            rebooted: 0,
            without_next: false,
        }
    }
}

/// What became of one key.
#[derive(Clone, Copy, Debug)]
struct Life {
    loaded: u64,
    /// How many mishaps there had been.
    mishaps: u64,
    encrypted_from: Option<u64>,
    /// True time and wall time when it last encrypted.
    stopped: Option<[u64; 2]>,
}

/// What was counted.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub slots: u64,
    pub milliseconds: u64,
    pub reloads: u64,
    pub looks: u64,
    pub mishaps: u64,
}

pub struct World {
    schedule: Schedule,
    lifetime: u64,
    weather: Weather,
    random: u64,
    now: u64,
    booted: u64,
    offset: i64,
    state: State,
    /// Keys whose files exist.
    files: Vec<Key>,
    server: Option<Set>,
    lives: BTreeMap<Key, Life>,
    floor: u32,
    /// Reloads since the last look of another slot.
    in_slot: (u64, u64),
    pub tally: Tally,
    pub broken: Vec<String>,
}

impl World {
    pub fn new(schedule: Schedule, lifetime: u64, weather: Weather) -> Self {
        let start = 490_000 * HOUR + weather.seed % HOUR;
        Self {
            schedule,
            lifetime,
            random: weather.seed | 1,
            weather,
            now: start,
            booted: start,
            offset: 0,
            state: State::default(),
            files: Vec::new(),
            server: None,
            lives: BTreeMap::new(),
            floor: 0,
            in_slot: (0, 0),
            tally: Tally::default(),
            broken: Vec::new(),
        }
    }

    /// Lives through the weather; stops at the first broken invariant.
    pub fn run(mut self) -> Self {
        let start = self.now;
        let end = start + self.weather.slots * self.schedule.interval;
        while self.now < end && self.broken.is_empty() {
            let mut due = self.look();
            if self.broken.is_empty() {
                self.mishap();
            }
            // The timer looks four times a slot, and at its start.
            due = due.min(self.schedule.interval / 4).max(1);
            let delay = self.below(self.weather.delay + 1);
            self.now += due + delay;
        }
        self.tally.milliseconds = self.now - start;
        self.tally.slots = self.tally.milliseconds / self.schedule.interval;
        self
    }

    fn clocks(&self) -> Now {
        Now {
            wall: self.now.saturating_add_signed(self.offset),
            boot: self.now - self.booted,
        }
    }

    /// One run of the tool; how long until the next one.
    fn look(&mut self) -> u64 {
        for _ in 0..8 {
            self.tally.looks += 1;
            let looked = self.step();
            assert!(looked.state.floor >= self.state.floor, "I7: the floor fell");
            let Some(set) = looked.load.clone() else {
                self.state = looked.state;
                return looked.due;
            };
            if self.chance(self.weather.failing) {
                // The old set stays; what was learnt stays too.
                self.tally.mishaps += 1;
                self.state = looked.state;
                return self.weather.retry.max(1);
            }
            // Killed before the reload, or after it and before it is written down.
            let killed = self.chance(self.weather.killed).then(|| self.below(2));
            if killed.is_some() {
                self.tally.mishaps += 1;
            }
            if killed == Some(0) {
                return self.weather.retry.max(1);
            }
            self.reload(&set);
            if killed == Some(1) {
                return self.weather.retry.max(1);
            }
            self.state = looked.state.applied(&set);
            self.files.retain(|key| set.has(key));
            // A reload takes a moment.
            self.now += 50;
            if !looked.again {
                return looked.due.saturating_sub(50);
            }
        }
        self.broken.push("looks without an end".to_owned());
        1
    }

    fn step(&mut self) -> Step {
        let view = |files: &[Key], floor| View {
            offers: files
                .iter()
                .map(|key| Offer {
                    key: *key,
                    derived: false,
                    made: None,
                })
                .collect(),
            floor,
            witness: None,
        };
        let now = self.clocks();
        let first = step(
            &self.schedule,
            now,
            &view(&self.files, self.floor),
            &self.state,
        );
        for slot in &first.wanted {
            let id = KeyId(self.next().to_be_bytes());
            self.files.push(Key { slot: *slot, id });
        }
        step(
            &self.schedule,
            now,
            &view(&self.files, self.floor),
            &self.state,
        )
    }

    fn reload(&mut self, set: &Set) {
        let mut set = set.clone();
        let current = set.encrypts.map(|key| key.slot);
        if self.weather.without_next {
            set.decrypts.retain(|key| Some(key.slot) <= current);
        }
        let set = &set;
        self.tally.reloads += 1;
        let wall = self.clocks().wall;
        let epoch = self
            .schedule
            .epoch(self.state.clock.map_or(self.now, |clock: Clock| clock.time));
        let count = if self.in_slot.0 == epoch {
            self.in_slot.1 + 1
        } else {
            1
        };
        self.in_slot = (epoch, count);
        let old = self.server.replace(set.clone());
        let encrypts = set.encrypts.expect("a local source has keys");
        if let Some(old) = &old {
            let replaced = encrypts.slot.generation > old.encrypts.unwrap().slot.generation;
            if !replaced && !old.has(&encrypts) {
                self.broken.push(format!(
                    "I1: {encrypts:?} encrypts while workers run that do not know it"
                ));
            }
            let before = old.encrypts.unwrap();
            if before != encrypts {
                self.stop(before, wall);
            }
            for key in old.keys().filter(|key| !set.has(key)) {
                self.leave(*key, wall, replaced);
            }
        }
        for key in set.keys() {
            let life = Life {
                loaded: self.now,
                mishaps: self.tally.mishaps,
                encrypted_from: None,
                stopped: None,
            };
            self.lives.entry(*key).or_insert(life);
        }
        let now = self.now;
        let life = self.lives.get_mut(&encrypts).unwrap();
        if old.is_some_and(|old| old.encrypts != Some(encrypts)) || life.encrypted_from.is_none() {
            if life.stopped.is_some() {
                self.broken
                    .push(format!("{encrypts:?} encrypts a second time"));
            }
            life.encrypted_from = Some(now);
        }
    }

    fn stop(&mut self, key: Key, wall: u64) {
        let (now, worst) = (self.now, self.longest_encryption(&self.lives[&key]));
        let life = self.lives.get_mut(&key).unwrap();
        life.stopped = Some([now, wall]);
        let from = life.encrypted_from.unwrap();
        if now - from > worst {
            self.broken
                .push(format!("I3: {key:?} encrypted for {} ms", now - from));
        }
    }

    /// A slot of a clock that is slowed by a thirty-second, and what the weather adds.
    fn longest_encryption(&self, life: &Life) -> u64 {
        self.schedule.interval * 32 / 31 + self.late(life)
    }

    /// The delays at both ends, and one more for each mishap of the key's life.
    fn late(&self, life: &Life) -> u64 {
        let mishaps = self.tally.mishaps - life.mishaps;
        2 * self.weather.delay + mishaps * (self.weather.retry + self.weather.delay) + 1000
    }

    fn leave(&mut self, key: Key, wall: u64, replaced: bool) {
        let life = self.lives.remove(&key).unwrap();
        let [stopped, stopped_wall] = life.stopped.unwrap_or([life.loaded, wall]);
        let aged = (self.now - stopped).max(wall.saturating_sub(stopped_wall));
        if !replaced && life.encrypted_from.is_some() && aged < self.lifetime {
            self.broken.push(format!(
                "I1: {key:?} left {} ms before its last session ended",
                self.lifetime - aged
            ));
        }
        let slots = self.schedule.previous + self.schedule.ahead + 2 + 1;
        let longest = slots * self.schedule.interval * 32 / 31 + self.late(&life);
        if self.now - life.loaded > longest + self.schedule.interval {
            self.broken.push(format!(
                "I3: {key:?} stayed for {} ms",
                self.now - life.loaded
            ));
        }
    }

    fn mishap(&mut self) {
        // A host whose first run was killed remembers no time: it believes the wall clock once
        // more, and has no way to tell that it was stepped meanwhile.
        if self.state.clock.is_some() && self.chance(self.weather.stepped) {
            self.tally.mishaps += 1;
            let by = self.below(2 * self.weather.step) as i64 - self.weather.step as i64;
            // Forth and back again, or for good.
            self.offset = if self.offset == 0 { by } else { 0 };
        }
        if self.chance(self.weather.replaced) {
            self.floor = self.state.floor + 1;
        }
        if self.chance(self.weather.rebooted) {
            self.tally.mishaps += 1;
            self.booted = self.now;
            self.state = State::default();
            self.files.clear();
            self.server = None;
            self.lives.clear();
            self.floor = 0;
        }
    }

    /// Reloads within the slot that it is.
    pub fn reloads_in_slot(&self) -> u64 {
        self.in_slot.1
    }

    fn next(&mut self) -> u64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.next() % most }
    }

    fn chance(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.below(1000) < of_1000
    }
}

pub fn slot(generation: u32, epoch: u64) -> Slot {
    Slot { generation, epoch }
}

pub fn key(generation: u32, epoch: u64, id: u64) -> Key {
    Key {
        slot: slot(generation, epoch),
        id: KeyId(id.to_be_bytes()),
    }
}
