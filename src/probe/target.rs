//! `HOST[:PORT]` as written: a name, an IPv4 address, or an IPv6 address in brackets or bare.
//! Resolves nothing.

use std::net::IpAddr;

/// Where to look.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Target {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why there is no such place.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum TargetError {
    /// Nothing in front of the port.
    #[error("`{0}` names no host")]
    Host(String),
    /// No number from 1 to 65535.
    #[error("`{0}` has no port from 1 to 65535 behind its last colon")]
    Port(String),
    /// A URL with more than a host.
    #[error("`{0}` is a URL: give the host and, with a colon, the port")]
    Url(String),
}

/// The port of HTTPS.
pub const DEFAULT_PORT: u16 = 443;

impl Target {
    /// Reads `example.org`, `example.org:8443`, `192.0.2.1`, `[2001:db8::1]:443`,
    /// `2001:db8::1`.
    ///
    /// # Errors
    /// [`TargetError`] says what is wrong.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, TargetError> {
        if text.contains("://") || text.contains('/') {
            return Err(TargetError::Url(text.to_owned()));
        }
        let bare = text.parse::<IpAddr>().is_ok();
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            _ if bare => (text, None),
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, rest.strip_prefix(':').or(Some(""))),
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => default_port,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| TargetError::Port(text.to_owned()))?,
        };
        if host.is_empty() || host.contains(['[', ']']) {
            return Err(TargetError::Host(text.to_owned()));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// The name to ask for: the host, unless it is an address (RFC 6066 3).
    pub fn name(&self) -> Option<&str> {
        let address = self.host.parse::<IpAddr>().is_ok();
        (!address).then(|| self.host.trim_end_matches('.'))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            return write!(out, "[{}]:{}", self.host, self.port);
        }
        write!(out, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, host, port, name) in [
            ("example.org", "example.org", 443, Some("example.org")),
            (
                "example.org.:8443",
                "example.org.",
                8443,
                Some("example.org"),
            ),
            ("192.0.2.1:1", "192.0.2.1", 1, None),
            ("[::1]:8443", "::1", 8443, None),
            ("[2001:db8::1]", "2001:db8::1", 443, None),
            ("2001:db8::1", "2001:db8::1", 443, None),
        ] {
            let target = Target::parse(text, DEFAULT_PORT).unwrap();
            assert_eq!((&*target.host, target.port), (host, port), "{text}");
            assert_eq!(target.name(), name, "{text}");
            assert_eq!(Target::parse(&target.to_string(), 1), Ok(target));
        }
    }

    #[test]
    fn what_is_no_place_is_said() {
        for text in [
            "",
            ":443",
            "a:",
            "a:0",
            "a:65536",
            "a:b",
            "[::1]443",
            "[]:443",
            "[::1",
            "https://a",
            "a/b",
        ] {
            assert!(Target::parse(text, DEFAULT_PORT).is_err(), "{text}");
        }
    }
}
