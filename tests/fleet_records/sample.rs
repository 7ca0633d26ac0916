//! One fleet with a record of every kind.

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
