//! Which block decides a directive, looked up once for a version and not for every endpoint.
//! Must not say what a decider does.

use super::config::server_context;
use super::sockets::Socket;
use crate::catalog::{self, Decider, Version};
use crate::model::Module;

/// Directives of which one block of an address decides.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Decides {
    Tickets,
    Protocols,
    EarlyData,
    Timeout,
    Cache,
}

impl Decides {
    /// The directive.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tickets => "ssl_session_tickets",
            Self::Protocols => "ssl_protocols",
            Self::EarlyData => "ssl_early_data",
            Self::Timeout => "ssl_session_timeout",
            Self::Cache => "ssl_session_cache",
        }
    }
}

/// The deciders of a version in the servers of a module.
#[derive(Copy, Clone, Debug)]
pub(super) struct Deciders {
    tickets: Decider,
    protocols: Decider,
    early_data: Decider,
    timeout: Decider,
    cache: Decider,
}

impl Deciders {
    /// Of a module that has no servers.
    pub(super) const NONE: Self = Self {
        tickets: Decider::None,
        protocols: Decider::None,
        early_data: Decider::None,
        timeout: Decider::None,
        cache: Decider::None,
    };

    /// Those of each module that has a socket.
    pub(super) fn of(sockets: &[Socket], version: Version) -> Vec<(Module, Self)> {
        let mut found: Vec<(Module, Self)> = Vec::new();
        for socket in sockets {
            if found.iter().all(|(module, _)| *module != socket.module) {
                found.push((socket.module, Self::new(socket.module, version)));
            }
        }
        found
    }

    fn new(module: Module, version: Version) -> Self {
        let of = |directive: Decides| {
            let row = catalog::nginx_in(directive.name().as_bytes(), server_context(module));
            row.map_or(Decider::None, |row| row.decider(version))
        };
        Self {
            tickets: of(Decides::Tickets),
            protocols: of(Decides::Protocols),
            early_data: of(Decides::EarlyData),
            timeout: of(Decides::Timeout),
            cache: of(Decides::Cache),
        }
    }

    /// The named decider of a directive; `None` where the module does not have it.
    pub(super) const fn decider(&self, directive: Decides) -> Decider {
        match directive {
            Decides::Tickets => self.tickets,
            Decides::Protocols => self.protocols,
            Decides::EarlyData => self.early_data,
            Decides::Timeout => self.timeout,
            Decides::Cache => self.cache,
        }
    }
}
