//! `keys store-config`: a server's configuration for carrying a fleet's records. Writes nothing.

pub use crate::keys::fleet::store::{Engine, Role, Wanted};
pub use crate::keys::fleet::{FleetName, NameError};

/// The configuration, with placeholders between `@`.
pub fn store_config(wanted: &Wanted) -> String {
    crate::keys::fleet::store::configuration(wanted)
}
