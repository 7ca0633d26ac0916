//! What follows from what was seen. Each verdict says only what connections have shown.

use serde::Serialize;

use super::{Ability, Crossings, Difference, Issued, Observed, Offer, Probed};
use crate::finding::Severity;
use crate::text::Location;

/// Something wrong, or worth knowing.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Its name, after the bad pattern.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where: an endpoint's label, or two.
    pub endpoint: String,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The line of the configuration that promised otherwise.
    #[serde(skip)]
    pub at: Option<Location>,
}

/// From when on something is too long, in seconds.
#[derive(Copy, Clone, Debug)]
pub struct Thresholds {
    /// A lifetime strictly above is a warning.
    pub lifetime_warning: u64,
    /// A lifetime strictly above is an error.
    pub lifetime_error: u64,
    /// A ticket key should be younger.
    pub key_age: u64,
}

/// Everything that follows, in the order of the endpoints.
pub fn judge(probed: &Probed, promises: &[Difference], limits: Thresholds) -> Vec<Verdict> {
    let mut out = Vec::new();
    for seen in &probed.endpoints {
        if seen.unreachable.is_some() {
            continue;
        }
        let mut desk = Desk {
            seen,
            limits,
            out: &mut out,
        };
        desk.keys();
        desk.offers();
        desk.early_data();
        desk.watched();
    }
    if let Some(crossings) = &probed.crossings {
        out.extend(opened(crossings));
    }
    for promise in promises {
        out.extend(broken(promise));
    }
    out
}

struct Desk<'a> {
    seen: &'a Observed,
    limits: Thresholds,
    out: &'a mut Vec<Verdict>,
}

impl Desk<'_> {
    fn keys(&mut self) {
        for key in &self.seen.keys {
            let Some(weak) = &key.weak else { continue };
            let what = match weak.part {
                "hmac" => {
                    "whoever knows it can forge tickets, and with the rest of such a key \
                           read sessions"
                }
                _ => "everybody who has recorded a ticket can read its session",
            };
            let message = format!(
                "the {} half of ticket key {} is well known ({}, {} bytes): {what}",
                weak.part, key.name, weak.pattern, weak.bytes
            );
            self.say(
                "weak-ticket-key",
                Severity::Error,
                message,
                "make a random key now, and treat what was said under this one as known",
            );
        }
    }

    fn offers(&mut self) {
        let seen = self.seen;
        let offers = [
            ("TLS 1.2, by id", &seen.tls12.session_id, false),
            (
                "TLS 1.2",
                &seen.tls12.ticket,
                seen.tls12.issued != Issued::None,
            ),
            (
                "TLS 1.3",
                &seen.tls13.ticket,
                seen.tls13.issued != Issued::None,
            ),
        ];
        for (kind, offer, ticket) in offers {
            self.offer(kind, offer, ticket);
        }
        let longest = [&seen.tls12.ticket, &seen.tls13.ticket];
        let longest = longest
            .iter()
            .filter(|offer| offer.resumes != Ability::Never);
        let longest = longest.filter_map(|offer| offer.lifetime_hint).max();
        let Some(seconds) = longest.filter(|hint| *hint > self.limits.lifetime_warning) else {
            return;
        };
        let severity = if seconds > self.limits.lifetime_error {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.say(
            "excessive-session-timeout",
            severity,
            format!("tickets are said to live {seconds} s"),
            "RFC 9325 asks for less than the ticket key's own life; a day is long",
        );
    }

    fn offer(&mut self, kind: &str, offer: &Offer, ticket: bool) {
        let tries = offer.tries;
        match offer.resumes {
            Ability::Fails => {
                let why = offer.failure.as_deref().unwrap_or("it is not said why");
                self.say(
                    "handshake-fails",
                    Severity::Error,
                    format!("{kind}: handshakes fail: {why}"),
                    "the server's error log says more",
                );
            }
            Ability::Sometimes => self.say(
                "resumption-by-chance",
                Severity::Note,
                format!(
                    "{kind}: {} of {} sessions resumed: each process, or each host behind the \
                     address, has its own",
                    tries.resumed, tries.offered
                ),
                "share the cache or the key, or count on full handshakes",
            ),
            Ability::Never if ticket => self.say(
                "dead-tickets",
                Severity::Pedantic,
                format!("{kind}: tickets are given that never resume"),
                "harmless; every client carries them for nothing",
            ),
            _ => {}
        }
    }

    fn early_data(&mut self) {
        if self.seen.early_data.accepted_again == Some(true) {
            self.say(
                "early-data-replay",
                Severity::Warning,
                "the early data of one ticket was accepted twice: a request can be replayed"
                    .to_owned(),
                "turn early data off, or have the application answer 425 to what must not be \
                 done twice (RFC 8470)",
            );
        }
    }

    fn watched(&mut self) {
        let Some(watched) = &self.seen.watched else {
            return;
        };
        if watched.keys.len() == 1 && watched.seconds >= self.limits.key_age {
            let name = &watched.keys[0].name;
            self.say(
                "static-ticket-key",
                Severity::Warning,
                format!("ticket key {name} did not change in {} s", watched.seconds),
                "rotate it",
            );
        }
        for chain in watched.chains.iter().filter(|chain| chain.unbounded) {
            let hint = chain.lifetime_hint.unwrap_or(0);
            let alive = chain.alive_at.unwrap_or(0);
            self.say(
                "unbounded-session",
                Severity::Note,
                format!(
                    "TLS {}: a session with a lifetime of {hint} s was resumed again and again, \
                     {alive} s after its full handshake",
                    chain.kind
                ),
                "certificates and revocations are looked at in full handshakes only",
            );
        }
    }

    fn say(&mut self, id: &'static str, severity: Severity, message: String, help: &str) {
        self.out.push(Verdict {
            id,
            severity,
            endpoint: self.seen.label(),
            message,
            help: help.to_owned(),
            at: None,
        });
    }
}

fn opened(crossings: &Crossings) -> impl Iterator<Item = Verdict> {
    let pairs = crossings.pairs.iter().filter(|pair| pair.opens);
    pairs.map(|pair| {
        let (from, to) = (&crossings.places[pair.from], &crossings.places[pair.to]);
        let full = match pair.full_status {
            Some(status) => format!("answers {status}"),
            None => "is refused".to_owned(),
        };
        let status = pair
            .status
            .map_or("is served".to_owned(), |it| it.to_string());
        Verdict {
            id: "session-opens-another-name",
            severity: Severity::Error,
            endpoint: to.clone(),
            message: format!(
                "TLS {}: with a session of {from} this client gets {status} at {to}, where a \
                 full handshake {full}",
                pair.kind
            ),
            help: "give names with other client certificates an address of their own, or \
                   update the server"
                .to_owned(),
            at: None,
        }
    })
}

fn broken(promise: &Difference) -> impl Iterator<Item = Verdict> {
    let fields = promise.fields.iter().filter(|field| !field.agrees);
    // A default is written nowhere: what differs with it is.
    let line = fields.clone().find_map(|field| field.at.clone());
    fields.map(move |field| {
        let setting = field
            .setting
            .map_or(String::new(), |name| format!(" by {name}"));
        Verdict {
            id: "configuration-differs",
            severity: Severity::Error,
            endpoint: promise.endpoint.clone(),
            message: format!(
                "{}: the files say {}{setting}, the server does {}",
                field.field, field.predicted, field.observed
            ),
            help: format!(
                "has the server been reloaded since {} was changed, and is it this one that \
                 answers?",
                promise.defined_at
            ),
            at: field.at.clone().or_else(|| line.clone()),
        }
    })
}
