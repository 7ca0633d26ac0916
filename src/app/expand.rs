//! `inspect --expanded`: every directive in force as the newest judged version takes it, with
//! its place and nesting. Judges nothing.

use std::sync::Arc;

use super::lint::{Session, read_problems};
use super::{AppError, Request};
use crate::catalog::Server;
use crate::model::{self, Condition, Platform};
use crate::report;
use crate::source::{DirectiveId, FileOrigin, LineNumbers, Project};
use crate::text::Location;

/// What came of it.
#[derive(Debug, Default)]
pub struct Expansion {
    servers: Vec<Expanded>,
    /// What was not read, resolved or parsed, of all servers and of the search.
    pub problems: Vec<report::Problem>,
    /// Those of the search alone, which belong to no server.
    pub search_problems: Vec<report::Problem>,
    /// The bytes of every file that was read.
    pub sources: report::Sources,
}

/// One configuration.
#[derive(Debug)]
struct Expanded {
    project: Arc<Project>,
    platform: Platform,
    problems: Vec<report::Problem>,
}

/// Reads everything that the request names and puts it into the server's order.
///
/// # Errors
/// [`AppError`] where there is nothing to read.
pub fn expand(request: &Request) -> Result<Expansion, AppError> {
    let session = Session::open(request)?;
    let mut expansion = Expansion {
        search_problems: session.search_problems(),
        ..Expansion::default()
    };
    expansion
        .problems
        .extend(expansion.search_problems.iter().cloned());
    let mut sources = Vec::new();
    for loaded in session.inputs.load_all() {
        let Some(platform) = session.platforms(&loaded).pop() else {
            continue;
        };
        let project = loaded.project;
        let problems = read_problems(&project);
        expansion.problems.extend(problems.iter().cloned());
        let texts = project.files.iter();
        sources.extend(texts.map(|file| (Arc::clone(&file.path), Arc::clone(&file.text))));
        expansion.servers.push(Expanded {
            project,
            platform,
            problems,
        });
    }
    expansion.sources = sources.into_iter().collect();
    Ok(expansion)
}

impl Expansion {
    /// True when every file was read, parsed and every include resolved.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// The servers for the report room.
    pub fn report(&self) -> Vec<report::ExpandedServer<'_>> {
        self.servers.iter().map(Expanded::report).collect()
    }
}

impl Expanded {
    fn report(&self) -> report::ExpandedServer<'_> {
        let project = &self.project;
        let conditions = model::conditions(project, &self.platform);
        let read = project.files.iter();
        report::ExpandedServer {
            server: project.server,
            root: &project.root,
            platform: &self.platform,
            problems: &self.problems,
            assumed: &project.assumed,
            files: read.filter(|file| file.origin != FileOrigin::Stub).count(),
            statements: statements(project, &conditions),
        }
    }
}

/// The directives in force, in the server's order.
fn statements<'p>(project: &'p Project, conditions: &[Condition]) -> Vec<report::Statement<'p>> {
    let mut lines = LineNumbers::default();
    let mut out = Vec::with_capacity(project.directives.len());
    // One past the last descendant of every block around.
    let mut ends: Vec<u32> = Vec::new();
    for id in (0..project.directives.len() as u32).map(DirectiveId) {
        ends.retain(|end| *end > id.0);
        let depth = ends.len();
        let directive = project.directive(id);
        let condition = conditions.get(directive.when.0 as usize);
        let block = is_block(project, id);
        if block {
            ends.push(directive.end);
        }
        if condition.is_some_and(|condition| condition.excluded) {
            continue;
        }
        let begins = project.name_location(id);
        let via = project.via(id).iter().map(place).collect();
        out.push(report::Statement {
            line: lines.named(project, id),
            begins: begins.line,
            path: &project.file(directive.file).path,
            depth,
            name: String::from_utf8_lossy(project.name(id)),
            arguments: project.arguments(id).map(String::from_utf8_lossy).collect(),
            block,
            on_read: directive.spec.is_some_and(|spec| spec.exec_on_read),
            when: condition.map(|it| it.open.clone()).unwrap_or_default(),
            via,
        });
    }
    out
}

fn place(location: &Location) -> String {
    format!("{}:{}", location.path.display(), location.line)
}

/// A block has a body, or contents where both ends stand in different texts.
fn is_block(project: &Project, id: DirectiveId) -> bool {
    let directive = project.directive(id);
    if directive.body.is_some() || directive.end > id.0 + 1 {
        return true;
    }
    let text = &project.file(directive.file).text;
    project.server == Server::Apache && directive.name.span.of(text).starts_with(b"<")
}
