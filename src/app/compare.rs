//! `inspect --compare-version`: what an upgrade changes of the effective state, endpoint by
//! endpoint. Judges nothing.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::judge::site;
use super::lint::{Session, problems};
use super::{AppError, Request};
use crate::catalog::{Server, Version};
use crate::model::{Assumed, Platform, Site, VersionSource};
use crate::report;
use crate::source::{DirectiveId, Project};
use crate::text::Location;

/// What came of it.
#[derive(Debug, Default)]
pub struct Comparison {
    servers: Vec<ComparedServer>,
    /// Configurations of another server than the versions are of.
    pub others: Vec<PathBuf>,
    /// What was not read, resolved or parsed, of all servers and of the search.
    pub problems: Vec<report::Problem>,
    /// The bytes of every file that was read.
    pub sources: report::Sources,
}

#[derive(Debug)]
struct ComparedServer {
    before: Site,
    after: Site,
    unknown: Vec<report::Unknown>,
}

/// Two versions of one server.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Upgrade {
    server: Server,
    before: Version,
    after: Version,
}

impl Upgrade {
    /// Reads `1.29.1`, `nginx=1.29.1`, `2.4.63` or `apache=2.4.63`, twice. A version without
    /// a name is nginx's below 2.0.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn new(before: &str, after: &str) -> Result<Self, String> {
        let (server, first) = version(before)?;
        let (other, second) = version(after)?;
        if server != other {
            return Err(format!("{before} and {after} are not of one server"));
        }
        Ok(Self {
            server,
            before: first,
            after: second,
        })
    }
}

fn version(spec: &str) -> Result<(Server, Version), String> {
    let named = match spec.contains('=') {
        true => spec.to_owned(),
        false if spec.starts_with("2.") => format!("apache={spec}"),
        false => format!("nginx={spec}"),
    };
    let mut versions = super::Versions::default();
    versions.add(&named).map_err(|error| error.to_string())?;
    match versions.servers.as_slice() {
        [one] => Ok(*one),
        _ => Err(format!("`{spec}` is not one version of a server")),
    }
}

/// Reads everything that the request names and evaluates it for both versions.
///
/// # Errors
/// [`AppError`] where there is nothing to read.
pub fn compare(request: &Request, upgrade: Upgrade) -> Result<Comparison, AppError> {
    let session = Session::open(request)?;
    let mut comparison = Comparison {
        problems: session.search_problems(),
        ..Comparison::default()
    };
    let mut sources = Vec::new();
    for loaded in session.inputs.load_all() {
        if loaded.root.server != upgrade.server {
            comparison.others.push(loaded.project.root.clone());
            continue;
        }
        let Some(platform) = session.platforms(&loaded).pop() else {
            continue;
        };
        let project = loaded.project;
        let at = |version: Version| Platform {
            server: Assumed {
                value: version,
                source: VersionSource::Flag,
            },
            // A backport level belongs to the version that is installed.
            package: None,
            ..platform.clone()
        };
        comparison.servers.push(ComparedServer {
            before: site(&project, &at(upgrade.before)),
            after: site(&project, &at(upgrade.after)),
            unknown: unknown(&project, upgrade),
        });
        comparison.problems.extend(problems(&project));
        let texts = project.files.iter();
        sources.extend(texts.map(|file| (Arc::clone(&file.path), Arc::clone(&file.text))));
    }
    comparison.sources = sources.into_iter().collect();
    Ok(comparison)
}

/// Directives that one of the two versions knows and the other refuses.
fn unknown(project: &Project, upgrade: Upgrade) -> Vec<report::Unknown> {
    let mut out: Vec<report::Unknown> = Vec::new();
    let mut seen: HashSet<(&str, Location)> = HashSet::new();
    for id in (0..project.directives.len() as u32).map(DirectiveId) {
        let Some(spec) = project.directive(id).spec else {
            continue;
        };
        let (before, after) = (spec.exists(upgrade.before), spec.exists(upgrade.after));
        if before == after {
            continue;
        }
        let at: Location = project.location(id);
        // A file that is included twice says it twice; of a macro, several stand at one place.
        if seen.insert((spec.name, at.clone())) {
            out.push(report::Unknown {
                setting: spec.name,
                refused_by: if after { upgrade.before } else { upgrade.after },
                at,
            });
        }
    }
    out
}

impl Comparison {
    /// True when every file was read, parsed and every include resolved.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many configurations were compared.
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// The servers for the report room.
    pub fn report(&self) -> Vec<report::Compared<'_>> {
        let servers = self.servers.iter();
        servers
            .map(|server| report::Compared {
                before: &server.before,
                after: &server.after,
                unknown: &server.unknown,
            })
            .collect()
    }
}
