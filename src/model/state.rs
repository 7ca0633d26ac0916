//! What both servers' evaluations share: a value with its setting, what a client sees of an
//! endpoint, and the library's own constants. Knows no server.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    ClientAuth, Field, Lifetimes, Origin, PerProtocol, SettingId, Tickets, Tls12, Tls12Id,
    Tls12Ticket, Tls13, Tls13Issued, Tls13Resumes, Why,
};

/// A value with the setting that gives it.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(in crate::model) struct Value<T> {
    pub(in crate::model) value: T,
    /// As one would write it. Shared: endpoints say it again and again.
    pub(in crate::model) text: Arc<str>,
    /// `None` for the server's default.
    pub(in crate::model) by: Option<SettingId>,
}

impl<T> Value<T> {
    pub(in crate::model) fn default_of(value: T, text: &str) -> Self {
        Self {
            value,
            text: text.into(),
            by: None,
        }
    }
}

/// The protocols that a client can see sessions of.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(in crate::model) struct Protocols {
    /// TLS 1.0 or 1.1, which OpenSSL 3 no longer negotiates by itself.
    pub(in crate::model) legacy: bool,
    pub(in crate::model) tls12: bool,
    pub(in crate::model) tls13: bool,
}

impl Protocols {
    /// None at all.
    pub(in crate::model) const NONE: Self = Self {
        legacy: false,
        tls12: false,
        tls13: false,
    };

    /// `MinProtocol`, `MaxProtocol` and `Protocol` as conf commands.
    pub(in crate::model) fn limit(&mut self, command: &str, list: &str) {
        let rank = match list.trim() {
            "TLSv1" | "TLSv1.1" => 1,
            "TLSv1.2" => 2,
            "TLSv1.3" => 3,
            _ => 0,
        };
        if command.eq_ignore_ascii_case("MinProtocol") && rank > 0 {
            self.legacy &= rank <= 1;
            self.tls12 &= rank <= 2;
        }
        if command.eq_ignore_ascii_case("MaxProtocol") && rank > 0 {
            self.tls13 &= rank >= 3;
            self.tls12 &= rank >= 2;
        }
        if !command.eq_ignore_ascii_case("Protocol") {
            return;
        }
        // OpenSSL takes these words, unlike those of the bounds, in any case.
        for word in list.split(',').map(str::trim) {
            let (on, name) = match word.strip_prefix('-') {
                Some(name) => (false, name),
                None => (true, word.strip_prefix('+').unwrap_or(word)),
            };
            match name.to_ascii_uppercase().as_str() {
                "ALL" => {
                    *self = Self {
                        legacy: on,
                        tls12: on,
                        tls13: on,
                    }
                }
                "TLSV1.3" => self.tls13 = on,
                "TLSV1.2" => self.tls12 = on,
                _ => {}
            }
        }
    }
}

/// What a client sees.
#[derive(Clone, Debug)]
pub(in crate::model) struct State<'a> {
    pub(in crate::model) tls12: Tls12,
    pub(in crate::model) tls13: Tls13,
    pub(in crate::model) lifetime: Lifetimes,
    pub(in crate::model) chain_bounded: PerProtocol<Option<bool>>,
    pub(in crate::model) key: Tickets,
    pub(in crate::model) client_auth: ClientAuth,
    pub(in crate::model) early_data: bool,
    pub(in crate::model) rejects: bool,
    pub(in crate::model) reasons: Vec<Reason<'a>>,
}

/// Why a field has its value.
#[derive(Clone, Debug)]
pub(in crate::model) struct Reason<'a> {
    pub(in crate::model) field: Field,
    pub(in crate::model) setting: &'static str,
    /// Borrowed where a setting or a default gives it: counting who shares it would make the
    /// processors wait for each other.
    pub(in crate::model) value: Cow<'a, Arc<str>>,
    pub(in crate::model) by: Option<SettingId>,
    /// Never one that tells where the setting is written; `None` where nothing else is to tell.
    pub(in crate::model) origin: Option<Origin>,
}

impl Reason<'_> {
    /// True where an endpoint of the same block says so already.
    pub(in crate::model) fn is_said_by(&self, why: &Why) -> bool {
        let origin = match self.origin {
            Some(origin) => why.origin == origin,
            None => matches!(
                why.origin,
                Origin::Set | Origin::Inherited | Origin::Default
            ),
        };
        let same = (why.field, why.by) == (self.field, self.by) && why.setting == self.setting;
        same && origin && (Arc::ptr_eq(&why.value, &self.value) || why.value == *self.value)
    }
}

/// TLS 1.3 forbids a longer ticket lifetime (RFC 8446 4.6.1), and OpenSSL caps the hint.
pub(in crate::model) const TLS13_LONGEST: u64 = 604_800;
/// OpenSSL's own default, which stands in for a timeout of 0.
pub(in crate::model) const ZERO_TIMEOUT: u64 = 7_200;

/// No session can come to be.
pub(in crate::model) const UNAVAILABLE_12: Tls12 = Tls12 {
    session_id: Tls12Id::Unavailable,
    ticket: Tls12Ticket::Unavailable,
};
/// No session can come to be.
pub(in crate::model) const UNAVAILABLE_13: Tls13 = Tls13 {
    issued: Tls13Issued::Unavailable,
    resumes: Tls13Resumes::Never,
};
