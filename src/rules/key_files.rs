//! Which key files are in force at an endpoint, and what the configuration shows of their
//! rotation. Must not judge.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::sync::Arc;

use super::{Context, option_list, places, tickets_off};
use crate::catalog::{self, Server, behaviours};
use crate::finding::{Applicability, Change, Fix, GoLive};
use crate::model::{BlockId, Endpoint, KeySource, Setting, Site};

/// The directive that names a key file.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => "ssl_session_ticket_key",
        Server::Apache => "SSLSessionTicketKeyFile",
    }
}

/// The statements whose files are in force at an endpoint, the encrypting one first.
pub(super) fn in_force<'a>(site: &'a Site, endpoint: &'a Endpoint) -> Vec<&'a Setting> {
    if endpoint.ticket_key.source != KeySource::Files {
        return Vec::new();
    }
    let name = directive(site.server);
    if site.server == Server::Apache {
        let last = places::in_force(site, &endpoint.when, endpoint.block, name);
        return last.into_iter().collect();
    }
    written(site, endpoint.governor)
}

/// nginx: the statements that a block's list of key files consists of, whether tickets are on
/// or not. One of its own replaces the list around it.
pub(super) fn written(site: &Site, block: BlockId) -> Vec<&Setting> {
    let name = directive(Server::Nginx);
    let own: Vec<&Setting> = places::own(site, &[], block, name).collect();
    match places::outer(site, block) {
        Some(outer) if own.is_empty() => places::own(site, &[], outer, name).collect(),
        _ => own,
    }
}

/// What shows that the first of these keys, which encrypts, is not replaced.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub(super) enum Sign {
    /// Seconds since it was written.
    Age(u64),
    /// One file, and nothing else is known.
    Alone,
}

/// Whether the first of these keys, which encrypts, is not replaced; `None` where it is, as far
/// as one can tell.
pub(super) fn not_replaced(context: &Context<'_>, keys: &[&Setting]) -> Option<Sign> {
    let site = context.site;
    let first = keys.first()?;
    match age(site, &first.arguments) {
        Some(age) if age > context.policy.key_age => Some(Sign::Age(age)),
        Some(_) => None,
        None if is_by_pattern(site, first) => None,
        // One that is written down before a list that changes encrypts, whatever the list says.
        None if keys.len() > 1 && !by_pattern(site, keys) => None,
        None => Some(Sign::Alone),
    }
}

/// A checkout's age is that of the checkout.
fn age(site: &Site, arguments: &[String]) -> Option<u64> {
    let facts = site.facts.of(arguments.first()?)?;
    facts.age.filter(|_| !facts.versioned)
}

/// True where statements stand in files that a pattern includes: whoever writes
/// `include keys/*.conf` puts other files there from time to time.
pub(super) fn by_pattern(site: &Site, keys: &[&Setting]) -> bool {
    keys.iter().any(|key| is_by_pattern(site, key))
}

/// One of the includes that lead from a file of the block to the key has a pattern.
fn is_by_pattern(site: &Site, key: &Setting) -> bool {
    let includes = || places::own(site, &key.when, key.block, "include");
    let mut file = &key.location.path;
    // More steps than includes would be a circle.
    for _ in includes() {
        let mut takers = includes().filter(|it| it.location.path != *file && takes(it, file));
        let Some(first) = takers.next() else {
            return false;
        };
        if [first]
            .into_iter()
            .chain(takers)
            .any(|it| pattern(it).contains(SPECIAL))
        {
            return true;
        }
        file = &first.location.path;
    }
    false
}

const SPECIAL: [char; 3] = ['*', '?', '['];

fn pattern(include: &Setting) -> &str {
    include.arguments.first().map_or("", String::as_str)
}

/// True where an include names this file, as far as its parts say from the last one on: each
/// begins and ends as written around what is special in it.
fn takes(include: &Setting, file: &Path) -> bool {
    let wanted = Path::new(pattern(include)).components().rev();
    let parts = file.components().rev();
    let mut pairs = wanted.zip(parts).filter_map(|(wanted, part)| {
        let text = |it: Component<'_>| it.as_os_str().to_string_lossy().into_owned();
        let named = matches!(wanted, Component::Normal(_));
        named.then(|| (text(wanted), text(part)))
    });
    pairs.all(|(wanted, part)| {
        let (Some(from), Some(to)) = (wanted.find(SPECIAL), wanted.rfind(['*', '?', ']'])) else {
            return wanted == part;
        };
        part.starts_with(&wanted[..from]) && part.ends_with(&wanted[to + 1..])
    })
}

/// True where httpd does not authenticate tickets by the key file: on OpenSSL 3.
pub(super) fn unreliable(site: &Site) -> bool {
    let fact = catalog::library_fact("provider-mac-in-ticket-callback");
    let library = fact.is_some_and(|fact| fact.holds(site.platform.library.value));
    let server = behaviours::apache::KEY_FILE_HMAC_UNUSED_WITH_OPENSSL_3;
    site.server == Server::Apache && library && server.holds(site.platform.server.value)
}

/// httpd: what takes tickets and key files away together. Keeps what the names of an address have in
/// common.
#[derive(Default)]
pub(super) struct Removals {
    /// By the blocks in which connections start.
    common: HashMap<Vec<BlockId>, Arc<[Change]>>,
}

impl Removals {
    /// No tickets at all at the addresses of these endpoints, and no key files left that would
    /// then have no effect. `None` where that would touch other addresses.
    pub(super) fn fix(&mut self, context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
        let site = context.site;
        for block in places::deciding_blocks(site, endpoints) {
            if option_list::deciding(site, &[], block).is_some() {
                return None;
            }
        }
        let governors = places::governors(site, endpoints);
        let common = self
            .common
            .entry(governors)
            .or_insert_with_key(|governors| {
                let beside = places::blocks_of(site, governors);
                let name = directive(Server::Apache);
                let written = beside
                    .iter()
                    .flat_map(|id| places::own(site, &[], *id, name));
                let mut common: Vec<Change> = written.map(removed).collect();
                common.sort();
                common.dedup();
                common.into()
            });
        let used = places::chosen(site, endpoints).flat_map(|endpoint| in_force(site, endpoint));
        let mut changes: Vec<Change> = used.map(removed).collect();
        changes.extend(tickets_off::changes(context, endpoints));
        changes.sort();
        changes.dedup();
        changes.retain(|change| common.binary_search(change).is_err());
        Some(Fix {
            title: "turn session tickets off and take the key file away".to_owned(),
            applicability: Applicability::Unsafe,
            changes,
            common: Arc::clone(common),
            costs: vec![
                "returning clients do a full handshake wherever no session cache is configured"
                    .to_owned(),
            ],
            go_live: GoLive::Reload,
        })
    }
}

fn removed(setting: &Setting) -> Change {
    Change::Remove {
        statement: setting.location.clone(),
    }
}
