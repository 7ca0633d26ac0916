//! Versions and half-open version ranges. Knows no server.

use std::fmt;
use std::str::FromStr;

/// A server's or library's version: three numbers, compared in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number; nginx: even is stable, odd is mainline.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

impl Version {
    /// The version of these three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A text that is not a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError {
    /// The text as given.
    pub text: String,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a version: {:?} (expected 1.22.1)", self.text)
    }
}

impl std::error::Error for VersionError {}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `1.22.1`, or `3.0` as 3.0.0. Letters and signs are refused: what follows a
    /// number (`1.1.1w`, `1.22.1-9+deb12u11`) is the caller's to cut off.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError {
            text: text.to_owned(),
        };
        let mut numbers = [0_u16; 3];
        let mut count = 0;
        for part in text.split('.') {
            let slot = numbers.get_mut(count).ok_or_else(error)?;
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                return Err(error());
            }
            *slot = part.parse().map_err(|_| error())?;
            count += 1;
        }
        if count < 2 {
            return Err(error());
        }
        let [major, minor, patch] = numbers;
        Ok(Self::new(major, minor, patch))
    }
}

/// Versions from `from` (included) up to `before` (excluded); an open end is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// First version inside, or none: from the beginning.
    pub from: Option<Version>,
    /// First version outside again, or none: to this day.
    pub before: Option<Version>,
}

impl VersionRange {
    /// Every version.
    pub const ALWAYS: Self = Self {
        from: None,
        before: None,
    };

    /// Whether `version` lies inside.
    #[must_use]
    pub fn contains(&self, version: Version) -> bool {
        super::validity::note(self, version);
        self.spans(version)
    }

    /// The same for a version that is not the one in question: see [`super::validity`].
    pub(super) fn spans(&self, version: Version) -> bool {
        self.from.is_none_or(|from| from <= version)
            && self.before.is_none_or(|before| version < before)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.before) {
            (None, None) => f.write_str("all versions"),
            (Some(from), None) => write!(f, "{from} and later"),
            (None, Some(before)) => write!(f, "before {before}"),
            (Some(from), Some(before)) => write!(f, "from {from}, before {before}"),
        }
    }
}
