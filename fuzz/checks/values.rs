//! The grammars of single values against readers that are written down here a second time, from
//! the servers' own sources: nginx `src/core/ngx_parse.c`, `ngx_string.c`; C's `strtol`.

use stekguard::app::Versions;
use stekguard::catalog::Version;
use stekguard::policy::settings::Period;
use stekguard::source::{FragmentContext, PathGlobs, upstream_version};
use stekguard::syntax::value::nginx::{self, Host};
use stekguard::syntax::value::{apache, c_atoi, openssl};

const LARGEST: i128 = i64::MAX as i128;

/// The bytes as every kind of value; the part before and behind the first line feed as pairs.
pub(crate) fn all(bytes: &[u8]) {
    nginx_values(bytes);
    apache_values(bytes);
    openssl_values(bytes);
    texts(bytes);
}

fn nginx_values(bytes: &[u8]) {
    let seconds = nginx::seconds(bytes).ok().map(i128::from);
    assert_eq!(seconds, parse_time(bytes, true), "seconds");
    let milliseconds = nginx::milliseconds(bytes).ok().map(i128::from);
    assert_eq!(milliseconds, parse_time(bytes, false), "milliseconds");
    let size = nginx::size(bytes).ok().map(i128::from);
    assert_eq!(size, parse_size(bytes), "size");
    let number = nginx::number(bytes).ok().map(i128::from);
    assert_eq!(number, digits(bytes), "number");
    let until_nul = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let flag = match until_nul.to_ascii_lowercase().as_slice() {
        b"on" => Some(true),
        b"off" => Some(false),
        _ => None,
    };
    assert_eq!(nginx::flag(bytes).ok(), flag, "flag");
    if let Ok(nginx::SessionCache::Shared { name, size }) = nginx::session_cache(bytes) {
        let rest = &bytes[b"shared:".len() + name.len() + 1..];
        assert!(!name.is_empty() && !name.contains(&b':'));
        assert_eq!(Some(i128::from(size)), parse_size(rest));
        assert!(size >= 8 * 4096);
    }
    let mut words = bytes.split(|byte| *byte == b' ');
    let address = words.next().unwrap_or_default();
    if let Ok(listen) = nginx::listen(address, words.clone()) {
        let ports = listen.ports;
        assert!(ports.is_none_or(|it| it.first >= 1 && it.first <= it.last));
        assert!(!matches!(listen.host, Host::Unix(path) if path.is_empty() || ports.is_some()));
        assert!(listen.others.len() <= words.count());
    }
    let _ = nginx::protocols(bytes.split(|byte| *byte == b' '));
}

fn apache_values(bytes: &[u8]) {
    assert_eq!(c_atoi(bytes), atoi(bytes), "atoi");
    let timeout = apache::timeout(bytes).ok();
    assert_eq!(timeout, u32::try_from(atoi(bytes)).ok(), "timeout");
    assert_eq!(apache::flag(bytes).ok(), nginx::flag(bytes).ok());
    if let Ok(apache::SessionCache::Shmcb { size, path }) = apache::session_cache(bytes) {
        assert!((8192..u32::MAX).contains(&size));
        assert!(path.is_none_or(
            |path| bytes.windows(path.len().max(1)).any(|it| it == path) || path.is_empty()
        ));
    }
    for address in [apache::listen(bytes), apache::virtual_host(bytes)] {
        let _ = address.map(|address| format!("{address:?}"));
    }
    let _ = apache::protocols(bytes.split(|byte| *byte == b' '));
}

fn openssl_values(bytes: &[u8]) {
    if let Ok(words) = openssl::options(bytes) {
        let ticket = words.iter().rev().find(|word| word.is("SessionTicket"));
        let said = openssl::session_ticket(bytes);
        assert_eq!(said, Ok(ticket.map(|word| word.on)));
        let spelled: Vec<Vec<u8>> = words
            .iter()
            .map(|word| [if word.on { b"+" } else { b"-" }, word.name].concat())
            .collect();
        let spelled = spelled.join(&b',');
        let again = openssl::options(&spelled).ok();
        // A name that ends or begins in white space behind its sign loses it when it is last.
        let names = |words: &[openssl::OptionWord<'_>]| -> Vec<(bool, Vec<u8>)> {
            let each = words.iter();
            each.map(|it| (it.on, it.name.to_vec())).collect()
        };
        assert_eq!(again.map(|it| names(&it)), Some(names(&words)), "options");
    } else {
        assert!(openssl::session_ticket(bytes).is_err());
    }
    let number = openssl::num_tickets(bytes).ok();
    assert_eq!(number, u32::try_from(atoi(bytes)).ok());
    let _ = openssl::is_command(bytes, "Options");
}

/// Values that are text: versions, periods, contexts, globs.
fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string().parse(), Ok(version), "{text}");
    }
    if let Ok(period) = Period::parse(text) {
        assert_eq!(Period::parse(&period.to_string()), Ok(period), "{text}");
    }
    let _ = text.parse::<FragmentContext>();
    let mut versions = Versions::default();
    if versions.add(text).is_ok() {
        assert!(!versions.servers.is_empty() || versions.openssl.is_some());
    }
    let _ = versions.add_package(text);
    let _ = upstream_version(text);
    let (glob, path) = text.split_once('\n').unwrap_or((text, "/etc/nginx/a.conf"));
    let globs = PathGlobs::new("/etc/nginx".as_ref(), [glob]);
    let _ = globs.covers(path.as_ref());
}

/// `ngx_parse_time` in wide numbers.
fn parse_time(text: &[u8], is_seconds: bool) -> Option<i128> {
    const DAY: i128 = 24 * 60 * 60;
    let mut at = 0;
    let (mut step, mut value, mut total, mut valid) = (i32::from(!is_seconds) * 2, 0, 0, false);
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte.is_ascii_digit() {
            value = value * 10 + i128::from(byte - b'0');
            valid = true;
            if value > LARGEST {
                return None;
            }
            continue;
        }
        let fine = byte == b'm' && text.get(at) == Some(&b's');
        at += usize::from(fine);
        // Steps as in the server: year 1, month 2, week 3, day 4, hour 5, minute 6, second 7,
        // millisecond 8, and the end 9.
        let (next, limit, scale) = match byte {
            _ if fine && is_seconds => return None,
            _ if fine => (8, 8, 1),
            b'y' => (1, 1, 365 * DAY),
            b'M' => (2, 2, 30 * DAY),
            b'w' => (3, 3, 7 * DAY),
            b'd' => (4, 4, DAY),
            b'h' => (5, 5, 60 * 60),
            b'm' => (6, 6, 60),
            b's' => (7, 7, 1),
            b' ' => (9, 7, 1),
            _ => return None,
        };
        if step >= limit {
            return None;
        }
        step = next;
        let scale = if is_seconds || fine {
            scale
        } else {
            scale * 1000
        };
        total += value * scale;
        if total > LARGEST {
            return None;
        }
        value = 0;
        while text.get(at) == Some(&b' ') {
            at += 1;
        }
    }
    let rest = if is_seconds { value } else { value * 1000 };
    (valid && total + rest <= LARGEST).then_some(total + rest)
}

/// `ngx_parse_size`.
fn parse_size(text: &[u8]) -> Option<i128> {
    let (number, scale) = match text {
        [number @ .., b'k' | b'K'] => (number, 1024),
        [number @ .., b'm' | b'M'] => (number, 1024 * 1024),
        number => (number, 1),
    };
    let size = digits(number)? * scale;
    (size <= LARGEST).then_some(size)
}

/// `ngx_atoi`.
fn digits(text: &[u8]) -> Option<i128> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let significant = text.iter().skip_while(|digit| **digit == b'0');
    let digits: Vec<u8> = significant.map(|digit| digit - b'0').collect();
    if digits.len() > 19 {
        return None;
    }
    let number = digits.iter().fold(0, |sum, it| sum * 10 + i128::from(*it));
    (number <= LARGEST).then_some(number)
}

/// C's `atoi` of glibc: `strtol`, cut to 32 bits.
fn atoi(text: &[u8]) -> i32 {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let spaces = |byte: &&u8| matches!(byte, b' ' | 9..=13);
    let blank = text.iter().take_while(spaces).count();
    let (negative, text) = match &text[blank..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut number: i128 = 0;
    for digit in text.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = (number * 10 + i128::from(digit - b'0')).min(LARGEST + 1);
    }
    let number = if negative {
        -number
    } else {
        number.min(LARGEST)
    };
    number as i64 as i32
}
