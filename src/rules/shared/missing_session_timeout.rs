//! Sessions resume, and nothing written says for how long.
//!
//! ## What it finds
//! Addresses and names where sessions resume from a session cache, or by tickets whose key is
//! replaced, while the lifetime is the server's built-in 300 seconds. It is reported at the
//! line that makes them resume.
//!
//! Not reported where the only thing that resumes is a ticket under a key that is never
//! replaced: there a lifetime would bound the ticket and not the harm, and
//! `tickets-without-rotation` says what to do and names the timeout. Nor where the policy
//! forbids what resumes: a lifetime would not make it right.
//!
//! A note; a warning where nginx keeps the ticket key in the shared zone, since the timeout is
//! then also the period in which keys are replaced, and where httpd's TLS 1.3 sessions can be
//! renewed without end.
//!
//! ## Why
//! A lifetime that is not written is nobody's decision: it changes with a default, and a
//! reader takes it for something else. RFC 9325 section 3.4 asks for a limited validity, RFC
//! 5246 section F.1.4 for a day at most.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
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
//! ## Fix safety
//! Safe: it writes down the value that is in force already.
//!
//! ## References
//! * <https://www.rfc-editor.org/rfc/rfc9325#section-3.4>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_timeout>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncachetimeout>

use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{Endpoint, Field, KeySource, Setting, Site, Tls12Id, Tls13Issued, Tls13Resumes};
use crate::policy::Goal;
use crate::rules::places::{self, Cause};
use crate::rules::{Context, Rule, goal, seconds, sessions_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "missing-session-timeout",
    severity: Severity::Note,
    servers: &[Server::Nginx, Server::Apache],
    summary: "sessions resume and no lifetime is written down",
    source: include_str!("missing_session_timeout.rs"),
    check,
};

/// The built-in lifetime of both servers.
const DEFAULT: u64 = 300;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    // What brings the keys that the policy asks for brings a lifetime along, for all servers.
    let mut endpoints = site.endpoints.iter();
    let goal = context.policy.goal;
    if goal.wants_tickets() && endpoints.any(|endpoint| !goal::meets(context, endpoint)) {
        return Vec::new();
    }
    let causes = places::causes(site, |endpoint| unbounded(site, goal, endpoint));
    causes
        .found()
        .iter()
        .filter_map(|cause| finding(site, cause))
        .collect()
}

/// The line that makes sessions resume without a written lifetime.
fn unbounded(site: &Site, goal: Goal, endpoint: &Endpoint) -> Option<Location> {
    if !kept(goal, endpoint) || !by_default(site, endpoint) {
        return None;
    }
    let maker = maker(site, endpoint);
    maker
        .map(|setting| setting.location.clone())
        .or_else(|| places::head(site, endpoint.governor))
}

/// True where sessions resume, as the policy allows, from a cache or under a key that is
/// replaced.
fn kept(goal: Goal, endpoint: &Endpoint) -> bool {
    let by_id = matches!(
        endpoint.tls12.session_id,
        Tls12Id::Resumes | Tls12Id::PerWorker
    );
    let stored = endpoint.tls13.issued == Tls13Issued::Stateful
        && matches!(
            endpoint.tls13.resumes,
            Tls13Resumes::Always | Tls13Resumes::PerWorker
        );
    let rotated = matches!(
        endpoint.ticket_key.source,
        KeySource::Zone | KeySource::Files
    );
    let cached = by_id || stored;
    match goal {
        Goal::Sound | Goal::Rotate | Goal::Automatic => {
            cached || (rotated && endpoint.stateless_resumes())
        }
        Goal::NoTickets => cached,
        Goal::NoResumption => false,
    }
}

fn by_default(site: &Site, endpoint: &Endpoint) -> bool {
    let fields = [Field::Lifetime12, Field::Lifetime13];
    let mut reasons = fields.iter().filter_map(|field| endpoint.why(*field));
    let written = places::in_force(
        site,
        &endpoint.when,
        endpoint.governor,
        seconds::directive(site.server),
    )
    .is_some();
    !written && reasons.all(|why| why.by.is_none())
}

fn maker<'a>(site: &'a Site, endpoint: &'a Endpoint) -> Option<&'a Setting> {
    let key_file = match site.server {
        Server::Nginx => "ssl_session_ticket_key",
        Server::Apache => "SSLSessionTicketKeyFile",
    };
    let cache = sessions_off::directive(site.server);
    let written = |name| places::in_force(site, &endpoint.when, endpoint.governor, name);
    written(cache).or_else(|| written(key_file))
}

fn finding(site: &Site, cause: &Cause<Location>) -> Option<Finding> {
    let when = places::conditions(site, &cause.endpoints);
    let zone = places::chosen(site, &cause.endpoints)
        .any(|endpoint| endpoint.ticket_key.source == KeySource::Zone);
    let endless = site.server == Server::Apache
        && places::chosen(site, &cause.endpoints)
            .any(|endpoint| endpoint.chain_bounded.tls13 == Some(false));
    let directive = seconds::directive(site.server);
    let consequence = match (zone, endless) {
        (true, _) => ", which is also how often the ticket key is replaced",
        (_, true) => ", and in TLS 1.3 each use begins it anew",
        _ => "",
    };
    Some(Finding {
        rule: RULE.name,
        severity: if zone || endless {
            Severity::Warning
        } else {
            RULE.severity
        },
        confidence: places::confidence(&when),
        message: format!(
            "sessions resume for the built-in {DEFAULT} seconds{consequence}; no `{directive}` is written"
        ),
        location: cause.key.clone(),
        label: "resumes because of this".to_owned(),
        related: Vec::new(),
        endpoints: places::labels(site, &cause.endpoints),
        help: vec![format!("write the lifetime down with `{directive}`")],
        versions: Default::default(),
        when,
        fix: fix(site, cause),
    })
}

/// Beside the line that makes sessions resume, or in the block that connections start in.
fn fix(site: &Site, cause: &Cause<Location>) -> Option<Fix> {
    let first = places::chosen(site, &cause.endpoints).next()?;
    let block = maker(site, first).map_or(first.governor, |setting| setting.block);
    let value = match site.server {
        Server::Nginx => seconds::for_nginx(DEFAULT),
        Server::Apache => DEFAULT.to_string(),
    };
    let statement = vec![seconds::directive(site.server).to_owned(), value];
    Some(Fix {
        title: "write the lifetime down".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change::Insert {
            target: places::target(site, block)?,
            statement,
        }],
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}
