//! One configuration, judged for every version it may run on.

use std::ops::Range;
use std::path::PathBuf;

use super::Request;
use super::measure::Measure;
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
/// It begins at both ends at once: the newest version is wanted anyway, and what stays open
/// between two answers becomes less from both sides. Fixes leave the files alone that
/// `untouchable` names.
pub(super) fn judge(
    project: &Project,
    platforms: &[Platform],
    request: &Request,
    untouchable: impl FnOnce() -> Vec<PathBuf> + Send,
) -> Option<Verdict> {
    let parallel = project.directives.len() > FEW;
    let (ground, untouchable) = match parallel {
        true => rayon::join(|| Groundwork::of(project), untouchable),
        false => (Groundwork::of(project), untouchable()),
    };
    let stretches = Stretches::of(project, platforms);
    let base = Policy {
        untouchable,
        ..request.policy.clone()
    };
    let measured = Measured {
        policies: request.laid.measure.policies(&base, project),
        measure: &request.laid.measure,
        base: &base,
    };
    let check = |site: &Site| measured.check(site);
    if let [only] = platforms {
        let site = ground.into_site(only);
        let mut merger = Merger::default();
        merger.put(measured.check(&site));
        return Some(verdict(project, platforms, request, site, merger));
    }
    let answer = |index: usize| answer(&ground, &stretches, &check, index);
    // Only the newest version's site is wanted; the others need not wait for each other.
    let findings = |index: usize| {
        let Answer {
            findings, holds, ..
        } = answer(index);
        (findings, holds)
    };
    let mut newest = None;
    // What is found from both ends.
    let (mut oldest, mut newer_ones) = (Merger::default(), Merger::default());
    let versions = |held: Range<usize>| {
        // What holds for all of them names none.
        let told = match held.len() == platforms.len() {
            true => &[],
            false => &platforms[held],
        };
        let told = told.iter().map(|it| it.server.value);
        told.collect::<Vec<_>>()
    };
    let mut open = 0..platforms.len();
    while !open.is_empty() {
        let (first, last) = (open.start, open.end - 1);
        let at_end = || match newest {
            None => {
                let Answer {
                    site,
                    findings,
                    holds,
                } = answer(last);
                (Some(site), findings, holds)
            }
            Some(_) => {
                let (found, holds) = findings(last);
                (None, found, holds)
            }
        };
        let (older, (site, newer, holds)) = match (first < last, parallel) {
            (true, true) => rayon::join(|| Some(findings(first)), at_end),
            _ => (None, at_end()),
        };
        newest = newest.or(site);
        let held = holds.start.max(open.start)..open.end;
        open.end = held.start;
        newer_ones.add_older(newer, &versions(held));
        // Where the newer answer holds for the oldest version too, the older one is the same.
        if let Some((older, holds)) = older.filter(|_| !open.is_empty()) {
            let held = open.start..holds.end.min(open.end);
            open.start = held.end;
            oldest.add(older, &versions(held));
        }
    }
    // What the versions were judged from has done its work.
    drop(ground);
    let mut all = oldest;
    all.put(newer_ones.into_findings());
    Some(verdict(project, platforms, request, newest?, all))
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

/// What is found for one platform.
struct Answer {
    site: Site,
    findings: Vec<Finding>,
    /// The platforms for which it is the same.
    holds: Range<usize>,
}

fn answer(
    ground: &Groundwork<'_>,
    stretches: &Stretches<'_>,
    check: &dyn Fn(&Site) -> Vec<Finding>,
    index: usize,
) -> Answer {
    let ((site, findings), valid) = validity(|| {
        let site = ground.site(&stretches.platforms[index]);
        let findings = check(&site);
        (site, findings)
    });
    Answer {
        site,
        findings,
        holds: stretches.around(index, &valid),
    }
}

/// The policies that hold somewhere in a configuration.
struct Measured<'a> {
    policies: Vec<Policy>,
    measure: &'a Measure,
    base: &'a Policy,
}

impl Measured<'_> {
    /// What the rules find, each file measured by its own policy.
    fn check(&self, site: &Site) -> Vec<Finding> {
        let mut found = Vec::new();
        for policy in &self.policies {
            let own = |finding: &Finding| {
                self.policies.len() == 1
                    || self.measure.policy(self.base, &finding.location.path) == *policy
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
