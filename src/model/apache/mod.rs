//! httpd: from the expanded directives to endpoints with their effective state, under every
//! answer to conditions that the files leave open.

mod alternatives;
mod blocks;
mod config;
mod names;
mod protocols;
mod settings;
mod sockets;
mod state;
mod unresolved;

use std::collections::HashMap;
use std::sync::Arc;

use self::alternatives::Alternatives;
use self::blocks::{Roles, View};
use self::config::{Cache, CacheLine};
use self::settings::Judged;
use self::sockets::{Socket, Vhost};
use self::state::{Keys, Pair};
use super::blocks::Blocks;
use super::domains::{Domain, Domains, Keeper, Numbers, Reach};
use super::effects::Effects;
use super::state::State;
use super::{
    Block, Condition, CrossName, Effect, Endpoint, Lookups, Module, Platform, Setting, Site,
    Tls12Id, Tls12Ticket, Tls13Issued, Transport, incomplete,
};
use crate::source::{Project, WhenId};

pub(super) use self::unresolved::gaps;

/// What is the same for every version, worked out once.
#[derive(Debug)]
pub(super) struct Groundwork<'a> {
    project: &'a Project,
    roles: Roles,
    /// Some value is not known.
    open: bool,
}

impl<'a> Groundwork<'a> {
    pub(super) fn of(project: &'a Project) -> Self {
        Self {
            project,
            roles: Roles::of(project),
            open: !gaps(project).is_empty(),
        }
    }

    /// Evaluates the configuration for one version.
    pub(super) fn site(&self, platform: &Platform) -> Site {
        let Blocks {
            blocks, settings, ..
        } = &self.roles.blocks;
        evaluated(self.project, &self.roles, platform, self.open).site(
            self.project,
            platform,
            blocks.clone(),
            settings.clone(),
        )
    }

    /// The same for the last version that is asked for: nothing has to be kept for another.
    pub(super) fn into_site(self, platform: &Platform) -> Site {
        let evaluated = evaluated(self.project, &self.roles, platform, self.open);
        let Self { project, roles, .. } = self;
        let Blocks {
            blocks, settings, ..
        } = roles.blocks;
        evaluated.site(project, platform, blocks, settings)
    }
}

/// What a version makes of the configuration, apart from what is written.
struct Evaluated<'a> {
    endpoints: Vec<Endpoint>,
    /// What became of settings.
    found: Vec<Option<Effect>>,
    alternatives: Alternatives<'a>,
}

fn evaluated<'a>(
    project: &'a Project,
    roles: &Roles,
    platform: &Platform,
    open: bool,
) -> Evaluated<'a> {
    let alternatives = Alternatives::of(project, platform.server.value);
    let mut assembly = Assembly {
        platform,
        roles,
        effects: Effects::new(&roles.blocks),
        domains: Domains::default(),
        numbers: Numbers::default(),
        endpoints: Vec::new(),
        known: HashMap::new(),
        several: alternatives.answers().len() > 1,
        open,
    };
    for (index, answers) in alternatives.answers().iter().enumerate() {
        let view = View {
            project,
            roles,
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
    let (endpoints, places) = ordered(endpoints);
    let mut found = effects.into_found();
    for effect in &mut found {
        if let Some(Effect::Ignored(ignored)) = effect {
            for endpoint in &mut ignored.endpoints {
                *endpoint = places[*endpoint];
            }
            ignored.endpoints.sort_unstable();
        }
    }
    Evaluated {
        endpoints,
        found,
        alternatives,
    }
}

impl Evaluated<'_> {
    fn site(
        self,
        project: &Project,
        platform: &Platform,
        mut blocks: Vec<Block>,
        mut settings: Vec<Setting>,
    ) -> Site {
        let Self {
            endpoints,
            found,
            alternatives,
        } = self;
        for (setting, effect) in settings.iter_mut().zip(found) {
            setting.effect = effect.unwrap_or(Effect::Unused);
        }
        for setting in &mut settings {
            let when = project.directive(setting.directive).when;
            (setting.when, setting.excluded) = alternatives.settled(project, when);
        }
        for endpoint in &endpoints {
            let block = &mut blocks[endpoint.block.0 as usize];
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
            blocks,
            settings,
            facts: project.facts.clone(),
            lookups: Lookups::default(),
            remarks: Vec::new(),
            strangers: Vec::new(),
            awaited: project.awaited.clone(),
        }
    }
}

/// By address in the order of first appearance, then in file order, which is the order in which
/// names are looked for: what only later alternatives showed goes to its place. Also says where
/// each one went.
fn ordered(endpoints: Vec<Endpoint>) -> (Vec<Endpoint>, Vec<usize>) {
    let mut addresses: HashMap<Arc<str>, usize> = HashMap::new();
    let mut keyed = Vec::with_capacity(endpoints.len());
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let next = addresses.len();
        let rank = *addresses.entry(endpoint.address.clone()).or_insert(next);
        keyed.push((rank, endpoint.block, index, endpoint));
    }
    keyed.sort_by_key(|(rank, block, index, _)| (*rank, *block, *index));
    let mut places = vec![0; keyed.len()];
    for (place, (_, _, index, _)) in keyed.iter().enumerate() {
        places[*index] = place;
    }
    let endpoints = keyed.into_iter().map(|(_, _, _, endpoint)| endpoint);
    (endpoints.collect(), places)
}

/// What the version leaves open of every conjunction.
pub(super) fn conditions(project: &Project, platform: &Platform) -> Vec<Condition> {
    let alternatives = Alternatives::of(project, platform.server.value);
    let ids = (0..project.whens.len() as u32).map(WhenId);
    ids.map(|id| {
        let (open, excluded) = alternatives.settled(project, id);
        Condition { open, excluded }
    })
    .collect()
}

struct Assembly<'a> {
    platform: &'a Platform,
    roles: &'a Roles,
    effects: Effects<'a>,
    domains: Domains,
    numbers: Numbers,
    /// Endpoints with the alternatives in which they come out the same.
    endpoints: Vec<(Endpoint, Vec<usize>)>,
    known: HashMap<String, usize>,
    /// There is more than one alternative.
    several: bool,
    /// Some value is not known.
    open: bool,
}

impl Assembly<'_> {
    fn alternative(&mut self, index: usize, view: View<'_>) {
        let cache = config::cache(&view);
        let vhosts = sockets::vhosts(&view);
        let sockets = sockets::sockets(&view, &vhosts);
        for socket in &sockets {
            self.socket(index, socket, &vhosts, &cache, &view);
        }
        if !self.endpoints.is_empty() {
            settings::judge_cache(&mut self.effects, &view, &cache, self.endpoints.len());
        }
    }

    fn socket(
        &mut self,
        alternative: usize,
        socket: &Socket,
        vhosts: &[Vhost],
        cache: &CacheLine,
        view: &View<'_>,
    ) {
        let Some(first) = socket.members.first() else {
            return;
        };
        let governor = &vhosts[first.vhost];
        let mut contexts: HashMap<u32, usize> = HashMap::new();
        let numbers = &mut self.numbers;
        let members = socket.members.iter();
        let own: Vec<u32> = members
            .map(|member| numbers.of(&names::context(&vhosts[member.vhost], vhosts)))
            .collect();
        for context in &own {
            *contexts.entry(*context).or_default() += 1;
        }
        for (member, context) in socket.members.iter().zip(own) {
            let vhost = &vhosts[member.vhost];
            let pair = Pair {
                a: &governor.config,
                b: &member.config,
                same: governor.block == vhost.block,
                cache: &cache.value,
                version: self.platform.server.value,
            };
            let mut state = state::state(pair);
            if self.open {
                unresolved::blur(&mut state, view, governor.block, vhost.block);
            }
            let crosses = contexts.get(&context).is_some_and(|count| *count > 1);
            let reach = reach(&pair, &state, governor, context, &mut self.numbers);
            let (issues, accepts) = self.domains.name(reach);
            let blocks = &self.roles.blocks;
            let reasons = std::mem::take(&mut state.reasons).into_iter();
            let mut why: Vec<_> = reasons
                .map(|reason| blocks.why(reason, vhost.block))
                .collect();
            why.sort_by_key(|why| why.field);
            let endpoint = Endpoint {
                address: Arc::clone(&socket.address),
                transport: Transport::Tcp,
                module: Module::Http,
                names: Arc::clone(&member.names),
                default: member.vhost == first.vhost && socket.listened,
                reachable: member.reachable,
                rejects: state.rejects,
                when: Vec::new(),
                defined_at: blocks.place(vhost.block),
                governed_by: blocks.place(governor.block),
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
        let index = self.endpoints.len();
        if self.several {
            let key = format!("{endpoint:?}");
            if let Some(index) = self.known.get(&key) {
                self.endpoints[*index].1.push(alternative);
                return *index;
            }
            self.known.insert(key, index);
        }
        self.endpoints.push((endpoint, vec![alternative]));
        index
    }
}

fn reach(
    pair: &Pair<'_>,
    state: &State,
    governor: &Vhost,
    context: u32,
    numbers: &mut Numbers,
) -> Reach {
    let stored = pair.cache.value == Cache::Store;
    // Who is refused in a full handshake gets in with a session: its certificate is not looked
    // at again.
    let resumes13 = state.tls13.resumes.ever();
    let key = match pair.keys() {
        Keys::File(file) => Keeper::File(numbers.of(&file.value)),
        Keys::Random | Keys::Broken => Keeper::Start(governor.block),
    };
    let of = |keeper| Domain { keeper, context };
    let stateless13 = state.tls13.issued == Tls13Issued::Stateless && resumes13;
    Reach {
        keys: vec![of(key)],
        store: of(Keeper::Store),
        own_store: None,
        id12: state.tls12.session_id.kept_here(),
        ticket12: state.tls12.ticket == Tls12Ticket::Resumes,
        stateless13,
        stateful13: state.tls13.issued == Tls13Issued::Stateful && resumes13,
        opens_tickets: pair.tickets_on().value && pair.keys() != Keys::Broken,
        opens_ids: stored && (state.rejects || state.tls12.session_id != Tls12Id::Unavailable),
        opens_stateful: stored
            && !pair.tickets_on().value
            && (state.rejects || state.tls13.issued != Tls13Issued::Unavailable),
    }
}
