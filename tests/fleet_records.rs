//! The records of a fleet: what is sealed opens for whom it is meant, and nothing else is ever
//! believed, with the reason that fits.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(unreachable_pub)]

#[path = "fleet_records/sample.rs"]
mod sample;

use sample::{World, fleet, host, slot};
use stekguard::keys::fleet::*;

#[test]
fn what_is_sealed_for_a_fleet_opens_in_the_fleet() {
    let world = World::new();
    for format in Format::ALL {
        let record = world.for_fleet(format);
        let claim = read_claim(&record, &fleet(), slot(), &world.pinned()).unwrap();
        assert_eq!(claim, world.header);
        let (header, seed) =
            open_for_fleet(&record, &fleet(), slot(), &world.pinned(), &world.key).unwrap();
        assert_eq!((header, seed.id()), (world.header.clone(), world.seed.id()));
    }
}

#[test]
fn what_is_sealed_for_a_host_opens_on_the_host() {
    let world = World::new();
    for format in Format::ALL {
        let record = world.for_host(format);
        let keys = [Recipient::random().unwrap(), world.recipient()];
        let pinned = world.pinned();
        let (header, seed) =
            open_for_host(&record, &fleet(), slot(), &host(), &pinned, &keys).unwrap();
        assert_eq!((header, seed.id()), (world.header.clone(), world.seed.id()));
        let gone = open_for_host(&record, &fleet(), slot(), &host(), &pinned, &keys[..1]);
        assert_eq!(gone.err(), Some(Refused::Recipient));
    }
}

#[test]
fn what_is_signed_is_read_as_it_was_written() {
    let world = World::new();
    for format in Format::ALL {
        let pinned = world.pinned();
        let claim = world.claim(format);
        assert_eq!(
            read_claim(&claim, &fleet(), slot(), &pinned),
            Ok(world.header.clone())
        );
        assert_eq!(
            read_head(&world.signed_head(format), &fleet(), &pinned),
            Ok(world.head())
        );
        let (identity, now) = (world.identity.public(), sample::NOW);
        let key = read_host_key(&world.signed_key(format), &fleet(), &host(), identity, now);
        assert_eq!(key, Ok(world.host_key()));
        let report = read_report(&world.signed_report(format), &fleet(), &host(), identity);
        assert_eq!(report, Ok(world.report()));
    }
}
