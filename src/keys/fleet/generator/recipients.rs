//! For whom a generator seals: the hosts' public keys of the day as far as their identities
//! signed them, and which seed was sealed for which of them. Knows no store.

use std::collections::{BTreeMap, BTreeSet};

use super::super::record::{HostKey, read_host_key};
use super::super::seal::RecipientPublic;
use super::super::{Enrolled, FleetName, HostName, Refused, Seed};
use crate::keys::core::Key;

/// The hosts' keys, and what was done for them.
#[derive(Default)]
pub(super) struct Recipients {
    keys: BTreeMap<HostName, HostKey>,
    sealed: BTreeMap<(Key, HostName), RecipientPublic>,
    /// Public keys that nothing can be sealed for.
    unfit: BTreeMap<HostName, RecipientPublic>,
}

impl Recipients {
    /// Reads what the store has for a host. A key that is older than the known one is not taken
    /// while that is good: a store can bring back an old one.
    pub(super) fn take(
        &mut self,
        host: &Enrolled,
        record: Option<&[u8]>,
        fleet: &FleetName,
        now: u64,
    ) -> Result<(), Refused> {
        let name = &host.name;
        self.keys
            .retain(|known, key| known != name || now < key.expires);
        let Some(record) = record else {
            return Ok(());
        };
        let key = read_host_key(record, fleet, name, &host.identity, now)?;
        if self.unfit.get(name) == Some(&key.public) {
            return Err(Refused::Recipient);
        }
        let known = self.keys.get(name);
        if known.is_some_and(|known| known.made > key.made) {
            return Err(Refused::Expired);
        }
        self.keys.insert(name.clone(), key);
        Ok(())
    }

    /// Only these hosts count.
    pub(super) fn keep(&mut self, hosts: &[Enrolled]) {
        let names: BTreeSet<&HostName> = hosts.iter().map(|host| &host.name).collect();
        self.keys.retain(|name, _| names.contains(name));
        self.sealed.retain(|(_, name), _| names.contains(name));
        self.unfit.retain(|name, _| names.contains(name));
    }

    /// What was sealed of other seeds is forgotten.
    pub(super) fn forget_but(&mut self, seeds: &BTreeMap<Key, Seed>) {
        self.sealed.retain(|(key, _), _| seeds.contains_key(key));
    }

    /// The seed's seal for this host is not in the store any more.
    pub(super) fn lost(&mut self, seed: Key, host: &HostName) {
        self.sealed.remove(&(seed, host.clone()));
    }

    /// Hosts that a seed is still to be sealed for; with `anew` all that have a key.
    pub(super) fn due(&self, seed: Key, anew: bool) -> Vec<HostKey> {
        let due = |host: &&HostKey| anew || !self.has(seed, host);
        self.keys.values().filter(due).cloned().collect()
    }

    /// It was sealed and written.
    pub(super) fn done(&mut self, seed: Key, host: &HostKey) {
        self.sealed.insert((seed, host.host.clone()), host.public);
    }

    /// A seed was sealed for this key.
    pub(super) fn has(&self, seed: Key, host: &HostKey) -> bool {
        self.sealed.get(&(seed, host.host.clone())) == Some(&host.public)
    }

    /// Nothing can be sealed for this key.
    pub(super) fn unfit(&mut self, host: &HostKey) {
        self.keys.remove(&host.host);
        self.unfit.insert(host.host.clone(), host.public);
    }

    /// What should stand in the store: seeds and hosts.
    pub(super) fn standing(&self) -> impl Iterator<Item = &(Key, HostName)> {
        self.sealed.keys()
    }

    /// How many hosts have a good key.
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }
}
