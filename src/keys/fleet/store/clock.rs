//! The time: what has expired, and when a call has to end. The engines ask for it nowhere else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two tries.
const STEP: Duration = Duration::from_millis(2);

/// Seconds since 1970; 0 where the clock stands before that.
pub(in crate::keys::fleet) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// When a call has to end.
#[derive(Copy, Clone, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        // No clock goes that far; an hour is as good as for ever.
        let now = Instant::now();
        Self(
            now.checked_add(patience)
                .unwrap_or(now + Duration::from_secs(3600)),
        )
    }

    /// What is left; `None` where nothing is.
    pub(super) fn left(self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Waits a moment.
    pub(super) fn pause(self) -> Result<(), rustix::io::Errno> {
        let left = self.left().ok_or(rustix::io::Errno::TIMEDOUT)?;
        std::thread::sleep(left.min(STEP));
        Ok(())
    }
}
