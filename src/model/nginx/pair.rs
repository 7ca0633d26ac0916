//! The two blocks that a connection meets, and which of them decides what in a version.
//!
//! Says whose settings count and where sessions are kept; what a client sees of it is the
//! business of `state`.

use std::borrow::Cow;
use std::sync::Arc;

use super::config::{CacheKind, Config};
use super::deciders::{Deciders, Decides};
use crate::catalog::{self, Decider, Version, behaviours};
use crate::model::state::{Reason, Value};
use crate::model::{ClientAuth, Field, Origin, SettingId, Tls12Id, Tls13Resumes, Transport};

/// The two blocks of an endpoint and what they run on.
#[derive(Copy, Clone, Debug)]
pub(super) struct Pair<'a> {
    /// The default server of the address.
    pub(super) a: &'a Config,
    /// The block itself.
    pub(super) b: &'a Config,
    /// True where both are one block.
    pub(super) same: bool,
    pub(super) version: Version,
    pub(super) transport: Transport,
    /// What A's sessions depend on.
    pub(super) a_ids: &'a Ids,
    /// What B's sessions depend on.
    pub(super) b_ids: &'a Ids,
    /// Which block decides what, in this version and module.
    pub(super) deciders: &'a Deciders,
    /// The package refuses a session of another name where clients are verified, whatever its
    /// version does.
    pub(super) sni_patched: bool,
    /// The block has a context of its own. Without one its settings of TLS are A's, but a
    /// certificate that it demands is still demanded.
    pub(super) own_context: bool,
    /// What the block itself says of client certificates.
    pub(super) demanded: &'a Value<ClientAuth>,
}

/// What the sessions of a server depend on, as numbers: equal ones mean the same.
#[derive(Clone, Default, Debug)]
pub(super) struct Ids {
    /// The session id context.
    pub(super) context: u32,
    /// Its key files.
    pub(super) keys: Vec<u32>,
    /// Its zone, used or not.
    pub(super) zone: Option<u32>,
}

/// Where sessions are kept.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Store {
    None,
    Worker,
    Zone,
}

impl<'a> Pair<'a> {
    /// TLS 1.2 sessions in A's store.
    pub(super) fn stored_ids(&self) -> Tls12Id {
        match self.stores() {
            Store::None => Tls12Id::Never,
            Store::Zone if self.a.timeout.value == 0 => Tls12Id::Never,
            Store::Worker => Tls12Id::PerWorker,
            Store::Zone => Tls12Id::Resumes,
        }
    }

    /// TLS 1.3 sessions in A's store.
    pub(super) fn stored_tickets(&self) -> Tls13Resumes {
        match self.stores() {
            Store::None => Tls13Resumes::Never,
            _ if self.no_time_in_tls13() => Tls13Resumes::Never,
            Store::Zone if self.a.timeout.value == 0 => Tls13Resumes::Never,
            Store::Worker => Tls13Resumes::PerWorker,
            Store::Zone => Tls13Resumes::Always,
        }
    }

    /// Where A's sessions last. A zone drops at once what it keeps for no time; each worker's
    /// own cache, beside a zone too, takes OpenSSL's two hours then.
    pub(super) fn stores(&self) -> Store {
        let no_time = self.a.timeout.value == 0;
        match self.a.cache.value {
            CacheKind::Off | CacheKind::None => Store::None,
            CacheKind::Builtin if self.a.zone.is_none() || no_time => Store::Worker,
            CacheKind::Builtin | CacheKind::SharedOnly => Store::Zone,
        }
    }

    /// Where nginx bounds a TLS 1.3 session by the timeout, one of 0 ends it at once.
    pub(super) fn no_time_in_tls13(&self) -> bool {
        self.a.timeout.value == 0 && behaviours::nginx::TLS13_LIFETIME_BOUNDED.holds(self.version)
    }

    /// A session of another name is refused where clients are verified.
    pub(super) fn sni_checked(&self) -> bool {
        self.sni_patched || behaviours::nginx::SNI_SESSION_CHECK.holds(self.version)
    }

    /// The named decider of a directive in this version.
    pub(super) fn decider(&self, of: Decides) -> Decider {
        self.deciders.decider(of)
    }

    /// The block that decides a directive; `otherwise` where the module has no such row.
    pub(super) fn decided(&self, of: Decides, otherwise: Decider) -> &'a Config {
        let decider = match self.decider(of) {
            Decider::None => otherwise,
            decider => decider,
        };
        match decider {
            Decider::DefaultServer | Decider::DefaultServerOwnOff => self.a,
            _ => self.b,
        }
    }

    /// The block whose conf command counts.
    pub(super) fn decided_command(&self, name: &str) -> &'a Config {
        let command = catalog::command(name.as_bytes());
        let decider = command.map(|row| row.decider(catalog::Server::Nginx, self.version));
        match decider {
            Some(Decider::DefaultServer) => self.a,
            _ => self.b,
        }
    }

    /// A reason; `from_a` says that A's value decides.
    pub(super) fn reason<T>(
        &self,
        field: Field,
        setting: &'static str,
        value: &'a Value<T>,
        from_a: bool,
    ) -> Reason<'a> {
        let text = Cow::Borrowed(&value.text);
        self.reason_by(field, setting, (text, value.by), from_a)
    }

    /// The same of a value that was worked out.
    pub(super) fn reason_by(
        &self,
        field: Field,
        setting: &'static str,
        (value, by): (Cow<'a, Arc<str>>, Option<SettingId>),
        from_a: bool,
    ) -> Reason<'a> {
        let foreign = from_a && !self.same;
        Reason {
            field,
            setting,
            value,
            by,
            origin: foreign.then_some(Origin::DefaultServer),
        }
    }
}
