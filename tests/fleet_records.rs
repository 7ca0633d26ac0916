//! The records of a fleet: what is sealed opens for whom it is meant, what another program wrote
//! as the page says is read, and nothing else is ever believed, with the reason that fits.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(unreachable_pub)]

#[path = "fleet_records/damage.rs"]
mod damage;
#[path = "fleet_records/sample.rs"]
mod sample;
#[path = "fleet_records/swapped.rs"]
mod swapped;
#[path = "fleet_records/vectors.rs"]
mod vectors;

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
        let other = FleetKey::random().unwrap();
        let closed = open_for_fleet(&record, &fleet(), slot(), &world.pinned(), &other);
        assert_eq!(closed.err(), Some(Refused::Sealed));
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
        let read = read_claim(&claim, &fleet(), slot(), &pinned);
        assert_eq!(read, Ok(world.header.clone()));
        let head = world.signed_head(format);
        assert_eq!(read_head(&head, &fleet(), &pinned), Ok(world.head()));
        let (identity, now) = (world.identity.public(), sample::NOW);
        let key = read_host_key(&world.signed_key(format), &fleet(), &host(), identity, now);
        assert_eq!(key, Ok(world.host_key()));
        let report = read_report(&world.signed_report(format), &fleet(), &host(), identity);
        assert_eq!(report, Ok(world.report()));
    }
}

/// Whatever a live check says, the report is one that others read.
#[test]
fn a_report_carries_any_words() {
    let world = World::new();
    for words in [
        "",
        "\u{1b}[2J\r\n",
        &"\u{1f980}".repeat(100),
        &"a".repeat(161),
    ] {
        let mut report = world.report();
        (report.live_check, report.encrypts) = (words.to_owned(), None);
        let record = sign_report(&report, &world.identity).unwrap();
        let read = read_report(&record, &fleet(), &host(), world.identity.public()).unwrap();
        assert!(read.live_check.len() <= 160);
        assert!(read.live_check.len() + 3 >= words.len().min(160));
        assert!(!read.live_check.chars().any(char::is_control));
        assert_eq!(read.encrypts, None);
    }
}

/// The longest names there are give no record that a reader refuses.
#[test]
fn the_longest_record_is_read() {
    let world = World::new();
    let mut report = world.report();
    report.fleet = FleetName::parse(&"a".repeat(64)).unwrap();
    report.host = HostName::parse(&"b".repeat(64)).unwrap();
    report.live_check = "c".repeat(160);
    let signer = sample::writing(&world.identity, Format::Two);
    let record = sign_report(&report, &signer).unwrap();
    println!("the longest record has {} bytes", record.len());
    assert!(record.len() <= LONGEST_RECORD / 2);
    let read = read_report(
        &record,
        &report.fleet,
        &report.host,
        world.identity.public(),
    );
    assert_eq!(read, Ok(report));
}

/// A seed under another seed's name, or a host of another fleet, is not even written.
#[test]
fn what_does_not_fit_is_not_sealed() {
    let world = World::new();
    let other = Seed::random().unwrap();
    let (header, generator) = (&world.header, &world.generator);
    assert!(seal_for_fleet(&other, &world.key, header, generator).is_err());
    assert!(seal_for_host(&other, &world.host_key(), header, generator).is_err());
    let mut elsewhere = world.host_key();
    elsewhere.fleet = FleetName::parse("edge2").unwrap();
    let refused = seal_for_host(&world.seed, &elsewhere, header, generator).unwrap_err();
    assert!(refused.to_string().contains("belongs to the fleet edge2"));
    let mut shared = world.host_key();
    shared.public = RecipientPublic([0; 32]);
    let refused = seal_for_host(&world.seed, &shared, header, generator).unwrap_err();
    assert!(
        refused.to_string().contains("web1.example.com"),
        "{refused}"
    );
}

/// No two seals are alike, and none shows the seed's id but in its header.
#[test]
fn a_seed_is_sealed_anew_every_time() {
    let world = World::new();
    let format = Format::One;
    assert!(world.for_fleet(format) != world.for_fleet(format));
    assert!(world.for_host(format) != world.for_host(format));
}

#[test]
fn every_reason_is_a_word_of_its_own() {
    let words: Vec<&str> = Refused::ALL.iter().map(|why| why.as_str()).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), words.len());
    let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    assert!(words.iter().all(|word| word.bytes().all(kebab)));
}
