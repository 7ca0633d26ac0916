//! Session tickets under a key file that nobody replaces.
//!
//! ## What it finds
//! Addresses and names whose tickets are encrypted with a key file that was last written more
//! than a day ago. Where the file's age is not known (it is on another machine, or checked out
//! of version control) one file alone is reported, less surely; several files, or a pattern
//! such as `include ticket-keys/*.conf`, are taken for a rotation.
//!
//! Not found for httpd on OpenSSL 3 where the age is not known: see
//! `unreliable-ticket-key-file`, whose advice is to have no key file. Nor under a policy that
//! wants no tickets, or that says itself what their keys must be.
//!
//! ## Why
//! Whoever gets hold of the file reads every recorded connection whose ticket it encrypted, and
//! reloads and restarts do not change it. It is worse than the random key of a server without a
//! key file, which at least ends with the process. RFC 9325 section 3.4 asks for regular new
//! keys.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_timeout 1h;
//!     ssl_session_ticket_key ticket.key;
//! }
//! ```
//!
//! ## Use instead
//! Keys that a job replaces every few hours: the first encrypts, the others still open what
//! they encrypted. The file with these lines is what the job writes.
//! ```nginx
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!         ssl_session_timeout 1h;
//!         ssl_session_ticket_key current.key;
//!         ssl_session_ticket_key previous.key;
//!     }
//! }
//! ```
//! Or no tickets, and a cache.
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: a configuration cannot replace a key.
//!
//! ## References
//! * <https://www.rfc-editor.org/rfc/rfc9325#section-3.4>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessionticketkeyfile>

use crate::catalog::Server;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Endpoint;
use crate::policy::Goal;
use crate::rules::key_files::{self, Sign};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, seconds};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "static-ticket-key",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "session tickets under a key file that is not replaced",
    source: include_str!("static_ticket_key.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| sign(context, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(context, cause))
        .collect()
}

fn sign(context: &Context<'_>, endpoint: &Endpoint) -> Option<(Location, Sign)> {
    let site = context.site;
    // Where the policy asks for more, its own rule says so.
    if !endpoint.stateless_resumes() || context.policy.goal != Goal::Sound {
        return None;
    }
    let keys = key_files::in_force(site, endpoint);
    let first = *keys.first()?;
    let sign = key_files::not_replaced(context, &keys)?;
    if sign == Sign::Alone && key_files::unreliable(site) {
        return None;
    }
    Some((first.location.clone(), sign))
}

fn report(context: &Context<'_>, cause: &Cause<(Location, Sign)>) -> Finding {
    let site = context.site;
    let (location, sign) = &cause.key;
    let limit = seconds::for_people(context.policy.key_age);
    let (message, label) = match sign {
        Sign::Age(age) => (
            format!("the session ticket key was not replaced for more than {limit}"),
            format!("written {} hours ago", age / 3600),
        ),
        Sign::Alone => (
            "session tickets have one key file, and nothing shows that it is replaced".to_owned(),
            "the only key".to_owned(),
        ),
    };
    let words = Words {
        location: location.clone(),
        message,
        label,
        help: help(site.server),
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    if *sign == Sign::Alone {
        found.confidence = Confidence::Low;
    }
    found
}

const fn help(server: Server) -> &'static [&'static str] {
    match server {
        Server::Nginx => &[
            "replace the key every few hours and keep the one before as a second \
             `ssl_session_ticket_key`, which opens the tickets that are still out",
            "who does not share sessions between machines does better with \
             `ssl_session_tickets off;` and a `shared` session cache",
        ],
        Server::Apache => &[
            "`SSLSessionTickets off` and a `shmcb` session cache; without a key file a daily \
             graceful restart makes a new key",
        ],
    }
}
