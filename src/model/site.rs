//! The answer: every TLS endpoint with its effective state and the reason of each value.
//!
//! The serialized form is the contract of `inspect --format json`; within a schema version
//! fields are only added.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{ByName, Endpoint, Lookups, Platform, Said};
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
    /// The settings by name, the same for every version.
    pub by_name: Arc<ByName>,
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
    pub names: Arc<[String]>,
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
    /// The same by name.
    pub by_name: ByName,
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

/// A path as the contract writes it.
pub(super) fn path<S: Serializer>(
    path: &std::path::Path,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
