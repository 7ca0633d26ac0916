//! What stands in the master store at every moment, as generators write it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use stekguard::keys::core::{
    Claimed, GeneratorState, GeneratorStep, GeneratorView, Key, KeyId, Now, Slot, generate,
};

use super::random::Random;
use super::{START, Weather};

/// One life of a generator: its memory begins and ends with it.
#[derive(Clone, Debug)]
pub struct Generator {
    pub from: u64,
    pub until: u64,
    pub founding: bool,
}

impl Generator {
    /// The first one of a fleet, for ever.
    pub fn founder() -> Self {
        Self {
            from: 0,
            until: u64::MAX,
            founding: true,
        }
    }

    /// One that knows nothing but the store.
    pub fn new(from: u64, until: u64) -> Self {
        Self {
            from,
            until,
            founding: false,
        }
    }
}

/// A record, and from when to when it stood.
#[derive(Clone, Copy, Debug)]
pub struct Stood {
    pub claim: Claimed,
    pub from: u64,
    pub to: u64,
}

/// What a generator said of itself.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub generation: u32,
    pub epoch: u64,
}

#[derive(Default)]
pub struct History {
    slots: BTreeMap<Slot, Vec<Stood>>,
    heads: Vec<(u64, Option<Head>)>,
    /// When something changed.
    changes: Vec<u64>,
    /// Every key that a generator ever offered.
    pub genuine: BTreeSet<Key>,
    /// Keys that hosts may know and no generator has: made twice for one slot.
    pub conflicts: u64,
}

/// A generator at work.
struct Maker {
    life: Generator,
    random: Random,
    offset: i64,
    seeds: Vec<Key>,
    state: GeneratorState,
}

enum Event {
    Tick(usize),
    Write(usize, Vec<Claimed>, Head),
    Wipe,
}

impl History {
    pub fn make(weather: &Weather) -> Self {
        let mut history = Self::default();
        let mut random = Random::of(weather.seed, 1);
        let mut makers: Vec<Maker> = Vec::new();
        let mut queue = BinaryHeap::new();
        let mut events: Vec<Event> = Vec::new();
        let push = |queue: &mut BinaryHeap<_>, events: &mut Vec<Event>, at: u64, event| {
            events.push(event);
            queue.push(Reverse((at, events.len() - 1)));
        };
        for (number, life) in weather.generators.iter().enumerate() {
            makers.push(Maker {
                life: life.clone(),
                random: Random::of(weather.seed, 100 + number as u64),
                offset: random.around(weather.skew),
                seeds: Vec::new(),
                state: GeneratorState::default(),
            });
            let first = Event::Tick(number);
            push(&mut queue, &mut events, START + life.from, first);
        }
        for at in &weather.wiped {
            push(&mut queue, &mut events, START + at, Event::Wipe);
        }
        while let Some(Reverse((now, number))) = queue.pop() {
            if now >= weather.end() {
                break;
            }
            match std::mem::replace(&mut events[number], Event::Wipe) {
                Event::Wipe => history.wipe(now),
                Event::Write(by, claims, head) => {
                    if now - START < makers[by].life.until && !is_down(weather, now) {
                        history.write(now, &claims, head);
                    }
                }
                Event::Tick(by) => {
                    if now - START >= makers[by].life.until {
                        continue;
                    }
                    let step = makers[by].tick(weather, now, &history);
                    history.genuine.extend(step.offer.iter().map(|it| it.key));
                    let head = Head {
                        generation: step.state.generation,
                        epoch: step.epoch,
                    };
                    let late = random.below(weather.slow + 1);
                    let write = Event::Write(by, step.offer, head);
                    push(&mut queue, &mut events, now + late, write);
                    let next = weather.poll * (900 + random.below(200)) / 1000;
                    let next = next.min(step.due + 1);
                    push(&mut queue, &mut events, now + next.max(1), Event::Tick(by));
                }
            }
        }
        history.conflicts = history.twice();
        history
    }

    fn wipe(&mut self, now: u64) {
        for stood in self.slots.values_mut().flatten() {
            stood.to = stood.to.min(now);
        }
        self.heads.push((now, None));
        self.changes.push(now);
    }

    fn write(&mut self, now: u64, claims: &[Claimed], head: Head) {
        for claim in claims {
            let stood = self.slots.entry(claim.key.slot).or_default();
            if stood.iter().any(|it| it.to > now) {
                continue;
            }
            stood.push(Stood {
                claim: *claim,
                from: now,
                to: u64::MAX,
            });
            self.changes.push(now);
        }
        let before = self.heads.last().and_then(|(_, head)| *head);
        if before.is_none_or(|it| it.generation != head.generation) {
            self.changes.push(now);
        }
        self.heads.push((now, Some(head)));
    }

    fn twice(&self) -> u64 {
        let twice = self.slots.values().filter(|stood| {
            let mut ids = stood.iter().map(|it| it.claim.key.id);
            let first = ids.next();
            ids.any(|id| Some(id) != first)
        });
        twice.count() as u64
    }

    /// The record of a slot as it stood at a time.
    pub fn record(&self, slot: Slot, at: u64) -> Option<Claimed> {
        let stood = self.slots.get(&slot)?.iter();
        let mut stood = stood.filter(|it| (it.from..it.to).contains(&at));
        stood.next().map(|it| it.claim)
    }

    pub fn head(&self, at: u64) -> Option<Head> {
        let behind = self.heads.partition_point(|(time, _)| *time <= at);
        behind.checked_sub(1).and_then(|last| self.heads[last].1)
    }

    /// True when something changed in between.
    pub fn changed(&self, from: u64, to: u64) -> bool {
        let first = self.changes.partition_point(|at| *at <= from);
        self.changes.get(first).is_some_and(|at| *at <= to)
    }
}

pub fn is_down(weather: &Weather, now: u64) -> bool {
    let mut down = weather.down.iter();
    down.any(|(from, to)| (START + from..START + to).contains(&now))
}

impl Maker {
    fn look(&self, weather: &Weather, now: u64, history: &History) -> GeneratorStep {
        let epoch = weather.schedule.epoch(now);
        let raised = weather.replaced.iter().filter(|at| START + **at <= now);
        let roster = u32::try_from(raised.count()).unwrap();
        let head = history.head(now);
        let reached = !is_down(weather, now);
        let generation = roster.max(head.filter(|_| reached).map_or(0, |it| it.generation));
        let window = epoch.saturating_sub(weather.schedule.previous + 2)
            ..=epoch + weather.schedule.ahead + 2;
        let newest = self.state.generation.max(generation);
        let claims = window.filter_map(|epoch| {
            let generation = newest;
            history.record(Slot { generation, epoch }, now)
        });
        let view = GeneratorView {
            seeds: self.seeds.clone(),
            claims: reached.then(|| claims.collect()),
            generation,
            witness: None,
            founding: self.life.founding,
        };
        let now = Now {
            wall: now.saturating_add_signed(self.offset),
            boot: now - START,
        };
        generate(&weather.schedule, now, &view, &self.state)
    }

    fn tick(&mut self, weather: &Weather, now: u64, history: &History) -> GeneratorStep {
        let first = self.look(weather, now, history);
        // The first made key ends the founding.
        for slot in first.make {
            let id = KeyId(self.random.next().to_be_bytes());
            self.seeds.push(Key { slot, id });
        }
        let mut step = self.look(weather, now, history);
        self.life.founding = false;
        self.seeds.retain(|key| !step.drop.contains(key));
        self.state = step.state.clone();
        if let Some(ahead) = weather.offered_ahead {
            let newest = step.epoch + ahead;
            step.offer.retain(|it| it.key.slot.epoch <= newest);
        }
        step
    }
}
