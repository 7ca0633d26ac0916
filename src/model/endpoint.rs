//! One endpoint of a site: what a client sees there, and the reason of each value.
//!
//! The serialized form is part of the contract of `inspect --format json`; within a schema
//! version fields are only added.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::site::{BlockId, SettingId, WrittenSetting, path};
use super::words::{
    ClientAuth, CrossName, Field, KeySource, Module, Origin, Replaced, Tls12Id, Tls12Ticket,
    Tls13Issued, Tls13Resumes, Transport,
};
use crate::text::Location;

/// One (address, transport, block).
#[derive(Clone, Debug, Serialize)]
pub struct Endpoint {
    /// `IP:port`, `*:port`, `[::]:port`, `unix:/path`.
    pub address: Arc<str>,
    /// TCP or QUIC.
    pub transport: Transport,
    /// http, stream or mail.
    pub module: Module,
    /// As written, without those lost to an earlier block.
    pub names: Arc<[String]>,
    /// The default of its address.
    pub default: bool,
    /// False when no client reaches the block.
    pub reachable: bool,
    /// The handshake is refused (`ssl_reject_handshake`).
    pub rejects: bool,
    /// Undecided conditions, as written.
    pub when: Vec<String>,
    /// The block.
    pub defined_at: Arc<Place>,
    /// The default server or first vhost whose context the connection starts with.
    pub governed_by: Arc<Place>,
    /// TLS 1.2 and below.
    pub tls12: Tls12,
    /// TLS 1.3.
    pub tls13: Tls13,
    /// Seconds; the hint of a full handshake or the stored session's lifetime.
    pub lifetime_seconds: Lifetimes,
    /// Whether resuming again and again ends at the lifetime.
    pub chain_bounded: PerProtocol<Option<bool>>,
    /// Of tickets issued here.
    pub ticket_key: Tickets,
    /// Session domains in which sessions are issued.
    pub issues: Issues,
    /// Session domains that are accepted.
    pub accepts: Accepts,
    /// What happens to a session of another name of the socket.
    pub cross_name: CrossName,
    /// Client certificates.
    pub client_auth: ClientAuth,
    /// 0-RTT accepted.
    pub early_data: bool,
    /// One entry per output field.
    pub why: Vec<Why>,
    /// The block, for rules.
    #[serde(skip)]
    pub block: BlockId,
    /// The governing block, for rules.
    #[serde(skip)]
    pub governor: BlockId,
}

impl Endpoint {
    /// The reason of a field.
    pub fn why(&self, field: Field) -> Option<&Why> {
        self.why.iter().find(|why| why.field == field)
    }

    /// `address (name, name)`, as findings name it.
    pub fn label(&self) -> String {
        if self.names.is_empty() {
            return self.address.to_string();
        }
        format!("{} ({})", self.address, self.names.join(", "))
    }

    /// True when a stateless ticket issued here, of any version, resumes.
    pub fn stateless_resumes(&self) -> bool {
        self.tls12.ticket == Tls12Ticket::Resumes
            || (self.tls13.issued == Tls13Issued::Stateless
                && !matches!(self.tls13.resumes, Tls13Resumes::Never))
    }

    /// True when clients get that far and resume without the server keeping anything.
    pub fn resumes_by_ticket(&self) -> bool {
        self.reachable && self.stateless_resumes()
    }

    /// True when any session resumes.
    pub fn resumes(&self) -> bool {
        self.stateless_resumes()
            || self.tls12.session_id.kept_here()
            || self.tls12.session_id == Tls12Id::External
            || self.tls13.resumes.ever()
    }
}

/// A block's place with the includes that led to it.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The file.
    #[serde(serialize_with = "path")]
    pub path: PathBuf,
    /// The line.
    pub line: u32,
    /// Includes, outermost first, as `path:line`.
    pub via: Vec<String>,
}

/// TLS 1.2 and below.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Tls12 {
    /// By id.
    pub session_id: Tls12Id,
    /// By ticket.
    pub ticket: Tls12Ticket,
}

/// TLS 1.3.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Tls13 {
    /// What is issued.
    pub issued: Tls13Issued,
    /// What becomes of it.
    pub resumes: Tls13Resumes,
}

/// A value for each protocol.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default, Serialize)]
pub struct PerProtocol<T> {
    /// TLS 1.2 and below.
    pub tls12: T,
    /// TLS 1.3.
    pub tls13: T,
}

/// Seconds; `None` where nothing is issued.
pub type Lifetimes = PerProtocol<Option<u64>>;

/// The key of tickets issued here.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Tickets {
    /// Where it comes from.
    pub source: KeySource,
    /// Key files, the encrypting one first, as written.
    pub files: Vec<String>,
    /// The zone that keeps it.
    pub zone: Option<String>,
    /// What changes it; `None` where there is none.
    pub replaced: Option<Replaced>,
}

/// Domains in which sessions are issued; `None` where nothing that resumes is issued.
#[derive(Clone, Eq, PartialEq, Hash, Debug, Default, Serialize)]
pub struct Issues {
    /// TLS 1.2 session ids.
    pub tls12_id: Option<Arc<str>>,
    /// TLS 1.2 tickets.
    pub tls12_ticket: Option<Arc<str>>,
    /// TLS 1.3 tickets.
    pub tls13: Option<Arc<str>>,
}

/// Domains that are accepted, sorted.
pub type Accepts = Vec<Arc<str>>;

/// The reason of a value.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The output field.
    pub field: Field,
    /// The directive that decides it, as the catalog spells it.
    pub setting: &'static str,
    /// Its value in force, as one would write it.
    pub value: Arc<str>,
    /// Where the value comes from.
    pub origin: Origin,
    /// Where it is written; `None` for defaults.
    #[serde(serialize_with = "at")]
    pub at: Option<Arc<WrittenSetting>>,
    /// The setting, for rules.
    #[serde(skip)]
    pub by: Option<SettingId>,
}

impl Why {
    /// Where it is written; `None` for defaults.
    pub fn place(&self) -> Option<&Location> {
        self.at.as_ref().map(|setting| &setting.location)
    }
}

fn at<S: Serializer>(at: &Option<Arc<WrittenSetting>>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct At<'a> {
        path: std::borrow::Cow<'a, str>,
        line: u32,
    }
    let at = at.as_ref().map(|at| At {
        path: at.location.path.to_string_lossy(),
        line: at.location.line,
    });
    at.serialize(serializer)
}
