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
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
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
    let key = new_key();
    let cert = certificate(&key, names, nonce, None);
    written(dir, stem, &cert, &key)
}

/// Writes `dir/stem.crt` and `dir/stem.key` for a client, signed by an authority of its own that
/// stands in `dir/stem-ca.crt`.
pub fn client_of_authority(dir: &Path, stem: &str, nonce: &str) -> Pair {
    let ca_key = new_key();
    let ca_name = format!("{stem}-ca");
    let ca = certificate(&ca_key, &[&ca_name], nonce, Some(None));
    written(dir, &ca_name, &ca, &ca_key);
    let key = new_key();
    let cert = certificate(&key, &[stem], nonce, Some(Some((&ca, &ca_key))));
    written(dir, stem, &cert, &key)
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn written(dir: &Path, stem: &str, cert: &X509Ref, key: &PKey<Private>) -> Pair {
    let pair = Pair {
        cert: dir.join(format!("{stem}.crt")),
        key: dir.join(format!("{stem}.key")),
    };
    fs::write(&pair.cert, cert.to_pem().unwrap()).unwrap();
    fs::write(&pair.key, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    pair
}

/// Self-signed; `Some(None)` makes an authority, `Some(Some(..))` is signed by one.
fn certificate(
    key: &PKey<Private>,
    names: &[&str],
    nonce: &str,
    role: Option<Option<(&X509, &PKey<Private>)>>,
) -> X509 {
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
    let signer = role.flatten();
    let issuer = signer.map_or(&*subject, |(ca, _)| ca.subject_name());
    builder.set_issuer_name(issuer).unwrap();
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
    if role.is_some() && signer.is_none() {
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
    }
    let by = signer.map_or(key, |(_, ca_key)| ca_key);
    builder.sign(by, MessageDigest::sha256()).unwrap();
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
