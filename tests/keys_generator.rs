//! The core of a generator: what it makes, offers and gives up, with a store that is emptied,
//! silent or full of another generator's claims, and with a clock that is stepped.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use stekguard::keys::core::{
    Alarm, Claimed, GeneratorState, GeneratorStep, GeneratorView, Key, KeyId, Now, Schedule, Slot,
    WhenMissing, generate,
};
use stekguard::policy::Rotation;

const HOUR: u64 = 3_600_000;
const MINUTE: u64 = 60_000;

fn schedule() -> Schedule {
    Schedule::new(&Rotation::default(), WhenMissing::Ratchet)
}

fn key(generation: u32, epoch: u64, id: u64) -> Key {
    Key {
        slot: Slot { generation, epoch },
        id: KeyId(id.to_be_bytes()),
    }
}

/// A generator and the store as it sees it.
struct Shop {
    now: u64,
    wall: i64,
    next: u64,
    seeds: Vec<Key>,
    store: Option<Vec<Claimed>>,
    state: GeneratorState,
    generation: u32,
    founding: bool,
}

impl Shop {
    fn new(hours: u64, first_id: u64) -> Self {
        Self {
            now: hours * HOUR,
            wall: 0,
            next: first_id,
            seeds: Vec::new(),
            store: Some(Vec::new()),
            state: GeneratorState::default(),
            generation: 0,
            founding: true,
        }
    }

    fn look(&self) -> GeneratorStep {
        let view = GeneratorView {
            seeds: self.seeds.clone(),
            claims: self.store.clone(),
            generation: self.generation,
            witness: None,
            founding: self.founding,
        };
        let now = Now {
            wall: self.now.saturating_add_signed(self.wall),
            boot: self.now,
        };
        generate(&schedule(), now, &view, &self.state)
    }

    /// A whole tick; gives the slots that were offered.
    fn tick(&mut self) -> (GeneratorStep, Vec<u64>) {
        for slot in self.look().make {
            self.next += 1;
            let id = KeyId(self.next.to_be_bytes());
            self.seeds.push(Key { slot, id });
        }
        let step = self.look();
        self.seeds.retain(|key| !step.drop.contains(key));
        self.state = step.state.clone();
        if let Some(store) = &mut self.store {
            store.extend(&step.offer);
        }
        let offered = step.offer.iter().map(|claim| claim.key.slot.epoch);
        let offered = offered.collect();
        (step, offered)
    }

    /// A generator that runs, its claims in the store.
    fn running(hours: u64) -> Self {
        let mut shop = Self::new(hours, 0);
        shop.tick();
        shop.tick();
        shop.founding = false;
        shop
    }
}

#[test]
fn it_makes_the_window_once_and_then_a_key_a_slot() {
    let mut shop = Shop::new(100, 0);
    assert_eq!(shop.look().window, (80, 103));
    let (step, offered) = shop.tick();
    assert_eq!(offered, [100, 101, 102, 103]);
    assert_eq!((step.newest, step.epoch, step.due), (103, 100, HOUR));
    for _ in 0..3 {
        let (step, offered) = shop.tick();
        assert_eq!((step.stand.len(), offered.len()), (4, 0));
    }
    for hour in 101..=140 {
        shop.now = hour * HOUR;
        let (_, offered) = shop.tick();
        assert_eq!(offered, [hour + 3]);
    }
    // What left the window is wiped.
    shop.tick();
    let oldest = shop.seeds.iter().map(|key| key.slot.epoch).min();
    assert_eq!((oldest, shop.seeds.len()), (Some(120), 24));
    assert!(shop.state.stood.len() <= 24);
}

#[test]
fn an_emptied_store_gets_the_whole_window_back_unchanged() {
    let mut shop = Shop::running(100);
    for hour in 101..=110 {
        shop.now = hour * HOUR;
        shop.tick();
    }
    shop.tick();
    let before = shop.store.replace(Vec::new()).unwrap();
    shop.now += 5 * MINUTE;
    let (_, offered) = shop.tick();
    assert_eq!(offered, (100..=113).collect::<Vec<u64>>());
    let mut after = shop.store.unwrap();
    after.sort_by_key(|claim| claim.key);
    assert_eq!(after, before, "with the time of the first offer");
}

#[test]
fn a_silent_store_means_nothing() {
    let mut shop = Shop::running(100);
    let store = shop.store.take();
    shop.now += HOUR;
    let before = shop.seeds.clone();
    for _ in 0..3 {
        let (step, offered) = shop.tick();
        assert_eq!((step.make, step.drop, offered), (vec![], vec![], vec![]));
    }
    assert_eq!(shop.seeds, before);
    shop.store = store;
    assert_eq!(shop.tick().1, [104]);
    // A record that could not be written was not public: it gets the time when it is.
    let mut shop = Shop::running(100);
    shop.now += HOUR;
    let made = shop.look().make;
    assert_eq!(made.len(), 1);
    shop.seeds.push(key(0, 104, 999));
    let first = shop.look();
    shop.state = first.state.clone();
    shop.now += 20 * MINUTE;
    let second = shop.look();
    assert_eq!(second.offer[0].made - first.offer[0].made, 20 * MINUTE);
}

#[test]
fn the_second_to_claim_gives_its_seed_up_for_good() {
    let mut first = Shop::running(100);
    let mut second = Shop::new(100, 1000);
    second.store.clone_from(&first.store);
    assert_eq!(second.tick().1, [0; 0]);
    assert!(second.seeds.is_empty());
    // Both make the next slot's; the first one is there first.
    first.now += HOUR;
    second.now += HOUR;
    assert_eq!(first.tick().1, [104]);
    assert_eq!(second.tick().1, [104]);
    let lost = second.seeds.clone();
    second.store.clone_from(&first.store);
    let (step, _) = second.tick();
    assert_eq!((step.drop, step.alarms), (lost, vec![]));
    // The store is emptied: only the first one offers, whoever looks first.
    second.store = Some(Vec::new());
    for _ in 0..2 {
        assert_eq!(second.tick().1, [0; 0]);
        second.now += 3 * MINUTE;
    }
    first.store = Some(Vec::new());
    assert_eq!(first.tick().1, [100, 101, 102, 103, 104]);
    // The first one is gone with the store: a slot that is far away gets a new key, near ones do
    // not, for hosts know theirs.
    second.now += 18 * MINUTE;
    assert_eq!(second.tick().1, [104]);
    second.now += HOUR;
    assert_eq!(second.tick().1, [105]);
}

#[test]
fn a_late_claim_of_another_over_its_own_is_an_alarm() {
    let mut shop = Shop::running(100);
    let other = Claimed {
        key: key(0, 102, 777),
        made: 100 * HOUR,
    };
    for claim in shop.store.iter_mut().flatten() {
        if claim.key.slot == other.key.slot {
            *claim = other;
        }
    }
    let (step, offered) = shop.tick();
    assert_eq!(step.alarms, [Alarm::Conflict(other.key.slot)]);
    assert_eq!((step.drop.len(), offered.len()), (1, 0));
    assert_eq!(shop.tick().0.alarms, [], "once");
}

#[test]
fn one_that_starts_with_an_empty_store_lets_others_go_first() {
    let mut shop = Shop::new(100, 0);
    shop.founding = false;
    for _ in 0..2 {
        assert_eq!(shop.tick().1, [0; 0]);
        shop.now += 8 * MINUTE;
    }
    shop.now += 2 * MINUTE;
    assert_eq!(shop.tick().1, [100, 101, 102, 103]);
}

#[test]
fn after_a_loss_nothing_new_is_claimed_before_the_others_were() {
    let mut first = Shop::running(100);
    let mut second = Shop::new(100, 1000);
    second.founding = false;
    second.store.clone_from(&first.store);
    second.tick();
    // The first one claims the next slot, hosts learn it, and the store loses everything before
    // the second one has looked.
    second.now += HOUR;
    first.now += HOUR;
    assert_eq!(first.tick().1, [104]);
    second.store = Some(Vec::new());
    assert_eq!(second.tick().1, [0; 0]);
    first.store = Some(Vec::new());
    assert_eq!(first.tick().1, [100, 101, 102, 103, 104]);
    second.store.clone_from(&first.store);
    second.now += HOUR / 2;
    assert_eq!(second.tick().1, [0; 0]);
    second.now += HOUR / 2;
    assert_eq!(second.tick().1, [105]);
}

#[test]
fn a_higher_generation_is_adopted_at_once_and_never_given_up() {
    for by_claim in [false, true] {
        let mut shop = Shop::running(100);
        if by_claim {
            let claim = Claimed {
                key: key(1, 102, 777),
                made: 100 * HOUR,
            };
            shop.store.as_mut().unwrap().push(claim);
        } else {
            shop.generation = 1;
        }
        let (step, offered) = shop.tick();
        assert_eq!(step.state.generation, 1);
        assert_eq!(step.drop.len(), 4, "void seeds are wiped");
        let expected: &[u64] = if by_claim {
            &[100, 101, 103]
        } else {
            &[100, 101, 102, 103]
        };
        assert_eq!(offered, expected);
        shop.generation = 0;
        shop.store = Some(Vec::new());
        assert_eq!(shop.tick().0.state.generation, 1);
    }
}

#[test]
fn a_stepped_clock_changes_nothing() {
    for wall in [-30, -5, 5, 30] {
        let mut shop = Shop::running(100);
        shop.wall = wall * i64::try_from(HOUR).unwrap();
        for hour in 101..=105 {
            shop.now = hour * HOUR;
            let (step, offered) = shop.tick();
            assert_eq!((step.epoch, offered), (hour, vec![hour + 3]), "{wall}");
            assert!(matches!(step.alarms[..], [Alarm::ClockOff(_)]));
        }
    }
}

#[test]
fn memory_is_bounded_whatever_the_store_says() {
    let mut shop = Shop::running(100);
    let mut id = 5000;
    for round in 0..50_u64 {
        let store = shop.store.as_mut().unwrap();
        store.clear();
        for epoch in (0..400).chain([u64::MAX]) {
            id += 1;
            store.push(Claimed {
                key: key(0, epoch, id),
                made: round,
            });
        }
        shop.tick();
        assert!(
            shop.state.foreign.len() <= 24,
            "{}",
            shop.state.foreign.len()
        );
        assert!(shop.state.stood.len() <= 24);
        assert!(shop.seeds.is_empty());
    }
}
