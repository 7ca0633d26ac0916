//! Why an endpoint's sessions and tickets are as they are: the setting that decides, or the
//! one that leaves nothing to decide. Evaluates nothing; `state` does.

use std::borrow::Cow;
use std::sync::Arc;

use super::config::CacheKind;
use super::deciders::Decides;
use super::pair::Pair;
use super::state::TicketFlags;
use crate::catalog::Decider;
use crate::model::state::{Protocols, Reason, Value};
use crate::model::{Field, Origin};

pub(super) fn session_reasons<'a>(
    pair: &Pair<'a>,
    tickets: &TicketFlags<'a>,
    spoken: Protocols,
    reasons: &mut Vec<Reason<'a>>,
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
        let value = (Cow::Owned(count.text), count.by);
        let reason = |field| Reason {
            origin: Some(Origin::ConfCommand),
            ..pair.reason_by(field, "ssl_conf_command", value.clone(), true)
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
pub(super) fn ticket_reason<'a>(
    pair: &Pair<'a>,
    tickets: &TicketFlags<'a>,
    field: Field,
) -> Reason<'a> {
    let from_a = tickets.decider == Decider::Both && !tickets.a.value;
    let flag = if from_a { &tickets.a } else { &tickets.b };
    let text = match flag {
        Cow::Borrowed(flag) => Cow::Borrowed(&flag.text),
        Cow::Owned(flag) => Cow::Owned(Arc::clone(&flag.text)),
    };
    let mut reason = pair.reason_by(field, "ssl_session_tickets", (text, flag.by), from_a);
    let config = if from_a { pair.a } else { pair.b };
    if flag.by != config.tickets.by {
        reason.setting = "ssl_conf_command";
        reason.origin = Some(Origin::ConfCommand);
    }
    reason
}
