//! What people and machines read: findings, tables, documents. One format a file.
//!
//! Data in, text out. This room decides nothing (no severity, no exit code, no fix) and
//! writes nowhere; bytes of a configuration never reach a terminal unescaped.

mod compare;
mod compare_json;
mod escape;
mod excerpt;
mod expanded;
mod explain;
mod json;
mod paint;
mod pairs;
mod probe;
mod probe_json;
mod summary;
mod table;
mod text;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::Finding;
use crate::model::{Platform, Site};
use crate::probe::{Difference, Probed, Unprobed, Verdict};
use crate::text::Location;

pub use compare::{Compared, Unknown, text as compare_text};
pub use compare_json::json as compare_json;
pub use escape::{line as escape_line, path as escape_path};
pub use expanded::{ExpandedServer, Statement, json as expanded_json, text as expanded_text};
pub use explain::{list, page};
pub use json::{inspect as inspect_json, lint as lint_json};
pub use paint::Paint;
pub use probe::text as probe_text;
pub use probe_json::{json as probe_json, summary as probe_summary};
pub use summary::summary;
pub use table::inspect as inspect_table;
pub use text::{ENDPOINTS_SHOWN, findings, lines, problems};

/// The bytes of every file that a finding may point into.
pub type Sources = BTreeMap<Arc<Path>, Arc<[u8]>>;

/// Everything that a probe's report says.
#[derive(Clone, Debug)]
pub struct Probe<'a> {
    /// What was seen.
    pub probed: &'a Probed,
    /// The files' promises beside it.
    pub promises: &'a [Difference],
    /// Endpoints that could not be looked at.
    pub unprobed: &'a [Unprobed],
    /// What follows.
    pub verdicts: &'a [Verdict],
    /// What was not read of the files.
    pub problems: &'a [Problem],
    /// For snippets.
    pub sources: &'a Sources,
}

/// One judged configuration.
#[derive(Clone, Debug)]
pub struct Server<'a> {
    /// The configuration as the newest judged version takes it.
    pub site: &'a Site,
    /// Every version it was judged for, oldest first.
    pub judged: &'a [Platform],
    /// Missing files that were allowed or that a stub stands for.
    pub assumed: &'a [PathBuf],
}

/// Everything that a lint report says.
#[derive(Clone, Debug)]
pub struct Lint<'a> {
    /// The judged configurations, in the order they were found.
    pub servers: Vec<Server<'a>>,
    /// What was found, in the order to be shown.
    pub findings: Vec<&'a Finding>,
    /// What was not read; not empty means that the result is not complete.
    pub problems: &'a [Problem],
    /// For snippets.
    pub sources: &'a Sources,
    /// Templates that were skipped.
    pub templates: usize,
}

/// Something that was not read, resolved or parsed.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Problem {
    /// What kind, as a word: `missing`, `unreadable`, `cycle`, `limit`, `syntax`,
    /// `not-configuration`, `version`, `refused`; empty where the request itself could not be met.
    pub kind: &'static str,
    /// The file concerned.
    pub path: PathBuf,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
    /// The bytes concerned, for a snippet.
    pub location: Option<Location>,
    /// One sentence without the place.
    pub message: String,
    /// The server itself would refuse the configuration for it.
    pub refused: bool,
}
