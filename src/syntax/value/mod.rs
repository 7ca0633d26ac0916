//! The grammars of single values, server by server.
//!
//! Each function takes the bytes of words as their server stores them (decoded) and gives
//! what the server would read, its silent mistakes included: a value that the server
//! refuses is an error here, a value that it misreads is misread here. It must not decide
//! whether a value is wise.

pub mod apache;
pub mod nginx;
mod number;
pub mod openssl;

pub use number::{c_atoi, c_string};

/// Why a server refuses a value. The words follow the server's own sentence; the value is
/// left to the caller, who knows its place.
#[derive(Copy, Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum ValueError {
    /// nginx: a time, size or other single value that is none.
    #[error("invalid value")]
    Invalid,
    /// nginx: a flag that is neither `on` nor `off`.
    #[error("invalid value, it must be \"on\" or \"off\"")]
    Flag,
    /// nginx: a word of `ssl_session_cache`.
    #[error("invalid session cache")]
    SessionCache,
    /// nginx: a shared session cache below eight pages.
    #[error("session cache is too small")]
    SmallSessionCache,
    /// nginx: `listen` with an address that is none.
    #[error("invalid host")]
    Host,
    /// nginx: `listen` with a port that is none.
    #[error("invalid port")]
    Port,
    /// nginx: `listen` with ports that run backwards.
    #[error("invalid port range")]
    PortRange,
    /// nginx: `listen` without an address in front of the port.
    #[error("no host")]
    NoHost,
    /// nginx: `listen` with brackets around something that is no IPv6 address.
    #[error("invalid IPv6 address")]
    Ipv6,
    /// nginx: `listen unix:` without a path.
    #[error("no path in the unix domain socket")]
    NoPath,
    /// nginx: a path that does not fit a socket address.
    #[error("too long path in the unix domain socket")]
    LongPath,
    /// OpenSSL: a list with an empty element, or a number below zero.
    #[error("SSL_CONF_cmd() fails")]
    ConfCommand,
    /// httpd: `SSLSessionCache` with an opening parenthesis that does not close the value.
    #[error(
        "invalid argument: no closing parenthesis or cache size missing after pathname with \
         parenthesis"
    )]
    CacheClosing,
    /// httpd: `SSLSessionCache` with a closing parenthesis alone.
    #[error("invalid argument: no opening parenthesis")]
    CacheOpening,
    /// httpd: `SSLSessionCache` with a size that is no number.
    #[error("invalid argument: cache size not numerical")]
    CacheSize,
    /// httpd: `SSLSessionCache` below 8192 bytes.
    #[error("invalid argument: size has to be >= 8192 bytes")]
    SmallCache,
    /// httpd: `SSLSessionCache` of 4 GiB - 1 or more.
    #[error("invalid argument: size has to be < 4294967295 bytes on this platform")]
    LargeCache,
    /// httpd: a word of `SSLProtocol`.
    #[error("illegal protocol")]
    Protocol,
    /// httpd: `SSLv2` in `SSLProtocol`, except to take it away.
    #[error("SSLv2 is no longer supported")]
    Sslv2,
    /// httpd: an address of `Listen` or `<VirtualHost>`.
    #[error("invalid address or port")]
    Address,
    /// httpd: `<VirtualHost 443>`.
    #[error("missing address for VirtualHost")]
    NoAddress,
    /// httpd: `Listen` without a port.
    #[error("port must be specified")]
    NoPort,
}
