//! What a vhost's session settings are after httpd has merged the server level into them.

use std::sync::Arc;

use super::blocks::View;
use crate::catalog;
use crate::model::commands;
use crate::model::state::{Protocols, Value};
use crate::model::{BlockId, ClientAuth, SettingId};
use crate::syntax::value::apache::{self, SessionCache};

/// `SSLEngine`.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Engine {
    /// Follows the protocol of the address.
    Unset,
    Off,
    On,
    /// An upgrade inside plain HTTP, which no TLS client meets.
    Optional,
}

/// What keeps sessions, one for the whole server.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Cache {
    /// No session ids at all.
    None,
    /// Session ids that never resume.
    NoneNotNull,
    /// A real store.
    Store,
}

/// A block's settings after merging.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) engine: Value<Engine>,
    pub(super) tickets: Value<bool>,
    pub(super) timeout: Value<u64>,
    pub(super) key: Option<Value<String>>,
    pub(super) commands: Vec<Value<(String, String)>>,
    pub(super) protocols: Value<Protocols>,
    pub(super) client_auth: Value<ClientAuth>,
    /// A certificate file is there, without which https alone starts no TLS.
    pub(super) certificate: bool,
    /// `Protocol https`, where it is written at all.
    pub(super) https: Option<bool>,
    /// How long a client's chain may be was said; where TLS is on, httpd has a default.
    pub(super) verify_depth: bool,
    /// Every handshake ends in a refusal.
    pub(super) refuses: bool,
    /// ServerName without its scheme and port.
    pub(super) name: Option<String>,
    /// The port of ServerName.
    pub(super) port: Option<u16>,
    /// ServerName and aliases, as written.
    pub(super) names: Vec<String>,
}

/// httpd's default for `SSLSessionCacheTimeout`, where the catalog's could not be read.
const DEFAULT_TIMEOUT: u64 = 300;

impl Config {
    /// What httpd does where nothing is written.
    pub(super) fn defaults() -> Self {
        let seconds = written("SSLSessionCacheTimeout");
        let timeout = apache::timeout(seconds.as_bytes()).map_or(DEFAULT_TIMEOUT, u64::from);
        let verify = written("SSLVerifyClient");
        let all = Protocols {
            legacy: true,
            tls12: true,
            tls13: true,
        };
        Self {
            engine: Value::default_of(Engine::Unset, written("SSLEngine")),
            tickets: Value::default_of(true, written("SSLSessionTickets")),
            timeout: Value::default_of(timeout, seconds),
            key: None,
            commands: Vec::new(),
            protocols: Value::default_of(all, written("SSLProtocol")),
            client_auth: Value::default_of(ClientAuth::Off, verify),
            certificate: false,
            https: None,
            verify_depth: false,
            refuses: false,
            name: None,
            port: None,
            names: Vec::new(),
        }
    }

    /// The settings of `block` over those around it.
    pub(super) fn merged(&self, view: &View<'_>, block: BlockId) -> Self {
        let own = Own { view, block };
        let mut config = Self {
            names: Vec::new(),
            name: None,
            port: None,
            ..self.clone()
        };
        own.engine(&mut config.engine);
        if let Some((text, id)) = own.last("SSLSessionTickets")
            && let Ok(value) = apache::flag(first_word(&text))
        {
            config.tickets = Value {
                value,
                text,
                by: Some(id),
            };
        }
        if let Some((text, id)) = own.last("SSLSessionCacheTimeout")
            && let Ok(value) = apache::timeout(text.as_bytes())
        {
            config.timeout = Value {
                value: u64::from(value),
                text,
                by: Some(id),
            };
        }
        if let Some((text, id)) = own.last("SSLSessionTicketKeyFile") {
            config.key = Some(Value {
                value: text.to_string(),
                text,
                by: Some(id),
            });
        }
        config.commands.extend(own.commands());
        own.protocols(&mut config.protocols);
        own.client_auth(&mut config.client_auth);
        config.certificate |= own.last("SSLCertificateFile").is_some();
        if let Some((text, _)) = own.last("Protocol") {
            config.https = Some(text.eq_ignore_ascii_case("https"));
        }
        config.verify_depth |= own.last("SSLVerifyDepth").is_some();
        own.names(&mut config);
        config
    }

    /// What a client of this vhost meets where the vhost itself has no TLS, but its name is
    /// asked for at an address that has: the context of the first vhost, with nothing of the
    /// vhost's own but its lifetime, and a key that was never read. Names are looked for in the
    /// vhost's own settings and not here. Without a depth, which httpd sets only where TLS is
    /// on, no client certificate is good enough.
    pub(super) fn behind(&self, first: &Self) -> Self {
        Self {
            engine: self.engine.clone(),
            timeout: self.timeout.clone(),
            key: None,
            refuses: self.refuses_behind(first),
            client_auth: match self.client_auth.value {
                ClientAuth::Required => self.client_auth.clone(),
                _ => first.client_auth.clone(),
            },
            ..first.clone()
        }
    }

    /// The first vhost demands a certificate that is never good enough here, or this one
    /// misses one that was never asked for or not taken.
    fn refuses_behind(&self, first: &Self) -> bool {
        let required = |config: &Self| config.client_auth.value == ClientAuth::Required;
        let unasked = first.client_auth.value == ClientAuth::Off;
        (required(first) && !self.verify_depth)
            || (required(self) && (unasked || !self.verify_depth))
    }

    /// Whether tickets are on once `SSLOpenSSLConfCmd`, which comes last, was applied.
    pub(super) fn tickets_effective(&self) -> Value<bool> {
        commands::tickets_after(&self.tickets, &self.commands).into_owned()
    }

    /// `NumTickets`, where a command gives it.
    pub(super) fn ticket_count(&self) -> Option<Value<u32>> {
        commands::ticket_count(&self.commands)
    }
}

/// The cache in force and the lines that said otherwise. `none` and `nonenotnull` behind a
/// real store do nothing.
#[derive(Clone, Debug)]
pub(super) struct CacheLine {
    pub(super) value: Value<Cache>,
    /// Lines without effect, each with what it says.
    pub(super) without_effect: Vec<SettingId>,
}

/// Reads the server's cache.
pub(super) fn cache(view: &View<'_>) -> CacheLine {
    let mut value = Value::default_of(Cache::None, written("SSLSessionCache"));
    let mut without_effect = Vec::new();
    for id in view.own(view.roles.main, "SSLSessionCache") {
        let text = text(view, id);
        let kind = match apache::session_cache(text.as_bytes()) {
            Ok(SessionCache::None) => Cache::None,
            Ok(SessionCache::NoneNotNull) => Cache::NoneNotNull,
            Ok(_) => Cache::Store,
            Err(_) => continue,
        };
        if value.value == Cache::Store && kind != Cache::Store {
            without_effect.push(id);
            continue;
        }
        // A `none` does not even take a `nonenotnull` back.
        if kind == Cache::None && value.value == Cache::NoneNotNull {
            without_effect.push(id);
            continue;
        }
        if let Some(earlier) = value.by.filter(|_| kind != value.value) {
            without_effect.push(earlier);
        }
        value = Value {
            value: kind,
            text,
            by: Some(id),
        };
    }
    CacheLine {
        value,
        without_effect,
    }
}

struct Own<'a> {
    view: &'a View<'a>,
    block: BlockId,
}

impl Own<'_> {
    fn last(&self, name: &str) -> Option<(Arc<str>, SettingId)> {
        let id = *self.view.own(self.block, name).last()?;
        Some((text(self.view, id), id))
    }

    fn engine(&self, target: &mut Value<Engine>) {
        let Some((text, id)) = self.last("SSLEngine") else {
            return;
        };
        let value = match text.to_ascii_lowercase().as_str() {
            "on" => Engine::On,
            "optional" => Engine::Optional,
            "off" => Engine::Off,
            // Not known: it may be on, and every state of the endpoint is then unknown.
            other if other.contains("${") => Engine::On,
            _ => return,
        };
        *target = Value {
            value,
            text,
            by: Some(id),
        };
    }

    /// The vhost's commands, which httpd appends to the server's.
    fn commands(&self) -> Vec<Value<(String, String)>> {
        let ids = self.view.own(self.block, "SSLOpenSSLConfCmd");
        let command = |id: SettingId| {
            let arguments = &self.view.roles.blocks.setting(id).arguments;
            let at = |index: usize| arguments.get(index).cloned().unwrap_or_default();
            Value {
                value: (at(0), at(1)),
                text: text(self.view, id),
                by: Some(id),
            }
        };
        ids.into_iter().map(command).collect()
    }

    fn protocols(&self, target: &mut Value<Protocols>) {
        let Some((text, id)) = self.last("SSLProtocol") else {
            return;
        };
        let words = text.split_ascii_whitespace().map(str::as_bytes);
        let Ok(set) = apache::protocols(words) else {
            return;
        };
        let legacy = set.tls1 || set.tls1_1;
        let value = Protocols {
            legacy,
            tls12: set.tls1_2,
            tls13: set.tls1_3,
        };
        *target = Value {
            value,
            text,
            by: Some(id),
        };
    }

    fn client_auth(&self, target: &mut Value<ClientAuth>) {
        let Some((text, id)) = self.last("SSLVerifyClient") else {
            return;
        };
        let value = match text.to_ascii_lowercase().as_str() {
            "require" | "on" => ClientAuth::Required,
            "optional" | "optional_no_ca" => ClientAuth::Optional,
            _ => ClientAuth::Off,
        };
        *target = Value {
            value,
            text,
            by: Some(id),
        };
    }

    fn names(&self, config: &mut Config) {
        if let Some((text, _)) = self.last("ServerName") {
            let (name, port) = server_name(&text);
            config.names.push(name.to_owned());
            config.name = Some(name.to_owned());
            config.port = port;
        }
        for id in self.view.own(self.block, "ServerAlias") {
            let aliases = &self.view.roles.blocks.setting(id).arguments;
            config.names.extend(aliases.iter().cloned());
        }
    }
}

/// `scheme://name:port` to its name and port.
pub(super) fn server_name(text: &str) -> (&str, Option<u16>) {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, port.parse().ok())
        }
        _ => (text, None),
    }
}

fn text(view: &View<'_>, id: SettingId) -> Arc<str> {
    view.roles.blocks.setting(id).text()
}

/// A flag directive reads its first word only.
fn first_word(text: &str) -> &[u8] {
    text.split(' ').next().unwrap_or_default().as_bytes()
}

/// A default as the catalog writes it.
fn written(name: &str) -> &'static str {
    catalog::apache(name.as_bytes())
        .and_then(|row| row.default)
        .unwrap_or_default()
}
