//! `listen`: an address and its parameters.
//!
//! Sources: nginx `src/core/ngx_inet.c` (ngx_parse_url with `listen`), and the listen
//! handlers of http, stream and mail. Which parameter exists in which version and module is
//! data, so unknown ones are kept, not refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::syntax::value::number::digits;
use crate::syntax::value::{ValueError, c_string};

/// Where a server listens.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Host<'text> {
    /// `*` or a port alone: every IPv4 address.
    Any,
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; `[::]` is every one.
    V6(Ipv6Addr),
    /// A name that nginx asks the resolver for at start.
    Name(&'text [u8]),
    /// The path behind `unix:`.
    Unix(&'text [u8]),
}

/// The ports of an address.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Ports {
    /// First port, at least 1.
    pub first: u16,
    /// Last port; equal to `first` without a range.
    pub last: u16,
}

/// The arguments of a `listen` directive.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Listen<'text> {
    /// Where.
    pub host: Host<'text>,
    /// `None` where none is written (http then takes 80, mail and stream refuse) and for
    /// `unix:`.
    pub ports: Option<Ports>,
    /// `ssl`.
    pub ssl: bool,
    /// `default_server`, or `default` as it was called before.
    pub default_server: bool,
    /// `quic` (HTTP/3), which is TLS too.
    pub quic: bool,
    /// `http2`.
    pub http2: bool,
    /// `proxy_protocol`.
    pub proxy_protocol: bool,
    /// `udp` (stream).
    pub udp: bool,
    /// `reuseport`.
    pub reuseport: bool,
    /// `ipv6only`, where written; on by default.
    pub ipv6only: Option<bool>,
    /// Every other parameter, as written (`backlog=511`, `deferred`, and unknown ones).
    pub others: Vec<&'text [u8]>,
}

/// Reads the arguments of `listen`: the address, then its parameters.
///
/// # Errors
/// As nginx refuses the address: [`ValueError::Host`], [`ValueError::Port`],
/// [`ValueError::PortRange`], [`ValueError::NoHost`], [`ValueError::Ipv6`],
/// [`ValueError::NoPath`], [`ValueError::LongPath`]. [`ValueError::Invalid`] for an
/// `ipv6only` that is neither `on` nor `off`.
pub fn listen<'a>(
    address: &'a [u8],
    parameters: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Listen<'a>, ValueError> {
    let (host, ports) = self::address(address)?;
    let mut listen = Listen {
        host,
        ports,
        ssl: false,
        default_server: false,
        quic: false,
        http2: false,
        proxy_protocol: false,
        udp: false,
        reuseport: false,
        ipv6only: None,
        others: Vec::new(),
    };
    for parameter in parameters {
        listen.parameter(parameter)?;
    }
    Ok(listen)
}

impl<'text> Listen<'text> {
    fn parameter(&mut self, parameter: &'text [u8]) -> Result<(), ValueError> {
        match c_string(parameter) {
            b"ssl" => self.ssl = true,
            b"default_server" | b"default" => self.default_server = true,
            b"quic" => self.quic = true,
            b"http2" => self.http2 = true,
            b"proxy_protocol" => self.proxy_protocol = true,
            b"udp" => self.udp = true,
            b"reuseport" => self.reuseport = true,
            b"ipv6only=on" => self.ipv6only = Some(true),
            b"ipv6only=off" => self.ipv6only = Some(false),
            other if other.starts_with(b"ipv6only=") => return Err(ValueError::Invalid),
            _ => self.others.push(parameter),
        }
        Ok(())
    }
}

type Parts<'text> = Result<(Host<'text>, Option<Ports>), ValueError>;

fn address(text: &[u8]) -> Parts<'_> {
    if text.len() >= 5 && text[..5].eq_ignore_ascii_case(b"unix:") {
        return unix(&text[5..]);
    }
    match text.strip_prefix(b"[") {
        Some(inside) => bracketed(inside),
        None => plain(text),
    }
}

/// `sun_path` on Linux, where nginx asks for room for a NUL.
const SOCKET_PATH_MAX: usize = 107;

fn unix(path: &[u8]) -> Parts<'_> {
    if path.is_empty() {
        return Err(ValueError::NoPath);
    }
    if path.len() > SOCKET_PATH_MAX {
        return Err(ValueError::LongPath);
    }
    Ok((Host::Unix(path), None))
}

fn bracketed(inside: &[u8]) -> Parts<'_> {
    let close = inside
        .iter()
        .position(|byte| *byte == b']')
        .ok_or(ValueError::Host)?;
    let (host, behind) = (&inside[..close], &inside[close + 1..]);
    if behind.contains(&b'/') {
        return Err(ValueError::Host);
    }
    let ports = match behind {
        [] => None,
        [b':', ports @ ..] => Some(self::ports(ports)?),
        _ => return Err(ValueError::Host),
    };
    if host.is_empty() {
        return Err(ValueError::NoHost);
    }
    let host = std::str::from_utf8(host)
        .ok()
        .and_then(|host| host.parse().ok());
    Ok((Host::V6(host.ok_or(ValueError::Ipv6)?), ports))
}

fn plain(text: &[u8]) -> Parts<'_> {
    if text.contains(&b'/') || text.contains(&b'?') {
        return Err(ValueError::Host);
    }
    let (host, ports) = match text.iter().position(|byte| *byte == b':') {
        Some(colon) => (&text[..colon], Some(self::ports(&text[colon + 1..])?)),
        None => {
            if let Some(ports) = bare_ports(text)? {
                return Ok((Host::Any, Some(ports)));
            }
            (text, None)
        }
    };
    if host.is_empty() {
        return Err(ValueError::NoHost);
    }
    if host == b"*" {
        return Ok((Host::Any, ports));
    }
    Ok((v4(host).map_or(Host::Name(host), Host::V4), ports))
}

/// Four decimal numbers, leading zeros allowed, an empty one is 0. Anything else
/// (`127.1`, `0x7f.0.0.1`) is a name to nginx, even where the resolver knows it.
fn v4(host: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = host.split(|byte| *byte == b'.');
    for octet in &mut octets {
        *octet = match parts.next()? {
            [] => 0,
            part => u8::try_from(digits(part)?).ok()?,
        };
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// A whole argument that is a port or a range of ports; `None` where it is a name.
fn bare_ports(text: &[u8]) -> Result<Option<Ports>, ValueError> {
    let (first, last) = split_range(text);
    let last = match last.map(digits) {
        Some(None) => return Ok(None),
        Some(Some(last)) => Some(port(Some(last))?),
        None => None,
    };
    match digits(first) {
        None => Ok(None),
        first => range(port(first)?, last).map(Some),
    }
}

fn ports(text: &[u8]) -> Result<Ports, ValueError> {
    let (first, last) = split_range(text);
    let last = last.map(|last| port(digits(last))).transpose()?;
    range(port(digits(first))?, last)
}

fn split_range(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == b'-') {
        Some(dash) => (&text[..dash], Some(&text[dash + 1..])),
        None => (text, None),
    }
}

fn range(first: u16, last: Option<u16>) -> Result<Ports, ValueError> {
    let last = last.unwrap_or(first);
    if first > last {
        return Err(ValueError::PortRange);
    }
    Ok(Ports { first, last })
}

fn port(number: Option<u64>) -> Result<u16, ValueError> {
    let port = number.and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0).ok_or(ValueError::Port)
}
