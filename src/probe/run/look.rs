//! One endpoint: what each kind of client is given, and what of it resumes.

use std::collections::BTreeMap;

use super::pace::Pace;
use super::{Kind, Place};
use crate::probe::{
    Ability, Certificate, EarlyData, Issued, KeySeen, Observed, Offer, Plan, Tls12Seen, Tls13Seen,
    Tries, weakness,
};
use crate::tls::client::{ClientError, Observation, Peer};
use crate::tls::{Session, Ticket};

pub(super) fn look(pace: &Pace<'_>, plan: &Plan, place: &Place) -> Observed {
    let mut seen = Observed {
        address: place.address.to_string(),
        name: place.name.clone(),
        ..Observed::default()
    };
    let asked = Kind::asked(plan);
    let mut failures = Vec::new();
    for kind in &asked {
        let tally = Tally::take(pace, plan, place, *kind);
        if let Some(error) = &tally.failure {
            failures.push(error.clone());
            if hopeless(error) && seen.status.is_none() && seen.certificate.is_none() {
                break;
            }
        }
        tally.tell(*kind, &mut seen);
        if *kind == Kind::Tls13 {
            seen.early_data = early_data(pace, place, &tally);
        }
    }
    let answered = seen.certificate.is_some();
    if !answered {
        let names = failures.iter().filter(|why| **why == ClientError::Name);
        seen.rejects = names.count() > 0;
        if !seen.rejects {
            seen.unreachable = Some(reason(&failures, plan));
        }
    }
    for (unasked, offer) in [
        (!plan.tls12, &mut seen.tls12.session_id),
        (!plan.tls12, &mut seen.tls12.ticket),
        (!plan.tls13, &mut seen.tls13.ticket),
    ] {
        if unasked {
            offer.resumes = Ability::Unasked;
        }
    }
    seen
}

/// No other kind of client would fare better.
fn hopeless(error: &ClientError) -> bool {
    !matches!(
        error,
        ClientError::Version | ClientError::Name | ClientError::Alert { .. }
    )
}

fn reason(failures: &[ClientError], plan: &Plan) -> String {
    let versions = failures.iter().all(|why| *why == ClientError::Version);
    match failures.iter().find(|why| **why != ClientError::Version) {
        Some(why) => why.to_string(),
        None if versions && plan.tls12 && plan.tls13 => {
            "the server speaks neither TLS 1.2 nor TLS 1.3".to_owned()
        }
        None => ClientError::Version.to_string(),
    }
}

/// A count of what became of fresh sessions of one kind.
#[derive(Default)]
struct Tally {
    failure: Option<ClientError>,
    /// The failure came when a session was offered.
    on_resumption: bool,
    tries: Tries,
    /// Sessions that the first full handshake brought.
    count: usize,
    renewals: Option<usize>,
    single_use: Option<bool>,
    /// Lifetimes with the times that each was seen.
    hints: BTreeMap<u64, usize>,
    keys: Vec<KeySeen>,
    last: Option<Session>,
    first_visit: Option<Observation>,
}

impl Tally {
    fn take(pace: &Pace<'_>, plan: &Plan, place: &Place, kind: Kind) -> Self {
        let mut tally = Self::default();
        for _ in 0..plan.attempts.max(1) {
            if let Err(error) = tally.round(pace, place, kind) {
                tally.failure = Some(error);
                return tally;
            }
            if tally.last.is_none() {
                return tally;
            }
        }
        // With a process that has none of the others' sessions a second miss says nothing.
        if tally.tries.resumed == tally.tries.offered {
            let hello = kind.hello(place.name.as_deref());
            let again = tally.last.as_ref().map(|session| hello.with(session));
            let again = again.and_then(|hello| pace.visit(place, &hello).ok());
            tally.single_use = again.map(|seen| !seen.resumed);
        }
        tally
    }

    fn round(&mut self, pace: &Pace<'_>, place: &Place, kind: Kind) -> Result<(), ClientError> {
        let hello = kind.hello(place.name.as_deref());
        let fresh = pace.visit(place, &hello)?;
        self.note(&fresh);
        self.last = fresh.sessions.last().cloned();
        if self.first_visit.is_none() {
            self.count = fresh.sessions.len();
            self.first_visit = Some(fresh);
        }
        let Some(session) = &self.last else {
            return Ok(());
        };
        self.tries.offered += 1;
        let again = pace.visit(place, &hello.with(session));
        let again = again.inspect_err(|_| self.on_resumption = true)?;
        if again.resumed {
            self.tries.resumed += 1;
            self.renewals = Some(again.sessions.len());
            self.note_keys(&again);
        }
        Ok(())
    }

    fn note(&mut self, seen: &Observation) {
        if let Some(hint) = hint(&seen.sessions) {
            *self.hints.entry(hint).or_default() += 1;
        }
        self.note_keys(seen);
    }

    fn note_keys(&mut self, seen: &Observation) {
        for session in &seen.sessions {
            note_key(&mut self.keys, session);
        }
    }

    fn tell(&self, kind: Kind, seen: &mut Observed) {
        if let Some(first) = &self.first_visit {
            seen.status = seen.status.or(first.status);
            seen.alpn = seen.alpn.take().or_else(|| first.alpn.clone());
            let certificate = first.peer.as_ref().map(certificate);
            seen.certificate = seen.certificate.take().or(certificate);
        }
        for key in &self.keys {
            if seen.keys.iter().all(|known| known.name != key.name) {
                seen.keys.push(key.clone());
            }
        }
        let offer = self.offer();
        let issued = match &self.last {
            Some(session) if session.is_stateful() => Issued::Stateful,
            Some(session) if !session.ticket().is_empty() => Issued::Stateless,
            _ => Issued::None,
        };
        match kind {
            Kind::Id12 => {
                let sent = self.last.as_ref();
                seen.tls12.id_sent = sent.is_some_and(|session| !session.id().is_empty());
                seen.tls12.session_id = offer;
            }
            Kind::Ticket12 => {
                seen.tls12 = Tls12Seen {
                    ticket: offer,
                    issued,
                    ..std::mem::take(&mut seen.tls12)
                };
            }
            Kind::Tls13 => {
                seen.tls13 = Tls13Seen {
                    ticket: offer,
                    issued,
                    tickets: self.count,
                    tickets_on_resumption: self.renewals,
                };
            }
        }
    }

    fn offer(&self) -> Offer {
        let resumes = match (&self.failure, self.tries) {
            (Some(ClientError::Version | ClientError::Name), _) if !self.on_resumption => {
                Ability::Unavailable
            }
            (Some(_), _) => Ability::Fails,
            (None, Tries { resumed: 0, .. }) => Ability::Never,
            (None, tries) if tries.resumed == tries.offered => Ability::Always,
            (None, _) => Ability::Sometimes,
        };
        // nginx takes off what passed since the session was made, by another clock: where a
        // second ends in between, one handshake is one second off.
        let hint = self.hints.iter().max_by_key(|(_, count)| **count);
        let failure = match resumes {
            Ability::Fails => self.failure.as_ref().map(ToString::to_string),
            _ => None,
        };
        Offer {
            resumes,
            tries: self.tries,
            lifetime_hint: hint.map(|(hint, _)| *hint),
            renewed: self.renewals.map(|count| count > 0),
            single_use: self.single_use,
            failure,
        }
    }
}

/// The lifetime that the tickets of one connection are given. httpd gives the first another one
/// than those behind it: under a key the longest counts, and in a store what the store was told.
fn hint(sessions: &[Session]) -> Option<u64> {
    let mut tickets = sessions.iter().filter(|it| !it.ticket().is_empty());
    if tickets.clone().any(Session::is_stateful) {
        return tickets.next_back().map(Session::hint);
    }
    tickets.map(Session::hint).max()
}

/// Adds the key of a session's ticket, where it is new.
pub(super) fn note_key(keys: &mut Vec<KeySeen>, session: &Session) {
    let Some(name) = session.key_name().map(hex) else {
        return;
    };
    if keys.iter().any(|key| key.name == name) {
        return;
    }
    let ticket = session.stateless();
    let weak = ticket.as_ref().and_then(|ticket: &Ticket| weakness(ticket));
    keys.push(KeySeen { name, weak });
}

fn early_data(pace: &Pace<'_>, place: &Place, tally: &Tally) -> EarlyData {
    let session = tally.last.as_ref().filter(|it| it.early_data() > 0);
    let Some(session) = session else {
        return EarlyData::default();
    };
    let hello = super::Hello {
        early: true,
        ..Kind::Tls13.hello(place.name.as_deref()).with(session)
    };
    let taken = || pace.visit(place, &hello).ok().and_then(|seen| seen.early);
    let accepted = taken();
    EarlyData {
        bytes: session.early_data(),
        accepted,
        accepted_again: accepted.filter(|taken| *taken).and_then(|_| taken()),
    }
}

fn certificate(peer: &Peer) -> Certificate {
    let Peer {
        subject,
        issuer,
        names,
        not_after,
        fingerprint,
        distrusted,
    } = peer.clone();
    Certificate {
        subject,
        issuer,
        names,
        not_after,
        sha256: fingerprint,
        distrusted,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
