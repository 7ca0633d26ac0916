//! `keys doctor --layout apache48`: whether httpd's ticket key file is what authenticates its
//! tickets, and what is better than a key file. Changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Check, Grade, KeysRequest, Layout, Live, Verdict, doctor, targets};
use crate::app::Inspection;
use crate::keys::read_key;
use crate::model::{Endpoint, KeySource};

const ADVICE: &str = "better for httpd: SSLSessionTickets off with a shared SSLSessionCache; or no \
    key file and a scheduled graceful restart (stekguard keys units --service apache2 \
    --scheduled-reload 24h)";
const COST: &str = "httpd takes one key: every rotation costs every returning client a full \
    handshake, and a graceful restart of 1,000 vhosts stalls for seconds";

/// The table.
pub(super) fn examined(request: &KeysRequest) -> Vec<Check> {
    let name = "configuration";
    let Some(inspection) = targets::inspected(request) else {
        let text = "not known: --server-config names its root";
        return vec![Check::new(name, Grade::Error, text)];
    };
    if !inspection.complete() {
        let text = "it could not be read whole: `stekguard lint` says what is missing";
        return vec![Check::new(name, Grade::Error, text)];
    }
    let files = key_files(&inspection);
    let mut checks = Vec::new();
    if files.is_empty() {
        checks.push(without(&inspection));
    }
    for file in &files {
        let live = live(request, &inspection, file);
        checks.push(key_file(file, &live));
    }
    checks.extend(doctor::findings(request));
    checks.push(Check::new("advice", Grade::Note, ADVICE));
    checks
}

fn key_files(inspection: &Inspection) -> BTreeSet<PathBuf> {
    targets::endpoints(inspection)
        .filter(|endpoint| endpoint.ticket_key.source == KeySource::Files)
        .flat_map(|endpoint| endpoint.ticket_key.files.iter().map(PathBuf::from))
        .collect()
}

fn without(inspection: &Inspection) -> Check {
    let name = "key files";
    let memory = targets::endpoints(inspection).filter(|it| it.stateless_resumes());
    match memory.count() {
        0 => Check::new(name, Grade::Ok, "no tickets that a key opens"),
        count => Check::new(
            name,
            Grade::Note,
            format!(
                "{count} endpoints issue tickets under a key in memory, which a graceful \
                 restart replaces"
            ),
        ),
    }
}

/// Where tickets under this file are issued.
fn live(request: &KeysRequest, inspection: &Inspection, file: &Path) -> Live {
    let mut live = request.live.clone();
    if live.targets.is_empty() {
        let uses = |it: &&Endpoint| {
            it.ticket_key
                .files
                .iter()
                .any(|named| Path::new(named) == file)
        };
        let uses = targets::endpoints(inspection).filter(uses);
        live.targets = uses.filter_map(targets::target).collect();
    }
    live
}

/// Whether a ticket's MAC is by the file's HMAC key: on OpenSSL 3 it is not.
fn key_file(file: &Path, live: &Live) -> Check {
    let name = "key file";
    let path = file.display();
    let key = match read_key(file, Layout::Apache48) {
        Ok(key) => key,
        Err(why) => return Check::new(name, Grade::Error, why.to_string()),
    };
    match live.check(&key) {
        Verdict::Verified(tickets) => Check::new(
            name,
            Grade::Note,
            format!("{path}: {tickets} tickets are by this file, name and MAC; {COST}"),
        ),
        Verdict::NotCheckable(why) => Check::new(
            name,
            Grade::Warning,
            format!("{path}: not checkable: {why}"),
        ),
        Verdict::Wrong(why) => Check::new(
            name,
            Grade::Error,
            format!(
                "{path} is unreliable: {why}; with OpenSSL 3 httpd does not use the file's HMAC \
                 half, so no rotation of this file is offered"
            ),
        ),
    }
}
