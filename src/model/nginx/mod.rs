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
use std::sync::{Arc, OnceLock};

use self::blocks::Roles;
use self::deciders::Deciders;
use self::domains::{Contexts, Party};
use self::pair::Pair;
use self::refusals::Texts;
use self::settings::{Judge, Judged};
use self::sockets::{Member, Server, Socket, Ways};
use super::blocks::Blocks;
use super::domains::{Domains, Reach};
use super::effects::Effects;
use super::{
    Block, BlockId, ByName, Effect, Endpoint, Issues, KeySource, Lookups, Module, Platform,
    Refusal, Setting, Site, Why, incomplete,
};
use crate::catalog::{self, Version, behaviours, in_parts};
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
        let ground = Self {
            project,
            roles,
            texts,
            layouts: Default::default(),
        };
        // What the newest versions ask for, before several versions ask at once.
        ground.laid_out(Ways {
            tls13: true,
            stream_names: ground.streams(),
        });
        ground
    }

    /// Evaluates the configuration for one version; blocks and settings go with the site.
    pub(super) fn lent(&mut self, platform: &Platform) -> Site {
        let evaluated = self.evaluated(platform);
        let written = self.roles.blocks.lent();
        evaluated.site(self.project, platform, written)
    }

    /// What a site had, for another version.
    pub(super) fn take_back(&mut self, blocks: Vec<Block>, settings: Vec<Setting>) {
        self.roles.blocks.take_back(blocks, settings);
    }

    fn evaluated(&self, platform: &Platform) -> Evaluated {
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
        let assembly = Assembly {
            blocks: &self.roles.blocks,
            servers,
            sockets,
            deciders: Deciders::of(sockets, version),
            version,
            sni_patched: sni_patched(platform),
        };
        let (endpoints, judge) = assembly.endpoints();
        let names = servers.iter();
        Evaluated {
            endpoints,
            found: judge.0.into_found(),
            names: names
                .map(|server| (server.block, Arc::clone(&server.names)))
                .collect(),
            refusals,
        }
    }

    /// Asks of the version only what matters to this configuration.
    fn layout(&self, version: Version) -> &Layout {
        let stream_names =
            self.streams() && behaviours::nginx::STREAM_VIRTUAL_SERVERS.holds(version);
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

    fn streams(&self) -> bool {
        let mut modules = self.roles.servers.iter().map(|(_, module)| *module);
        modules.any(|module| module == Module::Stream)
    }

    fn laid_out(&self, ways: Ways) -> &Layout {
        let index = usize::from(ways.tls13) * 2 + usize::from(ways.stream_names);
        if let Some(layout) = self.layouts[index].get() {
            return layout;
        }
        // Not while the place is held: a thread that waits for parts of it takes up other
        // work, which may ask for the same.
        let layout = Layout::of(self.project, &self.roles, ways);
        self.layouts[index].get_or_init(|| layout)
    }
}

impl Layout {
    fn of(project: &Project, roles: &Roles, ways: Ways) -> Self {
        let base = project.root.parent().unwrap_or(Path::new(""));
        let servers = sockets::servers(roles, ways, base);
        let mut unsaid = servers.iter().map(|server| &server.config.protocols.by);
        Self {
            by_default: unsaid.any(Option::is_none),
            sockets: sockets::sockets(&servers),
            servers,
        }
    }
}

/// What a version makes of the configuration, apart from what is written.
struct Evaluated {
    endpoints: Vec<Endpoint>,
    /// What became of settings.
    found: Vec<Option<Effect>>,
    names: Vec<(BlockId, Arc<[String]>)>,
    refusals: Vec<Refusal>,
}

impl Evaluated {
    fn site(
        self,
        project: &Project,
        platform: &Platform,
        (mut blocks, mut settings, by_name): (Vec<Block>, Vec<Setting>, Arc<ByName>),
    ) -> Site {
        for (setting, effect) in settings.iter_mut().zip(self.found) {
            setting.effect = effect.unwrap_or(Effect::Unused);
        }
        for (block, names) in self.names {
            blocks[block.0 as usize].names = names;
        }
        let endpoints = self.endpoints;
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
            refusals: self.refusals,
            files: project.files.len(),
            endpoints,
            blocks,
            settings,
            by_name,
            facts: project.facts.clone(),
            lookups: Lookups::default(),
            remarks: Vec::new(),
            strangers: Vec::new(),
            awaited: project.awaited.clone(),
        }
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
    sockets: &'a [Socket],
    /// Of each module that has a socket.
    deciders: Vec<(Module, Deciders)>,
    version: Version,
    sni_patched: bool,
}

/// A place on a socket: the indices of the socket and of its member.
type Seat = (usize, usize);

/// An endpoint before it was compared with all others.
struct Draft {
    /// Without session domains.
    endpoint: Endpoint,
    reach: Reach,
    /// Tickets are issued.
    issues: bool,
}

/// So many endpoints are drafted at once: enough for all processors.
const AT_ONCE: usize = 4096;
/// For fewer endpoints, starting threads takes longer than they save.
const FEW: usize = 256;

impl<'a> Assembly<'a> {
    /// Every endpoint, and what became of the settings. What one endpoint is by itself is
    /// worked out on all processors, then the endpoints are gone through in order.
    fn endpoints(&self) -> (Vec<Endpoint>, Judge<'a>) {
        let numbered = self.sockets.iter().enumerate();
        let seats: Vec<Seat> = numbered
            .flat_map(|(at, socket)| (0..socket.members.len()).map(move |member| (at, member)))
            .collect();
        let contexts = self.sockets.iter().map(|socket| {
            let members = socket.members.iter();
            Contexts::of(members.map(|member| self.pair(socket, member)))
        });
        let contexts: Vec<Contexts> = contexts.collect();
        let mut judge = Judge(Effects::new(self.blocks));
        let mut domains = Domains::default();
        let mut endpoints = Vec::with_capacity(seats.len());
        for seats in seats.chunks(AT_ONCE) {
            let drafts = in_parts(seats.len(), FEW, |range| {
                let drafts = seats[range].iter().map(|seat| self.draft(*seat, &contexts));
                drafts.collect::<Vec<_>>()
            });
            for ((at, member), draft) in seats.iter().zip(drafts.into_iter().flatten()) {
                let socket = &self.sockets[*at];
                let member = &socket.members[*member];
                if member.reachable {
                    judge.judge(Judged {
                        index: endpoints.len(),
                        pair: self.pair(socket, member),
                        issues: draft.issues,
                        governor: &self.servers[socket.default],
                    });
                }
                let (issues, accepts) = domains.name(draft.reach);
                endpoints.push(Endpoint {
                    issues,
                    accepts,
                    ..draft.endpoint
                });
            }
        }
        (endpoints, judge)
    }

    fn pair(&self, socket: &Socket, member: &Member) -> Pair<'_> {
        let governor = &self.servers[socket.default];
        let server = &self.servers[member.server];
        let own_context =
            governor.block == server.block || refusals::has_context(server, self.version);
        let of_module = |(module, _): &&(Module, Deciders)| *module == socket.module;
        let deciders = self.deciders.iter().find(of_module);
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
            deciders: deciders.map_or(&Deciders::NONE, |(_, deciders)| deciders),
            same: governor.block == server.block,
            version: self.version,
            transport: socket.transport,
            sni_patched: self.sni_patched,
            own_context,
            demanded: &server.config.client_auth,
        }
    }

    fn draft(&self, (at, member): Seat, contexts: &[Contexts]) -> Draft {
        let socket = &self.sockets[at];
        let member = &socket.members[member];
        let governor = &self.servers[socket.default];
        let server = &self.servers[member.server];
        let pair = self.pair(socket, member);
        let state = state::state(pair);
        let cross_name = domains::cross_name(&pair, &state, &contexts[at]);
        let party = Party {
            pair,
            state: &state,
            governor: governor.block,
        };
        let reach = domains::reach(party);
        let issues = state.key.source != KeySource::None;
        let reasons = state.reasons.into_iter();
        let mut why: Vec<Why> = reasons
            .map(|reason| self.blocks.why(reason, server.block))
            .collect();
        why.sort_by_key(|why| why.field);
        let endpoint = Endpoint {
            address: Arc::clone(&socket.address),
            transport: socket.transport,
            module: socket.module,
            names: Arc::clone(&member.names),
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
            issues: Issues::default(),
            accepts: Vec::new(),
            cross_name,
            client_auth: state.client_auth,
            early_data: state.early_data,
            why,
            block: server.block,
            governor: governor.block,
        };
        Draft {
            endpoint,
            reach,
            issues,
        }
    }
}
