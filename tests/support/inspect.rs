//! Asks the program under test what it thinks of a configuration.

use std::path::Path;

use serde_json::Value;

use super::client::{Kind, Target};
use super::program;

/// `inspect --format json` of one root, as a complete document.
///
/// # Errors
/// The program does not exit with 0, or says that it did not read everything.
pub fn inspect_json(root: &Path, server_version: &str) -> Result<Value, String> {
    inspect_with(root, &["--server-version", server_version])
}

/// The same with other arguments.
///
/// # Errors
/// As `inspect_json`.
pub fn inspect_with(root: &Path, arguments: &[&str]) -> Result<Value, String> {
    let state = root.with_extension("state");
    let shown = root.to_string_lossy();
    let words = [&["inspect", "--format", "json"], arguments, &[&shown]].concat();
    let run = program::run(&state, &words);
    if run.code != Some(0) {
        return Err(format!(
            "inspect {}: exit {:?}: {}",
            root.display(),
            run.code,
            run.stderr
        ));
    }
    let document: Value = serde_json::from_str(&run.stdout)
        .map_err(|why| format!("inspect {}: no JSON: {why}", root.display()))?;
    if document["schema"] != "stekguard-inspect/1" {
        return Err(format!("inspect: schema is {}", document["schema"]));
    }
    let incomplete = &document["servers"][0]["incomplete"];
    if document["servers"][0]["complete"] != true {
        return Err(format!(
            "inspect {}: incomplete: {incomplete}",
            root.display()
        ));
    }
    Ok(document)
}

/// The endpoint that a client reaches there.
///
/// # Errors
/// There is none, or more than one.
pub fn endpoint<'a>(document: &'a Value, target: &Target) -> Result<&'a Value, String> {
    let address = target.address.to_string();
    let servers = document["servers"].as_array().into_iter().flatten();
    let endpoints = servers.flat_map(|server| server["endpoints"].as_array().into_iter().flatten());
    let matching = endpoints.filter(|endpoint| {
        let named = match &target.sni {
            Some(name) => has_name(endpoint, name),
            None => endpoint["default"] == true,
        };
        endpoint["address"] == address && named
    });
    match matching.collect::<Vec<_>>()[..] {
        [one] => Ok(one),
        [] => Err(format!("no endpoint {address} {:?}", target.sni)),
        _ => Err(format!("several endpoints {address} {:?}", target.sni)),
    }
}

fn has_name(endpoint: &Value, name: &str) -> bool {
    endpoint["names"]
        .as_array()
        .is_some_and(|names| names.iter().any(|have| have == name))
}

/// An endpoint in the words and order of `State`'s text, with the key file that encrypts.
pub fn state_line(endpoint: &Value) -> String {
    let word = |path: &str| match endpoint.pointer(path) {
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
        None => "missing".to_owned(),
    };
    let file = endpoint["ticket_key"]["files"][0].as_str();
    let by_file = endpoint["ticket_key"]["source"] == "files";
    let key = file
        .filter(|_| by_file)
        .and_then(|file| Path::new(file).file_stem()?.to_str());
    format!(
        "id={} ticket={} issued={} resumes={} life={}/{} key={key:?}",
        word("/tls12/session_id"),
        word("/tls12/ticket"),
        word("/tls13/issued"),
        word("/tls13/resumes"),
        word("/lifetime_seconds/tls12"),
        word("/lifetime_seconds/tls13")
    )
}

/// What follows from the domains for a session of one endpoint at another: `resumes`, `no` (none
/// is issued, or a full handshake instead), `fails` (the handshake is refused). `unreachable` where
/// the first endpoint does not speak the version.
///
/// # Errors
/// An endpoint is missing or does not say.
pub fn crossing(
    document: &Value,
    from: &Target,
    to: &Target,
    kind: Kind,
) -> Result<&'static str, String> {
    let (from, to) = (endpoint(document, from)?, endpoint(document, to)?);
    let spoken = |endpoint: &Value| match kind {
        Kind::Id12 | Kind::Ticket12 => endpoint["tls12"]["session_id"] != "unavailable",
        Kind::Tls13 => endpoint["tls13"]["issued"] != "unavailable",
    };
    match (spoken(from), spoken(to)) {
        (false, _) => return Ok("unreachable"),
        (_, false) => return Ok("fails"),
        _ => {}
    }
    let issues = from.get("issues").ok_or("no issues")?;
    let accepts = to["accepts"].as_array().ok_or("no accepts")?;
    let domain = match kind {
        Kind::Id12 => &issues["tls12_id"],
        // Without a ticket a TLS 1.2 client falls back on the id.
        Kind::Ticket12 if issues["tls12_ticket"].is_null() => &issues["tls12_id"],
        Kind::Ticket12 => &issues["tls12_ticket"],
        Kind::Tls13 => &issues["tls13"],
    };
    if domain.is_null() || !accepts.contains(domain) {
        return Ok("no");
    }
    match to["cross_name"].as_str() {
        Some("served") => Ok("resumes"),
        Some("fails") => Ok("fails"),
        Some("full" | "same-name-only") => Ok("no"),
        other => Err(format!("cross_name {other:?}")),
    }
}
