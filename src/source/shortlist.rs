//! Which of many globs can match a path at all, told by one name that the path has to hold.
//! Thousands of them are not tried one after the other with each of thousands of files.

use std::collections::HashMap;

/// Numbers of globs, or of lists of them, by a name that they ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Shortlist {
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    /// Those that ask for no name.
    always: Vec<usize>,
}

impl Shortlist {
    /// Adds a glob that asks for all of these names. The one decides that the fewest ask for.
    pub(super) fn add<'n>(&mut self, index: usize, names: impl Iterator<Item = &'n [u8]>) {
        let asked = |name: &&[u8]| self.by_name.get(*name).map_or(0, Vec::len);
        match names.min_by_key(asked) {
            Some(name) => self.by_name.entry(name.to_vec()).or_default().push(index),
            None => self.always.push(index),
        }
    }

    /// Those that can match a path of these names, in order, each once.
    pub(super) fn of(&self, names: &[&[u8]]) -> Vec<usize> {
        let by_name = names.iter().filter_map(|name| self.by_name.get(*name));
        let mut out: Vec<usize> = by_name.flatten().chain(&self.always).copied().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}
