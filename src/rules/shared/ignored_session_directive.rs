//! A session directive that has no effect, where something else is in force than it says.
//!
//! ## What it finds
//! * nginx: cache, timeout, ticket keys and (before 1.29.2, in part) tickets in a server that
//!   is not the default server of its address. The connection starts in the default server,
//!   before the client's name is known, and keeps what it says.
//! * nginx: a cache that another word of the same block switches off (`none` beside `shared`).
//! * httpd: `SSLSessionCache none` behind a real cache, which does nothing.
//! * httpd: tickets, timeout or key in a virtual host that is not the first of its address;
//!   `SSLSessionTickets on` where the first virtual host says off.
//! * A ticket key file where tickets are off.
//!
//! Not found where httpd keeps no session that the timeout of a second virtual host could be
//! for. A warning; for key files a note where the policy forbids tickets.
//!
//! Only where the value differs from the one in force: the same line in every server is a
//! habit and no mistake. A directive that a conf command overrides is left to
//! `conf-command-overrides-tickets`.
//!
//! ## Why
//! Somebody wrote the line and believes in it. Tickets stay on, sessions live for a day instead
//! of five minutes, or keys are rotated that nobody uses, and the servers say nothing.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3
//! http {
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     server {
//!         listen 443 ssl default_server;
//!         ssl_session_timeout 1h;
//!     }
//!     server {
//!         listen 443 ssl;
//!         server_name b.test;
//!         ssl_session_timeout 5m;
//!     }
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCache none
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! One value for all names of an address, around them or in the server that decides.
//! ```nginx
//! # versions: nginx=1.28.3
//! http {
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 5m;
//!     server {
//!         listen 443 ssl default_server;
//!     }
//!     server {
//!         listen 443 ssl;
//!         server_name b.test;
//!     }
//! }
//! ```
//! ```apache
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
//! Unsafe. For httpd's `none` behind a real cache the original line is changed, which ends
//! resumption and needs the server to be stopped and started: a graceful restart would end it.
//! For everything else there is no fix, because only a person knows which of the two values
//! was meant.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/configuring_https_servers.html#name_based_https_servers>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_cache>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncache>

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Related, Severity};
use crate::model::{Effect, Ignored, IgnoredReason, Setting, Site};
use crate::policy::Goal;
use crate::rules::places;
use crate::rules::{Context, Rule, sessions_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "ignored-session-directive",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a session directive without effect, where something else is in force",
    source: include_str!("ignored_session_directive.rs"),
    check,
};

/// One line, with what became of it at each of the places where it is included.
struct Line<'a> {
    setting: &'a Setting,
    ignored: &'a Ignored,
    endpoints: Vec<usize>,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut known: HashMap<&Location, usize> = HashMap::new();
    let mut lists: HashSet<&Path> = HashSet::new();
    for setting in places::settings(site) {
        let Effect::Ignored(ignored) = &setting.effect else {
            continue;
        };
        let listed = setting
            .location
            .path
            .starts_with(&context.policy.keys_directory);
        if ignored.reason == IgnoredReason::ConfCommand
            || is_idle(site, setting, ignored)
            || (listed && ignored.reason == IgnoredReason::TicketsOff)
        {
            continue;
        }
        // A list of rotated keys is written by a program: one finding stands for all of it.
        if listed && !lists.insert(&*setting.location.path) {
            continue;
        }
        let line = *known.entry(&setting.location).or_insert(lines.len());
        match lines.get_mut(line) {
            Some(line) => line.endpoints.extend(&ignored.endpoints),
            None => lines.push(Line {
                setting,
                ignored,
                endpoints: ignored.endpoints.clone(),
            }),
        }
    }
    lines.retain(|line| !works_elsewhere(site, line.setting));
    lines.iter().map(|line| finding(context, line)).collect()
}

/// Settings of servers that refuse every handshake, and a timeout of httpd's second virtual host
/// where nothing resumes: it is for stored sessions.
fn is_idle(site: &Site, setting: &Setting, ignored: &Ignored) -> bool {
    let concerned = || places::chosen(site, &ignored.endpoints);
    if concerned().next().is_some() && concerned().all(|endpoint| endpoint.rejects) {
        return true;
    }
    let stored = setting.name == "SSLSessionCacheTimeout";
    stored && !concerned().any(|endpoint| endpoint.resumes())
}

/// True where the same line, included at another place, is in force.
fn works_elsewhere(site: &Site, line: &Setting) -> bool {
    let mut same = site.settings_at(&line.location);
    same.any(|setting| setting.effect == Effect::InForce)
}

fn finding(context: &Context<'_>, line: &Line<'_>) -> Finding {
    let site = context.site;
    let (setting, ignored) = (line.setting, line.ignored);
    let written = format!("{} {}", setting.name, setting.arguments.join(" "));
    let decided_by = ignored
        .decided_by
        .iter()
        .filter(|place| **place != setting.location);
    Finding {
        rule: RULE.name,
        severity: severity(context, line),
        confidence: places::confidence(&setting.when),
        message: format!(
            "`{written}` has no effect; `{}` is in force",
            ignored.in_force
        ),
        location: setting.location.clone(),
        label: label(ignored.reason).to_owned(),
        related: decided_by
            .map(|place| Related {
                location: place.clone(),
                label: "decided here".to_owned(),
            })
            .collect(),
        endpoints: places::labels(site, &line.endpoints),
        help: vec![help(ignored.reason).to_owned()],
        versions: Default::default(),
        when: setting.when.clone(),
        fix: fix(site, setting, ignored),
    }
}

/// What a policy has left over does no harm: a key file where no key or another one is wanted,
/// and anything about sessions where none resumes, as it is wanted.
fn severity(context: &Context<'_>, line: &Line<'_>) -> Severity {
    let key_files = ["ssl_session_ticket_key", "SSLSessionTicketKeyFile"];
    let left_over = match context.policy.goal {
        Goal::Sound => false,
        _ if key_files.contains(&line.setting.name) => true,
        Goal::NoResumption => {
            !places::chosen(context.site, &line.endpoints).any(|endpoint| endpoint.resumes())
        }
        _ => false,
    };
    if left_over {
        Severity::Note
    } else {
        RULE.severity
    }
}

const fn label(reason: IgnoredReason) -> &'static str {
    match reason {
        IgnoredReason::NonDefaultServer => "not in the default server of the address",
        IgnoredReason::CatchAllDefault => "the catch-all default server decides",
        IgnoredReason::NotFirstVhost => "not in the first virtual host of the address",
        IgnoredReason::StickyCache => "another statement of the cache prevails",
        IgnoredReason::OnlyEverAdded => "tickets that are off cannot be turned on again here",
        IgnoredReason::TicketsOff => "no ticket is issued that it could encrypt",
        IgnoredReason::ConfCommand => "a conf command comes later",
        IgnoredReason::Replaced => "written again later",
    }
}

const fn help(reason: IgnoredReason) -> &'static str {
    match reason {
        IgnoredReason::NonDefaultServer | IgnoredReason::CatchAllDefault => {
            "write it in the default server of the address, or around all servers"
        }
        IgnoredReason::NotFirstVhost => {
            "write it in the first virtual host of the address, or at the server level"
        }
        IgnoredReason::StickyCache => "edit the other statement; a second one cannot undo it",
        IgnoredReason::OnlyEverAdded => {
            "remove it, or turn tickets on in the first virtual host and at the server level"
        }
        IgnoredReason::TicketsOff => "remove it, or turn tickets on where the connection starts",
        IgnoredReason::ConfCommand => "keep one of the two",
        IgnoredReason::Replaced => "keep the one that is meant",
    }
}

/// httpd's `none` behind a real cache: what was meant is clear, and where to say it too.
fn fix(site: &Site, setting: &Setting, ignored: &Ignored) -> Option<Fix> {
    let name = sessions_off::directive(Server::Apache);
    let sticky = ignored.reason == IgnoredReason::StickyCache && setting.name == name;
    if !sticky || sessions_off::is_real_cache(setting) {
        return None;
    }
    let earlier = |other: &&Setting| {
        other.name == name && other.when.is_empty() && sessions_off::is_real_cache(other)
    };
    let originals: Vec<Location> = site
        .settings
        .iter()
        .filter(earlier)
        .map(|original| original.location.clone())
        .collect();
    if originals.is_empty() {
        return None;
    }
    let set = |statement| Change::SetArguments {
        statement,
        arguments: setting.arguments.clone(),
    };
    let mut changes: Vec<Change> = originals.into_iter().map(set).collect();
    changes.push(Change::Remove {
        statement: setting.location.clone(),
    });
    Some(Fix {
        title: "say it in the line that decides".to_owned(),
        applicability: Applicability::Unsafe,
        changes,
        common: Arc::default(),
        costs: vec!["returning clients do a full handshake wherever tickets are off".to_owned()],
        go_live: GoLive::StopAndStart,
    })
}
