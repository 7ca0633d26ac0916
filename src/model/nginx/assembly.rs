//! nginx: the endpoints of a version, in order, each worked out from the two blocks that a
//! connection meets.

use std::sync::Arc;

use super::deciders::Deciders;
use super::domains::{self, Contexts, Party};
use super::pair::Pair;
use super::settings::{Judge, Judged};
use super::sockets::{Member, Server, Socket};
use super::{refusals, state};
use crate::catalog::{Version, each_in_parts, in_parts};
use crate::model::blocks::Blocks;
use crate::model::domains::{Domains, Reach};
use crate::model::effects::Effects;
use crate::model::state::{UNAVAILABLE_12, UNAVAILABLE_13};
use crate::model::{ClientAuth, CrossName, Endpoint, Issues, KeySource, Module, PerProtocol};

/// The addresses of a layout with what a version says of it.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) blocks: &'a Blocks,
    pub(super) servers: &'a [Server],
    pub(super) sockets: &'a [Socket],
    /// Of each module that has a socket.
    pub(super) deciders: Vec<(Module, Deciders)>,
    pub(super) version: Version,
    pub(super) sni_patched: bool,
}

/// A place on a socket: the indices of the socket and of its member.
type Seat = (usize, usize);

/// What is left to say of an endpoint once it was compared with all others.
struct Draft {
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
    /// worked out on all processors, then the endpoints are gone through in order. `before` has the
    /// same ones of another version, or none.
    pub(super) fn endpoints(&self, mut endpoints: Vec<Endpoint>) -> (Vec<Endpoint>, Judge<'a>) {
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
        if endpoints.len() != seats.len() {
            endpoints = Vec::with_capacity(seats.len());
        }
        for (number, seats) in seats.chunks(AT_ONCE).enumerate() {
            let first = number * AT_ONCE;
            if endpoints.len() <= first {
                let fresh = in_parts(seats.len(), FEW, |range| {
                    let fresh = seats[range].iter().map(|seat| self.seated(*seat));
                    fresh.collect::<Vec<_>>()
                });
                endpoints.extend(fresh.into_iter().flatten());
            }
            let here = &mut endpoints[first..first + seats.len()];
            let drafts = each_in_parts(here, FEW, |first, endpoints| {
                let seats = seats[first..].iter().zip(endpoints);
                let drafts = seats.map(|(seat, endpoint)| self.draft(*seat, &contexts, endpoint));
                drafts.collect::<Vec<_>>()
            });
            let drafts = drafts.into_iter().flatten();
            for ((index, (at, member)), draft) in (first..).zip(seats).zip(drafts) {
                let socket = &self.sockets[*at];
                let member = &socket.members[*member];
                if member.reachable {
                    judge.judge(Judged {
                        index,
                        pair: self.pair(socket, member),
                        issues: draft.issues,
                        governor: &self.servers[socket.default],
                    });
                }
                let (issues, accepts) = domains.name(draft.reach);
                let endpoint = &mut endpoints[index];
                if endpoint.issues != *issues {
                    endpoint.issues.clone_from(issues);
                }
                if endpoint.accepts != *accepts {
                    endpoint.accepts.clone_from(accepts);
                }
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

    /// An endpoint as far as no version changes it.
    fn seated(&self, (at, member): Seat) -> Endpoint {
        let socket = &self.sockets[at];
        let member = &socket.members[member];
        let governor = &self.servers[socket.default];
        let server = &self.servers[member.server];
        Endpoint {
            address: Arc::clone(&socket.address),
            transport: socket.transport,
            module: socket.module,
            names: Arc::clone(&member.names),
            default: member.server == socket.default,
            reachable: member.reachable,
            when: Vec::new(),
            defined_at: self.blocks.place(server.block),
            governed_by: self.blocks.place(governor.block),
            block: server.block,
            governor: governor.block,
            // The rest is a version's to say.
            rejects: false,
            tls12: UNAVAILABLE_12,
            tls13: UNAVAILABLE_13,
            lifetime_seconds: PerProtocol::default(),
            chain_bounded: PerProtocol::default(),
            ticket_key: state::NO_KEY,
            issues: Issues::default(),
            accepts: Vec::new(),
            cross_name: CrossName::Full,
            client_auth: ClientAuth::Off,
            early_data: false,
            why: Vec::new(),
        }
    }

    /// Says what the version makes of an endpoint, but for its session domains.
    fn draft(&self, (at, member): Seat, contexts: &[Contexts], endpoint: &mut Endpoint) -> Draft {
        let socket = &self.sockets[at];
        let pair = self.pair(socket, &socket.members[member]);
        let state = state::state(pair);
        endpoint.cross_name = domains::cross_name(&pair, &state, &contexts[at]);
        let party = Party {
            pair,
            state: &state,
            governor: endpoint.governor,
        };
        let draft = Draft {
            reach: domains::reach(party),
            issues: state.key.source != KeySource::None,
        };
        endpoint.rejects = state.rejects;
        endpoint.tls12 = state.tls12;
        endpoint.tls13 = state.tls13;
        endpoint.lifetime_seconds = state.lifetime;
        endpoint.chain_bounded = state.chain_bounded;
        endpoint.ticket_key = state.key;
        endpoint.client_auth = state.client_auth;
        endpoint.early_data = state.early_data;
        self.blocks
            .tell(state.reasons, endpoint.block, &mut endpoint.why);
        draft
    }
}
