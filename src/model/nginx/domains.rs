//! Session domains: the sets of sessions that one store or one key can open, and what
//! happens to a session of one name at another name of the socket.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::deciders::Decides;
use super::pair::{Ids, Pair, Store};
use super::state::protocols;
use crate::catalog::{Decider, Version, behaviours};
use crate::model::domains::{Domain, Keeper, Numbers, Reach};
use crate::model::state::State;
use crate::model::{
    BlockId, ClientAuth, CrossName, KeySource, Module, Tls12Id, Tls12Ticket, Tls13Issued,
};

/// An endpoint as the domains see it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Party<'a> {
    pub(super) pair: Pair<'a>,
    pub(super) state: &'a State<'a>,
    pub(super) governor: BlockId,
}

/// The domains of an endpoint.
pub(super) fn reach(party: Party<'_>) -> Reach {
    let Party { pair, state, .. } = party;
    let resumes13 = state.tls13.resumes.ever();
    // A ticket that is dead here may live elsewhere, where its key is in use.
    let stateless13 = state.tls13.issued == Tls13Issued::Stateless && !pair.no_time_in_tls13();
    let stateful13 = state.tls13.issued == Tls13Issued::Stateful && resumes13;
    Reach {
        keys: keys(party),
        store: store(party),
        own_store: (pair.stores() == Store::Worker).then(|| worker_store(party)),
        id12: state.tls12.session_id.kept_here(),
        ticket12: state.tls12.ticket == Tls12Ticket::Resumes,
        stateless13,
        stateful13,
        opens_tickets: opens_tickets(&pair, state),
        opens_ids: opens_ids(&pair, state),
        opens_stateful: opens_stateful(&pair, state),
    }
}

/// Where both blocks count, a ticket is opened by A's flag alone, though B, being off,
/// issues none.
fn opens_tickets(pair: &Pair<'_>, state: &State<'_>) -> bool {
    if state.rejects && !resumes_unasked(pair) {
        return false;
    }
    match pair.decider(Decides::Tickets) {
        Decider::Both => pair.a.tickets_effective().value,
        _ => pair.b.tickets_effective().value,
    }
}

/// What A's store keeps is opened by its id at B, though B's `off` hands out none.
fn opens_ids(pair: &Pair<'_>, state: &State<'_>) -> bool {
    let spoken = match state.rejects {
        true => resumes_unasked(pair),
        false => state.tls12.session_id != Tls12Id::Unavailable,
    };
    spoken && pair.stores() != Store::None
}

/// Before a block chosen by name decided, OpenSSL resumed a TLS 1.2 session first and then
/// gave nginx the session's own name, so that the block asked for was not heard: not even
/// one that rejects.
fn resumes_unasked(pair: &Pair<'_>) -> bool {
    !by_block(pair.version) && protocols(pair).tls12
}

/// A 32-byte ticket is looked up in the store where no stateless ones are opened.
fn opens_stateful(pair: &Pair<'_>, state: &State<'_>) -> bool {
    let spoken = state.tls13.issued != Tls13Issued::Unavailable;
    spoken && !opens_tickets(pair, state) && pair.stores() != Store::None
}

/// The keys that open tickets here, the encrypting one first.
fn keys(party: Party<'_>) -> Vec<Domain> {
    let context = context(&party);
    let pair = party.pair;
    let of = |keeper| Domain { keeper, context };
    if !pair.a.keys.is_empty() {
        let files = pair.a_ids.keys.iter();
        return files.map(|file| of(Keeper::File(*file))).collect();
    }
    let zone = pair.a_ids.zone.filter(|_| pair.a.zone_in_use().is_some());
    let rotates = || behaviours::nginx::AUTOMATIC_TICKET_KEY_ROTATION.holds(pair.version);
    vec![match zone.filter(|_| rotates()) {
        Some(zone) => of(Keeper::ZoneKey(zone)),
        None => of(Keeper::Start(party.governor)),
    }]
}

/// The store of session ids and stateful tickets.
fn store(party: Party<'_>) -> Domain {
    let pair = party.pair;
    match pair.a_ids.zone.filter(|_| pair.a.zone_in_use().is_some()) {
        Some(zone) => Domain {
            keeper: Keeper::Zone(zone),
            context: context(&party),
        },
        None => worker_store(party),
    }
}

/// What each worker keeps for A.
fn worker_store(party: Party<'_>) -> Domain {
    Domain {
        keeper: Keeper::Builtin(party.governor),
        context: context(&party),
    }
}

/// The session id context: module, certificates, client CAs.
fn context(party: &Party<'_>) -> u32 {
    let Pair { a_ids, b_ids, .. } = party.pair;
    if a_ids.context == b_ids.context || !by_block(party.pair.version) {
        return a_ids.context;
    }
    b_ids.context
}

fn by_block(version: Version) -> bool {
    behaviours::nginx::SESSION_CONTEXT_BY_BLOCK.holds(version)
}

/// What a server's sessions depend on, as texts: its session id context, and its key files.
pub(super) fn named(config: &Config, module: Module, base: &Path) -> (String, Vec<String>) {
    let keys = config.keys.iter().map(|key| full(base, &key.value));
    (context_of(config, module, base), keys.collect())
}

/// The same as numbers.
pub(super) fn ids(
    (context, keys): &(String, Vec<String>),
    config: &Config,
    numbers: &mut Numbers,
) -> Ids {
    Ids {
        context: numbers.of(context),
        keys: keys.iter().map(|key| numbers.of(key)).collect(),
        zone: config.zone.as_ref().map(|zone| numbers.of(&zone.value)),
    }
}

/// Certificates in their order, and the authorities where clients are verified: nginx reads
/// `ssl_client_certificate` only then.
fn context_of(config: &Config, module: Module, base: &Path) -> String {
    let certificates = config.certificates.iter();
    let certificates: Vec<String> = certificates.map(|file| full(base, &file.value)).collect();
    let verified = config.client_auth.value != ClientAuth::Off;
    let ca = config.client_ca.as_ref().filter(|_| verified);
    let ca = ca.map(|ca| full(base, &ca.value)).unwrap_or_default();
    format!("{} {certificates:?} {ca:?}", module.word())
}

/// A file's full name, so that two spellings are one file.
fn full(base: &Path, name: &str) -> String {
    let path: PathBuf = base.join(name).components().collect();
    path.to_string_lossy().into_owned()
}

/// How many servers of a socket have each session id context.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    counts: HashMap<u32, usize>,
    total: usize,
}

impl Contexts {
    /// Counts the servers of a socket, each as B of its pair.
    pub(super) fn of<'a>(pairs: impl Iterator<Item = Pair<'a>>) -> Self {
        let mut contexts = Self::default();
        for pair in pairs {
            *contexts.counts.entry(pair.b_ids.context).or_default() += 1;
            contexts.total += 1;
        }
        contexts
    }

    /// Another server shares the context of B, or there is no other server at all.
    fn crosses(&self, pair: &Pair<'_>) -> bool {
        let own = self.counts.get(&pair.b_ids.context);
        self.total == 1 || own.is_some_and(|count| *count > 1)
    }
}

/// What becomes of a session of another name of the socket that is offered here.
pub(super) fn cross_name(pair: &Pair<'_>, state: &State<'_>, contexts: &Contexts) -> CrossName {
    if state.rejects {
        return CrossName::Fails;
    }
    let key_opens = state.key.source != KeySource::None || opens_tickets(pair, state);
    let store_opens = opens_ids(pair, state) || opens_stateful(pair, state);
    if !key_opens && !store_opens {
        return CrossName::Full;
    }
    if by_block(pair.version) {
        return match contexts.crosses(pair) {
            true => CrossName::Served,
            false => CrossName::Full,
        };
    }
    match pair.b.client_auth.value != ClientAuth::Off && pair.sni_checked() {
        true => CrossName::Fails,
        false => CrossName::Served,
    }
}
