//! Where things of a site are, by what is asked of every finding: made when first asked for,
//! so that no question has to look through the whole site. Must not judge.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{BlockId, Setting, Site};
use crate::text::Location;

/// The lookups of one site. Empty until asked; it says nothing else than the site does.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    by_governor: OnceLock<HashMap<BlockId, Vec<usize>>>,
    by_block: OnceLock<HashMap<BlockId, Vec<usize>>>,
    by_place: OnceLock<HashMap<Location, Vec<usize>>>,
}

impl Site {
    /// The endpoints whose connections start in a block, by their index, in order.
    pub fn governed_by(&self, block: BlockId) -> &[usize] {
        let by = self.lookups.by_governor.get_or_init(|| {
            let endpoints = self.endpoints.iter();
            grouped(endpoints.map(|endpoint| endpoint.governor))
        });
        by.get(&block).map_or(&[], Vec::as_slice)
    }

    /// The endpoints of a block, by their index, in order.
    pub fn endpoints_of(&self, block: BlockId) -> &[usize] {
        let by = self.lookups.by_block.get_or_init(|| {
            let endpoints = self.endpoints.iter();
            grouped(endpoints.map(|endpoint| endpoint.block))
        });
        by.get(&block).map_or(&[], Vec::as_slice)
    }

    /// The settings that are written at a place, in order: several where a file is included
    /// more than once.
    pub fn settings_at(&self, place: &Location) -> impl Iterator<Item = &Setting> {
        let by = self.lookups.by_place.get_or_init(|| {
            let settings = self.settings.iter();
            grouped(settings.map(|setting| setting.location.clone()))
        });
        let found = by.get(place).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|index| self.settings.get(*index))
    }
}

fn grouped<K: Eq + std::hash::Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, Vec<usize>> {
    let mut groups: HashMap<K, Vec<usize>> = HashMap::new();
    for (index, key) in keys.enumerate() {
        groups.entry(key).or_default().push(index);
    }
    groups
}
