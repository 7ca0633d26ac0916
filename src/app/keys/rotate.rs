//! One run: `keys init`, `keys rotate`, `keys rotate-now`.

use std::thread;
use std::time::Duration;

use super::{Done, KeysGoal, KeysRequest, Layout, Live, Verdict, httpd, targets};
use crate::app::{AppError, clock};
use crate::keys::{Folder, Source, Turn, check_now, keep_to_itself};

/// A timer may fire this many milliseconds before the slot starts.
const EARLY: u64 = 30_000;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The run itself.
    pub done: Done,
    /// What should be seen to, one sentence each. Not empty: the job is not wholly done.
    pub remarks: Vec<String>,
}

/// Runs once; again where the next slot is about to start.
///
/// # Errors
/// [`AppError::Keys`]; the server goes on as before.
pub fn rotate(request: &KeysRequest, goal: KeysGoal) -> Result<Rotated, AppError> {
    let refused = keep_to_itself();
    let mut rotated = once(request, goal)?;
    let early = EARLY.min(request.rotation.interval.saturating_mul(1000) / 20);
    let due = rotated.done.due;
    if goal != KeysGoal::RotateNow && rotated.done.failed.is_none() && due <= early {
        thread::sleep(Duration::from_millis(due));
        let audit = std::mem::take(&mut rotated.done.audit);
        rotated = once(request, goal)?;
        rotated.done.audit.splice(0..0, audit);
    }
    rotated.done.audit.extend(refused);
    Ok(rotated)
}

/// Runs once.
pub(super) fn once(request: &KeysRequest, goal: KeysGoal) -> Result<Rotated, AppError> {
    let folder = request.folder()?;
    let httpd = request.layout == Layout::Apache48;
    if httpd {
        httpd::may_run(&folder)?;
    }
    let live = || match httpd {
        true => httpd::everywhere(request),
        false => targets::live(request),
    };
    let mut done = turn(request, &folder, &live).run(goal)?;
    if httpd {
        let refused = |why: String| httpd::refused(request, &why);
        done.failed = done.failed.map(refused);
        let cost = done.verdict.is_some().then(|| httpd::COST.to_owned());
        done.audit.extend(cost);
    }
    Ok(judged(request, done, goal == KeysGoal::RotateNow))
}

/// What should be seen to after a run; `replaced`: all keys were to be replaced at once.
pub(super) fn judged(request: &KeysRequest, mut done: Done, replaced: bool) -> Rotated {
    let mut remarks = Vec::new();
    if let Some(Verdict::Wrong(why)) = &done.verdict {
        remarks.push(format!(
            "{why}: the server does not use these keys; put `include {}/*.conf;` into the block \
             that decides, for all servers the http block, and reload",
            request.folder.display()
        ));
    }
    if replaced && done.failed.is_none() {
        match request.server.restart() {
            Some(Ok(())) => done.verdict = Some(restarted(request, &mut remarks)),
            Some(Err(why)) => {
                remarks.push(format!("the restart failed: {why}"));
                end_the_past(request, done.running, &mut remarks);
            }
            None => end_the_past(request, done.running, &mut remarks),
        }
    }
    Rotated { done, remarks }
}

const NOBODY_TOLD: &str = "no running server was found by --pid-file, so none was told: one that \
runs nevertheless still takes tickets under the keys of before; name its --pid-file, or how to \
stop and start it (--restart-command)";

/// The run of a request; `live` is [`targets::live`].
pub(super) fn turn<'a>(
    request: &'a KeysRequest,
    folder: &'a Folder,
    live: &'a dyn Fn() -> Live,
) -> Turn<'a> {
    Turn {
        folder,
        source: Source::Here,
        schedule: request.schedule(),
        server: &request.server,
        live,
        cache: request.cache.as_deref(),
        allow_disk: request.allow_disk,
        refresh: false,
        clock: &clock::both,
    }
}

/// A restart leaves nothing of before, whether or not a server was seen; what came of it has
/// to be under the new keys.
fn restarted(request: &KeysRequest, remarks: &mut Vec<String>) -> Verdict {
    let verdict = match request.folder() {
        Ok(folder) => check_now(&folder, &targets::live(request)),
        Err(why) => Verdict::NotCheckable(why.to_string()),
    };
    if let Verdict::Wrong(why) = &verdict {
        remarks.push(format!("after the restart: {why}"));
    }
    verdict
}

/// What a reload leaves behind: processes with the old keys, and session ids in shared memory.
fn end_the_past(request: &KeysRequest, running: bool, remarks: &mut Vec<String>) {
    if !running {
        // After a leak, a server that goes on unseen with the keys of before is no success.
        remarks.push(NOBODY_TOLD.to_owned());
        return;
    }
    if let Err(why) = request.server.end_draining() {
        remarks.push(format!("processes with the old keys still run: {why}"));
    }
    match targets::lasting_caches(request) {
        Some(zones) if zones.is_empty() => {}
        Some(zones) => remarks.push(format!(
            "sessions in the shared cache {} still resume by their ids: rename the zone and \
             reload, or stop and start the server (--restart-command), or let the cache stand \
             beside the keys (--cache)",
            zones.join(", ")
        )),
        None => remarks.push(
            "whether a shared session cache still resumes sessions is not known: name the \
             configuration (--server-config), or stop and start the server (--restart-command)"
                .to_owned(),
        ),
    }
}
