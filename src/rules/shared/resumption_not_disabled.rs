//! Something resumes although the policy says that it must not.
//!
//! ## What it finds
//! Only under an explicit policy. `no-resumption`: every address and name where any session
//! resumes, by ticket, session id or TLS 1.3's stored sessions. `no-tickets`: those where
//! stateless tickets resume and no other rule says so already, that is under key files or
//! nginx's automatic rotation; tickets under a key that is never replaced are
//! `tickets-without-rotation`.
//!
//! ## Why
//! Resumption has independent state holders and is off only when all are. `ssl_session_tickets
//! off` alone leaves session ids and, in TLS 1.3, tickets that name a stored session wherever
//! there is a cache; `ssl_session_cache off` alone changes nothing for clients that use
//! tickets. A check that looks for one of the two lines passes configurations that resume.
//!
//! ## Example
//! ```nginx
//! # policy: no-resumption
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 5m;
//! }
//! ```
//! ```apache
//! # policy: no-resumption
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
//! # policy: no-resumption
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache off;
//! }
//! ```
//! ```apache
//! # policy: no-resumption
//! Listen 443
//! SSLSessionCache none
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe under the policy that asks for it: no client fails, every connection does a full
//! handshake. An existing cache line is edited, because a second one does not undo it. httpd
//! ends at a graceful restart that finds its cache gone: stop and start it.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_cache>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncache>
//! * <https://docs.openssl.org/3.0/man3/SSL_CTX_set_options/>

use crate::catalog::Server;
use crate::finding::{Finding, Fix, Related, Severity};
use crate::model::{Endpoint, Field, KeySource, Setting, Site, Tls12Id, Tls13Issued, Tls13Resumes};
use crate::policy::Goal;
use crate::rules::places::{self, Cause};
use crate::rules::{Context, Rule, sessions_off, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "resumption-not-disabled",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "something resumes although the policy forbids it",
    source: include_str!("resumption_not_disabled.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = match context.policy.goal {
        Goal::Sound | Goal::Rotate | Goal::Automatic => return Vec::new(),
        Goal::NoTickets => places::causes(site, |endpoint| unreported(site, endpoint)),
        Goal::NoResumption => places::causes(site, |endpoint| resuming(site, endpoint)),
    };
    causes
        .found()
        .iter()
        .map(|cause| finding(context, cause))
        .collect()
}

/// Stateless tickets whose key somebody or something replaces.
fn unreported(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let reported = endpoint.ticket_key.source == KeySource::Startup;
    if reported || !endpoint.stateless_resumes() {
        return None;
    }
    tickets_place(site, endpoint)
}

/// The cache's line where sessions are kept, else that of tickets.
fn resuming(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    if !endpoint.resumes() {
        return None;
    }
    if !keeps_sessions(endpoint) {
        return tickets_place(site, endpoint);
    }
    let field = match endpoint.tls12.session_id {
        Tls12Id::Resumes | Tls12Id::PerWorker | Tls12Id::External => Field::Tls12SessionId,
        _ => Field::Tls13Resumes,
    };
    let cache = sessions_off::directive(site.server);
    let setting = endpoint
        .why(field)
        .and_then(|why| site.settings.get(why.by?.0 as usize))
        .filter(|setting| setting.name == cache)
        .or_else(|| places::in_force(site, &endpoint.when, endpoint.governor, cache));
    place(site, endpoint, setting)
}

fn keeps_sessions(endpoint: &Endpoint) -> bool {
    let stored = endpoint.tls13.issued == Tls13Issued::Stateful
        && matches!(
            endpoint.tls13.resumes,
            Tls13Resumes::Always | Tls13Resumes::PerWorker
        );
    let ids = [Tls12Id::Resumes, Tls12Id::PerWorker, Tls12Id::External];
    stored || ids.contains(&endpoint.tls12.session_id)
}

fn tickets_place(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let directive = tickets_off::directive(site.server);
    let reason = [Field::Tls12Ticket, Field::Tls13Issued]
        .into_iter()
        .find_map(|field| {
            let by = endpoint.why(field)?.by?;
            site.settings.get(by.0 as usize)
        });
    let setting =
        reason.or_else(|| places::in_force(site, &endpoint.when, endpoint.block, directive));
    place(site, endpoint, setting)
}

fn place(site: &Site, endpoint: &Endpoint, setting: Option<&Setting>) -> Option<Location> {
    let place = setting.map(|setting| setting.location.clone());
    place.or_else(|| places::head(site, endpoint.governor))
}

fn finding(context: &Context<'_>, cause: &Cause<Location>) -> Finding {
    let site = context.site;
    let when = places::conditions(site, &cause.endpoints);
    let no_tickets = context.policy.goal == Goal::NoTickets;
    let fix = fix(context, &cause.endpoints);
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: places::confidence(&when),
        message: if no_tickets {
            "session tickets resume, and the policy is no tickets".to_owned()
        } else {
            "sessions resume, and the policy is no resumption".to_owned()
        },
        location: cause.key.clone(),
        label: "resumes because of this".to_owned(),
        related: also_on(site, cause),
        endpoints: places::labels(site, &cause.endpoints),
        help: vec![help(site.server, no_tickets, fix.is_some()).to_owned()],
        versions: Default::default(),
        when,
        fix,
    }
}

/// The tickets' line where the cache's line is the finding's.
fn also_on(site: &Site, cause: &Cause<Location>) -> Vec<Related> {
    let ticketed = places::chosen(site, &cause.endpoints).filter(|one| one.stateless_resumes());
    let mut places: Vec<Location> = ticketed
        .filter_map(|endpoint| tickets_place(site, endpoint))
        .collect();
    places.retain(|place| *place != cause.key);
    places.sort();
    places.dedup();
    let label = |location| Related {
        location,
        label: "tickets are on here".to_owned(),
    };
    places.into_iter().map(label).collect()
}

fn fix(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    match context.policy.goal {
        Goal::NoResumption => sessions_off::fix(context, endpoints),
        _ => tickets_off::fix(context, endpoints),
    }
}

const fn help(server: Server, no_tickets: bool, fixable: bool) -> &'static str {
    match (server, no_tickets, fixable) {
        (_, _, false) => "a script or something not modelled keeps the sessions: end it there",
        (Server::Nginx, true, _) => "`ssl_session_tickets off;`",
        (Server::Apache, true, _) => "`SSLSessionTickets off`",
        (Server::Nginx, false, _) => {
            "`ssl_session_tickets off;` and `ssl_session_cache off;`: one alone is not enough"
        }
        (Server::Apache, false, _) => {
            "`SSLSessionTickets off` and `SSLSessionCache none` in the line that sets the cache"
        }
    }
}
