//! Values of nginx's directives.
//!
//! Sources: nginx `src/core/ngx_parse.c` (time, size), `src/core/ngx_conf_file.c` (flag,
//! bit masks), `src/http/modules/ngx_http_ssl_module.c` (session cache). Addresses are in
//! [`listen`]. Must not know inheritance or defaults.

mod listen;
mod time;

pub use listen::{Host, Listen, Ports, listen};
pub use time::{milliseconds, seconds};

use super::number::digits;
use super::{ValueError, c_string};

/// A size: digits, then nothing, `k` or `m` in either case. There is no `g`.
///
/// # Errors
/// [`ValueError::Invalid`].
pub fn size(value: &[u8]) -> Result<u64, ValueError> {
    let (number, scale) = match value {
        [number @ .., b'k' | b'K'] => (number, 1024),
        [number @ .., b'm' | b'M'] => (number, 1024 * 1024),
        number => (number, 1),
    };
    let number = digits(number).ok_or(ValueError::Invalid)?;
    if number > i64::MAX as u64 / scale {
        return Err(ValueError::Invalid);
    }
    Ok(number * scale)
}

/// A number: digits alone.
///
/// # Errors
/// [`ValueError::Invalid`].
pub fn number(value: &[u8]) -> Result<u64, ValueError> {
    digits(value).ok_or(ValueError::Invalid)
}

/// A flag: `on` or `off` in any case.
///
/// # Errors
/// [`ValueError::Flag`] for anything else.
pub fn flag(value: &[u8]) -> Result<bool, ValueError> {
    let value = c_string(value);
    if value.eq_ignore_ascii_case(b"on") {
        return Ok(true);
    }
    if value.eq_ignore_ascii_case(b"off") {
        return Ok(false);
    }
    Err(ValueError::Flag)
}

/// One argument of `ssl_session_cache`.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum SessionCache<'text> {
    /// `off`: sessions are refused, clients are told so.
    Off,
    /// `none`: clients are told that sessions may be reused, but none is stored.
    None,
    /// `builtin` in each worker; `Some` with its number of sessions.
    Builtin(Option<u64>),
    /// `shared:NAME:SIZE` for all workers.
    Shared {
        /// The zone's name.
        name: &'text [u8],
        /// Bytes.
        size: u64,
    },
}

/// Eight pages of 4096 bytes: the least that nginx takes for a shared cache. (On machines
/// with larger pages nginx asks for more.)
pub const SHARED_CACHE_MIN: u64 = 8 * 4096;

/// Reads one argument of `ssl_session_cache`. All of it is case-sensitive.
///
/// # Errors
/// [`ValueError::SessionCache`], [`ValueError::SmallSessionCache`].
pub fn session_cache(value: &[u8]) -> Result<SessionCache<'_>, ValueError> {
    match c_string(value) {
        b"off" => return Ok(SessionCache::Off),
        b"none" => return Ok(SessionCache::None),
        b"builtin" => return Ok(SessionCache::Builtin(None)),
        _ => {}
    }
    if let Some(count) = value.strip_prefix(b"builtin:") {
        let count = digits(count).ok_or(ValueError::SessionCache)?;
        return Ok(SessionCache::Builtin(Some(count)));
    }
    let zone = value
        .strip_prefix(b"shared:")
        .ok_or(ValueError::SessionCache)?;
    let colon = zone
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(ValueError::SessionCache)?;
    let (name, bytes) = (&zone[..colon], &zone[colon + 1..]);
    if name.is_empty() {
        return Err(ValueError::SessionCache);
    }
    let bytes = size(bytes).map_err(|_| ValueError::SessionCache)?;
    if bytes < SHARED_CACHE_MIN {
        return Err(ValueError::SmallSessionCache);
    }
    Ok(SessionCache::Shared { name, size: bytes })
}

/// Protocol versions of `ssl_protocols`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Protocols {
    /// `SSLv2`.
    pub ssl2: bool,
    /// `SSLv3`.
    pub ssl3: bool,
    /// `TLSv1`.
    pub tls1: bool,
    /// `TLSv1.1`.
    pub tls1_1: bool,
    /// `TLSv1.2`.
    pub tls1_2: bool,
    /// `TLSv1.3`.
    pub tls1_3: bool,
}

/// Reads the arguments of `ssl_protocols`: names in any case, together a set.
///
/// # Errors
/// [`ValueError::Invalid`] for an unknown name.
pub fn protocols<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Protocols, ValueError> {
    let mut set = Protocols::default();
    for word in words {
        let flag = match word.to_ascii_lowercase().as_slice() {
            b"sslv2" => &mut set.ssl2,
            b"sslv3" => &mut set.ssl3,
            b"tlsv1" => &mut set.tls1,
            b"tlsv1.1" => &mut set.tls1_1,
            b"tlsv1.2" => &mut set.tls1_2,
            b"tlsv1.3" => &mut set.tls1_3,
            _ => return Err(ValueError::Invalid),
        };
        *flag = true;
    }
    Ok(set)
}
