//! httpd: from the expanded directives to endpoints with their effective state, under every
//! answer to conditions that the files leave open.

mod alternatives;
mod blocks;
mod config;
mod settings;
mod sockets;
mod state;

use std::collections::HashMap;

use self::alternatives::Alternatives;
use self::blocks::{Roles, View};
use self::config::CacheLine;
use self::settings::Judged;
use self::sockets::{Socket, Vhost};
use self::state::{Keys, Pair};
use super::domains::{Domains, Reach};
use super::effects::Effects;
use super::state::State;
use super::{
    CrossName, Endpoint, Module, Platform, Site, Tls12Ticket, Tls13Issued, Transport, incomplete,
};
use crate::source::Project;

/// Evaluates an httpd configuration for one version.
pub(super) fn build(project: &Project, platform: &Platform) -> Site {
    let mut roles = Roles::of(project);
    let alternatives = Alternatives::of(project, platform.server.value);
    let mut assembly = Assembly {
        project,
        platform,
        roles: &roles,
        effects: Effects::new(&roles.blocks),
        domains: Domains::default(),
        endpoints: Vec::new(),
        known: HashMap::new(),
    };
    for (index, answers) in alternatives.answers().iter().enumerate() {
        let view = View {
            project,
            roles: &roles,
            answers,
        };
        assembly.alternative(index, view);
    }
    let Assembly {
        endpoints, effects, ..
    } = assembly;
    let endpoints: Vec<Endpoint> = endpoints
        .into_iter()
        .map(|(endpoint, found)| Endpoint {
            when: alternatives.when(&found),
            ..endpoint
        })
        .collect();
    let found = effects.into_found();
    for (id, effect) in found {
        roles.blocks.settings[id.0 as usize].effect = effect;
    }
    for setting in &mut roles.blocks.settings {
        let when = project.directive(setting.directive).when;
        (setting.when, setting.excluded) = alternatives.settled(project, when);
    }
    for endpoint in &endpoints {
        let block = &mut roles.blocks.blocks[endpoint.block.0 as usize];
        block.tls = true;
        block.names.clone_from(&endpoint.names);
    }
    Site {
        server: project.server,
        root: project.root.clone(),
        platform: platform.clone(),
        incomplete: incomplete(project),
        refusals: Vec::new(),
        files: project.files.len(),
        endpoints,
        blocks: roles.blocks.blocks,
        settings: roles.blocks.settings,
    }
}

struct Assembly<'a> {
    project: &'a Project,
    platform: &'a Platform,
    roles: &'a Roles,
    effects: Effects<'a>,
    domains: Domains,
    /// Endpoints with the alternatives in which they come out the same.
    endpoints: Vec<(Endpoint, Vec<usize>)>,
    known: HashMap<String, usize>,
}

impl Assembly<'_> {
    fn alternative(&mut self, index: usize, view: View<'_>) {
        let cache = config::cache(&view);
        let vhosts = sockets::vhosts(&view);
        let sockets = sockets::sockets(&view, &vhosts);
        for socket in &sockets {
            self.socket(index, socket, &vhosts, &cache);
        }
        if !self.endpoints.is_empty() {
            settings::judge_cache(&mut self.effects, &view, &cache, self.endpoints.len());
        }
    }

    fn socket(&mut self, alternative: usize, socket: &Socket, vhosts: &[Vhost], cache: &CacheLine) {
        let Some(first) = socket.members.first() else {
            return;
        };
        let governor = &vhosts[first.vhost];
        let mut contexts: HashMap<String, usize> = HashMap::new();
        for member in &socket.members {
            let context = context(&vhosts[member.vhost], vhosts, socket.port);
            *contexts.entry(context).or_default() += 1;
        }
        for member in &socket.members {
            let vhost = &vhosts[member.vhost];
            let pair = Pair {
                a: &governor.config,
                b: &vhost.config,
                same: governor.block == vhost.block,
                cache: &cache.value,
                version: self.platform.server.value,
            };
            let state = state::state(pair);
            let context = context(vhost, vhosts, socket.port);
            let crosses = contexts.get(&context).is_some_and(|count| *count > 1);
            let reach = reach(&pair, &state, governor, &context);
            let (issues, accepts) = self.domains.name(&reach);
            let blocks = &self.roles.blocks;
            let mut why: Vec<_> = state
                .reasons
                .iter()
                .map(|reason| blocks.why(reason, vhost.block))
                .collect();
            why.sort_by_key(|why| why.field);
            let endpoint = Endpoint {
                address: socket.address.clone(),
                transport: Transport::Tcp,
                module: Module::Http,
                names: member.names.clone(),
                default: member.vhost == first.vhost && socket.listened,
                reachable: member.reachable,
                rejects: false,
                when: Vec::new(),
                defined_at: blocks.place(self.project, vhost.block),
                governed_by: blocks.place(self.project, governor.block),
                tls12: state.tls12,
                tls13: state.tls13,
                lifetime_seconds: state.lifetime,
                chain_bounded: state.chain_bounded,
                ticket_key: state.key.clone(),
                issues,
                accepts,
                cross_name: if crosses {
                    CrossName::Served
                } else {
                    CrossName::SameNameOnly
                },
                client_auth: state.client_auth,
                early_data: state.early_data,
                why,
                block: vhost.block,
                governor: governor.block,
            };
            let index = self.keep(alternative, endpoint);
            if member.reachable {
                let judged = Judged {
                    index,
                    pair,
                    state: &state,
                    governor: governor.block,
                };
                settings::judge(&mut self.effects, judged);
            }
        }
    }

    /// Keeps an endpoint, or notes the alternative at one that came out the same before.
    fn keep(&mut self, alternative: usize, endpoint: Endpoint) -> usize {
        let key = format!("{endpoint:?}");
        if let Some(index) = self.known.get(&key) {
            self.endpoints[*index].1.push(alternative);
            return *index;
        }
        let index = self.endpoints.len();
        self.known.insert(key, index);
        self.endpoints.push((endpoint, vec![alternative]));
        index
    }
}

/// The session id context: ServerName:port. A vhost without a name has the server's.
fn context(vhost: &Vhost, vhosts: &[Vhost], port: u16) -> String {
    let main = vhosts.first().and_then(|main| main.config.name.as_deref());
    let name = vhost.config.name.as_deref().or(main).unwrap_or_default();
    let port = vhost.config.port.unwrap_or(port);
    format!("{}:{port}", name.to_ascii_lowercase())
}

fn reach(pair: &Pair<'_>, state: &State, governor: &Vhost, context: &str) -> Reach {
    let resumes13 = state.tls13.resumes.ever();
    let key = match pair.keys() {
        Keys::File(file) => format!("file {} {context}", file.value),
        Keys::Random | Keys::Broken => format!("start {} {context}", governor.block.0),
    };
    let stateless13 = state.tls13.issued == Tls13Issued::Stateless && resumes13;
    Reach {
        keys: vec![key],
        store: format!("store {context}"),
        own_store: None,
        id12: state.tls12.session_id.kept_here(),
        ticket12: state.tls12.ticket == Tls12Ticket::Resumes,
        stateless13,
        stateful13: state.tls13.issued == Tls13Issued::Stateful && resumes13,
        opens_tickets: stateless13,
        opens_ids: false,
        opens_stateful: false,
    }
}
