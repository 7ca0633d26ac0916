//! The time that slots are counted by: the wall clock, as long as it goes like the clock that
//! nobody can set. Pure; the caller reads the clocks.
//!
//! A wall clock that is stepped, by mistake or by an attacker, must neither drop keys early nor
//! keep them. So time advances by the boot clock. Where the wall clock differs a little, the
//! difference is made up slowly; where it differs by more than a slot it is not believed,
//! unless somebody trusted says the same slot, or it stays ahead for the whole grace.

use serde::{Deserialize, Serialize};

use super::schedule::{GRACE, Schedule};

/// By which part of the time that passed the wall clock is followed at most.
const FOLLOW: u64 = 16;

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
    /// The boot clock when the wall clock was first found ahead by more than a slot.
    ahead_since: Option<u64>,
    /// The wall clock's lead over `time`, in milliseconds.
    pub deviation: i64,
}

impl Clock {
    /// A first look: the wall clock is believed.
    pub fn start(now: Now) -> Self {
        Self {
            time: now.wall,
            boot: now.boot,
            ahead_since: None,
            deviation: 0,
        }
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
        let mut next = Self {
            time: expected,
            boot: now.boot,
            ahead_since: None,
            deviation,
        };
        if agreed {
            next.time = now.wall.max(self.time);
        } else if small {
            next.time = follow(expected, deviation, passed / FOLLOW);
        } else if deviation > 0 {
            next.wait_or_jump(self.ahead_since.unwrap_or(now.boot), schedule, now);
        }
        next.deviation = difference(now.wall, next.time);
        next
    }

    /// True while the wall clock is more than a slot away.
    pub fn is_off(&self, schedule: &Schedule) -> bool {
        self.deviation.unsigned_abs() > schedule.interval
    }

    fn wait_or_jump(&mut self, since: u64, schedule: &Schedule, now: Now) {
        let patience = schedule.interval.saturating_mul(GRACE);
        if now.boot - since < patience {
            self.ahead_since = Some(since);
            return;
        }
        // A machine that was paused: sessions have aged by the wall clock too.
        self.time = now.wall;
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
        assert_eq!(later.time, 100 * HOUR + 60_000 + 60_000 / 16);
        let back = clock.tick(&schedule(), at(100 * HOUR, 1_600_000), None);
        assert_eq!(back.time, 100 * HOUR + 1_500_000);
    }

    #[test]
    fn a_step_is_not_believed_until_it_has_lasted_or_is_witnessed() {
        let clock = Clock::start(at(100 * HOUR, 0));
        let stepped = clock.tick(&schedule(), at(105 * HOUR, 60_000), None);
        assert_eq!(stepped.time, 100 * HOUR + 60_000);
        assert!(stepped.is_off(&schedule()));
        let soon = stepped.tick(&schedule(), at(106 * HOUR, HOUR), None);
        assert_eq!(soon.time, 101 * HOUR);
        let lasted = soon.tick(
            &schedule(),
            at(107 * HOUR + 60_000, 2 * HOUR + 60_000),
            None,
        );
        assert_eq!(lasted.time, 107 * HOUR + 60_000);
        let witnessed = clock.tick(&schedule(), at(105 * HOUR, 60_000), Some(105));
        assert_eq!(witnessed.time, 105 * HOUR);
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
