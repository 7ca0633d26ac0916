//! What was seen, in the words of the contract of `probe --format json`. Plain data; nothing
//! here judges. Key names and tickets' sizes are public, tickets and secrets are not kept.

use serde::Serialize;

use super::Weakness;

/// All that a probe has seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Probed {
    /// One for each address and name, in the order asked for.
    pub endpoints: Vec<Observed>,
    /// Sessions of one name or address offered at another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossings: Option<Crossings>,
    /// What became of a saved session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
    /// What a client can end; one for each endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endings: Vec<Endings>,
}

/// How often something worked.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize)]
pub struct Tries {
    /// Sessions that resumed.
    pub resumed: u32,
    /// Sessions that were offered.
    pub offered: u32,
}

/// Whether sessions resume.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// Every one that was offered.
    Always,
    /// Some: each process has its own, or each host behind the address.
    Sometimes,
    /// None, or none is given.
    Never,
    /// Handshakes that offer or ask for one are refused.
    Fails,
    /// The version is not spoken, or the name is refused.
    #[default]
    Unavailable,
    /// Not looked at.
    Unasked,
}

impl Ability {
    /// As written in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Sometimes => "sometimes",
            Self::Never => "never",
            Self::Fails => "fails",
            Self::Unavailable => "unavailable",
            Self::Unasked => "unasked",
        }
    }
}

/// What kind of ticket is given.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Issued {
    /// The session is in the ticket, under a key.
    Stateless,
    /// The ticket is the id of a stored session: 32 bytes.
    Stateful,
    /// None.
    #[default]
    None,
}

impl Issued {
    /// As written in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stateless => "stateless",
            Self::Stateful => "stateful",
            Self::None => "none",
        }
    }
}

/// One address and name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Observed {
    /// `IP:port`.
    pub address: String,
    /// The name asked for; `None`: none was sent.
    pub name: Option<String>,
    /// Why nothing can be said; `None` where something was seen.
    pub unreachable: Option<String>,
    /// That nothing can be seen is what the files promise.
    pub as_promised: bool,
    /// The server refuses the name in every version that it speaks.
    pub rejects: bool,
    /// TLS 1.2.
    pub tls12: Tls12Seen,
    /// TLS 1.3.
    pub tls13: Tls13Seen,
    /// Names of ticket keys, in the order first seen.
    pub keys: Vec<KeySeen>,
    /// Early data of TLS 1.3.
    pub early_data: EarlyData,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
    /// The number of the answer's HTTP status line.
    pub status: Option<u16>,
    /// The protocol agreed on by ALPN.
    pub alpn: Option<String>,
    /// What was seen over time.
    pub watched: Option<Watched>,
}

impl Observed {
    /// True where something should have been seen.
    pub fn is_lost(&self) -> bool {
        self.unreachable.is_some() && !self.as_promised
    }

    /// `address (name)`.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.address),
            None => self.address.clone(),
        }
    }
}

/// TLS 1.2 of one endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tls12Seen {
    /// A client without the ticket extension.
    pub session_id: Offer,
    /// A client with it, where a ticket is given; else it resumes by id.
    pub ticket: Offer,
    /// The ticket that is given.
    pub issued: Issued,
    /// A session id is sent to a client without tickets, whether it resumes or not.
    pub id_sent: bool,
}

/// TLS 1.3 of one endpoint.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tls13Seen {
    /// What becomes of its tickets.
    pub ticket: Offer,
    /// What they are.
    pub issued: Issued,
    /// How many come after a full handshake.
    pub tickets: usize,
    /// How many come after a resumption; `None` where nothing resumed.
    pub tickets_on_resumption: Option<usize>,
}

/// What becomes of sessions of one kind.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Offer {
    /// Whether they resume.
    pub resumes: Ability,
    /// How often.
    pub tries: Tries,
    /// Seconds that the server says with the ticket, 0 where it leaves that open; `None` where
    /// there is no ticket.
    pub lifetime_hint: Option<u64>,
    /// A resumption brings a new ticket; `None` where nothing resumed.
    pub renewed: Option<bool>,
    /// The same session does not resume a second time; `None` where that was not found out.
    pub single_use: Option<bool>,
    /// Why handshakes fail, where they do.
    pub failure: Option<String>,
}

/// A ticket key by its name.
#[derive(Clone, Debug, Serialize)]
pub struct KeySeen {
    /// 32 hex digits: the first 16 bytes of every ticket under it.
    pub name: String,
    /// Why everybody knows the key; `None` where it is none of the well-known ones.
    pub weak: Option<Weakness>,
}

/// Early data of TLS 1.3.
#[derive(Copy, Clone, Debug, Default, Serialize)]
pub struct EarlyData {
    /// Bytes that tickets allow; 0: none.
    pub bytes: u64,
    /// The server took it; `None` where none could be sent.
    pub accepted: Option<bool>,
    /// It took it a second time with the same ticket.
    pub accepted_again: Option<bool>,
}

/// A server's certificate.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// Common name.
    pub subject: String,
    /// The issuer's common name.
    pub issuer: String,
    /// DNS names.
    pub names: Vec<String>,
    /// When it ends.
    pub not_after: String,
    /// SHA-256 in hex digits.
    pub sha256: String,
    /// Why this machine does not trust it; `None` where it does.
    pub distrusted: Option<String>,
}

/// What was seen over time. Times in seconds since the watch began.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Watched {
    /// How long.
    pub seconds: u64,
    /// Key names with the time of the first ticket under each, in this order.
    pub keys: Vec<KeyTime>,
    /// Seconds between two changes of the key: shortest and longest, where two were seen.
    pub period: Option<(u64, u64)>,
    /// One session offered again and again, never renewed.
    pub session: Vec<Life>,
    /// A chain: each resumption's own session is offered next.
    pub chains: Vec<Chain>,
}

/// A key and when it was first seen.
#[derive(Clone, Debug, Serialize)]
pub struct KeyTime {
    /// Its name in hex digits.
    pub name: String,
    /// When.
    pub at: u64,
}

/// How long a session lived that was not renewed.
#[derive(Clone, Debug, Serialize)]
pub struct Life {
    /// `1.2-id`, `1.2-ticket`, `1.3`.
    pub kind: &'static str,
    /// What the server had said.
    pub lifetime_hint: Option<u64>,
    /// The last time that it resumed.
    pub alive_at: Option<u64>,
    /// The first time that it did not; `None`: it resumed to the end of the watch.
    pub dead_at: Option<u64>,
}

/// How long a chain of resumptions lived.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    /// As in [`Life`].
    pub kind: &'static str,
    /// The first session's hint.
    pub lifetime_hint: Option<u64>,
    /// How many resumptions.
    pub resumptions: u32,
    /// The last time that it resumed.
    pub alive_at: Option<u64>,
    /// The first time that it did not.
    pub dead_at: Option<u64>,
    /// It resumed after the first session's lifetime was over.
    pub unbounded: bool,
}

/// Who resumes whose sessions.
#[derive(Clone, Debug, Serialize)]
pub struct Crossings {
    /// `names` or `addresses`.
    pub between: &'static str,
    /// The places, as `address (name)`.
    pub places: Vec<String>,
    /// Every pair and kind that could be tried.
    pub pairs: Vec<Crossing>,
    /// Places that issue tickets under one key.
    pub shared_keys: Vec<Share>,
}

/// A session of one place at another.
#[derive(Clone, Debug, Serialize)]
pub struct Crossing {
    /// Index in [`Crossings::places`].
    pub from: usize,
    /// Index in [`Crossings::places`].
    pub to: usize,
    /// `1.2-id`, `1.2-ticket`, `1.3`.
    pub kind: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// The answer's status where it resumed.
    pub status: Option<u16>,
    /// The status of a full handshake with the same client certificate at the second place.
    pub full_status: Option<u16>,
    /// The session opens what a full handshake does not.
    pub opens: bool,
}

/// What becomes of a session at another place.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It resumes.
    Resumes,
    /// A full handshake instead.
    Full,
    /// The handshake is refused.
    Fails,
    /// The first place gives none.
    None,
}

impl Outcome {
    /// As written in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resumes => "resumes",
            Self::Full => "full",
            Self::Fails => "fails",
            Self::None => "none",
        }
    }
}

/// A key that several places share.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Its name in hex digits.
    pub key: String,
    /// Indices in [`Crossings::places`].
    pub places: Vec<usize>,
}

/// What a client can end at one endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Endings {
    /// The endpoint, as `address (name)`.
    pub endpoint: String,
    /// Every way and kind that was tried.
    pub tried: Vec<Ended>,
}

/// One way of ending a connection, and what became of its sessions.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    /// `1.2-id`, `1.2-ticket`, `1.3-stateful`, `1.3-stateless`.
    pub kind: &'static str,
    /// `fatal-alert`, `fatal-close_notify`, `close_notify`, `tcp-close`,
    /// `broken-off-resumption`.
    pub way: &'static str,
    /// What was ended: `full` or `resumed` connection.
    pub connection: &'static str,
    /// For every session of the connection (of a resumed one: the session that it resumed),
    /// whether it still resumes.
    pub still_resumes: Vec<bool>,
    /// Why it could not be tried.
    pub untried: Option<String>,
}

/// What became of a saved session.
#[derive(Clone, Debug, Serialize)]
pub struct Saved {
    /// `1.2-id`, `1.2-ticket`, `1.3-stateful`, `1.3-stateless`.
    pub kind: &'static str,
    /// Where it was offered, as `address (name)`.
    pub endpoint: String,
    /// It resumed when it was offered to be ended.
    pub resumed: bool,
    /// It still resumes afterwards.
    pub still_resumes: bool,
}
