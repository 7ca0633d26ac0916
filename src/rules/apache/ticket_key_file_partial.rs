//! Some virtual hosts of an address have a ticket key file and others none.
//!
//! ## What it finds
//! An address whose first virtual host has `SSLSessionTicketKeyFile`, and another virtual host
//! of it, with tickets on, that has none. Reported at the one without.
//!
//! The other way round (the first without, others with one) the file has no effect:
//! `ignored-session-directive` says so.
//!
//! ## Why
//! The first virtual host's setting makes httpd ask for a key file whenever a client offers a
//! ticket, and it then looks for the file of the host that the client named. Where there is
//! none, with OpenSSL 3 the handshake fails: every client that supports tickets, which is every
//! browser, cannot connect. Older OpenSSL takes a key that nobody configured.
//!
//! ## Example
//! ```apache
//! Listen 443
//! SSLSessionCacheTimeout 300
//! <VirtualHost *:443>
//!     ServerName a.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLSessionTicketKeyFile ticket.key
//! </VirtualHost>
//! <VirtualHost *:443>
//!     ServerName b.test
//!     SSLEngine on
//!     SSLCertificateFile b.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! No key file, and no tickets.
//! ```apache
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     ServerName a.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! <VirtualHost *:443>
//!     ServerName b.test
//!     SSLEngine on
//!     SSLCertificateFile b.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Unsafe: tickets are turned off at the address and its key files are taken away. Clients
//! connect again; who wanted tickets to work on several machines gives every virtual host the
//! file instead.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessionticketkeyfile>
//! * <https://docs.openssl.org/3.0/man3/SSL_CTX_set_tlsext_ticket_key_cb/>

use crate::catalog::Server;
use crate::finding::{Finding, Related, Severity};
use crate::model::{Endpoint, KeySource, Site};
use crate::rules::key_files::Removals;
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, key_files};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "ticket-key-file-partial",
    severity: Severity::Error,
    servers: &[Server::Apache],
    summary: "some virtual hosts of an address have a ticket key file and others none",
    source: include_str!("ticket_key_file_partial.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| without_file(site, endpoint));
    let mut removals = Removals::default();
    let found = causes.found().iter();
    found
        .map(|cause| report(context, cause, &mut removals))
        .collect()
}

/// The place of a virtual host without a file, where the first one of its address has one.
fn without_file(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    if endpoint.ticket_key.source != KeySource::Unknown {
        return None;
    }
    first_file(site, endpoint)?;
    places::head(site, endpoint.block)
}

fn first_file(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let name = key_files::directive(Server::Apache);
    let file = places::in_force(site, &endpoint.when, endpoint.governor, name)?;
    Some(file.location.clone())
}

fn report(context: &Context<'_>, cause: &Cause<Location>, removals: &mut Removals) -> Finding {
    let site = context.site;
    let words = Words {
        location: cause.key.clone(),
        message: "clients that offer tickets cannot connect: the first virtual host of the \
                  address has a ticket key file, and this one has none"
            .to_owned(),
        label: "no `SSLSessionTicketKeyFile` here".to_owned(),
        help: &[
            "`SSLSessionTickets off` at the server level and no key file; a `shmcb` session cache \
             lets returning clients resume",
            "or one `SSLSessionTicketKeyFile` at the server level, for all virtual hosts",
        ],
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    let first = places::chosen(site, &cause.endpoints).next();
    if let Some(location) = first.and_then(|endpoint| first_file(site, endpoint)) {
        found.related.push(Related {
            location,
            label: "asks for a key file at every name of the address".to_owned(),
        });
    }
    found.fix = removals.fix(context, &cause.endpoints);
    found
}
