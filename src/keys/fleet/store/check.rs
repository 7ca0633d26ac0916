//! What every engine refuses before it asks a server: names that are none, records too large.

use super::{LARGEST, StoreError};

/// memcached's bound.
const LONGEST: usize = 250;

/// True for a name as [`super::super::Item::name`] makes them.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let plain = |byte: u8| letter(byte) || b"-.:".contains(&byte);
    let first = name.bytes().next().is_some_and(letter);
    first && name.len() <= LONGEST && name.bytes().all(plain)
}

/// Refuses what is no name.
pub(super) fn name(store: &str, name: &str) -> Result<(), StoreError> {
    if is_name(name) {
        return Ok(());
    }
    Err(StoreError::Refused {
        store: store.to_owned(),
        why: format!("{name:?} is no name of a record"),
    })
}

/// Refuses a list with one that is none.
pub(super) fn names(store: &str, names: &[String]) -> Result<(), StoreError> {
    names.iter().try_for_each(|name| self::name(store, name))
}

/// Refuses what cannot be written.
pub(super) fn write(store: &str, name: &str, record: &[u8]) -> Result<(), StoreError> {
    self::name(store, name)?;
    if record.len() <= LARGEST {
        return Ok(());
    }
    Err(StoreError::Refused {
        store: store.to_owned(),
        why: format!(
            "a record of {} bytes is larger than {LARGEST}",
            record.len()
        ),
    })
}
