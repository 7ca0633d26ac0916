//! The address of a store, as users write it. Pure.

use std::path::PathBuf;

use super::StoreError;

/// Where a store is.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) enum Address {
    /// A folder.
    Directory(PathBuf),
    /// Redis or Valkey.
    Redis {
        /// Its host and port.
        place: Place,
        /// The user of the address.
        user: Option<String>,
        /// Within TLS.
        tls: bool,
    },
    /// memcached.
    Memcached(Place),
}

/// A host and a port.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Place {
    /// A name or an address, without brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
}

impl Address {
    /// Reads an address.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let no_store = || StoreError::NoStore(shown(url));
        if let Some(path) = url.strip_prefix("directory:") {
            let path = PathBuf::from(path);
            return match path.is_absolute() {
                true => Ok(Self::Directory(path)),
                false => Err(no_store()),
            };
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(no_store)?;
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                return Err(StoreError::Password(shown(url)));
            }
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let plain = |user: &str| {
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !user.is_empty() && user.bytes().all(letter)
        };
        if user.is_some_and(|user| !plain(user)) {
            return Err(no_store());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let place = |port| Place::parse(rest, port).ok_or_else(no_store);
        let redis = |tls| -> Result<Self, StoreError> {
            Ok(Self::Redis {
                place: place(6379)?,
                user: user.map(str::to_owned),
                tls,
            })
        };
        match scheme {
            "redis" => redis(false),
            "rediss" => redis(true),
            "memcached" if user.is_none() => Ok(Self::Memcached(place(11211)?)),
            _ => Err(no_store()),
        }
    }
}

impl Place {
    /// `HOST`, `HOST:PORT`, `[ADDRESS]`, `[ADDRESS]:PORT`.
    fn parse(text: &str, default: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if port.is_empty() => default,
            None => return None,
        };
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let plain = !host.is_empty() && host.bytes().all(letter);
        plain.then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

/// An address as it may be shown: without what might be a password.
pub(super) fn shown(url: &str) -> String {
    let Some((before, rest)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    if url.starts_with("directory:") {
        return url.to_owned();
    }
    let Some((scheme, user)) = before.split_once("://") else {
        return format!("...@{rest}");
    };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16) -> Place {
        Place {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn addresses_are_read() {
        let redis = |place, user: Option<&str>, tls| Address::Redis {
            place,
            user: user.map(str::to_owned),
            tls,
        };
        let cases = [
            ("directory:/a/b", Address::Directory(PathBuf::from("/a/b"))),
            ("redis://h", redis(place("h", 6379), None, false)),
            ("redis://u@h:1/", redis(place("h", 1), Some("u"), false)),
            ("rediss://[::1]:7", redis(place("::1", 7), None, true)),
            (
                "memcached://127.0.0.1",
                Address::Memcached(place("127.0.0.1", 11211)),
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(Address::parse(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "redis:",
            "redis://",
            "redis://h:0",
            "redis://h:65536",
            "redis://h:1:2",
            "redis://[::1",
            "redis://[::1]7",
            "redis://h/0",
            "redis://@h",
            "redis://u v@h",
            "memcached://u@h",
            "http://h",
            "directory:a",
            "directory:",
            "redis://h\r\n",
        ] {
            let refused = Address::parse(url);
            assert!(
                matches!(refused, Err(StoreError::NoStore(_))),
                "{url}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_password_is_neither_taken_nor_shown() {
        for url in [
            "redis://u:Tr0ub4dor@h",
            "redis://:Tr0ub4dor@h",
            "redis://u:a@Tr0ub4dor@h",
        ] {
            let refused = Address::parse(url).unwrap_err();
            assert!(matches!(refused, StoreError::Password(_)));
            assert!(!refused.to_string().contains("Tr0ub4dor"), "{refused}");
        }
        assert_eq!(shown("redis://u:secret@h:1"), "redis://u@h:1");
        assert_eq!(shown("redis:u:secret@h:1"), "...@h:1");
        assert_eq!(shown("directory:/a@b"), "directory:/a@b");
    }
}
