//! One configuration, judged for every version it may run on.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::Request;
use super::measure::{Measure, Policies};
use super::merge::Merger;
use super::stretches::Stretches;
use super::suppress::sort;
use crate::catalog::validity;
use crate::finding::{Finding, Silenced};
use crate::model::{self, Groundwork, Platform, Site};
use crate::policy::Policy;
use crate::rules::{self, Context};
use crate::source::{FileOrigin, Project};

/// The newest version's site, and the findings of all.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) site: Site,
    pub(super) findings: Vec<Finding>,
    pub(super) silenced: Vec<Silenced>,
}

/// Judges for each platform, of which there is at least one, oldest first. What is found for
/// one stands for every neighbour that cannot differ.
///
/// One after the other, so that one site is held at a time, and the newest one's is the last; all
/// processors work at that one. Fixes leave the files alone that `untouchable` names.
pub(super) fn judge(
    project: &Project,
    platforms: &[Platform],
    request: &Request,
    untouchable: impl FnOnce() -> HashSet<PathBuf> + Send,
) -> Option<Verdict> {
    let parallel = project.directives.len() > FEW;
    let (ground, untouchable) = match parallel {
        true => rayon::join(|| Groundwork::of(project), untouchable),
        false => (Groundwork::of(project), untouchable()),
    };
    let stretches = Stretches::of(project, platforms);
    let base = Policy {
        untouchable: Arc::new(untouchable),
        ..request.policy.clone()
    };
    let measured = Measured {
        policies: request.laid.measure.policies(&base, project),
        measure: &request.laid.measure,
    };
    let versions = |held: &[Platform]| {
        let told = held.iter().map(|it| it.server.value);
        told.collect::<Vec<_>>()
    };
    let mut found = Merger::default();
    let mut ground = ground;
    let mut first = 0;
    while let Some(oldest) = platforms.get(first) {
        let ((lent, findings), valid) = validity(|| {
            let lent = ground.lent(oldest);
            let findings = measured.check(lent.site());
            (lent, findings)
        });
        let held = first..stretches.around(first, &valid).end;
        match held.len() == platforms.len() {
            // What holds for all of them names none.
            true => found.put(findings),
            false => found.add_newer(findings, &versions(&platforms[held.clone()])),
        }
        if held.end == platforms.len() {
            let (mut site, ground) = lent.apart();
            // All that it says of the oldest of these versions, it says of the newest.
            site.platform = platforms.last()?.clone();
            let verdict = || verdict(project, platforms, request, site, found);
            // Giving a large groundwork back takes as long.
            return Some(match parallel {
                true => rayon::join(verdict, || drop(ground)).0,
                false => verdict(),
            });
        }
        first = held.end;
        ground = lent.back();
    }
    None
}

/// What was found for the platforms, as it is reported.
fn verdict(
    project: &Project,
    platforms: &[Platform],
    request: &Request,
    mut site: Site,
    found: Merger,
) -> Verdict {
    site.files = read(project);
    let findings = found.finish(platforms.len());
    let sorted = sort(findings, &site.remarks, &request.laid.measure);
    Verdict {
        site,
        findings: sorted.findings,
        silenced: sorted.silenced,
    }
}

/// Up to so many directives, starting threads takes longer than they save.
const FEW: usize = 4000;

/// The policies that hold somewhere in a configuration.
struct Measured<'a> {
    policies: Policies,
    measure: &'a Measure,
}

impl Measured<'_> {
    /// What the rules find, each file measured by its own policy.
    fn check(&self, site: &Site) -> Vec<Finding> {
        if let [policy] = self.policies.all.as_slice() {
            return rules::check(&Context { site, policy });
        }
        let mut found = Vec::new();
        for (index, policy) in self.policies.all.iter().enumerate() {
            let own = |finding: &Finding| {
                let its = &finding.location.path;
                self.measure.index(&self.policies, its) == index
            };
            let findings = rules::check(&Context { site, policy });
            found.extend(findings.into_iter().filter(own));
        }
        found
    }
}

/// What the configuration means on a platform.
pub(super) fn site(project: &Project, platform: &Platform) -> Site {
    let mut site = model::build(project, platform);
    site.files = read(project);
    site
}

/// How many files were read: not those that are built in or put around a fragment.
fn read(project: &Project) -> usize {
    let files = project.files.iter();
    files.filter(|file| file.origin != FileOrigin::Stub).count()
}
