//! What the server's own configuration says about these keys: where tickets under them are
//! issued, and which session caches outlive a reload.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::{KeysRequest, Target};
use crate::app::{Inspection, Request, inspect};
use crate::keys::Live;
use crate::model::{Endpoint, KeySource, Transport};

/// One handshake each; more say nothing new.
const MOST: usize = 16;

/// The server's configuration as the model has it; `None` where there is none to read.
pub(super) fn inspected(request: &KeysRequest) -> Option<Inspection> {
    let root = request.root.clone().filter(|root| root.is_file())?;
    let request = Request {
        paths: vec![root],
        ..Request::default()
    };
    inspect(&request).ok()
}

/// How to check: as asked for, else where the configuration uses these keys.
pub(super) fn live(request: &KeysRequest) -> Live {
    let mut live = request.live.clone();
    if request.unchecked {
        live.targets.clear();
    } else if live.targets.is_empty()
        && let Some(inspection) = inspected(request)
    {
        let folder = &request.folder;
        let uses = endpoints(&inspection).filter(|endpoint| uses(endpoint, folder));
        live.targets = uses.filter_map(target).collect();
        live.targets
            .dedup_by(|left, right| left.address == right.address);
        live.targets.truncate(MOST);
    }
    live
}

/// Every endpoint of every configuration.
pub(super) fn endpoints(inspection: &Inspection) -> impl Iterator<Item = &Endpoint> {
    let servers = inspection.servers.iter();
    servers.flat_map(|server| server.site.endpoints.iter())
}

/// True when tickets are issued there under keys of this folder.
pub(super) fn uses(endpoint: &Endpoint, folder: &Path) -> bool {
    let ours = |file: &String| Path::new(file).starts_with(folder);
    endpoint.ticket_key.source == KeySource::Files && endpoint.ticket_key.files.iter().any(ours)
}

pub(super) fn target(endpoint: &Endpoint) -> Option<Target> {
    if endpoint.transport != Transport::Tcp || !endpoint.reachable || endpoint.rejects {
        return None;
    }
    let plain = |name: &&String| {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        name.contains('.') && name.chars().all(letters)
    };
    Some(Target {
        address: address(&endpoint.address)?,
        name: endpoint.names.iter().find(plain).cloned(),
    })
}

/// Where a local client reaches a listening address.
fn address(written: &str) -> Option<SocketAddr> {
    if let Some(port) = written.strip_prefix("*:") {
        return Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into());
    }
    let address: SocketAddr = written.parse().ok()?;
    Some(match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        address => address,
    })
}

/// Session caches that outlive a reload with sessions of before, by zone; `None` where the
/// configuration is not known.
pub(super) fn lasting_caches(request: &KeysRequest) -> Option<Vec<String>> {
    let inspection = inspected(request)?;
    let mut zones: Vec<String> = Vec::new();
    for server in &inspection.servers {
        for setting in &server.site.settings {
            let names = setting.name.eq_ignore_ascii_case("ssl_session_cache");
            let shared = setting
                .arguments
                .iter()
                .filter_map(|argument| argument.strip_prefix("shared:"))
                .filter_map(|rest| rest.split(':').next())
                .filter(|zone| names && !zone.starts_with("stekguard_"));
            zones.extend(shared.map(str::to_owned));
        }
    }
    zones.sort();
    zones.dedup();
    Some(zones)
}
