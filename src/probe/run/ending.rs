//! What a client can end: its own sessions, in every way that there is, and whether they still
//! resume afterwards.

use super::pace::Pace;
use super::{Kind, Place};
use crate::probe::{Ended, Endings, Plan, ProbeError, Saved};
use crate::tls::client::{self, Ending, Hello};
use crate::tls::{Manner, Protocol, Session};

const BROKEN_OFF: &str = "broken-off-resumption";

pub(super) fn endings(pace: &Pace<'_>, plan: &Plan, place: &Place) -> Endings {
    let mut tried = Vec::new();
    for kind in Kind::asked(plan) {
        if let Some(kind) = unresumable(pace, plan, place, kind) {
            tried.extend(Ending::ALL.map(|ending| unended(kind, ending)));
            continue;
        }
        for ending in Ending::ALL {
            tried.extend(full(pace, place, kind, ending));
            tried.extend(resumed(pace, place, kind, ending));
        }
        tried.extend(broken_off(pace, place, kind));
    }
    Endings {
        endpoint: place.label(),
        tried,
    }
}

/// The kind of session that is handed out here and never resumes, however its connection ends:
/// of such a session it cannot be told what ended it.
fn unresumable(pace: &Pace<'_>, plan: &Plan, place: &Place, kind: Kind) -> Option<&'static str> {
    let hello = kind.hello(place.name.as_deref());
    let mut given = None;
    // With a process that has none of the others' sessions one miss says nothing.
    for _ in 0..plan.attempts.max(1) {
        let sessions = pace.visit(place, &hello).ok()?.sessions;
        given = Some(word(kind, sessions.last()?)?);
        if resuming(pace, place, &hello, &sessions).contains(&true) {
            return None;
        }
    }
    given
}

fn unended(kind: &'static str, ending: Ending) -> Ended {
    Ended {
        kind,
        way: ending.word(),
        connection: "full",
        still_resumes: Vec::new(),
        untried: Some("sessions of this kind never resume here".to_owned()),
    }
}

/// Suites and ways of a connection that ends in this way. All of one row speak the same
/// suites: a session of TLS 1.3 resumes only with its own hash.
fn greeting(place: &Place, kind: Kind, ending: Ending) -> Hello<'_> {
    Hello {
        sealing: ending == Ending::FatalCloseNotify,
        ..kind.hello(place.name.as_deref())
    }
}

/// The sessions of a connection with a full handshake.
fn full(pace: &Pace<'_>, place: &Place, kind: Kind, ending: Ending) -> Option<Ended> {
    let hello = greeting(place, kind, ending);
    let open = match pace.open(place, &hello) {
        Ok(open) => open,
        Err(why) => return untried(kind, ending, &why, &hello),
    };
    if ending == Ending::FatalCloseNotify && !open.can_seal() {
        return untried(kind, ending, &"the suite is not AES-GCM", &hello);
    }
    let sessions = open.end(ending).sessions;
    let word = word(kind, sessions.last()?)?;
    Some(Ended {
        kind: word,
        way: ending.word(),
        connection: "full",
        still_resumes: resuming(pace, place, &hello, &sessions),
        untried: None,
    })
}

/// A session that a second connection resumes and ends: the purpose-made connection.
fn resumed(pace: &Pace<'_>, place: &Place, kind: Kind, ending: Ending) -> Option<Ended> {
    let hello = greeting(place, kind, ending);
    let sessions = pace.visit(place, &hello).ok()?.sessions;
    let word = word(kind, sessions.last()?)?;
    let mut still = Vec::new();
    for session in &sessions {
        let open = pace.open(place, &hello.with(session)).ok()?;
        if !open.resumed() {
            return None;
        }
        open.end(ending);
        still.extend(resuming(pace, place, &hello, std::slice::from_ref(session)));
    }
    Some(Ended {
        kind: word,
        way: ending.word(),
        connection: "resumed",
        still_resumes: still,
        untried: None,
    })
}

/// TLS 1.3: a fatal alert before the resumption is complete. Only then the server still holds
/// the session that was offered, and not the next one.
fn broken_off(pace: &Pace<'_>, place: &Place, kind: Kind) -> Option<Ended> {
    if kind != Kind::Tls13 {
        return None;
    }
    let hello = kind.hello(place.name.as_deref());
    let sessions = pace.visit(place, &hello).ok()?.sessions;
    let word = word(kind, sessions.last()?)?;
    let mut still = Vec::new();
    for session in &sessions {
        if !pace.break_off(place, &hello.with(session)).ok()? {
            return None;
        }
        still.extend(resuming(pace, place, &hello, std::slice::from_ref(session)));
    }
    Some(Ended {
        kind: word,
        way: BROKEN_OFF,
        connection: "resumed",
        still_resumes: still,
        untried: None,
    })
}

fn resuming(pace: &Pace<'_>, place: &Place, hello: &Hello<'_>, sessions: &[Session]) -> Vec<bool> {
    let again = sessions.iter().map(|session| {
        let seen = pace.visit(place, &hello.with(session));
        seen.is_ok_and(|seen| seen.resumed)
    });
    again.collect()
}

/// `None` where the kind of client got another kind of session: it has a row of its own.
fn word(kind: Kind, session: &Session) -> Option<&'static str> {
    let ticket = !session.ticket().is_empty();
    match kind {
        Kind::Id12 => Some("1.2-id"),
        Kind::Ticket12 => ticket.then_some("1.2-ticket"),
        Kind::Tls13 if session.is_stateful() => Some("1.3-stateful"),
        Kind::Tls13 => Some("1.3-stateless"),
    }
}

fn untried(
    kind: Kind,
    ending: Ending,
    why: &dyn std::fmt::Display,
    hello: &Hello<'_>,
) -> Option<Ended> {
    // What is not spoken at all is said elsewhere.
    hello.sealing.then(|| Ended {
        kind: kind.word(),
        way: ending.word(),
        connection: "full",
        still_resumes: Vec::new(),
        untried: Some(why.to_string()),
    })
}

/// Ends a saved session by a connection made for nothing else: resumes it and sends a fatal
/// alert; then offers it once more.
///
/// # Errors
/// [`ProbeError`] where the server is not reached.
pub fn end_saved(
    plan: &Plan,
    manner: &Manner,
    session: &Session,
    tick: &(dyn Fn(usize, &str) + Sync),
) -> Result<Saved, ProbeError> {
    let mut plan = plan.clone();
    if plan.names.is_empty() {
        plan.names
            .extend(session.name().map(|name| Some(name.to_owned())));
    }
    let pace = Pace::new(&plan, manner, tick)?;
    let places = super::places(&plan, manner.patience)?;
    let Some(place) = places.first() else {
        return Err(ProbeError::Client("no server to end it at".to_owned()));
    };
    let kind = match (session.protocol(), session.ticket().is_empty()) {
        (Protocol::Tls13, _) => Kind::Tls13,
        (Protocol::Tls12, true) => Kind::Id12,
        (Protocol::Tls12, false) => Kind::Ticket12,
    };
    let failed = |why: client::ClientError| ProbeError::Unreachable {
        address: place.label(),
        why: why.to_string(),
    };
    let hello = kind.hello(place.name.as_deref()).with(session);
    let resumed = match kind {
        Kind::Tls13 => pace.break_off(place, &hello).map_err(failed)?,
        Kind::Id12 | Kind::Ticket12 => {
            let open = pace.open(place, &hello).map_err(failed)?;
            let resumed = open.resumed();
            open.end(Ending::FatalAlert);
            resumed
        }
    };
    let after = pace.visit(place, &hello).map_err(failed)?;
    Ok(Saved {
        kind: word(kind, session).unwrap_or(kind.word()),
        endpoint: place.label(),
        resumed,
        still_resumes: after.resumed,
    })
}
