//! A running store compared with how it should be set. Looks only; what cannot be asked is said.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ::redis::{Value, cmd};

use super::address::{Address, Place, shown};
use super::memcached::Memcached;
use super::redis::Redis;
use super::settings::{Hazard, Role, memcached_hazards, redis_hazards};
use super::{Access, StoreError};
use crate::keys::{Check, Grade, Ground};

/// The oldest Redis that claims in one step.
const ATOMIC_FROM: u32 = 7;

/// Looks at a store: one row for everything that can be wrong with it.
///
/// # Errors
/// [`StoreError`] where it cannot be reached or lets nobody in.
pub fn examine(url: &str, access: &Access) -> Result<Vec<Check>, StoreError> {
    match Address::parse(url)? {
        Address::Directory(path) => directory(&path),
        Address::Redis { place, user, tls } => {
            let mut rows = vec![transport(&place, tls)];
            rows.push(strangers(url, &place, tls, access));
            let mut server = Redis::at(shown(url), place, user, tls, access)?;
            rows.extend(redis(&mut server)?);
            Ok(rows)
        }
        Address::Memcached(place) => {
            let mut rows = vec![transport(&place, false)];
            rows.extend(memcached(&mut Memcached::at(shown(url), place, access))?);
            Ok(rows)
        }
    }
}

fn transport(place: &Place, tls: bool) -> Check {
    let name = "transport";
    let address = place.host.parse::<std::net::IpAddr>();
    let here = address.map_or(place.host == "localhost", |address| address.is_loopback());
    match (tls, here) {
        (true, _) => Check::new(
            name,
            Grade::Ok,
            "TLS, its certificate and name are verified",
        ),
        (false, true) => Check::new(name, Grade::Ok, "in clear, on this machine"),
        (false, false) => Check::new(
            name,
            Grade::Error,
            "in clear over a network: passwords are read by who listens, records changed; use \
             rediss://, or a copy on this machine",
        ),
    }
}

/// Whether somebody without a name is let in.
fn strangers(url: &str, place: &Place, tls: bool, access: &Access) -> Check {
    let name = "strangers";
    let nobody = Access {
        user: None,
        password: None,
        ..access.clone()
    };
    let asked = Redis::at(shown(url), place.clone(), None, tls, &nobody)
        .and_then(|mut server| server.ask(&cmd("DBSIZE"), 0));
    match asked {
        Ok(_) => Check::new(
            name,
            Grade::Error,
            "anybody who reaches it is let in: `user default reset`, and a user with a password \
             for each part (keys store-config redis)",
        ),
        Err(StoreError::Refused { .. }) => Check::new(
            name,
            Grade::Ok,
            "who does not say a name and a password is refused",
        ),
        Err(why) => Check::new(name, Grade::Warning, format!("not known: {why}")),
    }
}

fn redis(server: &mut Redis) -> Result<Vec<Check>, StoreError> {
    // First, so that a server that is not there is an error and not a table.
    server.ask(&cmd("PING"), 0)?;
    let info = match server.ask(&cmd("INFO"), 1 << 20) {
        Ok(answer) => info(&answer),
        Err(StoreError::Refused { why, .. }) => {
            let text =
                format!("this user may not ask for INFO ({why}): as stekguard-operator it may");
            return Ok(vec![Check::new("server", Grade::Warning, text)]);
        }
        Err(why) => return Err(why),
    };
    let role = match info.get("role").map(String::as_str) {
        Some("slave" | "replica") => Role::Replica,
        _ => Role::Master,
    };
    let mut rows = vec![
        version(&info),
        replication(&info, role),
        evicted(&info, "evicted_keys"),
    ];
    for hazard in redis_hazards(role) {
        rows.push(setting(server, &hazard)?);
    }
    Ok(rows)
}

fn setting(server: &mut Redis, hazard: &Hazard) -> Result<Check, StoreError> {
    let mut command = cmd("CONFIG");
    command.arg("GET").arg(&hazard.name);
    let answer = match server.ask(&command, 1 << 16) {
        Err(StoreError::Refused { why, .. }) => {
            let text = format!(
                "{} is not known: this user may not ask ({why}); as stekguard-operator it may",
                hazard.name
            );
            return Ok(Check::new("setting", Grade::Warning, text));
        }
        answer => answer?,
    };
    let text = |value: &Value| match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    let value = match &answer {
        Value::Array(values) => values.get(1).and_then(text),
        _ => None,
    };
    Ok(compared(hazard, value.as_deref()))
}

fn compared(hazard: &Hazard, value: Option<&str>) -> Check {
    let Hazard {
        name, line, why, ..
    } = hazard;
    match value {
        Some(value) if value == hazard.value => Check::new("setting", Grade::Ok, line.clone()),
        Some(value) => {
            let value = super::failed::words(value);
            let text = format!("{name} is `{value}`: set `{line}`. {why}");
            Check::new("setting", hazard.grade, text)
        }
        None => {
            let text = format!("this server knows no {name}; `{line}` is what it is asked for");
            Check::new("setting", Grade::Note, text)
        }
    }
}

fn info(answer: &Value) -> BTreeMap<String, String> {
    let bytes = match answer {
        Value::BulkString(bytes) => bytes.as_slice(),
        _ => &[],
    };
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.to_owned(), super::failed::words(value.trim())))
        .collect()
}

fn version(info: &BTreeMap<String, String>) -> Check {
    let name = "version";
    let valkey = info.get("valkey_version");
    let version = valkey.or_else(|| info.get("redis_version"));
    let version = version.map_or("unknown", String::as_str);
    let first = version
        .split('.')
        .next()
        .and_then(|it| it.parse::<u32>().ok());
    match first {
        Some(first) if first >= ATOMIC_FROM => Check::new(name, Grade::Ok, version),
        _ => Check::new(
            name,
            Grade::Note,
            format!(
                "{version}: a claim takes two steps before version {ATOMIC_FROM}, and rules of users are coarser"
            ),
        ),
    }
}

fn replication(info: &BTreeMap<String, String>, role: Role) -> Check {
    let name = "replication";
    let field = |name: &str| info.get(name).map_or("unknown", String::as_str);
    if role == Role::Master {
        let text = format!("a master with {} replicas", field("connected_slaves"));
        return Check::new(name, Grade::Ok, text);
    }
    match field("master_link_status") {
        "up" => Check::new(
            name,
            Grade::Ok,
            format!(
                "a copy of {}, which last spoke {} s ago",
                field("master_host"),
                field("master_last_io_seconds_ago")
            ),
        ),
        _ => Check::new(
            name,
            Grade::Warning,
            format!(
                "a copy of {} without a connection for {} s: it serves what it had",
                field("master_host"),
                field("master_link_down_since_seconds")
            ),
        ),
    }
}

fn evicted(numbers: &BTreeMap<String, String>, field: &str) -> Check {
    let name = "evictions";
    match numbers.get(field).map(String::as_str) {
        Some("0") => Check::new(name, Grade::Ok, "no record was pushed out"),
        Some(count) => Check::new(
            name,
            Grade::Warning,
            format!(
                "{count} records were pushed out by others: give it an instance of its own, and memory"
            ),
        ),
        None => Check::new(
            name,
            Grade::Warning,
            "it does not say whether records were pushed out",
        ),
    }
}

fn memcached(server: &mut Memcached) -> Result<Vec<Check>, StoreError> {
    let numbers = server.stats("")?;
    let settings = server.stats("settings")?;
    let version = numbers.get("version").map_or("unknown", String::as_str);
    let mut rows = vec![
        Check::new("version", Grade::Ok, super::failed::words(version)),
        evicted(&numbers, "evictions"),
    ];
    for hazard in memcached_hazards() {
        let value = settings.get(&hazard.name).map(String::as_str);
        rows.push(compared(&hazard, value));
    }
    Ok(rows)
}

fn directory(path: &Path) -> Result<Vec<Check>, StoreError> {
    let wrong = |why: std::io::Error| StoreError::Down {
        store: format!("directory:{}", path.display()),
        why: why.to_string(),
    };
    let metadata = std::fs::metadata(path).map_err(wrong)?;
    let mode = metadata.mode() & 0o7777;
    let who = match mode & 0o022 {
        0 => Check::new(
            "writers",
            Grade::Ok,
            format!("mode {mode:04o}: its owner writes"),
        ),
        0o020 => Check::new(
            "writers",
            Grade::Note,
            format!(
                "mode {mode:04o}: every member of group {} can remove records",
                metadata.gid()
            ),
        ),
        _ => Check::new(
            "writers",
            Grade::Error,
            format!("mode {mode:04o}: anybody on this machine can remove records: chmod 0750"),
        ),
    };
    let ground = match Ground::under(path) {
        Ok(ground) => match ground.why_not() {
            None => Check::new("disk", Grade::Ok, "in memory that is never swapped"),
            Some(why) => Check::new(
                "disk",
                Grade::Note,
                format!(
                    "sealed records reach a disk ({why}): whoever has it, and later a host's private key, opens them; hosts' keys live a day and in memory only"
                ),
            ),
        },
        Err(why) => Check::new("disk", Grade::Warning, why.to_string()),
    };
    Ok(vec![who, ground])
}
