//! nginx: the changes that put tickets under key files which somebody replaces, and the same
//! for the keys that nginx replaces itself. Must not judge whether that is wanted.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Context, goal, key_files, places, seconds, tickets_on};
use crate::catalog::Server;
use crate::finding::{Applicability, Change, Fix, GoLive};
use crate::model::{BlockId, BlockKind, Setting, Site};
use crate::policy::Policy;

const INCLUDE: &str = "include";
const TIMEOUT: &str = "ssl_session_timeout";
const DRAIN: &str = "worker_shutdown_timeout";

/// The pattern that an include of the rotated keys has: a folder that is still empty does not
/// keep nginx from starting, as a missing file would.
pub(super) fn pattern(policy: &Policy) -> String {
    policy
        .keys_directory
        .join("*.conf")
        .to_string_lossy()
        .into_owned()
}

/// What the fixes of many findings have in common: looked for when the first one asks.
#[derive(Default)]
pub(super) struct Common {
    /// By the blocks that connections start in.
    by_governors: RefCell<HashMap<Vec<BlockId>, Parts>>,
    /// What changes where a lifetime comes to stand around all servers, and how many blocks that
    /// connections start in have none yet.
    everywhere: OnceCell<(usize, Arc<[Change]>)>,
    /// By module, the first shared cache that is written there.
    pub(super) zones: OnceCell<Vec<(Option<BlockKind>, String)>>,
}

/// A fix's own changes, and those that it has in common with others.
type Parts = (Vec<Change>, Arc<[Change]>);

impl Common {
    /// What changes for all names of some addresses. `each` says it of a block that connections
    /// start in, and `lifetime` is to be written where none is.
    pub(super) fn of(
        &self,
        context: &Context<'_>,
        endpoints: &[usize],
        lifetime: &Lifetime,
        each: &dyn Fn(BlockId) -> Vec<Change>,
    ) -> Parts {
        let site = context.site;
        let mut governors = governors(site, endpoints);
        governors.sort_unstable();
        if let Some(known) = self.by_governors.borrow().get(&governors) {
            return known.clone();
        }
        let mut changes: Vec<Change> = Vec::new();
        let mut silent = false;
        for governor in &governors {
            changes.extend(each(*governor));
            let (own, is_silent) = lifetime.changes(context, *governor);
            changes.extend(own);
            silent |= is_silent;
        }
        let parts = match silent {
            false => (Vec::new(), sorted(changes)),
            true => {
                let everywhere = || everywhere(site, &lifetime.value);
                let (silent, everywhere) = self.everywhere.get_or_init(everywhere);
                // One list with all of it for each of many would be too much, and so would be
                // what changes at an address with each of its names where there are few.
                match silent * silent <= site.endpoints.len() {
                    true => {
                        changes.extend(everywhere.iter().cloned());
                        (Vec::new(), sorted(changes))
                    }
                    false => (changes, Arc::clone(everywhere)),
                }
            }
        };
        let mut known = self.by_governors.borrow_mut();
        known.insert(governors, parts.clone());
        parts
    }
}

fn sorted(mut changes: Vec<Change>) -> Arc<[Change]> {
    changes.sort();
    changes.dedup();
    changes.into()
}

/// A fix of these changes, which are told once each; `None` where nothing changes.
pub(super) fn together(
    title: &str,
    mut changes: Vec<Change>,
    common: Arc<[Change]>,
) -> Option<Fix> {
    changes.sort();
    changes.dedup();
    changes.retain(|change| common.binary_search(change).is_err());
    (!changes.is_empty() || !common.is_empty()).then(|| Fix {
        title: title.to_owned(),
        applicability: Applicability::Safe,
        changes,
        common,
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}

/// Tickets under the rotated key files of the policy's folder, for these endpoints.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize], known: &Common) -> Option<Fix> {
    let lifetime = Lifetime {
        value: seconds::for_nginx(goal::rotated_lifetime(context.policy)),
        longest: context.policy.rotation.longest_lifetime(),
    };
    let each = |governor| keys(context, governor);
    let (mut changes, common) = known.of(context, endpoints, &lifetime, &each);
    changes.extend(tickets_on::changes(context, endpoints));
    let drain = drain(context);
    let costs = drain.is_some().then(|| drain_cost(context.policy));
    changes.extend(drain);
    let title = "take ticket keys from the folder in which they are replaced";
    Some(Fix {
        costs: costs.into_iter().collect(),
        ..together(title, changes, common)?
    })
}

/// The blocks that connections of these endpoints start in.
pub(super) fn governors(site: &Site, endpoints: &[usize]) -> Vec<BlockId> {
    let mut seen = HashSet::new();
    let all = places::chosen(site, endpoints).map(|endpoint| endpoint.governor);
    all.filter(|id| seen.insert(*id)).collect()
}

/// The include in place of keys that nobody replaces. A list is taken over whole or not at all,
/// so a server's own keys have to go for those around it to count, and a key before the
/// include would encrypt.
fn keys(context: &Context<'_>, governor: BlockId) -> Vec<Change> {
    let site = context.site;
    let written = key_files::written(site, governor);
    if !written.is_empty() && key_files::not_replaced(context, &written).is_none() {
        return Vec::new();
    }
    let include = pattern(context.policy);
    let mut level = places::level(context, governor);
    let out_of_reach = |key: &&&Setting| places::is_out_of_reach(context.policy, key, governor);
    if written.iter().any(|key| out_of_reach(&key)) {
        // A list of its own takes the place of one around it that may not be edited.
        level = governor;
    }
    let own: Vec<&Setting> = written
        .into_iter()
        .filter(|key| !out_of_reach(&key))
        .collect();
    let mut changes = without(context, &own);
    // What a server's own list hid comes to light with it.
    let around: Vec<&Setting> = key_files::written(site, level);
    if level != governor && key_files::not_replaced(context, &around).is_some() {
        changes.extend(without(context, &around));
    }
    changes.extend(places::insertion(site, level, &[INCLUDE, &include]));
    changes
}

/// Key files taken away; those of the policy's folder by their include.
pub(super) fn without(context: &Context<'_>, keys: &[&Setting]) -> Vec<Change> {
    let site = context.site;
    let folder = &context.policy.keys_directory;
    let pattern = pattern(context.policy);
    let mut changes = Vec::new();
    for key in keys {
        if !key.location.path.starts_with(folder) {
            changes.push(removed(key));
            continue;
        }
        let includes = places::own(site, &[], key.block, INCLUDE);
        let listing = includes.filter(|it| it.arguments.first() == Some(&pattern));
        changes.extend(listing.map(removed));
    }
    changes
}

fn removed(setting: &Setting) -> Change {
    Change::Remove {
        statement: setting.location.clone(),
    }
}

/// How long sessions are to live.
pub(super) struct Lifetime {
    /// As it is written.
    pub(super) value: String,
    /// The longest that may stay, in seconds.
    pub(super) longest: u64,
}

impl Lifetime {
    /// A lifetime where none is written, or one that is zero or too long; and the same in the
    /// other servers of the address, where another value would say something else than what is
    /// in force. Where none is written it comes to stand around all servers, which changes more:
    /// see [`everywhere`].
    fn changes(&self, context: &Context<'_>, governor: BlockId) -> (Vec<Change>, bool) {
        let site = context.site;
        let value = &self.value;
        let written = places::in_force(site, &[], governor, TIMEOUT);
        if written.is_some_and(|one| is_within(one, self.longest)) {
            return (Vec::new(), false);
        }
        let inserted = |level| places::insertion(site, level, &[TIMEOUT, value]);
        let Some(written) = written else {
            let around = inserted(places::level(context, governor));
            return (around.into_iter().collect(), true);
        };
        let mut changes = behind(site, governor, value);
        match places::is_out_of_reach(context.policy, written, governor) {
            true => changes.extend(inserted(governor)),
            false => changes.push(set(written, value)),
        }
        (changes, false)
    }
}

/// A line around all servers is in force for those too that are right already: what stands in
/// servers behind those for which no lifetime is in force, and how many of these there are.
fn everywhere(site: &Site, value: &str) -> (usize, Arc<[Change]>) {
    let mut seen = HashSet::new();
    let everybody = site.endpoints.iter().map(|endpoint| endpoint.governor);
    let silent = everybody
        .filter(|id| seen.insert(*id) && places::in_force(site, &[], *id, TIMEOUT).is_none());
    let silent: Vec<BlockId> = silent.collect();
    let changes = silent.iter().flat_map(|id| behind(site, *id, value));
    (silent.len(), sorted(changes.collect()))
}

/// What stands in the other servers of an address.
fn behind(site: &Site, governor: BlockId, value: &str) -> Vec<Change> {
    let blocks = places::blocks_behind(site, governor).into_iter();
    let own = blocks.filter_map(|block| places::own(site, &[], block, TIMEOUT).next_back());
    own.map(|own| set(own, value)).collect()
}

fn is_within(setting: &Setting, longest: u64) -> bool {
    let meant = seconds::meant(&setting.arguments.join(" "));
    meant.is_some_and(|meant| meant > 0 && meant <= longest)
}

fn set(setting: &Setting, value: &str) -> Change {
    Change::SetArguments {
        statement: setting.location.clone(),
        arguments: vec![value.to_owned()],
    }
}

/// The statement after which no process keeps old keys for longer than one of them encrypts;
/// `None` where one says so, and in a fragment, which has no main level.
pub(super) fn drain(context: &Context<'_>) -> Option<Change> {
    let site = context.site;
    let main = whole_main(site)?;
    let most = context.policy.rotation.interval;
    let value = seconds::for_nginx(most);
    match places::own(site, &[], main, DRAIN).next_back() {
        Some(written) if is_within(written, most) => None,
        Some(written) => Some(set(written, &value)),
        None => places::insertion(site, main, &[DRAIN, &value]),
    }
}

/// What the drain costs.
pub(super) fn drain_cost(policy: &Policy) -> String {
    format!(
        "connections that last longer than {} after a reload are cut, WebSockets among them",
        seconds::for_people(policy.rotation.interval)
    )
}

/// The top level of a main file; `None` for a fragment, which does not say what stands there.
pub(super) fn whole_main(site: &Site) -> Option<BlockId> {
    debug_assert!(site.server == Server::Nginx);
    let outer = [BlockKind::Http, BlockKind::Stream, BlockKind::Mail];
    let whole = site
        .blocks
        .iter()
        .any(|block| outer.contains(&block.kind) && block.directive.is_some());
    places::main_block(site).filter(|_| whole)
}
