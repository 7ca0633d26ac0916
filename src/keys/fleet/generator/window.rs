//! What stands in the store, as far as it is believed: the heartbeat of other generators, the
//! claims of the window, the hosts' public keys. Writes nothing.

use super::super::record::{read_claim, read_head};
use super::super::sign::Pinned;
use super::super::{Item, Refused};
use super::{Generator, GeneratorTick, RecordKind, Stopped};
use crate::keys::core::{Claimed, GeneratorView, Key, Now, Slot};

/// Records asked for at once.
pub(super) const AT_ONCE: usize = 256;

impl Generator {
    /// The generation and the slot that the heartbeat names, where it is believed. Only another
    /// generator is a witness of the time.
    pub(super) fn read_head(
        &mut self,
        view: &mut GeneratorView,
        tick: &mut GeneratorTick,
    ) -> Result<(), Stopped> {
        let fleet = self.options.fleet.clone();
        let found = self.store.read(&[Item::Head.name(&fleet)])?;
        let Some(record) = found.into_iter().next().flatten() else {
            return Ok(());
        };
        let interval = self.options.schedule.interval;
        let head = super::super::record::read_head(&record, &fleet, &self.pinned)
            .and_then(|head| head.of_interval(interval));
        let head = match head {
            Ok(head) => head,
            Err(why) => {
                self.refuse(RecordKind::Head, why, "head", tick);
                return Ok(());
            }
        };
        if head.generation > self.roster.generation {
            tick.alarms.push(format!(
                "another generator is at generation {}, this roster at {}: bring it up to date",
                head.generation, self.roster.generation
            ));
        }
        view.generation = view.generation.max(head.generation);
        let own = self.options.signer.public();
        let others = self.pinned.0.iter().filter(|key| *key != own);
        let others = Pinned(others.cloned().collect());
        if read_head(&record, &fleet, &others).is_ok() {
            view.witness = Some(self.options.schedule.epoch(head.time));
        }
        Ok(())
    }

    /// The claims of a window.
    pub(super) fn read_claims(
        &mut self,
        generation: u32,
        window: (u64, u64),
        tick: &mut GeneratorTick,
    ) -> Result<Vec<Claimed>, Stopped> {
        let slots: Vec<Slot> = (window.0..=window.1)
            .map(|epoch| Slot { generation, epoch })
            .collect();
        let names: Vec<String> = slots
            .iter()
            .map(|slot| Item::Key(*slot).name(&self.options.fleet))
            .collect();
        let records = self.read(&names)?;
        let mut claims = Vec::new();
        for (slot, record) in slots.iter().zip(records) {
            let Some(record) = record else { continue };
            match self.claim_of(*slot, &record) {
                Ok(claim) => claims.push(claim),
                Err(why) => {
                    let what = format!("the claim on slot {generation}:{}", slot.epoch);
                    self.refuse(RecordKind::Claim, why, &what, tick);
                }
            }
        }
        Ok(claims)
    }

    /// A record as the claim on a slot.
    pub(super) fn claim_of(&self, slot: Slot, record: &[u8]) -> Result<Claimed, Refused> {
        let header = read_claim(record, &self.options.fleet, slot, &self.pinned)?;
        let header = header.of_interval(self.options.schedule.interval)?;
        Ok(Claimed {
            key: Key {
                slot,
                id: header.seed,
            },
            made: header.made,
        })
    }

    /// The public keys of the roster's hosts.
    pub(super) fn read_hosts(&mut self, now: Now, tick: &mut GeneratorTick) -> Result<(), Stopped> {
        let hosts = self.roster.hosts.clone();
        self.recipients.keep(&hosts);
        let fleet = self.options.fleet.clone();
        let names: Vec<String> = hosts
            .iter()
            .map(|host| Item::Host(host.name.clone()).name(&fleet))
            .collect();
        let records = self.read(&names)?;
        for (host, record) in hosts.iter().zip(records) {
            let taken = self
                .recipients
                .take(host, record.as_deref(), &fleet, now.wall);
            if let Err(why) = taken {
                let what = format!("the public key of host {}", host.name);
                self.refuse(RecordKind::Host, why, &what, tick);
            }
        }
        self.counts.hosts_without_key = hosts.len().saturating_sub(self.recipients.count());
        Ok(())
    }

    /// Reads records a few at a time: an answer has to fit into the store's patience.
    pub(super) fn read(&mut self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>, Stopped> {
        let mut out = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE) {
            let mut found = self.store.read(some)?;
            // A store that answers less than it was asked has nothing for the rest.
            found.resize(some.len(), None);
            out.append(&mut found);
        }
        Ok(out)
    }

    fn refuse(&mut self, kind: RecordKind, why: Refused, what: &str, tick: &mut GeneratorTick) {
        self.counts.refuse(kind, why);
        let more = match (kind, why) {
            (RecordKind::Host, Refused::UnknownSigner | Refused::Signature) => {
                ": it is not signed by the identity that the roster has"
            }
            (_, Refused::UnknownSigner) => ": its signer is not in `signers`",
            (_, Refused::Interval) => ": it counts slots of another length",
            (RecordKind::Host, Refused::Recipient) => ": nothing can be sealed for it",
            _ => "",
        };
        tick.alarms.push(format!("{what} is refused ({why}){more}"));
    }
}
