//! A host of a fleet: which records it wants, which of those that a store gave it believes, and
//! what it says of itself. Every record that is not believed is counted by its reason. Touches no
//! store and no folder; what comes of a key is the core's business.

mod own;

use std::collections::BTreeMap;

use super::fetch::{Found, Question};
use super::record::{Head, Header, HostKey, Refused, read_claim, read_head};
use super::seal::{FleetKey, Recipient, open_for_fleet, open_for_host};
use super::seed::Seed;
use super::sign::{Pinned, PublicKey};
use super::{FleetName, HostName, Item};
use crate::keys::core::{Key, KeyId, Now, Offer, Schedule, Slot, State};
use crate::keys::source::{Brought, Candidate};
use crate::tls::Layout;

/// As the metrics call a record of keys that were all replaced since.
const BELOW_FLOOR: &str = "below-floor";

/// Who a host is, and whom it believes.
pub struct Membership {
    /// The fleet.
    pub fleet: FleetName,
    /// This host.
    pub host: HostName,
    /// The generators that are believed.
    pub pinned: Pinned,
    /// How seeds are opened.
    pub opens: Opens,
    /// Whose signature stands under what this host says of itself.
    pub identity: Option<PublicKey>,
    /// Hosts of one scope have the same key files.
    pub scope: String,
}

/// How seeds are opened.
pub enum Opens {
    /// By the key that all hosts of the fleet have.
    Fleet(FleetKey),
    /// By a key of this host alone, which lives in memory and changes every day.
    Host,
}

/// A host's view of its fleet.
pub struct Agent {
    who: Membership,
    layout: Layout,
    schedule: Schedule,
    /// That of today, then that of yesterday.
    recipients: Vec<Recipient>,
    /// What is published of today's, and when it was made by the boot clock.
    published: Option<(HostKey, u64)>,
    /// The store has it.
    stored: bool,
    candidates: Vec<Candidate>,
    /// Which key came out of which record.
    opened: BTreeMap<Slot, (Vec<u8>, Key)>,
    /// The seed of each key: the same at every host, whatever its scope and layout.
    seeds: BTreeMap<Key, KeyId>,
    /// Keys that the core has.
    held: Vec<Key>,
    /// The time that slots are counted by, as the core said last.
    time: u64,
    seen: Seen,
}

/// What was seen of the fleet so far. Times in milliseconds.
#[derive(Clone, Default, Debug)]
pub struct Seen {
    /// The lowest generation that is still good.
    pub floor: u32,
    /// The newest heartbeat.
    pub head: Option<Head>,
    /// When that was first seen, by the boot clock.
    heard: u64,
    /// The wall clock's lead over the heartbeat when it was first seen.
    pub skew: i64,
    /// When a store last answered, by the wall clock; 0: never.
    pub contact: u64,
    /// A store answered last.
    pub up: bool,
    /// Records that were not believed, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Keys that wait for their seal: the generator does not know this host's public key yet.
    pub unsealed: usize,
}

/// What an answer of a store brought.
#[derive(Default, Debug)]
pub struct Learnt {
    /// Records that were not believed: the reason, and a sentence.
    pub refused: Vec<(String, String)>,
    /// All keys were replaced: another question is due at once.
    pub risen: bool,
    /// There are keys that the core has not seen.
    pub fresh: bool,
}

impl Agent {
    /// A host that knows nothing yet.
    pub fn new(who: Membership, layout: Layout, schedule: Schedule) -> Self {
        Self {
            who,
            layout,
            schedule,
            recipients: Vec::new(),
            published: None,
            stored: false,
            candidates: Vec::new(),
            opened: BTreeMap::new(),
            seeds: BTreeMap::new(),
            held: Vec::new(),
            time: 0,
            seen: Seen::default(),
        }
    }

    /// Keys of a lower generation are void, whatever a store says.
    pub fn remember(&mut self, floor: u32) {
        self.seen.floor = self.seen.floor.max(floor);
    }

    /// What was seen of the fleet so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// No store answered.
    pub fn lost(&mut self) {
        self.seen.up = false;
    }

    /// What to ask a store for: every slot of the window, also those whose keys are held, as
    /// another key may have taken a slot since. `epoch`: the slot that it is.
    pub fn question(&mut self, epoch: u64, state: &State) -> Question {
        self.time = state.clock.map_or(0, |clock| clock.time);
        self.held = state.held.iter().map(|held| held.key).collect();
        let generation = self.seen.floor;
        let first = epoch.saturating_sub(self.schedule.previous);
        let last = epoch.saturating_add(self.schedule.ahead + 1);
        self.opened
            .retain(|slot, _| slot.generation == generation && slot.epoch >= first);
        self.seeds.retain(|key, _| key.slot.epoch >= first);
        let at_hand = self
            .opened
            .iter()
            .filter(|(_, (_, key))| self.held.contains(key));
        let known = at_hand.map(|(slot, (record, _))| (*slot, record.clone()));
        let known = known.collect();
        let slots = (first..=last).map(|epoch| Slot { generation, epoch });
        Question {
            fleet: self.who.fleet.clone(),
            host: matches!(self.who.opens, Opens::Host).then(|| self.who.host.clone()),
            pinned: self.who.pinned.clone(),
            slots: slots.collect(),
            known,
        }
    }

    /// Looks at an answer. What is believed waits in memory for the core.
    pub fn learn(&mut self, store: &str, found: &Found, now: Now) -> Learnt {
        let mut learnt = Learnt::default();
        self.seen.up = true;
        self.seen.contact = now.wall;
        self.head(store, found.head.as_deref(), now, &mut learnt);
        if matches!(self.who.opens, Opens::Host) {
            self.look_for_own_key(found.host.as_deref(), now);
        }
        self.keys(store, found, &mut learnt);
        learnt.fresh = !self.candidates.is_empty();
        learnt
    }

    /// For how long the generator has been silent, in milliseconds, where that is longer than a
    /// slot.
    pub fn silent(&self, now: Now) -> Option<u64> {
        self.seen.head.as_ref()?;
        let silent = now.boot.saturating_sub(self.seen.heard);
        (silent > self.schedule.interval).then_some(silent)
    }

    /// What waits for the core, and what the fleet says of the time and of void keys.
    pub fn brought(&mut self, now: Now) -> Brought {
        Brought {
            candidates: std::mem::take(&mut self.candidates),
            floor: self.seen.floor,
            witness: self.witness(now),
        }
    }

    /// The slot that the generator believes it is: its newest heartbeat and the time that went
    /// by since. An older heartbeat that is shown again says nothing.
    fn witness(&self, now: Now) -> Option<u64> {
        let head = self.seen.head.as_ref()?;
        let passed = now.boot.saturating_sub(self.seen.heard);
        Some(self.schedule.epoch(head.time.saturating_add(passed)))
    }

    fn head(&mut self, store: &str, record: Option<&[u8]>, now: Now, learnt: &mut Learnt) {
        let Some(record) = record else {
            return;
        };
        let read = read_head(record, &self.who.fleet, &self.who.pinned);
        let read = read.and_then(|head| head.of_interval(self.schedule.interval));
        let head = match read {
            Ok(head) => head,
            Err(why) => return self.refuse(store, &Item::Head, &why.to_string(), learnt),
        };
        if head.generation < self.seen.floor {
            return self.refuse(store, &Item::Head, BELOW_FLOOR, learnt);
        }
        if head.generation > self.seen.floor {
            self.seen.floor = head.generation;
            self.candidates.clear();
            learnt.risen = true;
        }
        let newest = self.seen.head.as_ref().map(|head| head.time);
        if newest.is_none_or(|newest| head.time > newest || self.implausible(newest, now)) {
            self.seen.skew = difference(now.wall, head.time);
            self.seen.heard = now.boot;
            self.seen.head = Some(head);
        }
    }

    /// A heartbeat of a generator whose clock was far ahead must not silence later ones. Judged
    /// by the time that slots are counted by, which nobody can set.
    fn implausible(&self, newest: u64, now: Now) -> bool {
        let passed = now.boot.saturating_sub(self.seen.heard);
        let ahead = newest.saturating_add(passed).saturating_sub(self.time);
        ahead > self.schedule.interval
    }

    /// Keys of slots, each with what it takes to open it.
    fn keys(&mut self, store: &str, found: &Found, learnt: &mut Learnt) {
        self.seen.unsealed = 0;
        for (slot, record) in &found.keys {
            let item = Item::Key(*slot);
            let claim = read_claim(record, &self.who.fleet, *slot, &self.who.pinned);
            let claim = claim.and_then(|claim| claim.of_interval(self.schedule.interval));
            let claim = match claim {
                Ok(claim) => claim,
                Err(why) => {
                    self.refuse(store, &item, &why.to_string(), learnt);
                    continue;
                }
            };
            let key = match &self.who.opens {
                Opens::Fleet(key) => {
                    let who = &self.who;
                    let opened = open_for_fleet(record, &who.fleet, *slot, &who.pinned, key);
                    self.judge(store, &item, &claim, opened, learnt)
                }
                Opens::Host => self.sealed(store, &claim, found, learnt),
            };
            if let Some(key) = key {
                self.opened.insert(*slot, (record.clone(), key));
            }
        }
    }

    fn sealed(
        &mut self,
        store: &str,
        claim: &Header,
        found: &Found,
        learnt: &mut Learnt,
    ) -> Option<Key> {
        let place = (claim.slot, claim.seed);
        let mut seals = found.seals.iter();
        let seal = seals.find(|(slot, seed, _)| (*slot, *seed) == place);
        let Some((_, _, seal)) = seal else {
            self.seen.unsealed += 1;
            return None;
        };
        let (who, keys) = (&self.who, &self.recipients);
        let item = Item::Seal(claim.slot, claim.seed, who.host.clone());
        let opened = open_for_host(seal, &who.fleet, claim.slot, &who.host, &who.pinned, keys);
        self.judge(store, &item, claim, opened, learnt)
    }

    /// The key of a record that was opened, or why it was not.
    fn judge(
        &mut self,
        store: &str,
        item: &Item,
        claim: &Header,
        opened: Result<(Header, Seed), Refused>,
        learnt: &mut Learnt,
    ) -> Option<Key> {
        let interval = self.schedule.interval;
        let seed = opened.and_then(|(header, seed)| {
            let header = header.of_interval(interval)?;
            match header.seed == claim.seed {
                true => Ok(seed),
                false => Err(Refused::Seed),
            }
        });
        let secret = seed.and_then(|seed| {
            let secret = seed.secret(self.layout, &self.who.scope, claim.slot);
            secret.map_err(|_| Refused::Seed)
        });
        let secret = match secret {
            Ok(secret) => secret,
            Err(why) => {
                self.refuse(store, item, &why.to_string(), learnt);
                return None;
            }
        };
        let key = Key {
            slot: claim.slot,
            id: secret.id,
        };
        self.seeds.insert(key, claim.seed);
        let known = self.held.contains(&key)
            || self.candidates.iter().any(|it| it.offer.key == key)
            // All keys were replaced since the question was asked.
            || claim.slot.generation < self.seen.floor;
        if !known {
            let offer = Offer::public(key, claim.made);
            self.candidates.push(Candidate { offer, secret });
        }
        Some(key)
    }

    fn refuse(&mut self, store: &str, item: &Item, why: &str, learnt: &mut Learnt) {
        *self.seen.refused.entry(why.to_owned()).or_default() += 1;
        let name = item.name(&self.who.fleet);
        let sentence = format!("{name} of {store} is not believed: {why}");
        learnt.refused.push((why.to_owned(), sentence));
    }
}

fn difference(left: u64, right: u64) -> i64 {
    let distance = i64::try_from(left.abs_diff(right)).unwrap_or(i64::MAX);
    if left >= right { distance } else { -distance }
}
