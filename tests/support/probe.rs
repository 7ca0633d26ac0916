//! Asks the program under test what a running server does.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::client::{Manner, Speech, Target};
use super::mail::Protocol;
use super::program::{self, Run};
use super::table::{Block, Group, Running};

/// Enough sessions that two processes without a common cache look alike by chance in one of
/// 2^15 runs.
pub const ATTEMPTS: &str = "16";

/// `probe --format json` of one place with these further arguments: how it ended, and the
/// document.
///
/// # Errors
/// There is no document of this schema on stdout.
pub fn probe(state: &Path, arguments: &[&str]) -> Result<(Run, Value), String> {
    let quick = [
        "probe", "--format", "json", "--rate", "5000", "--color", "never",
    ];
    let run = program::run(state, &[&quick, arguments].concat());
    let document: Value = serde_json::from_str(&run.stdout)
        .map_err(|why| format!("probe {arguments:?}: no JSON: {why}: {}", run.stderr))?;
    if document["schema"] != "stekguard-probe/1" {
        return Err(format!("probe: schema is {}", document["schema"]));
    }
    Ok((run, document))
}

/// The one endpoint of a place, in the manner of its block.
///
/// # Errors
/// There is none.
pub fn endpoint(state: &Path, manner: &Manner, target: &Target) -> Result<Value, String> {
    let address = target.address.to_string();
    let sni = target.sni.clone().unwrap_or_default();
    let mut arguments = vec![&*address, "--sni", &*sni, "--attempts", ATTEMPTS];
    let speech = match manner.speech {
        Speech::Mail(protocol) => ["--speak", word(protocol)],
        Speech::StartTls(protocol) => ["--starttls", word(protocol)],
        _ => ["--speak", "http"],
    };
    arguments.extend(speech);
    let identity = manner.identity.as_ref();
    let files = identity.map(|pair| [&pair.cert, &pair.key].map(|file| file.display().to_string()));
    if let Some([cert, key]) = &files {
        arguments.extend(["--client-cert", cert, "--client-key", key]);
    }
    let (_, mut document) = probe(state, &arguments)?;
    match document["endpoints"].as_array_mut() {
        Some(all) if all.len() == 1 => Ok(all.remove(0)),
        other => Err(format!("probe {address}: endpoints {other:?}")),
    }
}

fn word(protocol: Protocol) -> &'static str {
    protocol.word()
}

/// An endpoint in the words and order of `State`'s text. A session that has no ticket shows no
/// lifetime.
pub fn state_line(endpoint: &Value) -> String {
    let rejects = endpoint["rejects"] == true;
    let able = |path: &str, all: &'static str| match endpoint.pointer(path).and_then(Value::as_str)
    {
        _ if rejects => "unavailable",
        Some("always") => all,
        Some("sometimes") => "per-worker",
        Some("never") => "never",
        Some("unavailable") => "unavailable",
        Some("fails") => "fails",
        _ => "missing",
    };
    let id = able("/tls12/session_id/resumes", "resumes");
    let ticket = match (
        endpoint["tls12"]["issued"].as_str(),
        able("/tls12/ticket/resumes", "resumes"),
    ) {
        (_, word @ ("unavailable" | "fails")) => word,
        (Some("none"), _) => "none",
        (_, "never") => "dead",
        (_, word) => word,
    };
    let tls13 = able("/tls13/ticket/resumes", "always");
    let issued = match tls13 {
        "unavailable" => "unavailable",
        _ => endpoint["tls13"]["issued"].as_str().unwrap_or("missing"),
    };
    let resumes = if tls13 == "unavailable" {
        "never"
    } else {
        tls13
    };
    let hint = |path: &str| {
        endpoint
            .pointer(path)
            .map_or("missing".to_owned(), Value::to_string)
    };
    format!(
        "id={id} ticket={ticket} issued={issued} resumes={resumes} life={}/{}",
        hint("/tls12/ticket/lifetime_hint"),
        hint("/tls13/ticket/lifetime_hint")
    )
}

/// Every block of the groups by `probe`, against the table; how many there were.
///
/// # Panics
/// Any differs; the message lists all that do.
pub fn equals_table(groups: Vec<Group>, family: usize, start: impl Fn(&Group) -> Running) -> usize {
    let mut wrong = Vec::new();
    let mut judged = 0;
    for group in groups {
        let running = start(&group);
        for (index, row) in group.rows.iter().enumerate() {
            for (at, block) in row.blocks.iter().enumerate() {
                judged += 1;
                let differs = difference(&running, (index, at), block, family);
                let place = format!("{}: [{}] {}", row.name, block.name, block.lines);
                wrong.extend(differs.map(|text| format!("{place}\n{text}")));
            }
        }
    }
    println!(
        "{judged} blocks probed, {} differ from the table",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    judged
}

fn difference(
    running: &Running,
    (row, at): (usize, usize),
    block: &Block,
    family: usize,
) -> Option<String> {
    let want = block.want[family];
    let (target, manner) = (&running.targets[row][at], &running.manners[row][at]);
    let seen = match endpoint(running.dir.path(), manner, target) {
        Ok(seen) => seen,
        Err(why) => return Some(why),
    };
    let line = state_line(&seen);
    if want.broken.is_some() {
        let fails = ["ticket=fails", "resumes=fails"]
            .iter()
            .any(|word| line.contains(word));
        return (!fails).then(|| format!("  table broken\n  probe {line}"));
    }
    let mut wanted = want.state;
    // Without a ticket nothing says how long a session is kept.
    if wanted.ticket == "none" {
        wanted.life.0 = None;
    }
    let wanted = format!(
        "{wanted} id_sent={} tickets13={} key={:?}",
        want.id_sent, want.tickets13, want.key
    );
    let live = format!(
        "{} id_sent={} tickets13={} key={:?}",
        line,
        seen["tls12"]["id_sent"],
        seen["tls13"]["tickets"],
        key_file(running, &seen)
    );
    (live != wanted).then(|| format!("  table {wanted}\n  probe {live}"))
}

/// The key file whose name stands in front of the tickets.
fn key_file(running: &Running, seen: &Value) -> Option<&'static str> {
    let name = seen["keys"][0]["name"].as_str()?;
    ["k1", "k2"].into_iter().find(|stem| {
        let bytes = fs::read(running.dir.path().join(format!("{stem}.key"))).unwrap();
        let hex: String = bytes[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        hex == name
    })
}
