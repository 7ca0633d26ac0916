//! `lint`: everything that is found, and whether everything was read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::detect::Detected;
use super::edits::edits;
use super::inputs::{Inputs, Loaded, Replaced};
use super::judge::judge;
use super::merge::Merger;
use super::parts::Part;
use super::platforms::platforms;
use super::refused::refusals;
use super::suppress::{one_each, settle_unused};
use super::{AppError, Request};
use crate::catalog::{self, Server, Version};
use crate::finding::{Finding, Severity, Silenced};
use crate::fix::{self, Options};
use crate::model::{self, Platform, Site, VersionSource};
use crate::report;
use crate::source::{File, Problem, ProblemKind, Project};
use crate::text::Location;

/// One judged configuration.
#[derive(Debug)]
pub struct JudgedServer {
    /// As the newest judged version takes it.
    pub site: Arc<Site>,
    /// Every version it was judged for, oldest first.
    pub judged: Vec<Platform>,
    /// Missing files that were allowed or that a stub stands for.
    pub assumed: Vec<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The judged configurations, in the order they were found.
    pub servers: Vec<JudgedServer>,
    /// What was found, by place.
    pub findings: Vec<Finding>,
    /// What was found and is not reported, with the reason, by place.
    pub silenced: Vec<Silenced>,
    /// Findings of the baseline that are gone.
    pub resolved: usize,
    /// Files that git ignores or the settings exclude.
    pub excluded: usize,
    /// Named files that were judged in the root that includes them.
    pub parts: Vec<Part>,
    /// What was not read, resolved or parsed. Not empty: nothing here is called clean.
    pub problems: Vec<report::Problem>,
    /// The bytes of every file that was read.
    pub sources: report::Sources,
    /// Templates that were skipped.
    pub templates: usize,
    /// What was read. Kept because giving it back takes long, and who is about to end need
    /// not do it.
    pub(crate) spent: Vec<Arc<Project>>,
    /// What each fix would change by itself, where the request asks for it.
    pub edits: report::Edits,
}

/// Reads and judges everything that the request names.
///
/// # Errors
/// [`AppError`] where there is nothing to judge.
pub fn lint(request: &Request) -> Result<Outcome, AppError> {
    Ok(Session::open(request)?.run())
}

impl Outcome {
    /// True when every file was read, parsed and every include resolved.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// True when a finding is as bad as `grade` or worse.
    pub fn reaches(&self, grade: Severity) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity >= grade)
    }

    /// True when a finding holds for some of the judged versions only and nothing said
    /// which version it is.
    pub fn versions_matter(&self) -> bool {
        let assumed = self.servers.iter().flat_map(|server| &server.judged);
        self.findings
            .iter()
            .any(|finding| !finding.versions.is_empty())
            && assumed
                .into_iter()
                .any(|it| it.server.source == VersionSource::Assumed)
    }

    /// A judged version above the range that is known: the server's name, the version and
    /// the newest one known.
    pub fn newer_than_known(&self) -> Option<(&'static str, Version, Version)> {
        let judged = self
            .servers
            .iter()
            .flat_map(|server| server.judged.iter().map(|it| (server.site.server, it)));
        let mut versions = judged.map(|(of, it)| (of, it.server.value, catalog::newest(of)));
        let (server, version, newest) = versions.find(|(_, version, newest)| version > newest)?;
        Some((name(server), version, newest))
    }

    /// The same for the report room.
    pub fn report(&self) -> report::Lint<'_> {
        report::Lint {
            servers: self.servers.iter().map(JudgedServer::report).collect(),
            findings: self.findings.iter().collect(),
            problems: &self.problems,
            sources: &self.sources,
            templates: self.templates,
            silenced: &self.silenced,
            resolved: self.resolved,
            excluded: self.excluded,
        }
    }
}

impl JudgedServer {
    /// The same for the report room.
    pub fn report(&self) -> report::Server<'_> {
        report::Server {
            site: &self.site,
            judged: &self.judged,
            assumed: &self.assumed,
        }
    }
}

/// A configuration with what is found in it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) loaded: Loaded,
    pub(super) platforms: Vec<Platform>,
    pub(super) findings: Vec<Finding>,
    pub(super) silenced: Vec<Silenced>,
    pub(super) site: Arc<Site>,
    /// What [`problems`] says, where the project cannot be asked any more.
    pub(super) told: Option<Vec<report::Problem>>,
}

/// A request with its inputs found and its versions known, to be judged more than once.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) request: &'a Request,
    pub(super) inputs: Inputs,
    /// Which files a fix may not edit.
    pub(super) guard: Options,
    detected: Detected,
}

impl<'a> Session<'a> {
    pub(super) fn open(request: &'a Request) -> Result<Self, AppError> {
        let mut inputs = Inputs::find(request)?;
        let detected = if request.versions.detect {
            let mut servers: Vec<Server> = inputs.roots().map(|root| root.server).collect();
            servers.sort_unstable();
            servers.dedup();
            Detected::ask(&servers)?
        } else {
            Detected::default()
        };
        detected.tell(&mut inputs.startup);
        request.progress.found(inputs.count());
        Ok(Self {
            request,
            inputs,
            guard: Options {
                protected: request.protected.clone(),
                ..Options::default()
            },
            detected,
        })
    }

    /// Loads and judges everything as it is.
    fn run(&self) -> Outcome {
        let all = (0..self.inputs.count()).filter_map(|index| self.judged(index, &[]));
        self.outcome(all)
    }

    /// Loads and judges one configuration, with files replaced.
    pub(super) fn judged(&self, index: usize, replaced: &[&Replaced]) -> Option<Judged> {
        let loaded = self.inputs.load(index, replaced)?;
        let platforms = self.platforms(&loaded);
        let judged = self.judged_for(loaded, platforms);
        self.request.progress.step();
        judged
    }

    /// The files of a project that no fix may edit.
    pub(super) fn untouchable(&self, project: &Project) -> HashSet<PathBuf> {
        fix::untouchable(project, &self.guard)
    }

    /// Judges a configuration for these versions.
    pub(super) fn judged_for(&self, loaded: Loaded, platforms: Vec<Platform>) -> Option<Judged> {
        let project = &loaded.project;
        let mut verdict = judge(project, &platforms, self.request, || {
            self.untouchable(project)
        })?;
        self.inputs.keep_parts(&loaded.root, &mut verdict);
        Some(Judged {
            loaded,
            platforms,
            findings: verdict.findings,
            silenced: verdict.silenced,
            site: Arc::new(verdict.site),
            told: None,
        })
    }

    /// What is said of configurations, in the order of their numbers.
    pub(super) fn outcome(&self, all: impl Iterator<Item = Judged>) -> Outcome {
        let mut outcome = Outcome {
            templates: self.inputs.templates,
            excluded: self.inputs.excluded,
            parts: self.inputs.parts.clone(),
            ..Outcome::default()
        };
        outcome.problems = self.search_problems();
        let mut merger = Merger::default();
        let mut sources = Vec::new();
        let mut silenced = Vec::new();
        let mut projects = Vec::new();
        for judged in all {
            let refused = refusals(&judged);
            outcome.problems.extend(refused);
            merger.put(judged.findings);
            silenced.extend(judged.silenced);
            let project = judged.loaded.project;
            let told = judged.told.unwrap_or_else(|| problems(&project));
            outcome.problems.extend(told);
            outcome
                .problems
                .extend(too_old(&project, &judged.platforms));
            let texts = project.files.iter();
            sources.extend(texts.map(|file| (Arc::clone(&file.path), Arc::clone(&file.text))));
            outcome.servers.push(JudgedServer {
                site: judged.site,
                judged: judged.platforms,
                assumed: project.assumed.clone(),
            });
            projects.push(project);
        }
        // At once, because paths take long to compare.
        outcome.sources = sources.into_iter().collect();
        outcome.findings = merger.finish(usize::MAX);
        outcome.problems.dedup();
        let complete = outcome.complete();
        settle_unused(&mut outcome.findings, &silenced, complete);
        outcome.silenced = one_each(silenced);
        let request = self.request;
        if let Some(baseline) = &request.baseline {
            outcome.resolved = baseline.apply(&mut outcome);
        }
        outcome.findings.retain(|finding| request.shows(finding));
        outcome
            .silenced
            .retain(|it| it.by.is_told() && request.shows(&it.finding));
        if request.edits {
            outcome.edits = edits(&outcome.findings, &projects);
        }
        outcome.spent = projects;
        outcome
    }

    /// What could not be looked at during the search.
    pub(super) fn search_problems(&self) -> Vec<report::Problem> {
        let unreadable = self.inputs.unreadable.iter();
        unreadable
            .map(|(path, why)| report::Problem {
                kind: "unreadable",
                path: path.clone(),
                message: why.clone(),
                ..report::Problem::default()
            })
            .collect()
    }

    pub(super) fn platforms(&self, loaded: &Loaded) -> Vec<Platform> {
        let Loaded {
            root,
            project,
            versions,
        } = loaded;
        platforms(
            root,
            project,
            versions,
            &self.detected,
            &self.inputs.packages,
        )
    }
}

/// What was not read, resolved or parsed, and settings whose value is not known.
pub(super) fn problems(project: &Project) -> Vec<report::Problem> {
    let read = read_problems(project).into_iter();
    let unknown = model::unresolved(project).into_iter();
    let unknown = unknown.map(|gap| report::Problem {
        kind: "limit",
        path: gap.path,
        line: gap.line,
        message: gap.why,
        ..report::Problem::default()
    });
    read.chain(unknown).collect()
}

/// What was not read, resolved or parsed.
pub(super) fn read_problems(project: &Project) -> Vec<report::Problem> {
    if project.problems.is_empty() {
        return Vec::new();
    }
    let files: HashMap<&Path, &File> = project.files.iter().map(|it| (&*it.path, it)).collect();
    let problems = project.problems.iter();
    problems.map(|it| problem(&files, it)).collect()
}

/// A version below the range that is modelled: what it does is not known, so nothing that is
/// said of it is complete.
pub(super) fn too_old(project: &Project, platforms: &[Platform]) -> Option<report::Problem> {
    let oldest = catalog::oldest(project.server);
    let mut versions = platforms.iter().map(|platform| platform.server.value);
    let version = versions.find(|version| *version < oldest)?;
    let name = name(project.server);
    Some(report::Problem {
        kind: "version",
        path: project.root.clone(),
        message: format!("{name} {version} is older than {oldest}, the oldest version known here"),
        ..report::Problem::default()
    })
}

const fn name(server: Server) -> &'static str {
    match server {
        Server::Nginx => "nginx",
        Server::Apache => "Apache httpd",
    }
}

/// A problem with its place, for a snippet.
fn problem(files: &HashMap<&Path, &File>, problem: &Problem) -> report::Problem {
    let file = files.get(&*problem.path);
    let location = file
        .zip(problem.span)
        .map(|(file, span)| Location::new(&file.path, span, &file.lines));
    report::Problem {
        kind: match problem.kind {
            ProblemKind::Unreadable => "unreadable",
            ProblemKind::Missing => "missing",
            ProblemKind::Cycle => "cycle",
            ProblemKind::Limit => "limit",
            ProblemKind::Syntax => "syntax",
            ProblemKind::NotConfiguration => "not-configuration",
        },
        path: problem.path.clone(),
        line: problem.line,
        location,
        message: problem.message.clone(),
        refused: problem.refused,
    }
}
