//! `probe`: what a running server does, and whether that is what its files promise.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::{AppError, Inspection, Request, inspect};
use crate::finding::Severity;
use crate::policy::Policy;
use crate::probe::{
    Difference, Observed, Plan, ProbeError, Probed, Target, Thresholds, Unprobed, Verdict, judge,
};
use crate::report;
use crate::source::{Disk, FileSystem as _};
use crate::tls::{Manner, Session};

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct ProbeRequest {
    /// Where, how, and what else.
    pub plan: Plan,
    /// How the client behaves.
    pub manner: Manner,
    /// The files whose promise is compared. Targets of the plan then only say at which address
    /// this machine's wildcards are looked for.
    pub config: Option<Request>,
    /// A file with a saved session: it is ended, and nothing else is done.
    pub session: Option<PathBuf>,
    /// From when on something is too long.
    pub policy: Policy,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct ProbeOutcome {
    /// What was seen.
    pub probed: Probed,
    /// The files' promises beside it, in the order of the endpoints.
    pub promises: Vec<Difference>,
    /// Endpoints of the files that cannot be looked at from here.
    pub unprobed: Vec<Unprobed>,
    /// What follows.
    pub verdicts: Vec<Verdict>,
    /// What was not read of the files.
    pub problems: Vec<report::Problem>,
    /// The bytes of every file that was read.
    pub sources: report::Sources,
}

/// Looks. `tick` is called with every connection: how many there were, and where the last one
/// goes.
///
/// # Errors
/// [`AppError`] where there is nothing to look at, or the files cannot be read.
pub fn probe(
    request: &ProbeRequest,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<ProbeOutcome, AppError> {
    if let Some(path) = &request.session {
        return end(request, path, tick);
    }
    let mut outcome = ProbeOutcome::default();
    match &request.config {
        None => outcome.probed = run(&request.plan, &request.manner, tick)?,
        Some(files) => compared(request, &inspect(files)?, &mut outcome, tick)?,
    }
    let Policy {
        lifetime_warning,
        lifetime_error,
        key_age,
        ..
    } = request.policy;
    let limits = Thresholds {
        lifetime_warning,
        lifetime_error,
        key_age,
    };
    outcome.verdicts = judge(&outcome.probed, &outcome.promises, limits);
    Ok(outcome)
}

impl ProbeOutcome {
    /// True when something could not be seen at all.
    pub fn unreachable(&self) -> bool {
        let mut seen = self.probed.endpoints.iter();
        seen.any(Observed::is_lost)
    }

    /// True when a verdict is as bad as `grade` or worse, or a session that was to be ended
    /// still resumes.
    pub fn reaches(&self, grade: Severity) -> bool {
        let saved = self.probed.saved.as_ref();
        saved.is_some_and(|saved| saved.still_resumes)
            || self.verdicts.iter().any(|it| it.severity >= grade)
    }

    /// True when the files were read whole.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// The same for the report room.
    pub fn report(&self) -> report::Probe<'_> {
        report::Probe {
            probed: &self.probed,
            promises: &self.promises,
            unprobed: &self.unprobed,
            verdicts: &self.verdicts,
            problems: &self.problems,
            sources: &self.sources,
        }
    }
}

fn compared(
    request: &ProbeRequest,
    inspection: &Inspection,
    outcome: &mut ProbeOutcome,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<(), AppError> {
    outcome.problems.clone_from(&inspection.problems);
    outcome.sources.clone_from(&inspection.sources);
    let host = wildcard_host(&request.plan.targets);
    let mut endpoints = Vec::new();
    let mut plan = request.plan.clone();
    plan.targets.clear();
    for server in &inspection.servers {
        let all = &server.site.endpoints;
        let (visits, unprobed) = crate::probe::visits(all, host);
        outcome.unprobed.extend(unprobed);
        for visit in visits {
            plan.places.push((visit.address, visit.name));
            endpoints.push(&all[visit.endpoint]);
        }
    }
    outcome.probed = run(&plan, &request.manner, tick)?;
    let seen = endpoints.iter().zip(&outcome.probed.endpoints);
    outcome.promises = seen
        .map(|(endpoint, seen)| crate::probe::compare(endpoint, seen))
        .collect();
    let seen = outcome.probed.endpoints.iter_mut();
    for (seen, promise) in seen.zip(&outcome.promises) {
        let kept = promise.fields.iter().all(|field| field.agrees);
        seen.as_promised = kept && seen.unreachable.is_some();
    }
    Ok(())
}

fn wildcard_host(targets: &[Target]) -> Option<IpAddr> {
    targets.iter().find_map(|target| target.host.parse().ok())
}

#[cfg(feature = "tls")]
fn run(
    plan: &Plan,
    manner: &Manner,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<Probed, ProbeError> {
    crate::probe::run(plan, manner, tick)
}

#[cfg(not(feature = "tls"))]
fn run(_: &Plan, _: &Manner, _: &(dyn Fn(usize, &str) + Sync)) -> Result<Probed, ProbeError> {
    Err(ProbeError::NotBuilt)
}

fn end(
    request: &ProbeRequest,
    path: &Path,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<ProbeOutcome, AppError> {
    let wrong = |why: String| AppError::Session {
        path: path.to_owned(),
        why,
    };
    let bytes = Disk::default()
        .read(path)
        .map_err(|why| wrong(why.to_string()))?;
    let bytes = zeroize::Zeroizing::new(bytes.to_vec());
    let session = Session::from_bytes(&bytes).map_err(|why| wrong(why.to_string()))?;
    let mut outcome = ProbeOutcome::default();
    outcome.probed.saved = Some(end_session(request, &session, tick)?);
    Ok(outcome)
}

#[cfg(feature = "tls")]
fn end_session(
    request: &ProbeRequest,
    session: &Session,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<crate::probe::Saved, ProbeError> {
    crate::probe::end_saved(&request.plan, &request.manner, session, tick)
}

#[cfg(not(feature = "tls"))]
fn end_session(
    _: &ProbeRequest,
    _: &Session,
    _: &(dyn Fn(usize, &str) + Sync),
) -> Result<crate::probe::Saved, ProbeError> {
    Err(ProbeError::NotBuilt)
}
