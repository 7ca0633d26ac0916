//! Virtual hosts that httpd cannot tell apart by their sessions.
//!
//! ## What it finds
//! Virtual hosts of one address with the same `ServerName`, or without one and told apart by
//! `ServerAlias` alone, that check client certificates differently while sessions resume.
//!
//! Not found where only one of them asks for certificates: a session without one is not
//! accepted where one is required.
//!
//! ## Why
//! httpd binds a session to `ServerName` and port and to nothing else. A client whose
//! certificate one virtual host accepts resumes its session at the other, which does not look
//! at it again: clients of one authority get in where another is asked for.
//!
//! ## Example
//! ```apache
//! # versions: apache=2.4.71
//! Listen 443
//! SSLSessionCacheTimeout 300
//! <VirtualHost *:443>
//!     ServerAlias staff.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile staff-ca.pem
//! </VirtualHost>
//! <VirtualHost *:443>
//!     ServerAlias partner.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile partner-ca.pem
//! </VirtualHost>
//! ```
//!
//! ## Use instead
//! ```apache
//! # versions: apache=2.4.71
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     ServerName staff.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile staff-ca.pem
//! </VirtualHost>
//! <VirtualHost *:443>
//!     ServerName partner.test
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//!     SSLVerifyClient require
//!     SSLCACertificateFile partner-ca.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! No fix: which name is a host's own is not for a tool to say.
//!
//! ## References
//! * <https://httpd.apache.org/docs/2.4/mod/core.html#servername>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslverifyclient>
//! * <https://www.usenix.org/conference/usenixsecurity25/presentation/hebrok>

use std::collections::HashSet;

use crate::catalog::Server;
use crate::finding::{Finding, Related, Severity};
use crate::model::{CrossName, Endpoint, Site};
use crate::rules::places;
use crate::rules::trust::{self, Trust};
use crate::rules::wording::{Words, finding};
use crate::rules::{Context, Rule};

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "shared-session-context",
    severity: Severity::Error,
    servers: &[Server::Apache],
    summary: "virtual hosts with one name for sessions and different client certificate checks",
    source: include_str!("shared_session_context.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let sharing = |endpoint: &Endpoint| {
        let shares = endpoint.cross_name == CrossName::Served && endpoint.resumes();
        Trust::of(site, endpoint).filter(|_| shares)
    };
    let all = site.endpoints.iter().enumerate();
    let sharing: Vec<(usize, Trust)> = all
        .filter_map(|(index, endpoint)| Some((index, sharing(endpoint)?)))
        .collect();
    // One endpoint for each trust and each way of issuing stands for all of them.
    let mut seen = HashSet::new();
    let sources: Vec<&(usize, Trust)> = sharing
        .iter()
        .filter(|(index, trust)| {
            let endpoint = &site.endpoints[*index];
            seen.insert((&endpoint.address, trust, format!("{:?}", endpoint.issues)))
        })
        .collect();
    let mut found: Vec<Finding> = Vec::new();
    for (index, trust) in &sharing {
        let to = &site.endpoints[*index];
        let wider = sources.iter().filter(|(_, wider)| wider.widens(trust));
        let mut others = wider.map(|(other, _)| &site.endpoints[*other]);
        if let Some(from) = others.find(|from| shares(from, to)) {
            found.extend(report(site, *index, from));
        }
    }
    found.dedup_by(|next, kept| next.location == kept.location);
    found
}

/// A session of one is opened by the other, at the same address.
fn shares(from: &Endpoint, to: &Endpoint) -> bool {
    let issued = [
        &from.issues.tls12_id,
        &from.issues.tls12_ticket,
        &from.issues.tls13,
    ];
    let mut issued = issued.into_iter().flatten();
    from.address == to.address && issued.any(|domain| to.accepts.contains(domain))
}

fn report(site: &Site, index: usize, from: &Endpoint) -> Option<Finding> {
    let to = site.endpoints.get(index)?;
    let words = Words {
        location: places::head(site, to.block)?,
        message: "clients of another virtual host with other client certificate checks get in \
                  here by resuming its sessions: both have the same `ServerName`, or none"
            .to_owned(),
        label: "one `ServerName` for both".to_owned(),
        help: &["give every virtual host a `ServerName` of its own"],
    };
    let mut found = finding(site, &RULE, &[index], words);
    found
        .related
        .extend(trust::line(site, from).map(|location| Related {
            location,
            label: "checked by this when the session was made".to_owned(),
        }));
    Some(found)
}
