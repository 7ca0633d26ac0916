//! Session tickets are not under the keys that the policy asks for.
//!
//! ## What it finds
//! Only under a policy that names a kind of key. `rotate`: addresses and names of nginx whose
//! tickets are off, or under a key that nobody replaces, or live longer than replaced keys are
//! kept. `automatic`: those whose tickets are off, or not under the keys that nginx keeps and
//! replaces in a shared session cache. It is reported at the line that decides.
//!
//! Under both, addresses and names of httpd whose tickets resume: httpd cannot do either in a
//! sound way, and no tickets are as good.
//!
//! ## Why
//! A ticket is as safe as its key. Keys that are replaced every hour, and gone when no ticket
//! needs them, leave a thief with hours of recorded connections where a key that lives as long
//! as the server leaves him with months.
//!
//! `automatic` needs nginx 1.23.2 and one of the versions in which CVE-2026-97629 is fixed.
//!
//! ## Example
//! ```nginx
//! # policy: rotate
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!     }
//! }
//! ```
//! ```nginx
//! # policy: automatic
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//! }
//! ```
//! ```apache
//! # policy: rotate
//! Listen 443
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! The list of keys, by `include /run/stekguard/keys/nginx/*.conf;`. What it brings is this:
//! ```nginx
//! # policy: rotate
//! worker_shutdown_timeout 1h;
//! events {}
//! http {
//!     ssl_session_ticket_key /run/stekguard/keys/nginx/current.key;
//!     ssl_session_ticket_key /run/stekguard/keys/nginx/next.key;
//!     ssl_session_tickets on;
//!     ssl_session_timeout 18h;
//!     server {
//!         listen 443 ssl;
//!         ssl_certificate a.pem;
//!         ssl_certificate_key a.key;
//!     }
//! }
//! ```
//! ```nginx
//! # policy: automatic
//! # versions: nginx=1.30.6
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_tickets on;
//!     ssl_session_timeout 5m;
//! }
//! ```
//! ```apache
//! # policy: rotate
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 300
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! Safe under the policy that asks for it. A server's own list of keys that nobody replaces is
//! taken away, because it would hide the one around it. The keys are made by `stekguard keys
//! init`, which has to come first: until then nginx uses a random key of its own. Processes of
//! before a reload end after the time in which one key encrypts, with the connections that
//! they still have. For httpd there is no fix.
//!
//! ## References
//! * <https://www.rfc-editor.org/rfc/rfc9325#section-3.4>
//! * <https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key>
//! * <https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout>

use crate::catalog::Server;
use crate::finding::{Finding, Severity};
use crate::model::{Endpoint, Field, Site};
use crate::policy::Goal;
use crate::rules::places::{self, Cause};
use crate::rules::rotation::Common;
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule, goal, rotation, tickets_off, zone};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "ticket-keys-against-policy",
    severity: Severity::Warning,
    servers: &[Server::Nginx, Server::Apache],
    summary: "session tickets are not under the keys that the policy asks for",
    source: include_str!("ticket_keys_against_policy.rs"),
    check,
};

/// What is not as the policy says.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
enum Lack {
    /// No ticket resumes.
    Off,
    /// The key.
    Key,
    /// The key is right and the lifetime is not.
    Lifetime,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.policy.goal.wants_tickets() {
        return Vec::new();
    }
    let causes = places::causes(context.site, |endpoint| {
        if goal::meets(context, endpoint) {
            return None;
        }
        let lack = lack(context, endpoint);
        Some((place(context.site, endpoint, lack)?, lack))
    });
    let known = Common::default();
    let mut findings = Vec::new();
    for cause in causes.found() {
        findings.push(report(context, cause, &known));
    }
    findings
}

fn lack(context: &Context<'_>, endpoint: &Endpoint) -> Lack {
    if !endpoint.stateless_resumes() {
        return Lack::Off;
    }
    let without_limit =
        context.site.server == Server::Nginx && goal::keys_rotate(context, endpoint);
    if without_limit {
        Lack::Lifetime
    } else {
        Lack::Key
    }
}

/// The line that decides, or the block in which one is missing.
fn place(site: &Site, endpoint: &Endpoint, lack: Lack) -> Option<Location> {
    let fields: &[Field] = match lack {
        Lack::Off => &[Field::Tls12Ticket, Field::Tls13Issued],
        Lack::Key => &[Field::TicketKey],
        Lack::Lifetime => &[Field::Lifetime12, Field::Lifetime13],
    };
    let mut written = fields
        .iter()
        .filter_map(|field| endpoint.why(*field)?.place().cloned());
    written
        .next()
        .or_else(|| places::head(site, endpoint.governor))
}

fn report(context: &Context<'_>, cause: &Cause<(Location, Lack)>, known: &Common) -> Finding {
    let site = context.site;
    let (location, lack) = &cause.key;
    let obstacle = goal::obstacle_here(context);
    let help = help(context, obstacle.as_deref());
    let help: Vec<&str> = help.iter().map(String::as_str).collect();
    let words = Words {
        location: location.clone(),
        message: message(context, *lack),
        label: label(*lack).to_owned(),
        help: &help,
    };
    let mut found = finding(site, &RULE, &cause.endpoints, words);
    found.fix = match context.policy.goal {
        _ if obstacle.is_some() => None,
        Goal::Automatic => zone::fix(context, &cause.endpoints, known),
        _ => rotation::fix(context, &cause.endpoints, known),
    };
    found
}

fn message(context: &Context<'_>, lack: Lack) -> String {
    let wanted = match (context.site.server, context.policy.goal) {
        (Server::Apache, _) => {
            return "session tickets resume, and httpd cannot replace their key as the policy asks"
                .to_owned();
        }
        (_, Goal::Automatic) => "keys that nginx replaces itself",
        _ => "key files that are replaced",
    };
    match lack {
        Lack::Off => format!("session tickets are off; the policy asks for tickets under {wanted}"),
        Lack::Key => format!("session tickets are not under {wanted}, as the policy asks"),
        Lack::Lifetime => {
            let hours = context.policy.rotation.longest_lifetime() / 3600;
            format!("sessions live longer than replaced keys are kept, which is {hours} hours")
        }
    }
}

const fn label(lack: Lack) -> &'static str {
    match lack {
        Lack::Off => "no ticket resumes because of this",
        Lack::Key => "decides about the key",
        Lack::Lifetime => "too long",
    }
}

fn help(context: &Context<'_>, obstacle: Option<&str>) -> Vec<String> {
    let no_tickets = format!("`{} off", tickets_off::directive(context.site.server));
    match (obstacle, context.site.server) {
        (Some(why), Server::Apache) => vec![
            why.to_owned(),
            format!(
                "`stekguard fix --policy no-tickets` writes {no_tickets}`; with a `shmcb` \
                 SSLSessionCache returning clients resume all the same"
            ),
        ],
        (Some(why), Server::Nginx) => vec![
            why.to_owned(),
            "`--policy rotate` takes keys from files; `--policy no-tickets` needs none".to_owned(),
        ],
        (None, _) if context.policy.goal == Goal::Automatic => {
            vec!["a `shared` ssl_session_cache, tickets on, and no key file".to_owned()]
        }
        (None, _) => vec![format!(
            "make keys with `stekguard keys init`, then `include {};` where the list of keys \
             is decided",
            rotation::pattern(context.policy)
        )],
    }
}
