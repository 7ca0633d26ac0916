//! For which of the judged versions something holds, in words.
//!
//! Where the version is unknown, a configuration is judged at every version at which some
//! behaviour changes; what holds at one of them holds up to the next.

use std::sync::Arc;

use super::Server;
use crate::catalog::Version;
use crate::finding::{Finding, Versions};
use crate::model::{Platform, VersionSource};

/// What is said of the versions of a finding, for one after the other: mostly they are those of the
/// finding before.
#[derive(Default)]
pub(super) struct Phrases {
    last: Option<(Versions, Option<String>)>,
}

impl Phrases {
    pub(super) fn of(&mut self, finding: &Finding, servers: &[Server<'_>]) -> Option<&str> {
        let last = self.last.take();
        let same = last.filter(|(versions, _)| Arc::ptr_eq(versions, &finding.versions));
        let told = match same {
            Some((_, told)) => told,
            None => of_finding(finding, servers),
        };
        let last = self.last.insert((Arc::clone(&finding.versions), told));
        last.1.as_deref()
    }
}

/// `holds for nginx from 1.23.2, below 1.30.6`.
pub(super) fn of_finding(finding: &Finding, servers: &[Server<'_>]) -> Option<String> {
    let versions = &finding.versions;
    let server = servers.iter().find(|server| {
        let judged = |version: &crate::catalog::Version| {
            server.judged.iter().any(|at| at.server.value == *version)
        };
        !versions.is_empty() && versions.iter().all(judged)
    })?;
    let phrase = phrase(versions, server.judged)?;
    Some(format!(
        "holds for {} {phrase}",
        super::json::kind(server.site.server)
    ))
}

/// `from 1.23.2, below 1.30.6`, or the versions themselves where they were given; `None`
/// where it holds for every one judged.
pub(super) fn phrase(holds: &[Version], judged: &[Platform]) -> Option<String> {
    if holds.is_empty()
        || judged
            .iter()
            .all(|platform| holds.contains(&platform.server.value))
    {
        return None;
    }
    let assumed = judged
        .iter()
        .any(|at| at.server.source == VersionSource::Assumed);
    if !assumed {
        let list: Vec<String> = holds.iter().map(Version::to_string).collect();
        return Some(list.join(", "));
    }
    let order: Vec<Version> = judged
        .iter()
        .map(|platform| platform.server.value)
        .collect();
    Some(runs(holds, &order).join("; "))
}

/// Stretches of neighbouring judged versions.
fn runs(holds: &[Version], order: &[Version]) -> Vec<String> {
    let mut out = Vec::new();
    let mut start: Option<usize> = None;
    for index in 0..=order.len() {
        let inside = order
            .get(index)
            .is_some_and(|version| holds.contains(version));
        match (start, inside) {
            (None, true) => start = Some(index),
            (Some(first), false) => {
                out.push(run(first, index, order));
                start = None;
            }
            _ => {}
        }
    }
    out
}

fn run(first: usize, past: usize, order: &[Version]) -> String {
    match (first, order.get(past)) {
        (0, Some(end)) => format!("below {end}"),
        (_, Some(end)) => format!("from {}, below {end}", order[first]),
        (_, None) => format!("from {}", order[first]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Assumed;

    fn version(minor: u16) -> Version {
        Version {
            major: 1,
            minor,
            patch: 0,
        }
    }

    fn judged(source: VersionSource) -> Vec<Platform> {
        [18, 20, 22, 24]
            .map(|minor| Platform {
                server: Assumed {
                    value: version(minor),
                    source,
                },
                library: Assumed {
                    value: version(0),
                    source: VersionSource::Assumed,
                },
                package: None,
            })
            .to_vec()
    }

    #[test]
    fn stretches_end_where_the_next_judged_version_begins() {
        let judged = judged(VersionSource::Assumed);
        let say = |minors: &[u16]| {
            let holds: Vec<Version> = minors.iter().map(|minor| version(*minor)).collect();
            phrase(&holds, &judged)
        };
        assert_eq!(say(&[18, 20, 22, 24]), None);
        assert_eq!(say(&[]), None);
        assert_eq!(say(&[18, 20]).as_deref(), Some("below 1.22.0"));
        assert_eq!(
            say(&[20, 24]).as_deref(),
            Some("from 1.20.0, below 1.22.0; from 1.24.0")
        );
    }

    #[test]
    fn given_versions_are_named() {
        let judged = judged(VersionSource::Flag);
        assert_eq!(phrase(&[version(20)], &judged).as_deref(), Some("1.20.0"));
    }
}
