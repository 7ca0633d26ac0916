//! Why a record was not believed. One word each, which metrics and logs show.

use std::fmt;

/// Why a record was refused. What it prints is a label of metrics and never changes.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, thiserror::Error)]
pub enum Refused {
    /// Longer than a record may be, or than this one says.
    TooLarge,
    /// Shorter than it says.
    Truncated,
    /// Not the form of a record, or a body that says nothing.
    Malformed,
    /// Of a version, or with a critical extension, that is not known here.
    Version,
    /// Of another kind than what is kept under this name.
    Kind,
    /// Changed after it was signed, or not signed by the key that it names.
    Signature,
    /// Signed by somebody who is not pinned.
    UnknownSigner,
    /// Of another fleet.
    Fleet,
    /// Of another slot: another epoch or another generation.
    Slot,
    /// Of another host.
    Host,
    /// Of slots of another length.
    Interval,
    /// Sealed for a key that is not held (any more).
    Recipient,
    /// The seal does not open.
    Sealed,
    /// What was sealed is not the seed that the header names.
    Seed,
    /// Out of its time.
    Expired,
}

impl Refused {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::TooLarge,
        Self::Truncated,
        Self::Malformed,
        Self::Version,
        Self::Kind,
        Self::Signature,
        Self::UnknownSigner,
        Self::Fleet,
        Self::Slot,
        Self::Host,
        Self::Interval,
        Self::Recipient,
        Self::Sealed,
        Self::Seed,
        Self::Expired,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Version => "version",
            Self::Kind => "kind",
            Self::Signature => "signature",
            Self::UnknownSigner => "unknown-signer",
            Self::Fleet => "fleet",
            Self::Slot => "slot",
            Self::Host => "host",
            Self::Interval => "interval",
            Self::Recipient => "recipient",
            Self::Sealed => "sealed",
            Self::Seed => "seed",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
