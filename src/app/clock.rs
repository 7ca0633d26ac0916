//! The time, asked for once a write or a run. Nothing else in the library asks for it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970; 0 where the clock stands before that.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The wall clock and the clock that nobody can set, in milliseconds.
#[cfg(target_os = "linux")]
pub(super) fn both() -> crate::keys::core::Now {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        });
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let milliseconds = boot.tv_sec.saturating_mul(1000) + boot.tv_nsec / 1_000_000;
    crate::keys::core::Now {
        wall,
        boot: u64::try_from(milliseconds).unwrap_or(0),
    }
}
