//! The server's certificate in words. Whether it verifies is told, never demanded.

use std::fmt::Write;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl::x509::{X509NameRef, X509VerifyResult};

/// A server's certificate.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Peer {
    /// The common name, or the whole subject where there is none.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// DNS names in it.
    pub names: Vec<String>,
    /// When it ends, as OpenSSL prints it.
    pub not_after: String,
    /// SHA-256 of it, in hex digits.
    pub fingerprint: String,
    /// Why it does not verify with the system's authorities; `None` where it does. The name is
    /// not compared.
    pub distrusted: Option<String>,
}

pub(super) fn peer(ssl: &SslRef) -> Option<Peer> {
    let certificate = ssl.peer_certificate()?;
    let alternatives = certificate.subject_alt_names();
    let names = alternatives.iter().flatten();
    let names = names.filter_map(|name| name.dnsname().map(str::to_owned));
    let digest = certificate.digest(MessageDigest::sha256()).ok()?;
    let mut fingerprint = String::new();
    for byte in digest.iter() {
        // Writing to a string cannot fail.
        let _ = write!(fingerprint, "{byte:02x}");
    }
    let verdict = ssl.verify_result();
    let distrusted = (verdict != X509VerifyResult::OK).then(|| verdict.error_string().to_owned());
    Some(Peer {
        subject: name(certificate.subject_name()),
        issuer: name(certificate.issuer_name()),
        names: names.collect(),
        not_after: certificate.not_after().to_string(),
        fingerprint,
        distrusted,
    })
}

fn name(name: &X509NameRef) -> String {
    let text = |nid| {
        let entry = name.entries_by_nid(nid).next()?;
        entry.data().to_string().ok()
    };
    text(Nid::COMMONNAME).unwrap_or_else(|| {
        let parts = name
            .entries()
            .filter_map(|entry| entry.data().to_string().ok());
        let parts: Vec<String> = parts.collect();
        parts.join(", ")
    })
}
