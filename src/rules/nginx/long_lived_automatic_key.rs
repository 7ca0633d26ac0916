//! nginx's automatic ticket keys live longer than a day, because sessions do.
//!
//! ## What it finds
//! Tickets under keys that nginx keeps in a shared zone, with a timeout of more than eight
//! hours. Shown on request only.
//!
//! ## Why
//! nginx makes a new key about once per `ssl_session_timeout` and keeps the one before and the
//! one after: a key exists for up to three timeouts, and on an idle server until somebody
//! connects. With `1d` whoever reads the memory opens what was recorded in three days.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.30.6
//! # show: pedantic
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1d;
//! }
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
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 4h;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: how long sessions live is a choice.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key>
//! * <https://nginx.org/en/CHANGES>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Endpoint, Field, KeySource, Site};
use crate::rules::places;
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, seconds};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "long-lived-automatic-key",
    severity: Severity::Pedantic,
    servers: &[Server::Nginx],
    summary: "automatic ticket keys that live longer than a day",
    source: include_str!("long_lived_automatic_key.rs"),
    check,
};

/// The key before, the current one and the next.
const LIVES: u64 = 3;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let limit = context.policy.key_age;
    let causes = places::causes(site, |endpoint| long_lived(site, limit, endpoint));
    let found = causes.found().iter();
    found
        .map(|cause| {
            let (location, lifetime) = &cause.key;
            let life = seconds::for_people(lifetime * LIVES);
            let words = Words {
                location: location.clone(),
                message: format!("an automatic ticket key exists for up to {life}"),
                label: "the timeout of sessions is the period of the key".to_owned(),
                help: &["a shorter `ssl_session_timeout`"],
            };
            finding(site, &RULE, &cause.endpoints, words)
        })
        .collect()
}

fn long_lived(site: &Site, limit: u64, endpoint: &Endpoint) -> Option<(Location, u64)> {
    if endpoint.ticket_key.source != KeySource::Zone || !endpoint.stateless_resumes() {
        return None;
    }
    let lifetimes = endpoint.lifetime_seconds;
    let lifetime = lifetimes.tls12.max(lifetimes.tls13)?;
    if lifetime.saturating_mul(LIVES) <= limit {
        return None;
    }
    let written = [Field::Lifetime13, Field::Lifetime12];
    let mut written = written
        .iter()
        .filter_map(|field| endpoint.why(*field)?.place().cloned());
    let place = written
        .next()
        .or_else(|| places::head(site, endpoint.governor))?;
    Some((place, lifetime))
}
