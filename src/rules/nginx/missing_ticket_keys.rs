//! The list of rotated ticket keys is included, and there is none.
//!
//! ## What it finds
//! An include of the folder of rotated ticket keys that matches nothing, where tickets would
//! be encrypted with them. The rest of the judgement takes the keys for granted: they live in
//! memory on the server, and neither a repository nor a user without its rights sees them.
//!
//! A warning where the configuration is read where its server reads it, and in the output of
//! `nginx -T`: there the keys are surely missing. Otherwise a note.
//!
//! ## Why
//! A pattern that matches nothing does not keep nginx from starting, which is why it is used:
//! after a boot, with an empty file system in memory, the server comes up. But until keys are
//! made its tickets are under a random key that nothing replaces while it runs.
//!
//! ## Example
//! ```nginx
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     include /run/stekguard/keys/nginx/*.conf;
//!     ssl_session_timeout 18h;
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!     }
//! }
//! ```
//!
//! ## Use instead
//! The same, after `stekguard keys init`; or no tickets.
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 5m;
//!     ssl_session_tickets off;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: a configuration cannot make keys.
//!
//! ## References
//! * <https://nginx.org/en/docs/ngx_core_module.html#include>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Awaited, Endpoint};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, graded};
use crate::rules::{Context, Rule, key_files, rotation};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "missing-ticket-keys",
    severity: Severity::Warning,
    servers: &[Server::Nginx],
    summary: "the list of rotated ticket keys is included, and there is none",
    source: include_str!("missing_ticket_keys.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let Some(awaited) = &context.site.awaited else {
        return Vec::new();
    };
    let causes = places::causes(context.site, |endpoint| {
        included(context, awaited, endpoint)
    });
    let mut findings = Vec::new();
    for cause in causes.found() {
        findings.push(report(context, awaited, cause));
    }
    findings
}

/// The include, where an endpoint's tickets are encrypted with a key of the list.
fn included(context: &Context<'_>, awaited: &Awaited, endpoint: &Endpoint) -> Option<Location> {
    if !endpoint.stateless_resumes() {
        return None;
    }
    let first = *key_files::in_force(context.site, endpoint).first()?;
    if *first.location.path != *awaited.path {
        return None;
    }
    let pattern = rotation::pattern(context.policy);
    let mut includes = places::own(context.site, &[], first.block, "include");
    let include = includes.find(|it| it.arguments.first() == Some(&pattern));
    let place = include.map(|include| include.location.clone());
    place.or_else(|| places::head(context.site, endpoint.governor))
}

fn report(context: &Context<'_>, awaited: &Awaited, cause: &Cause<Location>) -> Finding {
    let folder = context.policy.keys_directory.display();
    let (severity, message) = match awaited.missing {
        true => (RULE.severity, format!("no ticket key is in {folder}")),
        false => (
            Severity::Note,
            format!("no ticket key is seen in {folder}; they are taken for granted"),
        ),
    };
    let words = Words {
        location: cause.key.clone(),
        message,
        label: "matches nothing here".to_owned(),
        help: &[
            "`stekguard keys init` makes keys; until then nginx uses a random one that only a \
             reload changes",
        ],
    };
    graded(context.site, &RULE, severity, &cause.endpoints, words)
}
