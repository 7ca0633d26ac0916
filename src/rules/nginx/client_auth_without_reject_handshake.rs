//! The default server's client certificate authority opens the other servers of its address.
//!
//! ## What it finds
//! An address whose default server checks client certificates, and another server of it that
//! checks them differently. Reported at the default server.
//!
//! Not found where the default server asks for no certificates: nginx then refuses a request
//! for the other server by itself. Nor where it refuses handshakes.
//!
//! ## Why
//! A client that names no server in the handshake, or an unknown one, talks to the default
//! server and shows it a certificate. Its request may then name any server of the address, and
//! nginx serves that one without another look at the certificate. No session is resumed for
//! it, so no setting of sessions helps.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3,1.31.3
//! server {
//!     listen 443 ssl;
//!     server_name partner.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate partner-ca.pem;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name staff.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate staff-ca.pem;
//! }
//! ```
//!
//! ## Use instead
//! A default server that refuses whoever asks for no known name.
//! ```nginx
//! # versions: nginx=1.28.3,1.31.3
//! server {
//!     listen 443 ssl default_server;
//!     ssl_reject_handshake on;
//!     ssl_session_tickets off;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name partner.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate partner-ca.pem;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name staff.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate staff-ca.pem;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: a new default server takes the unknown names from the old one.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_reject_handshake>
//! * <https://nginx.org/en/security_advisories.html>

use std::collections::HashMap;

use crate::catalog::Server;
use crate::finding::{Finding, Related, Severity};
use crate::model::{Endpoint, Module, Site};
use crate::rules::places::{self, Causes};
use crate::rules::trust::{self, Trust};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "client-auth-without-reject-handshake",
    severity: Severity::Warning,
    servers: &[Server::Nginx],
    summary: "the default server's client certificates open other servers of its address",
    source: include_str!("client_auth_without_reject_handshake.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut defaults: HashMap<&str, (&Endpoint, Trust)> = HashMap::new();
    for endpoint in &site.endpoints {
        let is_default = endpoint.default && endpoint.module == Module::Http;
        if let Some(trust) = Trust::of(site, endpoint).filter(|_| is_default) {
            defaults.insert(&endpoint.address, (endpoint, trust));
        }
    }
    let mut causes: Causes<Location> = Causes::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        let Some((default, wider)) = defaults.get(&*endpoint.address) else {
            continue;
        };
        let trust = Trust::of(site, endpoint).filter(|_| endpoint.module == Module::Http);
        if !trust.is_some_and(|trust| wider.widens(&trust)) {
            continue;
        }
        if let Some(line) = trust::line(site, default) {
            causes.join(line, index);
        }
    }
    let found = causes.found().iter();
    found
        .map(|cause| report(site, &cause.key, &cause.endpoints))
        .collect()
}

fn report(site: &Site, line: &Location, endpoints: &[usize]) -> Finding {
    let words = Words {
        location: line.clone(),
        message: "whoever this default server lets in may ask for the other servers of its \
                  address, which check client certificates differently"
            .to_owned(),
        label: "checked where a client names no known server".to_owned(),
        help: &[
            "add `server { listen ... default_server; ssl_reject_handshake on; }` to the address \
             (nginx 1.19.4), with the session settings that the others rely on",
            "or give each client certificate authority an address of its own",
        ],
    };
    let mut found = finding(site, &RULE, endpoints, words);
    let first = places::chosen(site, endpoints).next();
    if let Some(location) = first.and_then(|endpoint| trust::line(site, endpoint)) {
        found.related.push(Related {
            location,
            label: "not checked against this".to_owned(),
        });
    }
    found
}
