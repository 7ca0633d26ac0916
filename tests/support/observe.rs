//! Judges an address and name by resuming there, in the words of the `inspect` contract.

use std::collections::BTreeMap;
use std::fmt;

use super::client::{Failure, Kind, Manner, Target, connect_as};
use super::session::Issued;

/// The state of one endpoint, in the contract's words. Tables write it down, `observe` sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub id: &'static str,
    pub ticket: &'static str,
    pub issued: &'static str,
    pub resumes: &'static str,
    /// Seconds, TLS 1.2 and TLS 1.3; `None` where nothing is issued. A client sees the TLS 1.2
    /// one only on a ticket.
    pub life: (Option<u64>, Option<u64>),
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |life: Option<u64>| life.map_or("null".to_owned(), |life| life.to_string());
        write!(
            out,
            "id={} ticket={} issued={} resumes={} life={}/{}",
            self.id,
            self.ticket,
            self.issued,
            self.resumes,
            seconds(self.life.0),
            seconds(self.life.1)
        )
    }
}

/// What the client saw, beyond the contract's words too.
#[derive(Debug, Clone)]
pub struct Seen {
    pub state: State,
    /// A TLS 1.2 server sent a session id, whether it resumes or not.
    pub id_sent: bool,
    /// Whether a TLS 1.2 client that offers tickets and gets none resumes by id all the same.
    pub id_beside_ticket: &'static str,
    /// NewSessionTickets after a full TLS 1.3 handshake.
    pub tickets13: usize,
    /// The key name in front of a stateless ticket: TLS 1.2, TLS 1.3.
    pub key_names: (Option<Vec<u8>>, Option<Vec<u8>>),
}

/// Full handshake and resumption, this many times: two processes without a common cache look
/// alike to a client by chance in one of 2^15 runs.
const ROUNDS: usize = 16;
/// A stateful ticket of OpenSSL is a session id.
const STATEFUL: usize = 32;
const KEY_NAME: usize = 16;

/// Connects by every kind, again and again.
///
/// # Errors
/// A handshake that fails for another reason than version or name.
pub fn observe(manner: &Manner, target: &Target) -> Result<Seen, String> {
    let id = tally(manner, target, Kind::Id12)?;
    let ticket = tally(manner, target, Kind::Ticket12)?;
    let tls13 = tally(manner, target, Kind::Tls13)?;

    let given = ticket
        .sample
        .as_ref()
        .filter(|issued| !issued.ticket.is_empty());
    let life12 = given.and_then(|_| ticket.usual_hint());
    let life13 = tls13.usual_hint();
    let state = State {
        id: if id.refused {
            "unavailable"
        } else {
            id.word("resumes")
        },
        ticket: match (ticket.refused, given.is_some()) {
            (true, _) => "unavailable",
            (false, false) => "none",
            (false, true) if ticket.hits == 0 => "dead",
            (false, true) => ticket.word("resumes"),
        },
        issued: match &tls13.sample {
            _ if tls13.refused => "unavailable",
            None => "none",
            Some(issued) if issued.ticket.len() == STATEFUL => "stateful",
            Some(_) => "stateless",
        },
        resumes: tls13.word("always"),
        life: (life12, life13),
    };
    Ok(Seen {
        state,
        id_sent: id.sample.is_some(),
        id_beside_ticket: if given.is_some() {
            "ticket"
        } else {
            ticket.word("resumes")
        },
        tickets13: tls13.count,
        key_names: (
            given.and_then(key_name),
            tls13.sample.as_ref().and_then(key_name),
        ),
    })
}

/// Offers at `to` a session that `from` gave: `resumes`, `full` (a full handshake instead), `fails`
/// (the handshake is refused) or `none` (nothing to offer). `resumes, 421` where the request is
/// refused then, as meant for another name, and `resumes, 400` for want of a certificate.
///
/// # Errors
/// `from` cannot be reached.
pub fn cross(
    manner: &Manner,
    from: &Target,
    to: &Target,
    kind: Kind,
) -> Result<&'static str, String> {
    let first = connect_as(manner, from, kind, None).map_err(|why| why.to_string())?;
    let Some(session) = first.issued.last() else {
        return Ok("none");
    };
    match connect_as(manner, to, kind, Some(session)) {
        Ok(second) if second.resumed => Ok(match second.status() {
            Some(421) => "resumes, 421",
            Some(400) => "resumes, 400",
            _ => "resumes",
        }),
        Ok(_) => Ok("full"),
        Err(_) => Ok("fails"),
    }
}

/// A count of resumptions of fresh sessions.
#[derive(Debug, Default)]
struct Tally {
    refused: bool,
    hits: usize,
    misses: usize,
    count: usize,
    sample: Option<Issued>,
    /// Lifetimes with the times that each was seen.
    hints: BTreeMap<u64, usize>,
}

impl Tally {
    /// nginx takes off what passed since OpenSSL made the session, by another clock: where a
    /// second ends in between, one handshake is one second off.
    fn usual_hint(&self) -> Option<u64> {
        let (hint, _) = self.hints.iter().max_by_key(|(_, count)| **count)?;
        Some(*hint)
    }

    fn word(&self, all: &'static str) -> &'static str {
        match (self.hits, self.misses) {
            (0, _) => "never",
            (_, 0) => all,
            _ => "per-worker",
        }
    }
}

fn tally(manner: &Manner, target: &Target, kind: Kind) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for round in 0..ROUNDS {
        let fresh = match connect_as(manner, target, kind, None) {
            Ok(connection) => connection,
            Err(Failure::Version | Failure::Name) if round == 0 => {
                return Ok(Tally {
                    refused: true,
                    ..tally
                });
            }
            Err(why) => return Err(format!("{kind:?}, full handshake {round}: {why}")),
        };
        let Some(session) = fresh.issued.last() else {
            return Ok(tally);
        };
        let again = connect_as(manner, target, kind, Some(session))
            .map_err(|why| format!("{kind:?}, resumption {round}: {why}"))?;
        tally.hits += usize::from(again.resumed);
        tally.misses += usize::from(!again.resumed);
        tally.count = fresh.issued.len();
        *tally.hints.entry(session.hint).or_default() += 1;
        tally.sample = Some(session.clone());
        if tally.hits > 0 && tally.misses > 0 {
            return Ok(tally);
        }
    }
    Ok(tally)
}

fn key_name(issued: &Issued) -> Option<Vec<u8>> {
    let stateless = issued.ticket.len() > STATEFUL;
    stateless.then(|| issued.ticket[..KEY_NAME].to_vec())
}
