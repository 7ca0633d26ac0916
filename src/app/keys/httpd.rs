//! httpd: whether a ticket key file is what authenticates its tickets, what is better than a key
//! file, and when one that changes once a day may be tried. Changes nothing itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Check, Grade, KeysError, KeysRequest, Layout, Live, Verdict, doctor, targets};
use crate::app::{Inspection, clock};
use crate::keys::{Folder, read_key};
use crate::model::{Endpoint, KeySource};

/// The rule that judges by the library, where no ticket can be asked for.
const BY_VERSION: &str = "unreliable-ticket-key-file";
const ADVICE: &str = "better for httpd: SSLSessionTickets off with a shared SSLSessionCache; or no \
    key file and a scheduled graceful restart (stekguard keys units --service apache2 \
    --scheduled-reload 24h)";
pub(super) const COST: &str = "httpd takes one key: every rotation costs every returning client \
    a full handshake (300 of 300 when measured), and its graceful restart takes no connections \
    for 0.3 s with 100 virtual hosts and for 2.2 to 2.8 s with 1,000";
/// A trial that httpd failed is not repeated for this many seconds: it costs two graceful
/// restarts.
const REST: u64 = 24 * 60 * 60;

/// Whether a run may touch httpd: it holds a key that was proven, or a trial is due.
///
/// # Errors
/// [`KeysError::Unproven`]: tickets of this httpd were not by its key file a short while ago.
pub(super) fn may_run(folder: &Folder) -> Result<(), KeysError> {
    let Some(saved) = folder.saved().filter(|saved| saved.state.applied.is_none()) else {
        return Ok(());
    };
    let failed = saved.history.live_check.as_deref() == Some(Verdict::Wrong(String::new()).word());
    let age = clock::now().saturating_sub(saved.history.last_run);
    if !failed || age >= REST {
        return Ok(());
    }
    let why = saved.history.last_failure.unwrap_or_default();
    Err(KeysError::Unproven(format!(
        "{age} s ago its tickets were not by the key file ({why}), so it has none; the next \
         trial is made after a day, or once {} is removed. {ADVICE}",
        folder.dir().display()
    )))
}

/// Whether the folder's key was proven by httpd's tickets: units are made for no other.
pub fn proven(request: &KeysRequest) -> bool {
    let saved = request.folder().ok().and_then(|folder| folder.saved());
    saved.is_some_and(|saved| {
        let verified = Verdict::Verified(1).word();
        saved.state.encrypts().is_some() && saved.history.live_check.as_deref() == Some(verified)
    })
}

/// Where the key is to be proven; nowhere while other vhosts issue tickets without it: a key
/// file in some of them breaks handshakes.
pub(super) fn everywhere(request: &KeysRequest) -> Live {
    let mut live = targets::live(request);
    let partial = targets::inspected(request).is_none_or(|inspection| {
        let mut issuing = targets::endpoints(&inspection).filter(|it| it.stateless_resumes());
        !inspection.complete() || issuing.any(|it| !targets::uses(it, &request.folder))
    });
    if partial {
        live.targets.clear();
    }
    live
}

/// What a run that did not go live should have been told.
pub(super) fn refused(request: &KeysRequest, why: &str) -> String {
    format!(
        "{why}; every virtual host has to read the key (IncludeOptional {}/*.conf outside of \
         them), and its tickets have to be by it, name and MAC: with OpenSSL 3 httpd does not \
         use the file's HMAC half. {ADVICE}",
        request.folder.display()
    )
}

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
    let shown = checks.iter().any(|check| check.grade > Grade::Note);
    let findings = doctor::findings(request).into_iter();
    // What tickets have just disproven.
    let moot = |check: &Check| !files.is_empty() && !shown && check.text.starts_with(BY_VERSION);
    checks.extend(findings.filter(|check| !moot(check)));
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
