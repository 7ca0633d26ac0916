//! How a fleet stands: a page for people that stays short with a thousand hosts, a document for
//! programs, and metrics. Names and words of hosts are shown escaped and cut.

use serde::Serialize;

use super::moment::utc;
use super::{Paint, escape};
use crate::keys::core::KeyId;
use crate::keys::fleet::{HostReport, Overview, Row};
use crate::policy::settings::Period;

/// Rows that are shown unless all are asked for.
const SHOWN: usize = 25;
/// Columns of a host's name.
const NAME: usize = 32;
/// Keys that are named in the summary.
const KEYS: usize = 4;

/// What a page shows.
#[derive(Copy, Clone, Debug)]
pub struct FleetPage {
    /// Every host, not only those with troubles.
    pub all: bool,
    /// The worst first, not in the roster's order.
    pub worst_first: bool,
}

/// The page.
pub fn text(overview: &Overview, page: FleetPage, paint: Paint) -> String {
    let mut out = summary(overview, paint);
    let rows = match page.worst_first {
        true => overview.worst_first(),
        false => overview.rows.iter().collect(),
    };
    let few = page.all || rows.len() <= SHOWN;
    let wanted = |row: &&Row| few || !row.troubles.is_empty();
    let mut rows: Vec<&Row> = rows.into_iter().filter(wanted).collect();
    let more = match page.all {
        true => 0,
        false => rows.len().saturating_sub(SHOWN),
    };
    rows.truncate(rows.len() - more);
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&table(&rows, paint));
    }
    if more > 0 {
        out.push_str(&format!(
            "and {more} more hosts with troubles: --all shows them\n"
        ));
    } else if !few {
        let fine = overview.rows.len() - rows.len();
        out.push_str(&format!(
            "and {fine} hosts without troubles: --all shows them\n"
        ));
    }
    out
}

fn summary(overview: &Overview, paint: Paint) -> String {
    let hosts = overview.rows.len();
    let fine = overview
        .rows
        .iter()
        .filter(|row| row.troubles.is_empty())
        .count();
    let verdict = format!("{fine} of {hosts} hosts are fine");
    let verdict = match overview.is_fine() {
        true => paint.good(&verdict),
        false => paint.bad(&verdict),
    };
    let mut out = format!(
        "fleet {} at {}: {verdict}\n",
        overview.fleet,
        utc(overview.now / 1000)
    );
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<12}{value}\n"));
    line("slot", overview.epoch.to_string());
    line("generator", generator(overview));
    let keys: Vec<String> = overview
        .keys
        .iter()
        .take(KEYS)
        .map(|(id, count)| format!("{id} on {count}"))
        .collect();
    let more = overview.keys.len().saturating_sub(KEYS);
    let keys = match (keys.is_empty(), more) {
        (true, _) => "no host reports a key".to_owned(),
        (false, 0) => keys.join(", "),
        (false, more) => format!("{}, and {more} more", keys.join(", ")),
    };
    line("encrypts", keys);
    let troubles = overview.troubles();
    let troubles: Vec<String> = troubles
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    if !troubles.is_empty() {
        line("troubles", troubles.join(", "));
    }
    for alarm in &overview.alarms {
        line("alarm", escape::line(alarm));
    }
    out
}

fn generator(overview: &Overview) -> String {
    let Some(head) = &overview.head else {
        return "not heard".to_owned();
    };
    format!(
        "heard {}, keys up to slot {}, generation {}",
        ago(overview.now, head.time),
        head.newest,
        head.generation
    )
}

/// `4s ago`; `never` for a time that is not one.
fn ago(now: u64, then: u64) -> String {
    match then {
        0 => "never".to_owned(),
        _ => format!("{} ago", roughly(now.saturating_sub(then))),
    }
}

/// A period in its one or two largest units.
fn roughly(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let unit = match seconds {
        0..60 => 1,
        60..86_400 => 60,
        _ => 3600,
    };
    Period(seconds / unit * unit).to_string()
}

const HEADS: [&str; 9] = [
    "host",
    "slot",
    "encrypts",
    "ahead",
    "skew",
    "contact",
    "reload",
    "live check",
    "troubles",
];

fn table(rows: &[&Row], paint: Paint) -> String {
    let cells: Vec<[String; 9]> = rows.iter().copied().map(cells).collect();
    let mut widths = HEADS.map(str::len);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[&str], end: &str| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        format!("{}\n", (line + end).trim_end())
    };
    let mut out = line(&HEADS[..8], HEADS[8]);
    for row in &cells {
        let troubles = match row[8].as_str() {
            "-" => paint.good("-"),
            troubles => paint.bad(troubles),
        };
        let first: Vec<&str> = row[..8].iter().map(String::as_str).collect();
        out.push_str(&line(&first, &troubles));
    }
    out
}

fn cells(row: &Row) -> [String; 9] {
    let troubles: Vec<String> = row.troubles.iter().map(ToString::to_string).collect();
    let troubles = match troubles.is_empty() {
        true => "-".to_owned(),
        false => troubles.join(", "),
    };
    let host = shown(row.host.as_str(), NAME);
    let Some(report) = &row.report else {
        let nothing = || "-".to_owned();
        let [a, b, c, d, e, f, g] = std::array::from_fn(|_| nothing());
        return [host, a, b, c, d, e, f, g, troubles];
    };
    // What the host says of the past is measured by its own clock.
    let own = |then: u64| ago(report.time.saturating_add(row.age), then);
    let derived = if report.derived { "~" } else { "" };
    [
        host,
        report.epoch.to_string(),
        report
            .encrypts
            .map_or("none".to_owned(), |id| format!("{derived}{id}")),
        report.ahead.to_string(),
        skew(report.skew),
        own(report.contact),
        own(report.reloaded),
        match report.live_check.as_str() {
            "" => "never".to_owned(),
            words => shown(words, 24),
        },
        troubles,
    ]
}

/// Text of others: escaped and cut.
fn shown(text: &str, most: usize) -> String {
    let text = escape::line(text);
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
        None => text,
    }
}

fn skew(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { '-' } else { '+' };
    match milliseconds.unsigned_abs() {
        0 => "0".to_owned(),
        small @ 1..10_000 => format!("{sign}{}.{}s", small / 1000, small % 1000 / 100),
        large => format!("{sign}{}", roughly(large)),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    fleet: &'a str,
    time: u64,
    epoch: u64,
    fine: bool,
    generator: Option<Generator>,
    alarms: &'a [String],
    keys: Vec<Common>,
    hosts: Vec<Host<'a>>,
}

#[derive(Serialize)]
struct Generator {
    time: u64,
    generation: u32,
    interval: u64,
    newest: u64,
}

#[derive(Serialize)]
struct Common {
    id: KeyId,
    hosts: usize,
}

#[derive(Serialize)]
struct Host<'a> {
    host: &'a str,
    troubles: Vec<&'static str>,
    refused: Option<&'static str>,
    report: Option<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    time: u64,
    age: u64,
    epoch: u64,
    generation: u32,
    encrypts: Option<KeyId>,
    derived: bool,
    ahead: u32,
    held: u32,
    skew: i64,
    contact: u64,
    reloaded: u64,
    live_check: &'a str,
    alarms: u32,
}

/// The document `stekguard-fleet-status/1`; within a version fields are only added. Times are in
/// milliseconds since 1970.
pub fn json(overview: &Overview, worst_first: bool) -> String {
    let rows = match worst_first {
        true => overview.worst_first(),
        false => overview.rows.iter().collect(),
    };
    let document = Document {
        schema: "stekguard-fleet-status/1",
        fleet: overview.fleet.as_str(),
        time: overview.now,
        epoch: overview.epoch,
        fine: overview.is_fine(),
        generator: overview.head.as_ref().map(|head| Generator {
            time: head.time,
            generation: head.generation,
            interval: head.interval,
            newest: head.newest,
        }),
        alarms: &overview.alarms,
        keys: overview
            .keys
            .iter()
            .map(|(id, hosts)| Common {
                id: *id,
                hosts: *hosts,
            })
            .collect(),
        hosts: rows.into_iter().map(host).collect(),
    };
    // Plain data always has a text.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let mut text = super::escape::json(text);
    text.push('\n');
    text
}

fn host(row: &Row) -> Host<'_> {
    let refused = row.troubles.iter().find_map(|it| it.refused());
    Host {
        host: row.host.as_str(),
        troubles: row.troubles.iter().map(|it| it.word()).collect(),
        refused: refused.map(|why| why.as_str()),
        report: row.report.as_ref().map(|report| said(row, report)),
    }
}

fn said<'a>(row: &Row, report: &'a HostReport) -> Said<'a> {
    Said {
        time: report.time,
        age: row.age,
        epoch: report.epoch,
        generation: report.generation,
        encrypts: report.encrypts,
        derived: report.derived,
        ahead: report.ahead,
        held: report.held,
        skew: report.skew,
        contact: report.contact,
        reloaded: report.reloaded,
        live_check: &report.live_check,
        alarms: report.alarms,
    }
}

/// The metrics: of the fleet, and a few of each host.
pub fn metrics(overview: &Overview) -> String {
    let mut out = String::new();
    let mut family = |name: &str, help: &str, values: Vec<(String, f64)>| {
        out.push_str(&format!(
            "# HELP stekguard_fleet_{name} {help}\n# TYPE stekguard_fleet_{name} gauge\n"
        ));
        for (labels, value) in values {
            out.push_str(&format!("stekguard_fleet_{name}{labels} {value}\n"));
        }
    };
    let one = |value: f64| vec![(String::new(), value)];
    family(
        "current_epoch",
        "The slot that it is.",
        one(overview.epoch as f64),
    );
    family(
        "hosts",
        "Hosts in the roster.",
        one(overview.rows.len() as f64),
    );
    let fine = overview
        .rows
        .iter()
        .filter(|row| row.troubles.is_empty())
        .count();
    family("hosts_fine", "Hosts without troubles.", one(fine as f64));
    let help = "What is wrong with the generator or the store.";
    family("alarms", help, one(overview.alarms.len() as f64));
    let help = "Different keys that hosts encrypt with.";
    family("encrypting_keys", help, one(overview.keys.len() as f64));
    if let Some(head) = &overview.head {
        let help = "When the generator was last heard.";
        family(
            "head_timestamp_seconds",
            help,
            one(head.time as f64 / 1000.0),
        );
        let help = "The newest slot that there is a key for.";
        family("newest_epoch", help, one(head.newest as f64));
        let help = "Keys of a lower generation are void.";
        family("generation", help, one(f64::from(head.generation)));
    }
    let troubles = overview.troubles();
    let count = |word: &str| troubles.iter().find(|it| it.0 == word).map_or(0, |it| it.1);
    let words = crate::keys::fleet::Trouble::WORDS.iter();
    let counts = words.map(|word| (format!("{{trouble=\"{word}\"}}"), count(word) as f64));
    family(
        "troubled_hosts",
        "Hosts by what is wrong.",
        counts.collect(),
    );
    // A host's name is of letters, digits, `-` and `.`.
    let label = |row: &Row| format!("{{host=\"{}\"}}", row.host);
    let each = |value: fn(&Row) -> f64| {
        let rows = overview.rows.iter();
        rows.map(|row| (label(row), value(row))).collect::<Vec<_>>()
    };
    let help = "Whether a host has no troubles.";
    family(
        "host_fine",
        help,
        each(|row| f64::from(u8::from(row.troubles.is_empty()))),
    );
    let reported = |value: fn(&HostReport) -> f64| {
        let rows = overview.rows.iter();
        rows.filter_map(|row| Some((label(row), value(row.report.as_ref()?))))
            .collect::<Vec<_>>()
    };
    let help = "The slot that a host says it is.";
    family("host_epoch", help, reported(|it| it.epoch as f64));
    let help = "Coming keys that a host holds.";
    family("host_ahead", help, reported(|it| f64::from(it.ahead)));
    let help = "A host's clock less the generator's.";
    family(
        "host_skew_seconds",
        help,
        reported(|it| it.skew as f64 / 1000.0),
    );
    let help = "When a host made its report, by its clock.";
    family(
        "host_report_timestamp_seconds",
        help,
        reported(|it| it.time as f64 / 1000.0),
    );
    let help = "When a host last reached its store, by its clock.";
    family(
        "host_contact_timestamp_seconds",
        help,
        reported(|it| it.contact as f64 / 1000.0),
    );
    let help = "When a host's server last took keys, by its clock.";
    family(
        "host_reload_timestamp_seconds",
        help,
        reported(|it| it.reloaded as f64 / 1000.0),
    );
    out
}
