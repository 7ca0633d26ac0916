//! Numbers as C code reads them. Must not know which directive they come from.

use nom::bytes::complete::take_while;
use nom::character::complete::{digit0, digit1};
use nom::combinator::all_consuming;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// The bytes up to the first NUL: where C's string functions stop.
pub fn c_string(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// glibc's `atoi`: white space, a sign, digits, and whatever follows is ignored. No digits
/// are 0. Numbers past `long` saturate, then lose their upper half (so 2^63 and more is -1).
pub fn c_atoi(value: &[u8]) -> i32 {
    strtol(value).0 as i32
}

/// `strtol(value, &end, 10)`: the number and the bytes behind it. Without digits nothing is
/// consumed.
pub(super) fn strtol(value: &[u8]) -> (i64, &[u8]) {
    let Ok((rest, (sign, digits))) = signed_digits(c_string(value)) else {
        return (0, value);
    };
    if sign.len() > 1 || digits.is_empty() {
        return (0, value);
    }
    let negative = sign == b"-";
    let number = digits.iter().try_fold(0i64, |sum, digit| {
        let digit = i64::from(digit - b'0');
        let sum = sum.checked_mul(10)?;
        if negative {
            sum.checked_sub(digit)
        } else {
            sum.checked_add(digit)
        }
    });
    (
        number.unwrap_or(if negative { i64::MIN } else { i64::MAX }),
        rest,
    )
}

type SignedDigits<'text> = (&'text [u8], &'text [u8]);

fn signed_digits(value: &[u8]) -> IResult<&[u8], SignedDigits<'_>, ()> {
    preceded(take_while(is_c_space), (take_while(is_sign), digit0)).parse(value)
}

/// nginx's `ngx_atoi` and `ngx_atosz`: digits only, at least one, at most 2^63 - 1.
pub(super) fn digits(value: &[u8]) -> Option<u64> {
    let parsed: IResult<&[u8], &[u8], ()> = all_consuming(digit1).parse(value);
    let (_, digits) = parsed.ok()?;
    let number = digits.iter().try_fold(0u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })?;
    (number <= i64::MAX as u64).then_some(number)
}

/// C's `isspace` in the C locale.
pub(super) const fn is_c_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

const fn is_sign(byte: u8) -> bool {
    matches!(byte, b'+' | b'-')
}
