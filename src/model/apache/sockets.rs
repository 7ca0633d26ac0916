//! Which vhosts share an address, which is the first, and which names reach each.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::blocks::View;
use super::config::{Config, Engine};
use super::names;
use crate::catalog::in_parts;
use crate::model::BlockId;
use crate::source::DirectiveId;
use crate::syntax::value::apache::{self, Host};

/// A vhost, or the server level, with its merged settings.
#[derive(Debug)]
pub(super) struct Vhost {
    pub(super) block: BlockId,
    pub(super) config: Config,
    pub(super) addresses: Vec<Address>,
    /// A directive of httpd's core stands in it.
    has_core: bool,
    /// The port that the server level had when httpd came by the vhost.
    pub(super) main_port: Option<u16>,
}

/// An address of a vhost or of a Listen.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Address {
    /// `None` for every address.
    pub(super) host: Option<String>,
    /// `None` for every port.
    pub(super) port: Option<u16>,
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
    pub(super) address: Arc<str>,
    /// False for a vhost that no Listen reaches.
    pub(super) listened: bool,
    pub(super) members: Vec<Member>,
}

/// A vhost on a socket.
#[derive(Debug)]
pub(super) struct Member {
    /// Index of the vhost.
    pub(super) vhost: usize,
    /// What its clients meet where it has no TLS and the first vhost has.
    behind: Option<Box<Config>>,
    /// Names not lost to an earlier vhost of the socket.
    pub(super) names: Arc<[String]>,
    pub(super) reachable: bool,
}

impl Member {
    /// What its clients meet.
    pub(super) fn config<'a>(&'a self, vhosts: &'a [Vhost]) -> &'a Config {
        let own = &vhosts[self.vhost].config;
        self.behind.as_deref().unwrap_or(own)
    }
}

/// For fewer vhosts, starting threads takes longer than they save.
const FEW: usize = 256;

/// The server level first, then the vhosts in file order.
pub(super) fn vhosts(view: &View<'_>) -> Vec<Vhost> {
    let main = Config::defaults().merged(view, view.roles.main);
    let found: Vec<(BlockId, DirectiveId)> = view.vhosts().collect();
    let parts = in_parts(found.len(), FEW, |range| {
        let vhosts = found[range].iter().map(|it| vhost(view, *it, &main));
        vhosts.collect::<Vec<_>>()
    });
    let mut vhosts = Vec::with_capacity(found.len() + 1);
    vhosts.push(Vhost {
        block: view.roles.main,
        config: main,
        addresses: Vec::new(),
        has_core: true,
        main_port: None,
    });
    vhosts.extend(parts.into_iter().flatten());
    vhosts
}

fn vhost(view: &View<'_>, (block, directive): (BlockId, DirectiveId), main: &Config) -> Vhost {
    let main_port = main_port(view, directive);
    Vhost {
        block,
        config: main.merged(view, block),
        addresses: addresses(view, directive, main_port),
        has_core: view.has_core(directive),
        main_port,
    }
}

/// The addresses that speak TLS, by first appearance.
pub(super) fn sockets(view: &View<'_>, vhosts: &[Vhost]) -> Vec<Socket> {
    let listens = listens(view, vhosts);
    let listened = Listened::of(&listens);
    let named = Named::of(vhosts);
    let mut seen = HashSet::new();
    let mut shared: Vec<(String, Option<String>, u16)> = Vec::new();
    for listen in &listens {
        for host in hosts(listen, vhosts) {
            let address = written(host.as_deref(), listen.port);
            if seen.insert(address.clone()) {
                shared.push((address, host, listen.port));
            }
        }
    }
    let parts = in_parts(shared.len(), FEW, |range| {
        let sockets = shared[range].iter().filter_map(|(address, host, port)| {
            let members = named.members(host.as_deref(), *port);
            let members = if members.is_empty() { &[0] } else { members };
            socket(address, members, vhosts, &listened)
        });
        sockets.collect::<Vec<_>>()
    });
    let mut sockets: Vec<Socket> = parts.into_iter().flatten().collect();
    sockets.extend(unreached(&listened, vhosts));
    sockets
}

/// The hosts under which a Listen is known: its own, and for a Listen on every address each
/// one that a vhost names.
fn hosts(listen: &Listen, vhosts: &[Vhost]) -> Vec<Option<String>> {
    let mut hosts = vec![listen.host.clone()];
    if listen.host.is_some() {
        return hosts;
    }
    let mut known = HashSet::new();
    for address in vhosts.iter().flat_map(|vhost| &vhost.addresses) {
        let named = address.host.is_some() && address.port.is_none_or(|port| port == listen.port);
        if named && known.insert(&address.host) {
            hosts.push(address.host.clone());
        }
    }
    hosts
}

/// The vhosts by the host and port that they name; `None` for every one.
#[derive(Debug)]
struct Named<'a>(HashMap<(Option<&'a str>, Option<u16>), Vec<usize>>);

impl<'a> Named<'a> {
    fn of(vhosts: &'a [Vhost]) -> Self {
        let mut named: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, vhost) in vhosts.iter().enumerate() {
            for address in &vhost.addresses {
                let key = (address.host.as_deref(), address.port);
                named.entry(key).or_default().push(index);
            }
        }
        named.values_mut().for_each(Vec::dedup);
        Self(named)
    }

    /// The vhosts of an address: those that name it, or else those for every address; of
    /// either, those that name the port, or else those for every port. httpd never mixes the
    /// four.
    fn members<'s>(&'s self, host: Option<&'s str>, port: u16) -> &'s [usize] {
        let hosts: &[Option<&str>] = match host {
            Some(_) => &[host, None],
            None => &[None],
        };
        let ports = [Some(port), None];
        let mut choices = hosts
            .iter()
            .flat_map(|host| ports.map(|port| self.0.get(&(*host, port))));
        choices
            .find_map(|members| members)
            .map_or(&[], Vec::as_slice)
    }
}

fn socket(
    address: &str,
    members: &[usize],
    vhosts: &[Vhost],
    listens: &Listened<'_>,
) -> Option<Socket> {
    let first = vhosts.get(*members.first()?)?;
    if !speaks_tls(first, listens) {
        return None;
    }
    let mut taken = names::Taken::default();
    let mut found = Vec::with_capacity(members.len());
    for index in members {
        let vhost = vhosts.get(*index)?;
        let all = names::of(vhost, vhosts);
        let free: Vec<String> = all
            .iter()
            .filter(|name| !taken.covers(name))
            .cloned()
            .collect();
        all.into_iter().for_each(|name| taken.add(name));
        let behind = !speaks_tls(vhost, listens);
        found.push(Member {
            vhost: *index,
            behind: behind.then(|| Box::new(vhost.config.behind(&first.config))),
            reachable: found.is_empty() || !free.is_empty(),
            names: free.into(),
        });
    }
    Some(Socket {
        address: address.into(),
        listened: true,
        members: found,
    })
}

/// Whether TLS is on in a vhost. Where nothing says so, it is where the vhost's own address
/// is one of a Listen's whose protocol is https, and there is a certificate.
fn speaks_tls(vhost: &Vhost, listens: &Listened<'_>) -> bool {
    match vhost.config.engine.value {
        Engine::On => true,
        Engine::Unset => vhost.config.certificate && is_https(vhost, listens),
        Engine::Off | Engine::Optional => false,
    }
}

/// The protocol of a vhost: what `Protocol` says, else that of its first address that a Listen
/// has as well. A vhost without any directive of httpd's core has the server level's record of
/// them, where http was put a moment before.
fn is_https(vhost: &Vhost, listens: &Listened<'_>) -> bool {
    if vhost.config.https.is_some() || !vhost.has_core {
        return vhost.config.https == Some(true);
    }
    let listen_of = |address: &Address| {
        let key = (address.host.as_deref(), address.port?);
        listens.https.get(&key).copied()
    };
    vhost.addresses.iter().find_map(listen_of) == Some(true)
}

/// What is asked of the Listens for every vhost.
#[derive(Debug, Default)]
struct Listened<'a> {
    /// Whether the first one of a host and port is https.
    https: HashMap<(Option<&'a str>, u16), bool>,
    /// The ports of all.
    ports: HashSet<u16>,
}

impl<'a> Listened<'a> {
    fn of(listens: &'a [Listen]) -> Self {
        let mut listened = Self::default();
        for listen in listens {
            let key = (listen.host.as_deref(), listen.port);
            listened.https.entry(key).or_insert(listen.https);
            listened.ports.insert(listen.port);
        }
        listened
    }

    fn reaches(&self, host: Option<&str>, port: u16) -> bool {
        match host {
            None => self.ports.contains(&port),
            Some(_) => [host, None]
                .iter()
                .any(|host| self.https.contains_key(&(*host, port))),
        }
    }
}

/// Vhosts with TLS on that no Listen reaches.
fn unreached(listens: &Listened<'_>, vhosts: &[Vhost]) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for (index, vhost) in vhosts.iter().enumerate() {
        if vhost.config.engine.value != Engine::On {
            continue;
        }
        for address in &vhost.addresses {
            let host = address.host.as_deref();
            let Some(port) = address.port.filter(|port| !listens.reaches(host, *port)) else {
                continue;
            };
            sockets.push(Socket {
                address: written(address.host.as_deref(), port).into(),
                listened: false,
                members: vec![Member {
                    vhost: index,
                    behind: None,
                    names: vhost.config.names.as_slice().into(),
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

fn addresses(view: &View<'_>, vhost: DirectiveId, main_port: Option<u16>) -> Vec<Address> {
    let arguments = view.project.arguments(vhost);
    let read = arguments.filter_map(|argument| apache::virtual_host(argument).ok());
    read.map(|address| Address {
        host: host(&address.host),
        port: match address.any_port {
            true => None,
            false => address.port.or(main_port),
        },
    })
    .collect()
}

/// The port of the last ServerName above a vhost, at the server level.
fn main_port(view: &View<'_>, vhost: DirectiveId) -> Option<u16> {
    let blocks = &view.roles.blocks;
    let names = view.own(view.roles.main, "ServerName");
    let above = names
        .into_iter()
        .rfind(|id| blocks.setting(*id).directive < vhost)?;
    let name = blocks.setting(above).arguments.first()?;
    super::config::server_name(name).1
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
