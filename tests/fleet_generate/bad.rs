//! What is wrong is said in one sentence: before the first tick with exit code 2, later as an
//! alarm, and the generator goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use stekguard::keys::core::Slot;
use stekguard::keys::fleet::{HostKey, Item, RecipientPublic, sign_host_key};

use crate::bench::{Fleet, SLOT, eventually, ids, sleep};
use crate::keys_bench::{Ran, wall};

#[track_caller]
fn refused(ran: Ran, words: &[&str]) {
    let ran = ran.ended(2);
    assert_eq!(ran.out, "");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in {}", ran.err);
    }
    assert_eq!(ran.err.matches("error: ").count(), 1, "{}", ran.err);
}

#[test]
fn what_is_wrong_at_the_start_is_one_sentence() {
    let fleet = Fleet::new("per-host");
    let once = |name: &str| fleet.ran(name, "generate", &["--once"]);
    let good = fs::read_to_string(fleet.path("one.toml")).unwrap();
    let bad = |from: &str, to: &str, words: &[&str]| {
        assert!(good.contains(from), "{from}");
        fs::write(fleet.path("bad.toml"), good.replace(from, to)).unwrap();
        refused(once("bad"), words);
    };
    bad(
        "signing_key",
        "sining_key",
        &["bad.toml:13: ", "did you mean `signing_key`?"],
    );
    bad(
        "name = \"edge\"",
        "name = \"Edge\"",
        &["bad.toml:9: ", "\"Edge\" is no name"],
    );
    bad(
        "name = \"edge\"\n",
        "",
        &["`name` is not set", "[fleet] of", "bad.toml"],
    );
    bad("ed25519:", "rsa:", &["bad.toml:12: ", "is no public key"]);
    bad(
        "store = [\"directory:/",
        "store = [\"file:/",
        &["is no store", "redis://"],
    );
    bad("\"one.key\"", "\"none.key\"", &["none.key", "No such file"]);
    bad(
        "\"one.key\"",
        "\"fleet.key\"",
        &["fleet.key", "cannot read"],
    );
    bad(
        "\"one.key\"",
        "\"roster.toml\"",
        &["roster.toml", "chmod 600"],
    );
    bad(
        "\"one.key\"",
        "\"credential:sign\"",
        &["there is no credential sign"],
    );
    bad("roster = \"roster.toml\"\n", "", &["`roster` is not set"]);
    bad(
        "roster = \"roster.toml\"",
        "roster = \"none.toml\"",
        &["none.toml", "No such file"],
    );
    bad(
        "mode = \"per-host\"",
        "mode = \"perhost\"",
        &["did you mean `per-host`?"],
    );
    bad(
        "interval = \"2s\"",
        "interval = \"0s\"",
        &["bad.toml:2: ", "longer than 0s"],
    );

    let key = fleet.path("one.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    refused(once("one"), &["one.key", "640", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let roster = fleet.path("roster.toml");
    let text = fs::read_to_string(&roster).unwrap();
    for broken in [
        "generation = ",
        "generation = \"3\"",
        "[[host]]\nname = \"web1\"\n",
    ] {
        fs::write(&roster, broken).unwrap();
        refused(once("one"), &["roster.toml"]);
        refused(fleet.ran("one", "revoke-host", &["web1"]), &["roster.toml"]);
        assert_eq!(fs::read_to_string(&roster).unwrap(), broken);
    }
    fs::write(&roster, text).unwrap();
    let ran = fleet
        .ran("one", "generate", &["--once", "--founding"])
        .ended(0);
    assert!(ran.err.contains("claimed with seed"), "{}", ran.err);
}

#[test]
fn a_broken_roster_leaves_the_last_good_one_in_force() {
    let fleet = Fleet::new("per-host");
    let host = fleet.host("web1");
    let mut generator = fleet.generator("one", &["--founding"]);
    fleet.whole(0);
    let roster = fleet.path("roster.toml");
    let good = fs::read(&roster).unwrap();
    for broken in [&b"generation = 1\n[[host"[..], &[0xff; 40], b""] {
        fs::write(&roster, broken).unwrap();
        if broken.is_empty() {
            fs::remove_file(&roster).unwrap();
        }
        sleep(SLOT / 2);
    }
    generator.says("the roster of before holds");
    sleep(SLOT);
    // Of the generation of before, for the hosts of before, whatever an empty file would say.
    let claims = fleet.whole(0);
    for header in claims.values() {
        assert!(fleet.open_as(&host, header).is_some());
    }
    fs::write(&roster, good).unwrap();
    fleet.ran("one", "rotate-now", &["--fleet"]).ended(0);
    fleet.whole(1);
}

#[test]
fn a_store_that_is_down_is_tried_again_with_the_same_seeds() {
    let fleet = Fleet::new("fleet-key");
    let mut generator = fleet.generator("one", &["--founding"]);
    let before = ids(&fleet.whole(0));
    // Gone, and something that is no folder in its place.
    let (store, away) = (fleet.path("store"), fleet.path("away"));
    fs::rename(&store, &away).unwrap();
    fs::write(&store, "no folder").unwrap();
    generator.says("seeds are kept");
    sleep(SLOT / 2);
    let log = generator.log();
    assert!(
        log.matches("error: ").count() <= 3,
        "said again and again: {log}"
    );
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    generator.says("the store is back");
    fleet.whole(0);
    let again = fleet.again(&before);
    assert!(!again.is_empty(), "none of {before:?} is back");
    assert!(
        again.iter().all(|(epoch, id)| before[epoch] == *id),
        "{before:?} {again:?}"
    );

    fs::remove_dir_all(&store).unwrap();
    fs::write(&store, "no folder").unwrap();
    let once = fleet.ran("one", "generate", &["--once"]).ended(2);
    assert!(once.err.contains("directory:"), "{}", once.err);
}

/// One host's strange key and noise in the store stop nobody else.
#[test]
fn strange_records_are_counted_and_harm_nobody() {
    let fleet = Fleet::new("per-host");
    let (good, bad, ugly) = (fleet.host("web1"), fleet.host("web2"), fleet.host("web3"));
    let now = wall();
    // All zeros: every seal for it would be open to everybody.
    let weak = HostKey {
        fleet: fleet.name(),
        host: bad.name.clone(),
        public: RecipientPublic([0; 32]),
        made: now + 1,
        expires: now + 3_600_000,
    };
    let weak = sign_host_key(&weak, &bad.identity).unwrap();
    let put = |item: &Item, record: &[u8]| {
        let name = item.name(&fleet.name());
        fleet.store().put(&name, record, now / 1000 + 600).unwrap();
    };
    put(&Item::Host(bad.name.clone()), &weak);
    // Signed by another host.
    put(&Item::Host(ugly.name.clone()), &weak);
    let epoch = now / SLOT;
    for (number, noise) in [vec![0xab; 60 * 1024], b"x".to_vec(), Vec::new()]
        .iter()
        .enumerate()
    {
        let slot = Slot {
            generation: 0,
            epoch: epoch + 1 + number as u64,
        };
        put(&Item::Key(slot), noise);
    }
    put(&Item::Head, b"noise");

    let metrics = fleet.path("metrics.prom");
    let file = metrics.to_str().unwrap();
    let mut generator = fleet.generator("one", &["--founding", "--metrics-file", file]);
    let claims = fleet.whole(0);
    eventually("not sealed", || {
        let opened = claims
            .values()
            .filter(|it| fleet.open_as(&good, it).is_some());
        (opened.count() == claims.len()).then_some(())
    });
    generator.says("over noise");
    generator.says("the public key of host web3 is refused (unknown-signer)");
    generator.says("the public key of host web2 is refused (recipient)");
    assert!(!generator.log().contains("sealed again for web2"));
    assert!(claims.values().all(|it| fleet.open_as(&bad, it).is_none()));
    let page = fs::read_to_string(&metrics).unwrap();
    for line in [
        "stekguard_generator_refused_total{kind=\"host\",reason=\"unknown-signer\"} ",
        "stekguard_generator_refused_total{kind=\"host\",reason=\"recipient\"} ",
        "stekguard_generator_refused_total{kind=\"head\",reason=\"",
        "stekguard_generator_refused_total{kind=\"claim\",reason=\"",
        "stekguard_generator_hosts 3\n",
        "stekguard_generator_hosts_without_key 2\n",
        "stekguard_generator_store_up 1\n",
        "stekguard_generator_claims_total{result=\"won\"} ",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}
