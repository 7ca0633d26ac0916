//! Short names for session domains: the sets of sessions that one store or one key opens.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Accepts, BlockId, Issues};

/// What keeps or opens the sessions of a domain.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub(in crate::model) enum Keeper {
    /// The key of this file, by a number for each file.
    File(u32),
    /// The key that this zone keeps, by a number for each zone.
    ZoneKey(u32),
    /// The key that the server made for this block when it started.
    Start(BlockId),
    /// The store of this zone.
    Zone(u32),
    /// What each worker keeps for this block.
    Builtin(BlockId),
    /// httpd's store.
    Store,
}

/// A set of sessions, for one session id context of which each has a number.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub(in crate::model) struct Domain {
    pub(in crate::model) keeper: Keeper,
    pub(in crate::model) context: u32,
}

/// What of a domain is meant.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
enum Part {
    /// Tickets that a key opens.
    Key,
    /// TLS 1.2 sessions by id.
    Ids,
    /// Stateful tickets.
    Tickets,
}

/// Gives domains their short names in the order of first appearance.
#[derive(Debug, Default)]
pub(in crate::model) struct Domains {
    numbers: HashMap<(Part, Domain), u32>,
    /// The name of each number, from 1.
    names: Vec<Arc<str>>,
    /// Neighbours have the same domains more often than not.
    last: Option<(Reach, Named)>,
}

/// What is issued and what is accepted, in short names.
type Named = (Issues, Accepts);

/// Gives texts numbers, the same one to the same text.
#[derive(Debug, Default)]
pub(in crate::model) struct Numbers {
    known: HashMap<String, u32>,
}

impl Numbers {
    pub(in crate::model) fn of(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let next = self.known.len() as u32;
        self.known.insert(text.to_owned(), next);
        next
    }
}

/// The domains that one endpoint has to do with.
#[derive(Eq, PartialEq, Debug)]
pub(in crate::model) struct Reach {
    /// Opens tickets: keys, the encrypting one first; at least one.
    pub(in crate::model) keys: Vec<Domain>,
    /// Opens session ids and stateful tickets.
    pub(in crate::model) store: Domain,
    /// Where sessions made here are kept, where it is another store that is asked first.
    pub(in crate::model) own_store: Option<Domain>,
    /// TLS 1.2 sessions are issued and resume by id.
    pub(in crate::model) id12: bool,
    /// TLS 1.2 tickets are issued and resume.
    pub(in crate::model) ticket12: bool,
    /// TLS 1.3 tickets are issued with the session in them, and whoever has their key resumes
    /// them.
    pub(in crate::model) stateless13: bool,
    /// TLS 1.3 tickets are issued and resume: with the session in the store.
    pub(in crate::model) stateful13: bool,
    /// Tickets are opened, whether or not any are issued.
    pub(in crate::model) opens_tickets: bool,
    /// TLS 1.2 ids of the store are opened, whether or not any are issued.
    pub(in crate::model) opens_ids: bool,
    /// Stateful tickets of the store are opened, whether or not any are issued.
    pub(in crate::model) opens_stateful: bool,
}

impl Domains {
    /// What an endpoint issues and what it accepts, in short names.
    pub(in crate::model) fn name(&mut self, reach: Reach) -> &Named {
        let last = self.last.take().filter(|(last, _)| *last == reach);
        let named = match last {
            Some((_, named)) => named,
            None => self.named(&reach),
        };
        &self.last.insert((reach, named)).1
    }

    fn named(&mut self, reach: &Reach) -> Named {
        // One store, but a block whose tickets are on opens only its TLS 1.2 ids.
        let own = reach.own_store.unwrap_or(reach.store);
        let key = reach.keys.first().copied();
        let mut short = |part, domain| self.number(part, domain);
        let ids = reach.id12.then(|| short(Part::Ids, own));
        let ticket12 = key.filter(|_| reach.ticket12);
        let ticket12 = ticket12.map(|key| short(Part::Key, key));
        let tls13 = match (reach.stateless13, reach.stateful13) {
            (true, _) => key.map(|key| short(Part::Key, key)),
            (_, true) => Some(short(Part::Tickets, own)),
            _ => None,
        };
        let mut accepts = Vec::new();
        if reach.opens_tickets || reach.ticket12 {
            accepts.extend(reach.keys.iter().map(|key| short(Part::Key, *key)));
        }
        if reach.id12 || reach.opens_ids {
            accepts.extend([own, reach.store].map(|store| short(Part::Ids, store)));
        }
        if reach.stateful13 || reach.opens_stateful {
            accepts.extend([own, reach.store].map(|store| short(Part::Tickets, store)));
        }
        // d2 before d10.
        accepts.sort_unstable();
        accepts.dedup();
        let issues = Issues {
            tls12_id: ids.map(|number| self.shown(number)),
            tls12_ticket: ticket12.map(|number| self.shown(number)),
            tls13: tls13.map(|number| self.shown(number)),
        };
        let accepts = accepts.into_iter().map(|number| self.shown(number));
        (issues, accepts.collect())
    }

    fn number(&mut self, part: Part, domain: Domain) -> u32 {
        let next = self.numbers.len() as u32 + 1;
        let number = *self.numbers.entry((part, domain)).or_insert(next);
        if number == next {
            self.names.push(format!("d{number}").into());
        }
        number
    }

    fn shown(&self, number: u32) -> Arc<str> {
        Arc::clone(&self.names[number as usize - 1])
    }
}
