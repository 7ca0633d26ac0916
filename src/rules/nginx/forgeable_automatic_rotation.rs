//! nginx's automatic ticket keys, in a version in which sessions can be forged
//! (CVE-2026-97629).
//!
//! ## What it finds
//! Addresses and names whose stateless tickets are encrypted with keys that nginx keeps and
//! replaces in a shared session cache, in the versions that the advisory names. It is reported
//! at the line that declares the cache.
//!
//! An error; a warning where the version comes from a distribution's package of which we do
//! not know whether it carries the fix. Nothing where the package is known to carry it.
//!
//! ## Why
//! From 1.23.2 a shared cache, tickets on and no key file mean that nginx makes the keys itself
//! and replaces them, which is the best that it offers without further tools. In the affected
//! versions a client can forge a session under such keys. The condition stands in the
//! advisory; so do the versions, which this rule takes from the catalog.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3
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
//! Upgrade; until then no tickets. The cache keeps returning clients resuming.
//! ```nginx
//! # versions: nginx=1.28.3
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1d;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```nginx
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1d;
//! }
//! ```
//!
//! ## Fix safety
//! Safe. Tickets are turned off; clients resume from the cache that is there.
//!
//! ## References
//! * <https://nginx.org/en/security_advisories.html>

use crate::catalog::{self, Advisory, Server};
use crate::finding::{Finding, Severity};
use crate::model::{Endpoint, KeySource, Setting, Site};
use crate::rules::advisories::{self, Exposure};
use crate::rules::places::{self, Cause};
use crate::rules::{Context, Rule, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "forgeable-automatic-rotation",
    severity: Severity::Error,
    servers: &[Server::Nginx],
    summary: "automatic ticket keys in a version in which sessions can be forged",
    source: include_str!("forgeable_automatic_rotation.rs"),
    check,
};

const ADVISORY: &str = "CVE-2026-97629";
const CACHE: &str = "ssl_session_cache";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let Some(advisory) = catalog::advisory(ADVISORY) else {
        return Vec::new();
    };
    let Some(severity) = severity(site, advisory) else {
        return Vec::new();
    };
    let causes = places::causes(site, |endpoint| cache_line(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| finding(context, advisory, severity, cause))
        .collect()
}

/// `None` where the judged server does not have the flaw.
fn severity(site: &Site, advisory: &Advisory) -> Option<Severity> {
    match advisories::exposure(&site.platform, advisory) {
        Exposure::No => None,
        Exposure::Perhaps => Some(Severity::Warning),
        Exposure::Yes => Some(RULE.severity),
    }
}

/// The line that declares the zone in which an endpoint's keys are kept.
fn cache_line(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    if endpoint.ticket_key.source != KeySource::Zone || !endpoint.stateless_resumes() {
        return None;
    }
    let declares = |setting: &&Setting| {
        let zone = endpoint.ticket_key.zone.as_deref().unwrap_or_default();
        setting.arguments.iter().any(|word| {
            let name = word
                .strip_prefix("shared:")
                .and_then(|rest| rest.split(':').next());
            name == Some(zone)
        })
    };
    let around = places::outer(site, endpoint.governor);
    let blocks = [Some(endpoint.governor), around];
    let mut lines = blocks
        .into_iter()
        .flatten()
        .filter_map(|id| places::own(site, &[], id, CACHE).find(declares));
    let line = lines.next().map(|setting| setting.location.clone());
    line.or_else(|| places::head(site, endpoint.governor))
}

fn finding(
    context: &Context<'_>,
    advisory: &Advisory,
    severity: Severity,
    cause: &Cause<Location>,
) -> Finding {
    let site = context.site;
    let fixed: Vec<String> = advisory.fixed.iter().map(ToString::to_string).collect();
    let unsure = match severity {
        Severity::Warning => ", unless the package carries the fix",
        _ => "",
    };
    let when = places::conditions(site, &cause.endpoints);
    Finding {
        rule: RULE.name,
        severity,
        confidence: places::confidence(&when),
        message: format!("sessions can be forged under automatic ticket keys ({ADVISORY}){unsure}"),
        location: cause.key.clone(),
        label: "the ticket keys are kept in this zone".to_owned(),
        related: Vec::new(),
        endpoints: places::labels(site, &cause.endpoints),
        help: vec![
            format!(
                "upgrade nginx to {} or later of its branch",
                fixed.join(" or ")
            ),
            "until then `ssl_session_tickets off;`: clients resume from the cache".to_owned(),
        ],
        versions: Default::default(),
        when,
        fix: tickets_off::fix(context, &cause.endpoints),
    }
}
