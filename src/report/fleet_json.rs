//! How a fleet stands, for programs: every host, nothing cut.

use serde::Serialize;

use crate::keys::core::KeyId;
use crate::keys::fleet::{HostReport, Overview, Row};

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
