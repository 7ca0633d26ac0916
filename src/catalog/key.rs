//! Names of directives as numbers, so that settings are found by name without comparing texts.
//! Knows no facts.

/// A number made of a directive's name, case and all. No two names of the catalog have the same;
/// a name that is none of them may share one's.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct NameKey(u32);

impl NameKey {
    /// The number of a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let mut number = name.len() as u64;
        let (words, rest) = name.as_bytes().as_chunks();
        for word in words {
            number = mixed(number ^ u64::from_le_bytes(*word));
        }
        let rest = rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self((mixed(number ^ rest) >> 32) as u32)
    }
}

/// Every bit has a say in the upper half; 2^64 divided by the golden ratio.
fn mixed(number: u64) -> u64 {
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ spread.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::catalog::{Server, all};

    #[test]
    fn no_two_names_of_the_catalog_share_a_number() {
        for server in [Server::Nginx, Server::Apache] {
            let mut known: HashMap<NameKey, &str> = HashMap::new();
            for row in all(server) {
                let other = known.insert(NameKey::of(row.name), row.name);
                assert_eq!(other.unwrap_or(row.name), row.name);
            }
            assert!(known.len() > 50, "{server:?}");
        }
    }

    #[test]
    fn spelling_counts() {
        for (one, other) in [
            ("ssl", "Ssl"),
            ("a", "aa"),
            ("listen", "netsil"),
            ("", "\0"),
        ] {
            assert_ne!(NameKey::of(one), NameKey::of(other));
        }
    }
}
