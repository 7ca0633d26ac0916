//! nginx: the changes that put tickets under the keys that nginx keeps and replaces in a shared
//! session cache. Must not judge whether the version does so, or does it well.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Context, key_files, places, rotation, sessions_off, tickets_on};
use crate::catalog::Server;
use crate::finding::{Applicability, Change, Fix, GoLive};
use crate::model::{BlockId, BlockKind, Setting, Site};

const CACHE: &str = sessions_off::directive(Server::Nginx);
/// A cache of ten megabytes holds about 40,000 sessions, as nginx's documentation says.
const SIZE: &str = "10m";
/// What nginx does where nothing is written; with its own keys it is also how often they are
/// replaced.
const LIFETIME: u64 = 300;

/// Tickets under nginx's own keys, for these endpoints.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    let site = context.site;
    let mut changes = tickets_on::changes(context, endpoints);
    let mut seen = HashSet::new();
    for governor in rotation::governors(site, endpoints) {
        changes.extend(caches(context, governor, &mut seen));
        let keys = key_files::written(site, governor);
        changes.extend(rotation::without(context, &keys));
    }
    changes.extend(rotation::lifetimes(
        context,
        endpoints,
        (LIFETIME, u64::MAX),
    ));
    changes.sort();
    changes.dedup();
    (!changes.is_empty()).then(|| Fix {
        title: "let nginx keep and replace the ticket keys in a shared session cache".to_owned(),
        applicability: Applicability::Safe,
        changes,
        common: Arc::default(),
        costs: vec!["a restart ends every session; other machines cannot resume them".to_owned()],
        go_live: GoLive::Reload,
    })
}

/// A shared cache in the block that connections start in. Statements of one block add up and
/// `none` sticks, so the first is edited and the others go.
fn caches(context: &Context<'_>, governor: BlockId, seen: &mut HashSet<BlockId>) -> Vec<Change> {
    let site = context.site;
    if is_shared(site, governor) {
        return Vec::new();
    }
    let word = zone(site, governor);
    let mut changes = Vec::new();
    let in_force = places::in_force(site, &[], governor, CACHE);
    let hidden = in_force.is_some_and(|it| places::is_out_of_reach(context.policy, it, governor));
    let holder = in_force.map(|one| one.block);
    match holder {
        _ if hidden => changes.extend(places::insertion(site, governor, &[CACHE, &word])),
        None => {
            let level = places::level(context, governor);
            changes.extend(places::insertion(site, level, &[CACHE, &word]));
        }
        Some(holder) if seen.insert(holder) => changes.extend(replaced(site, holder, &word)),
        Some(_) => {}
    }
    // Another cache of another server of the address, its own or around it, would say what is
    // not in force.
    for block in places::blocks_behind(site, governor) {
        let holder = places::in_force(site, &[], block, CACHE).map(|one| one.block);
        if let Some(holder) = holder.filter(|holder| seen.insert(*holder)) {
            changes.extend(replaced(site, holder, &word));
        }
    }
    changes
}

fn replaced(site: &Site, block: BlockId, word: &str) -> Vec<Change> {
    let mut statements = places::own(site, &[], block, CACHE);
    let first = statements.next().map(|first| Change::SetArguments {
        statement: first.location.clone(),
        arguments: vec![word.to_owned()],
    });
    let rest = statements.map(|other| Change::Remove {
        statement: other.location.clone(),
    });
    first.into_iter().chain(rest).collect()
}

/// Whether sessions of a block are kept in a zone: kind and zone are inherited apart.
fn is_shared(site: &Site, block: BlockId) -> bool {
    let words = |id: BlockId| -> Vec<&str> {
        let own = places::own(site, &[], id, CACHE);
        own.flat_map(|one| one.arguments.iter().map(String::as_str))
            .collect()
    };
    let own = words(block);
    let around = places::outer(site, block).map(words).unwrap_or_default();
    let kinds = if own.is_empty() { &around } else { &own };
    let off = kinds.iter().any(|word| ["off", "none"].contains(word));
    let zone = |words: &[&str]| words.iter().any(|word| word.starts_with("shared:"));
    !off && (zone(&own) || zone(&around))
}

/// A zone of the module that is there already, one around the servers or of the same address
/// first, or a new one.
fn zone(site: &Site, governor: BlockId) -> String {
    let module = outermost(site, governor);
    let mut near = places::blocks_behind(site, governor);
    near.extend(places::outer(site, governor));
    let statements: Vec<&Setting> = places::named(site, CACHE)
        .filter(|one| outermost(site, one.block) == module)
        .collect();
    let near = |one: &&&Setting| near.contains(&one.block);
    let mut in_order = statements.iter().filter(near).chain(&statements);
    let known = in_order.find_map(|one| {
        let mut words = one.arguments.iter();
        words.find(|word| word.starts_with("shared:")).cloned()
    });
    known.unwrap_or_else(|| {
        let module = match module {
            Some(BlockKind::Stream) => "stream",
            Some(BlockKind::Mail) => "mail",
            _ => "http",
        };
        format!("shared:sessions_{module}:{SIZE}")
    })
}

fn outermost(site: &Site, block: BlockId) -> Option<BlockKind> {
    let modules = [BlockKind::Http, BlockKind::Stream, BlockKind::Mail];
    let mut next = Some(block);
    while let Some(id) = next {
        let kind = places::block(site, id)?.kind;
        if modules.contains(&kind) {
            return Some(kind);
        }
        next = places::outer(site, id);
    }
    None
}
