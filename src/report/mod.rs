//! What people and machines read: findings, tables, documents. One format a file.
//!
//! Data in, text out. This room decides nothing (no severity, no exit code, no fix) and
//! writes nowhere; bytes of a configuration never reach a terminal unescaped.

mod checkstyle;
mod compare;
mod compare_json;
mod concise;
mod escape;
mod excerpt;
mod expanded;
mod explain;
mod fingerprint;
mod fix_json;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod fleet;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod fleet_json;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod fleet_metrics;
mod full;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod generator;
mod github;
mod gitlab;
mod html;
mod json;
mod json_lines;
mod junit;
#[cfg(target_os = "linux")]
mod keys;
#[cfg(all(target_os = "linux", feature = "fleet"))]
mod keys_agent;
mod moment;
mod page;
mod paint;
mod pairs;
mod pipeline;
mod probe;
mod probe_json;
mod probe_sarif;
mod sarif;
mod settings;
mod sources;
mod summary;
mod table;
mod text;
#[cfg(target_os = "linux")]
mod timeline;
#[cfg(target_os = "linux")]
mod timeline_svg;
mod versions;
mod xml;

use std::path::PathBuf;

use crate::catalog;
use crate::finding::{Finding, Severity, Silenced};
use crate::model::{Platform, Site};
use crate::probe::{Difference, Probed, Unprobed, Verdict};
use crate::text::Location;

pub use checkstyle::checkstyle;
pub use compare::{Compared, Unknown, text as compare_text};
pub use compare_json::json as compare_json;
pub use concise::lines;
pub use escape::{
    json as escape_json, line as escape_line, lines as escape_lines, path as escape_path,
};
pub use expanded::{ExpandedServer, Statement, json as expanded_json, text as expanded_text};
pub use explain::{list, page};
pub use fix_json::{Done, Fixed, FixedFile, json as fix_json};
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use fleet::{FleetPage, text as fleet_status_text};
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use fleet_json::json as fleet_status_json;
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use fleet_metrics::metrics as fleet_metrics;
pub use full::full;
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use generator::metrics as generator_metrics;
pub use github::github;
pub use gitlab::gitlab;
pub use html::{HtmlPatch, HtmlReport, PatchedFile, html, html_failed};
pub use json::{inspect as inspect_json, lint as lint_json};
pub use json_lines::json_lines;
pub use junit::junit;
#[cfg(target_os = "linux")]
pub use keys::{
    doctor as keys_doctor, metrics as keys_metrics, status_json as keys_status_json,
    status_text as keys_status_text,
};
#[cfg(all(target_os = "linux", feature = "fleet"))]
pub use keys_agent::agent_metrics;
pub use moment::utc;
pub use paint::Paint;
pub use pipeline::{EditKey, Edits, FileEdits, Listed, Pipeline, edit_key};
pub use probe::text as probe_text;
pub use probe_json::{json as probe_json, summary as probe_summary};
pub use probe_sarif::sarif as probe_sarif;
pub use sarif::sarif;
pub use settings::settings;
pub use sources::Sources;
pub use summary::{summary, tls_statement};
pub use table::inspect as inspect_table;
pub use text::{ENDPOINTS_SHOWN, findings, problems};
#[cfg(target_os = "linux")]
pub use timeline::{Picture, WIDTHS as TIMELINE_WIDTHS, text as timeline_text};
#[cfg(target_os = "linux")]
pub use timeline_svg::svg as timeline_svg;

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

/// A rule, as its page describes it.
#[derive(Copy, Clone, Debug)]
pub struct RulePage<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its usual grade.
    pub severity: Severity,
    /// One line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub text: &'a str,
    /// Whose configurations it reads.
    pub servers: &'static [catalog::Server],
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
    /// What was found and is accepted, with the reason.
    pub silenced: &'a [Silenced],
    /// Findings of the baseline that are gone.
    pub resolved: usize,
    /// Files that a search left out because git ignores them or the settings exclude them.
    pub excluded: usize,
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
