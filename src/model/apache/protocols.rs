//! Which TLS versions an endpoint speaks, put together from `SSLProtocol` and the conf
//! commands of the vhost and of the first vhost of its address.
//!
//! Source: mod_ssl's ssl_init_ctx_protocol and ssl_find_vhost, OpenSSL's ssl_conf.c.

use super::config::Config;
use crate::catalog::{Version, behaviours};
use crate::model::state::Protocols;

/// Versions as OpenSSL numbers them, from TLS 1.0 on; 0 stands for everything older.
const TLS1: u8 = 1;
const TLS1_1: u8 = 2;
const TLS1_2: u8 = 3;
const TLS1_3: u8 = 4;

/// What one vhost's context allows.
#[derive(Copy, Clone, Debug)]
struct Allowed {
    lowest: u8,
    highest: u8,
    /// The options that forbid a single version.
    forbidden: Protocols,
}

/// What a client of `b` can speak, where the connection began with `a`.
pub(super) fn spoken(a: &Config, b: &Config, same: bool, version: Version) -> Protocols {
    let (first, own) = (allowed(a), allowed(b));
    let begun = first.spoken();
    if !begun.legacy && !begun.tls12 && !begun.tls13 {
        // OpenSSL looks at the first vhost's versions before it reads the client's name.
        return begun;
    }
    let by_name = behaviours::apache::PROTOCOL_BY_NAME.holds(version);
    // Options are only ever added; the range is taken over where the vhost has one.
    let range = match !same && b.protocols.by.is_some() && by_name {
        true => own,
        false => first,
    };
    let within = |number: u8| range.lowest <= number && number <= range.highest;
    let forbidden =
        |of: fn(&Protocols) -> bool| of(&first.forbidden) || (by_name && of(&own.forbidden));
    Protocols {
        legacy: (within(TLS1) || within(TLS1_1)) && !forbidden(|set| set.legacy),
        tls12: within(TLS1_2) && !forbidden(|set| set.tls12),
        tls13: within(TLS1_3) && !forbidden(|set| set.tls13),
    }
}

fn allowed(config: &Config) -> Allowed {
    let (lowest, highest) = range(config.protocols.value);
    let nothing = Protocols {
        legacy: false,
        tls12: false,
        tls13: false,
    };
    let mut allowed = Allowed {
        lowest,
        highest,
        forbidden: nothing,
    };
    for command in &config.commands {
        let (name, value) = &command.value;
        allowed.apply(name, value.trim());
    }
    allowed
}

/// mod_ssl asks for the highest version that is named and goes down as long as the next one
/// is named too: there are no holes.
fn range(named: Protocols) -> (u8, u8) {
    match (named.tls13, named.tls12, named.legacy) {
        (true, true, true) => (0, TLS1_3),
        (true, true, false) => (TLS1_2, TLS1_3),
        (true, false, _) => (TLS1_3, TLS1_3),
        (false, true, true) => (0, TLS1_2),
        (false, true, false) => (TLS1_2, TLS1_2),
        (false, false, _) => (0, TLS1_1),
    }
}

impl Allowed {
    fn spoken(&self) -> Protocols {
        let within = |number: u8| self.lowest <= number && number <= self.highest;
        Protocols {
            legacy: (within(TLS1) || within(TLS1_1)) && !self.forbidden.legacy,
            tls12: within(TLS1_2) && !self.forbidden.tls12,
            tls13: within(TLS1_3) && !self.forbidden.tls13,
        }
    }

    fn apply(&mut self, name: &str, value: &str) {
        let number = match value {
            "TLSv1" => TLS1,
            "TLSv1.1" => TLS1_1,
            "TLSv1.2" => TLS1_2,
            "TLSv1.3" => TLS1_3,
            _ => 0,
        };
        if name.eq_ignore_ascii_case("MinProtocol") {
            self.lowest = number;
        }
        if name.eq_ignore_ascii_case("MaxProtocol") {
            self.highest = if number == 0 { TLS1_3 } else { number };
        }
        if name.eq_ignore_ascii_case("Protocol") {
            // The list says what is allowed, the options what is not.
            let mut allowed = inverse(self.forbidden);
            allowed.limit(name, value);
            self.forbidden = inverse(allowed);
        }
    }
}

fn inverse(set: Protocols) -> Protocols {
    Protocols {
        legacy: !set.legacy,
        tls12: !set.tls12,
        tls13: !set.tls13,
    }
}
