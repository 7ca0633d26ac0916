//! What a block's session settings are after nginx has merged the outer block into them.
//! The block alone: which block of an address decides is not asked here.

use std::borrow::Cow;
use std::sync::Arc;

use crate::catalog::{self, Context};
use crate::model::blocks::Blocks;
use crate::model::commands;
use crate::model::state::{Protocols, Value};
use crate::model::{BlockId, ClientAuth, Module, SettingId};
use crate::syntax::value::nginx;
use crate::syntax::value::nginx::SessionCache;

/// The kind of cache, which nginx merges apart from the zone.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum CacheKind {
    /// `off`: no session id at all.
    Off,
    /// `none`: an id that never resumes.
    None,
    /// In each worker.
    Builtin,
    /// Only in the zone.
    SharedOnly,
}

/// A block's settings after merging.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) tickets: Value<bool>,
    pub(super) cache: Value<CacheKind>,
    pub(super) zone: Option<Value<String>>,
    pub(super) timeout: Value<u64>,
    pub(super) keys: Vec<Value<String>>,
    pub(super) protocols: Value<Protocols>,
    pub(super) commands: Vec<Value<(String, String)>>,
    pub(super) early_data: Value<bool>,
    pub(super) client_auth: Value<ClientAuth>,
    pub(super) client_ca: Option<Value<String>>,
    pub(super) certificates: Vec<Value<String>>,
    /// How many keys of certificates there are.
    pub(super) certificate_keys: usize,
    /// `ssl_trusted_certificate` is set.
    pub(super) trusted: bool,
    pub(super) reject: Value<bool>,
    pub(super) enabled: Value<bool>,
    pub(super) starttls: Value<bool>,
    /// A script keeps sessions (`ssl_session_fetch_by_lua*`).
    pub(super) external: Option<Value<()>>,
}

impl Config {
    /// What nginx does where nothing is written; `tls13` says whether TLS 1.3 is on then.
    pub(super) fn defaults(tls13: bool) -> Self {
        let protocols = Protocols {
            legacy: true,
            tls12: true,
            tls13,
        };
        let words = if tls13 {
            "TLSv1.2 TLSv1.3"
        } else {
            "TLSv1 TLSv1.1 TLSv1.2"
        };
        let written = |name| default_text(name);
        let seconds = seconds(written("ssl_session_timeout"));
        Self {
            tickets: flag_default("ssl_session_tickets"),
            cache: Value::default_of(CacheKind::None, written("ssl_session_cache")),
            zone: None,
            timeout: Value::default_of(
                seconds.unwrap_or(DEFAULT_TIMEOUT),
                written("ssl_session_timeout"),
            ),
            keys: Vec::new(),
            protocols: Value::default_of(protocols, words),
            commands: Vec::new(),
            early_data: flag_default("ssl_early_data"),
            client_auth: Value::default_of(ClientAuth::Off, written("ssl_verify_client")),
            client_ca: None,
            certificates: Vec::new(),
            certificate_keys: 0,
            trusted: false,
            reject: flag_default("ssl_reject_handshake"),
            enabled: Value::default_of(false, "off"),
            starttls: Value::default_of(false, "off"),
            external: None,
        }
    }

    /// The settings of `block` over those of the block around it.
    pub(super) fn merged(&self, blocks: &Blocks, block: BlockId) -> Self {
        let own = Own { blocks, block };
        let mut config = self.clone();
        own.flag("ssl_session_tickets", &mut config.tickets);
        own.flag("ssl_early_data", &mut config.early_data);
        own.flag("ssl_reject_handshake", &mut config.reject);
        own.flag("ssl", &mut config.enabled);
        own.cache(&mut config);
        own.timeout(&mut config.timeout);
        own.list("ssl_session_ticket_key", &mut config.keys);
        own.list("ssl_certificate", &mut config.certificates);
        own.identities(&mut config.certificates);
        let keys = own.ids("ssl_certificate_key").len();
        if keys > 0 {
            config.certificate_keys = keys;
        }
        config.trusted |= own.last("ssl_trusted_certificate").is_some();
        own.commands(&mut config.commands);
        own.protocols(&mut config.protocols);
        own.client_auth(&mut config.client_auth);
        if let Some((text, id)) = own.last("ssl_client_certificate") {
            config.client_ca = Some(Value {
                value: blocks.list_of(&text),
                text,
                by: Some(id),
            });
        }
        if let Some((text, id)) = own.last("starttls") {
            config.starttls = Value {
                value: *text != *"off",
                text,
                by: Some(id),
            };
        }
        own.external(&mut config.external);
        config
    }

    /// Whether tickets are on once the conf commands, which come last, were applied.
    pub(super) fn tickets_effective(&self) -> Cow<'_, Value<bool>> {
        commands::tickets_after(&self.tickets, &self.commands)
    }

    /// `NumTickets`, where a conf command gives it.
    pub(super) fn ticket_count(&self) -> Option<Value<u32>> {
        commands::ticket_count(&self.commands)
    }

    /// The zone, unless `off` or `none` keeps it from being used.
    pub(super) fn zone_in_use(&self) -> Option<&Value<String>> {
        let used = matches!(self.cache.value, CacheKind::Builtin | CacheKind::SharedOnly);
        self.zone.as_ref().filter(|_| used)
    }

    /// True when the block itself, or the one around it, says nothing about sessions.
    pub(super) fn says_nothing(&self) -> bool {
        let by = [self.tickets.by, self.cache.by, self.timeout.by];
        by.iter().all(Option::is_none) && self.keys.is_empty() && self.zone.is_none()
    }
}

/// The settings written in one block.
struct Own<'a> {
    blocks: &'a Blocks,
    block: BlockId,
}

impl Own<'_> {
    fn ids(&self, name: &str) -> &[SettingId] {
        self.blocks.own(self.block, name)
    }

    fn text(&self, id: SettingId) -> Arc<str> {
        self.blocks.setting(id).text()
    }

    fn last(&self, name: &str) -> Option<(Arc<str>, SettingId)> {
        let id = *self.ids(name).last()?;
        Some((self.text(id), id))
    }

    fn flag(&self, name: &str, target: &mut Value<bool>) {
        let Some((text, id)) = self.last(name) else {
            return;
        };
        // Anything but on and off keeps nginx from starting; the outer value stands then.
        let Ok(value) = nginx::flag(text.as_bytes()) else {
            return;
        };
        *target = Value {
            value,
            text,
            by: Some(id),
        };
    }

    fn timeout(&self, target: &mut Value<u64>) {
        let Some((text, id)) = self.last("ssl_session_timeout") else {
            return;
        };
        if let Some(value) = seconds(&text) {
            *target = Value {
                value,
                text,
                by: Some(id),
            };
        }
    }

    /// An array directive: one of its own replaces the outer list.
    fn list(&self, name: &str, target: &mut Vec<Value<String>>) {
        let ids = self.ids(name);
        if ids.is_empty() {
            return;
        }
        let own = ids.iter().map(|id| {
            let text = self.text(*id);
            Value {
                value: text.to_string(),
                text,
                by: Some(*id),
            }
        });
        *target = own.collect();
    }

    /// A file by what it holds, where that is known: one certificate under two names is one.
    fn identities(&self, files: &mut [Value<String>]) {
        for file in files {
            file.value = self.blocks.certificate(&file.text);
        }
    }

    fn commands(&self, target: &mut Vec<Value<(String, String)>>) {
        let ids = self.ids("ssl_conf_command");
        if ids.is_empty() {
            return;
        }
        let own = ids.iter().map(|id| {
            let arguments = &self.blocks.setting(*id).arguments;
            let at = |index: usize| arguments.get(index).cloned().unwrap_or_default();
            Value {
                value: (at(0), at(1)),
                text: self.text(*id),
                by: Some(*id),
            }
        });
        *target = own.collect();
    }

    /// The cache directive is additive: within a block each word sets the kind or the zone,
    /// and `shared` makes a kind only where none was set yet.
    fn cache(&self, config: &mut Config) {
        let mut kind: Option<Value<CacheKind>> = None;
        let mut zone: Option<Value<String>> = None;
        for id in self.ids("ssl_session_cache") {
            let text = self.text(*id);
            for argument in &self.blocks.setting(*id).arguments {
                let Ok(argument) = nginx::session_cache(argument.as_bytes()) else {
                    continue;
                };
                let set = |value| Value {
                    value,
                    text: text.clone(),
                    by: Some(*id),
                };
                match argument {
                    SessionCache::Off => kind = Some(set(CacheKind::Off)),
                    SessionCache::None => kind = Some(set(CacheKind::None)),
                    SessionCache::Builtin(_) => kind = Some(set(CacheKind::Builtin)),
                    SessionCache::Shared { name, .. } => {
                        let value = String::from_utf8_lossy(name).into_owned();
                        zone = Some(Value {
                            value,
                            text: text.clone(),
                            by: Some(*id),
                        });
                    }
                }
            }
            if zone.is_some() && kind.is_none() {
                kind = Some(Value {
                    value: CacheKind::SharedOnly,
                    text,
                    by: Some(*id),
                });
            }
        }
        if let Some(kind) = kind {
            config.cache = kind;
        }
        if zone.is_some() {
            config.zone = zone;
        }
    }

    /// Repeated lines add up: nginx keeps a set of bits.
    fn protocols(&self, target: &mut Value<Protocols>) {
        let Some((_, id)) = self.last("ssl_protocols") else {
            return;
        };
        let lines: Vec<Arc<str>> = self
            .ids("ssl_protocols")
            .iter()
            .map(|id| self.text(*id))
            .collect();
        let text = lines.join(" ");
        let words = text.split(' ').map(str::as_bytes);
        let Ok(set) = nginx::protocols(words) else {
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
            text: text.into(),
            by: Some(id),
        };
    }

    fn client_auth(&self, target: &mut Value<ClientAuth>) {
        let Some((text, id)) = self.last("ssl_verify_client") else {
            return;
        };
        let value = match text.to_ascii_lowercase().as_str() {
            "on" => ClientAuth::Required,
            "optional" | "optional_no_ca" => ClientAuth::Optional,
            _ => ClientAuth::Off,
        };
        *target = Value {
            value,
            text,
            by: Some(id),
        };
    }

    fn external(&self, target: &mut Option<Value<()>>) {
        for id in self.ids("ssl_session_fetch_by_lua_block") {
            *target = Some(Value {
                value: (),
                text: self.text(*id),
                by: Some(*id),
            });
        }
        if let Some((text, id)) = self.last("ssl_session_fetch_by_lua_file") {
            *target = Some(Value {
                value: (),
                text,
                by: Some(id),
            });
        }
    }
}

/// A default as the catalog writes it.
fn default_text(name: &str) -> &'static str {
    let context = if name == "ssl_early_data" {
        Context::Http
    } else {
        Context::HttpServer
    };
    let row = catalog::nginx_in(name.as_bytes(), context);
    row.and_then(|row| row.default).unwrap_or_default()
}

fn flag_default(name: &str) -> Value<bool> {
    let text = default_text(name);
    Value::default_of(nginx::flag(text.as_bytes()) == Ok(true), text)
}

/// Where the catalog's own default could not be read, which its tests exclude.
const DEFAULT_TIMEOUT: u64 = 300;

fn seconds(text: &str) -> Option<u64> {
    nginx::seconds(text.as_bytes())
        .ok()
        .and_then(|seconds| u64::try_from(seconds).ok())
}

/// The module's own name in the catalog's contexts.
pub(super) fn server_context(module: Module) -> Context {
    match module {
        Module::Http => Context::HttpServer,
        Module::Stream => Context::StreamServer,
        Module::Mail => Context::MailServer,
    }
}
