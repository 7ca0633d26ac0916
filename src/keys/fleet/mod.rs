//! Ticket keys that many hosts share: a generator seals and signs one seed a slot, a store
//! carries records, and an agent on each host opens what is meant for it.
//!
//! A store is never believed: every record is signed, and says of which fleet, slot and host it
//! is. What a host does with a key is the core's business; see [`super::core`].
//!
//! Whoever reads a record says which fleet, slot and host it has to be of. The length of a slot
//! is compared by [`Header::of_interval`] and [`Head::of_interval`]: call it on every header and
//! head. The form of records stands in `docs/guides/fleet-format.md`.

pub mod agent;
mod codec;
mod envelope;
mod error;
pub mod fetch;
mod generator;
mod identity;
pub mod memory;
mod names;
mod overview;
mod private;
mod record;
mod relay;
mod roster;
mod roster_file;
mod roster_text;
mod seal;
mod seed;
mod sign;
pub mod store;

pub use envelope::{About, LONGEST as LONGEST_RECORD, about};
pub use error::SealError;
pub use generator::{
    Generator, GeneratorCounts, GeneratorOptions, GeneratorTick, RecordKind, Sealing,
};
pub use identity::{make_fleet_key, make_signing_key};
pub use names::{FleetName, HostName, Item, NameError};
pub use overview::{Facts, Overview, Row, Trouble};
pub use private::write_private;
pub use record::{
    Head, Header, HostKey, HostReport, Refused, read_claim, read_head, read_host_key, read_report,
    sign_claim, sign_head, sign_host_key, sign_report,
};
pub use relay::{Pass, Relay};
pub use roster::{Enrolled, Revoked, Roster, RosterError};
pub use roster_file::{RosterFile, RosterFileError};
pub use seal::{
    FleetKey, Recipient, RecipientPublic, open_for_fleet, open_for_host, seal_for_fleet,
    seal_for_host,
};
pub use seed::Seed;
pub use sign::{Pinned, Places, PublicKey, Signer};

/// The version that records are written in. All of them are read; a writer changes to a newer one
/// when everybody who reads its records reads that one, which [`About::reads`] of their own
/// records says.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug, Default)]
pub enum Format {
    /// The first one.
    #[default]
    One = 1,
    /// With a section of extensions: the writer's program, and what is to come.
    Two = 2,
}

impl Format {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The version of a number.
    pub fn of(number: u8) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| *format as u8 == number)
    }
}
