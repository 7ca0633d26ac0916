//! What to do with ticket keys at a moment: data in, data out. Touches no file, asks no clock,
//! and never sees the bytes of a key; keys are known by slot, generation and digest.
//!
//! One host with keys of its own and a host of a fleet differ only in the [`View`]: who offers
//! keys, and whether somebody trusted says which slot it is.

mod clock;
mod desk;
mod generator;
mod key;
mod schedule;
mod state;
mod step;
mod timeline;

pub use clock::{Clock, Now};
pub use generator::{Claimed, Foreign, GeneratorState, GeneratorStep, GeneratorView, generate};
pub use key::{Key, KeyId, Slot};
pub use schedule::{GRACE, Schedule, WhenMissing};
pub use state::{Held, Set, State};
pub use step::{Alarm, Offer, Ratchet, Rejection, Step, View, step};
pub use timeline::{Life, Phase, Stretch, Timeline};
