//! The endpoints of an httpd configuration under each answer to its open conditions, and what
//! becomes of the settings. What one endpoint is by itself is worked out on all processors; then
//! the endpoints are gone through in order. Decides nothing about sessions.

use std::collections::HashMap;
use std::sync::Arc;

use super::blocks::{Roles, View};
use super::config::{Cache, CacheLine};
use super::settings::Judged;
use super::sockets::{Member, Socket, Vhost};
use super::state::{Keys, Pair};
use super::{config, names, settings, sockets, state, unresolved};
use crate::catalog::in_parts;
use crate::model::domains::{Domain, Domains, Keeper, Numbers, Reach};
use crate::model::effects::Effects;
use crate::model::state::State;
use crate::model::{
    CrossName, Endpoint, Issues, Module, Platform, Tls12Id, Tls12Ticket, Tls13Issued, Transport,
};

/// What has come together.
pub(super) struct Assembly<'a> {
    pub(super) platform: &'a Platform,
    pub(super) roles: &'a Roles,
    pub(super) effects: Effects<'a>,
    pub(super) domains: Domains,
    pub(super) numbers: Numbers,
    pub(super) endpoints: Vec<Endpoint>,
    /// Where there is more than one alternative.
    pub(super) several: Option<Several>,
    /// Some value is not known.
    pub(super) open: bool,
}

/// Endpoints that come out the same in several alternatives.
#[derive(Debug, Default)]
pub(super) struct Several {
    /// The alternatives of each endpoint.
    pub(super) found_in: Vec<Vec<usize>>,
    known: HashMap<String, usize>,
}

/// What one answer to the conditions makes of vhosts and addresses, whatever the version.
#[derive(Debug)]
pub(super) struct Layout {
    answers: Vec<bool>,
    cache: CacheLine,
    vhosts: Vec<Vhost>,
    sockets: Vec<Socket>,
}

impl Layout {
    fn of(view: &View<'_>) -> Self {
        let vhosts = sockets::vhosts(view);
        Self {
            answers: view.answers.to_vec(),
            cache: config::cache(view),
            sockets: sockets::sockets(view, &vhosts),
            vhosts,
        }
    }

    /// Of the same answers it is the same.
    pub(super) fn again(laid: Option<Self>, view: &View<'_>) -> Self {
        let known = laid.filter(|laid| laid.answers == view.answers);
        known.unwrap_or_else(|| Self::of(view))
    }
}

/// A vhost at an address.
struct Seat<'a> {
    socket: &'a Socket,
    member: &'a Member,
    pair: Pair<'a>,
    governor: &'a Vhost,
    vhost: &'a Vhost,
    /// The session id context.
    context: u32,
    /// Another vhost of the address has the same one.
    crosses: bool,
    /// The key file.
    file: Option<u32>,
}

/// An endpoint before it was compared with all others.
struct Draft {
    /// Without session domains.
    endpoint: Endpoint,
    reach: Reach,
    /// Without reasons.
    state: State<'static>,
}

/// So many endpoints are drafted at once: enough for all processors.
const AT_ONCE: usize = 4096;
/// For fewer endpoints, starting threads takes longer than they save.
const FEW: usize = 256;

impl Assembly<'_> {
    /// Adds what one answer to the conditions makes of it.
    pub(super) fn alternative(&mut self, index: usize, view: View<'_>, layout: &Layout) {
        let seats = self.seats(layout);
        for seats in seats.chunks(AT_ONCE) {
            let drafts = in_parts(seats.len(), FEW, |range| {
                let drafts = seats[range].iter().map(|seat| self.draft(seat, &view));
                drafts.collect::<Vec<_>>()
            });
            for (seat, draft) in seats.iter().zip(drafts.into_iter().flatten()) {
                self.take(index, seat, draft);
            }
        }
        if !self.endpoints.is_empty() {
            settings::judge_cache(
                &mut self.effects,
                &view,
                &layout.cache,
                self.endpoints.len(),
            );
        }
    }

    fn seats<'s>(&mut self, layout: &'s Layout) -> Vec<Seat<'s>> {
        let Layout {
            cache,
            vhosts,
            sockets,
            ..
        } = layout;
        let mut seats = Vec::new();
        for socket in sockets {
            let Some(first) = socket.members.first() else {
                continue;
            };
            let governor = &vhosts[first.vhost];
            let mut contexts: HashMap<u32, usize> = HashMap::new();
            let start = seats.len();
            for member in &socket.members {
                let vhost = &vhosts[member.vhost];
                let context = self.numbers.of(&names::context(vhost, vhosts));
                *contexts.entry(context).or_default() += 1;
                let pair = Pair {
                    a: &governor.config,
                    b: member.config(vhosts),
                    same: governor.block == vhost.block,
                    cache: &cache.value,
                    version: self.platform.server.value,
                };
                let file = match pair.keys() {
                    Keys::File(file) => Some(self.numbers.of(&file.value)),
                    Keys::Random | Keys::Broken => None,
                };
                seats.push(Seat {
                    socket,
                    member,
                    pair,
                    governor,
                    vhost,
                    context,
                    crosses: false,
                    file,
                });
            }
            for seat in &mut seats[start..] {
                seat.crosses = contexts.get(&seat.context).is_some_and(|count| *count > 1);
            }
        }
        seats
    }

    fn draft(&self, seat: &Seat<'_>, view: &View<'_>) -> Draft {
        let Seat {
            socket,
            member,
            governor,
            vhost,
            ..
        } = seat;
        let mut state = state::state(seat.pair);
        if self.open {
            unresolved::blur(&mut state, view, governor.block, vhost.block);
        }
        let blocks = &self.roles.blocks;
        let mut why = Vec::new();
        blocks.tell(std::mem::take(&mut state.reasons), vhost.block, &mut why);
        let endpoint = Endpoint {
            address: Arc::clone(&socket.address),
            transport: Transport::Tcp,
            module: Module::Http,
            names: Arc::clone(&member.names),
            default: governor.block == vhost.block && socket.listened,
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
            issues: Issues::default(),
            accepts: Vec::new(),
            cross_name: match seat.crosses {
                true => CrossName::Served,
                false => CrossName::SameNameOnly,
            },
            client_auth: state.client_auth,
            early_data: state.early_data,
            why,
            block: vhost.block,
            governor: governor.block,
        };
        Draft {
            reach: reach(seat, &state),
            endpoint,
            state,
        }
    }

    fn take(&mut self, alternative: usize, seat: &Seat<'_>, draft: Draft) {
        let (issues, accepts) = self.domains.name(draft.reach).clone();
        let endpoint = Endpoint {
            issues,
            accepts,
            ..draft.endpoint
        };
        let index = self.keep(alternative, endpoint);
        if seat.member.reachable {
            let judged = Judged {
                index,
                pair: seat.pair,
                state: &draft.state,
                governor: seat.governor.block,
            };
            settings::judge(&mut self.effects, judged);
        }
    }

    /// Keeps an endpoint, or notes the alternative at one that came out the same before.
    fn keep(&mut self, alternative: usize, endpoint: Endpoint) -> usize {
        let index = self.endpoints.len();
        if let Some(several) = &mut self.several {
            let key = format!("{endpoint:?}");
            if let Some(index) = several.known.get(&key) {
                several.found_in[*index].push(alternative);
                return *index;
            }
            several.known.insert(key, index);
            several.found_in.push(vec![alternative]);
        }
        self.endpoints.push(endpoint);
        index
    }
}

fn reach(seat: &Seat<'_>, state: &State<'_>) -> Reach {
    let pair = &seat.pair;
    let stored = pair.cache.value == Cache::Store;
    // Who is refused in a full handshake gets in with a session: its certificate is not looked
    // at again.
    let resumes13 = state.tls13.resumes.ever();
    let key = match seat.file {
        Some(file) => Keeper::File(file),
        None => Keeper::Start(seat.governor.block),
    };
    let of = |keeper| Domain {
        keeper,
        context: seat.context,
    };
    let stateless13 = state.tls13.issued == Tls13Issued::Stateless && resumes13;
    let tickets_on = pair.tickets_on().value;
    Reach {
        keys: vec![of(key)],
        store: of(Keeper::Store),
        own_store: None,
        id12: state.tls12.session_id.kept_here(),
        ticket12: state.tls12.ticket == Tls12Ticket::Resumes,
        stateless13,
        stateful13: state.tls13.issued == Tls13Issued::Stateful && resumes13,
        opens_tickets: tickets_on && pair.keys() != Keys::Broken,
        opens_ids: stored && (state.rejects || state.tls12.session_id != Tls12Id::Unavailable),
        opens_stateful: stored
            && !tickets_on
            && (state.rejects || state.tls13.issued != Tls13Issued::Unavailable),
    }
}
