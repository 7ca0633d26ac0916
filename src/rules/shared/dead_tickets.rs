//! TLS 1.3 tickets that never resume.
//!
//! ## What it finds
//! Addresses and names with session tickets off and no session cache: in TLS 1.3 they hand out
//! two tickets of 32 bytes all the same, for sessions that nobody keeps. Shown on request only.
//!
//! ## Why
//! No danger: a client that returns with one does a full handshake. The tickets are bytes and
//! memory for nothing, and a scanner that counts tickets reports resumption where there is none.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.30.6
//! # show: pedantic
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! # show: pedantic
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
//! # versions: nginx=1.30.6
//! # show: pedantic
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_conf_command NumTickets 0;
//! }
//! ```
//! ```apache
//! # show: pedantic
//! Listen 443
//! SSLSessionTickets off
//! SSLOpenSSLConfCmd NumTickets 0
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! No fix: in nginx a command of a server takes the place of all commands around it.
//!
//! ## References
//! * <https://docs.openssl.org/3.0/man3/SSL_CTX_set_num_tickets/>
//! * <https://docs.openssl.org/3.0/man3/SSL_CONF_cmd/>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Endpoint, Field, Site, Tls13Issued, Tls13Resumes};
use crate::rules::places;
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "dead-tickets",
    severity: Severity::Pedantic,
    servers: &[Server::Nginx, Server::Apache],
    summary: "TLS 1.3 tickets that never resume",
    source: include_str!("dead_tickets.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| dead(site, endpoint));
    let found = causes.found().iter();
    found
        .map(|cause| {
            let help: &[&str] = match site.server {
                Server::Nginx => &[
                    "`ssl_conf_command NumTickets 0;` in the default server of the \
                    address (nginx 1.19.4)",
                ],
                Server::Apache => &["`SSLOpenSSLConfCmd NumTickets 0` at the server level"],
            };
            let words = Words {
                location: cause.key.clone(),
                message: "TLS 1.3 tickets are handed out that never resume".to_owned(),
                label: "tickets are off, and no cache keeps the sessions".to_owned(),
                help,
            };
            finding(site, &RULE, &cause.endpoints, words)
        })
        .collect()
}

fn dead(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let issued = endpoint.tls13.issued == Tls13Issued::Stateful;
    if !issued || endpoint.tls13.resumes != Tls13Resumes::Never {
        return None;
    }
    let place = endpoint.why(Field::Tls13Issued)?.place().cloned();
    place.or_else(|| places::head(site, endpoint.block))
}
