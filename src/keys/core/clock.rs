//! The time that slots are counted by: the wall clock, as long as it goes like the clock that
//! nobody can set. Pure; the caller reads the clocks.
//!
//! A wall clock that is stepped, by mistake or by an attacker, must neither drop keys early nor
//! keep them. So time advances by the boot clock. Where the wall clock differs a little, the
//! difference is made up slowly; where it differs by more than a slot it is not believed,
//! unless somebody trusted says the same slot. A host with keys of its own needs no more: to it
//! a slot's number is but a name.

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// By which part of the time that passed the wall clock is followed at most. A clock that hurries
/// shortens a key's window: 19 hourly slots by 35 minutes, of the 55 that they are longer than
/// a session of 18 hours and the skew.
const FOLLOW: u64 = 32;

/// What the clocks say, in milliseconds.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Now {
    /// Since 1970.
    pub wall: u64,
    /// Since the machine started, sleep included; it never goes back.
    pub boot: u64,
}

/// The time of slots at the last look.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// Milliseconds since 1970 as slots count them; never goes back.
    pub time: u64,
    /// The boot clock at that moment, in milliseconds.
    boot: u64,
    /// The wall clock's lead over `time`, in milliseconds.
    pub deviation: i64,
}

impl Clock {
    /// A first look: the wall clock is believed.
    pub fn start(now: Now) -> Self {
        Self {
            time: now.wall,
            boot: now.boot,
            deviation: 0,
        }
    }

    /// The first look or the next one. At the first, a witness of a later slot is believed: what
    /// somebody trusted signed has happened, and there is nothing yet that it could drop. One of
    /// an earlier slot may be old, and is not.
    #[must_use]
    pub fn next(before: Option<Self>, schedule: &Schedule, now: Now, witness: Option<u64>) -> Self {
        if let Some(clock) = before {
            return clock.tick(schedule, now, witness);
        }
        let mut clock = Self::start(now);
        let witness = witness.filter(|slot| *slot > schedule.epoch(now.wall).saturating_add(1));
        if let Some(slot) = witness {
            clock.time = schedule.start(slot);
            clock.deviation = difference(now.wall, clock.time);
        }
        clock
    }

    /// The next look. `witness` is the slot that somebody trusted believes it is.
    #[must_use]
    pub fn tick(&self, schedule: &Schedule, now: Now, witness: Option<u64>) -> Self {
        if now.boot < self.boot {
            // Another boot: what has passed since is not known but by the wall clock.
            let mut clock = Self::start(now);
            clock.time = now.wall.max(self.time);
            return clock;
        }
        let passed = now.boot - self.boot;
        let expected = self.time.saturating_add(passed);
        let deviation = difference(now.wall, expected);
        let small = deviation.unsigned_abs() <= schedule.interval;
        let agreed = witness.is_some_and(|slot| slot.abs_diff(schedule.epoch(now.wall)) <= 1);
        let time = match (agreed, small) {
            (true, _) => now.wall.max(self.time),
            (false, true) => follow(expected, deviation, passed / FOLLOW),
            (false, false) => expected,
        };
        Self {
            time,
            boot: now.boot,
            deviation: difference(now.wall, time),
        }
    }

    /// True while the wall clock is more than a slot away.
    pub fn is_off(&self, schedule: &Schedule) -> bool {
        self.deviation.unsigned_abs() > schedule.interval
    }
}

fn follow(expected: u64, deviation: i64, most: u64) -> u64 {
    let by = deviation.unsigned_abs().min(most);
    if deviation > 0 {
        expected.saturating_add(by)
    } else {
        expected.saturating_sub(by)
    }
}

fn difference(left: u64, right: u64) -> i64 {
    let distance = i64::try_from(left.abs_diff(right)).unwrap_or(i64::MAX);
    if left >= right { distance } else { -distance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::core::WhenMissing;
    use crate::policy::Rotation;

    const HOUR: u64 = 3_600_000;

    fn schedule() -> Schedule {
        Schedule::new(&Rotation::default(), WhenMissing::Ratchet)
    }

    fn at(wall: u64, boot: u64) -> Now {
        Now { wall, boot }
    }

    #[test]
    fn a_small_difference_is_made_up_slowly() {
        let clock = Clock::start(at(100 * HOUR, 0));
        let later = clock.tick(&schedule(), at(100 * HOUR + 90_000, 60_000), None);
        assert_eq!(later.time, 100 * HOUR + 60_000 + 60_000 / 32);
        let back = clock.tick(&schedule(), at(100 * HOUR, 1_600_000), None);
        assert_eq!(back.time, 100 * HOUR + 1_550_000);
    }

    #[test]
    fn a_step_is_not_believed_until_it_is_witnessed() {
        let clock = Clock::start(at(100 * HOUR, 0));
        let stepped = clock.tick(&schedule(), at(105 * HOUR, 60_000), None);
        assert_eq!(stepped.time, 100 * HOUR + 60_000);
        assert!(stepped.is_off(&schedule()));
        let later = stepped.tick(&schedule(), at(205 * HOUR, 100 * HOUR), None);
        assert_eq!(later.time, 200 * HOUR);
        let witnessed = clock.tick(&schedule(), at(105 * HOUR, 60_000), Some(105));
        assert_eq!(witnessed.time, 105 * HOUR);
    }

    #[test]
    fn at_the_first_look_a_later_witness_is_believed_and_an_earlier_one_is_not() {
        let now = at(100 * HOUR, 0);
        for (witness, hours) in [
            (None, 100),
            (Some(50), 100),
            (Some(101), 100),
            (Some(150), 150),
        ] {
            let clock = Clock::next(None, &schedule(), now, witness);
            assert_eq!(clock.time, hours * HOUR, "{witness:?}");
            assert_eq!(clock.is_off(&schedule()), hours == 150);
        }
    }

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::start(at(100 * HOUR, 5 * HOUR));
        for now in [at(10 * HOUR, 5 * HOUR), at(0, 50 * HOUR), at(0, 0)] {
            for witness in [None, Some(0), Some(10)] {
                let next = clock.tick(&schedule(), now, witness);
                assert!(next.time >= clock.time, "{now:?} {witness:?}");
            }
        }
    }
}
