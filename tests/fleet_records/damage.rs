//! Records that were changed on their way, and bytes that are none.

use proptest::prelude::*;
use stekguard::keys::fleet::*;

use crate::sample::{Readable, World};

/// Where what stands in the part of all records that comes first.
const MAGIC: usize = 4;
const VERSION: usize = 5;
const READS: usize = 6;
const KIND: usize = 7;
const SIGNER: usize = 15;
const BODY: usize = 17;
const SEALED: usize = 19;
const SIGNATURE: usize = 64;

/// The reasons that fit a changed bit at a place.
fn fitting(at: usize, record: &Readable) -> &'static [Refused] {
    let version_2 = record.format == Format::Two;
    let end = record.bytes.len() - SIGNATURE;
    let extensions = end - record.extensions;
    match at {
        0..MAGIC => &[Refused::Malformed],
        MAGIC..VERSION => &[Refused::Version],
        // Lower than the version itself, or just another number.
        VERSION..READS => &[Refused::Malformed, Refused::Signature],
        // No kind, one that has another seal, or one that was not signed.
        READS..KIND => &[Refused::Kind, Refused::Malformed, Refused::Signature],
        KIND..SIGNER => &[Refused::UnknownSigner],
        // The body ends elsewhere; where extensions follow, they may by chance end right.
        SIGNER..BODY if version_2 => &[Refused::Truncated, Refused::TooLarge, Refused::Signature],
        SIGNER..BODY => &[Refused::Truncated, Refused::TooLarge],
        BODY..SEALED => &[Refused::Malformed],
        at if version_2 && (extensions..extensions + 2).contains(&at) => {
            &[Refused::Truncated, Refused::TooLarge]
        }
        _ => &[Refused::Signature],
    }
}

/// Every byte of every kind of record, and every bit of the first part.
#[test]
fn a_changed_bit_is_refused_with_the_reason_of_its_place() {
    let world = World::new();
    let mut changed = 0;
    for record in world.records() {
        for at in 0..record.bytes.len() {
            let bits = if at < SEALED {
                0..8
            } else {
                at % 8..at % 8 + 1
            };
            for bit in bits {
                let mut bytes = record.bytes.clone();
                bytes[at] ^= 1 << bit;
                let refused = world.read(&record, &bytes).unwrap_err();
                let fits = fitting(at, &record).contains(&refused);
                assert!(fits, "{} byte {at} bit {bit}: {refused}", record.name);
                changed += 1;
            }
        }
    }
    println!("{changed} changed bits refused");
}

#[test]
fn a_record_that_is_cut_off_is_refused_as_truncated() {
    let world = World::new();
    for record in world.records() {
        for length in 0..record.bytes.len() {
            let refused = world.read(&record, &record.bytes[..length]);
            assert_eq!(refused, Err(Refused::Truncated), "{} {length}", record.name);
        }
    }
}

#[test]
fn a_record_with_something_behind_it_is_refused_as_too_large() {
    let world = World::new();
    for record in world.records() {
        for more in (1..200).chain([800, 5000]) {
            let mut bytes = record.bytes.clone();
            bytes.extend((0..more).map(|at| at as u8));
            let refused = world.read(&record, &bytes);
            assert_eq!(refused, Err(Refused::TooLarge), "{} {more}", record.name);
        }
        // Twice itself, as a store that appends would give.
        let twice = record.bytes.repeat(2);
        assert_eq!(world.read(&record, &twice), Err(Refused::TooLarge));
    }
}

/// Noise of 1 MiB is not even looked at, whatever it starts with.
#[test]
fn a_mebibyte_of_noise_is_refused_as_too_large() {
    let world = World::new();
    let mut state = 1_u32;
    let mut noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(1 << 20)
    .collect();
    for record in world.records() {
        assert_eq!(world.read(&record, &noise), Err(Refused::TooLarge));
        noise[..record.bytes.len()].copy_from_slice(&record.bytes);
        assert_eq!(world.read(&record, &noise), Err(Refused::TooLarge));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// No bytes are a record, alone or behind the start of one.
    #[test]
    fn no_bytes_are_a_record(
        which in 0..12_usize,
        start in 0..20_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..1100),
    ) {
        let world = crate::sample::world();
        let record = &crate::sample::records()[which];
        let mut bytes = record.bytes[..start].to_vec();
        bytes.extend(noise);
        prop_assert!(world.read(record, &bytes).is_err());
        let _ = about(&bytes);
    }

    /// Parts of records put together are none.
    #[test]
    fn no_two_records_make_a_third(
        (left, right) in (0..12_usize, 0..12_usize),
        at in 1..250_usize,
    ) {
        let world = crate::sample::world();
        let records = crate::sample::records();
        let (left, right) = (&records[left], &records[right]);
        let at = at.min(left.bytes.len() - 1).min(right.bytes.len() - 1);
        let bytes = [&left.bytes[..at], &right.bytes[at..]].concat();
        prop_assume!(bytes != left.bytes && bytes != right.bytes);
        for record in [left, right] {
            prop_assert!(world.read(record, &bytes).is_err());
        }
    }
}
