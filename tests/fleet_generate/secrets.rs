//! Where seeds and private keys are not: in no file, no log, no page; and what of them the
//! system keeps in memory.

use std::fs;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use stekguard::keys::core::Slot;
use stekguard::keys::fleet::Item;

use crate::bench::{Fleet, SLOT, sleep};
use crate::keys_bench::wall;

/// The seed of a record, opened by nothing but the cipher and the form that the guide describes.
fn opened(record: &[u8], key: &[u8; 32]) -> Vec<u8> {
    assert_eq!((&record[..4], record[6]), (&b"SGKR"[..], 3));
    let body = usize::from(u16::from_be_bytes([record[15], record[16]]));
    let sealed = usize::from(u16::from_be_bytes([record[17], record[18]]));
    let (clear, rest) = record.split_at(19 + body);
    let (nonce, text) = rest[..sealed].split_at(24);
    let cipher = XChaCha20Poly1305::new(key.into());
    let nonce = XNonce::try_from(nonce).unwrap();
    let (text, tag) = text.split_at(32);
    let mut seed = text.to_vec();
    let tag = Tag::try_from(tag).unwrap();
    let buffer = seed.as_mut_slice().into();
    let opened = cipher.decrypt_inout_detached(&nonce, clear, buffer, &tag);
    opened.expect("it opens");
    seed
}

fn base64(text: &str) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    Base64::decode_vec(text.trim()).unwrap()
}

/// Every file below a folder.
fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), out),
            false => out.push(entry.path()),
        }
    }
}

/// A half of it is enough to be found, as bytes and as text.
fn holds(text: &[u8], secret: &[u8]) -> bool {
    use base64ct::{Base64, Encoding};
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = Base64::encode_string(secret);
    let halves = secret.chunks(16).map(<[u8]>::to_vec);
    let words = [
        hex.as_bytes()[..32].to_vec(),
        base64.as_bytes()[..20].to_vec(),
    ];
    halves
        .chain(words)
        .any(|part| text.windows(part.len()).any(|window| window == part))
}

#[test]
fn no_seed_and_no_private_key_is_in_any_file() {
    let fleet = Fleet::new("fleet-key");
    let key = fs::read_to_string(fleet.path("fleet.key")).unwrap();
    let key: [u8; 32] = base64(key.trim().rsplit(':').next().unwrap())
        .try_into()
        .unwrap();
    let pem = fs::read_to_string(fleet.path("one.key")).unwrap();
    let pem: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let private = base64(&pem)[16..48].to_vec();

    let metrics = fleet.path("metrics.prom");
    let more = ["--founding", "--metrics-file", metrics.to_str().unwrap()];
    let generator = fleet.generator("one", &more);
    let mut seeds = Vec::new();
    let end = wall() + 4 * SLOT;
    let mut next = 0;
    while wall() < end {
        for (epoch, header) in fleet.claims(0) {
            if epoch < next {
                continue;
            }
            next = epoch + 1;
            let slot = Slot {
                generation: 0,
                epoch,
            };
            let Some(record) = fleet.read(&Item::Key(slot)) else {
                continue;
            };
            let seed = opened(&record, &key);
            let digest = Sha256::digest([b"stekguard seed 1", &seed[..]].concat());
            assert_eq!(
                digest[..8],
                header.seed.0,
                "the seed is the one that is named"
            );
            seeds.push(seed);
        }
        sleep(100);
    }
    assert!(seeds.len() >= 5, "{}", seeds.len());

    // It has no file open for writing but its log, and locked what it knows.
    let pid = generator.child.id();
    let log = fleet.path("one.log");
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .unwrap()
        .flatten()
    {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.unwrap_or("0").trim(), 8).unwrap();
        let target = fs::read_link(format!("/proc/{pid}/fd/{}", entry.file_name().display()));
        let Ok(target) = target else { continue };
        let writes = flags & 3 != 0 && target.is_file();
        assert!(
            !writes || target == log || target.starts_with(fleet.path("store")),
            "{target:?}"
        );
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let locked = status
        .lines()
        .find(|line| line.starts_with("VmLck"))
        .unwrap();
    let locked: u64 = locked.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(locked > 1000, "{status}");
    drop(generator);

    let mut all = Vec::new();
    files(fleet.dir.path(), &mut all);
    let own = [fleet.path("one.key"), fleet.path("fleet.key")];
    let mut bytes = 0;
    for path in all.iter().filter(|path| !own.contains(path)) {
        let text = fs::read(path).unwrap();
        bytes += text.len();
        let secrets = seeds.iter().map(Vec::as_slice).chain([&key[..], &private]);
        for secret in secrets {
            assert!(!holds(&text, secret), "a secret is in {}", path.display());
        }
    }
    println!(
        "{} files, {bytes} bytes searched for {} seeds",
        all.len(),
        seeds.len()
    );
    // Nothing else was written: settings, keys, roster, log and metrics, and the store.
    let store = fleet.path("store");
    let mut rest: Vec<String> = all
        .iter()
        .filter(|path| !path.starts_with(&store))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    rest.sort();
    assert_eq!(
        rest,
        [
            "fleet.key",
            "metrics.prom",
            "one.key",
            "one.log",
            "one.toml",
            "roster.toml",
            "two.key",
            "two.toml"
        ]
    );
    // The search finds what is there.
    assert!(holds(&fs::read(fleet.path("fleet.key")).unwrap(), &key));
    assert!(holds(
        &[b"head", &seeds[0][..], b"tail"].concat(),
        &seeds[0]
    ));
}
