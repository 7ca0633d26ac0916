//! nginx: the changes that put tickets under the keys that nginx keeps and replaces in a shared
//! session cache. Must not judge whether the version does so, or does it well.

use std::collections::HashSet;

use super::rotation::{Common, Lifetime};
use super::{Context, key_files, places, rotation, seconds, sessions_off, tickets_on};
use crate::catalog::Server;
use crate::finding::{Change, Fix};
use crate::model::{BlockId, BlockKind, Setting, Site};

const CACHE: &str = sessions_off::directive(Server::Nginx);
/// A cache of ten megabytes holds about 40,000 sessions, as nginx's documentation says.
const SIZE: &str = "10m";
/// What nginx does where nothing is written; with its own keys it is also how often they are
/// replaced.
const LIFETIME: u64 = 300;

/// Tickets under nginx's own keys, for these endpoints.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize], known: &Common) -> Option<Fix> {
    let lifetime = Lifetime {
        value: seconds::for_nginx(LIFETIME),
        longest: u64::MAX,
    };
    let each = |governor| {
        let mut changes = caches(context, governor, known);
        let keys = key_files::written(context.site, governor);
        changes.extend(rotation::without(context, &keys));
        changes
    };
    let (mut changes, common) = known.of(context, endpoints, &lifetime, &each);
    changes.extend(tickets_on::changes(context, endpoints));
    let title = "let nginx keep and replace the ticket keys in a shared session cache";
    let cost = "a restart ends every session; other machines cannot resume them";
    Some(Fix {
        costs: vec![cost.to_owned()],
        ..rotation::together(title, changes, common)?
    })
}

/// A shared cache in the block that connections start in. Statements of one block add up and
/// `none` sticks, so the first is edited and the others go.
fn caches(context: &Context<'_>, governor: BlockId, known: &Common) -> Vec<Change> {
    let site = context.site;
    let mut seen = HashSet::new();
    if is_shared(site, governor) {
        return Vec::new();
    }
    let word = zone(site, governor, known);
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
fn zone(site: &Site, governor: BlockId, known: &Common) -> String {
    let module = outermost(site, governor);
    let mut near = places::blocks_behind(site, governor);
    near.extend(places::outer(site, governor));
    let near = near.into_iter();
    let near = near.flat_map(|id| places::own(site, &[], id, CACHE));
    // All settings lie in one list, in file order.
    let near = near.filter(|one| shared(one).is_some());
    let near = near.min_by_key(|one| std::ptr::from_ref(*one));
    let near = near.and_then(shared).cloned();
    let anywhere = || {
        let known = known.zones.get_or_init(|| zones(site));
        let known = known.iter().find(|(of, _)| *of == module);
        known.map(|(_, word)| word.clone())
    };
    near.or_else(anywhere).unwrap_or_else(|| {
        let module = match module {
            Some(BlockKind::Stream) => "stream",
            Some(BlockKind::Mail) => "mail",
            _ => "http",
        };
        format!("shared:sessions_{module}:{SIZE}")
    })
}

/// The first shared cache of each module.
fn zones(site: &Site) -> Vec<(Option<BlockKind>, String)> {
    let mut zones: Vec<(Option<BlockKind>, String)> = Vec::new();
    for (one, word) in places::named(site, CACHE).filter_map(|one| Some((one, shared(one)?))) {
        let module = outermost(site, one.block);
        if zones.iter().all(|(of, _)| *of != module) {
            zones.push((module, word.clone()));
        }
    }
    zones
}

fn shared(setting: &Setting) -> Option<&String> {
    let mut words = setting.arguments.iter();
    words.find(|word| word.starts_with("shared:"))
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
