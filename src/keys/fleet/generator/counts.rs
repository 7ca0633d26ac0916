//! What a generator counts, for its metrics. Numbers alone.

use std::collections::BTreeMap;

use super::super::Refused;

/// What kind of record was not believed.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum RecordKind {
    /// A generator's heartbeat.
    Head,
    /// The claim on a slot.
    Claim,
    /// A host's public key.
    Host,
}

impl RecordKind {
    /// The word, as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Claim => "claim",
            Self::Host => "host",
        }
    }
}

/// What a generator counted since it started, and how it stands.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct GeneratorCounts {
    /// The slot that it is.
    pub epoch: u64,
    /// The newest slot that has a key.
    pub newest: u64,
    /// The generation that keys are made of.
    pub generation: u32,
    /// Seeds in memory.
    pub seeds: usize,
    /// The last tick reached the store, was signed and written.
    pub store_up: bool,
    /// When that was last so, in seconds since 1970; 0: never.
    pub last_ok: u64,
    /// Ticks.
    pub ticks: u64,
    /// Ticks that could not be done to their end.
    pub failed: u64,
    /// Slots offered, again and again where the store forgot them.
    pub offered: u64,
    /// Claims that stand as this generator wrote them.
    pub won: u64,
    /// Claims where another generator was first.
    pub lost: u64,
    /// Claims written over noise.
    pub mended: u64,
    /// Seeds sealed for hosts, or for the fleet.
    pub sealed: u64,
    /// Hosts of the roster.
    pub hosts: usize,
    /// Those without a public key that is good now: nothing can be sealed for them.
    pub hosts_without_key: usize,
    /// Records that were not believed.
    pub refused: BTreeMap<(RecordKind, Refused), u64>,
}

impl GeneratorCounts {
    /// Counts a record that was not believed.
    pub(super) fn refuse(&mut self, kind: RecordKind, why: Refused) {
        *self.refused.entry((kind, why)).or_default() += 1;
    }
}
