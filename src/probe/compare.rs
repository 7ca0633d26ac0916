//! What the files promise beside what was seen: which connections show an endpoint of the
//! model, and field by field whether both agree. Opens none itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Serialize, Serializer};

use super::{Ability, Issued, Observed};
use crate::model::{
    Endpoint, Field, Module, Tls12Id, Tls12Ticket, Tls13Issued, Tls13Resumes, Transport,
};
use crate::text::Location;

/// The connection that shows an endpoint.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Visit {
    /// Index in the site's endpoints.
    pub endpoint: usize,
    /// Where.
    pub address: SocketAddr,
    /// The name to ask for.
    pub name: Option<String>,
}

/// An endpoint that cannot be looked at from here.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub struct Unprobed {
    /// As `address (names)`.
    pub endpoint: String,
    /// Why not.
    pub why: &'static str,
}

/// A field as the files promise it and as it was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Promise {
    /// As `inspect` names it.
    pub field: &'static str,
    /// What the files say.
    pub predicted: String,
    /// What the server does.
    pub observed: String,
    /// Both agree.
    pub agrees: bool,
    /// The setting that decides it.
    pub setting: Option<&'static str>,
    /// Where that is written; `None` for defaults.
    #[serde(serialize_with = "at")]
    pub at: Option<Location>,
}

/// An endpoint's promises.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// As `address (names)`.
    pub endpoint: String,
    /// Where the block stands, as `path:line`.
    pub defined_at: String,
    /// Every field that could be compared.
    pub fields: Vec<Promise>,
}

/// The connections that show the endpoints, and those endpoints that none shows. A wildcard
/// address is looked for at `host`, or on this machine.
pub fn visits(endpoints: &[Endpoint], host: Option<IpAddr>) -> (Vec<Visit>, Vec<Unprobed>) {
    let mut visits = Vec::new();
    let mut unprobed = Vec::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        match visit(endpoints, endpoint, host) {
            Ok((address, name)) => visits.push(Visit {
                endpoint: index,
                address,
                name,
            }),
            Err(why) => unprobed.push(Unprobed {
                endpoint: endpoint.label(),
                why,
            }),
        }
    }
    (visits, unprobed)
}

fn visit(
    endpoints: &[Endpoint],
    endpoint: &Endpoint,
    host: Option<IpAddr>,
) -> Result<(SocketAddr, Option<String>), &'static str> {
    if !endpoint.reachable {
        return Err("no client reaches it");
    }
    if !endpoint.when.is_empty() {
        return Err("it depends on a condition that the files do not decide");
    }
    if endpoint.transport == Transport::Quic {
        return Err("QUIC is not probed");
    }
    if endpoint.module == Module::Mail {
        return Err("a mail server: look at it with --starttls, or --speak for TLS at once");
    }
    if endpoint.address.starts_with("unix:") {
        return Err("a unix socket");
    }
    let address = address(&endpoint.address, host).ok_or("its address is no IP address")?;
    let taken = |other: &Endpoint| {
        other.address != endpoint.address && *other.address == *address.to_string()
    };
    if endpoints.iter().any(taken) {
        return Err("another block has the address by which it would be looked for");
    }
    if endpoint.default {
        return Ok((address, None));
    }
    let lost = |name: &String| {
        let others = endpoints.iter().filter(|it| !std::ptr::eq(*it, endpoint));
        let mut here = others.filter(|other| other.address == endpoint.address);
        here.any(|other| other.names.iter().any(|it| claims(it, name)))
    };
    let names = endpoint.names.iter().filter_map(|name| concrete(name));
    let name = names.into_iter().find(|name| !lost(name));
    let name = name.ok_or("none of its names can be asked for")?;
    Ok((address, Some(name)))
}

fn address(text: &str, host: Option<IpAddr>) -> Option<SocketAddr> {
    let (ip, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    let ip = match ip {
        "*" => host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        _ => match ip.parse().ok()? {
            IpAddr::V4(any) if any.is_unspecified() => host.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(any) if any.is_unspecified() => host
                .filter(IpAddr::is_ipv6)
                .unwrap_or(Ipv6Addr::LOCALHOST.into()),
            ip => ip,
        },
    };
    Some(SocketAddr::new(ip, port))
}

/// A host name that the pattern takes; `None` for expressions.
fn concrete(pattern: &str) -> Option<String> {
    const LABEL: &str = "stekguard-probe";
    let name = match (pattern.strip_prefix("*."), pattern.strip_suffix(".*")) {
        (Some(rest), _) => format!("{LABEL}.{rest}"),
        (_, Some(start)) => format!("{start}.{LABEL}"),
        // `.example.org` is the name and all below it.
        _ => pattern.trim_start_matches('.').to_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let usable = !name.is_empty()
        && name != "_"
        && name.chars().all(plain)
        && name.parse::<IpAddr>().is_err();
    usable.then(|| name.trim_end_matches('.').to_ascii_lowercase())
}

/// True when another block's pattern may take the name first.
fn claims(pattern: &str, name: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    if let Some(rest) = pattern.strip_prefix("*.").or(pattern.strip_prefix('.')) {
        let below = name.strip_suffix(rest);
        return below.is_some_and(|below| below.is_empty() || below.ends_with('.'));
    }
    pattern == name
}

/// Every field of which both sides say something.
pub fn compare(endpoint: &Endpoint, seen: &Observed) -> Difference {
    let mut sheet = Sheet {
        endpoint,
        fields: Vec::new(),
    };
    sheet.fill(seen);
    Difference {
        endpoint: endpoint.label(),
        defined_at: format!(
            "{}:{}",
            endpoint.defined_at.path.display(),
            endpoint.defined_at.line
        ),
        fields: sheet.fields,
    }
}

struct Sheet<'a> {
    endpoint: &'a Endpoint,
    fields: Vec<Promise>,
}

impl Sheet<'_> {
    fn fill(&mut self, seen: &Observed) {
        let endpoint = self.endpoint;
        let mute = endpoint.tls12.session_id == Tls12Id::Unavailable
            && endpoint.tls13.issued == Tls13Issued::Unavailable;
        if let Some(why) = &seen.unreachable {
            // Speaking neither version is an answer as well, where the files say so; and of what
            // the model does not know, nothing is promised.
            let open = endpoint.tls12.session_id == Tls12Id::Unknown
                || endpoint.tls13.issued == Tls13Issued::Unknown;
            let agrees = (mute || open) && !endpoint.rejects;
            return self.put(Field::Rejects, "an answer", why, agrees);
        }
        let word = |rejects: bool| {
            if rejects {
                "refuses the handshake"
            } else {
                "answers"
            }
        };
        let agrees = endpoint.rejects == seen.rejects || (mute && seen.rejects);
        self.put(
            Field::Rejects,
            word(endpoint.rejects),
            word(seen.rejects),
            agrees,
        );
        if endpoint.rejects || seen.rejects {
            return;
        }
        self.tls12(seen);
        self.tls13(seen);
        self.lifetimes(seen);
        if seen.tls13.issued != Issued::None {
            let word = |on: bool| if on { "on" } else { "off" };
            let bytes = seen.early_data.bytes > 0;
            let agrees = endpoint.early_data == bytes;
            self.put(
                Field::EarlyData,
                word(endpoint.early_data),
                word(bytes),
                agrees,
            );
        }
    }

    fn tls12(&mut self, seen: &Observed) {
        let id = self.endpoint.tls12.session_id;
        let observed = seen.tls12.session_id.resumes;
        let agrees = match id {
            Tls12Id::Resumes => observed == Ability::Always,
            Tls12Id::PerWorker => kept_apart(observed),
            Tls12Id::Never => observed == Ability::Never,
            Tls12Id::Unavailable => unspoken(observed),
            Tls12Id::External | Tls12Id::Unknown => return,
        };
        self.put(Field::Tls12SessionId, id.word(), observed.word(), agrees);

        let ticket = self.endpoint.tls12.ticket;
        let offer = &seen.tls12.ticket;
        let issued = seen.tls12.issued != Issued::None;
        let observed = match offer.resumes {
            Ability::Always | Ability::Sometimes | Ability::Never if !issued => "none",
            Ability::Always => "resumes",
            Ability::Never => "dead",
            other => other.word(),
        };
        if ticket != Tls12Ticket::Unknown {
            let agrees = match ticket {
                Tls12Ticket::Unavailable => unspoken(offer.resumes),
                _ => ticket.word() == observed,
            };
            self.put(Field::Tls12Ticket, ticket.word(), observed, agrees);
        }
    }

    fn tls13(&mut self, seen: &Observed) {
        let (issued, resumes) = (self.endpoint.tls13.issued, self.endpoint.tls13.resumes);
        let offer = seen.tls13.ticket.resumes;
        let observed = match offer {
            Ability::Unavailable => "unavailable",
            Ability::Fails => "fails",
            _ => seen.tls13.issued.word(),
        };
        if issued != Tls13Issued::Unknown {
            let agrees = match issued {
                Tls13Issued::Unavailable => unspoken(offer),
                _ => issued.word() == observed,
            };
            self.put(Field::Tls13Issued, issued.word(), observed, agrees);
        }
        let agrees = match resumes {
            Tls13Resumes::Always => offer == Ability::Always,
            Tls13Resumes::PerWorker => kept_apart(offer),
            Tls13Resumes::Never => offer == Ability::Never || unspoken(offer),
            Tls13Resumes::Unknown => return,
        };
        self.put(Field::Tls13Resumes, resumes.word(), offer.word(), agrees);
    }

    fn lifetimes(&mut self, seen: &Observed) {
        let said = self.endpoint.lifetime_seconds;
        // Without a ticket nothing says how long a session is kept.
        for (field, said, shown, offer) in [
            (
                Field::Lifetime12,
                said.tls12,
                seen.tls12.issued != Issued::None,
                &seen.tls12.ticket,
            ),
            (
                Field::Lifetime13,
                said.tls13,
                seen.tls13.issued != Issued::None,
                &seen.tls13.ticket,
            ),
        ] {
            let (Some(said), true) = (said, shown) else {
                continue;
            };
            // The one ticket of a store may be given the time of the address's first vhost.
            let single = seen.tls13.issued == Issued::Stateful && seen.tls13.tickets == 1;
            if field == Field::Lifetime13 && single {
                continue;
            }
            let hint = offer.lifetime_hint.unwrap_or(0);
            // A second may end between the session's making and the ticket's.
            let agrees = said.abs_diff(hint) <= 1;
            self.put(field, &said.to_string(), &hint.to_string(), agrees);
        }
    }

    fn put(&mut self, field: Field, predicted: &str, observed: &str, agrees: bool) {
        let why = self.endpoint.why(field);
        self.fields.push(Promise {
            field: field.word(),
            predicted: predicted.to_owned(),
            observed: observed.to_owned(),
            agrees,
            setting: why.map(|why| why.setting),
            at: why.and_then(|why| why.place().cloned()),
        });
    }
}

/// A version that is not spoken is refused by one alert or another.
fn unspoken(observed: Ability) -> bool {
    matches!(observed, Ability::Unavailable | Ability::Fails)
}

/// With a process that has none of the others' sessions every count is possible.
fn kept_apart(observed: Ability) -> bool {
    matches!(
        observed,
        Ability::Always | Ability::Sometimes | Ability::Never
    )
}

fn at<S: Serializer>(at: &Option<Location>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct At<'a> {
        path: std::borrow::Cow<'a, str>,
        line: u32,
    }
    let at = at.as_ref().map(|at| At {
        path: at.path.to_string_lossy(),
        line: at.line,
    });
    at.serialize(serializer)
}
