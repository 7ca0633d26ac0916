//! nginx: from the expanded directives to endpoints with their effective state.

mod blocks;
mod config;
mod domains;
mod early_data;
mod refusals;
mod settings;
mod sockets;
mod state;

use std::path::Path;

use self::blocks::Roles;
use self::domains::{Contexts, Party};
use self::settings::{Judge, Judged};
use self::sockets::{Server, Socket};
use self::state::Pair;
use super::blocks::Blocks;
use super::domains::Domains;
use super::effects::Effects;
use super::{Endpoint, Platform, Site, Why, incomplete};
use crate::catalog::{self, Version, behaviours};
use crate::source::Project;

/// Evaluates an nginx configuration for one version.
pub(super) fn build(project: &Project, platform: &Platform) -> Site {
    let version = platform.server.value;
    let mut roles = Roles::of(project);
    let servers = sockets::servers(&roles, version);
    let refusals = refusals::refusals(project, &roles, &servers, version);
    let blocks = &mut roles.blocks;
    let sockets = sockets::sockets(&servers);
    let mut assembly = Assembly {
        project,
        blocks,
        servers: &servers,
        judge: Judge(Effects::new(blocks)),
        domains: Domains::default(),
        endpoints: Vec::new(),
        version,
        sni_checked: sni_checked(platform),
    };
    for socket in &sockets {
        assembly.socket(socket);
    }
    let Assembly {
        endpoints, judge, ..
    } = assembly;
    for (id, effect) in judge.0.into_found() {
        blocks.settings[id.0 as usize].effect = effect;
    }
    for server in &servers {
        blocks.blocks[server.block.0 as usize].names = server.names.clone();
    }
    if endpoints.iter().any(|endpoint| endpoint.early_data) {
        early_data::mark(project, blocks);
    }
    for endpoint in &endpoints {
        blocks.blocks[endpoint.block.0 as usize].tls = true;
    }
    Site {
        server: project.server,
        root: project.root.clone(),
        platform: platform.clone(),
        incomplete: incomplete(project),
        refusals,
        files: project.files.len(),
        endpoints,
        blocks: roles.blocks.blocks,
        settings: roles.blocks.settings,
        facts: project.facts.clone(),
        remarks: Vec::new(),
        awaited: project.awaited.clone(),
    }
}

/// By the upstream version, or by a package that took the fix over.
fn sni_checked(platform: &Platform) -> bool {
    let advisory = catalog::advisory("CVE-2025-23419");
    let package = platform.package.as_deref();
    let patched = advisory
        .zip(package)
        .and_then(|(row, name)| row.patched(name));
    behaviours::nginx::SNI_SESSION_CHECK.holds(platform.server.value) || patched == Some(true)
}

struct Assembly<'a> {
    project: &'a Project,
    blocks: &'a Blocks,
    servers: &'a [Server],
    judge: Judge<'a>,
    domains: Domains,
    endpoints: Vec<Endpoint>,
    version: Version,
    sni_checked: bool,
}

impl<'a> Assembly<'a> {
    fn pair(&self, socket: &Socket, server: &'a Server) -> Pair<'a> {
        let governor = &self.servers[socket.default];
        let own_context =
            governor.block == server.block || refusals::has_context(server, self.version);
        Pair {
            a: &governor.config,
            b: match own_context {
                true => &server.config,
                false => &governor.config,
            },
            same: governor.block == server.block,
            version: self.version,
            module: socket.module,
            transport: socket.transport,
            sni_checked: self.sni_checked,
            own_context,
            demanded: &server.config.client_auth,
            base: self.project.root.parent().unwrap_or(Path::new("")),
        }
    }

    fn socket(&mut self, socket: &Socket) {
        let governor = &self.servers[socket.default];
        let members = socket.members.iter();
        let pairs = members.map(|member| self.pair(socket, &self.servers[member.server]));
        let contexts = Contexts::of(pairs);
        for member in &socket.members {
            let server = &self.servers[member.server];
            let pair = self.pair(socket, server);
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
            let (issues, accepts) = self.domains.name(&domains::reach(party));
            let mut why: Vec<Why> = state
                .reasons
                .iter()
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
                defined_at: self.blocks.place(self.project, server.block),
                governed_by: self.blocks.place(self.project, governor.block),
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
