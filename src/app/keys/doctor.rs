//! `keys doctor`: everything around the keys that can be wrong, as one table. Changes nothing.

use std::path::Path;

use super::{KeysRequest, Layout, Verdict, httpd, targets};
use crate::app::{AppError, Inspection, Request, clock, lint};
use crate::keys::{Folder, Status, examine, hardening};
use crate::model::{Endpoint, KeySource};
use crate::policy::{Policy, Rotation, settings::Period};

pub use crate::keys::{Check, Grade};

/// The table.
#[derive(Clone, Debug)]
pub struct Doctor {
    /// Its rows.
    pub checks: Vec<Check>,
}

impl Doctor {
    /// The worst grade.
    pub fn worst(&self) -> Grade {
        let grades = self.checks.iter().map(|check| check.grade);
        grades.max().unwrap_or(Grade::Ok)
    }
}

/// Rules whose findings concern keys that rotate.
const RULES: [&str; 8] = [
    "conf-command-overrides-tickets",
    "excessive-session-timeout",
    "ignored-session-directive",
    "static-ticket-key",
    "ticket-key-file-partial",
    "tickets-without-rotation",
    "undrained-rotation",
    "unreliable-ticket-key-file",
];

/// Looks at everything; units and processes are looked for below `system`, `/` as a rule.
///
/// # Errors
/// [`AppError::Keys`] where the folder's path cannot be used at all.
pub fn doctor(request: &KeysRequest, system: &Path) -> Result<Doctor, AppError> {
    let folder = request.folder()?;
    let httpd = request.layout == Layout::Apache48;
    let mut checks = Vec::new();
    // For httpd there need not be any keys of ours.
    if !httpd || folder.dir().is_dir() {
        checks.extend(examine(&folder, &request.server));
        checks.extend(rotation(request, &folder));
    }
    checks.extend(hardening(system));
    if httpd {
        checks.extend(httpd::examined(request));
        return Ok(Doctor { checks });
    }
    checks.extend(configuration(request));
    checks.push(live(request, &folder));
    Ok(Doctor { checks })
}

fn rotation(request: &KeysRequest, folder: &Folder) -> Vec<Check> {
    let name = "rotation";
    let status = match Status::read(folder, &request.schedule(), clock::both()) {
        Ok(status) => status,
        Err(why) => return vec![Check::new(name, Grade::Error, why.to_string())],
    };
    let mut checks: Vec<Check> = status
        .alarms
        .iter()
        .map(|alarm| Check::new(name, Grade::Warning, alarm))
        .collect();
    let late = status.now.saturating_sub(status.history.last_run);
    if late > request.rotation.interval {
        let text =
            format!("the last run was {late} s ago: is the timer on, or `keys run` running?");
        checks.push(Check::new(name, Grade::Warning, text));
    }
    if checks.is_empty() {
        let text = format!(
            "{} keys ahead, the next encrypts in {} s",
            status.ahead(),
            status.due.div_ceil(1000)
        );
        checks.push(Check::new(name, Grade::Ok, text));
    }
    checks
}

fn configuration(request: &KeysRequest) -> Vec<Check> {
    let name = "configuration";
    let Some(inspection) = targets::inspected(request) else {
        let text = "not known: --server-config names its root";
        return vec![Check::new(name, Grade::Warning, text)];
    };
    if !inspection.complete() {
        let text = "it could not be read whole: `stekguard lint` says what is missing";
        return vec![Check::new(name, Grade::Error, text)];
    }
    let mut checks = vec![used(request, &inspection)];
    checks.extend(lifetime(request, &inspection));
    checks.push(draining(request, &inspection));
    checks.extend(findings(request));
    checks
}

/// Whether the include stands where it decides: every endpoint whose tickets resume.
fn used(request: &KeysRequest, inspection: &Inspection) -> Check {
    let name = "include";
    let issuing = || targets::endpoints(inspection).filter(|it| it.stateless_resumes());
    let ours = |it: &&Endpoint| targets::uses(it, &request.folder);
    let others: Vec<String> = issuing()
        .filter(|endpoint| !ours(endpoint))
        .filter(|endpoint| endpoint.ticket_key.source != KeySource::None)
        .map(Endpoint::label)
        .collect();
    let served = issuing().filter(ours).count();
    let line = format!("include {}/*.conf;", request.folder.display());
    if served == 0 {
        let text = format!("no server uses these keys: put `{line}` into the http block");
        return Check::new(name, Grade::Error, text);
    }
    if let Some(first) = others.first() {
        let more = match others.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let text = format!(
            "{first}{more} issues tickets under other keys: `{line}` has to stand in the http \
             block, or in the default server of the address, and not beside other keys"
        );
        return Check::new(name, Grade::Warning, text);
    }
    Check::new(
        name,
        Grade::Ok,
        format!("{served} endpoints issue tickets under these keys"),
    )
}

/// Sessions have to end before their key is gone.
fn lifetime(request: &KeysRequest, inspection: &Inspection) -> Option<Check> {
    let name = "session timeout";
    let longest = request.rotation.longest_lifetime();
    let ours = targets::endpoints(inspection).filter(|it| targets::uses(it, &request.folder));
    let lifetimes = ours.flat_map(|it| [it.lifetime_seconds.tls12, it.lifetime_seconds.tls13]);
    let worst = lifetimes.flatten().max()?;
    if worst > longest {
        let text = format!(
            "sessions live for {}, the keys for {} only: set ssl_session_timeout {}s",
            Period(worst),
            Period(longest),
            request.rotation.lifetime.min(longest)
        );
        return Some(Check::new(name, Grade::Warning, text));
    }
    let text = format!(
        "{}, which the keys cover ({})",
        Period(worst),
        Period(longest)
    );
    Some(Check::new(name, Grade::Ok, text))
}

/// Old processes keep old keys.
fn draining(request: &KeysRequest, inspection: &Inspection) -> Check {
    let name = "draining";
    let Rotation { interval, .. } = request.rotation;
    let settings = inspection.servers.iter().flat_map(|it| &it.site.settings);
    let value = settings
        .filter(|setting| setting.name == "worker_shutdown_timeout")
        .find_map(|setting| setting.arguments.first());
    let cost = "it cuts WebSockets and downloads that last longer";
    let Some(value) = value else {
        let text = format!(
            "replaced processes keep their keys without a limit: worker_shutdown_timeout {} in \
             the main file ends them; {cost}",
            Period(interval)
        );
        return Check::new(name, Grade::Warning, text);
    };
    match Period::parse(value) {
        Ok(period) if period.0 > interval => {
            let text = format!(
                "worker_shutdown_timeout {value} is longer than a slot of {}: that many more \
                 keys stay in memory",
                Period(interval)
            );
            Check::new(name, Grade::Warning, text)
        }
        _ => Check::new(
            name,
            Grade::Ok,
            format!("worker_shutdown_timeout {value}; {cost}"),
        ),
    }
}

/// What lint finds that concerns keys.
pub(super) fn findings(request: &KeysRequest) -> Vec<Check> {
    let name = "lint";
    let asked = Request {
        paths: request.root.iter().cloned().collect(),
        policy: Policy {
            rotation: request.rotation.clone(),
            keys_directory: request.folder.clone(),
            ..Policy::default()
        },
        ..Request::default()
    };
    let Ok(outcome) = lint(&asked) else {
        return vec![Check::new(
            name,
            Grade::Error,
            "lint cannot read the configuration",
        )];
    };
    // Said above with this plan's own figures.
    let said = ["undrained-rotation"];
    let concerns = outcome
        .findings
        .iter()
        .filter(|it| RULES.contains(&it.rule));
    concerns
        .filter(|it| !said.contains(&it.rule))
        .map(|it| {
            let at = format!("{}:{}", it.location.path.display(), it.location.line);
            Check::new(
                name,
                Grade::Warning,
                format!("{}: {} ({at})", it.rule, it.message),
            )
        })
        .collect()
}

fn live(request: &KeysRequest, folder: &Folder) -> Check {
    let name = "live check";
    let live = targets::live(request);
    match crate::keys::check_now(folder, &live) {
        Verdict::Verified(tickets) => Check::new(
            name,
            Grade::Ok,
            format!("{tickets} tickets are under the current key, name and MAC"),
        ),
        Verdict::NotCheckable(why) => {
            Check::new(name, Grade::Warning, format!("not checkable: {why}"))
        }
        Verdict::Wrong(why) => Check::new(name, Grade::Error, why),
    }
}
