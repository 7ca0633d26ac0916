//! What became of every session setting of an httpd configuration: in force, or silently
//! without effect.

use super::blocks::View;
use super::config::{CacheLine, Config};
use super::state::{Keys, Pair};
use crate::model::effects::Effects;
use crate::model::state::State;
use crate::model::{BlockId, IgnoredReason, KeySource, Tls13Issued};

/// An endpoint with what its settings are judged by.
#[derive(Copy, Clone, Debug)]
pub(super) struct Judged<'a> {
    pub(super) index: usize,
    pub(super) pair: Pair<'a>,
    pub(super) state: &'a State<'a>,
    pub(super) governor: BlockId,
}

/// Judges the cache lines, of which there is one list for the whole server.
pub(super) fn judge_cache(
    effects: &mut Effects<'_>,
    view: &View<'_>,
    cache: &CacheLine,
    endpoints: usize,
) {
    effects.in_force(cache.value.by);
    let in_force = format!("SSLSessionCache {}", cache.value.text);
    for id in &cache.without_effect {
        // Earlier lines are replaced; later ones (`none` behind a store) do nothing at all.
        let later = cache.value.by.is_some_and(|by| {
            let settings = &view.roles.blocks;
            settings.setting(*id).directive > settings.setting(by).directive
        });
        let reason = match later {
            true => IgnoredReason::StickyCache,
            false => IgnoredReason::Replaced,
        };
        for index in 0..endpoints {
            let main = view.roles.main;
            effects.ignored(index, Some(*id), reason, &in_force, cache.value.by, main);
        }
    }
}

/// Judges the settings that an endpoint's vhosts have.
pub(super) fn judge(effects: &mut Effects<'_>, of: Judged<'_>) {
    let Pair { a, b, .. } = of.pair;
    timeout(effects, of);
    key(effects, of);
    tickets(effects, of, a);
    tickets(effects, of, b);
    for command in a.commands.iter().chain(&b.commands) {
        effects.in_force(command.by);
    }
    for by in [b.client_auth.by, b.engine.by, b.protocols.by] {
        effects.in_force(by);
    }
}

/// A's timeout is that of tickets and TLS 1.2 ids; B's that of what the store keeps.
fn timeout(effects: &mut Effects<'_>, of: Judged<'_>) {
    let Pair { a, b, .. } = of.pair;
    effects.in_force(a.timeout.by);
    let stored = of.state.tls12.session_id.kept_here()
        || (of.state.tls13.issued == Tls13Issued::Stateful && of.state.tls13.resumes.ever());
    if stored || a.timeout.value == b.timeout.value {
        effects.in_force(b.timeout.by);
        return;
    }
    let in_force = format!("SSLSessionCacheTimeout {}", a.timeout.text);
    let reason = IgnoredReason::NotFirstVhost;
    effects.ignored(
        of.index,
        b.timeout.by,
        reason,
        &in_force,
        a.timeout.by,
        of.governor,
    );
}

fn key(effects: &mut Effects<'_>, of: Judged<'_>) {
    let Pair { a, b, .. } = of.pair;
    let Some(file) = &b.key else {
        return;
    };
    if of.state.key.source == KeySource::None {
        let off = of.pair.tickets_on();
        let reason = IgnoredReason::TicketsOff;
        let in_force = "SSLSessionTickets off";
        effects.ignored(
            of.index,
            file.by,
            reason,
            in_force,
            off.flag.by,
            of.governor,
        );
        return;
    }
    if of.pair.keys() == Keys::Random {
        let reason = IgnoredReason::NotFirstVhost;
        let by = a.key.as_ref().and_then(|key| key.by);
        effects.ignored(of.index, file.by, reason, "a random key", by, of.governor);
        return;
    }
    effects.in_force(file.by);
}

fn tickets(effects: &mut Effects<'_>, of: Judged<'_>, config: &Config) {
    let effective = config.tickets_effective();
    if effective.value != config.tickets.value {
        let in_force = format!("SSLOpenSSLConfCmd {}", effective.text);
        let reason = IgnoredReason::ConfCommand;
        effects.ignored(
            of.index,
            config.tickets.by,
            reason,
            &in_force,
            effective.by,
            of.governor,
        );
        return;
    }
    let off = of.pair.tickets_on();
    if config.tickets.value && off.from_a {
        let in_force = "SSLSessionTickets off";
        let reason = IgnoredReason::OnlyEverAdded;
        effects.ignored(
            of.index,
            config.tickets.by,
            reason,
            in_force,
            off.flag.by,
            of.governor,
        );
        return;
    }
    effects.in_force(config.tickets.by);
}
