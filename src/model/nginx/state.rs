//! What a client of one endpoint sees: the settings of its own block B and of the block A
//! that governs its address, put together as OpenSSL and nginx of a version do.
//!
//! Which block decides what is the catalog's data; the functions here say what each named
//! decider does. tests/live_nginx.rs holds every row against running servers.

use std::borrow::Cow;

use super::config::{CacheKind, Config};
use super::deciders::{Deciders, Decides};
use crate::catalog::{self, Decider, Version, behaviours};
use crate::model::state::{
    Protocols, Reason, State, TLS13_LONGEST, UNAVAILABLE_12, UNAVAILABLE_13, Value, ZERO_TIMEOUT,
};
use crate::model::{
    ClientAuth, Field, KeySource, Lifetimes, Origin, PerProtocol, Replaced, Tickets, Tls12,
    Tls12Id, Tls12Ticket, Tls13, Tls13Issued, Tls13Resumes, Transport,
};
use crate::syntax::value::openssl;

/// The two blocks of an endpoint and what they run on.
#[derive(Copy, Clone, Debug)]
pub(super) struct Pair<'a> {
    /// The default server of the address.
    pub(super) a: &'a Config,
    /// The block itself.
    pub(super) b: &'a Config,
    /// True where both are one block.
    pub(super) same: bool,
    pub(super) version: Version,
    pub(super) transport: Transport,
    /// What A's sessions depend on.
    pub(super) a_ids: &'a Ids,
    /// What B's sessions depend on.
    pub(super) b_ids: &'a Ids,
    /// Which block decides what, in this version and module.
    pub(super) deciders: &'a Deciders,
    /// The package refuses a session of another name where clients are verified, whatever its
    /// version does.
    pub(super) sni_patched: bool,
    /// The block has a context of its own. Without one its settings of TLS are A's, but a
    /// certificate that it demands is still demanded.
    pub(super) own_context: bool,
    /// What the block itself says of client certificates.
    pub(super) demanded: &'a Value<ClientAuth>,
}

/// What the sessions of a server depend on, as numbers: equal ones mean the same.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    /// The session id context.
    pub(super) context: u32,
    /// Its key files.
    pub(super) keys: Vec<u32>,
    /// Its zone, used or not.
    pub(super) zone: Option<u32>,
}

/// Where sessions are kept.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Store {
    None,
    Worker,
    Zone,
}

/// Evaluates an endpoint.
pub(super) fn state(pair: Pair<'_>) -> State {
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
struct TicketFlags<'a> {
    a: Cow<'a, Value<bool>>,
    b: Cow<'a, Value<bool>>,
    decider: Decider,
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

fn session_reasons(
    pair: &Pair<'_>,
    tickets: &TicketFlags<'_>,
    spoken: Protocols,
    reasons: &mut Vec<Reason>,
) {
    let cache = pair.reason(
        Field::Tls12SessionId,
        "ssl_session_cache",
        cache_value(pair),
        true,
    );
    let protocols = &pair
        .decided(Decides::Protocols, Decider::OwnBlock)
        .protocols;
    let from_a = pair.decider(Decides::Protocols) == Decider::DefaultServer;
    let unspoken = |field| pair.reason(field, "ssl_protocols", protocols, from_a);
    if pair.b.reject.value {
        let rejected = |field| pair.reason(field, "ssl_reject_handshake", &pair.b.reject, false);
        let fields = [
            Field::Tls12SessionId,
            Field::Tls12Ticket,
            Field::Tls13Issued,
            Field::Tls13Resumes,
        ];
        reasons.extend(fields.map(rejected));
        return;
    }
    match spoken.tls12 {
        true => {
            reasons.push(cache.clone());
            reasons.push(ticket_reason(pair, tickets, Field::Tls12Ticket));
        }
        false => {
            reasons.push(unspoken(Field::Tls12SessionId));
            reasons.push(unspoken(Field::Tls12Ticket));
        }
    }
    if !spoken.tls13 {
        reasons.push(unspoken(Field::Tls13Issued));
        reasons.push(unspoken(Field::Tls13Resumes));
        return;
    }
    let count = pair.a.ticket_count().filter(|count| count.value == 0);
    if let Some(count) = count {
        let reason = |field| Reason {
            origin: Some(Origin::ConfCommand),
            ..pair.reason(field, "ssl_conf_command", &count, true)
        };
        reasons.push(reason(Field::Tls13Issued));
        reasons.push(reason(Field::Tls13Resumes));
        return;
    }
    let issued = ticket_reason(pair, tickets, Field::Tls13Issued);
    let by_cache = !tickets.b.value && (tickets.decider != Decider::Both || !tickets.a.value);
    let resumes = match by_cache {
        true => Reason {
            field: Field::Tls13Resumes,
            ..cache
        },
        false => Reason {
            field: Field::Tls13Resumes,
            ..issued.clone()
        },
    };
    reasons.push(issued);
    reasons.push(resumes);
}

/// The cache setting that decides: A's, unless B's `off` takes the id away.
fn cache_value<'a>(pair: &Pair<'a>) -> &'a Value<CacheKind> {
    match pair.b.cache.value {
        CacheKind::Off => &pair.b.cache,
        _ => &pair.a.cache,
    }
}

/// The ticket flag that decides: an `off` of A or B where both count, else B's.
fn ticket_reason(pair: &Pair<'_>, tickets: &TicketFlags<'_>, field: Field) -> Reason {
    let from_a = tickets.decider == Decider::Both && !tickets.a.value;
    let flag = if from_a { &tickets.a } else { &tickets.b };
    let mut reason = pair.reason(field, "ssl_session_tickets", &**flag, from_a);
    let config = if from_a { pair.a } else { pair.b };
    if flag.by != config.tickets.by {
        reason.setting = "ssl_conf_command";
        reason.origin = Some(Origin::ConfCommand);
    }
    reason
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

/// The key of tickets issued here: always A's.
fn key(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13) -> (Tickets, Reason) {
    let issued = tls12.ticket.issued() || tls13.issued == Tls13Issued::Stateless;
    let nothing = Tickets {
        source: KeySource::None,
        files: Vec::new(),
        zone: None,
        replaced: None,
    };
    if !issued {
        let off = ticket_reason(pair, &tickets(pair), Field::TicketKey);
        return (nothing, off);
    }
    if let Some(first) = pair.a.keys.first() {
        let files = pair.a.keys.iter().map(|key| key.value.clone()).collect();
        let key = Tickets {
            source: KeySource::Files,
            files,
            replaced: Some(Replaced::ByFile),
            ..nothing
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
            ..nothing
        };
        let reason = pair.reason(Field::TicketKey, "ssl_session_cache", zone, true);
        return (key, reason);
    }
    let key = Tickets {
        source: KeySource::Startup,
        replaced: Some(Replaced::Reload),
        ..nothing
    };
    let unset = Value {
        value: (),
        text: "none".into(),
        by: None,
    };
    (
        key,
        pair.reason(Field::TicketKey, "ssl_session_ticket_key", &unset, true),
    )
}

impl<'a> Pair<'a> {
    /// TLS 1.2 sessions in A's store.
    pub(super) fn stored_ids(&self) -> Tls12Id {
        match self.stores() {
            Store::None => Tls12Id::Never,
            Store::Zone if self.a.timeout.value == 0 => Tls12Id::Never,
            Store::Worker => Tls12Id::PerWorker,
            Store::Zone => Tls12Id::Resumes,
        }
    }

    /// TLS 1.3 sessions in A's store.
    pub(super) fn stored_tickets(&self) -> Tls13Resumes {
        match self.stores() {
            Store::None => Tls13Resumes::Never,
            _ if self.no_time_in_tls13() => Tls13Resumes::Never,
            Store::Zone if self.a.timeout.value == 0 => Tls13Resumes::Never,
            Store::Worker => Tls13Resumes::PerWorker,
            Store::Zone => Tls13Resumes::Always,
        }
    }

    /// Where A's sessions last. A zone drops at once what it keeps for no time; each worker's
    /// own cache, beside a zone too, takes OpenSSL's two hours then.
    pub(super) fn stores(&self) -> Store {
        let no_time = self.a.timeout.value == 0;
        match self.a.cache.value {
            CacheKind::Off | CacheKind::None => Store::None,
            CacheKind::Builtin if self.a.zone.is_none() || no_time => Store::Worker,
            CacheKind::Builtin | CacheKind::SharedOnly => Store::Zone,
        }
    }

    /// Where nginx bounds a TLS 1.3 session by the timeout, one of 0 ends it at once.
    pub(super) fn no_time_in_tls13(&self) -> bool {
        self.a.timeout.value == 0 && behaviours::nginx::TLS13_LIFETIME_BOUNDED.holds(self.version)
    }

    /// A session of another name is refused where clients are verified.
    pub(super) fn sni_checked(&self) -> bool {
        self.sni_patched || behaviours::nginx::SNI_SESSION_CHECK.holds(self.version)
    }

    /// The named decider of a directive in this version.
    pub(super) fn decider(&self, of: Decides) -> Decider {
        self.deciders.of(of)
    }

    /// The block that decides a directive; `otherwise` where the module has no such row.
    fn decided(&self, of: Decides, otherwise: Decider) -> &'a Config {
        let decider = match self.decider(of) {
            Decider::None => otherwise,
            decider => decider,
        };
        match decider {
            Decider::DefaultServer | Decider::DefaultServerOwnOff => self.a,
            _ => self.b,
        }
    }

    /// The block whose conf command counts.
    fn decided_command(&self, name: &str) -> &'a Config {
        let command = catalog::command(name.as_bytes());
        let decider = command.map(|row| row.decider(catalog::Server::Nginx, self.version));
        match decider {
            Some(Decider::DefaultServer) => self.a,
            _ => self.b,
        }
    }

    /// A reason; `from_a` says that A's value decides.
    pub(super) fn reason<T>(
        &self,
        field: Field,
        setting: &'static str,
        value: &Value<T>,
        from_a: bool,
    ) -> Reason {
        let foreign = from_a && !self.same;
        Reason {
            field,
            setting,
            value: value.text.clone(),
            by: value.by,
            origin: foreign.then_some(Origin::DefaultServer),
        }
    }
}
