//! Settings whose value holds a `${NAME}` that nothing here defines: what they decide is not
//! known, and is never taken for the default.
//!
//! Where only a path inside the value is open, the setting still says enough.

use std::borrow::Cow;
use std::collections::HashSet;

use super::blocks::View;
use crate::catalog::{self, Kind};
use crate::model::state::{Reason, State};
use crate::model::{
    BlockId, Field, Incomplete, KeySource, PerProtocol, SettingId, Tickets, Tls12Id, Tls12Ticket,
    Tls13Issued, Tls13Resumes,
};
use crate::source::{DirectiveId, Project};

/// The directives whose value decides about sessions.
const DECIDING: [&str; 7] = [
    "SSLEngine",
    "SSLOpenSSLConfCmd",
    "SSLProtocol",
    "SSLSessionCache",
    "SSLSessionCacheTimeout",
    "SSLSessionTickets",
    "SSLVerifyClient",
];

/// Every setting with such a value, as a gap of the answer.
pub(in crate::model) fn gaps(project: &Project) -> Vec<Incomplete> {
    let mut gaps: Vec<Incomplete> = Vec::new();
    let mut known = HashSet::new();
    for id in (0..project.directives.len() as u32).map(DirectiveId) {
        let Some(spec) = project.directive(id).spec else {
            continue;
        };
        if !DECIDING.contains(&spec.name) || !project.arguments(id).any(is_open) {
            continue;
        }
        let words: Vec<String> = project
            .arguments(id)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let Some(name) = unresolved(spec.name, &words) else {
            continue;
        };
        let at = project.location(id);
        let gap = Incomplete {
            path: at.path.to_path_buf(),
            line: at.line,
            why: format!("the value of ${{{name}}} is not known here"),
        };
        if known.insert((gap.path.clone(), gap.line, gap.why.clone())) {
            gaps.push(gap);
        }
    }
    gaps
}

/// A variable may be left in it.
fn is_open(argument: &[u8]) -> bool {
    argument.windows(2).any(|pair| pair == b"${")
}

/// Takes back what such settings decide for an endpoint: those of its vhost and of the first
/// one of its address, or else of the server level.
pub(super) fn blur(state: &mut State<'_>, view: &View<'_>, governor: BlockId, vhost: BlockId) {
    let found = |name: &str| {
        let of = |block| in_force(view, block, name);
        of(vhost).or_else(|| of(governor))
    };
    if let Some(id) = found("SSLEngine").or_else(|| found("SSLProtocol")) {
        tickets(state, view, id);
        session_ids(state, view, id);
        return times(state, view, id);
    }
    if let Some(id) = found("SSLSessionTickets").or_else(|| found("SSLOpenSSLConfCmd")) {
        tickets(state, view, id);
        times(state, view, id);
    }
    if let Some(id) = in_force(view, view.roles.main, "SSLSessionCache") {
        session_ids(state, view, id);
        times(state, view, id);
    }
    if let Some(id) = found("SSLSessionCacheTimeout") {
        times(state, view, id);
    }
}

fn tickets(state: &mut State<'_>, view: &View<'_>, id: SettingId) {
    if state.tls12.ticket != Tls12Ticket::Unavailable {
        state.tls12.ticket = Tls12Ticket::Unknown;
        say(state, view, id, Field::Tls12Ticket);
    }
    if state.tls13.issued != Tls13Issued::Unavailable {
        state.tls13.issued = Tls13Issued::Unknown;
        state.tls13.resumes = Tls13Resumes::Unknown;
        say(state, view, id, Field::Tls13Issued);
        say(state, view, id, Field::Tls13Resumes);
    }
    state.key = Tickets {
        source: KeySource::Unknown,
        files: Vec::new(),
        zone: None,
        replaced: None,
    };
    say(state, view, id, Field::TicketKey);
}

fn session_ids(state: &mut State<'_>, view: &View<'_>, id: SettingId) {
    if state.tls12.session_id != Tls12Id::Unavailable {
        state.tls12.session_id = Tls12Id::Unknown;
        say(state, view, id, Field::Tls12SessionId);
    }
    if state.tls13.issued == Tls13Issued::Stateful {
        state.tls13.resumes = Tls13Resumes::Unknown;
        say(state, view, id, Field::Tls13Resumes);
    }
}

fn times(state: &mut State<'_>, view: &View<'_>, id: SettingId) {
    let nothing = PerProtocol {
        tls12: None,
        tls13: None,
    };
    state.lifetime = nothing;
    state.chain_bounded = PerProtocol {
        tls12: None,
        tls13: None,
    };
    for field in [Field::Lifetime12, Field::Lifetime13, Field::ChainBounded] {
        say(state, view, id, field);
    }
}

/// The reason of a field is the setting that is not known.
fn say(state: &mut State<'_>, view: &View<'_>, id: SettingId, field: Field) {
    let setting = view.roles.blocks.setting(id);
    state.reasons.retain(|reason| reason.field != field);
    state.reasons.push(Reason {
        field,
        setting: setting.name,
        value: Cow::Owned(setting.text()),
        by: Some(id),
        origin: None,
    });
}

/// The setting of this name that holds in a block, where its value is not known. All commands
/// hold together, of everything else the last one.
fn in_force(view: &View<'_>, block: BlockId, name: &str) -> Option<SettingId> {
    let blocks = &view.roles.blocks;
    let open = |id: &SettingId| unresolved(name, &blocks.setting(*id).arguments).is_some();
    let (own, outer) = (view.own(block, name), view.own(view.roles.main, name));
    if name == "SSLOpenSSLConfCmd" {
        return own.into_iter().chain(outer).find(open);
    }
    let last = own.last().or_else(|| outer.last()).copied();
    last.filter(open)
}

/// The variable that leaves a setting's value open.
fn unresolved(name: &str, arguments: &[String]) -> Option<String> {
    let kinds = catalog::apache(name.as_bytes()).map_or(&[][..], |row| row.kinds);
    arguments.iter().enumerate().find_map(|(index, argument)| {
        let kind = kinds.get(index).or(kinds.last());
        let text = match kind {
            // The provider's name decides; a path behind it does not.
            Some(Kind::Socache) => argument.split(':').next().unwrap_or_default(),
            _ => argument,
        };
        let (_, rest) = text.split_once("${")?;
        let (name, _) = rest.split_once('}')?;
        (!name.is_empty()).then(|| name.to_owned())
    })
}
