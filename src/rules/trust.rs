//! Which client certificates a server accepts, compared between servers: does a session that
//! one of them made open another that would not have made it? Must not judge versions.

use super::places;
use crate::catalog::Server;
use crate::model::{ClientAuth, Endpoint, Field, Setting, Site};
use crate::text::Location;

/// Who is trusted. Any difference counts.
const ROOTS: [&str; 6] = [
    "ssl_client_certificate",
    "ssl_trusted_certificate",
    "SSLCACertificateFile",
    "SSLCACertificatePath",
    "SSLCADNRequestFile",
    "SSLCADNRequestPath",
];

/// What is taken away from that. It counts where the second server has it and the first does
/// not have the same. nginx's OCSP does not stand here: nginx asks again for every connection.
const LIMITS: [&str; 7] = [
    "ssl_crl",
    "ssl_verify_depth",
    "SSLCARevocationFile",
    "SSLCARevocationPath",
    "SSLCARevocationCheck",
    "SSLVerifyDepth",
    "SSLOCSPEnable",
];

/// What a server checks client certificates by; the same for the same files under two names.
#[derive(Clone, Eq, PartialEq, Hash, Debug)]
pub(super) struct Trust {
    roots: Vec<Option<String>>,
    limits: Vec<Option<String>>,
}

impl Trust {
    /// That of an endpoint; `None` where it asks for no certificate or no client gets that far.
    pub(super) fn of(site: &Site, endpoint: &Endpoint) -> Option<Self> {
        let asks = endpoint.client_auth != ClientAuth::Off;
        if !asks || !endpoint.reachable || endpoint.rejects {
            return None;
        }
        let value = |name: &&str| value(site, endpoint, name);
        Some(Self {
            roots: ROOTS.iter().map(value).collect(),
            limits: LIMITS.iter().map(value).collect(),
        })
    }

    /// Whether a session made under this trust gets a client in where `other` would not.
    pub(super) fn widens(&self, other: &Self) -> bool {
        let mut limits = self.limits.iter().zip(&other.limits);
        self.roots != other.roots || limits.any(|(own, other)| other.is_some() && own != other)
    }
}

fn value(site: &Site, endpoint: &Endpoint, name: &str) -> Option<String> {
    let setting = places::in_force(site, &endpoint.when, endpoint.block, name)?;
    let written = setting.arguments.join(" ");
    let known = site.facts.of(&written).and_then(|facts| facts.content);
    Some(known.map_or(written, |number| format!("#{number:x}")))
}

/// The line by which an endpoint's own trust is recognised: of the list of authorities in its
/// own block, else the one that asks for certificates, else the block.
pub(super) fn line(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let list = match site.server {
        Server::Nginx => "ssl_client_certificate",
        Server::Apache => "SSLCACertificateFile",
    };
    let own = places::own(site, &endpoint.when, endpoint.block, list).next_back();
    let asks = endpoint
        .why(Field::ClientAuth)
        .and_then(|why| why.place().cloned());
    let own = own.map(|setting: &Setting| setting.location.clone());
    own.or(asks).or_else(|| places::head(site, endpoint.block))
}
