//! Who belongs to a fleet: hosts taken in and put out, the generation raised.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use stekguard::keys::fleet::{PublicKey, Signer};

use crate::bench::{AHEAD, Fleet, eventually, ids};

#[test]
fn rotate_now_replaces_every_key_at_once() {
    let fleet = Fleet::new("per-host");
    let host = fleet.host("web1");
    let mut generator = fleet.generator("one", &["--founding"]);
    let before = ids(&fleet.whole(0));
    let said = fleet.ran("one", "rotate-now", &["--fleet"]).ended(0);
    assert!(said.err.contains("generation 1"), "{}", said.err);
    let after = fleet.whole(1);
    assert!(
        after
            .values()
            .all(|it| !before.values().any(|id| *id == it.seed))
    );
    let opened = after
        .values()
        .filter(|it| fleet.open_as(&host, it).is_some());
    assert_eq!(opened.count() as u64, AHEAD + 1);
    eventually("the head does not say it", || {
        fleet.head().filter(|head| head.generation == 1)
    });
    for id in before.values() {
        generator.says(&format!("seed {id} of slot 0:"));
    }
    generator.says("its generation is void");

    // The other generator has the same roster and never goes back.
    let mut other = fleet.generator("two", &[]);
    other.says("slot 1:");
    assert!(!other.log().contains("slot 0:"), "{}", other.log());
}

#[test]
fn a_revoked_host_gets_no_key_of_the_new_generation() {
    let fleet = Fleet::new("per-host");
    let (web1, web2) = (fleet.host("web1"), fleet.host("web2"));
    let _generator = fleet.generator("one", &["--founding"]);
    let header = fleet.whole(0).into_values().next().unwrap();
    assert!(fleet.open_as(&web2, &header).is_some());

    let said = fleet.ran("one", "revoke-host", &["web2"]).ended(0);
    assert!(said.err.contains("host web2 is revoked") && said.err.contains("generation 1"));
    let after = fleet.whole(1);
    for header in after.values() {
        assert!(fleet.open_as(&web1, header).is_some());
        assert!(fleet.open_as(&web2, header).is_none());
    }
    // Again: nothing changes.
    let text = fs::read(fleet.path("roster.toml")).unwrap();
    let again = fleet.ran("one", "revoke-host", &["web2"]).ended(0);
    assert!(again.err.contains("revoked already"), "{}", again.err);
    assert_eq!(fs::read(fleet.path("roster.toml")).unwrap(), text);
    // With the identity that somebody may have it does not come back.
    let identity = web2.identity.public().to_string();
    let back = ["--host", "web2", "--identity", &identity];
    let refused = fleet.ran("one", "enroll", &back).ended(2);
    assert!(refused.err.contains("was revoked"), "{}", refused.err);
    let new = Signer::random().unwrap().public().to_string();
    fleet
        .ran("one", "enroll", &["--host", "web2", "--identity", &new])
        .ended(0);

    let none = fleet.ran("one", "revoke-host", &["web9"]).ended(2);
    assert!(
        none.err.contains("no host web9 is enrolled"),
        "{}",
        none.err
    );
}

#[test]
fn in_fleet_key_mode_nobody_can_be_left_out() {
    let fleet = Fleet::new("fleet-key");
    let refused = fleet.ran("one", "revoke-host", &["web1"]).ended(2);
    assert!(
        refused.err.contains("make a new fleet key"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("every other host"), "{}", refused.err);
}

#[test]
fn what_somebody_wrote_into_the_roster_stays() {
    let fleet = Fleet::new("per-host");
    let path = fleet.path("roster.toml");
    let key = || Signer::random().unwrap().public().to_string();
    let (one, two, three) = (key(), key(), key());
    let text = format!(
        "# Kept by the web team.\ngeneration = 4 # after the leak\n\n# Paris\n[[host]]\n\
         name = \"web1\"  # rack 3\nidentity = \"{one}\"\n\n[[host]]\nidentity = \"{two}\"\n\
         name = \"web2\"\n# end of Paris"
    );
    fs::write(&path, &text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let enroll = |more: &[&str]| fleet.ran("one", "enroll", more);
    enroll(&["--host", "web3", "--identity", &three]).ended(0);
    let added = fs::read_to_string(&path).unwrap();
    let expected = format!("{text}\n\n[[host]]\nname = \"web3\"\nidentity = \"{three}\"\n");
    assert_eq!(added, expected);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    // Again: not a byte changes.
    let again = enroll(&["--host", "web3", "--identity", &three]).ended(0);
    assert!(again.err.contains("already"), "{}", again.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);

    // Another identity under a name only where that is meant.
    let other = key();
    let refused = enroll(&["--host", "web3", "--identity", &other]).ended(2);
    assert!(
        refused.err.contains("with another identity"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("--replace"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    enroll(&["--host", "web3", "--identity", &other, "--replace"]).ended(0);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        expected.replace(&three, &other)
    );

    fleet.ran("one", "revoke-host", &["web2"]).ended(0);
    let now = fs::read_to_string(&path).unwrap();
    assert!(now.contains("generation = 5 # after the leak\n"), "{now}");
    assert!(
        now.contains("# Paris\n[[host]]\nname = \"web1\"  # rack 3\n"),
        "{now}"
    );
    let gone = format!("[[revoked]]\nidentity = \"{two}\"\nname = \"web2\"\ngeneration = 5\n# end");
    assert!(now.contains(&gone), "{now}");
    assert!(now.ends_with(&format!("identity = \"{other}\"\n")), "{now}");
    assert!(!fleet.path("roster.toml.new").exists());
}

/// Ten at once, each with a host of its own: none is lost.
#[test]
fn several_may_change_the_roster_at_once() {
    let fleet = Fleet::new("per-host");
    let children: Vec<_> = (0..10)
        .map(|number| {
            let key = Signer::random().unwrap().public().to_string();
            let host = format!("web{number}");
            let mut command =
                fleet.command("one", "enroll", &["--host", &host, "--identity", &key]);
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = fs::read_to_string(fleet.path("roster.toml")).unwrap();
    assert_eq!(text.matches("[[host]]").count(), 10, "{text}");
}

#[test]
fn keys_are_made_once_for_their_owner_alone() {
    let fleet = Fleet::new("fleet-key");
    for name in ["one.key", "fleet.key"] {
        let mode = fs::metadata(fleet.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
    let before = fs::read(fleet.path("one.key")).unwrap();
    let again = fleet.ran("one", "init-fleet", &[]).ended(0);
    assert_eq!(fs::read(fleet.path("one.key")).unwrap(), before);
    assert_eq!(again.err.matches("was there").count(), 3, "{}", again.err);
    assert!(again.out.contains(&fleet.signers[0]) && again.out.contains(&fleet.signers[1]));
    // What hosts are told is what settings take.
    fs::write(fleet.path("host.toml"), &again.out).unwrap();
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["config", "check"])
        .arg(fleet.path("host.toml"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");

    // OpenSSL reads the key, and its public half is the one that was printed.
    let openssl = std::process::Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(fleet.path("one.key"))
        .output()
        .unwrap();
    assert!(openssl.status.success(), "{openssl:?}");
    let raw: [u8; 32] = openssl.stdout[openssl.stdout.len() - 32..]
        .try_into()
        .unwrap();
    let public = PublicKey::of(&raw).unwrap().to_string();
    assert_eq!(public, fleet.signers[0]);

    // A host's identity is printed again and never made anew.
    fleet.settings("web1", "host = \"web1\"\n");
    let first = fleet.ran("web1", "enroll", &[]).ended(0);
    let mode = fs::metadata(fleet.path("web1.identity"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let second = fleet.ran("web1", "enroll", &[]).ended(0);
    assert_eq!(first.out, second.out);
}
