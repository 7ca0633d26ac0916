//! The plan in the core's units: milliseconds and slot numbers. Pure.

use serde::{Deserialize, Serialize};

use crate::policy::Rotation;

/// For how many slots a key goes on when no newer one comes.
pub const GRACE: u64 = 2;

/// What becomes of tickets when no new key came for longer than the grace.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenMissing {
    /// The next key is derived from the last one: hosts that share the last one stay in step.
    #[default]
    Ratchet,
    /// A random key of this host alone.
    LocalRandom,
    /// No tickets until a key comes.
    TicketsOff,
}

/// When which key encrypts and how long it is kept.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Schedule {
    /// How long one key encrypts, in milliseconds; never 0.
    pub interval: u64,
    /// How many coming keys are loaded.
    pub ahead: u64,
    /// How many past keys are kept.
    pub previous: u64,
    /// How late a change may be without costing a session, in milliseconds.
    pub skew: u64,
    /// What happens when keys stay away.
    pub when_missing: WhenMissing,
}

impl Schedule {
    /// The schedule of a plan; an interval of 0 counts as one second.
    pub fn new(rotation: &Rotation, when_missing: WhenMissing) -> Self {
        Self {
            interval: rotation.interval.max(1).saturating_mul(1000),
            ahead: rotation.ahead.into(),
            previous: rotation.previous.into(),
            skew: rotation.skew.saturating_mul(1000),
            when_missing,
        }
    }

    /// The slot at a time in milliseconds since 1970.
    pub fn epoch(&self, time: u64) -> u64 {
        time / self.interval.max(1)
    }

    /// When a slot starts, in milliseconds since 1970.
    pub fn start(&self, epoch: u64) -> u64 {
        epoch.saturating_mul(self.interval)
    }

    /// True when a key that is public since `made` can be known to every host at the slot's
    /// start: also to one that is cut off for as long as the keys ahead allow, and whose clock is
    /// as far away as clocks may be.
    pub fn is_ripe(&self, epoch: u64, made: u64) -> bool {
        let ahead = self.ahead.saturating_mul(self.interval);
        let lead = ahead.saturating_add(self.apart());
        made.saturating_add(lead) <= self.start(epoch)
    }

    /// For how long a generator waits for the one that may have a slot's seed, in milliseconds:
    /// that one offers it again at each of its ticks, of which several fit in, and clocks may
    /// differ.
    pub fn patience(&self) -> u64 {
        self.interval / 8 + self.apart()
    }

    /// By how much two clocks may differ, as far as that is less than a slot.
    fn apart(&self) -> u64 {
        2 * self.skew.min(self.interval / 4)
    }

    /// By how many slots a key outlived its own, when it stopped encrypting at `stopped`.
    /// Within the skew that is none; more than the grace is not made up for.
    pub(super) fn overtime(&self, epoch: u64, stopped: u64) -> u64 {
        let end = self.start(epoch.saturating_add(1));
        // A skew of a slot or more would hide that a slot was missed.
        let forgiven = self.skew.min(self.interval / 2);
        let late = stopped.saturating_sub(end.saturating_add(forgiven));
        late.div_ceil(self.interval.max(1)).min(GRACE)
    }
}
