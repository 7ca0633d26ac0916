//! The changes after which nothing resumes at some endpoints: tickets off and no session
//! cache. Must not judge whether that is wanted.

use std::collections::HashSet;
use std::sync::Arc;

use super::places::{self, chosen};
use super::{Context, tickets_off};
use crate::catalog::Server;
use crate::finding::{Applicability, Change, Fix, GoLive};
use crate::model::{BlockId, Setting, Site, Tls12Id};

/// The fix for these endpoints; `None` where a script keeps the sessions.
pub(super) fn fix(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    let site = context.site;
    let external = |id: Tls12Id| id == Tls12Id::External;
    if chosen(site, endpoints).any(|endpoint| external(endpoint.tls12.session_id)) {
        return None;
    }
    let mut changes = tickets_off::changes(context, endpoints);
    let caches = match site.server {
        Server::Nginx => nginx_caches(context, endpoints),
        Server::Apache => apache_caches(site),
    };
    // httpd ends at a graceful restart that finds its session cache gone.
    let go_live = match (site.server, caches.is_empty()) {
        (Server::Apache, false) => GoLive::StopAndStart,
        _ => GoLive::Reload,
    };
    changes.extend(caches);
    changes.sort();
    changes.dedup();
    if changes.is_empty() {
        return None;
    }
    Some(Fix {
        title: "turn session tickets and the session cache off".to_owned(),
        applicability: Applicability::Safe,
        changes,
        common: Arc::default(),
        costs: vec!["every connection does a full handshake".to_owned()],
        go_live,
    })
}

/// The directive that configures the session cache.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => "ssl_session_cache",
        Server::Apache => "SSLSessionCache",
    }
}

/// The cache of the server that connections start in decides; that of the name's own block
/// goes with it, or it would say something else than what is in force. Statements of one block
/// add up, so all of them have to say `off`: the first is edited and the others go.
fn nginx_caches(context: &Context<'_>, endpoints: &[usize]) -> Vec<Change> {
    let site = context.site;
    let name = directive(Server::Nginx);
    let mut changes = Vec::new();
    let mut seen: HashSet<BlockId> = HashSet::new();
    for block in places::deciding_blocks(site, endpoints) {
        let written = places::in_force(site, &[], block, name);
        if written.is_some_and(|it| places::is_out_of_reach(context.policy, it, block)) {
            changes.extend(places::insertion(site, block, &[name, "off"]));
            continue;
        }
        let holder = written.map(|one| one.block);
        let Some(holder) = holder.filter(|holder| seen.insert(*holder)) else {
            continue;
        };
        let statements: Vec<&Setting> = places::own(site, &[], holder, name).collect();
        if !keeps_sessions(&statements) {
            continue;
        }
        let mut statements = statements.into_iter();
        changes.extend(statements.next().map(|first| set(first, "off")));
        changes.extend(statements.map(remove));
    }
    changes
}

/// Whether nginx's statements of one block make a cache: `off`, `none` and `builtin` are one
/// value of which the last stays, `shared` counts only where none of them stands.
fn keeps_sessions(statements: &[&Setting]) -> bool {
    let words = statements.iter().flat_map(|statement| &statement.arguments);
    let mut kinds = words.clone().filter(|word| !word.starts_with("shared:"));
    match kinds.next_back() {
        Some(kind) => kind.starts_with("builtin"),
        None => words.count() > 0,
    }
}

/// httpd has one cache for all; `none` behind a real one does nothing, so the real ones are
/// edited. They say then what another line says that is in force once they do not count.
fn apache_caches(site: &Site) -> Vec<Change> {
    let name = directive(Server::Apache);
    let statements: Vec<&Setting> = places::named(site, name).collect();
    let mut idle = statements.iter().filter(|one| !is_real_cache(one));
    let word = idle
        .next_back()
        .and_then(|one| one.arguments.first())
        .map_or("none", String::as_str);
    let real = statements.iter().filter(|one| is_real_cache(one));
    real.map(|one| set(one, word)).collect()
}

/// True for a cache of httpd that keeps sessions.
pub(super) fn is_real_cache(setting: &Setting) -> bool {
    setting.arguments.first().is_some_and(|value| {
        !value.eq_ignore_ascii_case("none") && !value.eq_ignore_ascii_case("nonenotnull")
    })
}

fn set(setting: &Setting, value: &str) -> Change {
    let arguments = vec![value.to_owned()];
    Change::SetArguments {
        statement: setting.location.clone(),
        arguments,
    }
}

fn remove(setting: &Setting) -> Change {
    Change::Remove {
        statement: setting.location.clone(),
    }
}
