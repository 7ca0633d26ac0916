//! Records that another program wrote (testdata/fleet/make_vectors.py): the good ones are read
//! with what they say, the bad ones are refused with the word that the program expects.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stekguard::keys::core::{KeyId, Slot};
use stekguard::keys::fleet::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fleet")
}

fn vectors() -> Value {
    let text = std::fs::read_to_string(folder().join("vectors.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16);
    hex.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// What a reader has.
struct Reader {
    fleet: FleetName,
    host: HostName,
    slot: Slot,
    pinned: Pinned,
    identity: PublicKey,
    key: FleetKey,
    recipient: Recipient,
    now: u64,
    /// What the seed's header says.
    header: Header,
}

impl Reader {
    fn new(vectors: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fleet = FleetName::parse(&text(&vectors["fleet"])).unwrap();
        let slot = Slot {
            generation: u32::try_from(number(&vectors["generation"])).unwrap(),
            epoch: number(&vectors["epoch"]),
        };
        let (now, interval) = (number(&vectors["now"]), number(&vectors["interval"]));
        let key = |who: &str| PublicKey::parse(&text(&vectors[who]["public"])).unwrap();
        let private: [u8; 32] = bytes(&vectors["recipient"]["private"]).try_into().unwrap();
        let base64 = base64(&bytes(&vectors["fleet_key"]));
        Self {
            host: HostName::parse(&text(&vectors["host"])).unwrap(),
            pinned: Pinned(vec![key("generator")]),
            identity: key("identity"),
            key: FleetKey::parse(&format!("stekguard-fleet-key:{base64}\n")).unwrap(),
            recipient: Recipient::of(&private).unwrap(),
            now,
            header: Header {
                fleet: fleet.clone(),
                slot,
                interval,
                seed: KeyId(bytes(&vectors["seed"]["id"]).try_into().unwrap()),
                made: now - interval,
            },
            fleet,
            slot,
        }
    }

    fn head(&self) -> Head {
        Head {
            fleet: self.fleet.clone(),
            generation: self.slot.generation,
            time: self.now,
            interval: self.header.interval,
            newest: self.slot.epoch + 3,
        }
    }

    fn host_key(&self) -> HostKey {
        HostKey {
            fleet: self.fleet.clone(),
            host: self.host.clone(),
            public: self.recipient.public(),
            made: self.now - 3_600_000,
            expires: self.now + 24 * 3_600_000,
        }
    }

    fn report(&self) -> HostReport {
        HostReport {
            fleet: self.fleet.clone(),
            host: self.host.clone(),
            time: self.now,
            epoch: self.slot.epoch,
            generation: self.slot.generation,
            encrypts: Some(KeyId([0, 1, 2, 3, 4, 5, 6, 7])),
            ahead: 2,
            held: 22,
            skew: -1234,
            contact: self.now - 5,
            reloaded: self.now - 7,
            live_check: "ok".to_owned(),
            alarms: 1,
            derived: true,
        }
    }

    /// Reads as it was asked, and compares with what it should say.
    fn read(&self, how: &str, record: &[u8]) -> Result<(), Refused> {
        let (fleet, slot, pinned) = (&self.fleet, self.slot, &self.pinned);
        match how {
            "head" => assert_eq!(read_head(record, fleet, pinned)?, self.head()),
            "claim" => assert_eq!(read_claim(record, fleet, slot, pinned)?, self.header),
            "for_fleet" => {
                let (header, seed) = open_for_fleet(record, fleet, slot, pinned, &self.key)?;
                assert_eq!((&header, seed.id()), (&self.header, self.header.seed));
            }
            "for_host" => {
                let keys = std::slice::from_ref(&self.recipient);
                let opened = open_for_host(record, fleet, slot, &self.host, pinned, keys);
                let (header, seed) = opened?;
                assert_eq!((&header, seed.id()), (&self.header, self.header.seed));
            }
            "host_key" => {
                let (host, key) = (&self.host, &self.identity);
                let read = read_host_key(record, fleet, host, key, self.now)?;
                assert_eq!(read, self.host_key());
            }
            "report" => {
                let read = read_report(record, fleet, &self.host, &self.identity)?;
                assert_eq!(read, self.report());
            }
            other => panic!("no way to read {other}"),
        }
        Ok(())
    }
}

fn base64(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
}

#[test]
fn records_of_another_program_are_read() {
    let vectors = vectors();
    let reader = Reader::new(&vectors);
    let good = vectors["good"].as_array().unwrap();
    for case in good {
        let (how, record) = (case["read"].as_str().unwrap(), bytes(&case["record"]));
        assert_eq!(reader.read(how, &record), Ok(()), "{how}: {}", case["what"]);
        let about = about(&record).unwrap();
        assert_eq!(about.software.as_deref(), case["software"].as_str());
    }
    println!("{} records read", good.len());
    assert_eq!(good.len(), 25);
}

#[test]
fn bad_records_of_another_program_are_refused_with_its_word() {
    let vectors = vectors();
    let reader = Reader::new(&vectors);
    let bad = vectors["bad"].as_array().unwrap();
    let mut words = std::collections::BTreeSet::new();
    for case in bad {
        let (how, record) = (case["read"].as_str().unwrap(), bytes(&case["record"]));
        let word = case["refused"].as_str().unwrap();
        let refused = reader.read(how, &record).map_err(Refused::as_str);
        assert_eq!(refused, Err(word), "{how}: {}", case["what"]);
        words.insert(word);
    }
    println!("{} records refused for {} reasons", bad.len(), words.len());
    assert_eq!((bad.len(), words.len()), (60, Refused::ALL.len()));
}

/// Ed25519 has one signature a message: byte for byte, our records are the other program's.
#[test]
fn our_records_are_those_of_another_program() {
    let vectors = vectors();
    let reader = Reader::new(&vectors);
    let signer = |who: &str| {
        let secret = base64(&bytes(&vectors[who]["secret"]));
        Signer::parse(&format!("stekguard-signing-key:{secret}")).unwrap()
    };
    let (generator, identity) = (signer("generator"), signer("identity"));
    let public = vectors["generator"]["public"].as_str().unwrap();
    assert_eq!(generator.public().to_string(), public);
    let wanted = |read: &str| {
        let good = vectors["good"].as_array().unwrap();
        let found = good.iter().find(|case| case["read"] == read);
        bytes(&found.unwrap()["record"])
    };
    assert_eq!(
        sign_head(&reader.head(), &generator).unwrap(),
        wanted("head")
    );
    assert_eq!(
        sign_claim(&reader.header, &generator).unwrap(),
        wanted("claim")
    );
    let key = sign_host_key(&reader.host_key(), &identity).unwrap();
    assert_eq!(key, wanted("host_key"));
    let report = sign_report(&reader.report(), &identity).unwrap();
    assert_eq!(report, wanted("report"));
}

/// The file is the program's, and nobody changed it by hand.
#[test]
fn the_vectors_are_those_that_the_program_writes() {
    let program = folder().join("make_vectors.py");
    let output = Command::new("python3").arg(&program).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "tests/install_servers.sh installs what it needs: {words}"
    );
    let wanted = std::fs::read(folder().join("vectors.json")).unwrap();
    assert!(output.stdout == wanted, "make_vectors.py > vectors.json");
}
