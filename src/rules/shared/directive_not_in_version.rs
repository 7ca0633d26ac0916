//! A directive that the server's version does not have.
//!
//! ## What it finds
//! Directives about TLS that came later than the judged version or went before it, as the
//! catalog knows them: `ssl on` is gone since nginx 1.25.1, `ssl_conf_command` and
//! `ssl_reject_handshake` came with 1.19.4, `SSLVHostSNIPolicy` with httpd 2.4.66. Where the
//! version is not known, the finding says for which versions it holds.
//!
//! ## Why
//! The server refuses to start, often first at the next upgrade. `ssl on` is worse than that
//! in repair: whoever removes the line alone serves plain text on port 443.
//!
//! ## Example
//! ```nginx
//! # versions: nginx=1.28.3
//! server {
//!     listen 443;
//!     ssl on;
//!     ssl_certificate a.pem;
//!     ssl_certificate_key a.key;
//!     ssl_session_tickets off;
//! }
//! ```
//! ```apache
//! # versions: apache=2.4.65
//! Listen 443
//! SSLVHostSNIPolicy secure
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
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
//! # versions: apache=2.4.65
//! Listen 443
//! SSLSessionTickets off
//! <VirtualHost *:443>
//!     SSLEngine on
//!     SSLCertificateFile a.pem
//! </VirtualHost>
//! ```
//!
//! ## Fix safety
//! `ssl on` in a server: safe. Every `listen` of the server gets `ssl`, which means the same in
//! all versions, and the line goes. Unsafe where a server without it shares the address, since
//! the address then speaks TLS for both, and where the line stands around several servers.
//! Other directives: no fix, for what they did has no other name in that version.
//!
//! ## References
//! * <https://nginx.org/en/CHANGES>
//! * <https://nginx.org/en/docs/http/configuring_https_servers.html>
//! * <https://httpd.apache.org/docs/2.4/mod/mod_ssl.html>

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{self, Directive, Server};
use crate::finding::{Applicability, Change, Finding, Fix, GoLive, Severity, Target};
use crate::model::{BlockId, BlockKind, Setting, SettingId, Site};
use crate::rules::{Context, Rule, places, tickets_off};
use crate::text::Location;

/// The rule.
pub(in crate::rules) const RULE: Rule = Rule {
    name: "directive-not-in-version",
    severity: Severity::Error,
    servers: &[Server::Nginx, Server::Apache],
    summary: "a directive that the server's version does not have",
    source: include_str!("directive_not_in_version.rs"),
    check,
};

fn check(context: &Context<'_>) -> Vec<Finding> {
    let site = context.site;
    let mut findings: Vec<Finding> = Vec::new();
    let mut said: HashSet<&Location> = HashSet::new();
    let plain = Plain::default();
    let each = site.by_name.each().filter_map(|ids| {
        let mut named = places::among(site, ids);
        Some((ids, missing(site, named.next()?)?))
    });
    let mut gone: Vec<(SettingId, &Directive)> = each
        .flat_map(|(ids, row)| ids.iter().map(move |id| (*id, row)))
        .collect();
    // In file order: where a macro's arguments are names, several stand at one place.
    gone.sort_unstable_by_key(|(id, _)| *id);
    for (id, row) in &gone {
        for setting in places::among(site, std::slice::from_ref(id)) {
            if said.insert(&setting.location) {
                findings.push(finding(site, setting, row, &plain));
            }
        }
    }
    findings
}

/// The catalog's row, where no row of that name holds for the judged version.
fn missing(site: &Site, setting: &Setting) -> Option<&'static Directive> {
    let version = site.platform.server.value;
    let name = setting.name.as_bytes();
    match site.server {
        Server::Apache => catalog::apache(name).filter(|row| !row.exists(version)),
        Server::Nginx => {
            let rows = catalog::nginx(name);
            let gone = rows.iter().all(|row| !row.exists(version));
            rows.first().filter(|_| gone)
        }
    }
}

fn finding<'a>(site: &'a Site, setting: &Setting, row: &Directive, plain: &Plain<'a>) -> Finding {
    let server = match site.server {
        Server::Nginx => "nginx",
        Server::Apache => "httpd",
    };
    let name = setting.name;
    let gone = row
        .removed
        .filter(|removed| *removed <= site.platform.server.value);
    let (message, help) = match (gone, row.since) {
        (Some(removed), _) if name == SSL && tickets_off::is_on(setting) => (
            format!("`{name}` was removed in {server} {removed}"),
            "say `ssl` in every `listen` of the server and remove the line".to_owned(),
        ),
        (Some(removed), _) => (
            format!("`{name}` was removed in {server} {removed}"),
            "remove the line".to_owned(),
        ),
        (None, Some(since)) => (
            format!("`{name}` needs {server} {since} or later"),
            format!("upgrade to {since} or later, or remove the line"),
        ),
        (None, None) => (
            format!("{server} does not have `{name}`"),
            "remove the line".to_owned(),
        ),
    };
    let endpoints = concerned(site, setting.block);
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        confidence: places::confidence(&setting.when),
        message,
        location: setting.location.clone(),
        label: "the server does not start".to_owned(),
        related: Vec::new(),
        endpoints: places::labels(site, &endpoints),
        help: vec![help],
        versions: Default::default(),
        when: setting.when.clone(),
        fix: fix(site, setting, plain),
    }
}

/// nginx's old switch.
const SSL: &str = "ssl";
const LISTEN: &str = "listen";

fn concerned(site: &Site, block: BlockId) -> Vec<usize> {
    let around = [
        BlockKind::Main,
        BlockKind::Http,
        BlockKind::Stream,
        BlockKind::Mail,
    ];
    if !places::block(site, block).is_some_and(|block| around.contains(&block.kind)) {
        return site.endpoints_of(block).to_vec();
    }
    let inside = |index: &usize| {
        let endpoint = site.endpoints.get(*index);
        endpoint.is_some_and(|endpoint| {
            endpoint.block == block || places::outer(site, endpoint.block) == Some(block)
        })
    };
    (0..site.endpoints.len()).filter(inside).collect()
}

/// nginx's `ssl on` becomes the `ssl` of every `listen` that it spoke for.
fn fix<'a>(site: &'a Site, setting: &Setting, plain: &Plain<'a>) -> Option<Fix> {
    if setting.name != SSL || site.server != Server::Nginx {
        return None;
    }
    let servers = servers_under(site, setting);
    let shared = servers
        .iter()
        .any(|server| shares_an_address(site, *server, plain));
    let around = places::block(site, setting.block)?.kind != BlockKind::Server;
    let mut changes: Vec<Change> = Vec::new();
    if tickets_off::is_on(setting) {
        changes.extend(
            servers
                .iter()
                .flat_map(|server| listens_with_ssl(site, *server)),
        );
    }
    changes.push(Change::Remove {
        statement: setting.location.clone(),
    });
    changes.sort();
    changes.dedup();
    Some(Fix {
        title: if tickets_off::is_on(setting) {
            "say `ssl` in `listen` and remove `ssl on`".to_owned()
        } else {
            "remove `ssl off`".to_owned()
        },
        applicability: if shared || around {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        },
        changes,
        common: Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    })
}

/// The servers for which the line holds: its own, or those around which it stands and that do
/// not say otherwise.
fn servers_under(site: &Site, setting: &Setting) -> Vec<BlockId> {
    let holds = |id: &BlockId| {
        let is_server =
            places::block(site, *id).is_some_and(|block| block.kind == BlockKind::Server);
        let same = |other: &Setting| other.location == setting.location;
        is_server && places::in_force(site, &[], *id, SSL).is_some_and(same)
    };
    // A line in a server holds nowhere else, but its file may be included elsewhere.
    if places::block(site, setting.block).is_some_and(|block| block.kind == BlockKind::Server) {
        let mut blocks: Vec<BlockId> = site
            .settings_at(&setting.location)
            .map(|it| it.block)
            .collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks.retain(holds);
        return blocks;
    }
    (0..site.blocks.len())
        .map(|index| BlockId(index as u32))
        .filter(holds)
        .collect()
}

/// Servers that are plain at an address, by the address as written: looked for once, and only
/// where somebody asks.
type Plain<'a> = OnceCell<HashMap<&'a str, Vec<BlockId>>>;

fn plain_servers(site: &Site) -> HashMap<&str, Vec<BlockId>> {
    let mut plain: HashMap<&str, Vec<BlockId>> = HashMap::new();
    for listen in site
        .settings
        .iter()
        .filter(|it| it.name == LISTEN && is_plain(it))
    {
        let speaks =
            || places::in_force(site, &[], listen.block, SSL).is_some_and(tickets_off::is_on);
        if let Some(address) = listen.arguments.first().filter(|_| !speaks()) {
            plain.entry(address).or_default().push(listen.block);
        }
    }
    plain
}

fn listens_with_ssl(site: &Site, server: BlockId) -> Vec<Change> {
    let mut listens = places::own(site, &[], server, LISTEN).peekable();
    if listens.peek().is_none() {
        // Without any, nginx listens on port 80 of every address.
        let statement = vec![LISTEN.to_owned(), "80".to_owned(), SSL.to_owned()];
        let target: Option<Target> = places::target(site, server);
        return target
            .map(|target| Change::Insert { target, statement })
            .into_iter()
            .collect();
    }
    listens
        .filter(|listen| is_plain(listen))
        .map(with_ssl)
        .collect()
}

fn is_plain(listen: &Setting) -> bool {
    !listen
        .arguments
        .iter()
        .any(|word| word == SSL || word == "quic")
}

fn with_ssl(listen: &Setting) -> Change {
    let mut arguments = listen.arguments.clone();
    arguments.insert(arguments.len().min(1), SSL.to_owned());
    Change::SetArguments {
        statement: listen.location.clone(),
        arguments,
    }
}

/// True where another server listens at the same address and is plain there.
fn shares_an_address<'a>(site: &'a Site, server: BlockId, plain: &Plain<'a>) -> bool {
    let plain = plain.get_or_init(|| plain_servers(site));
    let mut mine = places::own(site, &[], server, LISTEN).filter_map(|it| it.arguments.first());
    mine.any(|address| {
        let others = plain.get(address.as_str());
        others.is_some_and(|others| others.iter().any(|other| *other != server))
    })
}
