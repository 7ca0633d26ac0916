//! What trees point at, made once: certificates, authorities, a revocation list, key files.

use std::fs;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use tempfile::TempDir;

use crate::support::certs;

/// The folder.
pub struct World {
    dir: TempDir,
    pub nonce: String,
}

/// Ticket key files with their lengths.
pub const KEYS: [(&str, usize); 4] = [("k48a", 48), ("k80a", 80), ("k48b", 48), ("k80b", 80)];

impl World {
    /// Makes everything.
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("stekguard-world-").unwrap();
        let nonce = certs::nonce();
        let names = ["a.test", "b.test"];
        certs::self_signed(dir.path(), "one", &names, &nonce);
        certs::self_signed(dir.path(), "two", &names, &nonce);
        let world = Self { dir, nonce };
        world.rsa();
        world.authorities();
        for (stem, length) in KEYS {
            certs::ticket_key(&world.path().join(format!("{stem}.key")), length);
        }
        world
    }

    /// Where.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A key file.
    pub fn key(&self, stem: &str) -> PathBuf {
        self.path().join(format!("{stem}.key"))
    }

    fn rsa(&self) {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let subject = name("rsa.test", &self.nonce);
        let cert = certificate(&key, &subject, &key, &subject, false);
        self.write("rsa", &cert, &key);
    }

    /// `ca1` signs the client's certificate; `ca12` holds another authority beside it.
    fn authorities(&self) {
        let (one, two) = (ec(), ec());
        let (first, second) = (name("CA one", "first"), name("CA two", "second"));
        let ca1 = certificate(&one, &first, &one, &first, true);
        let ca2 = certificate(&two, &second, &two, &second, true);
        let (ca1, ca2) = (ca1.to_pem().unwrap(), ca2.to_pem().unwrap());
        fs::write(self.path().join("ca1.pem"), &ca1).unwrap();
        fs::write(self.path().join("ca12.pem"), [ca1, ca2].concat()).unwrap();
        let lists = [revocations(&one, &first), revocations(&two, &second)].concat();
        fs::write(self.path().join("crl.pem"), lists).unwrap();
        let client = ec();
        let cert = certificate(&client, &name("client", "client"), &one, &first, false);
        self.write("client", &cert, &client);
    }

    fn write(&self, stem: &str, cert: &X509, key: &PKey<Private>) {
        let file = |end: &str| self.path().join(format!("{stem}.{end}"));
        fs::write(file("crt"), cert.to_pem().unwrap()).unwrap();
        fs::write(file("key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    }
}

fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(common: &str, organisation: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, common).unwrap();
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, organisation)
        .unwrap();
    name.build()
}

fn certificate(
    key: &PKey<Private>,
    subject: &X509Name,
    signer: &PKey<Private>,
    issuer: &X509Name,
    authority: bool,
) -> X509 {
    let mut builder: X509Builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    let mut serial = [1_u8; 12];
    openssl::rand::rand_bytes(&mut serial[1..]).unwrap();
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
    if authority {
        let extension = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// An empty revocation list (RFC 5280 5.1), which the openssl crate cannot build.
fn revocations(signer: &PKey<Private>, issuer: &X509Name) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    const UTC_TIME: u8 = 0x17;
    // ecdsa-with-SHA256, 1.2.840.10045.4.3.2
    let algorithm = der(SEQUENCE, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    let list = [
        der(2, &[1]),
        algorithm.clone(),
        issuer.to_der().unwrap(),
        der(UTC_TIME, b"200101000000Z"),
        der(UTC_TIME, b"491231235959Z"),
    ];
    let list = der(SEQUENCE, &list.concat());
    let mut sign = Signer::new(MessageDigest::sha256(), signer).unwrap();
    let mut signature = vec![0];
    signature.extend(sign.sign_oneshot_to_vec(&list).unwrap());
    let whole = der(SEQUENCE, &[list, algorithm, der(3, &signature)].concat());
    let text = openssl::base64::encode_block(&whole);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|c| std::str::from_utf8(c).unwrap())
        .collect();
    format!(
        "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
        lines.join("\n")
    )
    .into_bytes()
}

fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(body);
    out
}
