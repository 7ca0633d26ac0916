//! Why a call to a server failed, before it is known under which name the user knows the server.

use super::StoreError;

/// The most of a server's words that is shown.
const WORDS: usize = 200;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The connection is gone, or was never there.
    Lost(String),
    /// The server says that it cannot now.
    Busy(String),
    /// The server says no.
    Refused(String),
    /// What comes is no answer.
    Garbled(String),
    /// More comes than an answer has.
    TooMuch(String),
    /// Something on our side.
    Own(StoreError),
}

impl Failed {
    /// True where the connection can go on.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Refused(_))
    }

    /// For the user.
    pub(super) fn of(self, store: &str) -> StoreError {
        let store = store.to_owned();
        match self {
            Self::Lost(why) | Self::Busy(why) => StoreError::Down { store, why },
            Self::Refused(why) | Self::Garbled(why) | Self::TooMuch(why) => {
                StoreError::Refused { store, why }
            }
            Self::Own(error) => error,
        }
    }
}

/// A server's words, as far as they can be shown: on one line, without control characters.
pub(super) fn words(text: &str) -> String {
    let shown = text.chars().take(WORDS);
    shown
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
