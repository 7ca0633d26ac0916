//! Where things of a site are, by what is asked of every finding: made when first asked for,
//! so that no question has to look through the whole site. Must not judge.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::{BlockId, Setting, Site};
use crate::text::Location;

/// The lookups of one site. Empty until asked; it says nothing else than the site does.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    by_governor: OnceLock<Groups>,
    by_block: OnceLock<Groups>,
    by_place: OnceLock<Places>,
    by_ticket: OnceLock<ByTicket>,
}

impl Site {
    /// The endpoints whose connections start in a block, by their index, in order.
    pub fn governed_by(&self, block: BlockId) -> &[usize] {
        let by = self.lookups.by_governor.get_or_init(|| {
            let endpoints = self.endpoints.iter();
            Groups::of(self.blocks.len(), endpoints.map(|it| it.governor))
        });
        by.of_block(block)
    }

    /// The endpoints of a block, by their index, in order.
    pub fn endpoints_of(&self, block: BlockId) -> &[usize] {
        let by = self.lookups.by_block.get_or_init(|| {
            let endpoints = self.endpoints.iter();
            Groups::of(self.blocks.len(), endpoints.map(|it| it.block))
        });
        by.of_block(block)
    }

    /// How many endpoints that clients reach resume sessions without the server keeping them.
    pub fn resuming_by_ticket(&self) -> usize {
        self.by_ticket().all
    }

    /// The same of those whose connections start in a block.
    pub fn resuming_by_ticket_in(&self, governor: BlockId) -> usize {
        let by = &self.by_ticket().by_governor;
        by.get(governor.0 as usize)
            .map_or(0, |count| *count as usize)
    }

    fn by_ticket(&self) -> &ByTicket {
        self.lookups.by_ticket.get_or_init(|| {
            let mut by = ByTicket {
                all: 0,
                by_governor: vec![0; self.blocks.len()],
            };
            for endpoint in self.endpoints.iter().filter(|it| it.resumes_by_ticket()) {
                by.all += 1;
                by.by_governor[endpoint.governor.0 as usize] += 1;
            }
            by
        })
    }

    /// The settings that are written at a place, in order: several where a file is included
    /// more than once.
    pub fn settings_at(&self, place: &Location) -> impl Iterator<Item = &Setting> {
        let by = self.lookups.by_place.get_or_init(|| Places::of(self));
        let found = by.at(place).iter();
        let found = found.filter_map(|(_, index)| self.settings.get(*index as usize));
        found.filter(|setting| setting.location == *place)
    }
}

/// How many endpoints resume without the server keeping anything.
#[derive(Clone, Debug)]
struct ByTicket {
    all: usize,
    /// By the block's index.
    by_governor: Vec<u32>,
}

/// Endpoints by block: those of each block stand together, in order.
#[derive(Clone, Debug)]
struct Groups {
    /// Where those of each block begin; one more at the end.
    starts: Vec<usize>,
    endpoints: Vec<usize>,
}

impl Groups {
    fn of(blocks: usize, of: impl Iterator<Item = BlockId> + Clone) -> Self {
        let mut starts = vec![0; blocks + 1];
        for block in of.clone() {
            starts[block.0 as usize + 1] += 1;
        }
        for block in 0..blocks {
            starts[block + 1] += starts[block];
        }
        let mut next = starts.clone();
        let mut endpoints = vec![0; starts.last().copied().unwrap_or(0)];
        for (index, block) in of.enumerate() {
            let next = &mut next[block.0 as usize];
            endpoints[*next] = index;
            *next += 1;
        }
        Self { starts, endpoints }
    }

    fn of_block(&self, block: BlockId) -> &[usize] {
        let at = block.0 as usize;
        let ends = self.starts.get(at).zip(self.starts.get(at + 1));
        ends.map_or(&[], |(start, end)| &self.endpoints[*start..*end])
    }
}

/// Settings by a number made of their place, sorted: a table of places would be larger than
/// what it leads to.
#[derive(Clone, Debug)]
struct Places(Vec<(u64, u32)>);

impl Places {
    fn of(site: &Site) -> Self {
        let mut last: Option<(&Arc<Path>, u64)> = None;
        let numbered = site.settings.iter().enumerate().map(|(index, setting)| {
            let place = &setting.location;
            // A path is long, and neighbours stand in the same file.
            let path = match last.filter(|(path, _)| Arc::ptr_eq(path, &place.path)) {
                Some((_, number)) => number,
                None => number(&place.path),
            };
            last = Some((&place.path, path));
            (number(&(path, place.span)), index as u32)
        });
        let mut numbered: Vec<(u64, u32)> = numbered.collect();
        numbered.sort_unstable();
        Self(numbered)
    }

    /// Everything at a place, and perhaps something else.
    fn at(&self, place: &Location) -> &[(u64, u32)] {
        let asked = number(&(number(&place.path), place.span));
        let start = self.0.partition_point(|(number, _)| *number < asked);
        let rest = self.0.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|(number, _)| *number == asked);
        &rest[..count.count()]
    }
}

/// The same for the same, in every run.
fn number(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_order_and_blocks_without_any_are_empty() {
        let of = [2, 0, 2, 1].map(BlockId);
        let groups = Groups::of(4, of.into_iter());
        let found = (0..6).map(|block| groups.of_block(BlockId(block)).to_vec());
        let expected: [&[usize]; 6] = [&[1], &[3], &[0, 2], &[], &[], &[]];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
