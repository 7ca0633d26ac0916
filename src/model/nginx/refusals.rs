//! What keeps nginx of a version from starting although every line of the text is well
//! formed: what only several blocks together, or the version, can tell.
//!
//! Files are not asked: a key that is missing here may be there on the server. It must not
//! repeat what reading the text already said.

use std::collections::{HashMap, HashSet};

use super::blocks::Roles;
use super::config::Config;
use super::sockets::{Listen, Server, Socket};
use crate::catalog::{self, Version, behaviours, in_parts};
use crate::model::blocks::Blocks;
use crate::model::{BlockId, BlockKind, ClientAuth, Module, Refusal, SettingId, Transport};
use crate::source::{DirectiveId, Project};
use crate::syntax::value::{nginx, openssl};
use crate::text::Location;

/// What the texts say and no version changes.
#[derive(Debug)]
pub(super) struct Texts {
    /// Every row of the directives in use.
    rows: Vec<&'static catalog::Directive>,
    /// What is wrong with zones.
    zones: Vec<Refusal>,
}

impl Texts {
    pub(super) fn of(project: &Project, roles: &Roles) -> Self {
        // A place for each row of the catalog: all directives are looked at.
        let mut used = vec![None; catalog::all(catalog::Server::Nginx).len()];
        for row in project.directives.iter().filter_map(|it| it.spec) {
            used[usize::from(row.id)] = Some(row);
        }
        let rows = used.into_iter().flatten().collect();
        Self {
            rows,
            zones: zones(&roles.blocks),
        }
    }
}

/// Everything of this kind, in the order in which nginx comes upon it.
pub(super) fn refusals(
    project: &Project,
    roles: &Roles,
    texts: &Texts,
    (servers, shared): (&[Server], &Shared),
    version: Version,
) -> Vec<Refusal> {
    let blocks = &roles.blocks;
    let mut found = Found::new(blocks);
    // Most configurations use nothing that a version lacks, and few different directives.
    let missing = texts.rows.iter().filter(|row| !row.exists(version));
    if missing.count() > 0 {
        found.directives(project, version);
    }
    found.list.extend(texts.zones.iter().cloned());
    found.list.extend(shared.addresses.iter().cloned());
    let contexts = in_parts(servers.len(), FEW, |range| {
        let mut found = Found::new(blocks);
        let servers = servers[range].iter();
        servers.for_each(|server| found.context(server, version));
        found.list
    });
    found.list.extend(contexts.into_iter().flatten());
    found.list.extend(shared.certificates.iter().cloned());
    found.events(project, roles);
    found.list
}

/// For fewer servers, starting threads takes longer than they save.
const FEW: usize = 256;

/// What is wrong with the addresses that servers share, in every version that has them share the
/// same ones.
#[derive(Debug)]
pub(super) struct Shared {
    addresses: Vec<Refusal>,
    certificates: Vec<Refusal>,
}

impl Shared {
    /// `stream_names`: servers of `stream` share addresses.
    pub(super) fn of(
        blocks: &Blocks,
        (servers, sockets): (&[Server], &[Socket]),
        stream_names: bool,
    ) -> Self {
        let mut addresses = Found::new(blocks);
        let mut defaults = HashMap::new();
        for server in servers {
            let alone = !shares(server.module, || stream_names);
            addresses.addresses(server, alone, &mut defaults);
        }
        let mut certificates = Found::new(blocks);
        certificates.certificates(servers, sockets);
        Self {
            addresses: addresses.list,
            certificates: certificates.list,
        }
    }
}

struct Found<'a> {
    blocks: &'a Blocks,
    list: Vec<Refusal>,
}

impl<'a> Found<'a> {
    const fn new(blocks: &'a Blocks) -> Self {
        Self {
            blocks,
            list: Vec::new(),
        }
    }

    fn say(&mut self, at: Location, message: String) {
        self.list.push(Refusal { at, message });
    }

    fn at_setting(&mut self, id: SettingId, message: String) {
        let at = self.blocks.setting(id).location.clone();
        self.say(at, message);
    }

    fn at_block(&mut self, id: BlockId, message: String) {
        let at = self.blocks.block(id).head.clone();
        self.say(at, message);
    }

    /// Directives that this version does not have, or not here.
    fn directives(&mut self, project: &Project, version: Version) {
        for index in 0..project.directives.len() {
            let id = DirectiveId(index as u32);
            let Some(spec) = project.directive(id).spec else {
                continue;
            };
            if spec.exists(version) {
                continue;
            }
            let name = spec.name;
            let rows = catalog::nginx(name.as_bytes()).iter();
            let elsewhere = rows.filter(|row| row.exists(version)).count() > 0;
            let message = match elsewhere {
                true => format!("\"{name}\" directive is not allowed here"),
                false => format!("unknown directive \"{name}\""),
            };
            self.say(project.location(id), message);
        }
    }

    /// An address twice in a server, or with two defaults.
    fn addresses<'s>(
        &mut self,
        server: &'s Server,
        alone: bool,
        defaults: &mut HashMap<Key<'s>, Known>,
    ) {
        for listen in &server.listens {
            let key: Key<'_> = (server.module, listen.transport, &listen.address);
            let shown = || listen.address.replace('*', "0.0.0.0");
            if alone && listen.default {
                self.at_setting(listen.by, "invalid parameter \"default_server\"".to_owned());
                continue;
            }
            let known = defaults.entry(key).or_default();
            if alone && known.listened {
                let message = format!("duplicate \"{}\" address and port pair", shown());
                self.at_setting(listen.by, message);
                continue;
            }
            if known.last.replace(server.block) == Some(server.block) {
                self.at_setting(listen.by, format!("a duplicate listen {}", shown()));
                continue;
            }
            if listen.default && known.default {
                let message = format!("a duplicate default server for {}", shown());
                self.at_setting(listen.by, message);
            }
            known.listened = true;
            known.default |= listen.default;
        }
    }

    /// What is asked once a server has a context of its own.
    fn context(&mut self, server: &Server, version: Version) {
        let config = &server.config;
        if !has_context(server, version) {
            return;
        }
        if config.certificates.len() > config.certificate_keys {
            let last = config.certificates.last().map_or("", |file| &*file.text);
            let message =
                format!("no \"ssl_certificate_key\" is defined for certificate \"{last}\"");
            self.at_block(server.block, message);
        }
        self.clients(server.block, config, version);
        for command in &config.commands {
            let (name, value) = &command.value;
            if is_command(name, value) {
                continue;
            }
            let message = format!("SSL_CONF_cmd(\"{name}\", \"{value}\") failed");
            match command.by {
                Some(id) => self.at_setting(id, message),
                None => self.at_block(server.block, message),
            }
        }
    }

    /// Verifying needs somebody to trust.
    fn clients(&mut self, block: BlockId, config: &Config, version: Version) {
        let verify = &config.client_auth;
        if verify.value == ClientAuth::Off || verify.text.eq_ignore_ascii_case("optional_no_ca") {
            return;
        }
        let either = behaviours::nginx::CLIENT_CERTIFICATE_OPTIONAL.holds(version);
        let trusts = config.client_ca.is_some() || (either && config.trusted);
        if trusts {
            return;
        }
        let message = match either {
            true => "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client",
            false => "no ssl_client_certificate for ssl_verify_client",
        };
        self.at_block(block, message.to_owned());
    }

    /// The default server of a TLS address has a certificate, or rejects and leaves it to the
    /// others.
    fn certificates(&mut self, servers: &[Server], sockets: &[Socket]) {
        let listens = servers.iter().flat_map(|server| &server.listens);
        let tls: HashSet<&str> = listens
            .filter(|listen| listen.tls)
            .map(|listen| listen.address.as_str())
            .collect();
        for socket in sockets {
            // `ssl on` has checks of its own, in versions that are long gone.
            if !tls.contains(&*socket.address) {
                continue;
            }
            let default = &servers[socket.default].config;
            if !default.certificates.is_empty() {
                continue;
            }
            let mut members = socket.members.iter().map(|member| &servers[member.server]);
            let without = |server: &&Server| {
                server.config.certificates.is_empty() && !server.config.reject.value
            };
            let Some(server) = members.find(without) else {
                continue;
            };
            let listen = server.listens.iter().find(|listen| listen.tls);
            let place = match listen.filter(|_| socket.module == Module::Mail) {
                Some(listen) => self.blocks.setting(listen.by).location.clone(),
                None => self.blocks.block(server.block).head.clone(),
            };
            let message = format!(
                "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in {}:{}",
                place.path.display(),
                place.line
            );
            self.say(place, message);
        }
    }

    /// A main file without `events`.
    fn events(&mut self, project: &Project, roles: &Roles) {
        let top = project.children(None);
        let main = roles.outers.iter().all(|(block, _)| {
            let block = self.blocks.block(*block);
            block.directive.is_some() && block.parent.is_none()
        });
        let events = top.into_iter().any(|id| project.name(id) == b"events");
        if events || !main || roles.outers.is_empty() {
            return;
        }
        let at = self.blocks.block(BlockId(0)).location.clone();
        self.say(at, "no \"events\" section in configuration".to_owned());
    }
}

/// One name, two sizes, or two modules.
fn zones(blocks: &Blocks) -> Vec<Refusal> {
    let mut known: HashMap<&[u8], (u64, BlockKind)> = HashMap::new();
    let mut found = Vec::new();
    for id in blocks.named("ssl_session_cache") {
        let setting = blocks.setting(*id);
        let module = blocks.outermost(setting.block);
        for word in &setting.arguments {
            let Ok(nginx::SessionCache::Shared { name, size }) =
                nginx::session_cache(word.as_bytes())
            else {
                continue;
            };
            let (first, used) = *known.entry(name).or_insert((size, module));
            let name = String::from_utf8_lossy(name);
            let message = match (first == size, used == module) {
                (false, _) => format!(
                    "the size {size} of shared memory zone \"{name}\" conflicts with already \
                     declared size {first}"
                ),
                (true, false) => {
                    format!(
                        "the shared memory zone \"{name}\" is already declared for a different use"
                    )
                }
                (true, true) => continue,
            };
            let at = setting.location.clone();
            found.push(Refusal { at, message });
        }
    }
    found
}

type Key<'a> = (Module, Transport, &'a str);

/// What is known of an address.
#[derive(Debug, Default)]
struct Known {
    /// The server that listened at it last.
    last: Option<BlockId>,
    listened: bool,
    default: bool,
}

/// Servers of the module share addresses; asks only where it matters whether those of `stream` do.
fn shares(module: Module, stream_names: impl FnOnce() -> bool) -> bool {
    match module {
        Module::Http => true,
        Module::Stream => stream_names(),
        Module::Mail => false,
    }
}

/// The same in a version.
fn by_name(module: Module, version: Version) -> bool {
    shares(module, || {
        behaviours::nginx::STREAM_VIRTUAL_SERVERS.holds(version)
    })
}

/// Whether nginx makes an SSL_CTX for a server, and so looks at what it would hold.
pub(super) fn has_context(server: &Server, version: Version) -> bool {
    let config = &server.config;
    if !by_name(server.module, version) {
        let tls = |listen: &Listen| listen.tls;
        return server.listens.iter().any(tls) && !config.certificates.is_empty();
    }
    !config.certificates.is_empty() || config.reject.value
}

/// Whether OpenSSL takes a command, as far as its words tell; files are not asked.
fn is_command(name: &str, value: &str) -> bool {
    let Some(command) = catalog::command(name.as_bytes()) else {
        return false;
    };
    let is_word = |word: &[u8]| {
        let mut known = command.values.iter();
        known.any(|known| known.as_bytes().eq_ignore_ascii_case(word))
    };
    match command.name {
        "NumTickets" => openssl::num_tickets(value.as_bytes()).is_ok(),
        // The names of versions are compared with their case.
        "MinProtocol" | "MaxProtocol" => command.values.contains(&value),
        "Options" | "Protocol" => openssl::options(value.as_bytes())
            .is_ok_and(|words| words.iter().all(|word| is_word(word.name))),
        _ => true,
    }
}
