//! What stands in the store while generators run, come and go.

use std::collections::BTreeMap;
use std::fs;

use stekguard::keys::core::KeyId;
use stekguard::keys::fleet::{Item, Recipient};

use crate::bench::{AHEAD, Fleet, SLOT, eventually, ids, sleep};
use crate::keys_bench::wall;

#[test]
fn the_window_opens_for_its_hosts_and_for_nobody_else() {
    let fleet = Fleet::new("per-host");
    let (mut one, two) = (fleet.host("web1"), fleet.host("web2"));
    let _generator = fleet.generator("one", &["--founding"]);
    let claims = fleet.whole(0);
    let distinct: std::collections::BTreeSet<KeyId> = ids(&claims).into_values().collect();
    assert_eq!(distinct.len() as u64, AHEAD + 1, "a seed a slot");
    for header in claims.values() {
        assert_eq!(header.interval, SLOT);
        for host in [&one, &two] {
            // Seals are written before their claim.
            let seed = fleet.open_as(host, header).expect("a seal for each host");
            assert_eq!(seed.id(), header.seed);
        }
    }
    // Somebody else's seal opens for nobody, and the own one under no other key.
    let stranger = crate::bench::Host {
        name: two.name.clone(),
        identity: stekguard::keys::fleet::Signer::random().unwrap(),
        keys: vec![Recipient::random().unwrap()],
    };
    let header = claims.values().next().unwrap();
    assert!(fleet.open_as(&stranger, header).is_none());

    // A host that came up again has another key: what stands is sealed again within a tick.
    one.keys.clear();
    fleet.publish(&mut one, Recipient::random().unwrap());
    eventually("not sealed again", || {
        let claims = fleet.claims(0);
        let opened = claims
            .values()
            .filter(|it| fleet.open_as(&one, it).is_some());
        (opened.count() as u64 > AHEAD).then_some(())
    });
    let head = fleet.head().unwrap();
    assert_eq!((head.generation, head.interval), (0, SLOT));
    assert!(wall().abs_diff(head.time) < 10_000 && head.newest >= wall() / SLOT);
}

#[test]
fn a_slot_keeps_its_seed_and_time_brings_the_next() {
    let fleet = Fleet::new("fleet-key");
    let _generator = fleet.generator("one", &["--founding"]);
    let first = ids(&fleet.whole(0));
    let mut seen: BTreeMap<u64, KeyId> = first.clone();
    let end = wall() + 5 * SLOT;
    while wall() < end {
        let claims = ids(&fleet.claims(0));
        let missing = AHEAD + 1 - claims.len() as u64;
        // The newest one is made within the slot in which it comes into the window.
        assert!(missing <= 1, "{claims:?}");
        for (epoch, id) in claims {
            let known = *seen.entry(epoch).or_insert(id);
            assert_eq!(known, id, "slot {epoch} changed its seed");
        }
        sleep(50);
    }
    println!("{} slots, each with one seed", seen.len());
    assert!(seen.len() >= first.len() + 4, "{seen:?}");
}

#[test]
fn two_generators_agree_and_one_goes_on_alone() {
    let fleet = Fleet::new("per-host");
    let host = fleet.host("web1");
    let one = fleet.generator("one", &["--founding"]);
    let mut two = fleet.generator("two", &["--founding"]);
    fleet.whole(0);
    let mut seen = BTreeMap::new();
    let mut watch = |slots: u64| {
        let end = wall() + slots * SLOT;
        while wall() < end {
            let claims = fleet.claims(0);
            for (epoch, header) in &claims {
                let known = *seen.entry(*epoch).or_insert(header.seed);
                assert_eq!(known, header.seed, "slot {epoch} changed its seed");
                assert!(fleet.open_as(&host, header).is_some(), "{header:?}");
            }
            sleep(50);
        }
    };
    watch(4);
    // Both were at it: who was second says so.
    let said = format!("{}{}", one.log(), two.log());
    assert!(said.contains("claimed with seed"), "{said}");
    // kill -9, as dropping does.
    drop(one);
    let killed = wall() / SLOT;
    watch(4);
    let last = *seen.keys().next_back().unwrap();
    assert!(last >= killed + 3 + AHEAD, "{last} after {killed}");
    two.says("claimed with seed");
    let claims = fleet.whole(0);
    assert!(*claims.keys().next_back().unwrap() >= killed + 3 + AHEAD);
    println!(
        "{} slots with one seed each; killed in slot {killed}",
        seen.len()
    );
}

/// Two that start at the same moment on an empty store want the same slots.
#[test]
fn who_is_second_gives_its_seed_up() {
    let fleet = Fleet::new("fleet-key");
    let mut one = fleet.generator("one", &["--founding"]);
    let mut two = fleet.generator("two", &["--founding"]);
    fleet.whole(0);
    one.says("slot ");
    two.says("slot ");
    sleep(2 * SLOT);
    let standing = ids(&fleet.claims(0));
    let logs = [one.log(), two.log()];
    for (epoch, id) in &standing {
        let line = format!("slot 0:{epoch} claimed with seed {id}");
        let winners = logs.iter().filter(|log| log.contains(&line)).count();
        assert_eq!(winners, 1, "{line}: {logs:?}");
        // Every other seed for this slot was wiped.
        for log in &logs {
            for made in made_for(log, *epoch).filter(|made| *made != id.to_string()) {
                assert!(
                    log.contains(&format!("seed {made} of slot 0:{epoch} wiped")),
                    "{log}"
                );
            }
        }
    }
}

fn made_for(log: &str, epoch: u64) -> impl Iterator<Item = &str> {
    let end = format!(" made for slot 0:{epoch}");
    log.lines()
        .filter_map(move |line| line.strip_suffix(&end)?.strip_prefix("seed "))
}

#[test]
fn a_wiped_store_has_the_same_seeds_again() {
    let fleet = Fleet::new("per-host");
    let mut host = fleet.host("web1");
    let _generator = fleet.generator("one", &["--founding"]);
    let before = ids(&fleet.whole(0));
    let store = fleet.path("store");
    for entry in fs::read_dir(&store).unwrap() {
        // Half written files go by themselves.
        let _ = fs::remove_file(entry.unwrap().path());
    }
    // The host's agent would publish its key again too.
    let key = Recipient::random().unwrap();
    fleet.publish(&mut host, key);
    let after = fleet.healed(&host, &before);

    // Seals alone are missed too.
    let (_, header) = after.iter().next_back().unwrap();
    let item = Item::Seal(header.slot, header.seed, host.name.clone());
    // As a store of this kind calls it.
    let name = item.name(&fleet.name()).replace(':', "_");
    fs::remove_file(store.join(name)).unwrap();
    eventually("the seal is not back", || fleet.open_as(&host, header));
}

#[test]
fn a_generator_that_starts_waits_for_one_that_has_the_seeds() {
    let fleet = Fleet::new("fleet-key");
    let first = fleet.generator("one", &["--founding"]);
    let before = ids(&fleet.whole(0));
    // Both see the store emptied; the new one must not come first.
    let _second = fleet.generator("two", &[]);
    for entry in fs::read_dir(fleet.path("store")).unwrap() {
        let _ = fs::remove_file(entry.unwrap().path());
    }
    fleet.whole(0);
    let again = fleet.again(&before);
    assert!(!again.is_empty(), "none of {before:?} is back");
    assert!(
        again.iter().all(|(epoch, id)| before[epoch] == *id),
        "{before:?} {again:?}"
    );
    drop(first);
}
