//! nginx: from the expanded directives to endpoints with their effective state.

mod blocks;
mod config;
mod deciders;
mod domains;
mod early_data;
mod pair;
mod reasons;
mod refusals;
mod settings;
mod sockets;
mod state;

use std::path::Path;
use std::sync::OnceLock;

use self::blocks::Roles;
use self::deciders::Deciders;
use self::domains::{Contexts, Party};
use self::pair::Pair;
use self::refusals::Texts;
use self::settings::{Judge, Judged};
use self::sockets::{Server, Socket, Ways};
use super::blocks::Blocks;
use super::domains::Domains;
use super::effects::Effects;
use super::{Endpoint, Lookups, Module, Platform, Site, Why, incomplete};
use crate::catalog::{self, Version, behaviours};
use crate::source::Project;

/// What is the same for every version, worked out once.
#[derive(Debug)]
pub(super) struct Groundwork<'a> {
    project: &'a Project,
    roles: Roles,
    texts: Texts,
    /// One for each of the [`Ways`]; most configurations need one.
    layouts: [OnceLock<Layout>; 4],
}

/// The servers with the addresses that they share.
#[derive(Debug)]
struct Layout {
    servers: Vec<Server>,
    sockets: Vec<Socket>,
    /// Some server does not say which protocols are on.
    by_default: bool,
}

impl<'a> Groundwork<'a> {
    pub(super) fn of(project: &'a Project) -> Self {
        let roles = Roles::of(project);
        let texts = Texts::of(project, &roles);
        Self {
            project,
            roles,
            texts,
            layouts: Default::default(),
        }
    }

    /// Evaluates the configuration for one version.
    pub(super) fn site(&self, platform: &Platform) -> Site {
        let project = self.project;
        let version = platform.server.value;
        let Layout {
            servers, sockets, ..
        } = self.layout(version);
        let refusals = refusals::refusals(
            project,
            &self.roles,
            &self.texts,
            (servers, sockets),
            version,
        );
        let blocks = &self.roles.blocks;
        let mut assembly = Assembly {
            blocks,
            servers,
            judge: Judge(Effects::new(blocks)),
            domains: Domains::default(),
            endpoints: Vec::new(),
            version,
            sni_patched: sni_patched(platform),
        };
        for socket in sockets {
            assembly.socket(socket);
        }
        let Assembly {
            endpoints, judge, ..
        } = assembly;
        let (mut blocks, mut settings) = (blocks.blocks.clone(), blocks.settings.clone());
        for (id, effect) in judge.0.into_found() {
            settings[id.0 as usize].effect = effect;
        }
        for server in servers {
            blocks[server.block.0 as usize].names = server.names.clone();
        }
        if endpoints.iter().any(|endpoint| endpoint.early_data) {
            early_data::mark(project, &mut blocks);
        }
        for endpoint in &endpoints {
            blocks[endpoint.block.0 as usize].tls = true;
        }
        Site {
            server: project.server,
            root: project.root.clone(),
            platform: platform.clone(),
            incomplete: incomplete(project),
            refusals,
            files: project.files.len(),
            endpoints,
            blocks,
            settings,
            facts: project.facts.clone(),
            lookups: Lookups::default(),
            remarks: Vec::new(),
            strangers: Vec::new(),
            awaited: project.awaited.clone(),
        }
    }

    /// Asks of the version only what matters to this configuration.
    fn layout(&self, version: Version) -> &Layout {
        let streams = self.roles.servers.iter();
        let streams = streams.filter(|(_, module)| *module == Module::Stream);
        let stream_names =
            streams.count() > 0 && behaviours::nginx::STREAM_VIRTUAL_SERVERS.holds(version);
        let layout = self.laid_out(Ways {
            tls13: true,
            stream_names,
        });
        if !layout.by_default || behaviours::nginx::TLS13_IN_DEFAULT_PROTOCOLS.holds(version) {
            return layout;
        }
        self.laid_out(Ways {
            tls13: false,
            stream_names,
        })
    }

    fn laid_out(&self, ways: Ways) -> &Layout {
        let index = usize::from(ways.tls13) * 2 + usize::from(ways.stream_names);
        self.layouts[index].get_or_init(|| {
            let base = self.project.root.parent().unwrap_or(Path::new(""));
            let servers = sockets::servers(&self.roles, ways, base);
            let mut unsaid = servers.iter().map(|server| &server.config.protocols.by);
            Layout {
                by_default: unsaid.any(Option::is_none),
                sockets: sockets::sockets(&servers),
                servers,
            }
        })
    }
}

/// A package took the fix over.
fn sni_patched(platform: &Platform) -> bool {
    let advisory = catalog::advisory("CVE-2025-23419");
    let package = platform.package.as_deref();
    let patched = advisory
        .zip(package)
        .and_then(|(row, name)| row.patched(name));
    patched == Some(true)
}

struct Assembly<'a> {
    blocks: &'a Blocks,
    servers: &'a [Server],
    judge: Judge<'a>,
    domains: Domains,
    endpoints: Vec<Endpoint>,
    version: Version,
    sni_patched: bool,
}

impl<'a> Assembly<'a> {
    fn pair(&self, socket: &Socket, server: &'a Server, deciders: &'a Deciders) -> Pair<'a> {
        let governor = &self.servers[socket.default];
        let own_context =
            governor.block == server.block || refusals::has_context(server, self.version);
        Pair {
            a: &governor.config,
            b: match own_context {
                true => &server.config,
                false => &governor.config,
            },
            a_ids: &governor.ids,
            b_ids: match own_context {
                true => &server.ids,
                false => &governor.ids,
            },
            deciders,
            same: governor.block == server.block,
            version: self.version,
            transport: socket.transport,
            sni_patched: self.sni_patched,
            own_context,
            demanded: &server.config.client_auth,
        }
    }

    fn socket(&mut self, socket: &Socket) {
        let governor = &self.servers[socket.default];
        let deciders = Deciders::new(socket.module, self.version);
        let members = socket.members.iter();
        let pairs: Vec<Pair<'_>> = members
            .map(|member| self.pair(socket, &self.servers[member.server], &deciders))
            .collect();
        let contexts = Contexts::of(pairs.iter().copied());
        for (member, pair) in socket.members.iter().zip(pairs) {
            let server = &self.servers[member.server];
            let state = state::state(pair);
            let index = self.endpoints.len();
            if member.reachable {
                let judged = Judged {
                    index,
                    pair,
                    state: &state,
                    governor,
                };
                self.judge.judge(judged);
            }
            let cross_name = domains::cross_name(&pair, &state, &contexts);
            let party = Party {
                pair,
                state: &state,
                governor: governor.block,
            };
            let (issues, accepts) = self.domains.name(domains::reach(party));
            let reasons = state.reasons.into_iter();
            let mut why: Vec<Why> = reasons
                .map(|reason| self.blocks.why(reason, server.block))
                .collect();
            why.sort_by_key(|why| why.field);
            self.endpoints.push(Endpoint {
                address: socket.address.clone(),
                transport: socket.transport,
                module: socket.module,
                names: member.names.clone(),
                default: member.server == socket.default,
                reachable: member.reachable,
                rejects: state.rejects,
                when: Vec::new(),
                defined_at: self.blocks.place(server.block),
                governed_by: self.blocks.place(governor.block),
                tls12: state.tls12,
                tls13: state.tls13,
                lifetime_seconds: state.lifetime,
                chain_bounded: state.chain_bounded,
                ticket_key: state.key,
                issues,
                accepts,
                cross_name,
                client_auth: state.client_auth,
                early_data: state.early_data,
                why,
                block: server.block,
                governor: governor.block,
            });
        }
    }
}
