//! An upgrade to nginx 1.29.2 turns tickets on where the default server keeps them off today.
//!
//! ## What it finds
//! Before 1.29.2: a default server with tickets off, and a server of its address that says
//! nothing about tickets or takes `on` from the level around it.
//!
//! A server that says `ssl_session_tickets on;` itself is reported by
//! `ignored-session-directive`.
//!
//! ## Why
//! Until 1.29.2 "off" in the default server protects every name of the address, and people rely
//! on it. From then on each server's own setting decides, which is on unless written: the same
//! files then hand out tickets under a key that nobody replaces.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.22.1,1.28.3
//! server {
//!     listen 443 ssl default_server;
//!     server_name a.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name b.test;
//!     ssl_certificate b.pem;
//!     ssl_certificate_key b.key;
//! }
//! ```
//!
//! ## Use instead
//! The setting at the level around the servers, or in each of them.
//! ```nginx
//! ssl_session_tickets off;
//! server {
//!     listen 443 ssl default_server;
//!     server_name a.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name b.test;
//!     ssl_certificate b.pem;
//!     ssl_certificate_key b.key;
//! }
//! ```
//!
//! ## Fix safety
//! Safe: the other servers get the setting that is in force for them already.
//!
//! ## References
//! * <https://nginx.org/en/CHANGES>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_tickets>

use std::sync::Arc;

use crate::catalog::{Server, behaviours};
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{BlockId, Endpoint, Site};
use crate::rules::places::{self, Cause};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, option_list, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "upgrade-flips-tickets",
    severity: Severity::Note,
    servers: &[Server::Nginx],
    summary: "an upgrade turns tickets on that the default server keeps off",
    source: include_str!("upgrade_flips_tickets.rs"),
    check,
};

const TICKETS: &str = tickets_off::directive(Server::Nginx);

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    if behaviours::nginx::SESSION_CONTEXT_BY_BLOCK.holds(site.platform.server.value) {
        return Vec::new();
    }
    let causes = places::causes(site, |endpoint| kept_off(site, endpoint));
    causes
        .found()
        .iter()
        .map(|cause| report(context, cause))
        .collect()
}

/// The place where the default server keeps tickets off for a server that does not.
fn kept_off(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let (own, governor) = (endpoint.block, endpoint.governor);
    if own == governor || endpoint.rejects {
        return None;
    }
    let explicit = places::own(site, &[], own, TICKETS).next().is_some();
    if explicit || !tickets_on(site, own) || tickets_on(site, governor) {
        return None;
    }
    let command = option_list::deciding(site, &[], governor);
    let off = command.or_else(|| places::in_force(site, &[], governor, TICKETS))?;
    Some(off.location.clone())
}

fn tickets_on(site: &Site, block: BlockId) -> bool {
    if let Some(command) = option_list::deciding(site, &[], block) {
        return option_list::says(command) == Some(true);
    }
    places::in_force(site, &[], block, TICKETS).is_none_or(tickets_off::is_on)
}

fn report(context: &Context<'_>, cause: &Cause<Location>) -> Finding {
    let site = context.site;
    let words = Words {
        location: cause.key.clone(),
        message: "from nginx 1.29.2 this keeps tickets off in its own server only, and turns \
                  them on for the others of the address"
            .to_owned(),
        label: "decides for the whole address today".to_owned(),
        help: &["write `ssl_session_tickets off;` at the level around the servers"],
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    if !context.policy.goal.wants_tickets() {
        found.fix = fix(site, places::chosen(site, &cause.endpoints));
    }
    found
}

/// In the servers themselves: at the level around them it would concern others.
fn fix<'a>(site: &Site, endpoints: impl Iterator<Item = &'a Endpoint>) -> Option<Fix> {
    let mut changes = Vec::new();
    for endpoint in endpoints {
        if option_list::deciding(site, &[], endpoint.block).is_some() {
            return None;
        }
        changes.push(Change::Insert {
            target: places::target(site, endpoint.block)?,
            statement: vec![TICKETS.to_owned(), "off".to_owned()],
        });
    }
    changes.sort();
    changes.dedup();
    Some(Fix {
        title: "say in each server what is in force".to_owned(),
        applicability: Applicability::Safe,
        changes,
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}
