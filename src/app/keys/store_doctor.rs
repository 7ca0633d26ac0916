//! `keys store-doctor`: a running store compared with what `keys store-config` prints. Changes
//! nothing.

use super::{Access, Doctor, StoreError};
use crate::keys::fleet::store::examine;

/// Looks at a store.
///
/// # Errors
/// [`StoreError`] where it cannot be reached or lets nobody in.
pub fn store_doctor(url: &str, access: &Access) -> Result<Doctor, StoreError> {
    examine(url, access).map(|checks| Doctor { checks })
}
