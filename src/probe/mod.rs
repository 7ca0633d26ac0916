//! What a running server does, seen from outside: it is judged by resuming, never by what a
//! ticket looks like.
//!
//! Acts on sessions that the probe itself was given, and on no other. What is seen
//! ([`Probed`]) and what follows from it ([`judge`], [`compare`]) is plain data; what opens
//! connections stands in `run` and needs the cargo feature `tls`. Reads no file.

mod compare;
mod observation;
mod plan;
#[cfg(feature = "tls")]
mod run;
mod target;
mod verdict;
mod weak;

pub use compare::{Difference, Promise, Unprobed, Visit, compare, visits};
pub use observation::{
    Ability, Certificate, Chain, Crossing, Crossings, EarlyData, Ended, Endings, Issued, KeySeen,
    KeyTime, Life, Observed, Offer, Outcome, Probed, Saved, Share, Tls12Seen, Tls13Seen, Tries,
    Watched,
};
pub use plan::{Mode, Plan, ProbeError};
#[cfg(feature = "tls")]
pub use run::{end_saved, run};
pub use target::{DEFAULT_PORT, Target, TargetError};
pub use verdict::{Thresholds, Verdict, judge};
pub use weak::{Weakness, weakness};
