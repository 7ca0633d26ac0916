//! What a client sees of every address and name of a running tree, and of every session of
//! one offered at another. Judges nothing.

use std::net::SocketAddr;

use super::client::{Answer, Ask, Client, Met};
use crate::support::client::Kind;

/// Somewhere to connect.
#[derive(Debug, Clone)]
pub struct Probe {
    /// As the contract writes it.
    pub address: String,
    pub reached: SocketAddr,
    pub sni: Option<String>,
    pub http: bool,
}

/// What sessions of one kind did.
#[derive(Debug, Default)]
pub struct Sessions {
    /// The handshake was refused.
    pub refused: bool,
    /// NewSessionTickets, or sessions in TLS 1.2.
    pub count: usize,
    pub ticket: Vec<u8>,
    pub hint: u64,
    pub early: u32,
    pub hits: usize,
    pub misses: usize,
    /// The block's mark and what it says of the client's certificate.
    pub text: String,
    /// The status of the answer; 200 for stream.
    pub status: u32,
}

/// The kinds in the order of [`Seen::kinds`].
pub const KINDS: [Kind; 3] = [Kind::Id12, Kind::Ticket12, Kind::Tls13];

/// What one probe saw.
#[derive(Debug)]
pub struct Seen {
    pub kinds: [Sessions; 3],
    /// What a client without a certificate is told; asked where one is wanted.
    pub without: Option<u32>,
}

impl Probe {
    fn ask(&self, kind: Kind, identified: bool) -> Ask<'_> {
        Ask {
            address: self.reached,
            sni: self.sni.as_deref(),
            kind,
            http: self.http,
            identified,
        }
    }

    /// `127.0.0.1:443 a.test`
    pub fn label(&self) -> String {
        format!(
            "{} {}",
            self.address,
            self.sni.as_deref().unwrap_or("(no name)")
        )
    }
}

/// After this many resumptions in a row there is one store for all workers, or luck.
const SURE: usize = 14;

/// Connects by every kind; `rounds` times a full handshake and a resumption.
///
/// # Errors
/// A broken exchange.
pub fn observe(client: &Client, probe: &Probe, rounds: usize) -> Result<Seen, String> {
    let [id, ticket, tls13] = KINDS.map(|kind| sessions(client, probe, kind, rounds));
    let kinds = [id?, ticket?, tls13?];
    let spoken = KINDS.iter().zip(&kinds).find(|(_, seen)| !seen.refused);
    let without = match spoken {
        Some((kind, seen)) if !seen.text.contains("NONE") => {
            match client.ask(probe.ask(*kind, false), None)? {
                Answer::Met(met) => Some(met.status),
                Answer::Refused(_) => Some(0),
            }
        }
        _ => None,
    };
    Ok(Seen { kinds, without })
}

fn sessions(client: &Client, probe: &Probe, kind: Kind, rounds: usize) -> Result<Sessions, String> {
    let place = |why| format!("{} {kind:?}: {why}", probe.label());
    let mut seen = Sessions::default();
    for _ in 0..rounds {
        let ask = probe.ask(kind, true);
        let fresh = match client.ask(ask, None).map_err(place)? {
            Answer::Met(met) => met,
            Answer::Refused(_) => {
                seen.refused = true;
                return Ok(seen);
            }
        };
        seen.text.clone_from(&fresh.text);
        seen.status = fresh.status;
        seen.count = fresh.issued.len();
        seen.early = fresh.early;
        let Some(session) = fresh.issued.last() else {
            return Ok(seen);
        };
        seen.ticket.clone_from(&session.ticket);
        seen.hint = match kind {
            Kind::Tls13 => confirmed(client, ask, session.hint).map_err(place)?,
            _ => session.hint,
        };
        match client.ask(ask, Some(session)).map_err(place)? {
            Answer::Met(Met { resumed: true, .. }) => seen.hits += 1,
            Answer::Met(_) => seen.misses += 1,
            Answer::Refused(alert) => return Err(place(format!("resumption: alert {alert}"))),
        }
        if seen.hits > 0 && (seen.misses > 0 || seen.hits == SURE) {
            break;
        }
    }
    Ok(seen)
}

/// A lifetime that two handshakes agree on. nginx takes off what passed since OpenSSL made the
/// session, by another clock: where a second ends in between, one handshake is one second off.
fn confirmed(client: &Client, ask: Ask<'_>, first: u64) -> Result<u64, String> {
    let mut hints = vec![first];
    for _ in 0..4 {
        let Answer::Met(met) = client.ask(ask, None)? else {
            return Ok(first);
        };
        let Some(session) = met.issued.last() else {
            return Ok(first);
        };
        if hints.contains(&session.hint) {
            return Ok(session.hint);
        }
        hints.push(session.hint);
    }
    Ok(first)
}

/// A fresh session of `from` offered at `to`: `resumes`, `full`, `fails`; `none` where there is
/// nothing to offer.
///
/// # Errors
/// A broken exchange.
pub fn cross(
    client: &Client,
    from: &Probe,
    to: &Probe,
    kind: Kind,
) -> Result<&'static str, String> {
    let place = |why| format!("{} -> {} {kind:?}: {why}", from.label(), to.label());
    let Answer::Met(fresh) = client.ask(from.ask(kind, true), None).map_err(place)? else {
        return Ok("none");
    };
    let Some(session) = fresh.issued.last() else {
        return Ok("none");
    };
    Ok(
        match client
            .ask(to.ask(kind, true), Some(session))
            .map_err(place)?
        {
            // nginx resumes and then refuses the request: misdirected.
            Answer::Met(Met {
                resumed: true,
                status: 421,
                ..
            }) => "fails",
            Answer::Met(Met { resumed: true, .. }) => "resumes",
            Answer::Met(_) => "full",
            Answer::Refused(_) => "fails",
        },
    )
}
