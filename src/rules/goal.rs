//! What a policy asks of an endpoint, and whether a server can do it at all. Says no words to
//! people but the reason of the latter; where the line stands is the rules' to say.

use super::{Context, advisories, key_files};
use crate::catalog::{self, Server, behaviours};
use crate::model::{Endpoint, KeySource, Platform, Site, Tls12Ticket, Tls13Issued};
use crate::policy::{Goal, Policy};
use crate::rules::advisories::Exposure;

/// The advisory that keeps nginx's own keys from being a goal.
const ADVISORY: &str = "CVE-2026-97629";

/// Whether an endpoint is as the policy's goal says. `sound` is the sum of the other rules and
/// always met here.
pub fn meets(context: &Context<'_>, endpoint: &Endpoint) -> bool {
    if !endpoint.reachable || endpoint.rejects {
        return true;
    }
    match context.policy.goal {
        Goal::Sound => true,
        Goal::NoTickets => !endpoint.stateless_resumes(),
        Goal::NoResumption => !endpoint.resumes(),
        Goal::Rotate | Goal::Automatic => has_wanted_keys(context, endpoint),
    }
}

/// Tickets resume under the keys that are asked for. httpd cannot have them: there no tickets
/// are as good.
fn has_wanted_keys(context: &Context<'_>, endpoint: &Endpoint) -> bool {
    let site = context.site;
    if site.server == Server::Apache {
        return !endpoint.stateless_resumes();
    }
    if !is_known(endpoint) {
        return true;
    }
    if !endpoint.stateless_resumes() {
        return false;
    }
    if context.policy.goal == Goal::Automatic {
        return endpoint.ticket_key.source == KeySource::Zone;
    }
    let lifetimes = [
        endpoint.lifetime_seconds.tls12,
        endpoint.lifetime_seconds.tls13,
    ];
    let longest = context.policy.rotation.longest_lifetime();
    keys_rotate(context, endpoint) && lifetimes.into_iter().flatten().all(|it| it <= longest)
}

/// Tickets are under key files that somebody replaces, as far as one can tell.
pub(super) fn keys_rotate(context: &Context<'_>, endpoint: &Endpoint) -> bool {
    let keys = key_files::in_force(context.site, endpoint);
    !keys.is_empty() && key_files::not_replaced(context, &keys).is_none()
}

/// False where no version is spoken whose tickets the model knows.
fn is_known(endpoint: &Endpoint) -> bool {
    let tls12 = matches!(
        endpoint.tls12.ticket,
        Tls12Ticket::Unavailable | Tls12Ticket::Unknown
    );
    let tls13 = matches!(
        endpoint.tls13.issued,
        Tls13Issued::Unavailable | Tls13Issued::Unknown
    );
    !(tls12 && tls13)
}

/// The lifetime that sessions get under rotated keys, in seconds: what the policy wants, and at
/// most what its rotation covers.
pub(super) fn rotated_lifetime(policy: &Policy) -> u64 {
    let rotation = &policy.rotation;
    let covered = rotation.lifetime.min(rotation.longest_lifetime());
    covered.min(policy.lifetime_warning)
}

/// Why a server cannot meet a goal whatever its configuration, a clause; `None` where it can.
pub fn obstacle(goal: Goal, server: Server, platform: &Platform) -> Option<String> {
    match (goal, server) {
        (Goal::Sound | Goal::NoTickets | Goal::NoResumption, _) | (Goal::Rotate, Server::Nginx) => {
            None
        }
        (Goal::Rotate, Server::Apache) => Some(
            "httpd takes one ticket key, so that every rotation ends every session, and with \
             OpenSSL 3 it does not authenticate tickets by the file"
                .to_owned(),
        ),
        (Goal::Automatic, Server::Apache) => {
            Some("httpd does not replace ticket keys by itself".to_owned())
        }
        (Goal::Automatic, Server::Nginx) => automatic_obstacle(platform),
    }
}

fn automatic_obstacle(platform: &Platform) -> Option<String> {
    let version = platform.server.value;
    let rotates = behaviours::nginx::AUTOMATIC_TICKET_KEY_ROTATION;
    if !rotates.holds(version) {
        return Some(format!(
            "nginx {version} does not replace ticket keys by itself"
        ));
    }
    let advisory = catalog::advisory(ADVISORY)?;
    let fixed: Vec<String> = advisory.fixed.iter().map(ToString::to_string).collect();
    let fixed = fixed.join(" or ");
    match advisories::exposure(platform, advisory) {
        Exposure::No => None,
        Exposure::Yes => Some(format!(
            "sessions can be forged under the keys that nginx {version} makes itself \
             ({ADVISORY}, fixed in {fixed})"
        )),
        Exposure::Perhaps => Some(format!(
            "sessions can be forged under the keys that nginx {version} makes itself \
             ({ADVISORY}, fixed in {fixed}), unless its package carries the fix, which is not known"
        )),
    }
}

/// The same for the judged version.
pub(super) fn obstacle_here(context: &Context<'_>) -> Option<String> {
    let site: &Site = context.site;
    obstacle(context.policy.goal, site.server, &site.platform)
}
