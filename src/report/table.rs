//! `inspect` as an aligned table: a row for each endpoint, then the reason of every value.

use std::collections::HashMap;

use super::summary::count;
use super::{Paint, Server, escape, pairs};
use crate::model::{Endpoint, Origin, Tls12Id, Tls12Ticket, Tls13Issued, Tls13Resumes, Why};

const HEAD: [&str; 9] = [
    "#",
    "ADDRESS",
    "NAMES",
    "1.2 ID",
    "1.2 TICKET",
    "1.3 TICKETS",
    "SECONDS",
    "KEY",
    "CLIENT AUTH",
];
/// Names that are written out before `+N`.
const NAMES_SHOWN: usize = 3;

/// One section a server.
pub fn inspect(servers: &[Server<'_>], with_pairs: bool, paint: Paint) -> String {
    let mut out = String::new();
    for (index, server) in servers.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&section(server, with_pairs, paint));
    }
    out
}

fn section(server: &Server<'_>, with_pairs: bool, paint: Paint) -> String {
    let site = server.site;
    let platform = &site.platform;
    let mut out = format!(
        "{}\n{} {} ({}), {} in {}\n",
        paint.bold(&escape::path(&site.root)),
        super::json::kind(site.server),
        platform.server.value,
        source(server),
        count(site.endpoints.len(), "TLS endpoint"),
        count(site.files, "file"),
    );
    for gap in &site.incomplete {
        let place = match gap.line {
            0 => escape::path(&gap.path),
            line => format!("{}:{line}", escape::path(&gap.path)),
        };
        let line = format!("not complete: {place}: {}", escape::line(&gap.why));
        out.push_str(&format!("{}\n", paint.bad(&line)));
    }
    if site.endpoints.is_empty() {
        return out;
    }
    out.push('\n');
    out.push_str(&table(&site.endpoints, paint));
    out.push_str(&reasons(&site.endpoints, paint));
    if with_pairs {
        out.push_str(&pair_list(&site.endpoints, paint));
    }
    out
}

fn source(server: &Server<'_>) -> String {
    use crate::model::VersionSource::{Assumed, Config, Detected, Flag, Package};
    let platform = &server.site.platform;
    match platform.server.source {
        Flag => "as given".to_owned(),
        Config => "from stekguard.toml".to_owned(),
        Package => match &platform.package {
            Some(package) => format!("package {}", escape::line(package)),
            None => "from the package status".to_owned(),
        },
        Detected => "as the server says".to_owned(),
        Assumed => "assumed, the newest known; say it with --server-version".to_owned(),
    }
}

fn table(endpoints: &[Endpoint], paint: Paint) -> String {
    let rows: Vec<[String; 9]> = endpoints
        .iter()
        .enumerate()
        .map(|(index, endpoint)| row(index, endpoint))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();

    let mut out = paint.bold(&aligned(&HEAD.map(str::to_owned), &widths));
    out.push('\n');
    for (row, endpoint) in rows.iter().zip(endpoints) {
        let line = aligned(row, &widths);
        let line = if endpoint.reachable {
            line
        } else {
            paint.dim(&line)
        };
        out.push_str(&line);
        out.push('\n');
        for condition in &endpoint.when {
            out.push_str(&format!(
                "{}  where {}\n",
                " ".repeat(widths[0]),
                escape::line(condition)
            ));
        }
    }
    out
}

fn aligned(cells: &[String; 9], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        // Not by a width in the format: it must stay below 65536.
        let missing = width.saturating_sub(cell.chars().count());
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', missing + 2));
    }
    line.trim_end().to_owned()
}

fn row(index: usize, endpoint: &Endpoint) -> [String; 9] {
    let mut address = escape::line(&endpoint.address);
    if endpoint.transport == crate::model::Transport::Quic {
        address.push_str(" quic");
    }
    [
        (index + 1).to_string(),
        address,
        names(endpoint),
        id(endpoint.tls12.session_id),
        ticket(endpoint.tls12.ticket),
        tls13(endpoint),
        seconds(endpoint),
        key(endpoint),
        endpoint.client_auth.word().to_owned(),
    ]
}

fn names(endpoint: &Endpoint) -> String {
    let mut parts: Vec<String> = endpoint
        .names
        .iter()
        .take(NAMES_SHOWN)
        .map(|name| escape::short(name))
        .collect();
    if let Some(hidden) = endpoint
        .names
        .len()
        .checked_sub(NAMES_SHOWN)
        .filter(|n| *n > 0)
    {
        parts.push(format!("+{hidden}"));
    }
    if endpoint.default {
        parts.push("(default)".to_owned());
    }
    if !endpoint.reachable {
        parts.push("(unreachable)".to_owned());
    }
    if endpoint.rejects {
        parts.push("(rejects)".to_owned());
    }
    parts.join(" ")
}

/// The contract's words, with a dash where the protocol is not spoken.
fn id(state: Tls12Id) -> String {
    if state == Tls12Id::Unavailable {
        "-".to_owned()
    } else {
        state.word().to_owned()
    }
}

fn ticket(state: Tls12Ticket) -> String {
    if state == Tls12Ticket::Unavailable {
        "-".to_owned()
    } else {
        state.word().to_owned()
    }
}

fn tls13(endpoint: &Endpoint) -> String {
    let issued = endpoint.tls13.issued;
    if issued == Tls13Issued::Unavailable {
        return "-".to_owned();
    }
    let resumes = match endpoint.tls13.resumes {
        Tls13Resumes::Always => "resume",
        Tls13Resumes::PerWorker => "resume per worker",
        Tls13Resumes::Never => "never resume",
        Tls13Resumes::Unknown => "unknown",
    };
    match issued {
        Tls13Issued::None => issued.word().to_owned(),
        _ => format!("{}, {resumes}", issued.word()),
    }
}

fn seconds(endpoint: &Endpoint) -> String {
    let word = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let lifetimes = endpoint.lifetime_seconds;
    if lifetimes.tls12 == lifetimes.tls13 {
        return word(lifetimes.tls12);
    }
    format!("{} / {}", word(lifetimes.tls12), word(lifetimes.tls13))
}

fn key(endpoint: &Endpoint) -> String {
    let key = &endpoint.ticket_key;
    match &key.zone {
        Some(zone) => format!("{} {}", key.source.word(), escape::line(zone)),
        None => key.source.word().to_owned(),
    }
}

/// The same reason for several values and endpoints is one line.
fn reasons(endpoints: &[Endpoint], paint: Paint) -> String {
    struct Reason<'a> {
        why: &'a Why,
        fields: Vec<&'static str>,
        endpoints: Vec<usize>,
    }
    let mut list: Vec<Reason<'_>> = Vec::new();
    let mut known = HashMap::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        for why in &endpoint.why {
            let key = (why.setting, &why.value, why.origin, why.place());
            let at = *known.entry(key).or_insert_with(|| {
                list.push(Reason {
                    why,
                    fields: Vec::new(),
                    endpoints: Vec::new(),
                });
                list.len() - 1
            });
            let reason = &mut list[at];
            if !reason.fields.contains(&why.field.word()) {
                reason.fields.push(why.field.word());
            }
            if reason.endpoints.last() != Some(&(index + 1)) {
                reason.endpoints.push(index + 1);
            }
        }
    }
    if list.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.bold("why"));
    for reason in list {
        out.push_str(&format!(
            "  {} {}: {}\n    {} of {}\n",
            reason.why.setting,
            escape::short(&reason.why.value),
            origin(reason.why),
            reason.fields.join(", "),
            stretches(&reason.endpoints),
        ));
    }
    out
}

pub(super) fn origin(why: &Why) -> String {
    let word = match why.origin {
        Origin::Set => "set",
        Origin::Inherited => "inherited",
        Origin::Default => "not set, the default",
        Origin::DefaultServer => "from the address's default server",
        Origin::FirstVhost => "from the address's first vhost",
        Origin::ConfCommand => "by a conf command, which is applied last",
        Origin::Combined => "from several settings",
    };
    match why.place() {
        Some(at) => format!("{word}, {}:{}", escape::path(&at.path), at.line),
        None => word.to_owned(),
    }
}

/// `1-3, 7`.
fn stretches(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|(first, last)| {
            if first == last {
                format!("#{first}")
            } else {
                format!("#{first}-{last}")
            }
        })
        .collect();
    words.join(", ")
}

fn pair_list(endpoints: &[Endpoint], paint: Paint) -> String {
    let pairs = pairs::pairs(endpoints);
    let mut out = format!("\n{}\n", paint.bold("sessions that cross"));
    if pairs.is_empty() {
        out.push_str("  none\n");
    }
    for pair in pairs {
        let (from, to, kinds) = (pair.from + 1, pair.to + 1, pair.kinds.join(", "));
        out.push_str(&format!(
            "  a session of #{from} resumes at #{to}: {kinds}\n"
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_stretches() {
        assert_eq!(stretches(&[1, 2, 3, 7]), "#1-3, #7");
        assert_eq!(stretches(&[4]), "#4");
    }
}
