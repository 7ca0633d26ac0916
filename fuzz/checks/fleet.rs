//! Records of a fleet: any bytes, and any bytes behind a signature that is believed, so that
//! what lies behind the signature's check is reached too. Nothing may panic, and what is
//! accepted has to be of the fleet, slot and host that were asked for.

use std::sync::LazyLock;

use ed25519_dalek::{Signer as _, SigningKey};
use stekguard::keys::core::Slot;
use stekguard::keys::fleet::{
    FleetKey, FleetName, HostName, Pinned, PublicKey, Recipient, about, open_for_fleet,
    open_for_host, read_claim, read_head, read_host_key, read_report,
};

const CONTEXT: &[u8] = b"stekguard fleet record\0";
/// Of the private key of 32 bytes 7.
const PUBLIC: &str = "ed25519:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
const SLOT: Slot = Slot {
    generation: 3,
    epoch: 497_222,
};

struct World {
    private: SigningKey,
    public: PublicKey,
    pinned: Pinned,
    fleet: FleetName,
    host: HostName,
    key: FleetKey,
    recipients: [Recipient; 1],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let private = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey::parse(PUBLIC).unwrap();
    World {
        pinned: Pinned(vec![public.clone()]),
        fleet: FleetName::parse("edge").unwrap(),
        host: HostName::parse("web1.example.com").unwrap(),
        key: FleetKey::random().unwrap(),
        recipients: [Recipient::random().unwrap()],
        private,
        public,
    }
});

/// The first byte says whether what follows is signed by a key that is believed.
pub(crate) fn record(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let mut record = rest.to_vec();
    if first & 1 == 1 {
        // The signer's id stands in the signed part, behind magic, versions and kind.
        if let Some(id) = record.get_mut(7..15) {
            id.copy_from_slice(&WORLD.public.id().0);
        }
        let signed = [CONTEXT, &record].concat();
        record.extend_from_slice(&WORLD.private.sign(&signed).to_bytes());
    }
    let world = &*WORLD;
    let _ = about(&record);
    if let Ok(head) = read_head(&record, &world.fleet, &world.pinned) {
        assert_eq!(head.fleet, world.fleet);
    }
    if let Ok(header) = read_claim(&record, &world.fleet, SLOT, &world.pinned) {
        assert_eq!((header.fleet, header.slot), (world.fleet.clone(), SLOT));
    }
    if let Ok(key) = read_host_key(&record, &world.fleet, &world.host, &world.public, 1) {
        assert_eq!((&key.fleet, &key.host), (&world.fleet, &world.host));
    }
    if let Ok(report) = read_report(&record, &world.fleet, &world.host, &world.public) {
        assert_eq!((&report.fleet, &report.host), (&world.fleet, &world.host));
        assert!(report.live_check.len() <= 1024);
    }
    // Nobody sealed anything under these keys.
    let opened = open_for_fleet(&record, &world.fleet, SLOT, &world.pinned, &world.key);
    assert!(opened.is_err());
    let keys = &world.recipients;
    let opened = open_for_host(
        &record,
        &world.fleet,
        SLOT,
        &world.host,
        &world.pinned,
        keys,
    );
    assert!(opened.is_err());
}
