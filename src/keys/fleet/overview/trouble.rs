//! What can be wrong with a host of a fleet, each with a word that never changes.

use std::fmt;

use crate::keys::fleet::record::Refused;

/// What can be wrong with a host; the worst first.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Trouble {
    /// What the store has under its name is not believed.
    Unverifiable(Refused),
    /// The store has no report of it.
    NoReport,
    /// It encrypts under no key: no tickets, or those of the server's own.
    NoKey,
    /// Its live check did not find the key that it should.
    LiveCheck,
    /// It has not dropped the keys that were all replaced.
    OldGeneration,
    /// It encrypts with another key than most hosts of its slot: tickets do not resume across.
    OtherKey,
    /// Its report is old.
    Stale,
    /// It believes that it is another slot than its report's time says.
    OtherSlot,
    /// Its key was derived because none came.
    Derived,
    /// Its clock differs from the generator's by more than the plan allows.
    Clock,
    /// It has not reached its store for long.
    NoContact,
    /// It holds fewer coming keys than the plan says.
    FewAhead,
    /// It reports alarms of its own.
    Alarms,
}

impl Trouble {
    /// The word, which never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unverifiable(_) => "unverifiable",
            Self::NoReport => "no-report",
            Self::NoKey => "no-key",
            Self::LiveCheck => "live-check",
            Self::OldGeneration => "old-generation",
            Self::OtherKey => "other-key",
            Self::Stale => "stale",
            Self::OtherSlot => "other-slot",
            Self::Derived => "derived",
            Self::Clock => "clock",
            Self::NoContact => "no-contact",
            Self::FewAhead => "few-ahead",
            Self::Alarms => "alarms",
        }
    }

    /// Why a record was not believed.
    pub fn refused(self) -> Option<Refused> {
        match self {
            Self::Unverifiable(why) => Some(why),
            _ => None,
        }
    }

    /// Every word, for metrics.
    pub const WORDS: [&'static str; 13] = [
        "unverifiable",
        "no-report",
        "no-key",
        "live-check",
        "old-generation",
        "other-key",
        "stale",
        "other-slot",
        "derived",
        "clock",
        "no-contact",
        "few-ahead",
        "alarms",
    ];
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverifiable(why) => write!(out, "unverifiable ({why})"),
            other => out.write_str(other.word()),
        }
    }
}
