//! Where things stand in a [`Site`]: settings in force in a block, endpoints by cause, and
//! the targets of insertions. Looks up; must not judge.

use crate::finding::{Confidence, Target};
use crate::model::{Block, BlockId, BlockKind, Endpoint, Setting, Site};
use crate::text::Location;

/// Endpoints that share the line that decides.
#[derive(Debug)]
pub(super) struct Cause<K> {
    /// What they share.
    pub(super) key: K,
    /// Indices in [`Site::endpoints`], in order.
    pub(super) endpoints: Vec<usize>,
}

/// Reachable endpoints by what `key` says decides them; `None` leaves one out. In the order
/// of first appearance.
pub(super) fn causes<K: PartialEq>(
    site: &Site,
    key: impl Fn(&Endpoint) -> Option<K>,
) -> Vec<Cause<K>> {
    let mut causes = Vec::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        let Some(key) = key(endpoint).filter(|_| endpoint.reachable) else {
            continue;
        };
        join(&mut causes, key, index);
    }
    causes
}

/// Adds an endpoint to the cause with this key.
pub(super) fn join<K: PartialEq>(causes: &mut Vec<Cause<K>>, key: K, endpoint: usize) {
    match causes.iter_mut().find(|cause| cause.key == key) {
        Some(cause) if cause.endpoints.contains(&endpoint) => {}
        Some(cause) => cause.endpoints.push(endpoint),
        None => causes.push(Cause {
            key,
            endpoints: vec![endpoint],
        }),
    }
}

/// How findings name these endpoints.
pub(super) fn labels(site: &Site, endpoints: &[usize]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for endpoint in chosen(site, endpoints) {
        let label = endpoint.label();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
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

/// The settings of this name that stand directly in the block, in file order.
pub(super) fn own<'a>(
    site: &'a Site,
    block: BlockId,
    name: &'a str,
) -> impl Iterator<Item = &'a Setting> {
    site.settings
        .iter()
        .filter(move |setting| setting.block == block && setting.name == name)
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
pub(super) fn in_force<'a>(site: &'a Site, block: BlockId, name: &'a str) -> Option<&'a Setting> {
    let mut next = Some(block);
    while let Some(block) = next {
        let last = own(site, block, name).last();
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

/// The place of a block's name.
pub(super) fn head(site: &Site, id: BlockId) -> Option<Location> {
    block(site, id).map(|block| block.head.clone())
}

/// Distinct blocks of the endpoints with those that their connections start in.
pub(super) fn deciding_blocks(site: &Site, endpoints: &[usize]) -> Vec<BlockId> {
    let mut blocks = Vec::new();
    for endpoint in chosen(site, endpoints) {
        for id in [endpoint.governor, endpoint.block] {
            if !blocks.contains(&id) {
                blocks.push(id);
            }
        }
    }
    blocks
}

/// TLS blocks of this kind directly in `outer`; a file that is included twice counts once.
pub(super) fn tls_blocks_in(site: &Site, parent: BlockId, kind: BlockKind) -> usize {
    let mut places: Vec<&Location> = Vec::new();
    for (index, block) in site.blocks.iter().enumerate() {
        let inside = outer(site, BlockId(index as u32)) == Some(parent);
        let counts = inside && block.tls && block.kind == kind;
        if counts && !places.contains(&&block.location) {
            places.push(&block.location);
        }
    }
    places.len()
}
