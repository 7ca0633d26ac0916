//! Which neighbouring versions cannot differ for a configuration, so that one of them is
//! judged for all. Judges nothing.

use std::ops::Range;

use crate::catalog::VersionRange;
use crate::model::Platform;
use crate::source::{AtomKind, Project};

/// The platforms of a configuration, oldest first.
#[derive(Debug)]
pub(super) struct Stretches<'a> {
    pub(super) platforms: &'a [Platform],
    /// The configuration itself compares versions.
    compares: bool,
}

impl<'a> Stretches<'a> {
    pub(super) fn of(project: &Project, platforms: &'a [Platform]) -> Self {
        Self {
            platforms,
            compares: compares_versions(project),
        }
    }

    /// The platforms around one of them for which its answer holds, which was worked out with
    /// questions whose answers are the same for all versions in `valid`.
    pub(super) fn around(&self, index: usize, valid: &VersionRange) -> Range<usize> {
        let platform = &self.platforms[index];
        let same = |other: &&Platform| {
            !self.compares
                && valid.contains(other.server.value)
                && other.library == platform.library
                && other.package == platform.package
        };
        let (older, newer) = self.platforms.split_at(index);
        let older = older.iter().rev().take_while(same).count();
        let newer = newer.iter().skip(1).take_while(same).count();
        index - older..index + 1 + newer
    }
}

/// True where the configuration itself compares versions (`IfVersion`), with numbers that no
/// table knows.
fn compares_versions(project: &Project) -> bool {
    let mut kinds = project.atoms.iter().map(|atom| &atom.kind);
    kinds.any(|kind| matches!(kind, AtomKind::Version { .. }))
}
