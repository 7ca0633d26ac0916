//! A TLS 1.3 session that never ends, as long as the client keeps resuming.
//!
//! ## What it finds
//! Addresses and names where each resumption in TLS 1.3 begins the lifetime anew: nginx before
//! 1.23.2, and httpd unless a ticket key file is in force. A warning where clients are
//! authenticated by certificates, else shown on request only.
//!
//! ## Why
//! The timeout reads as a limit and is none. A client whose certificate has expired or was
//! revoked stays in for as long as it comes back in time: certificates are looked at in full
//! handshakes only.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.22.1
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_protocols TLSv1.2 TLSv1.3;
//!     ssl_verify_client on;
//!     ssl_client_certificate ca.pem;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! # versions: apache=2.4.71
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile ca.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! A newer nginx; in httpd no resumption where clients have certificates.
//! ```nginx
//! # versions: nginx=1.23.2,1.31.9
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_protocols TLSv1.2 TLSv1.3;
//!     ssl_verify_client on;
//!     ssl_client_certificate ca.pem;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! # versions: apache=2.4.71
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile ca.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! No fix: no setting bounds these sessions and keeps them.
//!
//! ## References
//! * <https://nginx.org/en/CHANGES>
//! * <https://www.rfc-editor.org/rfc/rfc8446#section-4.6.1>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{ClientAuth, Endpoint, Field, Site};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, graded};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "unbounded-tls13-session",
    severity: Severity::Pedantic,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a TLS 1.3 session that never ends while it is used",
    source: include_str!("unbounded_tls13_session.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| unbounded(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(site, cause))
        .collect()
}

/// Where it is decided, and whether certificates of clients are at stake.
fn unbounded(site: &Site, endpoint: &Endpoint) -> Option<(Location, bool)> {
    if endpoint.chain_bounded.tls13 != Some(false) {
        return None;
    }
    let authenticates = endpoint.client_auth != ClientAuth::Off;
    let field = match authenticates {
        true => Field::ClientAuth,
        false => Field::Tls13Resumes,
    };
    let place = endpoint.why(field).and_then(|why| why.place().cloned());
    let place = place.or_else(|| places::head(site, endpoint.block))?;
    Some((place, authenticates))
}

fn report(site: &Site, cause: &Cause<(Location, bool)>) -> Finding {
    let (location, authenticates) = &cause.key;
    let (severity, message) = match authenticates {
        true => (
            Severity::Warning,
            "a client stays authenticated without end: each resumption in TLS 1.3 begins the \
             session's lifetime anew",
        ),
        false => (
            RULE.severity,
            "each resumption in TLS 1.3 begins the session's lifetime anew",
        ),
    };
    let help: &[&str] = match site.server {
        Server::Nginx => &["nginx 1.23.2 and later end the session at `ssl_session_timeout`"],
        Server::Apache => &[
            "a daily graceful restart ends all sessions",
            "who must be sure turns resumption off: `SSLSessionTickets off` and no \
             `SSLSessionCache`",
        ],
    };
    let words = Words {
        location: location.clone(),
        message: message.to_owned(),
        label: match authenticates {
            true => "looked at in full handshakes only".to_owned(),
            false => "sessions resume because of this".to_owned(),
        },
        help,
    };
    graded(site, &RULE, severity, &cause.endpoints, words)
}
