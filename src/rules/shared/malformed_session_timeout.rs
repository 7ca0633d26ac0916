//! A session lifetime that the server reads as something else than what is written.
//!
//! ## What it finds
//! httpd reads `SSLSessionCacheTimeout` up to the first byte that is no digit and says nothing
//! about the rest: `1d` is one second, `5m` is five, `abc` and `0` are no lifetime at all, for
//! which OpenSSL takes 7200 seconds. For nginx only zero is found: it does not turn resumption
//! off, the library's 7200 seconds stand in for it.
//!
//! Not found: a unit that changes nothing (`300s`), and what the server refuses by itself.
//!
//! ## Why
//! A lifetime of a second costs every returning client a full handshake, and nobody sees why;
//! a lifetime of two hours where none was wanted is the opposite of what was meant.
//!
//! ## Example
//! ```apache
//! Listen 443
//! SSLSessionCache shmcb:/run/ssl_scache(512000)
//! SSLSessionCacheTimeout 1d
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 0;
//! }
//! ```
//!
//! ## Use instead
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
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 5m;
//! }
//! ```
//!
//! ## Fix safety
//! Safe where the unit is clear: `1d` becomes `86400`, which is what was written down, and
//! `10d` the longest lifetime that the policy allows. Unsafe for zero and for words: the
//! server's default of 300 seconds is proposed, and only a person knows what was meant.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessioncachetimeout>
//! * <https://docs.openssl.org/3.0/man3/SSL_CTX_set_timeout/>

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::Server;
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity};
use crate::model::{Effect, Setting, Site, Why};
use crate::rules::places;
use crate::rules::{Context, Rule, seconds};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "malformed-session-timeout",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a lifetime that the server reads as another one",
    source: include_str!("malformed_session_timeout.rs"),
    check,
};

/// What OpenSSL takes for a lifetime of zero, and what both servers take for none.
const ZERO_IS: u64 = 7200;
const DEFAULT: u64 = 300;

/// How a lifetime is misread.
struct Misread {
    /// The seconds in force.
    read: u64,
    /// The seconds that were meant, where that is clear.
    meant: Option<u64>,
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let longest = context.policy.lifetime_warning;
    let used = |setting: &&Setting| setting.effect != Effect::Unused;
    let written = places::named(site, seconds::directive(site.server)).filter(used);
    let mut misread: Vec<(&Setting, Misread)> = written
        .filter_map(|setting| Some((setting, misread(site.server, setting)?)))
        .collect();
    // A file may be included more than once.
    let mut concerned: HashMap<&Location, Vec<usize>> = HashMap::new();
    misread.retain(|(setting, _)| {
        let known = concerned.insert(&setting.location, Vec::new());
        known.is_none()
    });
    if misread.is_empty() {
        return Vec::new();
    }
    // Endpoints that have some reason in these settings.
    let reachable = site.endpoints.iter().enumerate();
    for (index, endpoint) in reachable.filter(|(_, endpoint)| endpoint.reachable) {
        for place in endpoint.why.iter().filter_map(Why::place) {
            if let Some(endpoints) = concerned.get_mut(place)
                && endpoints.last() != Some(&index)
            {
                endpoints.push(index);
            }
        }
    }
    let found = misread.iter().map(|(setting, misread)| {
        let endpoints = &concerned[&setting.location];
        finding(site, setting, misread, endpoints, longest)
    });
    found.collect()
}

fn misread(server: Server, setting: &Setting) -> Option<Misread> {
    let text = setting.arguments.first()?;
    match server {
        Server::Nginx => {
            let meant = match setting.arguments.as_slice() {
                [only] => seconds::meant(only),
                several => seconds::meant(&several.join(" ")),
            };
            (meant == Some(0)).then_some(Misread {
                read: ZERO_IS,
                meant: None,
            })
        }
        Server::Apache => misread_by_atoi(text),
    }
}

fn misread_by_atoi(text: &str) -> Option<Misread> {
    if text.trim_start().starts_with('-') {
        // httpd refuses to start.
        return None;
    }
    let unsigned = text.trim_start().trim_start_matches('+');
    let digits = unsigned
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(unsigned.len());
    // What does not fit C's int comes out as any number; the library's default stands for it.
    let read = unsigned
        .get(..digits)
        .unwrap_or_default()
        .parse::<i32>()
        .unwrap_or(0);
    let meant = seconds::meant(text).filter(|meant| (1..=i32::MAX as u64).contains(meant));
    let read = if read == 0 {
        ZERO_IS
    } else {
        read.unsigned_abs().into()
    };
    (meant != Some(read)).then_some(Misread { read, meant })
}

fn finding(
    site: &Site,
    setting: &Setting,
    misread: &Misread,
    endpoints: &[usize],
    longest: u64,
) -> Finding {
    let written = setting.arguments.join(" ");
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: places::confidence(&setting.when),
        message: format!(
            "`{} {written}` is {} to the server",
            setting.name,
            seconds::for_people(misread.read)
        ),
        location: setting.location.clone(),
        label: match site.server {
            Server::Nginx => "zero is no lifetime and turns nothing off".to_owned(),
            Server::Apache => "whole seconds are read, up to the first other byte".to_owned(),
        },
        related: Vec::new(),
        endpoints: places::labels(site, endpoints),
        help: vec![match misread.meant {
            Some(meant) => format!("write {meant} for {}", seconds::for_people(meant)),
            None => "write the lifetime in seconds, or turn tickets and cache off".to_owned(),
        }],
        versions: Default::default(),
        when: setting.when.clone(),
        fix: Some(fix(site, setting, misread, longest)),
    }
}

/// Never more than the policy allows, or the fix would be the next finding.
fn fix(site: &Site, setting: &Setting, misread: &Misread, longest: u64) -> Fix {
    let seconds = misread.meant.unwrap_or(DEFAULT).min(longest);
    let value = match site.server {
        Server::Nginx => seconds::for_nginx(seconds),
        Server::Apache => seconds.to_string(),
    };
    let applicability = match misread.meant {
        Some(_) => Applicability::Safe,
        None => Applicability::Unsafe,
    };
    Fix {
        title: format!("set the lifetime to {}", seconds::for_people(seconds)),
        applicability,
        changes: vec![Change::SetArguments {
            statement: setting.location.clone(),
            arguments: vec![value],
        }],
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    }
}
