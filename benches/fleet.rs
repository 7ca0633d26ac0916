//! What the keys of a fleet cost: a slot's seed sealed for 1,000 hosts by the generator, and a
//! seed verified and opened by a host.
//!
//! `cargo bench --bench fleet`. Everything stands in memory, on one core.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use divan::Bencher;
use divan::counter::ItemsCount;
use stekguard::keys::core::Slot;
use stekguard::keys::fleet::{
    FleetKey, FleetName, Header, HostKey, HostName, Pinned, Recipient, Roster, Seed, Signer,
    open_for_fleet, open_for_host, read_claim, read_host_key, seal_for_fleet, seal_for_host,
    sign_claim, sign_host_key,
};

const HOSTS: usize = 1000;
const HOUR: u64 = 3_600_000;
const NOW: u64 = 1_790_000_000_000;
const SLOT: Slot = Slot {
    generation: 1,
    epoch: NOW / HOUR,
};

fn main() {
    divan::main();
}

struct Fleet {
    name: FleetName,
    generator: Signer,
    identity: Signer,
    pinned: Pinned,
    seed: Seed,
    key: FleetKey,
    header: Header,
    recipient: Recipient,
}

impl Fleet {
    fn new() -> Self {
        let (generator, seed) = (Signer::random().unwrap(), Seed::random().unwrap());
        let name = FleetName::parse("edge").unwrap();
        Self {
            header: Header {
                fleet: name.clone(),
                slot: SLOT,
                interval: HOUR,
                seed: seed.id(),
                made: NOW,
            },
            name,
            pinned: Pinned(vec![generator.public().clone()]),
            generator,
            identity: Signer::random().unwrap(),
            seed,
            key: FleetKey::random().unwrap(),
            recipient: Recipient::random().unwrap(),
        }
    }

    fn host(&self, number: usize, recipient: &Recipient) -> HostKey {
        HostKey {
            fleet: self.name.clone(),
            host: HostName::parse(&format!("web{number}.example.com")).unwrap(),
            public: recipient.public(),
            made: NOW,
            expires: NOW + 24 * HOUR,
        }
    }
}

/// The generator's work of one slot in the per-host mode.
#[divan::bench(sample_count = 20)]
fn seal_for_1000_hosts(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let host = |number| fleet.host(number, &Recipient::random().unwrap());
    let hosts: Vec<HostKey> = (0..HOSTS).map(host).collect();
    let seal = |host| seal_for_host(&fleet.seed, host, &fleet.header, &fleet.generator).unwrap();
    let bytes: usize = hosts.iter().map(|host| seal(host).len()).sum();
    assert!(bytes < 300 * HOSTS);
    bencher
        .counter(ItemsCount::new(HOSTS))
        .bench(|| hosts.iter().map(|host| seal(host).len()).sum::<usize>());
}

/// A host's work of one slot: signature, seal, the seed's name.
#[divan::bench]
fn open_on_a_host(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let host = fleet.host(1, &fleet.recipient);
    let record = seal_for_host(&fleet.seed, &host, &fleet.header, &fleet.generator).unwrap();
    let keys = std::slice::from_ref(&fleet.recipient);
    bencher.bench(|| {
        open_for_host(&record, &fleet.name, SLOT, &host.host, &fleet.pinned, keys).unwrap()
    });
}

/// The same in the fleet-key mode.
#[divan::bench]
fn seal_for_the_fleet(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    bencher.bench(|| seal_for_fleet(&fleet.seed, &fleet.key, &fleet.header, &fleet.generator));
}

#[divan::bench]
fn open_in_the_fleet(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let record = seal_for_fleet(&fleet.seed, &fleet.key, &fleet.header, &fleet.generator).unwrap();
    bencher
        .bench(|| open_for_fleet(&record, &fleet.name, SLOT, &fleet.pinned, &fleet.key).unwrap());
}

/// What is read and refused or believed without opening a seal.
#[divan::bench]
fn verify_a_claim(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let record = sign_claim(&fleet.header, &fleet.generator).unwrap();
    bencher.bench(|| read_claim(&record, &fleet.name, SLOT, &fleet.pinned).unwrap());
}

/// The generator's reading of all hosts' keys of the day.
#[divan::bench(sample_count = 20)]
fn read_1000_keys_of_the_day(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let host = |number| {
        let key = fleet.host(number, &fleet.recipient);
        (sign_host_key(&key, &fleet.identity).unwrap(), key.host)
    };
    let records: Vec<(Vec<u8>, HostName)> = (0..HOSTS).map(host).collect();
    bencher.counter(ItemsCount::new(HOSTS)).bench(|| {
        let read = |(record, host): &(Vec<u8>, HostName)| {
            read_host_key(record, &fleet.name, host, fleet.identity.public(), NOW)
        };
        records.iter().filter(|record| read(record).is_ok()).count()
    });
}

#[divan::bench]
fn parse_a_roster_of_1000(bencher: Bencher<'_, '_>) {
    let mut roster = Roster::default();
    for number in 0..HOSTS {
        let name = HostName::parse(&format!("web{number}")).unwrap();
        let identity = Signer::random().unwrap().public().clone();
        roster.enroll(name, identity).unwrap();
    }
    let text = roster.print();
    bencher.bench(|| Roster::parse(&text, std::path::Path::new("roster.toml")).unwrap());
}

/// Noise is the cheapest of all.
#[divan::bench]
fn refuse_a_mebibyte(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let noise = vec![0x53; 1 << 20];
    bencher.bench(|| read_claim(&noise, &fleet.name, SLOT, &fleet.pinned).unwrap_err());
}
