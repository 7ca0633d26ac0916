//! nginx: from the expanded directives to endpoints with their effective state.

mod blocks;
mod config;
mod domains;
mod settings;
mod sockets;
mod state;

use self::blocks::Blocks;
use self::config::Config;
use self::domains::{Domains, Party};
use self::settings::{Effects, Judged};
use self::sockets::{Server, Socket};
use self::state::{Pair, Reason};
use super::{BlockId, Endpoint, Incomplete, Origin, Place, Platform, Site, Why};
use crate::source::Project;

/// Evaluates an nginx configuration for one version.
pub(super) fn build(project: &Project, platform: &Platform) -> Site {
    let version = platform.server.value;
    let mut blocks = Blocks::of(project);
    let servers = sockets::servers(&blocks, version);
    let sockets = sockets::sockets(&servers);
    let mut assembly = Assembly {
        project,
        blocks: &blocks,
        servers: &servers,
        effects: Effects::new(&blocks),
        domains: Domains::default(),
        endpoints: Vec::new(),
        version,
    };
    for socket in &sockets {
        assembly.socket(socket);
    }
    let Assembly {
        endpoints, effects, ..
    } = assembly;
    for (id, effect) in effects.into_found() {
        blocks.settings[id.0 as usize].effect = effect;
    }
    for server in &servers {
        blocks.blocks[server.block.0 as usize].names = server.names.clone();
    }
    for endpoint in &endpoints {
        blocks.blocks[endpoint.block.0 as usize].tls = true;
    }
    Site {
        server: project.server,
        root: project.root.clone(),
        platform: platform.clone(),
        incomplete: project.problems.iter().map(incomplete).collect(),
        files: project.files.len(),
        endpoints,
        blocks: blocks.blocks,
        settings: blocks.settings,
    }
}

fn incomplete(problem: &crate::source::Problem) -> Incomplete {
    Incomplete {
        path: problem.path.clone(),
        line: problem.line,
        why: problem.message.clone(),
    }
}

struct Assembly<'a> {
    project: &'a Project,
    blocks: &'a Blocks,
    servers: &'a [Server],
    effects: Effects<'a>,
    domains: Domains,
    endpoints: Vec<Endpoint>,
    version: crate::catalog::Version,
}

impl<'a> Assembly<'a> {
    fn socket(&mut self, socket: &Socket) {
        let governor = &self.servers[socket.default];
        for member in &socket.members {
            let server = &self.servers[member.server];
            let pair = Pair {
                a: &governor.config,
                b: &server.config,
                same: governor.block == server.block,
                version: self.version,
                module: socket.module,
                transport: socket.transport,
            };
            let state = state::state(pair);
            let index = self.endpoints.len();
            if member.reachable {
                let judged = Judged {
                    index,
                    pair,
                    state: &state,
                    governor,
                };
                self.effects.judge(judged);
            }
            let others = self.others(socket, member.server);
            let cross_name = domains::cross_name(&pair, &state, &others);
            let party = Party {
                pair,
                state: &state,
                governor: governor.block,
            };
            let reach = self.domains.reach(party);
            let mut why: Vec<Why> = state
                .reasons
                .iter()
                .map(|reason| self.why(reason, server.block))
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
                defined_at: self.place(server.block),
                governed_by: self.place(governor.block),
                tls12: state.tls12,
                tls13: state.tls13,
                lifetime_seconds: state.lifetime,
                chain_bounded: state.chain_bounded,
                ticket_key: state.key,
                issues: reach.issues,
                accepts: reach.accepts,
                cross_name,
                client_auth: state.client_auth,
                early_data: state.early_data,
                why,
                block: server.block,
                governor: governor.block,
            });
        }
    }

    /// The other servers of the socket.
    fn others(&self, socket: &Socket, server: usize) -> Vec<&'a Config> {
        let others = socket
            .members
            .iter()
            .filter(|member| member.server != server);
        others
            .map(|member| &self.servers[member.server].config)
            .collect()
    }

    fn why(&self, reason: &Reason, block: BlockId) -> Why {
        let setting = reason.by.map(|id| self.blocks.setting(id));
        let written = match setting {
            None => Origin::Default,
            Some(setting) if setting.block == block => Origin::Set,
            Some(_) => Origin::Inherited,
        };
        let origin = match (reason.origin, written) {
            (Some(Origin::ConfCommand), _) => Origin::ConfCommand,
            (Some(origin), Origin::Set | Origin::Inherited) => origin,
            (Some(_), _) => Origin::DefaultServer,
            (None, written) => written,
        };
        Why {
            field: reason.field,
            setting: reason.setting,
            value: reason.value.clone(),
            origin,
            at: setting.map(|setting| setting.location.clone()),
            by: reason.by,
        }
    }

    fn place(&self, block: BlockId) -> Place {
        let block = self.blocks.block(block);
        let via = block
            .directive
            .map(|id| self.project.via(id))
            .unwrap_or_default();
        let via = via
            .iter()
            .map(|step| format!("{}:{}", step.path.display(), step.line));
        Place {
            path: block.location.path.to_path_buf(),
            line: block.location.line,
            via: via.collect(),
        }
    }
}
