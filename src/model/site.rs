//! The answer: every TLS endpoint with its effective state and the reason of each value.
//!
//! The serialized form is the contract of `inspect --format json`; within a schema version
//! fields are only added.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::words::{
    ClientAuth, CrossName, Field, KeySource, Module, Origin, Replaced, Tls12Id, Tls12Ticket,
    Tls13Issued, Tls13Resumes, Transport,
};
use super::{Lookups, Platform, Said};
use crate::catalog::Server;
use crate::source::{Awaited, DirectiveId, Facts, FragmentContext};
use crate::text::{Location, Span};

/// One configuration, judged for one platform.
#[derive(Clone, Debug)]
pub struct Site {
    /// Whose.
    pub server: Server,
    /// The root file.
    pub root: PathBuf,
    /// What it runs on.
    pub platform: Platform,
    /// Why it is not complete; empty when everything was read.
    pub incomplete: Vec<Incomplete>,
    /// Why the server would not start with it, as far as that is known without its files of
    /// keys and certificates; the texts' own errors stand in the project's problems.
    pub refusals: Vec<Refusal>,
    /// How many files were read.
    pub files: usize,
    /// Order: address by first appearance, default first, then file order.
    pub endpoints: Vec<Endpoint>,
    /// Blocks that settings stand in, in file order.
    pub blocks: Vec<Block>,
    /// Every resumption-related directive with what became of it, in file order.
    pub settings: Vec<Setting>,
    /// What the files are like that settings name.
    pub facts: Facts,
    /// See [`Site::governed_by`] and what stands beside it.
    pub lookups: Lookups,
    /// Comments that speak to stekguard, by file and place.
    pub remarks: Vec<Remark>,
    /// Directives that no server has and whose names are nearly one's, in reading order.
    pub strangers: Vec<Stranger>,
    /// nginx: the list of rotated ticket keys that is counted on and not seen.
    pub awaited: Option<Awaited>,
}

/// Why the server of this version would not start.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Refusal {
    /// The directive or block concerned.
    pub at: Location,
    /// In the server's own words.
    pub message: String,
}

/// Why something was not read.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Incomplete {
    /// The file.
    #[serde(serialize_with = "path")]
    pub path: PathBuf,
    /// The line, 0 where there is none.
    pub line: u32,
    /// One sentence.
    pub why: String,
}

/// Index in [`Site::blocks`].
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct BlockId(pub u32);

/// Index in [`Site::settings`].
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct SettingId(pub u32);

/// A block that settings stand in, as a version takes it; it reads as what is written.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block as written, the same for every version.
    pub written: Arc<WrittenBlock>,
    /// Names as written.
    pub names: Vec<String>,
    /// True when an endpoint speaks TLS through it.
    pub tls: bool,
    /// nginx: `$ssl_early_data` is used in it, in a `server` or a `location` too; of an outer
    /// block only what stands outside of its servers counts.
    pub reads_early_data: bool,
}

/// A block as written.
#[derive(Clone, Debug)]
pub struct WrittenBlock {
    /// What it is.
    pub kind: BlockKind,
    /// Its directive; `None` for the top level of httpd.
    pub directive: Option<DirectiveId>,
    /// The whole statement; for the top level the root file's first byte.
    pub location: Location,
    /// The place of the block's name, for carets.
    pub head: Location,
    /// The enclosing block.
    pub parent: Option<BlockId>,
    /// The settings that stand directly in it, in file order.
    pub settings: Vec<SettingId>,
    /// The same by name, those of one name in file order.
    pub by_name: Vec<SettingId>,
}

impl Deref for Block {
    type Target = WrittenBlock;

    fn deref(&self) -> &WrittenBlock {
        &self.written
    }
}

/// What a block is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum BlockKind {
    /// httpd's top level.
    Main,
    /// nginx `http`.
    Http,
    /// nginx `stream`.
    Stream,
    /// nginx `mail`.
    Mail,
    /// nginx `server`.
    Server,
    /// httpd `<VirtualHost>`.
    VirtualHost,
}

/// A directive about resumption, TLS or client authentication, and what became of it; it
/// reads as what is written.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The directive as written, the same for every version.
    pub written: Arc<WrittenSetting>,
    /// What became of it.
    pub effect: Effect,
    /// Undecided conditions, as written.
    pub when: Vec<String>,
    /// True where the version decides a condition around it the other way.
    pub excluded: bool,
}

/// A directive as written.
#[derive(Clone, Debug)]
pub struct WrittenSetting {
    /// The directive.
    pub directive: DirectiveId,
    /// Its name as the catalog spells it.
    pub name: &'static str,
    /// Its arguments, decoded; bytes that are no UTF-8 replaced.
    pub arguments: Vec<String>,
    /// Its statement.
    pub location: Location,
    /// The block it stands in.
    pub block: BlockId,
}

impl WrittenSetting {
    /// Its arguments as one would write them.
    pub(super) fn text(&self) -> Arc<str> {
        match self.arguments.as_slice() {
            [only] => only.as_str().into(),
            several => several.join(" ").into(),
        }
    }
}

impl Deref for Setting {
    type Target = WrittenSetting;

    fn deref(&self) -> &WrittenSetting {
        &self.written
    }
}

/// What became of a setting.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Effect {
    /// It decides something for at least one endpoint, or says what is in force anyway.
    InForce,
    /// It has no effect, and what is in force differs from what it says.
    Ignored(Box<Ignored>),
    /// It concerns no TLS endpoint, or is not judged.
    Unused,
}

/// Why a setting has no effect.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Ignored {
    /// Why.
    pub reason: IgnoredReason,
    /// What is in force instead, as one would write it: `ssl_session_timeout 5m`.
    pub in_force: String,
    /// The directive or block that decides instead.
    pub decided_by: Option<Location>,
    /// Endpoints (index in [`Site::endpoints`]) for which somebody may believe in it.
    pub endpoints: Vec<usize>,
}

/// A directive that no server has, and whose name is nearly one's.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Stranger {
    /// Its name, a section's with the `<`.
    pub location: Location,
    /// As written; bytes that are no text are replaced.
    pub name: String,
    /// The directive whose name is near.
    pub meant: &'static str,
    /// Conditions that were not decided.
    pub when: Vec<String>,
}

/// A comment that speaks to stekguard.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Remark {
    /// The comment.
    pub location: Location,
    /// What it says.
    pub said: Said,
    /// The statement of the same file that it is about, a block with all that is in it;
    /// `None` where it stands at none.
    pub covers: Option<Span>,
    /// httpd: it is no comment at all but part of a directive's arguments.
    pub argument: bool,
}

impl Remark {
    /// Why a context that it names is none; `None` for everything else.
    pub fn context_fault(&self) -> Option<String> {
        let Said::Context(context) = &self.said else {
            return None;
        };
        let parsed: Result<FragmentContext, _> = context.parse();
        parsed.err().map(|error| error.to_string())
    }

    /// True for a place in the statement that it is about.
    pub fn is_about(&self, place: &Location) -> bool {
        let inside = |covers: Span| (covers.start..covers.end).contains(&place.span.start);
        self.location.path == place.path && self.covers.is_some_and(inside)
    }
}

/// Ways of having no effect.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum IgnoredReason {
    /// nginx: stands in a server that is not the default of its address.
    NonDefaultServer,
    /// nginx: the default is a catch-all without session directives.
    CatchAllDefault,
    /// httpd: stands in a vhost that is not the first of its address.
    NotFirstVhost,
    /// A sticky value came before (`none` after `shmcb`, `shared` beside `none`).
    StickyCache,
    /// httpd: `on` where the first vhost or the server level says off.
    OnlyEverAdded,
    /// A key file where tickets are off.
    TicketsOff,
    /// A conf command applied later says otherwise.
    ConfCommand,
    /// The same directive later in the block replaces it (httpd).
    Replaced,
}

/// One (address, transport, block).
#[derive(Clone, Debug, Serialize)]
pub struct Endpoint {
    /// `IP:port`, `*:port`, `[::]:port`, `unix:/path`.
    pub address: String,
    /// TCP or QUIC.
    pub transport: Transport,
    /// http, stream or mail.
    pub module: Module,
    /// As written, without those lost to an earlier block.
    pub names: Vec<String>,
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
            return self.address.clone();
        }
        format!("{} ({})", self.address, self.names.join(", "))
    }

    /// True when a stateless ticket issued here, of any version, resumes.
    pub fn stateless_resumes(&self) -> bool {
        self.tls12.ticket == Tls12Ticket::Resumes
            || (self.tls13.issued == Tls13Issued::Stateless
                && !matches!(self.tls13.resumes, Tls13Resumes::Never))
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
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize)]
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
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize)]
pub struct Issues {
    /// TLS 1.2 session ids.
    pub tls12_id: Option<String>,
    /// TLS 1.2 tickets.
    pub tls12_ticket: Option<String>,
    /// TLS 1.3 tickets.
    pub tls13: Option<String>,
}

/// Domains that are accepted, sorted.
pub type Accepts = Vec<String>;

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
    pub at: Option<Location>,
    /// The setting, for rules.
    #[serde(skip)]
    pub by: Option<SettingId>,
}

fn path<S: Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

fn at<S: Serializer>(at: &Option<Location>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct At<'a> {
        path: std::borrow::Cow<'a, str>,
        line: u32,
    }
    let at = at.as_ref().map(|at| At {
        path: at.path.to_string_lossy(),
        line: at.line,
    });
    at.serialize(serializer)
}
