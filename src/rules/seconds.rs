//! What a person means by a written time. The servers' own reading stands in the model; this
//! must not be taken for it.

use crate::catalog::Server;

const DAY: u64 = 24 * 60 * 60;

/// Seconds meant by `1d`, `5m`, `1h 30m`, `10 minutes`, `300`. `None` where that is not clear.
pub(super) fn meant(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = unit(rest.get(..letters)?)?;
        rest = rest.get(letters..)?.trim_start();
        total = total.checked_add(number.checked_mul(unit)?)?;
    }
    Some(total)
}

/// Months and years are left out: nobody means them here, and `M` reads like `m`.
fn unit(word: &str) -> Option<u64> {
    if word == "M" {
        return None;
    }
    let is_known = |(words, _): &&(&[&str], u64)| {
        let mut words = words.iter();
        words.any(|known| known.eq_ignore_ascii_case(word))
    };
    UNITS.iter().find(is_known).map(|(_, seconds)| *seconds)
}

const UNITS: [(&[&str], u64); 5] = [
    (&["", "s", "sec", "secs", "second", "seconds"], 1),
    (&["m", "min", "mins", "minute", "minutes"], 60),
    (&["h", "hr", "hrs", "hour", "hours"], 60 * 60),
    (&["d", "day", "days"], DAY),
    (&["w", "week", "weeks"], 7 * DAY),
];

/// The directive that gives sessions their lifetime.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => "ssl_session_timeout",
        Server::Apache => "SSLSessionCacheTimeout",
    }
}

/// A time as nginx takes it, in the largest unit that gives a whole number.
pub(super) fn for_nginx(seconds: u64) -> String {
    let units = [(DAY, "d"), (60 * 60, "h"), (60, "m")];
    let fits = units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    match fits {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

/// A time for people.
pub(super) fn for_people(seconds: u64) -> String {
    let units = [
        (7 * DAY, "week"),
        (DAY, "day"),
        (60 * 60, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let fits = units
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, name) = fits.copied().unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_units_are_understood_and_others_are_not() {
        assert_eq!(meant("1d"), Some(86_400));
        assert_eq!(meant("5m"), Some(300));
        assert_eq!(meant("1h 30m"), Some(5_400));
        assert_eq!(meant("10 minutes"), Some(600));
        assert_eq!(meant("300"), Some(300));
        assert_eq!(meant("2w"), Some(1_209_600));
        for unclear in [
            "abc",
            "1M",
            "1y",
            "d",
            "1.5h",
            "99999999999999999999",
            "9999999999999999w",
        ] {
            assert_eq!(meant(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn times_are_written_in_the_largest_unit() {
        assert_eq!(for_nginx(86_400), "1d");
        assert_eq!(for_nginx(5_400), "90m");
        assert_eq!(for_nginx(61), "61s");
        assert_eq!(for_people(864_000), "10 days");
        assert_eq!(for_people(3_600), "1 hour");
    }
}
