//! Ticket keys that many hosts share: a generator seals and signs one seed a slot, a store
//! carries records, and an agent on each host opens what is meant for it.
//!
//! A store is never believed: every record is signed, and says of which fleet, slot and host it
//! is. What a host does with a key is the core's business; see [`super::core`].

mod names;
mod relay;
pub mod store;

pub use names::{FleetName, HostName, Item, NameError};
pub use relay::{Pass, Relay};
