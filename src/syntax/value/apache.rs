//! Values of httpd's directives.
//!
//! Sources: httpd `modules/ssl/ssl_engine_config.c` (SSLSessionCache, SSLProtocol),
//! `modules/cache/mod_socache_shmcb.c`, `server/listen.c`, `server/vhost.c`, APR
//! `network_io/unix/sockaddr.c` (apr_parse_addr_port). Must not resolve names.

use std::net::Ipv6Addr;

use super::number::strtol;
use super::{ValueError, c_atoi};

/// The argument of `SSLSessionCache` (and of `SSLStaplingCache`, which has no `none`).
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum SessionCache<'text> {
    /// `none`, in any case: no effect, so an earlier cache stays.
    None,
    /// `nonenotnull`, in any case: no cache, but session ids.
    NoneNotNull,
    /// `shmcb` with its file and size.
    Shmcb {
        /// The file, as written; `None` for httpd's own choice.
        path: Option<&'text [u8]>,
        /// Bytes; 512 KiB where the value has none.
        size: u32,
    },
    /// Another provider (`dbm`, `memcache`, `redis`, `dc`, ...): names are case-sensitive and
    /// need their module.
    Provider {
        /// In front of the first colon.
        name: &'text [u8],
        /// Behind it.
        argument: Option<&'text [u8]>,
    },
}

/// Reads the argument of `SSLSessionCache`.
///
/// # Errors
/// The `Cache*`, `SmallCache` and `LargeCache` errors of `shmcb`.
pub fn session_cache(value: &[u8]) -> Result<SessionCache<'_>, ValueError> {
    if value.eq_ignore_ascii_case(b"none") {
        return Ok(SessionCache::None);
    }
    if value.eq_ignore_ascii_case(b"nonenotnull") {
        return Ok(SessionCache::NoneNotNull);
    }
    let (name, argument) = match value.iter().position(|byte| *byte == b':') {
        Some(colon) => (&value[..colon], Some(&value[colon + 1..])),
        None => (value, None),
    };
    match name {
        b"shmcb" => shmcb(argument.filter(|argument| !argument.is_empty())),
        name => Ok(SessionCache::Provider { name, argument }),
    }
}

const SHMCB_DEFAULT: u32 = 512 * 1024;
const SHMCB_MIN: u64 = 8192;
/// On 64-bit machines; 64 MiB on others.
const SHMCB_MAX: u64 = 0xffff_ffff;

fn shmcb(argument: Option<&[u8]>) -> Result<SessionCache<'_>, ValueError> {
    let Some(argument) = argument else {
        return Ok(SessionCache::Shmcb {
            path: None,
            size: SHMCB_DEFAULT,
        });
    };
    let closed = argument.last() == Some(&b')');
    let Some(open) = argument.iter().rposition(|byte| *byte == b'(') else {
        if closed {
            return Err(ValueError::CacheOpening);
        }
        return Ok(SessionCache::Shmcb {
            path: Some(argument),
            size: SHMCB_DEFAULT,
        });
    };
    if !closed {
        return Err(ValueError::CacheClosing);
    }
    let (size, rest) = strtol(&argument[open + 1..argument.len() - 1]);
    if !rest.is_empty() {
        return Err(ValueError::CacheSize);
    }
    // The server keeps it unsigned, so a number below zero is a large one.
    let size = size as u64;
    if size < SHMCB_MIN {
        return Err(ValueError::SmallCache);
    }
    if size >= SHMCB_MAX {
        return Err(ValueError::LargeCache);
    }
    Ok(SessionCache::Shmcb {
        path: Some(&argument[..open]),
        size: size as u32,
    })
}

/// The argument of `SSLSessionCacheTimeout`: C's `atoi`, so `1d` is one second and `abc` is 0.
///
/// # Errors
/// [`ValueError::Invalid`] below zero.
pub fn timeout(value: &[u8]) -> Result<u32, ValueError> {
    u32::try_from(c_atoi(value)).map_err(|_| ValueError::Invalid)
}

/// A flag: `on` or `off` in any case.
///
/// # Errors
/// [`ValueError::Flag`] for anything else.
pub fn flag(value: &[u8]) -> Result<bool, ValueError> {
    super::nginx::flag(value)
}

/// Protocol versions that `SSLProtocol` can name.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Protocols {
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
    /// A word without a sign threw earlier words away (httpd warns).
    pub overridden: bool,
}

impl Protocols {
    fn any(&self) -> bool {
        self.ssl3 || self.tls1 || self.tls1_1 || self.tls1_2 || self.tls1_3
    }

    fn set(&mut self, name: &[u8], on: bool) -> Result<(), ValueError> {
        let name = name.to_ascii_lowercase();
        match name.as_slice() {
            b"sslv3" => self.ssl3 = on,
            b"tlsv1" => self.tls1 = on,
            b"tlsv1.1" => self.tls1_1 = on,
            b"tlsv1.2" => self.tls1_2 = on,
            b"tlsv1.3" => self.tls1_3 = on,
            b"all" => {
                let overridden = self.overridden;
                *self = Self {
                    ssl3: on,
                    tls1: on,
                    tls1_1: on,
                    tls1_2: on,
                    tls1_3: on,
                    overridden,
                };
            }
            _ => return Err(ValueError::Protocol),
        }
        Ok(())
    }
}

/// Reads the words of `SSLProtocol` from left to right. `+` adds, `-` takes away, a word
/// without sign starts anew. `all` holds everything that the library still has, so `ssl3`
/// may promise what the library then lacks.
///
/// # Errors
/// [`ValueError::Protocol`] for an unknown word, [`ValueError::Sslv2`] for `SSLv2` unless
/// taken away.
pub fn protocols<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Protocols, ValueError> {
    let mut set = Protocols::default();
    for word in words {
        let (sign, name) = match word {
            [sign @ (b'+' | b'-'), name @ ..] => (Some(*sign), name),
            name => (None, name),
        };
        if name.eq_ignore_ascii_case(b"SSLv2") {
            if sign == Some(b'-') {
                continue;
            }
            return Err(ValueError::Sslv2);
        }
        if sign.is_none() {
            set = Protocols {
                overridden: set.overridden || set.any(),
                ..Protocols::default()
            };
        }
        set.set(name, sign != Some(b'-'))?;
    }
    Ok(set)
}

/// The host part of an httpd address.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Host<'text> {
    /// `*`, `_default_` (only in `<VirtualHost>`), or nothing (only in `Listen`).
    Any,
    /// An IPv6 address in brackets.
    V6(Ipv6Addr),
    /// An IPv6 address with a scope (`[fe80::1%eth0]`), which older versions refuse.
    Scoped(Ipv6Addr, &'text [u8]),
    /// An IPv4 address or a name, as written: httpd asks the resolver for both.
    Name(&'text [u8]),
}

/// An argument of `Listen` or `<VirtualHost>`.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Address<'text> {
    /// Where.
    pub host: Host<'text>,
    /// `<VirtualHost>`: `None` means any port (`:*`) or, without a colon, the port of the
    /// main server: see `any_port`.
    pub port: Option<u16>,
    /// `:*` was written.
    pub any_port: bool,
}

/// Reads the first argument of `Listen`.
///
/// # Errors
/// [`ValueError::Address`], [`ValueError::NoPort`].
pub fn listen(value: &[u8]) -> Result<Address<'_>, ValueError> {
    let (host, port) = address_and_port(value)?;
    let host = match host {
        None | Some(b"*") => Host::Any,
        Some(host) => literal(host)?,
    };
    let port = port.ok_or(ValueError::NoPort)?;
    Ok(Address {
        host,
        port: Some(port),
        any_port: false,
    })
}

/// Reads one argument of `<VirtualHost>`.
///
/// # Errors
/// [`ValueError::Address`], [`ValueError::NoAddress`].
pub fn virtual_host(value: &[u8]) -> Result<Address<'_>, ValueError> {
    let (value, any_port) = match value {
        b":*" => return Err(ValueError::Address),
        [host @ .., b':', b'*'] => (host, true),
        value => (value, false),
    };
    let (host, port) = address_and_port(value)?;
    let host = match host.ok_or(ValueError::NoAddress)? {
        b"*" => Host::Any,
        name if name.eq_ignore_ascii_case(b"_default_") => Host::Any,
        host => literal(host)?,
    };
    Ok(Address {
        host,
        port,
        any_port,
    })
}

/// APR splits from the right: digits alone are a port, digits behind a colon too.
fn address_and_port(value: &[u8]) -> Result<(Option<&[u8]>, Option<u16>), ValueError> {
    let digits = value
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (front, number) = value.split_at(value.len() - digits);
    match front {
        [] if number.is_empty() => Err(ValueError::Address),
        [] => Ok((None, Some(port(number)?))),
        [b':'] if !number.is_empty() => Err(ValueError::Address),
        [host @ .., b':'] if !number.is_empty() => Ok((Some(host), Some(port(number)?))),
        _ => Ok((Some(value), None)),
    }
}

fn port(digits: &[u8]) -> Result<u16, ValueError> {
    match u16::try_from(c_atoi(digits)) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(ValueError::Address),
    }
}

/// APR bounds the value of a group and not its digits: `00000` is a group.
fn short_groups(address: &str) -> String {
    let short = |group: &str| -> String {
        let cut = group.len().saturating_sub(4);
        let zeros = group.bytes().take_while(|byte| *byte == b'0').count();
        group.get(cut.min(zeros)..).unwrap_or_default().to_owned()
    };
    let groups: Vec<String> = address.split(':').map(short).collect();
    groups.join(":")
}

fn literal(host: &[u8]) -> Result<Host<'_>, ValueError> {
    let Some(inside) = host.strip_prefix(b"[") else {
        return Ok(Host::Name(host));
    };
    let inside = inside.strip_suffix(b"]").ok_or(ValueError::Address)?;
    let (address, scope) = match inside.iter().position(|byte| *byte == b'%') {
        Some(percent) => (&inside[..percent], Some(&inside[percent + 1..])),
        None => (inside, None),
    };
    let text = std::str::from_utf8(address).map_err(|_| ValueError::Address)?;
    let address = short_groups(text).parse();
    let address = address.map_err(|_| ValueError::Address)?;
    Ok(scope.map_or(Host::V6(address), |scope| Host::Scoped(address, scope)))
}
