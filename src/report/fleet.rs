//! How a fleet stands: a page for people that stays short with a thousand hosts. Names and words
//! of hosts are shown escaped and cut.

use super::moment::utc;
use super::{Paint, escape};
use crate::keys::fleet::{Overview, Row};
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
