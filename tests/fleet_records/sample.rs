//! One fleet with a record of every kind.

use std::sync::LazyLock;

use stekguard::keys::core::{KeyId, Slot};
use stekguard::keys::fleet::*;

pub const NOW: u64 = 1_790_000_000_000;
pub const HOUR: u64 = 3_600_000;

pub fn fleet() -> FleetName {
    FleetName::parse("edge").unwrap()
}

pub fn host() -> HostName {
    HostName::parse("web1.example.com").unwrap()
}

pub fn slot() -> Slot {
    Slot {
        generation: 3,
        epoch: NOW / HOUR,
    }
}

pub struct World {
    pub generator: Signer,
    pub identity: Signer,
    pub key: FleetKey,
    pub seed: Seed,
    pub header: Header,
    private: [u8; 32],
}

impl World {
    pub fn new() -> Self {
        let seed = Seed::random().unwrap();
        let header = Header {
            fleet: fleet(),
            slot: slot(),
            interval: HOUR,
            seed: seed.id(),
            made: NOW - HOUR,
        };
        Self {
            generator: Signer::random().unwrap(),
            identity: Signer::random().unwrap(),
            key: FleetKey::random().unwrap(),
            seed,
            header,
            private: *b"a private key for tests, no more",
        }
    }

    /// The generator, writing records of a version.
    pub fn writer(&self, format: Format) -> Signer {
        writing(&self.generator, format)
    }

    pub fn pinned(&self) -> Pinned {
        let other = Signer::random().unwrap().public().clone();
        Pinned(vec![other, self.generator.public().clone()])
    }

    pub fn recipient(&self) -> Recipient {
        Recipient::of(&self.private).unwrap()
    }

    pub fn host_key(&self) -> HostKey {
        HostKey {
            fleet: fleet(),
            host: host(),
            public: self.recipient().public(),
            made: NOW - HOUR,
            expires: NOW + 24 * HOUR,
        }
    }

    pub fn head(&self) -> Head {
        Head {
            fleet: fleet(),
            generation: 3,
            time: NOW,
            interval: HOUR,
            newest: slot().epoch + 3,
        }
    }

    pub fn report(&self) -> HostReport {
        HostReport {
            fleet: fleet(),
            host: host(),
            time: NOW,
            epoch: slot().epoch,
            generation: 3,
            encrypts: Some(KeyId([7; 8])),
            ahead: 2,
            held: 22,
            skew: -1234,
            contact: NOW - 5,
            reloaded: NOW - 7,
            live_check: "ok".to_owned(),
            alarms: 1,
            derived: true,
        }
    }

    pub fn for_fleet(&self, format: Format) -> Vec<u8> {
        seal_for_fleet(&self.seed, &self.key, &self.header, &self.writer(format)).unwrap()
    }

    pub fn for_host(&self, format: Format) -> Vec<u8> {
        let writer = self.writer(format);
        seal_for_host(&self.seed, &self.host_key(), &self.header, &writer).unwrap()
    }

    pub fn claim(&self, format: Format) -> Vec<u8> {
        sign_claim(&self.header, &self.writer(format)).unwrap()
    }

    pub fn signed_head(&self, format: Format) -> Vec<u8> {
        sign_head(&self.head(), &self.writer(format)).unwrap()
    }

    pub fn signed_key(&self, format: Format) -> Vec<u8> {
        sign_host_key(&self.host_key(), &writing(&self.identity, format)).unwrap()
    }

    pub fn signed_report(&self, format: Format) -> Vec<u8> {
        sign_report(&self.report(), &writing(&self.identity, format)).unwrap()
    }
}

/// The same key once more, writing records of a version.
pub fn writing(signer: &Signer, format: Format) -> Signer {
    let pem = signer.pem().unwrap();
    Signer::parse(&pem).unwrap().writing(format)
}

/// A record, and how it is to be read.
pub struct Readable {
    pub name: String,
    pub kind: &'static str,
    pub format: Format,
    /// Signed by the host's identity, not by the generator.
    pub by_host: bool,
    /// Bytes of the section of extensions, its length included.
    pub extensions: usize,
    pub bytes: Vec<u8>,
}

impl World {
    /// One of every kind, in every version.
    pub fn records(&self) -> Vec<Readable> {
        Format::ALL
            .into_iter()
            .flat_map(|format| self.records_of(format))
            .collect()
    }

    fn records_of(&self, format: Format) -> Vec<Readable> {
        let software = about(&self.signed_head(format)).unwrap().software;
        let extensions = software.map_or(0, |program| 2 + 4 + program.len());
        [
            ("head", false, self.signed_head(format)),
            ("claim", false, self.claim(format)),
            ("for fleet", false, self.for_fleet(format)),
            ("for host", false, self.for_host(format)),
            ("host key", true, self.signed_key(format)),
            ("report", true, self.signed_report(format)),
        ]
        .map(|(kind, by_host, bytes)| Readable {
            name: format!("{kind} {format:?}"),
            kind,
            format,
            by_host,
            extensions,
            bytes,
        })
        .into()
    }

    /// Reads bytes where this record is expected.
    pub fn read(&self, wanted: &Readable, bytes: &[u8]) -> Result<(), Refused> {
        let (fleet, slot, host) = (&fleet(), slot(), &host());
        let pinned = Pinned(vec![self.generator.public().clone()]);
        let identity = self.identity.public();
        match wanted.kind {
            "head" => read_head(bytes, fleet, &pinned).map(|_| ()),
            "claim" => read_claim(bytes, fleet, slot, &pinned).map(|_| ()),
            "for fleet" => open_for_fleet(bytes, fleet, slot, &pinned, &self.key).map(|_| ()),
            "for host" => self.open_host(bytes, slot).map_or(Ok(()), Err),
            "host key" => read_host_key(bytes, fleet, host, identity, NOW).map(|_| ()),
            _ => read_report(bytes, fleet, host, identity).map(|_| ()),
        }
    }

    /// Why this host does not open a seal.
    pub fn open_host(&self, bytes: &[u8], slot: Slot) -> Option<Refused> {
        let pinned = Pinned(vec![self.generator.public().clone()]);
        let keys = [self.recipient()];
        open_for_host(bytes, &fleet(), slot, &host(), &pinned, &keys).err()
    }

    /// Why a seal for the fleet and one for the host do not open.
    pub fn open_both(&self, one: &[u8], two: &[u8], slot: Slot) -> [Option<Refused>; 2] {
        let opened = open_for_fleet(one, &fleet(), slot, &self.pinned(), &self.key);
        [opened.err(), self.open_host(two, slot)]
    }
}

/// The same world for every case of a property.
pub fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(World::new);
    &WORLD
}

/// Its records.
pub fn records() -> &'static [Readable] {
    static RECORDS: LazyLock<Vec<Readable>> = LazyLock::new(|| world().records());
    &RECORDS
}
