//! Where things stand in a [`Site`]: settings in force in a block, endpoints by cause, and
//! the targets of insertions. Looks up; must not judge.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::Context;
use crate::finding::{Change, Confidence, Target};
use crate::model::{Block, BlockId, BlockKind, Endpoint, Setting, SettingId, Site};
use crate::policy::Policy;
use crate::text::Location;

/// Endpoints that share the line that decides.
#[derive(Debug)]
pub(super) struct Cause<K> {
    /// What they share.
    pub(super) key: K,
    /// Indices in [`Site::endpoints`], in order.
    pub(super) endpoints: Vec<usize>,
}

/// Causes in the order of their first appearance.
#[derive(Debug)]
pub(super) struct Causes<K> {
    found: Vec<Cause<K>>,
    known: HashMap<K, usize>,
}

impl<K: Clone + Eq + Hash> Causes<K> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            found: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Adds an endpoint to the cause with this key.
    pub(super) fn join(&mut self, key: K, endpoint: usize) {
        let next = self.found.len();
        let index = *self.known.entry(key.clone()).or_insert(next);
        match self.found.get_mut(index) {
            Some(cause) if cause.endpoints.last() == Some(&endpoint) => {}
            Some(cause) => cause.endpoints.push(endpoint),
            None => self.found.push(Cause {
                key,
                endpoints: vec![endpoint],
            }),
        }
    }

    /// What came together.
    pub(super) fn found(&self) -> &[Cause<K>] {
        &self.found
    }
}

/// Reachable endpoints by what `key` says decides them; `None` leaves one out.
pub(super) fn causes<K: Clone + Eq + Hash>(
    site: &Site,
    key: impl Fn(&Endpoint) -> Option<K>,
) -> Causes<K> {
    let mut causes = Causes::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        let key = key(endpoint).filter(|_| endpoint.reachable);
        if let Some(key) = key {
            causes.join(key, index);
        }
    }
    causes
}

/// How findings name these endpoints.
pub(super) fn labels(site: &Site, endpoints: &[usize]) -> Vec<String> {
    let mut seen = HashSet::new();
    let labels = chosen(site, endpoints).map(Endpoint::label);
    labels.filter(|label| seen.insert(label.clone())).collect()
}

/// The conditions without which none of these endpoints exists.
pub(super) fn conditions(site: &Site, endpoints: &[usize]) -> Vec<String> {
    let mut chosen = chosen(site, endpoints);
    let Some(first) = chosen.next() else {
        return Vec::new();
    };
    let mut common = first.when.clone();
    for endpoint in chosen {
        common.retain(|condition| endpoint.when.contains(condition));
    }
    common
}

/// A finding under an undecided condition is less sure.
pub(super) fn confidence(when: &[String]) -> Confidence {
    if when.is_empty() {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

/// These endpoints; indices that do not exist are left out.
pub(super) fn chosen<'a>(
    site: &'a Site,
    endpoints: &'a [usize],
) -> impl Iterator<Item = &'a Endpoint> {
    endpoints
        .iter()
        .filter_map(|index| site.endpoints.get(*index))
}

/// A block.
pub(super) fn block(site: &Site, id: BlockId) -> Option<&Block> {
    site.blocks.get(id.0 as usize)
}

/// The settings that the judged version reads, in file order.
pub(super) fn settings(site: &Site) -> impl Iterator<Item = &Setting> {
    site.settings.iter().filter(|setting| !setting.excluded)
}

/// The settings of a name of the catalog that the judged version reads, in file order.
pub(super) fn named<'a>(
    site: &'a Site,
    name: &str,
) -> impl DoubleEndedIterator<Item = &'a Setting> + Clone {
    among(site, site.by_name.named(name))
}

/// The settings of these that the judged version reads.
pub(super) fn among<'a>(
    site: &'a Site,
    ids: &'a [SettingId],
) -> impl DoubleEndedIterator<Item = &'a Setting> + Clone {
    let settings = ids.iter().filter_map(|id| site.settings.get(id.0 as usize));
    settings.filter(|setting| !setting.excluded)
}

/// The settings of this name that stand directly in the block, in file order, where they are
/// in force under these conditions.
pub(super) fn own<'a>(
    site: &'a Site,
    when: &'a [String],
    block: BlockId,
    name: &str,
) -> impl DoubleEndedIterator<Item = &'a Setting> {
    let block = self::block(site, block);
    let ids = block.map_or(&[][..], |block| block.by_name.named(name));
    among(site, ids).filter(|setting| setting.when.iter().all(|it| when.contains(it)))
}

/// The block around this one; httpd's virtual hosts stand in the top level.
pub(super) fn outer(site: &Site, id: BlockId) -> Option<BlockId> {
    let block = block(site, id)?;
    if block.parent.is_some() || block.kind != BlockKind::VirtualHost {
        return block.parent;
    }
    main_block(site)
}

/// httpd's top level.
pub(super) fn main_block(site: &Site) -> Option<BlockId> {
    let index = site
        .blocks
        .iter()
        .position(|block| block.kind == BlockKind::Main)?;
    Some(BlockId(index as u32))
}

/// The last setting of this name in the block, or else in the nearest block around it.
pub(super) fn in_force<'a>(
    site: &'a Site,
    when: &'a [String],
    block: BlockId,
    name: &str,
) -> Option<&'a Setting> {
    let mut next = Some(block);
    while let Some(block) = next {
        let last = own(site, when, block, name).next_back();
        if last.is_some() {
            return last;
        }
        next = outer(site, block);
    }
    None
}

/// Where to add a statement to a block.
pub(super) fn target(site: &Site, id: BlockId) -> Option<Target> {
    let block = block(site, id)?;
    Some(match block.directive {
        Some(_) => Target::Block(block.location.clone()),
        None => Target::File(block.location.path.clone()),
    })
}

/// False where no fix may edit the file.
pub(super) fn is_editable(policy: &Policy, location: &Location) -> bool {
    !policy.untouchable.contains(&*location.path)
}

/// True for a statement around a block whose file no fix may edit: one in the block itself
/// overrides it.
pub(super) fn is_out_of_reach(policy: &Policy, setting: &Setting, block: BlockId) -> bool {
    setting.block != block && !is_editable(policy, &setting.location)
}

/// The block in which one line is enough: the only TLS server itself, else the block around
/// all of them, unless its file may not be edited.
pub(super) fn level(context: &Context<'_>, id: BlockId) -> BlockId {
    let site = context.site;
    let Some(parent) = outer(site, id) else {
        return id;
    };
    let place = |id| block(site, id).map(|block| &block.location);
    if place(parent).is_some_and(|place| !is_editable(context.policy, place)) {
        return id;
    }
    let speaks = block(site, id).is_some_and(|block| block.tls);
    if speaks && tls_blocks_in(site, parent, BlockKind::Server) == 1 {
        id
    } else {
        parent
    }
}

/// A statement added to a block.
pub(super) fn insertion(site: &Site, id: BlockId, words: &[&str]) -> Option<Change> {
    Some(Change::Insert {
        target: target(site, id)?,
        statement: words.iter().map(|word| (*word).to_owned()).collect(),
    })
}

/// The place of a block's name.
pub(super) fn head(site: &Site, id: BlockId) -> Option<Location> {
    block(site, id).map(|block| block.head.clone())
}

/// Distinct blocks of the endpoints with those that their connections start in.
pub(super) fn deciding_blocks(site: &Site, endpoints: &[usize]) -> Vec<BlockId> {
    let mut seen = HashSet::new();
    let both = chosen(site, endpoints).flat_map(|endpoint| [endpoint.governor, endpoint.block]);
    both.filter(|id| seen.insert(*id)).collect()
}

/// The blocks in which the connections of these endpoints start, sorted.
pub(super) fn governors(site: &Site, endpoints: &[usize]) -> Vec<BlockId> {
    let mut governors: Vec<BlockId> = chosen(site, endpoints).map(|it| it.governor).collect();
    governors.sort_unstable();
    governors.dedup();
    governors
}

/// The blocks of every endpoint whose connections start in one of these.
pub(super) fn blocks_of(site: &Site, governors: &[BlockId]) -> Vec<BlockId> {
    let governed = governors.iter().flat_map(|id| site.governed_by(*id));
    let mut governed: Vec<usize> = governed.copied().collect();
    governed.sort_unstable();
    deciding_blocks(site, &governed)
}

/// The other blocks of the endpoints whose connections start in a block.
pub(super) fn blocks_behind(site: &Site, governor: BlockId) -> Vec<BlockId> {
    let mut seen = HashSet::from([governor]);
    let behind = chosen(site, site.governed_by(governor));
    behind
        .map(|endpoint| endpoint.block)
        .filter(|id| seen.insert(*id))
        .collect()
}

/// TLS blocks of this kind directly in `parent`: 0, 1, or 2 for more, because it is asked of
/// every block and the second one answers. A file that is included twice counts once.
pub(super) fn tls_blocks_in(site: &Site, parent: BlockId, kind: BlockKind) -> usize {
    let inside = |(index, block): &(usize, &Block)| {
        block.tls && block.kind == kind && outer(site, BlockId(*index as u32)) == Some(parent)
    };
    let blocks = site.blocks.iter().enumerate().filter(inside);
    let mut places = blocks.map(|(_, block)| &block.location);
    let Some(first) = places.next() else {
        return 0;
    };
    if places.any(|other| other != first) {
        2
    } else {
        1
    }
}
