//! What a client of one endpoint sees: the settings of its own block B and of the block A
//! that governs its address, put together as OpenSSL and nginx of a version do.
//!
//! Which block decides what is the catalog's data; the functions here say what each named
//! decider does. tests/live_nginx.rs holds every row against running servers.

use std::borrow::Cow;

use super::config::CacheKind;
use super::deciders::Decides;
use super::pair::Pair;
use super::reasons::{session_reasons, ticket_reason};
use crate::catalog::{Decider, behaviours};
use crate::model::state::{
    Protocols, Reason, State, TLS13_LONGEST, UNAVAILABLE_12, UNAVAILABLE_13, Value, ZERO_TIMEOUT,
};
use crate::model::{
    ClientAuth, Field, KeySource, Lifetimes, PerProtocol, Replaced, Tickets, Tls12, Tls12Id,
    Tls12Ticket, Tls13, Tls13Issued, Tls13Resumes, Transport,
};
use crate::syntax::value::openssl;

/// Evaluates an endpoint.
pub(super) fn state(pair: Pair<'_>) -> State<'_> {
    let rejects = pair.b.reject.value;
    let mut reasons = Vec::with_capacity(12);
    reasons.push(pair.reason(
        Field::Rejects,
        "ssl_reject_handshake",
        &pair.b.reject,
        false,
    ));
    let tickets = tickets(&pair);
    let spoken = protocols(&pair);
    let (tls12, tls13) = match rejects {
        true => (UNAVAILABLE_12, UNAVAILABLE_13),
        false => (
            tls12(&pair, &tickets, spoken),
            tls13(&pair, &tickets, spoken),
        ),
    };
    session_reasons(&pair, &tickets, spoken, &mut reasons);
    let lifetime = lifetime(&pair, tls12, tls13);
    let field_of_time = [
        (Field::Lifetime12, lifetime.tls12),
        (Field::Lifetime13, lifetime.tls13),
    ];
    for (field, _) in field_of_time
        .iter()
        .filter(|(_, seconds)| seconds.is_some())
    {
        reasons.push(pair.reason(*field, "ssl_session_timeout", &pair.a.timeout, true));
    }
    let chain_bounded = chain_bounded(&pair, tls12, tls13);
    if chain_bounded.tls13.is_some() || chain_bounded.tls12.is_some() {
        let reason = pair.reason(
            Field::ChainBounded,
            "ssl_session_timeout",
            &pair.a.timeout,
            true,
        );
        reasons.push(reason);
    }
    let (key, reason) = key(&pair, tls12, tls13);
    reasons.push(reason);
    let (auth, value) = client_auth(&pair);
    let from_a = !std::ptr::eq(auth, pair.demanded);
    reasons.push(pair.reason(Field::ClientAuth, "ssl_verify_client", auth, from_a));
    let early = &pair
        .decided(Decides::EarlyData, Decider::DefaultServer)
        .early_data;
    reasons.push(pair.reason(Field::EarlyData, "ssl_early_data", early, true));
    let tickets13 = tls13.issued.any();
    let early_data = early.value && tickets13;
    State {
        tls12,
        tls13,
        lifetime,
        chain_bounded,
        key,
        client_auth: value,
        early_data,
        rejects,
        reasons,
    }
}

/// Who asks for a client certificate, and how: the block; A for one without a context, but
/// only the block itself insists.
fn client_auth<'a>(pair: &Pair<'a>) -> (&'a Value<ClientAuth>, ClientAuth) {
    if pair.own_context || pair.demanded.value == ClientAuth::Required {
        return (pair.demanded, pair.demanded.value);
    }
    match pair.a.client_auth.value {
        ClientAuth::Off => (&pair.a.client_auth, ClientAuth::Off),
        _ => (&pair.a.client_auth, ClientAuth::Optional),
    }
}

/// Tickets of A and B, and which of them count.
#[derive(Debug)]
pub(super) struct TicketFlags<'a> {
    pub(super) a: Cow<'a, Value<bool>>,
    pub(super) b: Cow<'a, Value<bool>>,
    pub(super) decider: Decider,
}

fn tickets<'a>(pair: &Pair<'a>) -> TicketFlags<'a> {
    TicketFlags {
        a: pair.a.tickets_effective(),
        b: pair.b.tickets_effective(),
        decider: pair.decider(Decides::Tickets),
    }
}

/// The protocols that the endpoint speaks.
pub(super) fn protocols(pair: &Pair<'_>) -> Protocols {
    // OpenSSL gives up before it hears a name where the context that the connection begins
    // with leaves no version at all.
    let begins = Pair { b: pair.a, ..*pair };
    let mut spoken = match versions(&begins) == Protocols::NONE {
        true => Protocols::NONE,
        false => versions(pair),
    };
    if pair.transport == Transport::Quic {
        spoken = Protocols {
            tls13: spoken.tls13,
            ..Protocols::NONE
        };
    }
    spoken
}

/// What `ssl_protocols` and the command `Protocol` leave on, within the bounds of the
/// commands for the lowest and the highest.
fn versions(pair: &Pair<'_>) -> Protocols {
    let config = pair.decided(Decides::Protocols, Decider::OwnBlock);
    let mut spoken = config.protocols.value;
    if pair.a.commands.is_empty() && pair.b.commands.is_empty() {
        return spoken;
    }
    for name in ["Protocol", "MinProtocol", "MaxProtocol"] {
        let config = pair.decided_command(name);
        let given = config
            .commands
            .iter()
            .filter(|command| openssl::is_command(command.value.0.as_bytes(), name));
        // A list changes what is on, word by word; of bounds the last one counts.
        let skipped = match name {
            "Protocol" => 0,
            _ => given.clone().count().saturating_sub(1),
        };
        for command in given.skip(skipped) {
            spoken.limit(name, &command.value.1);
        }
    }
    spoken
}

fn tls12(pair: &Pair<'_>, tickets: &TicketFlags<'_>, spoken: Protocols) -> Tls12 {
    if !spoken.tls12 && spoken.legacy {
        // Only TLS 1.0 or 1.1: whether anybody can connect is the library's affair.
        return Tls12 {
            session_id: Tls12Id::Unknown,
            ticket: Tls12Ticket::Unknown,
        };
    }
    if !spoken.tls12 {
        return UNAVAILABLE_12;
    }
    let ticket = match tls12_tickets_on(tickets) {
        true => Tls12Ticket::Resumes,
        false => Tls12Ticket::None,
    };
    let session_id = match pair.b.cache.value {
        _ if pair.b.external.is_some() || pair.a.external.is_some() => Tls12Id::External,
        // B's `off` takes the id away, whatever A stores.
        CacheKind::Off => Tls12Id::Never,
        _ => pair.stored_ids(),
    };
    Tls12 { session_id, ticket }
}

fn tls13(pair: &Pair<'_>, tickets: &TicketFlags<'_>, spoken: Protocols) -> Tls13 {
    if !spoken.tls13 {
        return UNAVAILABLE_13;
    }
    let none = Tls13 {
        issued: Tls13Issued::None,
        resumes: Tls13Resumes::Never,
    };
    if pair.a.ticket_count().is_some_and(|count| count.value == 0) {
        return none;
    }
    let stored = pair.stored_tickets();
    let stateful = Tls13 {
        issued: Tls13Issued::Stateful,
        resumes: stored,
    };
    let stateless = |resumes| Tls13 {
        issued: Tls13Issued::Stateless,
        resumes: if pair.no_time_in_tls13() {
            Tls13Resumes::Never
        } else {
            resumes
        },
    };
    match (tickets.decider, tickets.a.value, tickets.b.value) {
        (Decider::Both, true, true) => stateless(Tls13Resumes::Always),
        (Decider::Both, false, true) => stateless(Tls13Resumes::Never),
        (Decider::Both, true, false) => none,
        (Decider::Both, false, false) => stateful,
        (_, _, true) => stateless(Tls13Resumes::Always),
        (_, _, false) => stateful,
    }
}

/// TLS 1.2 tickets are issued and accepted.
fn tls12_tickets_on(tickets: &TicketFlags<'_>) -> bool {
    match tickets.decider {
        Decider::Both => tickets.a.value && tickets.b.value,
        _ => tickets.b.value,
    }
}

fn lifetime(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13) -> Lifetimes {
    let seconds = match pair.a.timeout.value {
        0 => ZERO_TIMEOUT,
        seconds => seconds,
    };
    let issued12 = tls12.ticket.issued() || tls12.session_id.kept_here();
    let issued13 = tls13.issued.any();
    PerProtocol {
        tls12: issued12.then_some(seconds),
        tls13: issued13.then_some(seconds.min(TLS13_LONGEST)),
    }
}

fn chain_bounded(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13) -> PerProtocol<Option<bool>> {
    let resumes12 = tls12.ticket == Tls12Ticket::Resumes || tls12.session_id.kept_here();
    let resumes13 = tls13.resumes.ever();
    PerProtocol {
        tls12: resumes12.then_some(true),
        tls13: resumes13.then(|| behaviours::nginx::TLS13_LIFETIME_BOUNDED.holds(pair.version)),
    }
}

/// Where no tickets are issued.
pub(super) const NO_KEY: Tickets = Tickets {
    source: KeySource::None,
    files: Vec::new(),
    zone: None,
    replaced: None,
};

/// The key of tickets issued here: always A's.
fn key<'a>(pair: &Pair<'a>, tls12: Tls12, tls13: Tls13) -> (Tickets, Reason<'a>) {
    let issued = tls12.ticket.issued() || tls13.issued == Tls13Issued::Stateless;
    if !issued {
        let off = ticket_reason(pair, &tickets(pair), Field::TicketKey);
        return (NO_KEY, off);
    }
    if let Some(first) = pair.a.keys.first() {
        let files = pair.a.keys.iter().map(|key| key.value.clone()).collect();
        let key = Tickets {
            source: KeySource::Files,
            files,
            replaced: Some(Replaced::ByFile),
            ..NO_KEY
        };
        let reason = pair.reason(Field::TicketKey, "ssl_session_ticket_key", first, true);
        return (key, reason);
    }
    let rotates = || behaviours::nginx::AUTOMATIC_TICKET_KEY_ROTATION.holds(pair.version);
    if let Some(zone) = pair.a.zone_in_use().filter(|_| rotates()) {
        let key = Tickets {
            source: KeySource::Zone,
            zone: Some(zone.value.clone()),
            replaced: Some(Replaced::Automatic),
            ..NO_KEY
        };
        let reason = pair.reason(Field::TicketKey, "ssl_session_cache", zone, true);
        return (key, reason);
    }
    let key = Tickets {
        source: KeySource::Startup,
        replaced: Some(Replaced::Reload),
        ..NO_KEY
    };
    let unset = (Cow::Owned("none".into()), None);
    let reason = pair.reason_by(Field::TicketKey, "ssl_session_ticket_key", unset, true);
    (key, reason)
}
