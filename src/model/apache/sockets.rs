//! Which vhosts share an address, which is the first, and which names reach each.

use std::collections::HashSet;

use super::blocks::View;
use super::config::{Config, Engine};
use crate::model::BlockId;
use crate::source::DirectiveId;
use crate::syntax::value::apache::{self, Host};

/// A vhost, or the server level, with its merged settings.
#[derive(Debug)]
pub(super) struct Vhost {
    pub(super) block: BlockId,
    pub(super) config: Config,
    addresses: Vec<Address>,
}

/// An address of a vhost or of a Listen.
#[derive(Clone, Eq, PartialEq, Debug)]
struct Address {
    /// `None` for every address.
    host: Option<String>,
    /// `None` for every port.
    port: Option<u16>,
}

/// A `Listen`.
#[derive(Clone, Debug)]
struct Listen {
    host: Option<String>,
    port: u16,
    https: bool,
}

/// An address that speaks TLS, with the vhosts that share it, the first one first.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) address: String,
    pub(super) port: u16,
    /// False for a vhost that no Listen reaches.
    pub(super) listened: bool,
    pub(super) members: Vec<Member>,
}

/// A vhost on a socket.
#[derive(Debug)]
pub(super) struct Member {
    /// Index of the vhost.
    pub(super) vhost: usize,
    /// Names not lost to an earlier vhost of the socket.
    pub(super) names: Vec<String>,
    pub(super) reachable: bool,
}

/// The server level first, then the vhosts in file order.
pub(super) fn vhosts(view: &View<'_>) -> Vec<Vhost> {
    let main = Config::defaults().merged(view, view.roles.main);
    let mut vhosts = Vec::with_capacity(view.roles.vhosts.len() + 1);
    for (block, directive) in view.vhosts() {
        let config = main.merged(view, block);
        vhosts.push(Vhost {
            block,
            config,
            addresses: addresses(view, directive),
        });
    }
    vhosts.insert(
        0,
        Vhost {
            block: view.roles.main,
            config: main,
            addresses: Vec::new(),
        },
    );
    vhosts
}

/// The addresses that speak TLS, by first appearance.
pub(super) fn sockets(view: &View<'_>, vhosts: &[Vhost]) -> Vec<Socket> {
    let listens = listens(view, vhosts);
    let mut seen = HashSet::new();
    let mut sockets = Vec::new();
    for listen in &listens {
        for host in hosts(listen, vhosts) {
            let address = written(host.as_deref(), listen.port);
            if !seen.insert(address.clone()) {
                continue;
            }
            let members = members(host.as_deref(), listen.port, vhosts);
            let members = if members.is_empty() { vec![0] } else { members };
            sockets.extend(socket(address, listen, &members, vhosts));
        }
    }
    sockets.extend(unreached(&listens, vhosts));
    sockets
}

/// The hosts under which a Listen is known: its own, and for a Listen on every address each
/// one that a vhost names.
fn hosts(listen: &Listen, vhosts: &[Vhost]) -> Vec<Option<String>> {
    let mut hosts = vec![listen.host.clone()];
    if listen.host.is_some() {
        return hosts;
    }
    for address in vhosts.iter().flat_map(|vhost| &vhost.addresses) {
        let named = address.host.is_some() && address.port.is_none_or(|port| port == listen.port);
        if named && !hosts.contains(&address.host) {
            hosts.push(address.host.clone());
        }
    }
    hosts
}

/// The vhosts of an address: those that name it, or else those for every address.
fn members(host: Option<&str>, port: u16, vhosts: &[Vhost]) -> Vec<usize> {
    let of = |wanted: Option<&str>| -> Vec<usize> {
        let has = |vhost: &Vhost| {
            vhost.addresses.iter().any(|address| {
                address.host.as_deref() == wanted && address.port.is_none_or(|own| own == port)
            })
        };
        let all = vhosts.iter().enumerate();
        all.filter(|(_, vhost)| has(vhost))
            .map(|(index, _)| index)
            .collect()
    };
    let named = host.map(|host| of(Some(host))).unwrap_or_default();
    if named.is_empty() { of(None) } else { named }
}

fn socket(address: String, listen: &Listen, members: &[usize], vhosts: &[Vhost]) -> Option<Socket> {
    let first = *members.first()?;
    // The server level has no address of its own, so no Listen makes it https.
    let https = listen.https && first != 0;
    if !speaks_tls(&vhosts.get(first)?.config, https) {
        return None;
    }
    let mut taken = HashSet::new();
    let mut found = Vec::with_capacity(members.len());
    for index in members {
        let config = &vhosts.get(*index)?.config;
        if !speaks_tls(config, https) {
            continue;
        }
        let free = config
            .names
            .iter()
            .filter(|name| taken.insert(name.to_ascii_lowercase()));
        let names: Vec<String> = free.cloned().collect();
        let reachable = *index == first || !names.is_empty();
        found.push(Member {
            vhost: *index,
            names,
            reachable,
        });
    }
    Some(Socket {
        address,
        port: listen.port,
        listened: true,
        members: found,
    })
}

fn speaks_tls(config: &Config, https: bool) -> bool {
    match config.engine.value {
        Engine::On => true,
        Engine::Unset => https,
        Engine::Off | Engine::Optional => false,
    }
}

/// Vhosts with TLS on that no Listen reaches.
fn unreached(listens: &[Listen], vhosts: &[Vhost]) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for (index, vhost) in vhosts.iter().enumerate() {
        if vhost.config.engine.value != Engine::On {
            continue;
        }
        for address in &vhost.addresses {
            let reached = listens.iter().any(|listen| {
                address.port.is_none_or(|port| port == listen.port)
                    && (address.host.is_none()
                        || listen.host.is_none()
                        || listen.host == address.host)
            });
            let Some(port) = address.port.filter(|_| !reached) else {
                continue;
            };
            sockets.push(Socket {
                address: written(address.host.as_deref(), port),
                port,
                listened: false,
                members: vec![Member {
                    vhost: index,
                    names: vhost.config.names.clone(),
                    reachable: false,
                }],
            });
        }
    }
    sockets
}

/// Every Listen. A file without any is a fragment: its vhosts' addresses stand in.
fn listens(view: &View<'_>, vhosts: &[Vhost]) -> Vec<Listen> {
    let mut listens = Vec::new();
    for id in view.own(view.roles.main, "Listen") {
        let arguments = &view.roles.blocks.setting(id).arguments;
        let Some(Ok(address)) = arguments
            .first()
            .map(|word| apache::listen(word.as_bytes()))
        else {
            continue;
        };
        let Some(port) = address.port else {
            continue;
        };
        let https = match arguments.get(1) {
            Some(protocol) => protocol.eq_ignore_ascii_case("https"),
            None => port == HTTPS,
        };
        listens.push(Listen {
            host: host(&address.host),
            port,
            https,
        });
    }
    if !listens.is_empty() {
        return listens;
    }
    let addresses = vhosts.iter().flat_map(|vhost| &vhost.addresses);
    let implied = addresses.filter_map(|address| {
        let port = address.port?;
        Some(Listen {
            host: address.host.clone(),
            port,
            https: port == HTTPS,
        })
    });
    implied.collect()
}

/// The port whose protocol is https unless the Listen says otherwise.
const HTTPS: u16 = 443;

fn addresses(view: &View<'_>, vhost: DirectiveId) -> Vec<Address> {
    let arguments = view.project.arguments(vhost);
    let read = arguments.filter_map(|argument| apache::virtual_host(argument).ok());
    read.map(|address| Address {
        host: host(&address.host),
        port: address.port.filter(|_| !address.any_port),
    })
    .collect()
}

fn host(host: &Host<'_>) -> Option<String> {
    match host {
        Host::Any => None,
        Host::V6(address) if address.is_unspecified() => None,
        Host::V6(address) => Some(format!("[{address}]")),
        Host::Scoped(address, zone) => {
            Some(format!("[{address}%{}]", String::from_utf8_lossy(zone)))
        }
        Host::Name(b"0.0.0.0") => None,
        Host::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
    }
}

fn written(host: Option<&str>, port: u16) -> String {
    format!("{}:{port}", host.unwrap_or("*"))
}
