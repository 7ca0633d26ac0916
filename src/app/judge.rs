//! One configuration, judged for every version it may run on.

use super::merge::Merger;
use super::stretches::stretches;
use crate::finding::Finding;
use crate::model::{self, Platform, Site};
use crate::policy::Policy;
use crate::rules::{self, Context};
use crate::source::{FileOrigin, Project};

/// The newest version's site, and the findings of all.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) site: Site,
    pub(super) findings: Vec<Finding>,
}

/// Judges for each platform, of which there is at least one, oldest first. Of platforms that
/// cannot differ the newest stands for all.
pub(super) fn judge(project: &Project, platforms: &[Platform], policy: &Policy) -> Option<Verdict> {
    let mut merger = Merger::default();
    let mut newest = None;
    for stretch in stretches(project, platforms) {
        let Some(platform) = stretch.last() else {
            continue;
        };
        let site = site(project, platform);
        for finding in rules::check(&Context {
            site: &site,
            policy,
        }) {
            let versions = stretch.iter().map(|platform| platform.server.value);
            merger.add(finding, versions.collect());
        }
        newest = Some(site);
    }
    Some(Verdict {
        site: newest?,
        findings: merger.finish(platforms.len()),
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
