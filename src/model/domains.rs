//! Short names for session domains: the sets of sessions that one store or one key opens.

use std::collections::{BTreeSet, HashMap};

use super::Issues;

/// Gives domains their short names in the order of first appearance.
#[derive(Debug, Default)]
pub(in crate::model) struct Domains {
    names: HashMap<String, String>,
}

/// The domains that one endpoint has to do with, by their long names.
#[derive(Debug, Default)]
pub(in crate::model) struct Reach {
    /// Opens tickets: keys, the encrypting one first.
    pub(in crate::model) keys: Vec<String>,
    /// Opens session ids and stateful tickets.
    pub(in crate::model) store: String,
    /// Where sessions made here are kept, where it is another store that is asked first.
    pub(in crate::model) own_store: Option<String>,
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
    pub(in crate::model) fn name(&mut self, reach: &Reach) -> (Issues, Vec<String>) {
        // One store, but a block whose tickets are on opens only its TLS 1.2 ids.
        let own = reach.own_store.as_ref().unwrap_or(&reach.store);
        let ids = format!("{own} ids");
        let stateful = format!("{own} tickets");
        let key = reach.keys.first().map_or("", String::as_str);
        let issues = Issues {
            tls12_id: reach.id12.then(|| self.short(&ids)),
            tls12_ticket: reach.ticket12.then(|| self.short(key)),
            tls13: match (reach.stateless13, reach.stateful13) {
                (true, _) => Some(self.short(key)),
                (_, true) => Some(self.short(&stateful)),
                _ => None,
            },
        };
        let mut accepts = BTreeSet::new();
        if reach.opens_tickets || reach.ticket12 {
            accepts.extend(reach.keys.iter().map(|key| self.short(key)));
        }
        if reach.id12 || reach.opens_ids {
            accepts.insert(self.short(&ids));
            accepts.insert(self.short(&format!("{} ids", reach.store)));
        }
        if reach.stateful13 || reach.opens_stateful {
            accepts.insert(self.short(&stateful));
            accepts.insert(self.short(&format!("{} tickets", reach.store)));
        }
        let mut accepts: Vec<String> = accepts.into_iter().collect();
        // d2 before d10.
        accepts.sort_by_key(|name| (name.len(), name.clone()));
        (issues, accepts)
    }

    fn short(&mut self, long: &str) -> String {
        let next = self.names.len() + 1;
        let name = self.names.entry(long.to_owned());
        name.or_insert_with(|| format!("d{next}")).clone()
    }
}
