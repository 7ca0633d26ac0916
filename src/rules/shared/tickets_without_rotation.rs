//! Stateless session tickets under a key that nothing replaces while the server runs.
//!
//! ## What it finds
//! Addresses and names whose TLS 1.2 or 1.3 tickets carry the whole session, encrypted with
//! the random key that the server made when it started. Both servers do so unless told
//! otherwise: `ssl_session_tickets` and `SSLSessionTickets` are on by default. It is reported
//! where tickets are turned on, or once for a configuration that is silent.
//!
//! Not reported: tickets under key files, and nginx's shared session cache from 1.23.2, whose
//! zone replaces the key by itself (see `forgeable-automatic-rotation` for what that costs).
//! Nor a key that a reload replaces, where `scheduled_reload` of the settings says that the
//! server is reloaded at least as often as a key should be replaced (`key_age`).
//! Under the policies `rotate` and `automatic` it is `ticket-keys-against-policy` that says so.
//!
//! ## Why
//! Whoever learns the key, by a memory leak or a seized host, reads every recorded connection
//! whose ticket it encrypted and can answer in the server's name. The key lives until the next
//! reload of nginx or graceful restart of httpd: months on a quiet host. Forward secrecy of
//! the handshake does not help. RFC 9325 section 3.4 asks for regular new keys, weekly for
//! example. The report behind this rule rates it CVSS 4.8
//! (AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N).
//!
//! ## Example
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     server_name a.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//! }
//! ```
//! ```apache
//! Listen 443
//! <VirtualHost *:443>
//!     ServerName a.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! No tickets. Where returning clients matter, keep their sessions in a cache with a bound.
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     server_name a.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 5m;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     ServerName a.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe. Tickets are turned off where they are on, in the block that decides for every version
//! of the server. No client fails: one that returns with a ticket does a full handshake, or
//! resumes from the cache where there is one.
//!
//! ## References
//! * <https://www.rfc-editor.org/rfc/rfc9325#section-3.4>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_tickets>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessiontickets>
//! * Springall, Durumeric, Halderman: Measuring the Security Harm of TLS Crypto Shortcuts,
//!   IMC 2016

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{BlockId, Endpoint, Field, KeySource, Replaced, SettingId, Site, Tls12Ticket};
use crate::rules::places::{self, Cause};
use crate::rules::{Context, Rule, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "tickets-without-rotation",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "session tickets under a key that is never replaced",
    source: include_str!("tickets_without_rotation.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    if context.policy.goal.wants_tickets() {
        return Vec::new();
    }
    // A file that is included twice stands for two settings and one place.
    let place = |id: SettingId| Some(site.settings.get(id.0 as usize)?.location.clone());
    // Somebody says that the server is reloaded that often: its keys are no older then.
    let scheduled = context.policy.rotation.scheduled_reload;
    let reloaded = scheduled.is_some_and(|every| every <= context.policy.key_age);
    let causes = places::causes(site, |endpoint| {
        if reloaded && endpoint.ticket_key.replaced == Some(Replaced::Reload) {
            return None;
        }
        at_risk(endpoint).map(|by| by.and_then(place))
    });
    causes
        .found()
        .iter()
        .filter_map(|cause| finding(context, cause))
        .collect()
}

/// The setting that turns tickets on, if one does, where the key is never replaced.
fn at_risk(endpoint: &Endpoint) -> Option<Option<SettingId>> {
    if !endpoint.stateless_resumes() || endpoint.ticket_key.source != KeySource::Startup {
        return None;
    }
    let field = match endpoint.tls12.ticket {
        Tls12Ticket::Resumes => Field::Tls12Ticket,
        _ => Field::Tls13Issued,
    };
    Some(endpoint.why(field).and_then(|why| why.by))
}

fn finding(context: &Context<'_>, cause: &Cause<Option<Location>>) -> Option<Finding> {
    let site = context.site;
    let directive = tickets_off::directive(site.server);
    let first = places::chosen(site, &cause.endpoints).next()?;
    let (location, message, label) = match &cause.key {
        Some(place) => (
            place.clone(),
            "session tickets are on",
            "turned on here".to_owned(),
        ),
        None => (
            places::head(site, silent_block(site, first))?,
            "session tickets are on by default",
            format!("no `{directive}` here or around it"),
        ),
    };
    let when = places::conditions(site, &cause.endpoints);
    Some(Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: places::confidence(&when),
        message: format!("{message} and nothing replaces their key while the server runs"),
        location,
        label,
        related: Vec::new(),
        endpoints: places::labels(site, &cause.endpoints),
        help: help(site.server),
        versions: Default::default(),
        when,
        fix: tickets_off::fix(context, &cause.endpoints),
    })
}

/// The block in which a line is missing: that of the name where the default server has one,
/// which does not decide then.
fn silent_block(site: &Site, endpoint: &Endpoint) -> BlockId {
    let directive = tickets_off::directive(site.server);
    let written = places::in_force(site, &endpoint.when, endpoint.governor, directive);
    match written {
        Some(_) => endpoint.block,
        None => endpoint.governor,
    }
}

fn help(server: Server) -> Vec<String> {
    let lines: [&str; 2] = match server {
        Server::Nginx => [
            "`ssl_session_tickets off;`; a `shared` session cache lets returning clients resume",
            "who keeps tickets gives `ssl_session_ticket_key` files that are replaced regularly, \
             and a `ssl_session_timeout`, which bounds the life of a ticket",
        ],
        Server::Apache => [
            "`SSLSessionTickets off`; a `shmcb` session cache lets returning clients resume",
            "who keeps tickets does a graceful restart every day, which makes a new key, and sets \
             `SSLSessionCacheTimeout`, which bounds the life of a ticket",
        ],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}
