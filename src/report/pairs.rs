//! Which endpoint resumes a session of which other one: the pairs of `inspect --pairs`.
//!
//! Reads the session domains that the model has worked out; works nothing out itself.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::model::{CrossName, Endpoint};

/// Sessions of one endpoint that another one resumes.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub(super) struct Pair {
    /// Index of the endpoint that issues.
    pub(super) from: usize,
    /// Index of the endpoint that resumes.
    pub(super) to: usize,
    /// The kinds of session: `tls12_id`, `tls12_ticket`, `tls13`.
    pub(super) kinds: Vec<&'static str>,
}

/// All pairs of different endpoints that share a session, in order.
pub(super) fn pairs(endpoints: &[Endpoint]) -> Vec<Pair> {
    let mut by_domain: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, acceptor) in endpoints.iter().enumerate() {
        for name in &acceptor.accepts {
            by_domain.entry(name).or_default().push(index);
        }
    }
    let mut out = Vec::new();
    for (from, issuer) in endpoints.iter().enumerate() {
        let issues = &issuer.issues;
        let names = [&issues.tls12_id, &issues.tls12_ticket, &issues.tls13];
        let acceptors = names
            .into_iter()
            .flatten()
            .filter_map(|name| by_domain.get(&**name));
        let acceptors: BTreeSet<usize> = acceptors.flatten().copied().collect();
        for to in acceptors.into_iter().filter(|to| from != *to) {
            let kinds = shared(issuer, &endpoints[to]);
            if !kinds.is_empty() {
                out.push(Pair { from, to, kinds });
            }
        }
    }
    out
}

fn shared(issuer: &Endpoint, acceptor: &Endpoint) -> Vec<&'static str> {
    if acceptor.cross_name != CrossName::Served || !issuer.reachable || !acceptor.reachable {
        return Vec::new();
    }
    let issues = &issuer.issues;
    [
        ("tls12_id", &issues.tls12_id),
        ("tls12_ticket", &issues.tls12_ticket),
        ("tls13", &issues.tls13),
    ]
    .into_iter()
    .filter(|(_, domain)| {
        domain
            .as_ref()
            .is_some_and(|name| acceptor.accepts.contains(name))
    })
    .map(|(kind, _)| kind)
    .collect()
}
