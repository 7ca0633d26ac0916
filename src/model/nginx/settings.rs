//! What became of every session setting: in force, or silently without effect.

use super::config::{CacheKind, Config};
use super::deciders::Decides;
use super::pair::Pair;
use super::sockets::Server;
use crate::catalog::Decider;
use crate::model::effects::Effects;
use crate::model::state::Value;
use crate::model::{IgnoredReason, SettingId};

/// An endpoint with what its settings are judged by.
#[derive(Copy, Clone, Debug)]
pub(super) struct Judged<'a> {
    pub(super) index: usize,
    pub(super) pair: Pair<'a>,
    /// Tickets are issued.
    pub(super) issues: bool,
    pub(super) governor: &'a Server,
}

/// Judges the settings of endpoints.
#[derive(Debug)]
pub(super) struct Judge<'a>(pub(super) Effects<'a>);

impl Judge<'_> {
    /// Judges the settings that an endpoint's blocks have.
    pub(super) fn judge(&mut self, of: Judged<'_>) {
        let Pair { a, b, .. } = of.pair;
        self.cache(of);
        self.plain(
            of,
            Decides::Timeout,
            &a.timeout,
            &b.timeout,
            a.timeout.value == b.timeout.value,
        );
        let same = a.early_data.value == b.early_data.value;
        self.plain(of, Decides::EarlyData, &a.early_data, &b.early_data, same);
        let same = a.protocols.value == b.protocols.value;
        self.plain(of, Decides::Protocols, &a.protocols, &b.protocols, same);
        self.keys(of);
        self.tickets(of);
        for command in &b.commands {
            self.in_force(command.by);
        }
        for value in [b.client_auth.by, b.reject.by, b.enabled.by, b.starttls.by] {
            self.in_force(value);
        }
    }

    /// A setting that A decides for every endpoint of its address, or B does.
    fn plain<T>(
        &mut self,
        of: Judged<'_>,
        directive: Decides,
        a: &Value<T>,
        b: &Value<T>,
        same: bool,
    ) {
        let from_a = matches!(
            of.pair.decider(directive),
            Decider::DefaultServer | Decider::DefaultServerOwnOff
        );
        if !from_a || same || a.by == b.by {
            self.in_force(b.by);
            return;
        }
        self.in_force(a.by);
        let in_force = format!("{} {}", directive.name(), a.text);
        self.ignored(of, b.by, hidden_by(of), in_force, a.by);
    }

    fn cache(&mut self, of: Judged<'_>) {
        let Pair { a, b, .. } = of.pair;
        let zones = [a, b].map(|config| config.zone_in_use().map(|zone| &zone.value));
        let same = a.cache.value == b.cache.value && zones[0] == zones[1];
        // B's `off` does something: it takes the TLS 1.2 session id away.
        let same = same || b.cache.value == CacheKind::Off;
        self.plain(of, Decides::Cache, &a.cache, &b.cache, same);
        let Some(zone) = &b.zone else {
            return;
        };
        if zone.by == b.cache.by && b.zone_in_use().is_some() {
            return;
        }
        if b.zone_in_use().is_some() {
            self.in_force(zone.by);
            return;
        }
        let block = |id: Option<SettingId>| id.map(|id| self.0.blocks().setting(id).block);
        // An outer zone under an inner `off` is a choice, not a mistake.
        if block(zone.by) != block(b.cache.by) {
            return;
        }
        let word = if b.cache.value == CacheKind::Off {
            "off"
        } else {
            "none"
        };
        let in_force = format!("ssl_session_cache {word}");
        self.ignored(
            of,
            zone.by,
            IgnoredReason::StickyCache,
            in_force,
            b.cache.by,
        );
    }

    fn keys(&mut self, of: Judged<'_>) {
        let Pair { a, b, .. } = of.pair;
        if a.keys.is_empty() && b.keys.is_empty() {
            return;
        }
        let by = |config: &Config| -> Vec<SettingId> {
            config.keys.iter().filter_map(|key| key.by).collect()
        };
        let (of_a, of_b) = (by(a), by(b));
        if of_a != of_b {
            let in_force = match a.keys.first() {
                Some(key) => format!("ssl_session_ticket_key {}", key.text),
                None => "a random key".to_owned(),
            };
            for id in of_b {
                let by = a.keys.first().and_then(|key| key.by);
                self.ignored(of, Some(id), hidden_by(of), in_force.clone(), by);
            }
        }
        for id in of_a {
            if of.issues {
                self.in_force(Some(id));
                continue;
            }
            let off = b.tickets_effective();
            let in_force = "ssl_session_tickets off".to_owned();
            self.ignored(of, Some(id), IgnoredReason::TicketsOff, in_force, off.by);
        }
    }

    fn tickets(&mut self, of: Judged<'_>) {
        let Pair { a, b, .. } = of.pair;
        for config in [a, b] {
            let effective = config.tickets_effective();
            if effective.value != config.tickets.value {
                let in_force = format!("ssl_conf_command {}", effective.text);
                let reason = IgnoredReason::ConfCommand;
                self.ignored(of, config.tickets.by, reason, in_force, effective.by);
                continue;
            }
            // Said on in B, but A's off makes B's tickets dead or keeps them away.
            let dead = of.pair.decider(Decides::Tickets) == Decider::Both
                && config.tickets.value
                && !a.tickets_effective().value;
            if dead {
                let in_force = "ssl_session_tickets off".to_owned();
                let by = a.tickets_effective().by;
                self.ignored(of, config.tickets.by, hidden_by(of), in_force, by);
                continue;
            }
            self.in_force(config.tickets.by);
        }
    }

    fn in_force(&mut self, id: Option<SettingId>) {
        self.0.in_force(id);
    }

    fn ignored(
        &mut self,
        of: Judged<'_>,
        id: Option<SettingId>,
        reason: IgnoredReason,
        in_force: String,
        decided_by: Option<SettingId>,
    ) {
        let governor = of.governor.block;
        self.0
            .ignored(of.index, id, reason, &in_force, decided_by, governor);
    }
}

/// Whether a catch-all or an ordinary default server hides a setting.
fn hidden_by(of: Judged<'_>) -> IgnoredReason {
    let a = &of.governor.config;
    match a.reject.value && a.says_nothing() {
        true => IgnoredReason::CatchAllDefault,
        false => IgnoredReason::NonDefaultServer,
    }
}
