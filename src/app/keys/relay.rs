//! `keys relay`: a fleet's records copied from one store into another, once or for ever. Ends
//! only when it is killed, which is safe at any moment.

use std::thread;
use std::time::Duration;

use crate::keys::fleet::store::open;
use crate::keys::fleet::{FleetName, HostName, Relay};

pub use crate::keys::fleet::Pass;
pub use crate::keys::fleet::store::{Access, StoreError};

/// What is copied.
#[derive(Clone, Debug)]
pub struct RelayRequest {
    /// The store that is read, as an address.
    pub from: String,
    /// The store that is written.
    pub to: String,
    /// How the first lets us in.
    pub access: Access,
    /// How the second does.
    pub access_to: Access,
    /// Whose records.
    pub fleet: FleetName,
    /// Of which hosts; none: of all.
    pub hosts: Vec<HostName>,
    /// The time between two passes.
    pub every: Duration,
    /// One pass only.
    pub once: bool,
}

/// Copies; `tell` hears of every pass.
///
/// # Errors
/// [`StoreError`] where a store's address cannot be used, and where the only pass failed; without
/// `once` a pass that fails is told and tried again.
pub fn relay(
    request: &RelayRequest,
    tell: &mut dyn FnMut(&Result<Pass, StoreError>),
) -> Result<(), StoreError> {
    let mut from = open(&request.from, &request.access)?;
    let mut to = open(&request.to, &request.access_to)?;
    let mut relay = Relay::new(request.fleet.clone(), request.hosts.clone());
    loop {
        let pass = relay.pass(&mut *from, &mut *to);
        if request.once {
            let pass = pass?;
            tell(&Ok(pass));
            return Ok(());
        }
        tell(&pass);
        if let Err(StoreError::Unable { .. }) = pass {
            // Nothing that waiting would mend.
            return pass.map(drop);
        }
        thread::sleep(request.every);
    }
}
