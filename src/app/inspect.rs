//! `inspect`: the effective state of every endpoint, as the newest judged version has it.

use std::sync::Arc;

use super::judge::site;
use super::lint::{JudgedServer, Session, problems, too_old};
use super::{AppError, Request};
use crate::report;

/// What came of it.
#[derive(Debug, Default)]
pub struct Inspection {
    /// The configurations, in the order they were found.
    pub servers: Vec<JudgedServer>,
    /// What was not read, resolved or parsed, of all servers and of the search.
    pub problems: Vec<report::Problem>,
    /// Those of the search alone, which belong to no server.
    pub search_problems: Vec<report::Problem>,
    /// The bytes of every file that was read.
    pub sources: report::Sources,
}

/// Reads everything that the request names and works out what resumes. Judges nothing.
///
/// # Errors
/// [`AppError`] where there is nothing to read.
pub fn inspect(request: &Request) -> Result<Inspection, AppError> {
    let session = Session::open(request)?;
    let mut inspection = Inspection {
        search_problems: session.search_problems(),
        ..Inspection::default()
    };
    inspection
        .problems
        .extend(inspection.search_problems.iter().cloned());
    let mut sources = Vec::new();
    for loaded in session.inputs.load_all() {
        session.request.progress.step();
        let judged = session.platforms(&loaded);
        let Some(newest) = judged.last() else {
            continue;
        };
        let project = loaded.project;
        let site = site(&project, newest);
        inspection.problems.extend(problems(&project));
        inspection.problems.extend(too_old(&project, &judged));
        let texts = project.files.iter();
        sources.extend(texts.map(|file| (Arc::clone(&file.path), Arc::clone(&file.text))));
        inspection.servers.push(JudgedServer {
            site: Arc::new(site),
            judged,
            assumed: project.assumed.clone(),
        });
    }
    inspection.sources = sources.into_iter().collect();
    Ok(inspection)
}

impl Inspection {
    /// True when every file was read, parsed and every include resolved.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// The servers for the report room.
    pub fn report(&self) -> Vec<report::Server<'_>> {
        self.servers.iter().map(JudgedServer::report).collect()
    }
}
