//! nginx's times: numbers with units, largest unit first, no unit twice.

use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, digit0};
use nom::combinator::value;
use nom::{IResult, Parser};

use crate::syntax::value::ValueError;

/// Units in the order in which they may follow each other.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
enum Unit {
    Start,
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    /// A number that ends with a space, without a unit: seconds.
    Bare,
}

impl Unit {
    /// Seconds in one unit; milliseconds for [`Unit::Millisecond`].
    const fn scale(self) -> i64 {
        match self {
            Self::Year => 365 * 24 * 60 * 60,
            Self::Month => 30 * 24 * 60 * 60,
            Self::Week => 7 * 24 * 60 * 60,
            Self::Day => 24 * 60 * 60,
            Self::Hour => 60 * 60,
            Self::Minute => 60,
            Self::Start | Self::Second | Self::Millisecond | Self::Bare => 1,
        }
    }

    /// Whether it may stand behind `last`. A bare number must come before seconds do, as in
    /// the server, which takes `1m 30 ` but not `1s 30 `.
    fn follows(self, last: Self) -> bool {
        match self {
            Self::Bare => last < Self::Second,
            unit => last < unit,
        }
    }
}

/// A time in seconds, as `ssl_session_timeout` reads it: `300`, `5m`, `1h30m`, `1d`, `1y 2M`.
/// `ms` is refused.
///
/// # Errors
/// [`ValueError::Invalid`], also past 2^63 - 1.
pub fn seconds(text: &[u8]) -> Result<i64, ValueError> {
    total(text, Unit::Start).ok_or(ValueError::Invalid)
}

/// A time in milliseconds, as `worker_shutdown_timeout` reads it: a number without a unit is
/// seconds, years and months are refused.
///
/// # Errors
/// [`ValueError::Invalid`], also past 2^63 - 1.
pub fn milliseconds(text: &[u8]) -> Result<i64, ValueError> {
    total(text, Unit::Month).ok_or(ValueError::Invalid)
}

fn total(mut text: &[u8], start: Unit) -> Option<i64> {
    let fine = start != Unit::Start;
    let per_second = if fine { 1000 } else { 1 };
    let mut last = start;
    let mut total = 0i64;
    let mut any_digit = false;
    loop {
        let (behind, number) = number(text)?;
        any_digit |= behind.len() < text.len();
        if behind.is_empty() {
            let rest = number.checked_mul(per_second)?;
            return total.checked_add(rest).filter(|_| any_digit);
        }
        let (behind, unit) = unit(behind).ok()?;
        if !unit.follows(last) || (unit == Unit::Millisecond && !fine) {
            return None;
        }
        let scale = if unit == Unit::Millisecond {
            1
        } else {
            unit.scale() * per_second
        };
        total = total.checked_add(number.checked_mul(scale)?)?;
        last = unit;
        text = behind.trim_ascii_start_spaces();
    }
}

/// Digits, possibly none (which is 0, as in the server: `1hm` is one hour).
fn number(text: &[u8]) -> Option<(&[u8], i64)> {
    let parsed: IResult<&[u8], &[u8], ()> = digit0(text);
    let (rest, digits) = parsed.ok()?;
    let number = digits.iter().try_fold(0i64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    })?;
    Some((rest, number))
}

fn unit(text: &[u8]) -> IResult<&[u8], Unit, ()> {
    alt((
        value(Unit::Millisecond, tag("ms")),
        value(Unit::Minute, char('m')),
        value(Unit::Second, char('s')),
        value(Unit::Hour, char('h')),
        value(Unit::Day, char('d')),
        value(Unit::Week, char('w')),
        value(Unit::Month, char('M')),
        value(Unit::Year, char('y')),
        value(Unit::Bare, char(' ')),
    ))
    .parse(text)
}

/// Spaces between the parts of a time; only the space, not other white space.
trait TrimSpaces {
    fn trim_ascii_start_spaces(&self) -> &Self;
}

impl TrimSpaces for [u8] {
    fn trim_ascii_start_spaces(&self) -> &Self {
        let spaces = self.iter().take_while(|byte| **byte == b' ').count();
        &self[spaces..]
    }
}
