//! Ticket keys rotate, and processes with the old ones live on without a limit.
//!
//! ## What it finds
//! Several ticket key files, or key files by a pattern, in a main file without
//! `worker_shutdown_timeout`.
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
//! them.
//!
//! ## References
//! * <https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout>

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{BlockId, BlockKind, Endpoint, Site};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, key_files};
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
    let Some(main) = undrained(site) else {
        return Vec::new();
    };
    let causes = places::causes(site, |endpoint| rotated(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(site, main, cause))
        .collect()
}

/// The top level of a main file without the directive; `None` for a fragment, which does not
/// say what stands there.
fn undrained(site: &Site) -> Option<BlockId> {
    let main = places::main_block(site)?;
    let outer = [BlockKind::Http, BlockKind::Stream, BlockKind::Mail];
    let whole = site
        .blocks
        .iter()
        .any(|block| outer.contains(&block.kind) && block.directive.is_some());
    let silent = places::own(site, &[], main, DIRECTIVE).next().is_none();
    (whole && silent).then_some(main)
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

fn report(site: &Site, main: BlockId, cause: &Cause<Location>) -> Finding {
    let words = Words {
        location: cause.key.clone(),
        message: format!(
            "processes from before a reload keep the old ticket keys without a limit; no \
             `{DIRECTIVE}` is written"
        ),
        label: "keys rotate here".to_owned(),
        help: &[
            "`worker_shutdown_timeout 1h;` in the main file ends them, with the connections \
               that they still have",
        ],
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    found.fix = places::target(site, main).map(|target| Fix {
        title: "end the processes of before after an hour".to_owned(),
        applicability: Applicability::Unsafe,
        changes: vec![Change::Insert {
            target,
            statement: vec![DIRECTIVE.to_owned(), "1h".to_owned()],
        }],
        costs: vec![
            "connections that last longer than an hour after a reload are cut, WebSockets among \
             them"
                .to_owned(),
        ],
        go_live: GoLive::Reload,
    });
    found
}
