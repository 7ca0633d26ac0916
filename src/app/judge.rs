//! One configuration, judged for every version it may run on.

use super::merge::Merger;
use crate::finding::Finding;
use crate::model::{self, Platform, Site};
use crate::policy::Policy;
use crate::rules::{self, Context};
use crate::source::Project;

/// The newest version's site, and the findings of all.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) site: Site,
    pub(super) findings: Vec<Finding>,
}

/// Judges for each platform, of which there is at least one, oldest first.
pub(super) fn judge(project: &Project, platforms: &[Platform], policy: &Policy) -> Option<Verdict> {
    let mut merger = Merger::default();
    let mut newest = None;
    for platform in platforms {
        let site = model::build(project, platform);
        for finding in rules::check(&Context {
            site: &site,
            policy,
        }) {
            merger.add(finding, platform.server.value);
        }
        newest = Some(site);
    }
    Some(Verdict {
        site: newest?,
        findings: merger.finish(platforms.len()),
    })
}
