//! What a client of one vhost sees: the settings of the vhost B and of the first vhost A of
//! its address, put together as OpenSSL and mod_ssl do.
//!
//! Which block decides what is the catalog's data; the functions here say what each named
//! decider does. tests/live_apache.rs holds every row against a running server.

use std::borrow::Cow;

use super::config::{Cache, Config};
use super::protocols;
use crate::catalog::{self, Decider, Version};
use crate::model::state::{
    Protocols, Reason, State, TLS13_LONGEST, UNAVAILABLE_12, UNAVAILABLE_13, Value, ZERO_TIMEOUT,
};
use crate::model::{
    Field, KeySource, Lifetimes, Origin, PerProtocol, Replaced, Tickets, Tls12, Tls12Id,
    Tls12Ticket, Tls13, Tls13Issued, Tls13Resumes,
};

/// The two vhosts of an endpoint and the server's cache.
#[derive(Copy, Clone, Debug)]
pub(super) struct Pair<'a> {
    /// The first vhost of the address.
    pub(super) a: &'a Config,
    /// The vhost itself.
    pub(super) b: &'a Config,
    /// True where both are one vhost.
    pub(super) same: bool,
    pub(super) cache: &'a Value<Cache>,
    pub(super) version: Version,
}

/// Who uses which ticket key.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Keys<'a> {
    /// A has no key file: a random key of A's, whatever B says.
    Random,
    /// A's callback with the file of B.
    File(&'a Value<String>),
    /// A's callback finds no file at B.
    Broken,
}

/// Evaluates an endpoint.
pub(super) fn state(pair: Pair<'_>) -> State<'static> {
    let on = pair.tickets_on();
    if pair.b.refuses {
        return refused(&pair);
    }
    let spoken = protocols::spoken(pair.a, pair.b, pair.same, pair.version);
    let broken = on.value && pair.keys() == Keys::Broken;
    let tls12 = tls12(&pair, on.value, broken, spoken);
    let tls13 = tls13(&pair, on.value, broken, spoken);
    let mut reasons = session_reasons(&pair, &on, spoken);
    let (lifetime, times) = lifetime(&pair, tls12, tls13);
    reasons.extend(times);
    let chain_bounded = chain_bounded(&pair, tls12, tls13);
    if chain_bounded.tls12.is_some() || chain_bounded.tls13.is_some() {
        reasons.push(pair.reason(Field::ChainBounded, TIMEOUT, &pair.a.timeout, true));
    }
    let (key, reason) = key(&pair, tls12, tls13, &on);
    reasons.push(reason);
    let auth = &pair.b.client_auth;
    reasons.push(pair.reason(Field::ClientAuth, "SSLVerifyClient", auth, false));
    State {
        tls12,
        tls13,
        lifetime,
        chain_bounded,
        key,
        client_auth: auth.value,
        early_data: false,
        rejects: false,
        reasons,
    }
}

/// Nobody gets in, so there are no sessions.
fn refused(pair: &Pair<'_>) -> State<'static> {
    let nothing = PerProtocol {
        tls12: None,
        tls13: None,
    };
    let key = Tickets {
        source: KeySource::None,
        files: Vec::new(),
        zone: None,
        replaced: None,
    };
    let auth = &pair.b.client_auth;
    let engine = pair.reason(Field::Rejects, "SSLEngine", &pair.b.engine, false);
    State {
        tls12: UNAVAILABLE_12,
        tls13: UNAVAILABLE_13,
        lifetime: nothing,
        chain_bounded: PerProtocol {
            tls12: None,
            tls13: None,
        },
        key,
        client_auth: auth.value,
        early_data: false,
        rejects: true,
        reasons: vec![engine],
    }
}

const TIMEOUT: &str = "SSLSessionCacheTimeout";
const TICKETS: &str = "SSLSessionTickets";
const CACHE: &str = "SSLSessionCache";
const KEY_FILE: &str = "SSLSessionTicketKeyFile";
const CONF_CMD: &str = "SSLOpenSSLConfCmd";

fn tls12(pair: &Pair<'_>, on: bool, broken: bool, spoken: Protocols) -> Tls12 {
    if !spoken.tls12 && spoken.legacy {
        return Tls12 {
            session_id: Tls12Id::Unknown,
            ticket: Tls12Ticket::Unknown,
        };
    }
    if !spoken.tls12 {
        return UNAVAILABLE_12;
    }
    let session_id = match pair.cache.value {
        Cache::Store if pair.stored_for_no_time() => Tls12Id::Never,
        Cache::Store => Tls12Id::Resumes,
        Cache::None | Cache::NoneNotNull => Tls12Id::Never,
    };
    let ticket = match (on, broken) {
        (_, true) => Tls12Ticket::Unknown,
        (true, false) => Tls12Ticket::Resumes,
        (false, false) => Tls12Ticket::None,
    };
    Tls12 { session_id, ticket }
}

fn tls13(pair: &Pair<'_>, on: bool, broken: bool, spoken: Protocols) -> Tls13 {
    if !spoken.tls13 {
        return UNAVAILABLE_13;
    }
    if pair.a.ticket_count().is_some_and(|count| count.value == 0) {
        return Tls13 {
            issued: Tls13Issued::None,
            resumes: Tls13Resumes::Never,
        };
    }
    if broken {
        return Tls13 {
            issued: Tls13Issued::Unknown,
            resumes: Tls13Resumes::Unknown,
        };
    }
    if on && pair.stored_for_no_time() && pair.several_tickets() {
        // The store has left the session no time, so there is no second ticket to make of it:
        // the connection ends with an internal error.
        return UNAVAILABLE_13;
    }
    if on {
        return Tls13 {
            issued: Tls13Issued::Stateless,
            resumes: Tls13Resumes::Always,
        };
    }
    let resumes = match pair.cache.value {
        Cache::Store if pair.stored_for_no_time() => Tls13Resumes::Never,
        Cache::Store => Tls13Resumes::Always,
        Cache::None | Cache::NoneNotNull => Tls13Resumes::Never,
    };
    Tls13 {
        issued: Tls13Issued::Stateful,
        resumes,
    }
}

fn session_reasons(pair: &Pair<'_>, on: &Flag, spoken: Protocols) -> Vec<Reason<'static>> {
    let cache = |field| pair.reason(field, CACHE, pair.cache, false);
    let tickets = |field| on.reason(pair, field);
    let unspoken = |field| pair.reason(field, "SSLProtocol", &pair.b.protocols, false);
    let mut reasons = match spoken.tls12 {
        true => vec![cache(Field::Tls12SessionId), tickets(Field::Tls12Ticket)],
        false => vec![
            unspoken(Field::Tls12SessionId),
            unspoken(Field::Tls12Ticket),
        ],
    };
    if !spoken.tls13 {
        reasons.push(unspoken(Field::Tls13Issued));
        reasons.push(unspoken(Field::Tls13Resumes));
        return reasons;
    }
    if let Some(count) = pair.a.ticket_count().filter(|count| count.value == 0) {
        let reason = |field| Reason {
            origin: Some(Origin::ConfCommand),
            ..pair.reason(field, CONF_CMD, &count, true)
        };
        reasons.push(reason(Field::Tls13Issued));
        reasons.push(reason(Field::Tls13Resumes));
        return reasons;
    }
    reasons.push(tickets(Field::Tls13Issued));
    reasons.push(match on.value {
        true => tickets(Field::Tls13Resumes),
        false => cache(Field::Tls13Resumes),
    });
    reasons
}

/// The flag in force with the block that gives it.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) value: bool,
    pub(super) from_a: bool,
    pub(super) flag: Value<bool>,
    /// True where a conf command gave it.
    command: bool,
}

impl Flag {
    fn reason(&self, pair: &Pair<'_>, field: Field) -> Reason<'static> {
        let setting = if self.command { CONF_CMD } else { TICKETS };
        let mut reason = pair.reason(field, setting, &self.flag, self.from_a);
        if self.command {
            reason.origin = Some(Origin::ConfCommand);
        }
        reason
    }
}

fn lifetime(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13) -> (Lifetimes, Vec<Reason<'static>>) {
    let stored = pair.cache.value == Cache::Store;
    let own12 = !tls12.ticket.issued() && tls12.session_id.kept_here();
    let own13 = tls13.issued == Tls13Issued::Stateful && stored;
    let some12 = tls12.ticket.issued() || tls12.session_id.kept_here();
    // The store is told of TLS 1.3 tickets too, and what is stored takes B's timeout: so does
    // every ticket behind the first one. The longest counts.
    let longer = stored && pair.several_tickets() && pair.b.timeout.value > first_timeout(pair);
    let own13 = own13 || (tls13.issued == Tls13Issued::Stateless && longer);
    let seconds = |own: bool| match own {
        true => pair.b.timeout.value,
        false => first_timeout(pair),
    };
    let lifetime = PerProtocol {
        tls12: some12.then(|| seconds(own12)),
        tls13: tls13
            .issued
            .any()
            .then(|| seconds(own13).min(TLS13_LONGEST)),
    };
    let mut reasons = Vec::new();
    let fields = [
        (Field::Lifetime12, own12, lifetime.tls12),
        (Field::Lifetime13, own13, lifetime.tls13),
    ];
    for (field, own, _) in fields.iter().filter(|(_, _, seconds)| seconds.is_some()) {
        let timeout = if *own {
            &pair.b.timeout
        } else {
            &pair.a.timeout
        };
        reasons.push(pair.reason(*field, TIMEOUT, timeout, !own));
    }
    (lifetime, reasons)
}

/// A's timeout; OpenSSL takes 0 for its own default.
fn first_timeout(pair: &Pair<'_>) -> u64 {
    match pair.a.timeout.value {
        0 => ZERO_TIMEOUT,
        seconds => seconds,
    }
}

fn chain_bounded(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13) -> PerProtocol<Option<bool>> {
    let resumes12 = tls12.ticket == Tls12Ticket::Resumes || tls12.session_id.kept_here();
    // Only a key file bounds a TLS 1.3 session that is resumed again and again.
    let by_file = tls13.issued == Tls13Issued::Stateless && matches!(pair.keys(), Keys::File(_));
    PerProtocol {
        tls12: resumes12.then_some(true),
        tls13: tls13.resumes.ever().then_some(by_file),
    }
}

fn key(pair: &Pair<'_>, tls12: Tls12, tls13: Tls13, on: &Flag) -> (Tickets, Reason<'static>) {
    let nothing = Tickets {
        source: KeySource::None,
        files: Vec::new(),
        zone: None,
        replaced: None,
    };
    let unset = Value {
        value: (),
        text: "none".into(),
        by: None,
    };
    let broken = on.value && pair.keys() == Keys::Broken;
    let issued = tls12.ticket.issued() || tls13.issued == Tls13Issued::Stateless || broken;
    if !issued {
        return (nothing, on.reason(pair, Field::TicketKey));
    }
    match pair.keys() {
        Keys::Random => {
            let key = Tickets {
                source: KeySource::Startup,
                replaced: Some(Replaced::Reload),
                ..nothing
            };
            (key, pair.reason(Field::TicketKey, KEY_FILE, &unset, true))
        }
        Keys::File(file) => {
            let key = Tickets {
                source: KeySource::Files,
                files: vec![file.value.clone()],
                replaced: Some(Replaced::ByFile),
                ..nothing
            };
            (key, pair.reason(Field::TicketKey, KEY_FILE, file, false))
        }
        Keys::Broken => {
            let key = Tickets {
                source: KeySource::Unknown,
                ..nothing
            };
            (key, pair.reason(Field::TicketKey, KEY_FILE, &unset, false))
        }
    }
}

impl<'a> Pair<'a> {
    /// Tickets in force: off if A or B is off, because options are only ever added.
    pub(super) fn tickets_on(&self) -> Flag {
        let (a, b) = (self.a.tickets_effective(), self.b.tickets_effective());
        let from_a = self.decider(TICKETS) == Decider::AnyOff && b.value && !a.value;
        let (flag, config) = if from_a { (a, self.a) } else { (b, self.b) };
        let command = flag.by != config.tickets.by;
        Flag {
            value: flag.value,
            from_a,
            flag,
            command,
        }
    }

    /// A full handshake gives more than one ticket, as it does by default.
    fn several_tickets(&self) -> bool {
        let count = self.a.ticket_count();
        count.is_none_or(|count| count.value > 1)
    }

    /// A store keeps sessions for B's timeout, and one of 0 is no default there.
    fn stored_for_no_time(&self) -> bool {
        self.cache.value == Cache::Store && self.b.timeout.value == 0
    }

    /// Whether the file callback runs is A's, which key it finds is B's.
    pub(super) fn keys(&self) -> Keys<'a> {
        match (&self.a.key, &self.b.key) {
            (None, _) => Keys::Random,
            (Some(_), Some(file)) => Keys::File(file),
            (Some(_), None) => Keys::Broken,
        }
    }

    /// The named decider of a directive in this version.
    pub(super) fn decider(&self, name: &str) -> Decider {
        let row = catalog::apache(name.as_bytes());
        row.map_or(Decider::None, |row| row.decider(self.version))
    }

    fn reason<T>(
        &self,
        field: Field,
        setting: &'static str,
        value: &Value<T>,
        from_a: bool,
    ) -> Reason<'static> {
        let foreign = from_a && !self.same;
        Reason {
            field,
            setting,
            value: Cow::Owned(value.text.clone()),
            by: value.by,
            origin: foreign.then_some(Origin::FirstVhost),
        }
    }
}
