//! What a host tells the fleet of itself: the key that seeds are sealed for, and its report.

use super::{Agent, Opens};
use crate::keys::core::{Now, State};
use crate::keys::fleet::record::{HostKey, HostReport, read_host_key};
use crate::keys::fleet::seal::Recipient;
use crate::keys::{History, KeysError};

/// A recipient's key is published anew after so many milliseconds, and believed for twice that.
const DAY: u64 = 86_400_000;

impl Agent {
    /// What the store has as this host's public key: another one, or none, is written over.
    pub(super) fn look_for_own_key(&mut self, record: Option<&[u8]>, now: Now) {
        let (Some((mine, _)), Some(identity)) = (&self.published, &self.who.identity) else {
            return;
        };
        let who = &self.who;
        let there =
            record.map(|record| read_host_key(record, &who.fleet, &who.host, identity, now.wall));
        self.stored = matches!(there, Some(Ok(key)) if key.public == mine.public);
    }

    /// Makes the key that seeds are sealed for: at the start, and every day. Yesterday's is kept
    /// for what was sealed for it. The public half, where the store has to be told.
    ///
    /// # Errors
    /// [`KeysError::Random`].
    pub fn own_key(&mut self, now: Now) -> Result<Option<HostKey>, KeysError> {
        if !matches!(self.who.opens, Opens::Host) || self.who.identity.is_none() {
            return Ok(None);
        }
        let old = |(key, made): &(HostKey, u64)| {
            // A clock that was set back or forth: nobody would believe the times in it.
            let set = key.made.saturating_add(now.boot.saturating_sub(*made));
            now.boot.saturating_sub(*made) >= DAY || now.wall.abs_diff(set) >= HostKey::SKEW
        };
        if self.published.as_ref().is_none_or(old) {
            self.recipients.insert(0, Recipient::random()?);
            self.recipients.truncate(2);
            let public = self.recipients[0].public();
            let key = HostKey {
                fleet: self.who.fleet.clone(),
                host: self.who.host.clone(),
                public,
                made: now.wall,
                expires: now.wall.saturating_add(2 * DAY),
            };
            self.published = Some((key, now.boot));
            self.stored = false;
        }
        let published = self.published.as_ref().filter(|_| !self.stored);
        Ok(published.map(|(key, _)| key.clone()))
    }

    /// What this host says of itself.
    pub fn report(&self, state: &State, history: &History, now: Now, alarms: usize) -> HostReport {
        let epoch = self
            .schedule
            .epoch(state.clock.map_or(now.wall, |clock| clock.time));
        let encrypts = state.encrypts();
        let held = state.held.iter();
        let ahead = held.clone().filter(|held| held.key.slot.epoch > epoch);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        HostReport {
            fleet: self.who.fleet.clone(),
            host: self.who.host.clone(),
            time: now.wall,
            epoch,
            generation: self.seen.floor,
            encrypts: encrypts.map(|key| self.seeds.get(&key).copied().unwrap_or(key.id)),
            ahead: number(ahead.count()),
            held: number(held.count()),
            skew: self.seen.skew,
            contact: self.seen.contact,
            reloaded: history.last_reload.saturating_mul(1000),
            live_check: history.live_check.clone().unwrap_or_default(),
            alarms: number(alarms),
            derived: encrypts
                .and_then(|key| state.find(&key))
                .is_some_and(|held| held.derived),
        }
    }
}
