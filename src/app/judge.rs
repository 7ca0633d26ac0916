//! One configuration, judged for every version it may run on.

use std::path::PathBuf;

use super::Request;
use super::merge::Merger;
use super::stretches::stretches;
use super::suppress::sort;
use crate::finding::Finding;
use crate::finding::Silenced;
use crate::model::{self, Platform, Site};
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

/// Judges for each platform, of which there is at least one, oldest first. Of platforms that
/// cannot differ the newest stands for all. Fixes leave `untouchable` files alone.
pub(super) fn judge(
    project: &Project,
    platforms: &[Platform],
    request: &Request,
    untouchable: Vec<PathBuf>,
) -> Option<Verdict> {
    let mut merger = Merger::default();
    let mut newest = None;
    let base = Policy {
        untouchable,
        ..request.policy.clone()
    };
    let policies = request.laid.measure.policies(&base, project);
    for stretch in stretches(project, platforms) {
        let Some(platform) = stretch.last() else {
            continue;
        };
        let site = site(project, platform);
        for policy in &policies {
            let context = Context {
                site: &site,
                policy,
            };
            for finding in rules::check(&context) {
                // Every file is measured by its own policy.
                let path = &finding.location.path;
                if policies.len() > 1 && request.laid.measure.policy(&base, path) != *policy {
                    continue;
                }
                let versions = stretch.iter().map(|platform| platform.server.value);
                merger.add(finding, versions.collect());
            }
        }
        newest = Some(site);
    }
    let site = newest?;
    let findings = merger.finish(platforms.len());
    let sorted = sort(findings, &site.remarks, &request.laid.measure);
    Some(Verdict {
        site,
        findings: sorted.findings,
        silenced: sorted.silenced,
    })
}

/// What the configuration means on a platform.
pub(super) fn site(project: &Project, platform: &Platform) -> Site {
    let mut site = model::build(project, platform);
    // What is built in or put around a fragment was not read.
    let read = project
        .files
        .iter()
        .filter(|file| file.origin != FileOrigin::Stub);
    site.files = read.count();
    site
}
