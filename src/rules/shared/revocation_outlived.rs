//! Revoked client certificates keep their sessions.
//!
//! ## What it finds
//! Addresses and names that check client certificates for revocation and whose sessions
//! resume past the moment at which a revocation takes effect:
//! * nginx: `ssl_crl`, where sessions outlive a reload: in a `shared` cache, or by tickets
//!   under a key file or a key of the shared zone;
//! * httpd: `SSLCARevocationCheck`, where tickets outlive a graceful restart under a key file;
//! * httpd: `SSLOCSPEnable`, where anything resumes: the responder is asked in full handshakes
//!   only.
//!
//! Not found for nginx's `ssl_ocsp`: nginx asks for every connection, resumed or not.
//!
//! ## Why
//! The check belongs to the full handshake. After a reload with a new list of revoked
//! certificates their owners go on resuming until the session ends, in nginx before 1.23.2 and
//! in httpd for as long as they keep resuming in TLS 1.3.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3,1.31.9
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_verify_client on;
//!     ssl_client_certificate ca.pem;
//!     ssl_crl revoked.pem;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Use instead
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_verify_client on;
//!     ssl_client_certificate ca.pem;
//!     ssl_crl revoked.pem;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: what ends the sessions (a restart, a new name for the zone, a new key) is a matter
//! of how the list is brought in.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcarevocationcheck>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslocspenable>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{
    ClientAuth, Endpoint, KeySource, Setting, Site, Tls12Id, Tls13Issued, Tls13Resumes,
};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "revocation-outlived",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "sessions of revoked client certificates resume",
    source: include_str!("revocation_outlived.rs"),
    check,
};

/// What ends the sessions when a revocation is brought in.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
enum Check {
    /// Nothing but a restart, a new zone or a new key.
    List,
    /// Only their own end.
    Responder,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| {
        let (setting, check) = outlived(site, endpoint)?;
        Some((setting.location.clone(), check))
    });
    causes
        .found()
        .iter()
        .map(|cause| report(site, cause))
        .collect()
}

fn outlived<'a>(site: &'a Site, endpoint: &'a Endpoint) -> Option<(&'a Setting, Check)> {
    if endpoint.client_auth == ClientAuth::Off || endpoint.rejects {
        return None;
    }
    let written = |name| places::in_force(site, &endpoint.when, endpoint.block, name);
    match site.server {
        Server::Nginx => {
            let list = written("ssl_crl").filter(|_| outlives_reload(endpoint))?;
            Some((list, Check::List))
        }
        Server::Apache => {
            let responder = written("SSLOCSPEnable").filter(|one| says_other_than(one, "off"));
            if let Some(responder) = responder.filter(|_| endpoint.resumes()) {
                return Some((responder, Check::Responder));
            }
            let list = written("SSLCARevocationCheck").filter(|one| says_other_than(one, "none"));
            let by_file = endpoint.ticket_key.source == KeySource::Files;
            let list = list.filter(|_| by_file && endpoint.stateless_resumes())?;
            Some((list, Check::List))
        }
    }
}

/// nginx: sessions in a shared zone, or under a key that a reload keeps.
fn outlives_reload(endpoint: &Endpoint) -> bool {
    let kept_key = matches!(
        endpoint.ticket_key.source,
        KeySource::Zone | KeySource::Files
    );
    let shared = endpoint.tls12.session_id == Tls12Id::Resumes
        || (endpoint.tls13.issued == Tls13Issued::Stateful
            && endpoint.tls13.resumes == Tls13Resumes::Always);
    shared || (kept_key && endpoint.stateless_resumes())
}

fn says_other_than(setting: &Setting, word: &str) -> bool {
    let first = setting.arguments.first();
    first.is_some_and(|first| !first.eq_ignore_ascii_case(word))
}

fn report(site: &Site, cause: &Cause<(Location, Check)>) -> Finding {
    let (location, check) = &cause.key;
    let (message, label, help): (&str, &str, &[&str]) = match (site.server, check) {
        (_, Check::Responder) => (
            "sessions of a certificate that was revoked since go on resuming",
            "asked in full handshakes only",
            &[
                "turn resumption off where certificates may be revoked: `SSLSessionTickets off`, \
                 and no `SSLSessionCache`",
                "or keep `SSLSessionCacheTimeout` short and end all sessions by a graceful \
                 restart when a certificate is revoked",
            ],
        ),
        (Server::Nginx, Check::List) => (
            "sessions outlive the reload that brings a new list of revoked certificates in",
            "checked in full handshakes only",
            &[
                "turn resumption off in this server: `ssl_session_tickets off;` and \
                 `ssl_session_cache off;`",
                "or end the sessions with each new list: a new name for the zone, a new ticket \
                 key, or a restart",
            ],
        ),
        (Server::Apache, Check::List) => (
            "sessions outlive the graceful restart that brings a new list of revoked certificates \
             in",
            "checked in full handshakes only",
            &["take the ticket key file away, or replace it together with the list"],
        ),
    };
    let words = Words {
        location: location.clone(),
        message: message.to_owned(),
        label: label.to_owned(),
        help,
    };
    finding(site, &RULE, &cause.endpoints, words)
}
