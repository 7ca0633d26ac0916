//! The project's answer against the client's, field by field.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use stekguard::model::{ClientAuth, CrossName, Endpoint, KeySource, Module};

use super::observe::{Probe, Seen, Sessions};
use super::predict::Predicted;
use crate::support::client::Kind;

/// One field in which the two differ.
#[derive(Debug, Clone)]
pub struct Difference {
    pub place: String,
    pub field: String,
    pub predicted: String,
    pub observed: String,
}

/// Compares and counts.
#[derive(Default)]
pub struct Comparison {
    pub compared: usize,
    pub differences: Vec<Difference>,
    /// Key names seen, by what should give them.
    keys: HashMap<String, Vec<u8>>,
}

/// Length of a stateful ticket, which is a session id.
const STATEFUL: usize = 32;
const KEY_NAME: usize = 16;

impl Comparison {
    fn check(&mut self, place: &str, field: &str, predicted: &str, observed: &str) {
        self.compared += 1;
        if predicted == observed {
            return;
        }
        self.differences.push(Difference {
            place: place.to_owned(),
            field: field.to_owned(),
            predicted: predicted.to_owned(),
            observed: observed.to_owned(),
        });
    }

    /// Something that is no value of a field.
    pub fn broken(&mut self, why: String) {
        self.check("", "exchange", "fine", &why);
    }

    /// All that one probe saw.
    pub fn endpoint(&mut self, predicted: &Predicted, probe: &Probe, seen: &Seen, workers: usize) {
        let place = probe.label();
        let Some(endpoint) = predicted.endpoint(&probe.address, probe.sni.as_deref()) else {
            return self.check(&place, "endpoint", "none", "answers");
        };
        let [id, ticket, tls13] = &seen.kinds;
        let alone = workers == 1;
        let word = endpoint.tls12.session_id.word();
        self.check(
            &place,
            "tls12.session_id",
            usual(word, alone, "resumes"),
            id_word(id),
        );
        self.check(
            &place,
            "tls12.ticket",
            endpoint.tls12.ticket.word(),
            ticket_word(ticket),
        );
        self.check(
            &place,
            "tls13.issued",
            endpoint.tls13.issued.word(),
            issued_word(tls13),
        );
        let word = endpoint.tls13.resumes.word();
        self.check(
            &place,
            "tls13.resumes",
            usual(word, alone, "always"),
            resumes_word(tls13),
        );
        self.check(
            &place,
            "rejects",
            &endpoint.rejects.to_string(),
            &rejects(seen, endpoint),
        );
        self.lifetimes(&place, endpoint, ticket, tls13);
        if tls13.count > 0 {
            let early = endpoint.early_data.to_string();
            self.check(&place, "early_data", &early, &(tls13.early > 0).to_string());
        }
        self.keys(&place, predicted, endpoint, seen);
        self.clients(&place, predicted, endpoint, seen);
    }

    fn lifetimes(&mut self, place: &str, endpoint: &Endpoint, ticket: &Sessions, tls13: &Sessions) {
        let shown = |seconds: Option<u64>| seconds.map_or("null".to_owned(), |s| s.to_string());
        let life = endpoint.lifetime_seconds;
        if !ticket.ticket.is_empty() {
            let hint = ticket.hint.to_string();
            self.check(place, "lifetime_seconds.tls12", &shown(life.tls12), &hint);
        }
        let hint = (tls13.count > 0).then_some(tls13.hint);
        // nginx takes the session's age from the hint by a clock that it reads once a round.
        let ticked = life
            .tls13
            .zip(hint)
            .is_some_and(|(said, seen)| said.abs_diff(seen) == 1);
        let hint = if ticked { life.tls13 } else { hint };
        self.check(
            place,
            "lifetime_seconds.tls13",
            &shown(life.tls13),
            &shown(hint),
        );
    }

    /// The key's name stands in front of a stateless ticket: that of the file, or the same for
    /// all who should share a key and for nobody else.
    fn keys(&mut self, place: &str, predicted: &Predicted, endpoint: &Endpoint, seen: &Seen) {
        let key = &endpoint.ticket_key;
        for sessions in &seen.kinds[1..] {
            if sessions.ticket.len() <= STATEFUL {
                continue;
            }
            // A zone's key lives for a timeout or so: with one of 0 it may be gone already.
            if key.source == KeySource::Zone && predicted.has_no_time() {
                continue;
            }
            let name = &sessions.ticket[..KEY_NAME];
            let governor = endpoint.governor.0;
            let (wanted, known) = match key.source {
                KeySource::Files => {
                    let file = predicted.site.root.with_file_name(&key.files[0]);
                    (format!("file {}", file.display()), Some(file_key(&file)))
                }
                KeySource::Zone => (format!("zone {:?}", key.zone), None),
                KeySource::Startup => (format!("startup {governor}"), None),
                KeySource::None | KeySource::Unknown => ("no key".to_owned(), None),
            };
            let known = known.or_else(|| self.keys.get(&wanted).cloned());
            let other = self
                .keys
                .iter()
                .find(|(by, have)| **by != wanted && *have == name);
            let observed = match (&known, other) {
                (Some(known), _) if known == name => wanted.clone(),
                (_, Some((by, _))) => by.clone(),
                (Some(_), None) => "another key".to_owned(),
                (None, None) if key.source == KeySource::None => "a key".to_owned(),
                (None, None) => wanted.clone(),
            };
            self.check(place, "ticket_key", &wanted, &observed);
            self.keys.insert(wanted, name.to_vec());
        }
    }

    fn clients(&mut self, place: &str, predicted: &Predicted, endpoint: &Endpoint, seen: &Seen) {
        let Some(met) = seen.kinds.iter().find(|sessions| !sessions.refused) else {
            return;
        };
        let (mark, verdict) = met
            .text
            .trim()
            .split_once(' ')
            .unwrap_or((met.text.trim(), ""));
        let wanted = predicted.mark(endpoint);
        // Who insists on a certificate and could not ask for one answers 400 with a page.
        if met.status == 200 {
            self.check(place, "block", &wanted, mark);
            let known = ["NONE", "SUCCESS"].contains(&verdict) || verdict.starts_with("FAILED:");
            self.check(
                place,
                "answer",
                "a verdict",
                if known { "a verdict" } else { &met.text },
            );
        }
        let observed = match (verdict, seen.without) {
            ("NONE", _) => "off",
            (_, Some(200)) => "optional",
            _ => "required",
        };
        let unseen = endpoint.module == Module::Stream && endpoint.client_auth != ClientAuth::Off;
        if !unseen {
            self.check(place, "client_auth", endpoint.client_auth.word(), observed);
        }
    }

    /// A session of one probe at another, by the contract: the domain, then the name.
    pub fn crossing(
        &mut self,
        predicted: &Predicted,
        (from, to): (&Probe, &Probe),
        kind: Kind,
        observed: &'static str,
    ) {
        let Some(wanted) = crossing(predicted, from, to, kind) else {
            return;
        };
        let place = format!("{} -> {}", from.label(), to.label());
        let field = format!("crossing {kind:?}");
        if observed == "none" {
            let offered = if wanted.offered { "something" } else { "none" };
            return self.check(&place, &field, offered, "none");
        }
        self.check(&place, &field, wanted.outcome, observed);
    }
}

/// What the contract says of a session offered somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// There is one that resumes somewhere.
    pub offered: bool,
    pub outcome: &'static str,
}

/// What should become of a session; `None` where there can be none.
pub fn crossing(predicted: &Predicted, from: &Probe, to: &Probe, kind: Kind) -> Option<Wanted> {
    let a = predicted.endpoint(&from.address, from.sni.as_deref())?;
    let b = predicted.endpoint(&to.address, to.sni.as_deref())?;
    let domain = match kind {
        _ if !spoken(a, kind) => return None,
        Kind::Id12 => a.issues.tls12_id.as_ref(),
        // Without a ticket a TLS 1.2 client falls back on the id.
        Kind::Ticket12 => a
            .issues
            .tls12_ticket
            .as_ref()
            .or(a.issues.tls12_id.as_ref()),
        Kind::Tls13 => a.issues.tls13.as_ref(),
    };
    let accepted = domain.is_some_and(|domain| b.accepts.contains(domain));
    let outcome = match (accepted, kind) {
        (true, Kind::Id12 | Kind::Ticket12) if predicted.session_name_first => {
            by_session_name(predicted, from, to)
        }
        _ if !spoken(b, kind) => "fails",
        (false, _) => "full",
        (true, _) => by_name(predicted, from, to),
    };
    Some(Wanted {
        offered: domain.is_some(),
        outcome,
    })
}

fn spoken(endpoint: &Endpoint, kind: Kind) -> bool {
    match kind {
        Kind::Tls13 => endpoint.tls13.issued.word() != "unavailable",
        _ => endpoint.tls12.session_id.word() != "unavailable",
    }
}

/// `cross_name`, for another name of the socket. The check by name knows only names that some
/// block has; a session made without one passes it.
fn by_name(predicted: &Predicted, from: &Probe, to: &Probe) -> &'static str {
    let endpoint = |probe: &Probe| predicted.endpoint(&probe.address, probe.sni.as_deref());
    let (Some(a), Some(b)) = (endpoint(from), endpoint(to)) else {
        return "full";
    };
    let other_name = from.sni != to.sni;
    let named = predicted.chooses(&to.address) && predicted.is_named(b, to.sni.as_deref());
    match b.cross_name {
        CrossName::Fails if other_name && from.sni.is_some() && named => "fails",
        CrossName::Full if other_name && !std::ptr::eq(a, b) && from.address == to.address => {
            "full"
        }
        _ => "resumes",
    }
}

/// TLS 1.2 before 1.29.2: the session resumes first and its own name chooses the block, not
/// the one asked for. A block that rejects is not heard; one that verifies clients refuses the
/// request afterwards (421).
fn by_session_name(predicted: &Predicted, from: &Probe, to: &Probe) -> &'static str {
    let met = predicted.endpoint(&to.address, from.sni.as_deref());
    let asked = predicted.endpoint(&to.address, to.sni.as_deref());
    let (Some(met), Some(asked)) = (met, asked) else {
        return "full";
    };
    let named = predicted.chooses(&to.address) && predicted.is_named(met, from.sni.as_deref());
    let verifies = asked.client_auth != ClientAuth::Off && to.http;
    match met.rejects || (named && from.sni != to.sni && verifies) {
        true => "fails",
        false => "resumes",
    }
}

/// With one worker, what holds for one holds for all.
fn usual<'a>(word: &'a str, alone: bool, all: &'a str) -> &'a str {
    if alone && word == "per-worker" {
        all
    } else {
        word
    }
}

fn tally(sessions: &Sessions, all: &'static str) -> &'static str {
    match (sessions.hits, sessions.misses) {
        (0, _) => "never",
        (_, 0) => all,
        _ => "per-worker",
    }
}

fn id_word(sessions: &Sessions) -> &'static str {
    if sessions.refused {
        return "unavailable";
    }
    tally(sessions, "resumes")
}

fn ticket_word(sessions: &Sessions) -> &'static str {
    match (sessions.refused, sessions.ticket.is_empty()) {
        (true, _) => "unavailable",
        (_, true) => "none",
        _ if sessions.hits == 0 => "dead",
        _ => tally(sessions, "resumes"),
    }
}

fn issued_word(sessions: &Sessions) -> &'static str {
    match (sessions.refused, sessions.ticket.len()) {
        (true, _) => "unavailable",
        (_, 0) => "none",
        (_, STATEFUL) => "stateful",
        _ => "stateless",
    }
}

fn resumes_word(sessions: &Sessions) -> &'static str {
    tally(sessions, "always")
}

/// Every handshake is refused. Where no protocol is spoken a client cannot tell.
fn rejects(seen: &Seen, endpoint: &Endpoint) -> String {
    let all = seen.kinds.iter().all(|sessions| sessions.refused);
    let mute = endpoint.tls13.issued.word() == "unavailable"
        && endpoint.tls12.session_id.word() == "unavailable";
    (all && (endpoint.rejects || !mute)).to_string()
}

fn file_key(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap()[..KEY_NAME].to_vec()
}
