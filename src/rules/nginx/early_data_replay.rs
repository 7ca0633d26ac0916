//! Early data that nobody protects against replay.
//!
//! ## What it finds
//! `ssl_early_data on` in force for a server in which `$ssl_early_data` is never used: neither
//! in it nor at the level around it.
//!
//! ## Why
//! Early data (0-RTT) can be recorded and sent again, as often as one likes: nginx takes it each
//! time. A request that changes something is then carried out several times. Backends can
//! refuse such requests with 425 (RFC 8470), but only when they are told, by a header.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_early_data on;
//!     location / {
//!         proxy_pass http://127.0.0.1:8080;
//!     }
//! }
//! ```
//!
//! ## Use instead
//! ```nginx
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_early_data on;
//!     location / {
//!         proxy_pass http://127.0.0.1:8080;
//!         proxy_set_header Early-Data $ssl_early_data;
//!     }
//! }
//! ```
//!
//! ## Fix safety
//! Unsafe: it turns early data off, which costs returning clients a round trip. A server of
//! static files alone may keep it.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_early_data>
//! * <https://www.rfc-editor.org/rfc/rfc8470>

use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{Endpoint, Field, Site};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "early-data-replay",
    severity: Severity::Warning,
    servers: &[Server::Nginx],
    summary: "early data that nobody protects against replay",
    source: include_str!("early_data_replay.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let causes = places::causes(site, |endpoint| unguarded(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(site, cause))
        .collect()
}

/// The line that turns early data on where nothing looks at it.
fn unguarded(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    if !endpoint.early_data || !endpoint.stateless_resumes() {
        return None;
    }
    let around = places::outer(site, endpoint.block);
    let mut blocks = [Some(endpoint.block), around].into_iter().flatten();
    let guards = |id| places::block(site, id).is_some_and(|block| block.reads_early_data);
    if blocks.any(guards) {
        return None;
    }
    endpoint.why(Field::EarlyData)?.place().cloned()
}

fn report(site: &Site, cause: &Cause<Location>) -> Finding {
    let words = Words {
        location: cause.key.clone(),
        message: "early data can be sent again by anybody, and nothing behind it is told"
            .to_owned(),
        label: "0-RTT is on".to_owned(),
        help: &[
            "`proxy_set_header Early-Data $ssl_early_data;` tells the backend, which answers 425 \
             where a request must not be repeated",
            "or `ssl_early_data off;`",
        ],
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    found.fix = Some(Fix {
        title: "turn early data off".to_owned(),
        applicability: Applicability::Unsafe,
        changes: vec![Change::SetArguments {
            statement: cause.key.clone(),
            arguments: vec!["off".to_owned()],
        }],
        common: Arc::default(),
        costs: vec!["the first request of returning clients takes a round trip longer".to_owned()],
        go_live: GoLive::Reload,
    });
    found
}
