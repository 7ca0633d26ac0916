//! Whether a published vulnerability concerns the judged server, its distribution's fixes
//! included. Must not judge configurations.

use crate::catalog::Advisory;
use crate::model::Platform;

/// Whether a server has a vulnerability.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Exposure {
    /// The version does not have it, or its package carries the fix.
    No,
    /// The version has it, and the package may carry the fix.
    Perhaps,
    /// The version has it.
    Yes,
}

/// Whether the judged server has it.
pub(super) fn exposure(platform: &Platform, advisory: &Advisory) -> Exposure {
    if !advisory.affects(platform.server.value) {
        return Exposure::No;
    }
    let Some(package) = &platform.package else {
        return Exposure::Yes;
    };
    match advisory.patched(package) {
        Some(true) => Exposure::No,
        Some(false) => Exposure::Yes,
        None => Exposure::Perhaps,
    }
}
