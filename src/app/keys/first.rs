//! The first keys for a server that does not read them yet: `fix --init-keys` makes them before
//! it writes the line that reads them. Touches no server.

use super::{KeysGoal, KeysRequest, KeysServer, Layout, Live, Rotated, WhenMissing, rotate};
use crate::app::{AppError, Request};

/// Makes the keys of the policy's folder where there are none. The server reads them when it is
/// reloaded; it is the next rotation that checks it.
///
/// # Errors
/// [`AppError::Keys`] where the folder is no memory or cannot be made.
pub fn first(request: &Request) -> Result<Rotated, AppError> {
    let keys = KeysRequest {
        folder: request.policy.keys_directory.clone(),
        layout: Layout::Nginx80,
        rotation: request.policy.rotation.clone(),
        when_missing: WhenMissing::Ratchet,
        server: KeysServer {
            leave: true,
            ..KeysServer::default()
        },
        live: Live::default(),
        unchecked: true,
        cache: None,
        allow_disk: false,
        root: None,
    };
    rotate(&keys, KeysGoal::Init)
}
