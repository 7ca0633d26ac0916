//! One host: its clock, its agent, its server and its mishaps. What the server has loaded is
//! written down; what must hold on a host alone is checked here.

use std::collections::BTreeMap;

use stekguard::keys::core::{GRACE, Key, KeyId, Now, Offer, Set, Slot, State, Step, View, step};

use super::hazard::{self, Answer, Spans};
use super::history::{History, is_down};
use super::random::Random;
use super::{DAY, MINUTE, START, Tally, Weather};

pub struct Host {
    random: Random,
    site: Vec<(u64, u64, Answer)>,
    cut_off: Spans,
    reboots: Vec<u64>,
    offset: i64,
    drift: i64,
    now: u64,
    booted: u64,
    state: State,
    /// Keys whose files are in the folder, and whether derived.
    files: Vec<(Key, bool)>,
    /// The highest floor; kept on a disk.
    floor: u32,
    server: Option<Set>,
    /// What the last poll saw: the moment of the store that it showed, and the slot it was.
    seen: Option<(u64, u64)>,
    retry: Option<u64>,
    in_slot: (u64, u64),
    /// When each key was loaded: from, to.
    loaded: BTreeMap<Key, Vec<(u64, u64)>>,
    /// Which key encrypts since when; `None`: no tickets.
    encrypts: Vec<(u64, Option<Key>)>,
    pub tally: Tally,
    pub broken: Vec<String>,
}

/// A record as it comes out of a store: what its signature covers, and whether it is whole.
struct Record {
    slot: Slot,
    offer: Offer,
    signed: bool,
    fleet: bool,
}

impl Host {
    pub fn new(number: u64, weather: &Weather) -> Self {
        let mut random = Random::of(weather.seed, 1_000_000 + number);
        let cut_off = hazard::of_host(&mut random, weather);
        let days = (weather.end() - START).div_ceil(DAY);
        let reboots = (0..days).filter(|_| random.chance(weather.rebooted));
        let reboots = reboots.map(|day| START + day * DAY).collect::<Vec<_>>();
        let reboots = reboots.into_iter().map(|day| day + random.below(DAY));
        let reboots = reboots.filter(|at| *at > START + 60 * MINUTE).collect();
        // Four fifths of the skew at the start, the rest by drift.
        let drift = random.around(weather.skew / 5);
        let start = START + MINUTE + random.below(10 * MINUTE);
        Self {
            site: hazard::of_site(number % weather.sites, weather),
            cut_off,
            reboots,
            offset: random.around(weather.skew * 4 / 5),
            drift,
            random,
            now: start,
            booted: start,
            state: State::default(),
            files: Vec::new(),
            floor: 0,
            server: None,
            seen: None,
            retry: None,
            in_slot: (0, 0),
            loaded: BTreeMap::new(),
            encrypts: Vec::new(),
            tally: Tally::default(),
            broken: Vec::new(),
        }
    }

    pub fn live(mut self, weather: &Weather, history: &History) -> Self {
        let mut poll = self.now;
        let mut slot = u64::MAX;
        while self.now < weather.end() && self.broken.is_empty() {
            let due = self.reboots.first().is_some_and(|at| *at <= self.now);
            if due && self.reboot(weather) {
                poll = self.now;
            }
            let polls = poll <= self.now;
            let offers = match polls {
                true => self.poll(weather, history),
                false => None,
            };
            if polls {
                poll = self.now + weather.poll * (900 + self.random.below(200)) / 1000;
            }
            let due = slot <= self.now || self.retry.is_some_and(|at| at <= self.now);
            // A poll without news changes nothing; some are looked at all the same.
            if due || offers.is_some() || self.random.chance(if polls { 20 } else { 0 }) {
                let next = self.look(weather, offers);
                let late = self.random.below(weather.late + 1);
                slot = self.now + next + late;
            }
            let retry = self.retry.unwrap_or(u64::MAX).max(self.now + 1);
            self.now = poll.min(slot).min(retry).max(self.now + 1);
        }
        for spans in self.loaded.values_mut() {
            let open = spans.iter_mut().filter(|span| span.1 == u64::MAX);
            open.for_each(|span| span.1 = weather.end());
        }
        self
    }

    fn clocks(&self, weather: &Weather) -> Now {
        let life = (weather.end() - START) as i64;
        let drift = self.drift * (self.now - START) as i64 / life;
        Now {
            wall: self.now.saturating_add_signed(self.offset + drift),
            boot: self.now - self.booted,
        }
    }

    /// The moment of the master's history that the site's copy shows; `None`: it is empty.
    fn shown(&self) -> Option<u64> {
        let at = self.now;
        let span = self
            .site
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&at));
        match span {
            None => Some(at),
            Some((from, _, Answer::Frozen)) => Some(*from),
            Some((from, _, Answer::Old(by))) => Some(from.saturating_sub(*by)),
            Some((_, _, Answer::Empty)) => None,
        }
    }

    fn reachable(&self, weather: &Weather) -> bool {
        !hazard::within(&self.cut_off, self.now) && !is_down(weather, self.now)
    }

    /// True when the store answers with what stands there, and will for some minutes.
    fn is_served(&self, weather: &Weather) -> bool {
        let soon = self.now + 5 * MINUTE;
        let meets = |from: u64, to: u64| from < soon && self.now < to;
        let cut_off = self.cut_off.iter().any(|(from, to)| meets(*from, *to));
        let stale = self.site.iter().any(|(from, to, _)| meets(*from, *to));
        let mut down = weather.down.iter();
        !cut_off && !stale && !down.any(|(from, to)| meets(START + from, START + to))
    }

    /// What the store offers that is not held; `None`: no news.
    fn poll(&mut self, weather: &Weather, history: &History) -> Option<View> {
        if !self.reachable(weather) {
            return None;
        }
        let shown = self.shown()?;
        let epoch = weather.schedule.epoch(self.clocks(weather).wall);
        // The agent's window moves with its own clock.
        let known = self.seen.is_some_and(|(seen, at)| {
            at == epoch && seen <= shown && !history.changed(seen, shown)
        });
        if known && !weather.hostile {
            return None;
        }
        self.seen = Some((shown, epoch));
        let head = history.head(shown);
        self.floor = self.floor.max(head.map_or(0, |head| head.generation));
        let mut records = self.records(weather, history, shown, epoch);
        if weather.hostile {
            self.write_into(&mut records, epoch);
        }
        let before = records.len();
        records.retain(|it| it.signed && it.fleet && it.slot == it.offer.key.slot);
        self.tally.forged += (before - records.len()) as u64;
        let held = |key: &Key| self.state.find(key).is_some();
        // What is asked for is what is believed to have come.
        let offers = records.iter().map(|it| Offer {
            key: Key {
                slot: it.slot,
                ..it.offer.key
            },
            ..it.offer
        });
        let offers: Vec<Offer> = offers.collect();
        let news = offers.iter().any(|it| !held(&it.key)) || self.floor > self.state.floor;
        news.then(|| View {
            offers,
            floor: self.floor,
            witness: head.map(|head| head.epoch),
        })
    }

    fn records(&self, weather: &Weather, history: &History, at: u64, epoch: u64) -> Vec<Record> {
        let first = epoch.saturating_sub(weather.schedule.previous);
        let last = epoch + weather.schedule.ahead + 1;
        let mut records = Vec::new();
        for generation in self.floor..=self.floor + 1 {
            for epoch in first..=last {
                let slot = Slot { generation, epoch };
                let Some(claim) = history.record(slot, at) else {
                    continue;
                };
                records.push(Record {
                    slot,
                    offer: Offer::public(claim.key, claim.made),
                    signed: true,
                    fleet: true,
                });
            }
        }
        records
    }

    /// Somebody who can write into the store, and has kept every record that ever stood there.
    fn write_into(&mut self, records: &mut Vec<Record>, epoch: u64) {
        let forged = |slot: Slot, id: u64, signed, fleet| Record {
            slot,
            offer: Offer::public(
                Key {
                    slot,
                    id: KeyId(id.to_be_bytes()),
                },
                0,
            ),
            signed,
            fleet,
        };
        let generation = self.floor;
        let any = Slot {
            generation,
            epoch: epoch - 19 + self.random.below(24),
        };
        let id = self.random.next();
        // A known key injected, a record of another fleet's generator, noise.
        records.push(forged(any, id, false, true));
        records.push(forged(any, id, true, false));
        // The key of one slot under the name of another.
        if records.len() > 4 {
            let from = self.random.below(2) as usize;
            let offer = records[from].offer;
            let slot = records[from + 2].slot;
            records.push(Record {
                slot,
                offer,
                signed: true,
                fleet: true,
            });
        }
        // Genuine records of slots that are over, and of a generation that was replaced.
        let old = Slot {
            generation,
            epoch: epoch - 21 - self.random.below(100),
        };
        records.push(forged(old, id, true, true));
        if generation > 0 {
            let generation = generation - 1;
            records.push(forged(Slot { generation, ..any }, id, true, true));
        }
    }

    /// A run of the tool; how long until the next slot.
    fn look(&mut self, weather: &Weather, news: Option<View>) -> u64 {
        self.retry = None;
        let mut brought = news.unwrap_or_default();
        brought.floor = self.floor;
        let mut due = weather.schedule.interval;
        for _ in 0..4 {
            self.tally.looks += 1;
            let looked = self.step(weather, &mut brought);
            due = looked.due.max(1);
            if looked.state.floor < self.state.floor {
                self.broken.push("I7: the floor fell".to_owned());
            }
            let Some(set) = looked.load.clone() else {
                self.remember(looked.state);
                return due;
            };
            if self.random.chance(weather.failing) {
                self.tally.failed_reloads += 1;
                let floor = self.state.floor;
                self.remember(State {
                    floor,
                    ..looked.state
                });
                self.retry = Some(self.now + 1 + self.random.below(weather.retry));
                return due;
            }
            let killed = self
                .random
                .chance(weather.killed)
                .then(|| self.random.below(2));
            if killed.is_some() {
                self.tally.kills += 1;
                self.retry = Some(self.now + 1 + self.random.below(weather.retry));
            }
            if killed == Some(0) {
                return due;
            }
            self.reload(weather, &set);
            if killed == Some(1) {
                return due;
            }
            let again = looked.again;
            self.remember(looked.state.applied(&set));
            if !again {
                return due;
            }
            self.now += weather.overlap + 1;
        }
        self.broken.push("looks without an end".to_owned());
        due
    }

    fn remember(&mut self, state: State) {
        let applied = state.applied.clone().unwrap_or_default();
        self.files
            .retain(|(key, _)| state.find(key).is_some() || applied.has(key));
        self.state = state;
    }

    fn step(&mut self, weather: &Weather, brought: &mut View) -> Step {
        let now = self.clocks(weather);
        let mut state = self.state.clone();
        let there = |brought: &View, key: &Key, files: &[(Key, bool)]| {
            files.iter().any(|(file, _)| file == key)
                || brought.offers.iter().any(|offer| offer.key == *key)
        };
        state
            .held
            .retain(|held| there(brought, &held.key, &self.files));
        let look = |files: &[(Key, bool)], brought: &View| {
            let files = files
                .iter()
                .map(|(key, derived)| Offer::new(*key, *derived));
            let mut view = brought.clone();
            view.offers = files.chain(brought.offers.iter().copied()).collect();
            step(&weather.schedule, now, &view, &state)
        };
        let first = look(&self.files, brought);
        for offer in &brought.offers {
            let taken = first.state.find(&offer.key).is_some();
            if taken && !self.files.iter().any(|(key, _)| *key == offer.key) {
                self.files.push((offer.key, false));
            }
        }
        let mut derived = Vec::new();
        if let Some(ratchet) = first.ratchet {
            let mut from = ratchet.from.id.0;
            for epoch in ratchet.from.slot.epoch + 1..=ratchet.until {
                from = hashed(from, epoch);
                let slot = Slot {
                    epoch,
                    ..ratchet.from.slot
                };
                derived.push(Key {
                    slot,
                    id: KeyId(from),
                });
            }
        }
        if let Some(slot) = first.make {
            let id = KeyId(self.random.next().to_be_bytes());
            derived.push(Key { slot, id });
        }
        if derived.is_empty() {
            return first;
        }
        for key in derived {
            if !self.files.iter().any(|(file, _)| *file == key) {
                self.files.push((key, true));
            }
        }
        look(&self.files, brought)
    }

    fn reload(&mut self, weather: &Weather, set: &Set) {
        let mut set = set.clone();
        let current = set.encrypts.map(|key| key.slot);
        if weather.without_next {
            set.decrypts.retain(|key| Some(key.slot) <= current);
        }
        self.tally.reloads += 1;
        self.count(weather);
        let old = self.server.replace(set.clone());
        let before = old.as_ref().and_then(|old| old.encrypts);
        if let (Some(old), Some(new), Some(before)) = (&old, set.encrypts, before) {
            let replaced = new.slot.generation > before.slot.generation;
            if !replaced && !old.has(&new) && !weather.without_next {
                self.broken
                    .push(format!("I1: {new:?} encrypts, old workers do not know it"));
            }
        }
        for key in old.iter().flat_map(|old| old.keys()) {
            if !set.has(key) {
                self.leaves(weather, *key);
            }
        }
        for key in set.keys() {
            if !old.as_ref().is_some_and(|old| old.has(key)) {
                self.loaded
                    .entry(*key)
                    .or_default()
                    .push((self.now, u64::MAX));
            }
        }
        if before != set.encrypts || old.is_none() {
            self.stops(weather, before);
            self.encrypts.push((self.now, set.encrypts));
        }
    }

    fn count(&mut self, weather: &Weather) {
        let epoch = weather.schedule.epoch(self.clocks(weather).wall);
        let first = self.in_slot.0 == 0;
        self.in_slot = match self.in_slot {
            (slot, count) if slot == epoch => (epoch, count + 1),
            _ => (epoch, 1),
        };
        if first {
            return;
        }
        self.tally.most_in_slot = self.tally.most_in_slot.max(self.in_slot.1);
        self.tally.crowded += u64::from(self.in_slot.1 == 2);
    }

    /// I3: how long it encrypted behind its slot.
    fn stops(&mut self, weather: &Weather, key: Option<Key>) {
        let Some(key) = key else {
            return;
        };
        let schedule = &weather.schedule;
        let behind = self.now.saturating_sub(schedule.start(key.slot.epoch + 1));
        self.tally.longest = self.tally.longest.max(behind);
        let most = GRACE * schedule.interval + slack(weather);
        if behind > most {
            self.broken
                .push(format!("I3: {key:?} encrypted {behind} ms behind its slot"));
        }
    }

    /// I3: how long it stayed behind the life of its last ticket.
    fn leaves(&mut self, weather: &Weather, key: Key) {
        let spans = self.loaded.get_mut(&key).expect("loaded before");
        spans.last_mut().expect("loaded before").1 = self.now;
        let schedule = &weather.schedule;
        let mut last = schedule.start(key.slot.epoch + 1);
        let own = self.encrypts.iter().rposition(|(_, it)| *it == Some(key));
        if let Some(own) = own {
            last = last.max(self.encrypts.get(own + 1).map_or(self.now, |it| it.0));
        }
        let stayed = self.now.saturating_sub(last + weather.lifetime);
        self.tally.stayed = self.tally.stayed.max(stayed);
        if stayed > 2 * schedule.interval + slack(weather) {
            self.broken
                .push(format!("I3: {key:?} stayed {stayed} ms after its life"));
        }
    }

    /// The folder is in memory: only the floor survives. Waits until the store answers.
    fn reboot(&mut self, weather: &Weather) -> bool {
        if !self.is_served(weather) {
            self.reboots[0] = self.now + MINUTE;
            return false;
        }
        self.reboots.remove(0);
        self.tally.reboots += 1;
        self.stops(weather, self.encrypts.last().and_then(|it| it.1));
        for key in self
            .server
            .take()
            .iter()
            .flat_map(|set| set.keys().copied().collect::<Vec<_>>())
        {
            self.leaves(weather, key);
        }
        self.encrypts.push((self.now, None));
        self.now += MINUTE;
        self.booted = self.now;
        self.state = State::default();
        self.files.clear();
        self.seen = None;
        self.retry = None;
        self.in_slot = (0, 0);
        true
    }

    pub fn encrypts(&self, at: u64) -> Option<Key> {
        let behind = self.encrypts.partition_point(|(since, _)| *since <= at);
        let last = behind.checked_sub(1)?;
        self.encrypts[last].1
    }

    /// True when it has any key loaded.
    pub fn runs(&self, at: u64) -> bool {
        self.encrypts(at).is_some()
    }

    /// True when every worker decrypts with a key: those before a reload and those after it.
    pub fn has(&self, key: &Key, at: u64, overlap: u64) -> bool {
        let mut spans = self.loaded.get(key).into_iter().flatten();
        spans.any(|(from, to)| from + overlap <= at && at < *to)
    }

    /// I5: every key that was ever loaded.
    pub fn ever_loaded(&self) -> impl Iterator<Item = &Key> {
        self.loaded.keys()
    }
}

/// What clocks, late looks and reloads that are tried again add to any time.
fn slack(weather: &Weather) -> u64 {
    2 * weather.skew + weather.late + 4 * weather.retry + 2 * weather.poll
}

fn hashed(from: [u8; 8], epoch: u64) -> [u8; 8] {
    Random::of(u64::from_be_bytes(from), epoch)
        .next()
        .to_be_bytes()
}
