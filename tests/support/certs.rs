//! Self-signed certificates in a temporary folder; each carries the run's nonce, so that an answer
//! proves which server gave it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder, X509Ref};

/// A certificate and its key on disk, both PEM.
#[derive(Debug, Clone)]
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// 32 hexadecimal digits that no other run has.
pub fn nonce() -> String {
    let mut bytes = [0_u8; 16];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes `dir/stem.crt` and `dir/stem.key` for `names`; the subject's organisation is the nonce.
pub fn self_signed(dir: &Path, stem: &str, names: &[&str], nonce: &str) -> Pair {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let cert = certificate(&key, names, nonce);
    let pair = Pair {
        cert: dir.join(format!("{stem}.crt")),
        key: dir.join(format!("{stem}.key")),
    };
    fs::write(&pair.cert, cert.to_pem().unwrap()).unwrap();
    fs::write(&pair.key, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    pair
}

fn certificate(key: &PKey<Private>, names: &[&str], nonce: &str) -> X509 {
    let mut subject = X509NameBuilder::new().unwrap();
    subject
        .append_entry_by_nid(Nid::COMMONNAME, names[0])
        .unwrap();
    subject
        .append_entry_by_nid(Nid::ORGANIZATIONNAME, nonce)
        .unwrap();
    let subject = subject.build();

    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        alternative.dns(name);
    }

    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(key).unwrap();
    let mut serial = [0_u8; 12];
    openssl::rand::rand_bytes(&mut serial).unwrap();
    serial[0] = 1;
    let serial = BigNum::from_slice(&serial)
        .unwrap()
        .to_asn1_integer()
        .unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let extension = alternative
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(extension).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// The nonce that a certificate carries, if it is one of ours.
pub fn nonce_of(cert: &X509Ref) -> Option<String> {
    let entry = cert
        .subject_name()
        .entries_by_nid(Nid::ORGANIZATIONNAME)
        .next()?;
    Some(String::from_utf8_lossy(entry.data().as_slice()).into_owned())
}

/// A ticket key file of random bytes, readable by its owner alone.
pub fn ticket_key(path: &Path, length: usize) {
    let mut bytes = vec![0_u8; length];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
