//! A session cache that each process of nginx has for itself.
//!
//! ## What it finds
//! `ssl_session_cache builtin` without a `shared` zone where sessions are kept in it.
//!
//! ## Why
//! A client resumes only where the same process takes its connection: with four processes about
//! one time in four, unless connections are handed out unevenly. nginx's own documentation
//! warns of memory that falls to pieces. It is no danger, but it is not what was meant.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache builtin:1000;
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
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! Unsafe: the sessions then outlive a reload, and where tickets are on their key moves into
//! the zone.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_cache>

use std::collections::HashSet;
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{Endpoint, Site, Tls12Id, Tls13Resumes};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, sessions_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "per-worker-session-cache",
    severity: Severity::Note,
    servers: &[Server::Nginx],
    summary: "a session cache that each process has for itself",
    source: include_str!("per_worker_session_cache.rs"),
    check,
};

const CACHE: &str = sessions_off::directive(Server::Nginx);

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| builtin(site, endpoint));
    let zone = match causes.found() {
        [] => return Vec::new(),
        _ => free_zone(site),
    };
    let found = causes.found().iter();
    found.map(|cause| report(site, cause, &zone)).collect()
}

fn builtin(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let per_worker = endpoint.tls12.session_id == Tls12Id::PerWorker
        || endpoint.tls13.resumes == Tls13Resumes::PerWorker;
    let cache = places::in_force(site, &[], endpoint.governor, CACHE).filter(|_| per_worker)?;
    Some(cache.location.clone())
}

fn report(site: &Site, cause: &Cause<Location>, zone: &str) -> Finding {
    let words = Words {
        location: cause.key.clone(),
        message: "each process keeps its own sessions, so that most clients resume by chance only"
            .to_owned(),
        label: "not shared".to_owned(),
        help: &[
            "`ssl_session_cache shared:NAME:10m;` holds about 40000 sessions for all processes",
        ],
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    found.fix = Some(Fix {
        title: "share the cache between the processes".to_owned(),
        applicability: Applicability::Unsafe,
        changes: vec![Change::SetArguments {
            statement: cause.key.clone(),
            arguments: vec![format!("shared:{zone}:10m")],
        }],
        common: Arc::default(),
        costs: vec!["sessions outlive a reload".to_owned()],
        go_live: GoLive::Reload,
    });
    found
}

/// A name that no zone of the configuration has.
fn free_zone(site: &Site) -> String {
    let words = places::settings(site).flat_map(|setting| &setting.arguments);
    let zones = words.filter_map(|word| word.strip_prefix("shared:")?.split_once(':'));
    let taken: HashSet<&str> = zones.map(|(name, _)| name).collect();
    let mut names = (1..).map(|number| match number {
        1 => "TLS".to_owned(),
        _ => format!("TLS{number}"),
    });
    names
        .find(|name| !taken.contains(&**name))
        .unwrap_or_default()
}
