//! Asks the program under test what a running server does.

use std::path::Path;

use serde_json::Value;

use super::client::{Manner, Speech, Target};
use super::mail::Protocol;
use super::program::{self, Run};

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
        (_, "unavailable") => "unavailable",
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
