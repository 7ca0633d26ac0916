//! Ticket keys rotate, and processes with the old ones live on without a limit.
//!
//! ## What it finds
//! Several ticket key files, or key files by a pattern, in a main file without
//! `worker_shutdown_timeout`. Under the policy `rotate` also one that is longer than one key
//! encrypts.
//!
//! ## Why
//! nginx takes new keys in by a reload. The processes from before the reload keep the old keys
//! in memory until their last connection closes: a WebSocket or a download holds them for days.
//! Keys that should be gone after hours then are not, and each rotation adds a set of processes.
//!
//! ## Example
//! ```nginx
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
//!
//! ## Use instead
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
//!
//! ## Fix safety
//! Unsafe: connections that are older than the time after a reload are cut, WebSockets among
//! them. Safe under the policy `rotate`, which asks for it.
//!
//! ## References
//! * <https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout>

use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Finding, Fix, GoLive, Severity};
use crate::model::{Endpoint, Site};
use crate::policy::Goal;
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, key_files, rotation, seconds};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "undrained-rotation",
    severity: Severity::Warning,
    servers: &[Server::Nginx],
    summary: "processes with old ticket keys live on without a limit",
    source: include_str!("undrained_rotation.rs"),
    check,
};

const DIRECTIVE: &str = "worker_shutdown_timeout";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    if !undrained(context) {
        return Vec::new();
    }
    let causes = places::causes(site, |endpoint| rotated(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(context, cause))
        .collect()
}

/// A main file without the directive; a policy that asks for a rotation also says how long
/// old processes may live.
fn undrained(context: &Context<'_>) -> bool {
    let Some(main) = rotation::whole_main(context.site) else {
        return false;
    };
    let silent = places::own(context.site, &[], main, DIRECTIVE)
        .next()
        .is_none();
    let late = context.policy.goal == Goal::Rotate && rotation::drain(context).is_some();
    silent || late
}

/// The first of several key files.
fn rotated(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    if !endpoint.stateless_resumes() {
        return None;
    }
    let keys = key_files::in_force(site, endpoint);
    let rotates = keys.len() > 1 || key_files::by_pattern(site, &keys);
    let first = keys.first().filter(|_| rotates)?;
    Some(first.location.clone())
}

fn report(context: &Context<'_>, cause: &Cause<Location>) -> Finding {
    let interval = context.policy.rotation.interval;
    let line = format!(
        "`{DIRECTIVE} {};` in the main file ends them, with the connections that they still have",
        seconds::for_nginx(interval)
    );
    let words = Words {
        location: cause.key.clone(),
        message: format!(
            "processes from before a reload keep the old ticket keys without a limit; no \
             `{DIRECTIVE}` of at most {} is written",
            seconds::for_people(interval)
        ),
        label: "keys rotate here".to_owned(),
        help: &[&line],
    };
    let mut found = finding(context.site, &RULE, &cause.endpoints, words);
    found.fix = rotation::drain(context).map(|change| Fix {
        title: format!(
            "end the processes of before after {}",
            seconds::for_people(interval)
        ),
        applicability: match context.policy.goal {
            Goal::Rotate => Applicability::Safe,
            _ => Applicability::Unsafe,
        },
        changes: vec![change],
        common: Arc::default(),
        costs: vec![rotation::drain_cost(context.policy)],
        go_live: GoLive::Reload,
    });
    found
}
