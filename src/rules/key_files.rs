//! Which key files are in force at an endpoint, and what the configuration shows of their
//! rotation. Must not judge.

use super::{Context, option_list, places, tickets_off};
use crate::catalog::{self, Server, behaviours};
use crate::finding::{Applicability, Change, Fix, GoLive};
use crate::model::{Endpoint, KeySource, Setting, Site};

/// The directive that names a key file.
pub(super) const fn directive(server: Server) -> &'static str {
    match server {
        Server::Nginx => "ssl_session_ticket_key",
        Server::Apache => "SSLSessionTicketKeyFile",
    }
}

/// The statements whose files are in force at an endpoint, the encrypting one first.
pub(super) fn in_force<'a>(site: &'a Site, endpoint: &'a Endpoint) -> Vec<&'a Setting> {
    if endpoint.ticket_key.source != KeySource::Files {
        return Vec::new();
    }
    let name = directive(site.server);
    if site.server == Server::Apache {
        let last = places::in_force(site, &endpoint.when, endpoint.block, name);
        return last.into_iter().collect();
    }
    let own: Vec<&Setting> = places::own(site, &[], endpoint.governor, name).collect();
    match places::outer(site, endpoint.governor) {
        Some(outer) if own.is_empty() => places::own(site, &[], outer, name).collect(),
        _ => own,
    }
}

/// True where the statements stand in files that a pattern includes: whoever writes
/// `include keys/*.conf` puts other files there from time to time.
pub(super) fn by_pattern(site: &Site, keys: &[&Setting]) -> bool {
    let is_pattern = |text: &String| text.contains(['*', '?', '[']);
    keys.iter().any(|key| {
        let mut includes = places::own(site, &key.when, key.block, "include");
        includes.any(|include| {
            include.arguments.iter().any(is_pattern) && include.location.path != key.location.path
        })
    })
}

/// True where httpd does not authenticate tickets by the key file: on OpenSSL 3.
pub(super) fn unreliable(site: &Site) -> bool {
    let fact = catalog::library_fact("provider-mac-in-ticket-callback");
    let library = fact.is_some_and(|fact| fact.holds(site.platform.library.value));
    let server = behaviours::apache::KEY_FILE_HMAC_UNUSED_WITH_OPENSSL_3;
    site.server == Server::Apache && library && server.holds(site.platform.server.value)
}

/// httpd: no tickets at all at the addresses of these endpoints, and no key files left that
/// would then have no effect. `None` where that would touch other addresses.
pub(super) fn without(context: &Context<'_>, endpoints: &[usize]) -> Option<Fix> {
    let site = context.site;
    let beside = places::blocks_beside(site, endpoints);
    let name = directive(Server::Apache);
    let of = |id| places::own(site, &[], id, name);
    let beside = beside.iter().flat_map(|id| of(*id));
    let used = places::chosen(site, endpoints).flat_map(|endpoint| in_force(site, endpoint));
    let removed = beside.chain(used);
    let mut changes: Vec<Change> = removed
        .map(|setting| Change::Remove {
            statement: setting.location.clone(),
        })
        .collect();
    for block in places::deciding_blocks(site, endpoints) {
        if option_list::deciding(site, &[], block).is_some() {
            return None;
        }
    }
    changes.extend(tickets_off::changes(context, endpoints));
    changes.sort();
    changes.dedup();
    Some(Fix {
        title: "turn session tickets off and take the key file away".to_owned(),
        applicability: Applicability::Unsafe,
        changes,
        costs: vec![
            "returning clients do a full handshake wherever no session cache is configured"
                .to_owned(),
        ],
        go_live: GoLive::Reload,
    })
}
