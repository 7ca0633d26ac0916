//! Certificate authorities with clients and revocation lists, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name, X509NameBuilder};

use super::certs::Pair;

/// An authority that can sign and revoke.
pub struct Authority {
    key: PKey<Private>,
    name: X509Name,
    /// Its own certificate, PEM.
    pub file: PathBuf,
}

impl Authority {
    /// A new one, as `dir/stem.pem`.
    pub fn new(dir: &Path, stem: &str) -> Self {
        let key = fresh_key();
        let name = name(&format!("authority {stem}"));
        let cert = certificate(&key, &name, &key, &name, 1);
        let file = dir.join(format!("{stem}.pem"));
        fs::write(&file, cert.to_pem().unwrap()).unwrap();
        Self { key, name, file }
    }

    /// A client's certificate with this serial number, as `dir/stem.crt` and `dir/stem.key`.
    pub fn client(&self, dir: &Path, stem: &str, serial: u8) -> Pair {
        let key = fresh_key();
        let cert = certificate(
            &key,
            &name(&format!("client {stem}")),
            &self.key,
            &self.name,
            serial,
        );
        let pair = Pair {
            cert: dir.join(format!("{stem}.crt")),
            key: dir.join(format!("{stem}.key")),
        };
        fs::write(&pair.cert, cert.to_pem().unwrap()).unwrap();
        fs::write(&pair.key, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        pair
    }

    /// A list that revokes one serial number, as `dir/stem.crl`: RFC 5280 5.1, written out because
    /// the openssl crate has no way to build one.
    pub fn revoke(&self, dir: &Path, stem: &str, serial: u8) {
        const SEQUENCE: u8 = 0x30;
        const INTEGER: u8 = 0x02;
        const BIT_STRING: u8 = 0x03;
        const UTC_TIME: u8 = 0x17;
        let long_ago = der(UTC_TIME, b"200101000000Z");
        // ecdsa-with-SHA256, 1.2.840.10045.4.3.2
        let algorithm = der(SEQUENCE, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
        let entry = [der(INTEGER, &[serial]), long_ago.clone()].concat();
        let list = [
            der(INTEGER, &[1]),
            algorithm.clone(),
            self.name.to_der().unwrap(),
            long_ago,
            der(UTC_TIME, b"491231235959Z"),
            der(SEQUENCE, &der(SEQUENCE, &entry)),
        ];
        let list = der(SEQUENCE, &list.concat());
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&list).unwrap();
        let signature = der(BIT_STRING, &[vec![0], signature].concat());
        let whole = der(SEQUENCE, &[list, algorithm, signature].concat());
        let text = openssl::base64::encode_block(&whole);
        let lines: Vec<_> = (text.as_bytes().chunks(64))
            .map(String::from_utf8_lossy)
            .collect();
        let text = format!(
            "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
            lines.join("\n")
        );
        fs::write(dir.join(format!("{stem}.crl")), text).unwrap();
    }
}

fn fresh_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(common: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, common).unwrap();
    name.build()
}

fn certificate(
    key: &PKey<Private>,
    subject: &X509Name,
    signer: &PKey<Private>,
    issuer: &X509Name,
    serial: u8,
) -> X509 {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    let serial = BigNum::from_u32(u32::from(serial)).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    let (from, to) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(2));
    builder.set_not_before(&from.unwrap()).unwrap();
    builder.set_not_after(&to.unwrap()).unwrap();
    if subject.to_der().unwrap() == issuer.to_der().unwrap() {
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
    }
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// One DER element of less than 64 KiB.
fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), body].concat()
}
