//! The project's answer against what a client meets, field by field.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stekguard::model::{ClientAuth, Endpoint, KeySource, Tls12Id, Tls12Ticket, Tls13Issued};

use super::client::{Answer, Client, Met, Probe};
use super::coverage::{self, Rows};
use super::predict::Predicted;
use super::world::World;
use crate::support::client::Kind;
use crate::support::session::Issued;

/// One field in which the two differ.
#[derive(Debug, Clone)]
pub struct Difference {
    pub place: String,
    pub field: String,
    pub predicted: String,
    pub observed: String,
}

/// What one tree showed.
#[derive(Debug, Default)]
pub struct Outcome {
    pub compared: usize,
    pub differences: Vec<Difference>,
    pub rows: Rows,
}

/// The three ways in which a client holds sessions.
pub const KINDS: [Kind; 3] = [Kind::Id12, Kind::Ticket12, Kind::Tls13];
const STATEFUL: usize = 32;
const KEY_NAME: usize = 16;

/// Compares one running tree.
pub struct Comparison<'a> {
    pub predicted: &'a Predicted,
    pub client: &'a Client,
    pub world: &'a World,
    pub outcome: Outcome,
    keys: HashMap<String, Vec<u8>>,
    tight: bool,
}

/// What a full handshake gave, and what became of its session.
struct Sight {
    first: Answer,
    again: Option<Answer>,
}

impl<'a> Comparison<'a> {
    /// Nothing compared yet.
    pub fn new(predicted: &'a Predicted, client: &'a Client, world: &'a World) -> Self {
        Self {
            predicted,
            client,
            world,
            outcome: Outcome::default(),
            keys: HashMap::new(),
            tight: predicted.is_tight(),
        }
    }

    fn check(&mut self, place: &str, field: &str, predicted: &str, observed: &str) {
        self.outcome.compared += 1;
        if predicted == observed {
            return;
        }
        self.outcome.differences.push(Difference {
            place: place.to_owned(),
            field: field.to_owned(),
            predicted: predicted.to_owned(),
            observed: observed.to_owned(),
        });
    }

    /// Everything that one address and name shows.
    ///
    /// # Errors
    /// An exchange that breaks.
    pub fn probe(&mut self, probe: &Probe) -> Result<(), String> {
        let place = label(probe);
        let mut sights = Vec::new();
        for kind in KINDS {
            sights.push(
                self.sight(probe, kind)
                    .map_err(|why| format!("{place} {kind:?}: {why}"))?,
            );
        }
        let plain = sights
            .iter()
            .all(|sight| matches!(sight.first, Answer::Plain));
        let predicted = self.predicted;
        let Some(endpoint) = predicted.endpoint(probe) else {
            let observed = if plain { "plain" } else { "TLS" };
            self.check(&place, "endpoint", "plain", observed);
            coverage::plain(&mut self.outcome.rows, predicted);
            return Ok(());
        };
        if plain {
            self.check(&place, "endpoint", "TLS", "plain");
            return Ok(());
        }
        if self.predicted.is_without_tls(endpoint) && endpoint.client_auth == ClientAuth::Optional {
            // A client's certificate is refused there, for want of a depth; one without is served.
            coverage::hit(
                &mut self.outcome.rows,
                "not compared: optional client certificates behind a vhost without TLS",
            );
            return Ok(());
        }
        let refused = sights
            .iter()
            .all(|sight| matches!(sight.first, Answer::Refused(_)));
        if endpoint.rejects {
            self.check(&place, "rejects", "true", &refused.to_string());
        }
        self.states(&place, endpoint, &sights);
        self.lifetimes(&place, endpoint, &sights);
        self.keys(&place, endpoint, &sights);
        self.block(&place, probe, endpoint, &sights)?;
        coverage::endpoint(&mut self.outcome.rows, predicted, endpoint);
        Ok(())
    }

    fn sight(&self, probe: &Probe, kind: Kind) -> Result<Sight, String> {
        self.align();
        let first = self.client.ask(probe, kind, true, None)?;
        let again = match &first {
            Answer::Met(Met { issued, .. }) if !issued.is_empty() => {
                Some(self.client.ask(probe, kind, true, issued.last())?)
            }
            _ => None,
        };
        Ok(Sight { first, again })
    }

    /// Sessions of a second are looked at in its first half.
    fn align(&self) {
        if !self.tight {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let left = 1000 - now.subsec_millis();
        if left < 500 {
            thread::sleep(Duration::from_millis(u64::from(left) + 5));
        }
    }

    fn states(&mut self, place: &str, endpoint: &Endpoint, sights: &[Sight]) {
        let [id, ticket, tls13] = sights else { return };
        let (tls12, thirteen) = (endpoint.tls12, endpoint.tls13);
        if tls12.session_id == Tls12Id::Unknown {
            coverage::hit(&mut self.outcome.rows, "unknown: TLS 1.2");
        } else {
            self.check(
                place,
                "tls12.session_id",
                tls12.session_id.word(),
                id_word(id),
            );
        }
        if tls12.ticket == Tls12Ticket::Unknown {
            coverage::hit(&mut self.outcome.rows, "unknown: TLS 1.2 tickets");
        } else {
            self.check(
                place,
                "tls12.ticket",
                tls12.ticket.word(),
                ticket_word(ticket),
            );
        }
        // A client that offers tickets and gets none goes by its id.
        let by_id = matches!(&ticket.first, Answer::Met(met) if met.issued.last().is_some_and(|issued| issued.ticket.is_empty()));
        if by_id {
            self.check(
                place,
                "tls12.session_id beside tickets",
                tls12.session_id.word(),
                id_word(ticket),
            );
        }
        if thirteen.issued == Tls13Issued::Unknown {
            coverage::hit(&mut self.outcome.rows, "unknown: TLS 1.3");
            return;
        }
        self.check(
            place,
            "tls13.issued",
            thirteen.issued.word(),
            issued_word(tls13),
        );
        self.check(
            place,
            "tls13.resumes",
            thirteen.resumes.word(),
            resumes_word(tls13),
        );
    }

    fn lifetimes(&mut self, place: &str, endpoint: &Endpoint, sights: &[Sight]) {
        let [_, ticket, tls13] = sights else { return };
        let shown = |seconds: Option<u64>| seconds.map_or("null".to_owned(), |s| s.to_string());
        let life = endpoint.lifetime_seconds;
        for issued in issued(ticket)
            .iter()
            .filter(|issued| !issued.ticket.is_empty())
        {
            self.check(
                place,
                "lifetime_seconds.tls12",
                &shown(life.tls12),
                &issued.hint.to_string(),
            );
        }
        if endpoint.tls13.issued == Tls13Issued::Unknown {
            return;
        }
        let mut hints = issued(tls13).iter().map(|issued| issued.hint);
        // Behind the first ticket comes what the store was told; what is in the store lives for
        // that time whatever the first ticket says.
        let hint = match endpoint.tls13.issued {
            Tls13Issued::Stateful if issued(tls13).len() == 1 => return,
            Tls13Issued::Stateful => hints.next_back(),
            _ => hints.max(),
        };
        self.check(
            place,
            "lifetime_seconds.tls13",
            &shown(life.tls13),
            &shown(hint),
        );
    }

    /// The key's name stands in front of a stateless ticket: that of the file, or the same for
    /// all who should share a key and for nobody else.
    fn keys(&mut self, place: &str, endpoint: &Endpoint, sights: &[Sight]) {
        let key = &endpoint.ticket_key;
        if key.source == KeySource::Unknown {
            return;
        }
        let all: Vec<Vec<u8>> = sights[1..]
            .iter()
            .filter_map(|sight| issued(sight).last())
            .filter(|issued| issued.ticket.len() > STATEFUL)
            .map(|issued| issued.ticket[..KEY_NAME].to_vec())
            .collect();
        for name in all {
            let (wanted, known) = match key.source {
                KeySource::Files => {
                    let stem = key.files[0].rsplit('/').next().unwrap_or_default();
                    let stem = stem.trim_end_matches(".key");
                    (format!("file {stem}"), Some(self.world.key_name(stem)))
                }
                KeySource::Startup => (format!("startup {}", endpoint.governor.0), None),
                _ => ("no key".to_owned(), None),
            };
            let known = known.or_else(|| self.keys.get(&wanted).cloned());
            let other = self
                .keys
                .iter()
                .find(|(by, have)| **by != wanted && **have == name);
            let observed = match (&known, other) {
                (Some(known), _) if *known == name => wanted.clone(),
                (_, Some((by, _))) => by.clone(),
                (Some(_), None) => "another key".to_owned(),
                (None, None) if key.source == KeySource::None => "a key".to_owned(),
                (None, None) => wanted.clone(),
            };
            self.check(place, "ticket_key", &wanted, &observed);
            self.keys.insert(wanted, name);
        }
    }

    /// Which vhost answers, and what it wants of a client.
    fn block(
        &mut self,
        place: &str,
        probe: &Probe,
        endpoint: &Endpoint,
        sights: &[Sight],
    ) -> Result<(), String> {
        let met = sights
            .iter()
            .zip(KINDS)
            .find_map(|(sight, kind)| match &sight.first {
                Answer::Met(met) => Some((met.clone(), kind)),
                _ => None,
            });
        let Some((met, kind)) = met else {
            return Ok(());
        };
        const MISDIRECTED: u32 = 421;
        let (mark, verdict) = met.seen.split_once(' ').unwrap_or((&met.seen, ""));
        if let Some(wanted) = self
            .predicted
            .mark(endpoint.block)
            .filter(|_| met.status != MISDIRECTED)
        {
            self.check(place, "block", &wanted, mark);
        }
        if verdict.is_empty() {
            return Ok(());
        }
        let without = self.client.ask(probe, kind, false, None)?;
        let observed = match (verdict, without) {
            (_, Answer::Refused(_) | Answer::Plain) => ClientAuth::Required,
            ("NONE", Answer::Met(_)) => ClientAuth::Off,
            (_, Answer::Met(_)) => ClientAuth::Optional,
        };
        self.check(
            place,
            "client_auth",
            endpoint.client_auth.word(),
            observed.word(),
        );
        Ok(())
    }

    /// Sessions of one probe at another, by the contract's domains.
    ///
    /// # Errors
    /// An exchange that breaks.
    pub fn crossing(&mut self, from: &Probe, to: &Probe) -> Result<(), String> {
        let predicted = self.predicted;
        let (Some(giver), Some(taker)) = (predicted.endpoint(from), predicted.endpoint(to)) else {
            return Ok(());
        };
        let place = format!("{} -> {}", label(from), label(to));
        let optional = |endpoint| {
            predicted.is_without_tls(endpoint) && endpoint.client_auth == ClientAuth::Optional
        };
        if optional(giver) || optional(taker) {
            return Ok(());
        }
        for kind in KINDS {
            if unknown(giver, kind) || unknown(taker, kind) {
                continue;
            }
            self.align();
            let first = self
                .client
                .ask(from, kind, true, None)
                .map_err(|why| format!("{place}: {why}"))?;
            let Answer::Met(Met { issued, .. }) = first else {
                continue;
            };
            let Some(session) = issued.last() else {
                continue;
            };
            let second = self
                .client
                .ask(to, kind, true, Some(session))
                .map_err(|why| format!("{place}: {why}"))?;
            let observed = match second {
                Answer::Met(met) if met.resumed => "resumes",
                Answer::Met(_) => "full",
                _ => "fails",
            };
            let wanted = crossing(giver, taker, kind);
            self.check(&place, &format!("crossing {kind:?}"), wanted, observed);
            coverage::crossing(
                &mut self.outcome.rows,
                predicted,
                (giver, taker),
                observed == "resumes",
            );
        }
        Ok(())
    }
}

/// What should become of a session.
fn crossing(giver: &Endpoint, taker: &Endpoint, kind: Kind) -> &'static str {
    let (domain, spoken) = match kind {
        Kind::Id12 => (
            &giver.issues.tls12_id,
            taker.tls12.session_id != Tls12Id::Unavailable,
        ),
        Kind::Ticket12 if giver.tls12.ticket == Tls12Ticket::None => (
            &giver.issues.tls12_id,
            taker.tls12.session_id != Tls12Id::Unavailable,
        ),
        Kind::Ticket12 => (
            &giver.issues.tls12_ticket,
            taker.tls12.session_id != Tls12Id::Unavailable,
        ),
        Kind::Tls13 => (
            &giver.issues.tls13,
            taker.tls13.issued != Tls13Issued::Unavailable,
        ),
    };
    // A vhost that refuses every full handshake lets sessions in.
    if !spoken && !taker.rejects {
        return "fails";
    }
    let certified =
        taker.client_auth != ClientAuth::Required || giver.client_auth != ClientAuth::Off;
    match domain {
        // The session has no certificate of the client, and mod_ssl looks for one.
        Some(domain) if taker.accepts.contains(domain) && !certified => "fails",
        Some(domain) if taker.accepts.contains(domain) => "resumes",
        _ if taker.rejects => "fails",
        _ => "full",
    }
}

fn unknown(endpoint: &Endpoint, kind: Kind) -> bool {
    match kind {
        Kind::Id12 => endpoint.tls12.session_id == Tls12Id::Unknown,
        Kind::Ticket12 => endpoint.tls12.ticket == Tls12Ticket::Unknown,
        Kind::Tls13 => endpoint.tls13.issued == Tls13Issued::Unknown,
    }
}

fn label(probe: &Probe) -> String {
    format!(
        "{} {}",
        probe.address,
        probe.sni.as_deref().unwrap_or("(no name)")
    )
}

fn issued(sight: &Sight) -> &[Issued] {
    match &sight.first {
        Answer::Met(met) => &met.issued,
        _ => &[],
    }
}

fn id_word(sight: &Sight) -> &'static str {
    match (&sight.first, &sight.again) {
        (Answer::Plain, _) => "plain",
        (Answer::Refused(_), _) => "unavailable",
        (_, Some(Answer::Met(met))) if met.resumed => "resumes",
        (_, Some(Answer::Refused(_) | Answer::Plain)) => "fails",
        _ => "never",
    }
}

fn ticket_word(sight: &Sight) -> &'static str {
    match (&sight.first, &sight.again) {
        (Answer::Plain, _) => "plain",
        (Answer::Refused(_), _) => "unavailable",
        (Answer::Met(met), _)
            if met
                .issued
                .last()
                .is_none_or(|issued| issued.ticket.is_empty()) =>
        {
            "none"
        }
        (_, Some(Answer::Met(met))) if met.resumed => "resumes",
        (_, Some(Answer::Refused(_) | Answer::Plain)) => "fails",
        _ => "dead",
    }
}

fn issued_word(sight: &Sight) -> &'static str {
    match &sight.first {
        Answer::Plain => "plain",
        Answer::Refused(_) => "unavailable",
        Answer::Met(met) => match met.issued.last() {
            None => "none",
            Some(issued) if issued.ticket.len() == STATEFUL => "stateful",
            Some(_) => "stateless",
        },
    }
}

fn resumes_word(sight: &Sight) -> &'static str {
    match &sight.again {
        Some(Answer::Met(met)) if met.resumed => "always",
        Some(Answer::Refused(_) | Answer::Plain) => "fails",
        _ => "never",
    }
}
