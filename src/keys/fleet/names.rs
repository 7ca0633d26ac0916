//! How fleets and hosts are called, and under which name a store keeps what. Pure.

use std::fmt;

use super::super::core::{KeyId, Slot};

/// Longer names would not fit into the 250 bytes that memcached gives to a key.
const LONGEST: usize = 64;

/// A name that cannot be one.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error(
    "{0:?} is no name: 1 to 64 lower-case letters, digits, `-` and `.`, a letter or digit first"
)]
pub struct NameError(pub String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
        pub struct $name(String);

        impl $name {
            /// Reads a name: 1 to 64 lower-case letters, digits, `-` and `.`, a letter or digit
            /// first.
            ///
            /// # Errors
            /// [`NameError`].
            pub fn parse(text: &str) -> Result<Self, NameError> {
                match is_name(text) {
                    true => Ok(Self(text.to_owned())),
                    false => Err(NameError(text.to_owned())),
                }
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a set of hosts that share ticket keys.
    FleetName
}

name! {
    /// The name of one host of a fleet.
    HostName
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = text.bytes().next().is_some_and(letter);
    let rest = |byte: u8| letter(byte) || byte == b'-' || byte == b'.';
    first && text.len() <= LONGEST && text.bytes().all(rest)
}

/// What a store keeps for a fleet. Its text is the name in the store: a key of Redis and of
/// memcached, and the file's name in a folder.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Item {
    /// What the generator last said of itself: the generation and the time. Written over.
    Head,
    /// The record of a slot: first writer wins.
    Key(Slot),
    /// A slot's seed, sealed for one host. Written over by the generator that made the seed.
    Seal(Slot, KeyId, HostName),
    /// A host's public key of the day, signed by the host. Written over by the host.
    Host(HostName),
    /// What a host last said of itself. Written over by the host.
    Report(HostName),
}

impl Item {
    /// The name in a store.
    pub fn name(&self, fleet: &FleetName) -> String {
        let rest = match self {
            Self::Head => "head".to_owned(),
            Self::Key(slot) => format!("key:{}:{}", slot.generation, slot.epoch),
            Self::Seal(slot, seed, host) => {
                format!("seal:{}:{}:{seed}:{host}", slot.generation, slot.epoch)
            }
            Self::Host(host) => format!("host:{host}"),
            Self::Report(host) => format!("report:{host}"),
        };
        format!("stekguard:{fleet}:{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let long = "a".repeat(65);
        for text in ["", "-a", ".a", "A", "a b", "a/b", "a:b", "\u{e9}", &long] {
            assert!(HostName::parse(text).is_err(), "{text:?}");
        }
        for text in ["a", "web1.example.com", "9-9", &long[..64]] {
            assert_eq!(FleetName::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_longest_name_fits_into_memcached() {
        let longest = "a".repeat(64);
        let (fleet, host) = (
            FleetName::parse(&longest).unwrap(),
            HostName::parse(&longest).unwrap(),
        );
        let slot = Slot {
            generation: u32::MAX,
            epoch: u64::MAX,
        };
        let name = Item::Seal(slot, KeyId([0; 8]), host).name(&fleet);
        assert!(name.len() <= 250, "{}", name.len());
    }
}
