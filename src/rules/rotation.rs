//! nginx: the changes that put tickets under key files which somebody replaces, and the same
//! for the keys that nginx replaces itself. Must not judge whether that is wanted.

use std::collections::HashSet;
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

/// Tickets under the rotated key files of the policy's folder, for these endpoints.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    let site = context.site;
    let mut changes = tickets_on::changes(context, endpoints);
    for governor in governors(site, endpoints) {
        changes.extend(keys(context, governor));
    }
    let longest = context.policy.rotation.longest_lifetime();
    let lifetime = goal::rotated_lifetime(context.policy);
    changes.extend(lifetimes(context, endpoints, (lifetime, longest)));
    let drain = drain(context);
    let costs = drain.is_some().then(|| drain_cost(context.policy));
    changes.extend(drain);
    changes.sort();
    changes.dedup();
    (!changes.is_empty()).then(|| Fix {
        title: "take ticket keys from the folder in which they are replaced".to_owned(),
        applicability: Applicability::Safe,
        changes,
        common: Arc::default(),
        costs: costs.into_iter().collect(),
        go_live: GoLive::Reload,
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

/// A lifetime where none is written, or one that is zero or longer than `longest`; and the
/// same in the other servers of the address, where another value would say something else than
/// what is in force.
pub(super) fn lifetimes(
    context: &Context<'_>,
    endpoints: &[usize],
    (lifetime, longest): (u64, u64),
) -> Vec<Change> {
    let site = context.site;
    let value = seconds::for_nginx(lifetime);
    let mut changes = Vec::new();
    for governor in governors(site, endpoints) {
        let written = places::in_force(site, &[], governor, TIMEOUT);
        if written.is_some_and(|one| is_within(one, longest)) {
            continue;
        }
        let level = match written {
            None => Some(places::level(context, governor)),
            Some(it) => places::is_out_of_reach(context.policy, it, governor).then_some(governor),
        };
        match (level, written) {
            (None, Some(written)) => changes.push(set(written, &value)),
            (level, _) => {
                let level = level.unwrap_or(governor);
                changes.extend(places::insertion(site, level, &[TIMEOUT, &value]));
            }
        }
        // A line around all servers is in force for those too that are right already.
        let everybody = site.endpoints.iter().map(|endpoint| endpoint.governor);
        let silent = |id: &BlockId| places::in_force(site, &[], *id, TIMEOUT).is_none();
        let mut concerned: HashSet<BlockId> = HashSet::from([governor]);
        if written.is_none() {
            concerned.extend(everybody.filter(silent));
        }
        for block in concerned
            .iter()
            .flat_map(|id| places::blocks_behind(site, *id))
        {
            let own = places::own(site, &[], block, TIMEOUT).next_back();
            changes.extend(own.map(|own| set(own, &value)));
        }
    }
    changes
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
