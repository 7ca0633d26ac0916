//! For which versions an answer holds: what was worked out for one version holds for every
//! other one for which each question about versions has the same answer.
//!
//! Every such question of the catalog ends in [`VersionRange::contains`], which notes its
//! bounds here while [`validity`] runs. Who compares versions in another way has to say so.

use std::cell::Cell;

use super::version::{Version, VersionRange};

thread_local! {
    /// The versions around the one in question for which all answers so far are the same.
    static OPEN: Cell<Option<VersionRange>> = const { Cell::new(None) };
}

/// Runs `work`, which may ask about one version only, and on other threads only through
/// [`in_parts`](super::in_parts), and says for which versions around it everything that was asked has the same
/// answer.
pub fn validity<T>(work: impl FnOnce() -> T) -> (T, VersionRange) {
    let outer = OPEN.replace(Some(VersionRange::ALWAYS));
    let result = work();
    let found = OPEN.replace(outer).unwrap_or(VersionRange::ALWAYS);
    (result, found)
}

/// What was asked elsewhere counts here too.
pub(super) fn narrow(found: &VersionRange) {
    let Some(mut open) = OPEN.get() else {
        return;
    };
    open.from = open.from.max(found.from);
    open.before = match (open.before, found.before) {
        (Some(known), Some(new)) => Some(known.min(new)),
        (known, new) => known.or(new),
    };
    OPEN.set(Some(open));
}

/// A question whether `version` lies in `range`.
pub(super) fn note(range: &VersionRange, version: Version) {
    let Some(mut open) = OPEN.get() else {
        return;
    };
    for bound in [range.from, range.before].into_iter().flatten() {
        if bound <= version {
            open.from = open.from.max(Some(bound));
        } else {
            open.before = Some(open.before.map_or(bound, |known| known.min(bound)));
        }
    }
    OPEN.set(Some(open));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_up_to_the_nearest_bounds_that_were_asked_for() {
        let range = |from: Option<u16>, before: Option<u16>| VersionRange {
            from: from.map(|patch| Version::new(1, 0, patch)),
            before: before.map(|patch| Version::new(1, 0, patch)),
        };
        let version = Version::new(1, 0, 5);
        let asked = || {
            let inside = range(Some(2), Some(9)).contains(version);
            inside && range(Some(7), None).contains(version)
        };
        assert_eq!(validity(asked), (false, range(Some(2), Some(7))));
        // What is asked outside of it does not count.
        assert!(range(Some(4), None).contains(version));
        assert_eq!(validity(|| ()).1, VersionRange::ALWAYS);
    }
}
