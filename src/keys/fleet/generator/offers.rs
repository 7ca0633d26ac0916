//! What a generator writes: seals first, then the claim that names them, so that whoever sees a
//! claim finds its seal.

use super::super::record::{Header, HostKey, sign_claim};
use super::super::seal::{seal_for_fleet, seal_for_host};
use super::super::store::Claim;
use super::super::{HostName, Item, Refused, SealError, Seed};
use super::window::AT_ONCE;
use super::{Generator, GeneratorTick, Sealing, Stopped};
use crate::keys::core::{Claimed, Foreign, GeneratorStep, Key, Now, generate};

/// Every so many ticks what stands is written once more. At twenty ticks an interval a copy has
/// it back within a quarter of a slot.
const WRITE_AGAIN: u64 = 5;

impl Generator {
    /// Learns what stands, makes what is missing and offers it.
    pub(super) fn offer_window(
        &mut self,
        now: Now,
        tick: &mut GeneratorTick,
    ) -> Result<(), Stopped> {
        let mut view = self.view();
        self.read_head(&mut view, tick)?;
        let schedule = self.options.schedule;
        let before = generate(&schedule, now, &view, &self.state);
        let claims = self.read_claims(before.state.generation, before.window, tick)?;
        view.claims = Some(claims);
        let first = generate(&schedule, now, &view, &self.state);
        for slot in first.make {
            let seed = Seed::random()?;
            let key = Key {
                slot,
                id: seed.id(),
            };
            tick.audit.push(format!(
                "seed {} made for slot {}:{}",
                key.id, slot.generation, slot.epoch
            ));
            self.seeds.insert(key, seed);
            view.seeds.push(key);
        }
        let step = generate(&schedule, now, &view, &self.state);
        tick.alarms
            .extend(step.alarms.iter().map(ToString::to_string));
        self.settle(&step, tick);
        if matches!(self.options.sealing, Sealing::Hosts) {
            self.read_hosts(now, tick)?;
        }
        self.offer(&step, tick)?;
        self.seal_again(&step, tick)?;
        match self.counts.ticks.is_multiple_of(WRITE_AGAIN) {
            true => self.write_again(&step),
            false => Ok(()),
        }
    }

    /// Writes what stands once more, the same bytes: a copy of the store that lost what its
    /// master still has only hears of what is written. Seals come first, as ever.
    fn write_again(&mut self, step: &GeneratorStep) -> Result<(), Stopped> {
        let seals: Vec<_> = self.recipients.standing().cloned().collect();
        for some in seals.chunks(AT_ONCE) {
            let name = |(key, host): &(Key, HostName)| {
                Item::Seal(key.slot, key.id, host.clone()).name(&self.options.fleet)
            };
            let names: Vec<String> = some.iter().map(name).collect();
            let records = self.read(&names)?;
            for ((key, _), (name, record)) in some.iter().zip(names.iter().zip(records)) {
                let Some(record) = record else { continue };
                let expires = self.expires(key.slot.epoch);
                self.store.put(name, &record, expires)?;
            }
        }
        for claim in &step.stand {
            let slot = claim.key.slot;
            let name = Item::Key(slot).name(&self.options.fleet);
            let record = self.read(std::slice::from_ref(&name))?.pop().flatten();
            // Nobody else's, and nothing that a wiped store was given meanwhile.
            let own = |record: &Vec<u8>| self.claim_of(slot, record).ok() == Some(*claim);
            if let Some(record) = record.filter(own) {
                let expires = self.expires(slot.epoch);
                self.store.put(&name, &record, expires)?;
            }
        }
        Ok(())
    }

    /// Coming slots before past ones: what hosts need next comes first.
    fn offer(&mut self, step: &GeneratorStep, tick: &mut GeneratorTick) -> Result<(), Stopped> {
        let mut offers = step.offer.clone();
        offers.sort_unstable_by_key(|claim| {
            let epoch = claim.key.slot.epoch;
            (epoch < step.epoch, epoch.abs_diff(step.epoch))
        });
        for claim in offers {
            self.counts.offered += 1;
            let header = self.header(claim);
            let hosts = self.recipients.due(claim.key, true);
            let record = match &self.options.sealing {
                Sealing::Fleet(key) => {
                    let Some(seed) = self.seeds.get(&claim.key) else {
                        continue;
                    };
                    self.counts.sealed += 1;
                    seal_for_fleet(seed, key, &header, &self.options.signer)?
                }
                Sealing::Hosts => {
                    self.seal(claim.key, &header, &hosts, tick)?;
                    sign_claim(&header, &self.options.signer)?
                }
            };
            let name = Item::Key(claim.key.slot).name(&self.options.fleet);
            let expires = self.expires(claim.key.slot.epoch);
            let taken = self.store.claim(&name, &record, expires)?;
            self.claimed(claim.key, taken, (&name, &record, expires), tick)?;
        }
        Ok(())
    }

    fn claimed(
        &mut self,
        key: Key,
        answer: Claim,
        (name, record, expires): (&str, &[u8], u64),
        tick: &mut GeneratorTick,
    ) -> Result<(), Stopped> {
        let at = format!("slot {}:{}", key.slot.generation, key.slot.epoch);
        let stands = match answer {
            Claim::Written => {
                self.counts.won += 1;
                tick.audit
                    .push(format!("{at} claimed with seed {}", key.id));
                return Ok(());
            }
            Claim::Taken(stands) => stands,
        };
        match self.claim_of(key.slot, &stands) {
            // An earlier try did succeed.
            Ok(claim) if claim.key == key => {}
            Ok(claim) => {
                self.counts.lost += 1;
                let line = format!("{at} belongs to seed {} of another generator", claim.key.id);
                tick.audit.push(line);
                self.give_up(key, claim.key, tick);
            }
            // Somebody's claim, whom this one does not know or understand: left alone.
            Err(Refused::UnknownSigner | Refused::Version | Refused::Interval) => {}
            // Noise: as long as it stands no host has a key for this slot.
            Err(_) => {
                self.store.put(name, record, expires)?;
                self.counts.mended += 1;
                let line = format!("{at} claimed with seed {}, over noise", key.id);
                tick.audit.push(line);
            }
        }
        Ok(())
    }

    /// At once: should the store be emptied before the next tick, this one would be first.
    fn give_up(&mut self, own: Key, other: Key, tick: &mut GeneratorTick) {
        let foreign = &mut self.state.foreign;
        foreign.retain(|it| it.key.slot != other.slot);
        foreign.push(Foreign {
            key: other,
            missing: None,
        });
        foreign.sort_unstable_by_key(|it| it.key);
        self.wipe(own, "another generator was first", tick);
        self.recipients.forget_but(&self.seeds);
    }

    /// Seals what stands for hosts whose key is new, and what the store lost.
    fn seal_again(
        &mut self,
        step: &GeneratorStep,
        tick: &mut GeneratorTick,
    ) -> Result<(), Stopped> {
        if !matches!(self.options.sealing, Sealing::Hosts) {
            return Ok(());
        }
        self.miss_seals()?;
        for claim in &step.stand {
            let mut hosts = self.recipients.due(claim.key, false);
            if hosts.is_empty() {
                continue;
            }
            let header = self.header(*claim);
            self.seal(claim.key, &header, &hosts, tick)?;
            hosts.retain(|host| self.recipients.has(claim.key, host));
            if hosts.is_empty() {
                continue;
            }
            let names: Vec<&str> = hosts.iter().map(|host| host.host.as_str()).collect();
            let more = match names.len() {
                0..=3 => names.join(", "),
                count => format!("{} and {} more hosts", names[..2].join(", "), count - 2),
            };
            tick.audit.push(format!(
                "seed {} of slot {}:{} sealed again for {more}",
                claim.key.id, claim.key.slot.generation, claim.key.slot.epoch,
            ));
        }
        Ok(())
    }

    /// Finds out which seals the store does not have any more.
    fn miss_seals(&mut self) -> Result<(), Stopped> {
        let fleet = &self.options.fleet;
        let standing: Vec<_> = self.recipients.standing().cloned().collect();
        let names: Vec<String> = standing
            .iter()
            .map(|(key, host)| Item::Seal(key.slot, key.id, host.clone()).name(fleet))
            .collect();
        let records = self.read(&names)?;
        for ((key, host), record) in standing.iter().zip(records) {
            if record.is_none() {
                self.recipients.lost(*key, host);
            }
        }
        Ok(())
    }

    fn seal(
        &mut self,
        key: Key,
        header: &Header,
        hosts: &[HostKey],
        tick: &mut GeneratorTick,
    ) -> Result<(), Stopped> {
        let Some(seed) = self.seeds.get(&key) else {
            return Ok(());
        };
        let expires = self.expires(key.slot.epoch);
        for host in hosts {
            let name = Item::Seal(key.slot, key.id, host.host.clone()).name(&self.options.fleet);
            match seal_for_host(seed, host, header, &self.options.signer) {
                Ok(record) => {
                    self.store.put(&name, &record, expires)?;
                    self.counts.sealed += 1;
                    self.recipients.done(key, host);
                }
                // One host's bad key is that host's matter.
                Err(why @ SealError::Recipient(_)) => {
                    self.recipients.unfit(host);
                    tick.alarms.push(why.to_string());
                }
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn header(&self, claim: Claimed) -> Header {
        Header {
            fleet: self.options.fleet.clone(),
            slot: claim.key.slot,
            interval: self.options.schedule.interval,
            seed: claim.key.id,
            made: claim.made,
        }
    }
}
