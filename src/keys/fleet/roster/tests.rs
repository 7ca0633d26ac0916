//! Rosters: read, written, changed, refused with the line.

use super::*;
use crate::keys::fleet::Signer;

fn name(text: &str) -> HostName {
    HostName::parse(text).unwrap()
}

fn identity() -> PublicKey {
    Signer::random().unwrap().public().clone()
}

fn parse(text: &str) -> Result<Roster, RosterError> {
    Roster::parse(text, Path::new("/etc/roster.toml"))
}

#[test]
fn a_roster_reads_as_it_was_written() {
    let mut roster = Roster::default();
    for host in ["web1", "web2", "web3"] {
        assert_eq!(roster.enroll(name(host), identity()), Ok(true));
    }
    roster.revoke(&name("web2")).unwrap();
    assert_eq!(parse(&roster.print()), Ok(roster.clone()));
    assert_eq!((roster.generation, roster.hosts.len()), (1, 2));
    assert_eq!(parse(""), Ok(Roster::default()));
}

#[test]
fn a_revoked_identity_never_comes_back_and_its_name_may() {
    let (old, new) = (identity(), identity());
    let mut roster = Roster::default();
    assert_eq!(roster.enroll(name("web1"), old.clone()), Ok(true));
    assert_eq!(roster.enroll(name("web1"), old.clone()), Ok(false));
    let taken = roster.enroll(name("web1"), new.clone());
    assert_eq!(taken, Err(RosterError::Name(name("web1"))));
    let shared = roster.enroll(name("web2"), old.clone());
    assert_eq!(
        shared,
        Err(RosterError::Identity(name("web2"), name("web1")))
    );

    roster.revoke(&name("web1")).unwrap();
    assert_eq!(roster.host(&name("web1")), None);
    assert_eq!(
        roster.revoke(&name("web1")),
        Err(RosterError::Unknown(name("web1")))
    );
    for host in ["web1", "web9"] {
        let back = roster.enroll(name(host), old.clone());
        assert_eq!(back, Err(RosterError::Revoked(name(host))));
    }
    assert_eq!(roster.enroll(name("web1"), new), Ok(true));
    assert_eq!(parse(&roster.print()), Ok(roster));
}

#[test]
fn the_last_generation_is_not_passed() {
    let mut roster = parse(&format!("generation = {}", u32::MAX)).unwrap();
    roster.enroll(name("web1"), identity()).unwrap();
    let before = roster.clone();
    let refused = roster.revoke(&name("web1"));
    assert_eq!(refused, Err(RosterError::Generation(u32::MAX)));
    assert_eq!(roster, before);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let (one, two) = (identity(), identity());
    let host = |name: &str, key: &PublicKey| {
        format!("[[host]]\nname = \"{name}\"\nidentity = \"{key}\"\n")
    };
    let revoked =
        |at: u32| format!("[[revoked]]\nname = \"b\"\nidentity = \"{two}\"\ngeneration = {at}\n");
    let cases = [
        ("generation = -1".to_owned(), 1, "invalid value"),
        ("generation = 4294967296".to_owned(), 1, "invalid value"),
        ("\nhosts = []".to_owned(), 2, "unknown field `hosts`"),
        (
            "generation = 1\n\n[[host]]\nname = 7".to_owned(),
            4,
            "invalid type",
        ),
        (
            "[[host]]\nname = \"a\"".to_owned(),
            1,
            "missing field `identity`",
        ),
        (host("A", &one), 2, "\"A\" is no name"),
        (
            host("a", &one).replace("ed25519:", "rsa:"),
            3,
            "is no public key",
        ),
        (
            host("a", &one) + &host("a", &two),
            5,
            "host a is enrolled with another identity",
        ),
        (
            host("a", &one) + &host("b", &one),
            5,
            "the identity of b is that of a",
        ),
        (
            host("a", &two) + &revoked(0),
            2,
            "the identity of a was revoked",
        ),
        (revoked(1), 4, "the roster has 0"),
        ("generation = 1\n[[host]\n".to_owned(), 2, ""),
    ];
    for (text, line, words) in cases {
        let why = parse(&text).unwrap_err().to_string();
        let place = format!("/etc/roster.toml:{line}: ");
        assert!(
            why.starts_with(&place) && why.contains(words),
            "{why}\n{text}"
        );
    }
}

#[test]
fn a_large_fleet_is_read_whole() {
    let key = |number: u32| {
        // Any point will do: every second y is on the curve.
        (0_u32..).find_map(|salt| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            bytes[4..8].copy_from_slice(&salt.to_be_bytes());
            PublicKey::of(&bytes)
        })
    };
    let mut roster = Roster::default();
    for number in 1..=2000 {
        let identity = key(number).unwrap();
        roster.hosts.push(Enrolled {
            name: name(&format!("h{number}")),
            identity,
        });
    }
    assert_eq!(parse(&roster.print()), Ok(roster));
}
