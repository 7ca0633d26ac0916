//! Why there was no connection, or no more of it: one clear sentence each, as a probe says it.

use openssl::ssl;

use super::wire::{Stop, Wire};

/// Why a connection failed. Sentences without the address, which the caller knows.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum ClientError {
    /// No TCP connection.
    #[error("cannot connect: {why}")]
    Connect {
        /// What the system says.
        why: String,
    },
    /// The deadline passed.
    #[error("no answer in time {phase}")]
    Late {
        /// When.
        phase: Phase,
    },
    /// The peer closed or reset the connection.
    #[error("the server closed the connection {phase}")]
    Closed {
        /// When.
        phase: Phase,
    },
    /// More bytes than anybody reads.
    #[error("the server sends without end {phase}")]
    TooMuch {
        /// When.
        phase: Phase,
    },
    /// The peer does not speak TLS.
    #[error("the server does not speak TLS here: it answers {what}")]
    NotTls {
        /// With what.
        what: &'static str,
    },
    /// The peer does not speak this version.
    #[error("the server does not speak this version of TLS")]
    Version,
    /// The peer knows no such name (alert `unrecognized_name`).
    #[error("the server refuses the name")]
    Name,
    /// The peer answers with a fatal alert.
    #[error("the server ended it by the alert {name} ({number}) {phase}")]
    Alert {
        /// The alert's number, RFC 8446 6.
        number: u8,
        /// Its name there.
        name: &'static str,
        /// When.
        phase: Phase,
    },
    /// The peer breaks the protocol.
    #[error("the server breaks the TLS protocol {phase}: {why}")]
    Broken {
        /// When.
        phase: Phase,
        /// What OpenSSL says.
        why: String,
    },
    /// STARTTLS does not come about.
    #[error("the server does not start TLS by {protocol}: {why}")]
    StartTls {
        /// The mail protocol.
        protocol: &'static str,
        /// What it says instead.
        why: String,
    },
    /// The client itself cannot do it: a certificate that does not fit its key, for example.
    #[error("the client cannot do this: {why}")]
    Client {
        /// What OpenSSL says.
        why: String,
    },
}

impl ClientError {
    /// True where another attempt may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Late { .. } | Self::Closed { .. }
        )
    }

    pub(super) fn client(why: impl std::fmt::Display) -> Self {
        Self::Client {
            why: why.to_string(),
        }
    }
}

/// When something happened.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Phase {
    /// In clear, before TLS.
    Before,
    /// In the handshake.
    Handshake,
    /// After it.
    After,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Before => "before TLS",
            Self::Handshake => "in the handshake",
            Self::After => "after the handshake",
        })
    }
}

/// OpenSSL's reasons (openssl/sslerr.h) that say: another version.
const VERSION_REASONS: [i32; 5] = [
    258, // SSL_R_UNSUPPORTED_PROTOCOL
    266, // SSL_R_WRONG_SSL_VERSION
    267, // SSL_R_WRONG_VERSION_NUMBER
    396, // SSL_R_VERSION_TOO_LOW
    292, // SSL_R_UNKNOWN_PROTOCOL: the number of BAD_PROTOCOL_VERSION_NUMBER in older ones
];
/// Reasons from here on are 1000 + the number of an alert that the peer sent.
const ALERT_REASONS: i32 = 1000;
const PROTOCOL_VERSION: u8 = 70;
const UNRECOGNIZED_NAME: u8 = 112;

/// What a failure of OpenSSL means, with what the wire has seen.
pub(super) fn classified(error: &ssl::Error, wire: &Wire, phase: Phase) -> ClientError {
    match wire.stopped {
        Some(Stop::Late) => return ClientError::Late { phase },
        Some(Stop::TooMuch) => return ClientError::TooMuch { phase },
        _ => {}
    }
    if phase == Phase::Handshake
        && let Some(what) = no_tls(wire.first())
    {
        return ClientError::NotTls { what };
    }
    let reasons = error.ssl_error().map_or(&[][..], |stack| stack.errors());
    for reason in reasons {
        let code = reason.reason_code();
        match u8::try_from(code - ALERT_REASONS) {
            Ok(PROTOCOL_VERSION) => return ClientError::Version,
            Ok(UNRECOGNIZED_NAME) => return ClientError::Name,
            Ok(number) => {
                let name = alert_name(number);
                return ClientError::Alert {
                    number,
                    name,
                    phase,
                };
            }
            Err(_) if phase == Phase::Handshake && VERSION_REASONS.contains(&code) => {
                return ClientError::Version;
            }
            Err(_) => {}
        }
    }
    match (reasons.first(), wire.stopped) {
        // OpenSSL 3 names an end of file among its own errors too.
        (None, _) | (_, Some(Stop::Closed | Stop::Reset)) => ClientError::Closed { phase },
        (Some(reason), _) => ClientError::Broken {
            phase,
            why: reason.reason().unwrap_or("unknown").to_owned(),
        },
    }
}

/// What the first bytes are, where they are no TLS record.
fn no_tls(first: &[u8]) -> Option<&'static str> {
    match first {
        [] => None,
        _ if first.starts_with(b"HTTP/") => Some("in plain HTTP"),
        _ if first.starts_with(b"220") || first.starts_with(b"554") => {
            Some("as a mail or FTP server in clear; --starttls smtp may be meant")
        }
        _ if first.starts_with(b"* ") => Some("as an IMAP server in clear; try --starttls imap"),
        _ if first.starts_with(b"+OK") => Some("as a POP3 server in clear; try --starttls pop3"),
        _ if first.starts_with(b"SSH-") => Some("as an SSH server"),
        [20..=23, 3, ..] | [20..=23] => None,
        _ => Some("with bytes that are no TLS record"),
    }
}

/// RFC 8446 6 and RFC 5246 7.2.
fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown",
    }
}
