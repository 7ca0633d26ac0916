//! `inspect --compare-version`: endpoints whose state differs between two versions, with the
//! reason of both sides, as text; compare_json.rs writes the same as a document.
//!
//! Which endpoints are the same and which fields differ is read off the two sites; what a
//! difference means is not said here.

use std::collections::HashMap;

use serde::Serialize;

use super::json;
use super::summary::count;
use super::{Paint, escape, pairs, table};
use crate::catalog::Version;
use crate::model::{Endpoint, Field, Site, Why};
use crate::text::Location;

/// One configuration as two versions take it.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// As the first version takes it.
    pub before: &'a Site,
    /// As the second version takes it.
    pub after: &'a Site,
    /// Directives that one of them refuses.
    pub unknown: &'a [Unknown],
}

/// A directive that one of the versions does not know.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Unknown {
    /// As the catalog spells it.
    pub setting: &'static str,
    /// The version that refuses it.
    pub refused_by: Version,
    /// The statement.
    pub at: Location,
}

/// What became of an endpoint.
#[derive(Debug)]
pub(super) enum Change<'a> {
    /// Only the first version has it.
    Gone(&'a Endpoint),
    /// Only the second version has it.
    New(&'a Endpoint),
    /// Both have it, with fields that differ.
    Differs(&'a Endpoint, Vec<Difference<'a>>),
}

/// A field with both values.
#[derive(Debug, Serialize)]
pub(super) struct Difference<'a> {
    field: &'static str,
    before: String,
    after: String,
    why_before: Option<&'a Why>,
    why_after: Option<&'a Why>,
}

/// A section a configuration.
pub fn text(servers: &[Compared<'_>], paint: Paint) -> String {
    let sections: Vec<String> = servers
        .iter()
        .map(|server| section(server, paint))
        .collect();
    sections.join("\n")
}

fn section(server: &Compared<'_>, paint: Paint) -> String {
    let (before, after) = versions(server);
    let changes = changes(server);
    let mut out = format!(
        "{}\n{} {before} to {after}: {} of {} differ\n",
        paint.bold(&escape::path(&server.before.root)),
        json::kind(server.before.server),
        changes.len(),
        count(total(server, &changes), "TLS endpoint"),
    );
    for gap in &server.after.incomplete {
        let line = format!(
            "not complete: {}:{}: {}",
            escape::path(&gap.path),
            gap.line,
            escape::line(&gap.why)
        );
        out.push_str(&format!("{}\n", paint.bad(&line)));
    }
    for unknown in server.unknown {
        let line = format!(
            "{} does not know `{}`, {}",
            unknown.refused_by,
            unknown.setting,
            place(&unknown.at)
        );
        out.push_str(&format!("{}\n", paint.bad(&line)));
    }
    for change in &changes {
        out.push('\n');
        match change {
            Change::Gone(endpoint) => {
                let head = format!("{}  only with {before}", head(endpoint));
                out.push_str(&format!("{}\n", paint.bold(&head)));
            }
            Change::New(endpoint) => {
                let head = format!("{}  only with {after}", head(endpoint));
                out.push_str(&format!("{}\n", paint.bold(&head)));
            }
            Change::Differs(endpoint, differences) => {
                out.push_str(&format!("{}\n", paint.bold(&head(endpoint))));
                let versions = (before.to_string(), after.to_string());
                out.push_str(&fields(differences, &versions));
            }
        }
    }
    out.push_str(&crossings_text(server, paint));
    out
}

/// A row a field, below it the reasons where there are any.
fn fields(differences: &[Difference<'_>], versions: &(String, String)) -> String {
    let width = |cell: fn(&Difference<'_>) -> usize| differences.iter().map(cell).max();
    let first = width(|it| it.field.len()).unwrap_or(0);
    let second = width(|it| it.before.chars().count()).unwrap_or(0);
    let second = second.max(versions.0.len());
    let mut out = format!("  {:first$}  {:second$}  {}\n", "", versions.0, versions.1);
    for it in differences {
        let (before, after) = (escape::line(&it.before), escape::line(&it.after));
        out.push_str(&format!(
            "  {:first$}  {before:second$}  {after}\n",
            it.field
        ));
        for (version, why) in [(&versions.0, it.why_before), (&versions.1, it.why_after)] {
            let Some(why) = why else { continue };
            let value = escape::line(&why.value);
            let (setting, origin) = (why.setting, table::origin(why));
            out.push_str(&format!("    {version}: {setting} {value} {origin}\n"));
        }
    }
    out
}

fn crossings_text(server: &Compared<'_>, paint: Paint) -> String {
    let (gained, lost) = crossings(server);
    if gained.is_empty() && lost.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.bold("sessions that cross"));
    let (before, after) = versions(server);
    for (version, list) in [(before, lost), (after, gained)] {
        for crossing in list {
            out.push_str(&format!(
                "  only with {version}: a session of {} resumes at {}: {}\n",
                escape::line(&crossing.from),
                escape::line(&crossing.to),
                crossing.kinds.join(", ")
            ));
        }
    }
    out
}

fn head(endpoint: &Endpoint) -> String {
    let mut head = escape::line(&endpoint.label());
    if endpoint.transport == crate::model::Transport::Quic {
        head.push_str(" quic");
    }
    for condition in &endpoint.when {
        head.push_str(&format!("  where {}", escape::line(condition)));
    }
    let at = &endpoint.defined_at;
    format!("{head}  {}:{}", escape::path(&at.path), at.line)
}

fn place(at: &Location) -> String {
    format!("{}:{}", escape::path(&at.path), at.line)
}

pub(super) fn versions(server: &Compared<'_>) -> (Version, Version) {
    let of = |site: &Site| site.platform.server.value;
    (of(server.before), of(server.after))
}

pub(super) fn total(server: &Compared<'_>, changes: &[Change<'_>]) -> usize {
    let new = |change: &&Change<'_>| matches!(change, Change::New(_));
    server.before.endpoints.len() + changes.iter().filter(new).count()
}

/// What tells an endpoint of a configuration from all others: its socket, its block and the
/// conditions, in that order of occurrence.
fn keys(site: &Site) -> Vec<(String, usize)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let key = |endpoint: &Endpoint| {
        let at = &endpoint.defined_at;
        format!(
            "{} {} {} {:?} {:?}",
            endpoint.address,
            endpoint.transport.word(),
            endpoint.module.word(),
            (&at.path, at.line, &at.via),
            endpoint.when
        )
    };
    let keys = site.endpoints.iter().map(|endpoint| {
        let key = key(endpoint);
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        (key, *count)
    });
    keys.collect()
}

pub(super) fn changes<'a>(server: &Compared<'a>) -> Vec<Change<'a>> {
    let (old, new) = (keys(server.before), keys(server.after));
    let found: HashMap<_, _> = new.iter().zip(&server.after.endpoints).collect();
    let mut changes = Vec::new();
    for (key, before) in old.iter().zip(&server.before.endpoints) {
        let Some(after) = found.get(key) else {
            changes.push(Change::Gone(before));
            continue;
        };
        let differences = differences(before, after);
        if !differences.is_empty() {
            changes.push(Change::Differs(after, differences));
        }
    }
    let known: std::collections::HashSet<_> = old.iter().collect();
    for (key, after) in new.iter().zip(&server.after.endpoints) {
        if !known.contains(key) {
            changes.push(Change::New(after));
        }
    }
    changes
}

/// Fields whose words differ. Domain names are numbers of no meaning; what they mean is in
/// the crossings.
fn differences<'a>(before: &'a Endpoint, after: &'a Endpoint) -> Vec<Difference<'a>> {
    let (old, new) = (values(before), values(after));
    let pairs = old.into_iter().zip(new);
    let different = pairs.filter(|((_, _, before), (_, _, after))| before != after);
    different
        .map(|((field, reason, old), (_, _, new))| Difference {
            field,
            before: old,
            after: new,
            why_before: reason.and_then(|reason| before.why(reason)),
            why_after: reason.and_then(|reason| after.why(reason)),
        })
        .collect()
}

/// Every field that is compared, with its reason and its value in the contract's words.
fn values(endpoint: &Endpoint) -> Vec<(&'static str, Option<Field>, String)> {
    let seconds = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let bounded = |value: Option<bool>| value.map_or("-", yes_no).to_owned();
    let key = &endpoint.ticket_key;
    let governor = &endpoint.governed_by;
    let of = |field: Field, value: String| (field.word(), Some(field), value);
    let plain = |name: &'static str, value: String| (name, None, value);
    vec![
        plain("names", endpoint.names.join(" ")),
        plain("default", yes_no(endpoint.default).to_owned()),
        plain("reachable", yes_no(endpoint.reachable).to_owned()),
        of(Field::Rejects, yes_no(endpoint.rejects).to_owned()),
        plain(
            "governed_by",
            format!("{}:{}", governor.path.display(), governor.line),
        ),
        of(
            Field::Tls12SessionId,
            endpoint.tls12.session_id.word().to_owned(),
        ),
        of(Field::Tls12Ticket, endpoint.tls12.ticket.word().to_owned()),
        of(Field::Tls13Issued, endpoint.tls13.issued.word().to_owned()),
        of(
            Field::Tls13Resumes,
            endpoint.tls13.resumes.word().to_owned(),
        ),
        of(Field::Lifetime12, seconds(endpoint.lifetime_seconds.tls12)),
        of(Field::Lifetime13, seconds(endpoint.lifetime_seconds.tls13)),
        (
            "chain_bounded.tls12",
            Some(Field::ChainBounded),
            bounded(endpoint.chain_bounded.tls12),
        ),
        (
            "chain_bounded.tls13",
            Some(Field::ChainBounded),
            bounded(endpoint.chain_bounded.tls13),
        ),
        (
            "ticket_key.source",
            Some(Field::TicketKey),
            key.source.word().to_owned(),
        ),
        (
            "ticket_key.files",
            Some(Field::TicketKey),
            key.files.join(" "),
        ),
        (
            "ticket_key.zone",
            Some(Field::TicketKey),
            key.zone.clone().unwrap_or_else(|| "-".to_owned()),
        ),
        (
            "ticket_key.replaced",
            Some(Field::TicketKey),
            key.replaced.map_or("-", |it| it.word()).to_owned(),
        ),
        of(Field::CrossName, endpoint.cross_name.word().to_owned()),
        of(Field::ClientAuth, endpoint.client_auth.word().to_owned()),
        of(Field::EarlyData, yes_no(endpoint.early_data).to_owned()),
    ]
}

const fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Sessions of one endpoint that another one resumes.
#[derive(Clone, Eq, PartialEq, Debug, Serialize)]
pub(super) struct Crossing {
    from: String,
    to: String,
    kinds: Vec<&'static str>,
}

/// Crossings that only the second version has, and those that only the first has.
pub(super) fn crossings(server: &Compared<'_>) -> (Vec<Crossing>, Vec<Crossing>) {
    let (before, after) = (all_crossings(server.before), all_crossings(server.after));
    let without = |list: &[Crossing], other: &[Crossing]| -> Vec<Crossing> {
        let other: std::collections::HashSet<_> = other.iter().map(Crossing::key).collect();
        let kept = list.iter().filter(|it| !other.contains(&it.key()));
        kept.cloned().collect()
    };
    (without(&after, &before), without(&before, &after))
}

impl Crossing {
    fn key(&self) -> (&str, &str, &[&'static str]) {
        (&self.from, &self.to, &self.kinds)
    }
}

fn all_crossings(site: &Site) -> Vec<Crossing> {
    let label = |index: usize| site.endpoints.get(index).map(Endpoint::label);
    let pairs = pairs::pairs(&site.endpoints).into_iter();
    pairs
        .filter_map(|pair| {
            Some(Crossing {
                from: label(pair.from)?,
                to: label(pair.to)?,
                kinds: pair.kinds,
            })
        })
        .collect()
}
