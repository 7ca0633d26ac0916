//! Records that are good, and kept by the store under another's name: of another fleet, slot,
//! host, kind, key, or length of slots.

use proptest::prelude::*;
use stekguard::keys::core::Slot;
use stekguard::keys::fleet::*;

use crate::sample::{HOUR, NOW, World, fleet, host, slot, world};

/// A record of a kind where another one is expected.
#[test]
fn a_record_of_another_kind_is_refused() {
    let world = World::new();
    let records = world.records();
    for wanted in &records {
        for other in records.iter().filter(|other| other.kind != wanted.kind) {
            let found = world.read(wanted, &other.bytes);
            // A sealed seed has the same claim in clear.
            if (wanted.kind, other.kind) == ("claim", "for fleet") {
                assert_eq!(found, Ok(()));
                continue;
            }
            let reason = match wanted.by_host == other.by_host {
                true => Refused::Kind,
                false => Refused::UnknownSigner,
            };
            assert_eq!(found, Err(reason), "{} for {}", other.name, wanted.name);
        }
    }
}

/// One generator, two fleets; one key, two names.
#[test]
fn a_head_of_another_fleet_or_interval_is_refused() {
    let world = World::new();
    let mut head = world.head();
    head.fleet = FleetName::parse("other").unwrap();
    let record = sign_head(&head, &world.generator).unwrap();
    let refused = read_head(&record, &fleet(), &world.pinned());
    assert_eq!(refused, Err(Refused::Fleet));
    let head = world.head();
    assert_eq!(head.clone().of_interval(HOUR), Ok(head.clone()));
    assert_eq!(head.of_interval(HOUR / 2), Err(Refused::Interval));
}

#[test]
fn nobody_pinned_believes_nobody() {
    let world = World::new();
    let record = world.signed_head(Format::One);
    let refused = read_head(&record, &fleet(), &Pinned::default());
    assert_eq!(refused, Err(Refused::UnknownSigner));
}

/// All records of a day, of two generations, in every wrong place.
#[test]
fn a_replayed_window_is_refused() {
    let world = World::new();
    let now = slot();
    let slots = |generation| {
        let epochs = now.epoch - 20..now.epoch + 4;
        epochs.map(move |epoch| Slot { generation, epoch })
    };
    let mut refused = 0;
    for kept in slots(2).chain(slots(3)) {
        let header = Header {
            slot: kept,
            ..world.header.clone()
        };
        let one = seal_for_fleet(&world.seed, &world.key, &header, &world.generator).unwrap();
        let two = seal_for_host(&world.seed, &world.host_key(), &header, &world.generator);
        let two = two.unwrap();
        for asked in [
            now,
            Slot {
                epoch: now.epoch + 1,
                ..now
            },
            kept,
        ] {
            let found = world.open_both(&one, &two, asked);
            let wanted = if asked == kept {
                None
            } else {
                Some(Refused::Slot)
            };
            assert_eq!(found, [wanted; 2], "{kept:?} as {asked:?}");
            refused += usize::from(wanted.is_some());
        }
    }
    assert_eq!(refused, 48 * 2 - 2);
}

/// What another host was sent, and what this one was sent for the key of the day before.
#[test]
fn a_seal_of_another_host_or_day_is_refused() {
    let world = World::new();
    let (other, old) = (Recipient::random().unwrap(), Recipient::random().unwrap());
    let mut key = world.host_key();
    (key.host, key.public) = (HostName::parse("web2").unwrap(), other.public());
    let for_other = seal_for_host(&world.seed, &key, &world.header, &world.generator).unwrap();
    let refused = world.open_host(&for_other, slot());
    assert_eq!(refused, Some(Refused::Host));

    let mut key = world.host_key();
    key.public = old.public();
    let for_old = seal_for_host(&world.seed, &key, &world.header, &world.generator).unwrap();
    assert_eq!(world.open_host(&for_old, slot()), Some(Refused::Recipient));
}

#[test]
fn a_key_of_the_day_has_its_time() {
    let world = World::new();
    let record = world.signed_key(Format::One);
    let read =
        |now| read_host_key(&record, &fleet(), &host(), world.identity.public(), now).map(|_| ());
    assert_eq!(read(NOW), Ok(()));
    assert_eq!(read(NOW + 24 * HOUR - 1), Ok(()));
    assert_eq!(read(NOW + 24 * HOUR), Err(Refused::Expired));
    // Made an hour before NOW: a generator whose clock is behind takes it, within reason.
    assert_eq!(read(NOW - HOUR - HostKey::SKEW), Ok(()));
    assert_eq!(read(NOW - HOUR - HostKey::SKEW - 1), Err(Refused::Expired));
    assert_eq!(read(u64::MAX), Err(Refused::Expired));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever a header says, it is accepted for itself alone.
    #[test]
    fn a_seed_is_opened_only_for_what_its_header_says(
        (generation, epoch) in (any::<u32>(), any::<u64>()),
        (interval, made) in (1..u64::MAX, any::<u64>()),
        name in "[a-z0-9][a-z0-9.-]{0,63}",
        (other_generation, other_epoch) in (any::<u32>(), any::<u64>()),
        other_name in "[a-z0-9][a-z0-9.-]{0,63}",
        format in proptest::sample::select(Format::ALL.to_vec()),
    ) {
        let world = world();
        let slot = Slot { generation, epoch };
        let fleet = FleetName::parse(&name).unwrap();
        let header = Header { fleet: fleet.clone(), slot, interval, seed: world.seed.id(), made };
        let generator = world.writer(format);
        let mut key = world.host_key();
        (key.fleet, key.host) = (fleet.clone(), HostName::parse(&name).unwrap());
        let one = seal_for_fleet(&world.seed, &world.key, &header, &generator).unwrap();
        let two = seal_for_host(&world.seed, &key, &header, &generator).unwrap();
        let claim = sign_claim(&header, &generator).unwrap();

        let pinned = world.pinned();
        let mine = [world.recipient()];
        let open = |fleet: &FleetName, slot: Slot, host: &HostName| {
            [
                open_for_fleet(&one, fleet, slot, &pinned, &world.key).map(|found| found.0),
                open_for_host(&two, fleet, slot, host, &pinned, &mine).map(|found| found.0),
                read_claim(&claim, fleet, slot, &pinned),
            ]
        };
        prop_assert_eq!(open(&fleet, slot, &key.host), [Ok(header.clone()), Ok(header.clone()), Ok(header.clone())]);
        for other in [
            Slot { generation: other_generation, epoch },
            Slot { generation, epoch: other_epoch },
            Slot { generation, epoch: epoch.wrapping_add(1) },
            Slot { generation: generation.wrapping_sub(1), epoch },
        ] {
            if other != slot {
                prop_assert_eq!(open(&fleet, other, &key.host), [Err(Refused::Slot), Err(Refused::Slot), Err(Refused::Slot)]);
            }
        }
        if other_name != name {
            let elsewhere = FleetName::parse(&other_name).unwrap();
            prop_assert_eq!(open(&elsewhere, slot, &key.host), [Err(Refused::Fleet), Err(Refused::Fleet), Err(Refused::Fleet)]);
            let host = HostName::parse(&other_name).unwrap();
            prop_assert_eq!(open(&fleet, slot, &host)[1].clone(), Err(Refused::Host));
        }
        let wrong = header.clone().of_interval(interval ^ 1);
        prop_assert_eq!(wrong, Err(Refused::Interval));
    }
}
