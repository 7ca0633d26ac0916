//! How ticket keys rotate: slots, keys ahead, keys kept, and what `lint` may count on.
//! Pure data; knows no file and no clock.

use serde::{Deserialize, Serialize};

/// The plan of a rotation. Every time is in seconds.
///
/// One key encrypts for `interval`. `ahead` keys of coming slots and `previous` keys of past
/// slots are loaded beside it and only decrypt, so that a session resumes for `lifetime`
/// however the clocks of hosts differ, within `skew`.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rotation {
    /// How long one key encrypts.
    pub interval: u64,
    /// How many coming keys are loaded, to decrypt only.
    pub ahead: u32,
    /// How many past keys are kept, to decrypt only.
    pub previous: u32,
    /// How long a session may resume: `ssl_session_timeout`.
    pub lifetime: u64,
    /// By how much clocks may differ, the time of a reload included.
    pub skew: u64,
    /// The server is reloaded (nginx) or gracefully restarted (httpd) at least this often, by
    /// somebody who said so; keys that live in its memory are then as old at most.
    pub scheduled_reload: Option<u64>,
}

impl Rotation {
    /// The parameters of the published scheme: one key ahead, 18 hourly keys back.
    ///
    /// Kept for those who must match it: at the end of a life it loses sessions where clocks
    /// differ, which the default does not.
    pub const fn published_2015() -> Self {
        Self {
            ahead: 1,
            previous: 18,
            ..Self::hourly()
        }
    }

    const fn hourly() -> Self {
        Self {
            interval: 60 * 60,
            ahead: 2,
            previous: 19,
            lifetime: 18 * 60 * 60,
            skew: 5 * 60,
            scheduled_reload: None,
        }
    }

    /// The longest lifetime that loses no session: what the previous slots cover, less the skew.
    pub fn longest_lifetime(&self) -> u64 {
        (u64::from(self.previous) * self.interval).saturating_sub(self.skew)
    }

    /// How many keys are loaded at once.
    pub fn keys(&self) -> u32 {
        self.ahead + 1 + self.previous
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self::hourly()
    }
}

#[cfg(test)]
mod tests {
    use super::Rotation;

    #[test]
    fn the_default_window_covers_its_lifetime() {
        let rotation = Rotation::default();
        assert_eq!(rotation.keys(), 22);
        assert!(rotation.lifetime <= rotation.longest_lifetime());
    }

    #[test]
    fn the_published_window_is_short_by_the_skew() {
        let published = Rotation::published_2015();
        assert_eq!(published.keys(), 20);
        assert_eq!(
            published.lifetime - published.longest_lifetime(),
            published.skew
        );
    }
}
