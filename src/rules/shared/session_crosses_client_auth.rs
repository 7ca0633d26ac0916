//! A session made under one client certificate authority is accepted under another.
//!
//! ## What it finds
//! Servers of one address that check client certificates differently, where a client that one
//! of them accepted resumes its session at the other, which does not check again:
//! * nginx with CVE-2025-23419: any two servers of the address in TLS 1.3;
//! * nginx from 1.29.2: servers with the same certificate and the same `ssl_client_certificate`
//!   that differ in `ssl_crl`, `ssl_trusted_certificate` or `ssl_verify_depth`: none of these
//!   is part of what a session is bound to;
//! * nginx's stream in between: a session made without a name at the default server;
//! * httpd with CVE-2025-23048, unless `SSLStrictSNIVHostCheck on`, and from 2.4.66 under
//!   `SSLVHostSNIPolicy insecure`.
//!
//! Not found where only one of the servers asks for certificates: a session without one is not
//! accepted where one is required. Nor in http of nginx with the fix: what is left there needs
//! no session (see `client-auth-without-reject-handshake`).
//!
//! ## Why
//! The first server's clients get in at the second, with their own certificate, which its
//! authority never signed or has revoked. Hebrok et al. describe it (USENIX Security 2025).
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.22.0,1.24.0
//! server {
//!     listen 443 ssl;
//!     server_name staff.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate staff-ca.pem;
//! }
//! server {
//!     listen 443 ssl;
//!     server_name partner.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_cache shared:TLS:10m;
//!     ssl_session_timeout 1h;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate partner-ca.pem;
//! }
//! ```
//! ```apache
//! # versions: apache=2.4.71
//! Listen 443
//! SSLVHostSNIPolicy insecure
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
//! ## Use instead
//! An address of its own for each authority.
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     server_name staff.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate staff-ca.pem;
//! }
//! server {
//!     listen 8443 ssl;
//!     server_name partner.test;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//!     ssl_verify_client on;
//!     ssl_client_certificate partner-ca.pem;
//! }
//! ```
//!
//! ## Fix safety
//! No fix: which of the servers moves to another address, or does without resumption, is not
//! for a tool to say.
//!
//! ## References
//! * <https://nginx.org/en/security_advisories.html>
//! * <https://httpd.apache.org/security/vulnerabilities_24.html>
//! * <https://www.usenix.org/conference/usenixsecurity25/presentation/hebrok>

use std::collections::{HashMap, HashSet};
use std::mem::discriminant;
use std::sync::Arc;

use crate::catalog::{self, Server, behaviours};
use crate::finding::{Finding, Related, Severity};
use crate::model::{Endpoint, Module, Site, Transport};
use crate::rules::advisories::{self, Exposure};
use crate::rules::places;
use crate::rules::trust::{self, Trust};
use crate::rules::wording::{Words, graded};
use crate::rules::{Context, Rule};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "session-crosses-client-auth",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a session made under one client certificate authority is accepted under another",
    source: include_str!("session_crosses_client_auth.rs"),
    check,
};

/// By which weakness sessions cross.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
enum Way {
    /// A published vulnerability of this number.
    Advisory(&'static str),
    /// nginx: a session of the default server made without a name.
    Nameless,
    /// nginx: the same context, though not the same checks.
    Context,
    /// httpd: its policy lets requests leave the vhost of the handshake.
    Policy,
}

const OF_NGINX: &str = "CVE-2025-23419";
const OF_HTTPD: &str = "CVE-2025-23048";

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut found: Vec<Crossing> = Vec::new();
    let mut known: HashMap<Location, usize> = HashMap::new();
    for crossing in sockets(site)
        .iter()
        .flat_map(|socket| crossings(site, socket))
    {
        match known.get(&crossing.location) {
            Some(index) => found[*index].endpoints.extend(crossing.endpoints),
            None => {
                known.insert(crossing.location.clone(), found.len());
                found.push(crossing);
            }
        }
    }
    found
        .iter()
        .map(|crossing| report(site, crossing))
        .collect()
}

/// A server that accepts sessions of another.
struct Crossing {
    location: Location,
    from: Location,
    way: Way,
    severity: Severity,
    endpoints: Vec<usize>,
}

/// Endpoints that check certificates, by the socket that they share.
fn sockets(site: &Site) -> Vec<Vec<(usize, Trust)>> {
    type Key<'a> = (&'a str, Transport, Module, u32);
    let mut sockets: Vec<Vec<(usize, Trust)>> = Vec::new();
    let mut known: HashMap<Key<'_>, usize> = HashMap::new();
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        let Some(trust) = Trust::of(site, endpoint) else {
            continue;
        };
        let key = (
            &*endpoint.address,
            endpoint.transport,
            endpoint.module,
            endpoint.governor.0,
        );
        let socket = *known.entry(key).or_insert(sockets.len());
        match sockets.get_mut(socket) {
            Some(socket) => socket.push((index, trust)),
            None => sockets.push(vec![(index, trust)]),
        }
    }
    sockets
}

fn crossings(site: &Site, socket: &[(usize, Trust)]) -> Vec<Crossing> {
    let sources = Sources::of(site, socket);
    let mut found = Vec::new();
    // Asked once for all that check the same and open the same.
    let mut known = HashMap::new();
    for (index, trust) in socket {
        let to = &site.endpoints[*index];
        let Some(opening) = Opening::of(site, to) else {
            continue;
        };
        let asked = (trust, &to.accepts, discriminant(&opening));
        let crossing = known.entry(asked).or_insert_with(|| {
            let candidates = sources.that_may_cross(&opening, to);
            let mut ways = candidates
                .filter(|source| source.trust.widens(trust))
                .filter_map(|source| Some((source.endpoint, opening.way(source, to)?)));
            ways.next()
        });
        let Some((from, (way, severity))) = *crossing else {
            continue;
        };
        let Some((location, from)) = trust::line(site, to).zip(trust::line(site, from)) else {
            continue;
        };
        let location = match way {
            Way::Policy => policy_line(site, to).unwrap_or(location),
            _ => location,
        };
        found.push(Crossing {
            location,
            from,
            way,
            severity,
            endpoints: vec![*index],
        });
    }
    found
}

/// An endpoint whose sessions may get in elsewhere.
struct Source<'a> {
    endpoint: &'a Endpoint,
    trust: &'a Trust,
}

/// Endpoints of a socket whose sessions differ in what they open: one stands for all alike.
struct Sources<'a> {
    all: Vec<Source<'a>>,
    /// httpd: places in `all` of those that its vulnerability is about.
    crossing: Vec<usize>,
    /// nginx: places in `all` by the domains in which they issue sessions.
    by_domain: HashMap<&'a str, Issuers>,
}

/// Places in [`Sources::all`] of those that issue sessions in a domain. Each question goes through
/// those only that can be the answer: there may be as many as are asked.
#[derive(Default)]
struct Issuers {
    all: Vec<usize>,
    /// With sessions of TLS 1.3.
    tls13: Vec<usize>,
    /// The default servers of the address.
    default: Vec<usize>,
}

impl<'a> Sources<'a> {
    fn of(site: &'a Site, socket: &'a [(usize, Trust)]) -> Self {
        let mut seen = HashSet::new();
        let mut sources = Self {
            all: Vec::new(),
            crossing: Vec::new(),
            by_domain: HashMap::new(),
        };
        for (index, trust) in socket {
            let endpoint = &site.endpoints[*index];
            let issues = &endpoint.issues;
            let domains = [&issues.tls13, &issues.tls12_id, &issues.tls12_ticket];
            let strict = is_strict(site, endpoint);
            // httpd's weaknesses do not ask for the domain.
            let apart = match site.server {
                Server::Nginx => domains.map(Option::as_deref),
                Server::Apache => [issues.tls13.as_ref().map(|_| ""), None, None],
            };
            if !seen.insert((trust, apart, endpoint.default, strict)) {
                continue;
            }
            for domain in domains.into_iter().flatten() {
                let issuers = sources.by_domain.entry(domain).or_default();
                let place = sources.all.len();
                issuers.all.push(place);
                if issues.tls13.is_some() {
                    issuers.tls13.push(place);
                }
                if endpoint.default {
                    issuers.default.push(place);
                }
            }
            if !strict && issues.tls13.is_some() {
                sources.crossing.push(sources.all.len());
            }
            sources.all.push(Source { endpoint, trust });
        }
        sources
    }

    /// nginx: those whose sessions the endpoint opens at all. httpd's weaknesses do not ask.
    fn that_may_cross(
        &self,
        opening: &Opening,
        to: &Endpoint,
    ) -> impl Iterator<Item = &Source<'a>> {
        let of_nginx = !matches!(opening, Opening::Policy | Opening::Requests(_));
        let opened = to.accepts.iter().filter_map(move |domain| {
            let issuers = self.by_domain.get(&**domain);
            issuers.filter(|_| of_nginx).map(|issuers| match opening {
                Opening::Tls13 {
                    nameless: false, ..
                } => &issuers.tls13,
                Opening::Nameless => &issuers.default,
                _ => &issuers.all,
            })
        });
        let crossing = matches!(opening, Opening::Requests(_)).then_some(&self.crossing);
        let places = opened.chain(crossing).flatten();
        let any = matches!(opening, Opening::Policy).then_some(&self.all);
        let chosen = places.filter_map(|place| self.all.get(*place));
        chosen.chain(any.into_iter().flatten())
    }
}

/// What lets sessions of others in at an endpoint, whoever they are.
enum Opening {
    /// nginx: the context does not tell the servers' checks apart.
    Context,
    /// nginx: a vulnerability in TLS 1.3; in a stream also what [`Opening::Nameless`] says.
    Tls13 { severity: Severity, nameless: bool },
    /// nginx's stream: sessions of the default server.
    Nameless,
    /// httpd: its policy.
    Policy,
    /// httpd: a vulnerability.
    Requests(Severity),
}

impl Opening {
    fn of(site: &Site, to: &Endpoint) -> Option<Self> {
        let advisory = |id| {
            let exposure = advisories::exposure(&site.platform, catalog::advisory(id)?);
            match exposure {
                Exposure::Yes => Some(RULE.severity),
                Exposure::Perhaps => Some(Severity::Warning),
                Exposure::No => None,
            }
        };
        if site.server == Server::Apache {
            if policy_line(site, to).is_some() {
                return Some(Self::Policy);
            }
            let severity = advisory(OF_HTTPD).filter(|_| !is_strict(site, to))?;
            return Some(Self::Requests(severity));
        }
        if behaviours::nginx::SESSION_CONTEXT_BY_BLOCK.holds(site.platform.server.value) {
            return Some(Self::Context);
        }
        // In http the request alone chooses the server then, session or not.
        let nameless = to.module == Module::Stream;
        match advisory(OF_NGINX) {
            Some(severity) => Some(Self::Tls13 { severity, nameless }),
            None => nameless.then_some(Self::Nameless),
        }
    }

    /// The weakness by which a session of this source gets in at `to`, if one does.
    fn way(&self, source: &Source<'_>, to: &Endpoint) -> Option<(Way, Severity)> {
        let from = source.endpoint;
        let opened = |issued: &Option<Arc<str>>| {
            let issued = issued.as_ref();
            issued.is_some_and(|domain| to.accepts.contains(domain))
        };
        let tls13 = || opened(&from.issues.tls13);
        let any = || tls13() || opened(&from.issues.tls12_id) || opened(&from.issues.tls12_ticket);
        let by_name = (Way::Nameless, RULE.severity);
        match self {
            Self::Context => any().then_some((Way::Context, RULE.severity)),
            Self::Tls13 { severity, .. } if tls13() => Some((Way::Advisory(OF_NGINX), *severity)),
            Self::Tls13 {
                nameless: false, ..
            } => None,
            Self::Tls13 { .. } | Self::Nameless => (from.default && any()).then_some(by_name),
            Self::Policy => Some((Way::Policy, RULE.severity)),
            Self::Requests(severity) => Some((Way::Advisory(OF_HTTPD), *severity)),
        }
    }
}

fn is_strict(site: &Site, endpoint: &Endpoint) -> bool {
    let name = "SSLStrictSNIVHostCheck";
    let setting = places::in_force(site, &endpoint.when, endpoint.block, name);
    setting.is_some_and(|setting| is(setting.arguments.first(), "on"))
}

/// The line that lets requests leave the vhost of their handshake.
fn policy_line(site: &Site, endpoint: &Endpoint) -> Option<Location> {
    let exists = behaviours::apache::SNI_POLICY_DIRECTIVE.holds(site.platform.server.value);
    let main = places::main_block(site).filter(|_| exists)?;
    let last = places::own(site, &endpoint.when, main, "SSLVHostSNIPolicy").next_back()?;
    is(last.arguments.first(), "insecure").then(|| last.location.clone())
}

fn is(word: Option<&String>, wanted: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
}

fn report(site: &Site, crossing: &Crossing) -> Finding {
    let (label, help): (String, &[&str]) = match crossing.way {
        Way::Advisory(id) => (
            format!("sessions of the others are not checked against this ({id})"),
            &[
                "upgrade: the advisory names the fixed versions",
                "until then give each client certificate authority an address of its own",
            ],
        ),
        Way::Nameless => (
            "a session made without a name is not checked against this".to_owned(),
            &["give each client certificate authority an address of its own"],
        ),
        Way::Context => (
            "a resumed session is not checked against this".to_owned(),
            &[
                "give the servers different certificates or different `ssl_client_certificate` \
                 files, which sessions are bound to",
                "or turn resumption off in them: `ssl_session_tickets off;` and \
                 `ssl_session_cache off;`",
            ],
        ),
        Way::Policy => (
            "a request may name another vhost than the handshake did".to_owned(),
            &["remove it: the default `secure` keeps requests with the client's certificate check"],
        ),
    };
    let words = Words {
        location: crossing.location.clone(),
        message: "clients of a server with other client certificate checks get in here by \
                  resuming its sessions"
            .to_owned(),
        label,
        help,
    };
    let mut found = graded(site, &RULE, crossing.severity, &crossing.endpoints, words);
    found.related.push(Related {
        location: crossing.from.clone(),
        label: "checked by this when the session was made".to_owned(),
    });
    found
}
