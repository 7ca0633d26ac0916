//! A key file's name: slot, generation and id, so that a folder can be read without anything
//! beside it and a damaged file shows. Pure.

use super::core::{Key, KeyId, Offer, Slot};

const END: &str = ".key";
const DERIVED: &str = ".derived";

/// `494321-0-0123456789abcdef.key`, or `.derived.key`.
pub(super) fn of(offer: &Offer) -> String {
    let Key { slot, id } = offer.key;
    let derived = if offer.derived { DERIVED } else { "" };
    format!("{}-{}-{id}{derived}{END}", slot.epoch, slot.generation)
}

/// `None` where it is no key file's name.
pub(super) fn parse(name: &str) -> Option<Offer> {
    let stem = name.strip_suffix(END)?;
    let (stem, derived) = match stem.strip_suffix(DERIVED) {
        Some(stem) => (stem, true),
        None => (stem, false),
    };
    let mut parts = stem.split('-');
    let epoch = parts.next()?.parse().ok()?;
    let generation = parts.next()?.parse().ok()?;
    let id = KeyId::parse(parts.next()?)?;
    let key = Key {
        slot: Slot { generation, epoch },
        id,
    };
    let offer = Offer::new(key, derived);
    // One spelling only: a file found under another could not be found by its key.
    (of(&offer) == name).then_some(offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_one_spelling() {
        for name in [
            "494321-0-0123456789abcdef.key",
            "1-7-ffffffffffffffff.derived.key",
        ] {
            assert_eq!(of(&parse(name).unwrap()), name);
        }
        for name in [
            "0494321-0-0123456789abcdef.key",
            "+1-0-0123456789abcdef.key",
            "494321-0-0123456789abcdef",
            ".new-494321-0-0123456789abcdef.key",
            "494321-0-0123456789abcdef-1.key",
            "keys.conf",
        ] {
            assert!(parse(name).is_none(), "{name}");
        }
    }
}
