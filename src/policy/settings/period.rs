//! Periods as people write them in the settings: `30s`, `24h`, `1h30m`. Pure text to seconds
//! and back; knows no clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The units, longest first, with their seconds.
const UNITS: [(char, u64); 5] = [
    ('w', 7 * 24 * 60 * 60),
    ('d', 24 * 60 * 60),
    ('h', 60 * 60),
    ('m', 60),
    ('s', 1),
];

/// A length of time in whole seconds.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(pub u64);

/// A text that is no period.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a period such as \"30s\", \"24h\" or \"1h30m\" (units: w, d, h, m, s, the \
     longer one first)"
)]
pub struct PeriodError(String);

impl Period {
    /// Reads numbers with their units, longer units first, each at most once.
    ///
    /// # Errors
    /// [`PeriodError`] for everything else, and for what does not fit 64 bits.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        Self::read(text).ok_or_else(|| PeriodError(text.chars().take(60).collect()))
    }

    fn read(text: &str) -> Option<Self> {
        let mut seconds: u64 = 0;
        let mut rest = text;
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, behind) = rest.split_at(digits);
            let unit = behind.chars().next()?;
            // `find` goes on behind the unit before: no unit comes twice or out of order.
            let (_, length) = units.find(|(name, _)| *name == unit)?;
            let number: u64 = number.parse().ok()?;
            seconds = seconds.checked_add(number.checked_mul(*length)?)?;
            rest = behind.get(1..)?;
        }
        (!text.is_empty()).then_some(Self(seconds))
    }
}

impl fmt::Display for Period {
    /// In the fewest units that lose nothing: `24h` stays `1d`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return out.write_str("0s");
        }
        for (unit, length) in UNITS {
            let number = rest / length;
            rest %= length;
            if number > 0 {
                write!(out, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        Self::parse(&text)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1h30m", 5_400),
            ("1w1s", 604_801),
        ] {
            let period = Period::parse(text).unwrap();
            assert_eq!(period.0, seconds, "{text}");
            assert_eq!(Period::parse(&period.to_string()), Ok(period));
        }
        for text in [
            "",
            "24",
            "h",
            "1m1h",
            "1h1h",
            "-1h",
            "1 h",
            "1.5h",
            "24H",
            "99999999999999999999s",
            "18446744073709551615w",
            "1é",
        ] {
            assert!(Period::parse(text).is_err(), "{text}");
        }
    }
}
