//! Copies a fleet's records from one store to another, as they are: a relay opens none of them
//! and believes none. Takes nothing away: what is missing at the source expires at the other
//! place by itself.

use std::collections::BTreeMap;

use super::store::{Store, StoreError};
use super::{FleetName, HostName};

/// Names that are read and compared at once: a bound on memory.
const AT_ONCE: usize = 64;

/// A copy that is kept up.
#[derive(Clone, Debug)]
pub struct Relay {
    fleet: FleetName,
    /// Only records of these hosts, and those of nobody in particular; without any, all.
    hosts: Vec<HostName>,
    /// When what was written expires, by name.
    written: BTreeMap<String, u64>,
}

/// What one pass did, in records.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Pass {
    /// At the source, and wanted.
    pub seen: usize,
    /// Written, as they were new or had changed.
    pub written: usize,
    /// Of these: written before, not expired, and gone. Others pushed them out, or the store was
    /// started again.
    pub lost: usize,
    /// Not copied: larger than a record, or without an end.
    pub refused: usize,
    /// Bytes of what was written.
    pub bytes: usize,
}

impl Relay {
    /// A relay for a fleet, or for some of its hosts.
    pub fn new(fleet: FleetName, hosts: Vec<HostName>) -> Self {
        Self {
            fleet,
            hosts,
            written: BTreeMap::new(),
        }
    }

    /// Copies what is new or has changed.
    ///
    /// # Errors
    /// [`StoreError`]; what was copied until then stays.
    pub fn pass(&mut self, from: &mut dyn Store, to: &mut dyn Store) -> Result<Pass, StoreError> {
        let names = from.list(&format!("stekguard:{}:", self.fleet))?;
        let names: Vec<String> = names.into_iter().filter(|it| self.wants(it)).collect();
        let mut pass = Pass::default();
        for some in names.chunks(AT_ONCE) {
            self.copy(some, from, to, &mut pass)?;
        }
        self.written
            .retain(|name, _| names.binary_search(name).is_ok());
        Ok(pass)
    }

    fn copy(
        &mut self,
        names: &[String],
        from: &mut dyn Store,
        to: &mut dyn Store,
        pass: &mut Pass,
    ) -> Result<(), StoreError> {
        // Its time first: a record written over in between then goes early and comes again,
        // rather than staying longer than its writer wanted.
        let expiries = from.expiries(names)?;
        let records = from.read(names)?;
        let there = to.read(names)?;
        for (((name, expires), record), there) in names.iter().zip(expiries).zip(records).zip(there)
        {
            let Some(record) = record else { continue };
            pass.seen += 1;
            let Some(expires) = expires.filter(|_| record.len() <= super::store::LARGEST) else {
                pass.refused += 1;
                continue;
            };
            let before = self.written.get(name).copied();
            if there.as_ref() == Some(&record) && before == Some(expires) {
                continue;
            }
            to.put(name, &record, expires)?;
            pass.written += 1;
            pass.bytes += record.len();
            // Both sides count whole seconds, each its own: what is about to end may be gone.
            let early = expires > super::store::now().saturating_add(2);
            pass.lost += usize::from(early && there.is_none() && before == Some(expires));
            self.written.insert(name.clone(), expires);
        }
        Ok(())
    }

    /// Reports go the other way, and are nothing for a copy.
    fn wants(&self, name: &str) -> bool {
        let kind = name.split(':').nth(2);
        let last = name.rsplit(':').next();
        let host = || {
            let named = |host: &HostName| Some(host.as_str()) == last;
            self.hosts.is_empty() || self.hosts.iter().any(named)
        };
        match kind {
            Some("head" | "key") => true,
            Some("seal" | "host") => host(),
            _ => false,
        }
    }
}
