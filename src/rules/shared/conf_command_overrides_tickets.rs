//! A command to the TLS library says the opposite of the directive about session tickets.
//!
//! ## What it finds
//! `ssl_conf_command Options` or `SSLOpenSSLConfCmd Options` with `SessionTicket` or
//! `-SessionTicket`, where a written `ssl_session_tickets` or `SSLSessionTickets` says
//! otherwise. Both servers apply these commands last, so the command prevails.
//!
//! Not found where the directive is not written: then the command is the only one that speaks.
//!
//! ## Why
//! Two lines about one thing, and the one that people and checkers look for is the one without
//! effect: `ssl_session_tickets off` reads as safe while tickets are issued.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets on;
//!     ssl_conf_command Options -SessionTicket;
//! }
//! ```
//! ```apache
//! Listen 443
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLSessionTickets on
//!     SSLOpenSSLConfCmd Options -SessionTicket
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```nginx
//! # versions: nginx=1.28.3
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! Listen 443
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLSessionTickets off
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe where the command turns tickets off: the directive is changed to `off`, which is in
//! force already. Where the command turns them on, it is changed to `-SessionTicket`, as the
//! directive says: safe under a policy without tickets, else unsafe, because somebody may want
//! the tickets.
//!
//! ## References
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_conf_command>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslopensslconfcmd>
//! * <https://docs.openssl.org/3.0/man3/SSL_CONF_cmd/>

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Related, Severity};
use crate::model::{Effect, Endpoint, Setting, Site};
use crate::policy::Goal;
use crate::rules::{Context, Rule, option_list, places, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "conf-command-overrides-tickets",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a conf command says the opposite of the directive about tickets",
    source: include_str!("conf_command_overrides_tickets.rs"),
    check,
};

/// A conf command with the directives that it overrides.
struct Override<'a> {
    command: &'a Setting,
    overridden: Vec<&'a Setting>,
    endpoints: Vec<usize>,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut found: Vec<Override<'_>> = Vec::new();
    let mut known: HashMap<&Location, usize> = HashMap::new();
    // A file that is included twice has its directive once.
    let mut seen: HashSet<(usize, &Location)> = HashSet::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        if !endpoint.reachable || endpoint.rejects {
            continue;
        }
        let Some((command, overridden)) = contradiction(site, endpoint) else {
            continue;
        };
        let at = *known.entry(&command.location).or_insert(found.len());
        if at == found.len() {
            found.push(Override {
                command,
                overridden: Vec::new(),
                endpoints: Vec::new(),
            });
        }
        found[at].endpoints.push(index);
        if seen.insert((at, &overridden.location)) {
            found[at].overridden.push(overridden);
        }
    }
    found.iter().map(|found| finding(context, found)).collect()
}

/// The command in force in a block and the directive that says otherwise.
fn contradiction<'a>(site: &'a Site, endpoint: &'a Endpoint) -> Option<(&'a Setting, &'a Setting)> {
    let command = option_list::deciding(site, &endpoint.when, endpoint.block)?;
    let written = places::in_force(
        site,
        &endpoint.when,
        endpoint.block,
        tickets_off::directive(site.server),
    )?;
    let differs = option_list::says(command) != Some(tickets_off::is_on(written));
    differs.then_some((command, written))
}

fn finding(context: &Context<'_>, found: &Override<'_>) -> Finding {
    let site = context.site;
    let command = found.command;
    let on = option_list::says(command) == Some(true);
    let directive = tickets_off::directive(site.server);
    let (now, said) = if on { ("on", "off") } else { ("off", "on") };
    let related = |setting: &&Setting| Related {
        location: setting.location.clone(),
        label: "without effect".to_owned(),
    };
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: places::confidence(&command.when),
        message: format!(
            "`{} {}` turns session tickets {now}, against `{directive} {said}`",
            command.name,
            command.arguments.join(" ")
        ),
        location: command.location.clone(),
        label: "applied last".to_owned(),
        related: found.overridden.iter().map(related).collect(),
        endpoints: places::labels(site, &found.endpoints),
        help: vec![format!(
            "keep `{directive}` and take `SessionTicket` out of the command"
        )],
        versions: Default::default(),
        when: command.when.clone(),
        fix: fix(context, found, on),
    }
}

fn fix(context: &Context<'_>, found: &Override<'_>, on: bool) -> Option<Fix> {
    // Both repairs end in no tickets.
    if context.policy.goal.wants_tickets() {
        return None;
    }
    if on {
        return command_off(context, found.command);
    }
    // A directive that is in force for other servers is not this finding's to change.
    if found
        .overridden
        .iter()
        .any(|setting| setting.effect == Effect::InForce)
    {
        return None;
    }
    let off = |setting: &&Setting| Change::SetArguments {
        statement: setting.location.clone(),
        arguments: vec!["off".to_owned()],
    };
    Some(Fix {
        title: "say in the directive what is in force".to_owned(),
        applicability: Applicability::Safe,
        changes: found.overridden.iter().map(off).collect(),
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}

fn command_off(context: &Context<'_>, command: &Setting) -> Option<Fix> {
    let arguments = option_list::turned_off(command)?;
    let applicability = match context.policy.goal {
        Goal::NoTickets | Goal::NoResumption => Applicability::Safe,
        _ => Applicability::Unsafe,
    };
    Some(Fix {
        title: "turn session tickets off in the command, as the directive says".to_owned(),
        applicability,
        changes: vec![Change::SetArguments {
            statement: command.location.clone(),
            arguments,
        }],
        common: Arc::default(),
        costs: vec![
            "returning clients do a full handshake wherever no session cache is configured"
                .to_owned(),
        ],
        go_live: GoLive::Reload,
    })
}
