//! Names of keys and of their places in time. Never the bytes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first 8 bytes of the SHA-256 of a key's bytes: enough to tell keys apart in files,
/// reports and logs, and no help in finding the key.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// Reads the 16 hexadecimal digits that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(lower_hex) {
            return None;
        }
        let number = u64::from_str_radix(text, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a key id of 16 digits"))
    }
}

/// A place that holds one key: a span of time, and how often all keys were replaced before.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Rises when every key is replaced at once; keys of a lower one are void.
    pub generation: u32,
    /// The slot's number: time since 1970 by the interval.
    pub epoch: u64,
}

/// A key's name.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize, Deserialize)]
pub struct Key {
    /// When it encrypts.
    pub slot: Slot,
    /// Which it is.
    pub id: KeyId,
}

#[cfg(test)]
mod tests {
    use super::KeyId;

    #[test]
    fn ids_are_read_as_they_are_written_and_in_no_other_form() {
        let id = KeyId([0, 1, 0xab, 3, 4, 5, 6, 0xff]);
        assert_eq!(id.to_string(), "0001ab03040506ff");
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
        for text in [
            "",
            "0001AB03040506FF",
            "+001ab03040506ff",
            "0001ab03040506ff0",
            "\u{e9}001ab03040506f",
        ] {
            assert_eq!(KeyId::parse(text), None, "{text}");
        }
    }
}
