//! Sessions resume for longer than the policy allows.
//!
//! ## What it finds
//! A written lifetime strictly above the policy's limits, where something resumes under it: a
//! warning above a day, an error above a week.
//!
//! ## Why
//! The lifetime of a session is the time in which a stolen session or ticket key is worth
//! something, in which a withdrawn client certificate still opens the door, and in which a
//! client can be recognized. With nginx's automatic rotation it also decides the life of the
//! key, which exists for up to three lifetimes. RFC 5246 section F.1.4 suggests a day; RFC
//! 8446 section 4.6.1 forbids more than a week.
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 10d;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 172800
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
//!     ssl_session_timeout 1d;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 86400
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe. The lifetime becomes the longest that the policy allows; a client that returns later
//! does a full handshake.
//!
//! ## References
//! * <https://www.rfc-editor.org/rfc/rfc5246#appendix-F.1.4>
//! * <https://www.rfc-editor.org/rfc/rfc8446#section-4.6.1>
//! * Sy, Burkert, Federrath, Fischer: Tracking Users across the Web via TLS Session
//!   Resumption, ACSAC 2018

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{BlockId, Endpoint, Field, Setting, Tls12Id, Tls12Ticket, Tls13Resumes};
use crate::policy::Goal;
use crate::rules::places::{self, Cause, Causes};
use crate::rules::{Context, Rule, goal, seconds};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "excessive-session-timeout",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "sessions resume for longer than the policy allows",
    source: include_str!("excessive_session_timeout.rs"),
    check,
};

/// What TLS 1.3 tickets can announce at most; a longer lifetime shows only in what is written.
const ANNOUNCED_AT_MOST: u64 = 604_800;

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut causes: Causes<Location> = Causes::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        for setting in written(context, endpoint).into_iter().flatten() {
            causes.join(setting.location.clone(), index);
        }
    }
    let mut common = Common::new();
    let found = causes.found().iter();
    found
        .filter_map(|cause| finding(context, cause, &mut common))
        .collect()
}

/// What the lines of an address have in common, by the blocks in which its connections start and the
/// conditions.
type Common = HashMap<(Vec<BlockId>, Vec<String>), Arc<[Change]>>;

/// The settings that give an endpoint's lifetimes, where something lives that long.
fn written<'a>(context: &Context<'a>, endpoint: &Endpoint) -> [Option<&'a Setting>; 2] {
    let tls12 = endpoint.tls12.ticket == Tls12Ticket::Resumes
        || matches!(
            endpoint.tls12.session_id,
            Tls12Id::Resumes | Tls12Id::PerWorker
        );
    let tls13 = matches!(
        endpoint.tls13.resumes,
        Tls13Resumes::Always | Tls13Resumes::PerWorker
    );
    let lives = [
        (Field::Lifetime12, endpoint.lifetime_seconds.tls12, tls12),
        (Field::Lifetime13, endpoint.lifetime_seconds.tls13, tls13),
    ];
    lives.map(|(field, lifetime, resumes)| {
        let too_long = lifetime.is_some_and(|lifetime| lifetime > context.policy.lifetime_warning);
        let why = endpoint
            .why(field)
            .filter(|_| resumes && too_long && endpoint.reachable)?;
        context.site.settings.get(why.by?.0 as usize)
    })
}

fn finding(context: &Context<'_>, cause: &Cause<Location>, common: &mut Common) -> Option<Finding> {
    let site = context.site;
    let setting = site.settings_at(&cause.key).next()?;
    let lifetime = lifetime(context, setting, &cause.endpoints)?;
    let (limit, severity) = if lifetime > context.policy.lifetime_error {
        (context.policy.lifetime_error, Severity::Error)
    } else {
        (context.policy.lifetime_warning, Severity::Warning)
    };
    let when = places::conditions(site, &cause.endpoints);
    let limit = seconds::for_people(limit);
    Some(Finding {
        rule: RULE.name,
        severity,
        confidence: places::confidence(&when),
        message: format!(
            "sessions resume for {}, longer than {limit}",
            seconds::for_people(lifetime)
        ),
        location: cause.key.clone(),
        label: format!("more than {limit}"),
        related: Vec::new(),
        endpoints: places::labels(site, &cause.endpoints),
        help: vec![format!(
            "at most {}; ten minutes keep clients from being recognized",
            seconds::for_people(context.policy.lifetime_warning)
        )],
        versions: Default::default(),
        when,
        // Under a policy without resumption a shorter one would not help.
        fix: (context.policy.goal != Goal::NoResumption)
            .then(|| fix(context, setting, &cause.endpoints, common)),
    })
}

/// The longest lifetime that the setting gives; what TLS 1.3 caps is read from the setting.
fn lifetime(context: &Context<'_>, setting: &Setting, endpoints: &[usize]) -> Option<u64> {
    let lifetimes = places::chosen(context.site, endpoints).flat_map(|endpoint| {
        [
            endpoint.lifetime_seconds.tls12,
            endpoint.lifetime_seconds.tls13,
        ]
    });
    let longest = lifetimes.flatten().max()?;
    let meant = seconds::meant(&setting.arguments.join(" "));
    match meant {
        Some(meant) if longest == ANNOUNCED_AT_MOST => Some(meant.max(longest)),
        _ => Some(longest),
    }
}

/// The deciding line, and every line for names of the same addresses that is as long: it would say
/// something else than what is in force afterwards.
fn fix(context: &Context<'_>, setting: &Setting, endpoints: &[usize], common: &mut Common) -> Fix {
    let site = context.site;
    let limit = match (context.policy.goal, site.server) {
        (Goal::Rotate, Server::Nginx) => goal::rotated_lifetime(context.policy),
        _ => context.policy.lifetime_warning,
    };
    let value = match site.server {
        Server::Nginx => seconds::for_nginx(limit),
        Server::Apache => limit.to_string(),
    };
    let too_long = |other: &&Setting| {
        seconds::meant(&other.arguments.join(" ")).is_some_and(|meant| meant > limit)
    };
    let shortened = |setting: &Setting| Change::SetArguments {
        statement: setting.location.clone(),
        arguments: vec![value.clone()],
    };
    let governors = places::governors(site, endpoints);
    let when = places::conditions(site, endpoints);
    let common = common.entry((governors, when));
    let common = common.or_insert_with_key(|(governors, when)| {
        let blocks = places::blocks_of(site, governors);
        let beside = blocks
            .iter()
            .filter_map(|block| places::in_force(site, when, *block, setting.name))
            .filter(too_long);
        let mut common: Vec<Change> = beside.map(shortened).collect();
        common.sort();
        common.dedup();
        common.into()
    });
    let own = Some(shortened(setting)).filter(|own| common.binary_search(own).is_err());
    Fix {
        title: format!("limit the lifetime to {}", seconds::for_people(limit)),
        applicability: Applicability::Safe,
        changes: own.into_iter().collect(),
        common: Arc::clone(common),
        costs: vec![format!(
            "clients that return after more than {} do a full handshake",
            seconds::for_people(limit)
        )],
        go_live: GoLive::Reload,
    }
}
