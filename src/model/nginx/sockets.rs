//! Which servers share an address, which of them is its default, and which names reach each.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::blocks::Roles;
use super::config::Config;
use super::domains;
use super::pair::Ids;
use crate::catalog::in_parts;
use crate::model::blocks::Blocks;
use crate::model::domains::Numbers;
use crate::model::{BlockId, Module, SettingId, Transport};
use crate::syntax::value::nginx::{self, Host};

/// A `server` block with its merged settings.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) block: BlockId,
    pub(super) module: Module,
    pub(super) config: Config,
    /// What its sessions depend on.
    pub(super) ids: Ids,
    /// As written, in file order, without empty ones.
    pub(super) names: Arc<[String]>,
    pub(super) listens: Vec<Listen>,
}

/// One address of one `listen`.
#[derive(Clone, Debug)]
pub(super) struct Listen {
    pub(super) address: String,
    pub(super) transport: Transport,
    pub(super) tls: bool,
    pub(super) default: bool,
    /// The directive.
    pub(super) by: SettingId,
}

/// An address with the servers that share it.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) address: Arc<str>,
    pub(super) transport: Transport,
    pub(super) module: Module,
    /// Index of the default server.
    pub(super) default: usize,
    /// Members, the default first, then file order, each with the names that reach it.
    pub(super) members: Vec<Member>,
}

/// A server on a socket.
#[derive(Debug)]
pub(super) struct Member {
    /// Index of the server.
    pub(super) server: usize,
    /// Names not lost to an earlier server of the socket.
    pub(super) names: Arc<[String]>,
    /// Some client reaches it.
    pub(super) reachable: bool,
}

/// What a version may do otherwise, as far as servers and addresses go.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) struct Ways {
    /// TLS 1.3 is on where nothing says which protocols are.
    pub(super) tls13: bool,
    /// Servers of `stream` share an address by name.
    pub(super) stream_names: bool,
}

/// All servers, in file order; relative names of files start from `base`.
pub(super) fn servers(roles: &Roles, ways: Ways, base: &Path) -> Vec<Server> {
    let blocks = &roles.blocks;
    let mut numbers = Numbers::default();
    let defaults = Config::defaults(ways.tls13);
    let mut outer: HashMap<BlockId, Config> = HashMap::new();
    for (block, _) in &roles.outers {
        outer.insert(*block, defaults.merged(blocks, *block));
    }
    let server = |(block, module): &(BlockId, Module)| {
        let around = blocks
            .block(*block)
            .parent
            .and_then(|parent| outer.get(&parent));
        let config = around.unwrap_or(&defaults).merged(blocks, *block);
        let named = domains::named(&config, *module, base);
        let server = Server {
            block: *block,
            module: *module,
            names: names(blocks, *block, *module, ways),
            listens: listens(blocks, *block, *module),
            ids: Ids::default(),
            config,
        };
        (server, named)
    };
    let parts = in_parts(roles.servers.len(), FEW, |range| {
        roles.servers[range].iter().map(server).collect::<Vec<_>>()
    });
    let mut servers = Vec::with_capacity(roles.servers.len());
    // In order: numbers are given by first appearance.
    for (server, named) in parts.into_iter().flatten() {
        servers.push(Server {
            ids: domains::ids(&named, &server.config, &mut numbers),
            ..server
        });
    }
    servers
}

/// For fewer servers, starting threads takes longer than they save.
const FEW: usize = 256;

/// What makes listens of several servers one socket.
type Key<'a> = (Module, Transport, &'a str);

/// The addresses that speak TLS, by first appearance.
pub(super) fn sockets(servers: &[Server]) -> Vec<Socket> {
    let mut order: Vec<Key<'_>> = Vec::new();
    let mut members: HashMap<Key<'_>, Vec<(usize, &Listen)>> = HashMap::new();
    for (index, server) in servers.iter().enumerate() {
        for listen in &server.listens {
            let key = (server.module, listen.transport, listen.address.as_str());
            let entry = members.entry(key).or_insert_with(|| {
                order.push(key);
                Vec::new()
            });
            // The same address twice in a server keeps nginx from starting.
            if entry.last().is_none_or(|(last, _)| *last != index) {
                entry.push((index, listen));
            }
        }
    }
    let sockets = order
        .iter()
        .filter_map(|key| socket(servers, *key, members.get(key)?));
    sockets.collect()
}

fn socket(
    servers: &[Server],
    (module, transport, address): Key<'_>,
    listens: &[(usize, &Listen)],
) -> Option<Socket> {
    let explicit = listens.iter().find(|(_, listen)| listen.default);
    let default = explicit.or(listens.first()).map(|(server, _)| *server)?;
    let config = &servers.get(default)?.config;
    // `listen ... ssl` of any server makes the address TLS; `ssl on` only that of the
    // default server, because nginx asks before it knows a name. A version without the
    // directive does not start at all; what was meant is judged then.
    let tls = listens.iter().any(|(_, listen)| listen.tls)
        || config.enabled.value
        || (module == Module::Mail && config.starttls.value);
    if !tls {
        return None;
    }
    let mut taken = HashSet::new();
    let mut members = Vec::with_capacity(listens.len());
    for (index, _) in listens {
        let all = &servers.get(*index)?.names;
        let free = all
            .iter()
            .filter(|name| taken.insert(name.to_ascii_lowercase()));
        let names: Vec<&String> = free.collect();
        // Most servers keep all of theirs.
        let names = match names.len() == all.len() {
            true => Arc::clone(all),
            false => names.into_iter().cloned().collect(),
        };
        let reachable = *index == default || !names.is_empty();
        members.push(Member {
            server: *index,
            names,
            reachable,
        });
    }
    members.sort_by_key(|member| member.server != default);
    Some(Socket {
        address: address.into(),
        transport,
        module,
        default,
        members,
    })
}

fn names(blocks: &Blocks, block: BlockId, module: Module, ways: Ways) -> Arc<[String]> {
    let by_name = match module {
        Module::Http => true,
        Module::Stream => ways.stream_names,
        // mail's server_name is only what the server calls itself.
        Module::Mail => false,
    };
    if !by_name {
        return Arc::new([]);
    }
    let settings = blocks
        .own(block, "server_name")
        .iter()
        .map(|id| blocks.setting(*id));
    let names = settings.flat_map(|setting| &setting.arguments);
    names.filter(|name| !name.is_empty()).cloned().collect()
}

fn listens(blocks: &Blocks, block: BlockId, module: Module) -> Vec<Listen> {
    let mut listens = Vec::new();
    for id in blocks.own(block, "listen") {
        let mut words = blocks.setting(*id).arguments.iter().map(String::as_bytes);
        let Some(Ok(listen)) = words.next().map(|address| nginx::listen(address, words)) else {
            continue;
        };
        let transport = if listen.quic {
            Transport::Quic
        } else {
            Transport::Tcp
        };
        if listen.udp && module == Module::Stream {
            continue;
        }
        for address in addresses(&listen) {
            listens.push(Listen {
                address,
                transport,
                tls: listen.ssl || listen.quic,
                default: listen.default_server,
                by: *id,
            });
        }
    }
    listens
}

/// The addresses of a `listen`, one for each port, as the contract writes them.
fn addresses(listen: &nginx::Listen<'_>) -> Vec<String> {
    let host = match &listen.host {
        Host::Unix(path) => return vec![format!("unix:{}", String::from_utf8_lossy(path))],
        Host::Any => "*".to_owned(),
        Host::V4(address) if address.is_unspecified() => "*".to_owned(),
        Host::V4(address) => address.to_string(),
        Host::V6(address) => format!("[{address}]"),
        Host::Name(name) => String::from_utf8_lossy(name).into_owned(),
    };
    let (first, last) = listen
        .ports
        .map_or((80, 80), |ports| (ports.first, ports.last));
    (first..=last)
        .map(|port| format!("{host}:{port}"))
        .collect()
}
