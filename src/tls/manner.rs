//! How the client behaves towards every server: data that is there without the client too.

use std::path::PathBuf;
use std::time::Duration;

/// How a client behaves towards every server.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Files of the certificate chain and of its key, in PEM, shown when asked for.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Protocols offered by ALPN.
    pub alpn: Vec<String>,
    /// TLS is asked for in clear.
    pub starttls: Option<Mail>,
    /// What is spoken inside.
    pub speech: Speech,
    /// A line of the PROXY protocol comes first.
    pub proxy: bool,
    /// The longest that one connection may take, its ending not counted.
    pub patience: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            identity: None,
            alpn: Vec::new(),
            starttls: None,
            speech: Speech::Http,
            proxy: false,
            patience: Duration::from_secs(10),
        }
    }
}

/// The protocol inside TLS.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default)]
pub enum Speech {
    /// `HEAD /`.
    #[default]
    Http,
    /// A mail protocol; the server speaks first.
    Mail(Mail),
    /// Nothing is said; what the server sends by itself is read for a moment.
    Silent,
}

/// A mail protocol.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Mail {
    /// SMTP.
    Smtp,
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
}

impl Mail {
    /// `smtp`, `imap` or `pop3`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }
}
