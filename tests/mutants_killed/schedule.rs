//! The rotation: which keys nobody needs, when keys stay away for good, and what clocks cost.

use stekguard::keys::core::{
    Alarm, Claimed, Clock, GeneratorState, GeneratorView, Held, Key, KeyId, Now, Offer, Schedule,
    Set, Slot, State, Step, View, WhenMissing, generate, step,
};
use stekguard::policy::Rotation;

const HOUR: u64 = 3_600_000;

/// Hourly keys, two ahead and 19 back; clocks differ by five minutes at most.
fn hourly() -> Schedule {
    Schedule::new(&Rotation::default(), WhenMissing::Ratchet)
}

fn key(epoch: u64) -> Key {
    Key {
        slot: Slot {
            generation: 0,
            epoch,
        },
        id: KeyId(epoch.to_be_bytes()),
    }
}

fn now(hours: u64) -> Now {
    let time = hours * HOUR + 1000;
    Now {
        wall: time,
        boot: time,
    }
}

fn look(hours: u64, offered: &[(u64, bool)], state: &State) -> Step {
    let offer = |(epoch, derived): &(u64, bool)| Offer {
        key: key(*epoch),
        derived: *derived,
        made: None,
    };
    let view = View {
        offers: offered.iter().map(offer).collect(),
        ..View::default()
    };
    step(&hourly(), now(hours), &view, state)
}

/// A key goes on for two slots beyond its own, so nobody derives one for those.
#[test]
fn a_key_is_derived_only_beyond_the_grace() {
    let held = look(
        100,
        &[(100, false), (101, false), (102, false)],
        &State::default(),
    )
    .state;
    for (epoch, taken) in [(103, false), (104, false), (105, true)] {
        let looked = look(104, &[(epoch, true)], &held);
        assert_eq!(looked.state.find(&key(epoch)).is_some(), taken, "{epoch}");
        let rejected = |alarm: &Alarm| matches!(alarm, Alarm::Rejected(..));
        assert!(!looked.alarms.iter().any(rejected), "{epoch}");
    }
}

/// A host that has only what it derived has missed the source for more than the whole window.
#[test]
fn nothing_of_the_source_in_the_window() {
    let looked = look(100, &[(100, true)], &State::default());
    assert_eq!(looked.alarms, [Alarm::NoFreshKey(19 + 1)]);
}

/// Two clocks are five minutes off each, in either direction: ten between them. Where that is
/// more than a slot bears, a quarter of it stands for one clock.
#[test]
fn what_clocks_cost() {
    let minutes = |count: u64| count * 60_000;
    let schedule = hourly();
    // An eighth of an hour, and ten minutes.
    assert_eq!(schedule.patience(), minutes(10) + HOUR / 8);
    // Known to everybody: two slots and ten minutes before its own.
    let latest = 100 * HOUR - 2 * HOUR - minutes(10);
    assert!(schedule.is_ripe(100, latest));
    assert!(!schedule.is_ripe(100, latest + 1));
    let loose = Schedule {
        skew: 5 * HOUR,
        ..schedule
    };
    assert_eq!(loose.patience(), minutes(30) + HOUR / 8);
}

/// Without any key the last resort is due at once.
#[test]
fn no_key_at_all() {
    let schedule = Schedule {
        when_missing: WhenMissing::LocalRandom,
        ..hourly()
    };
    let looked = step(&schedule, now(100), &View::default(), &State::default());
    assert_eq!(looked.make, Some(key(100).slot));
    assert_eq!(looked.alarms, [Alarm::NoKey]);
}

/// A generator that has just started takes a store for emptied unless it has a key of the
/// current slot and of the generation that counts.
#[test]
fn a_store_without_the_current_key_has_lost_something() {
    let lost = |generation: u32, epoch: u64| {
        let claim = Claimed {
            key: key(epoch),
            made: 90 * HOUR,
        };
        let view = GeneratorView {
            claims: Some(vec![claim]),
            generation,
            ..GeneratorView::default()
        };
        let state = GeneratorState::default();
        generate(&hourly(), now(100), &view, &state).state.lost
    };
    assert_eq!(lost(0, 100), Some(0));
    assert_eq!(lost(0, 101), Some(now(100).wall));
    assert_eq!(lost(1, 100), Some(now(100).wall));
}

/// A key stops encrypting when another one takes its place, and only then: keys that never
/// encrypted have not stopped.
#[test]
fn the_key_that_stopped_is_the_one_that_encrypted() {
    let time = now(101).wall;
    let held = [99, 100, 101].map(|epoch| Held::new(key(epoch), false));
    let state = State {
        clock: Some(Clock::start(now(101))),
        held: held.to_vec(),
        applied: Some(Set {
            encrypts: Some(key(100)),
            decrypts: vec![key(101), key(99)],
        }),
        ..State::default()
    };
    let next = state.applied(&Set {
        encrypts: Some(key(101)),
        decrypts: vec![key(100), key(99)],
    });
    let stopped = |epoch: u64| next.find(&key(epoch)).unwrap().stopped;
    assert_eq!(stopped(99), None);
    assert_eq!(stopped(100), Some(time));
    assert_eq!(stopped(101), None);
}

#[test]
fn an_alarm_says_which_way_a_clock_is_off() {
    let said = |by: i64| Alarm::ClockOff(by).to_string();
    let behind = "the wall clock is 5 s behind the time that slots are counted by";
    assert_eq!(said(-5000), behind);
    assert_eq!(said(5000), behind.replace("behind", "ahead of"));
}

/// Without any key a server goes on with what it has, unless all of that is void.
#[test]
fn a_server_without_keys_goes_on() {
    let state = State {
        applied: Some(Set {
            encrypts: Some(key(50)),
            decrypts: Vec::new(),
        }),
        ..State::default()
    };
    let loaded = |floor: u32| {
        let view = View {
            floor,
            ..View::default()
        };
        step(&hourly(), now(100), &view, &state).load
    };
    assert_eq!(loaded(0), None);
    assert_eq!(loaded(1), Some(Set::default()));
}
