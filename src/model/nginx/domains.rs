//! Session domains: the sets of sessions that one store or one key can open, and what
//! happens to a session of one name at another name of the socket.

use std::collections::{BTreeSet, HashMap};

use super::config::Config;
use super::state::{Pair, State};
use crate::catalog::{Decider, Version, behaviours};
use crate::model::{
    BlockId, ClientAuth, CrossName, Issues, KeySource, Module, Tls12Id, Tls12Ticket, Tls13Issued,
    Tls13Resumes,
};

/// Gives domains their short names in the order of first appearance.
#[derive(Debug, Default)]
pub(super) struct Domains {
    names: HashMap<String, String>,
}

/// What an endpoint issues and opens.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) issues: Issues,
    pub(super) accepts: Vec<String>,
}

/// An endpoint as the domains see it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Party<'a> {
    pub(super) pair: Pair<'a>,
    pub(super) state: &'a State,
    pub(super) governor: BlockId,
}

impl Domains {
    /// The domains of an endpoint.
    pub(super) fn reach(&mut self, party: Party<'_>) -> Reach {
        let Party { pair, state, .. } = party;
        let resumes13 = matches!(
            state.tls13.resumes,
            Tls13Resumes::Always | Tls13Resumes::PerWorker
        );
        let by_id = matches!(
            state.tls12.session_id,
            Tls12Id::Resumes | Tls12Id::PerWorker
        );
        let stateless13 = state.tls13.issued == Tls13Issued::Stateless && resumes13;
        let stateful13 = state.tls13.issued == Tls13Issued::Stateful && resumes13;
        let by_ticket = state.tls12.ticket == Tls12Ticket::Resumes;
        let keys = keys(party);
        let store = store(party);
        let issues = Issues {
            tls12_id: by_id.then(|| self.name(&store)),
            tls12_ticket: by_ticket.then(|| self.first(&keys)),
            tls13: match (stateless13, stateful13) {
                (true, _) => Some(self.first(&keys)),
                (_, true) => Some(self.name(&store)),
                _ => None,
            },
        };
        let mut accepts = BTreeSet::new();
        if by_ticket || accepts_stateless13(&pair, state) {
            accepts.extend(keys.iter().map(|key| self.name(key)));
        }
        if by_id || stateful13 {
            accepts.insert(self.name(&store));
        }
        let mut accepts: Vec<String> = accepts.into_iter().collect();
        // d2 before d10.
        accepts.sort_by_key(|name| (name.len(), name.clone()));
        Reach { issues, accepts }
    }

    fn first(&mut self, keys: &[String]) -> String {
        self.name(keys.first().map_or("", String::as_str))
    }

    fn name(&mut self, key: &str) -> String {
        let next = self.names.len() + 1;
        self.names
            .entry(key.to_owned())
            .or_insert_with(|| format!("d{next}"))
            .clone()
    }
}

/// Where both blocks count, a TLS 1.3 ticket is opened by A's flag alone, though B, being
/// off, issues none.
fn accepts_stateless13(pair: &Pair<'_>, state: &State) -> bool {
    if state.tls13.issued == Tls13Issued::Unavailable {
        return false;
    }
    match pair.decider("ssl_session_tickets") {
        Decider::Both => pair.a.tickets_effective().value,
        _ => pair.b.tickets_effective().value,
    }
}

/// The keys that open tickets here, the encrypting one first.
fn keys(party: Party<'_>) -> Vec<String> {
    let context = context(&party);
    let a = party.pair.a;
    if !a.keys.is_empty() {
        let files = a.keys.iter();
        return files
            .map(|key| format!("file {} {context}", key.value))
            .collect();
    }
    let rotates = behaviours::nginx::AUTOMATIC_TICKET_KEY_ROTATION.holds(party.pair.version);
    match a.zone_in_use().filter(|_| rotates) {
        Some(zone) => vec![format!("zone key {} {context}", zone.value)],
        None => vec![format!("start {} {context}", party.governor.0)],
    }
}

/// The store of session ids and stateful tickets.
fn store(party: Party<'_>) -> String {
    let context = context(&party);
    match party.pair.a.zone_in_use() {
        Some(zone) => format!("zone {} {context}", zone.value),
        None => format!("builtin {} {context}", party.governor.0),
    }
}

/// The session id context: module, certificates, client CAs.
fn context(party: &Party<'_>) -> String {
    let Pair {
        a,
        b,
        version,
        module,
        ..
    } = party.pair;
    context_of(if by_block(version) { b } else { a }, module)
}

fn by_block(version: Version) -> bool {
    behaviours::nginx::SESSION_CONTEXT_BY_BLOCK.holds(version)
}

fn context_of(config: &Config, module: Module) -> String {
    let mut certificates: Vec<&str> = config
        .certificates
        .iter()
        .map(|file| file.value.as_str())
        .collect();
    certificates.sort_unstable();
    let ca = config.client_ca.as_ref().map_or("", |ca| ca.value.as_str());
    format!("{} {certificates:?} {ca:?}", module.word())
}

/// What becomes of a session of another name of the socket that is offered here.
pub(super) fn cross_name(pair: &Pair<'_>, state: &State, others: &[&Config]) -> CrossName {
    if state.rejects {
        return CrossName::Fails;
    }
    let key_opens = state.key.source != KeySource::None || accepts_stateless13(pair, state);
    let store_opens = matches!(
        state.tls12.session_id,
        Tls12Id::Resumes | Tls12Id::PerWorker
    ) || matches!(
        state.tls13.resumes,
        Tls13Resumes::Always | Tls13Resumes::PerWorker
    );
    if !key_opens && !store_opens {
        return CrossName::Full;
    }
    if by_block(pair.version) {
        let own = context_of(pair.b, pair.module);
        let shared = others
            .iter()
            .any(|other| context_of(other, pair.module) == own);
        return match shared || others.is_empty() {
            true => CrossName::Served,
            false => CrossName::Full,
        };
    }
    let checked = behaviours::nginx::SNI_SESSION_CHECK.holds(pair.version);
    match checked && pair.b.client_auth.value != ClientAuth::Off {
        true => CrossName::Fails,
        false => CrossName::Served,
    }
}
