//! A ticket key file that httpd does not fully use on OpenSSL 3.
//!
//! ## What it finds
//! `SSLSessionTicketKeyFile` in force where httpd runs on OpenSSL 3. Where the library's
//! version is not known it is taken for OpenSSL 3.
//!
//! ## Why
//! httpd still sets the key of the ticket's MAC in a way that OpenSSL 3 ignores. Tickets are
//! then authenticated by something else than the file: another process or another machine may
//! refuse them, and their integrity is not what the file promises. Only httpd's development
//! branch has a correction.
//!
//! ## Example
//! ```apache
//! Listen 443
//! SSLSessionCacheTimeout 300
//! SSLSessionTicketKeyFile ticket.key
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/httpd/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Unsafe: tickets are turned off and the file is taken away, which ends the resumption that
//! works by chance.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessionticketkeyfile>
//! * <https://docs.openssl.org/3.0/man3/SSL_CTX_set_tlsext_ticket_key_cb/>

use crate::catalog::Server;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::VersionSource;
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, key_files, places};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "unreliable-ticket-key-file",
    severity: Severity::Warning,
    servers: &[Server::Apache],
    summary: "a ticket key file that httpd does not fully use on OpenSSL 3",
    source: include_str!("unreliable_ticket_key_file.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    if !key_files::unreliable(site) {
        return Vec::new();
    }
    let causes = places::causes(site, |endpoint| {
        let key = *key_files::in_force(site, endpoint).first()?;
        Some(key.location.clone())
    });
    let mut removals = key_files::Removals::default();
    let found = causes.found().iter();
    found
        .map(|cause| {
            let words = Words {
                location: cause.key.clone(),
                message: "on OpenSSL 3 httpd does not authenticate tickets by this file, and \
                          other processes may refuse them"
                    .to_owned(),
                label: "only half of it is used".to_owned(),
                help: &[
                    "`SSLSessionTickets off` and a `shmcb` session cache, which all processes \
                     share; several machines share one by `memcache` or `redis`",
                ],
            };
            let mut found = finding(site, &RULE, &cause.endpoints, words);
            if site.platform.library.source == VersionSource::Assumed {
                found.confidence = found.confidence.min(Confidence::Medium);
            }
            found.fix = removals.fix(context, &cause.endpoints);
            found
        })
        .collect()
}
