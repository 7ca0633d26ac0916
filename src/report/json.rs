//! The JSON documents. Their schemas stand in docs/schema; within a version, fields are
//! only added.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;

use super::{Lint, Problem, Server, escape};
use crate::catalog;
use crate::finding::{
    Applicability, Confidence, Finding, GoLive, Related, Severity, Silence, Silenced,
};
use crate::model::{Endpoint, Incomplete, Platform, VersionSource};

/// The lint report: `stekguard-lint/1`.
pub fn lint(lint: &Lint<'_>) -> String {
    let document = LintDocument {
        schema: "stekguard-lint/1",
        complete: lint.problems.is_empty(),
        incomplete: lint.problems.iter().map(Gap::new).collect(),
        servers: lint.servers.iter().map(LintServer::new).collect(),
        findings: lint
            .findings
            .iter()
            .map(|finding| LintFinding::new(finding))
            .collect(),
        summary: Summary::new(lint),
        suppressed: lint.silenced.iter().map(Accepted::new).collect(),
    };
    print(&document)
}

/// The effective state: `stekguard-inspect/1`. `problems` are those that belong to no
/// server (a path that is missing).
pub fn inspect(servers: &[Server<'_>], problems: &[Problem], pairs: bool) -> String {
    let document = InspectDocument {
        schema: "stekguard-inspect/1",
        complete: problems.is_empty()
            && servers
                .iter()
                .all(|server| server.site.incomplete.is_empty()),
        incomplete: problems.iter().map(Gap::new).collect(),
        servers: servers
            .iter()
            .map(|server| InspectServer::new(server, pairs))
            .collect(),
    };
    print(&document)
}

/// The word of a server.
pub(super) const fn kind(server: catalog::Server) -> &'static str {
    match server {
        catalog::Server::Nginx => "nginx",
        catalog::Server::Apache => "apache",
    }
}

pub(super) fn print(document: &impl Serialize) -> String {
    // Every field is a string, a number, a list or a struct: nothing of it can fail.
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    let mut text = escape::json(text);
    text.push('\n');
    text
}

#[derive(Serialize)]
struct LintDocument<'a> {
    schema: &'static str,
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    servers: Vec<LintServer<'a>>,
    findings: Vec<LintFinding<'a>>,
    suppressed: Vec<Accepted<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
pub(super) struct Summary {
    error: usize,
    warning: usize,
    note: usize,
    pedantic: usize,
    files: usize,
    endpoints: usize,
    assumed: usize,
    templates: usize,
    suppressed: usize,
    resolved: usize,
    excluded: usize,
}

/// A finding that is not reported.
#[derive(Serialize)]
pub(super) struct Accepted<'a> {
    finding: LintFinding<'a>,
    by: &'static str,
    reason: Option<&'a str>,
    at: Option<CommentPlace<'a>>,
}

#[derive(Serialize)]
struct CommentPlace<'a> {
    path: Cow<'a, str>,
    line: u32,
}

impl<'a> Accepted<'a> {
    pub(super) fn new(silenced: &'a Silenced) -> Self {
        let (by, reason, at) = match &silenced.by {
            Silence::Comment { at, reason } => ("comment", Some(reason.as_str()), Some(at)),
            Silence::Baseline => ("baseline", None, None),
            Silence::Off | Silence::Elsewhere => ("settings", None, None),
        };
        Self {
            finding: LintFinding::new(&silenced.finding),
            by,
            reason,
            at: at.map(|at| CommentPlace {
                path: at.path.to_string_lossy(),
                line: at.line,
            }),
        }
    }
}

impl Summary {
    pub(super) fn new(lint: &Lint<'_>) -> Self {
        let count = |severity| {
            lint.findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        Self {
            error: count(Severity::Error),
            warning: count(Severity::Warning),
            note: count(Severity::Note),
            pedantic: count(Severity::Pedantic),
            files: lint.servers.iter().map(|server| server.site.files).sum(),
            endpoints: lint
                .servers
                .iter()
                .map(|server| server.site.endpoints.len())
                .sum(),
            assumed: lint.servers.iter().map(|server| server.assumed.len()).sum(),
            templates: lint.templates,
            suppressed: lint.silenced.len(),
            resolved: lint.resolved,
            excluded: lint.excluded,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Gap<'a> {
    kind: &'static str,
    path: Cow<'a, str>,
    line: u32,
    why: &'a str,
    refused: bool,
}

impl<'a> Gap<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        Self {
            kind: problem.kind,
            path: problem.path.to_string_lossy(),
            line: problem.line,
            why: &problem.message,
            refused: problem.refused,
        }
    }
}

#[derive(Serialize)]
struct LintServer<'a> {
    kind: &'static str,
    root: Cow<'a, str>,
    versions: Vec<VersionSaid>,
    complete: bool,
    files: usize,
    endpoints: usize,
    assumed: Vec<Cow<'a, str>>,
}

impl<'a> LintServer<'a> {
    fn new(server: &Server<'a>) -> Self {
        let site = server.site;
        Self {
            kind: kind(site.server),
            root: site.root.to_string_lossy(),
            versions: server.judged.iter().map(VersionSaid::server).collect(),
            complete: site.incomplete.is_empty(),
            files: site.files,
            endpoints: site.endpoints.len(),
            assumed: server
                .assumed
                .iter()
                .map(|path| path.to_string_lossy())
                .collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LintFinding<'a> {
    rule: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    path: Cow<'a, str>,
    line: u32,
    column: u32,
    label: &'a str,
    related: Vec<LintRelated<'a>>,
    endpoints: &'a [String],
    help: &'a [String],
    versions: Vec<String>,
    when: &'a [String],
    fix: Option<LintFix<'a>>,
}

impl<'a> LintFinding<'a> {
    pub(super) fn new(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            confidence: finding.confidence,
            message: &finding.message,
            path: finding.location.path.to_string_lossy(),
            line: finding.location.line,
            column: finding.location.column,
            label: &finding.label,
            related: finding.related.iter().map(LintRelated::new).collect(),
            endpoints: &finding.endpoints,
            help: &finding.help,
            versions: finding.versions.iter().map(ToString::to_string).collect(),
            when: &finding.when,
            fix: finding.fix.as_ref().map(|fix| LintFix {
                title: &fix.title,
                applicability: match fix.applicability {
                    Applicability::Safe => "safe",
                    Applicability::Unsafe => "unsafe",
                },
                costs: &fix.costs,
                go_live: match fix.go_live {
                    GoLive::Reload => "reload",
                    GoLive::StopAndStart => "stop-and-start",
                },
            }),
        }
    }
}

#[derive(Serialize)]
struct LintRelated<'a> {
    path: Cow<'a, str>,
    line: u32,
    column: u32,
    label: &'a str,
}

impl<'a> LintRelated<'a> {
    fn new(related: &'a Related) -> Self {
        Self {
            path: related.location.path.to_string_lossy(),
            line: related.location.line,
            column: related.location.column,
            label: &related.label,
        }
    }
}

#[derive(Serialize)]
struct LintFix<'a> {
    title: &'a str,
    applicability: &'static str,
    costs: &'a [String],
    go_live: &'static str,
}

#[derive(Serialize)]
pub(super) struct VersionSaid {
    value: String,
    source: VersionSource,
}

impl VersionSaid {
    pub(super) fn server(platform: &Platform) -> Self {
        Self {
            value: platform.server.value.to_string(),
            source: platform.server.source,
        }
    }

    /// OpenSSL's behaviour changes by major and minor.
    fn library(platform: &Platform) -> Self {
        let version = platform.library.value;
        let value = match (version.major, version.minor) {
            // Before 3.0 the third number is the series: 1.1.1.
            (1, minor) => format!("openssl 1.{minor}.{}", version.patch),
            (major, minor) => format!("openssl {major}.{minor}"),
        };
        Self {
            value,
            source: platform.library.source,
        }
    }
}

#[derive(Serialize)]
struct InspectDocument<'a> {
    schema: &'static str,
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    servers: Vec<InspectServer<'a>>,
}

#[derive(Serialize)]
struct InspectServer<'a> {
    kind: &'static str,
    root: Cow<'a, str>,
    version: VersionSaid,
    library: VersionSaid,
    complete: bool,
    incomplete: &'a [Incomplete],
    assumed: Vec<Cow<'a, str>>,
    endpoints: &'a [Endpoint],
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<Vec<super::pairs::Pair>>,
}

impl<'a> InspectServer<'a> {
    fn new(server: &Server<'a>, pairs: bool) -> Self {
        let site = server.site;
        Self {
            kind: kind(site.server),
            root: lossy(&site.root),
            version: VersionSaid::server(&site.platform),
            library: VersionSaid::library(&site.platform),
            complete: site.incomplete.is_empty(),
            incomplete: &site.incomplete,
            assumed: server.assumed.iter().map(|path| lossy(path)).collect(),
            endpoints: &site.endpoints,
            pairs: pairs.then(|| super::pairs::pairs(&site.endpoints)),
        }
    }
}

fn lossy(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}
