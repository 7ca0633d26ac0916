//! Versions beside each other, and bodies of any bytes that are signed by the right key.

use proptest::prelude::*;

use super::super::record::{read_claim, read_head, read_host_key, read_report};
use super::super::seal::{FleetKey, open_for_fleet, open_for_host};
use super::super::{FleetName, HostName};
use super::*;
use crate::keys::core::Slot;

/// Written by another program; see testdata/fleet/.
fn vectors() -> serde_json::Value {
    let text = include_str!("../../../../testdata/fleet/vectors.json");
    serde_json::from_str(text).unwrap()
}

fn bytes(value: &serde_json::Value) -> Vec<u8> {
    let hex = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16);
    hex.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

/// What a program knows that was built before version 2: it reads version 1, whose writer says
/// that it can read 2, and refuses version 2 with a reason of its own.
#[test]
fn a_reader_of_version_1_reads_version_1_and_refuses_version_2() {
    let vectors = vectors();
    let key = |who: &str| PublicKey::parse(vectors[who]["public"].as_str().unwrap()).unwrap();
    let signers = Pinned(vec![key("generator"), key("identity")]);
    let (mut read, mut refused) = (0, 0);
    for good in vectors["good"].as_array().unwrap() {
        let record = bytes(&good["record"]);
        let about = about(&record).unwrap();
        assert_eq!(about.reads, 2);
        assert!(Envelope::open(&record, &signers).is_ok(), "{good}");
        let old = Envelope::open_as(&record, &signers, 1);
        match about.version {
            1 => read += usize::from(old.is_ok()),
            _ => refused += usize::from(old.err() == Some(Refused::Version)),
        }
    }
    assert_eq!((read, refused), (7, 18));
}

/// What our writers put into version 2.
#[test]
fn version_2_tells_which_program_wrote_it() {
    for format in Format::ALL {
        let signer = Signer::random().unwrap().writing(format);
        let record = Draft::new(Kind::Head, b"body", &signer).sign(&[], &signer);
        let about = about(&record.unwrap()).unwrap();
        let program = concat!("stekguard ", env!("CARGO_PKG_VERSION")).to_owned();
        assert_eq!((about.version, about.reads), (format as u8, 2));
        assert_eq!(about.software, (format == Format::Two).then_some(program));
    }
}

#[test]
fn a_seal_of_another_length_is_not_signed() {
    let signer = Signer::random().unwrap();
    for (kind, length) in [(Kind::Head, 1), (Kind::ForHost, 72), (Kind::ForFleet, 0)] {
        let draft = Draft::new(kind, b"", &signer);
        assert!(draft.sign(&vec![0; length], &signer).is_err());
    }
}

fn read_every_way(record: &[u8], signer: &Signer) -> Vec<Option<Refused>> {
    let fleet = FleetName::parse("edge").unwrap();
    let host = HostName::parse("web1").unwrap();
    let slot = Slot {
        generation: 0,
        epoch: 0,
    };
    let (key, pinned) = (signer.public(), Pinned(vec![signer.public().clone()]));
    let fleet_key = FleetKey::parse(&format!("stekguard-fleet-key:{}=", "A".repeat(43))).unwrap();
    vec![
        read_head(record, &fleet, &pinned).err(),
        read_claim(record, &fleet, slot, &pinned).err(),
        read_host_key(record, &fleet, &host, key, 0).err(),
        read_report(record, &fleet, &host, key).err(),
        open_for_fleet(record, &fleet, slot, &pinned, &fleet_key).err(),
        open_for_host(record, &fleet, slot, &host, &pinned, &[]).err(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Not even the right key makes the reader stumble. A body of chance is none.
    #[test]
    fn a_signed_body_of_any_bytes_is_refused_with_a_reason(
        at in 0..6_usize,
        body in proptest::collection::vec(any::<u8>(), 0..300),
        sealed in any::<u8>(),
        format in proptest::sample::select(Format::ALL.to_vec()),
    ) {
        let signer = Signer::parse("stekguard-signing-key:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let signer = signer.unwrap().writing(format);
        let kind = Kind::ALL[at];
        let draft = Draft::new(kind, &body, &signer);
        let record = draft.sign(&vec![sealed; kind.sealed()], &signer).unwrap();
        for (way, refused) in read_every_way(&record, &signer).into_iter().enumerate() {
            prop_assert!(
                matches!(refused, Some(Refused::Kind | Refused::Malformed)),
                "{way}: {refused:?}"
            );
        }
    }

    /// Any list of extensions is read, passed over, or refused.
    #[test]
    fn extensions_of_any_bytes_have_an_end(bytes in proptest::collection::vec(0..9_u8, 0..64)) {
        match extensions(&bytes) {
            Ok(_) => prop_assert!(bytes.is_empty() || bytes.len() >= 4),
            Err(why) => prop_assert!(matches!(why, Refused::Malformed | Refused::Version)),
        }
    }
}
