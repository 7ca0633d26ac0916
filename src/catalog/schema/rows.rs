//! The rows as they stand in grammars/*.toml. Shapes only; check.rs says what is sound.

use serde::Deserialize;

/// Any file of grammars/.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileRows {
    pub range: Option<RangeRow>,
    pub directive: Vec<DirectiveRow>,
    pub behaviour: Vec<BehaviourRow>,
    pub module: Vec<ModuleRow>,
    pub advisory: Vec<AdvisoryRow>,
    pub command: Vec<CommandRow>,
    pub fact: Vec<FactRow>,
    pub fork: Vec<ForkRow>,
    pub stub: Vec<StubRow>,
}

/// The versions of a server that are modelled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeRow {
    pub oldest: String,
    pub newest: String,
    #[serde(default)]
    pub source: String,
}

/// A directive in a group of contexts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DirectiveRow {
    pub name: String,
    pub key: Option<String>,
    pub contexts: Vec<String>,
    pub args: String,
    pub kinds: Vec<String>,
    pub values: Vec<String>,
    pub default: Option<String>,
    pub since: Option<String>,
    pub removed: Option<String>,
    pub deprecated: Option<String>,
    pub module: String,
    pub inherit: Option<String>,
    pub duplicate: Option<String>,
    pub deciders: Vec<DecisionRow>,
    pub exec_on_read: bool,
    pub body: Option<String>,
    pub opens: Option<String>,
    pub source: String,
}

impl DirectiveRow {
    /// What tells this row from all others of its server.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.name)
    }
}

/// From this version on (or from the beginning) this one decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRow {
    pub from: Option<String>,
    pub by: String,
    #[serde(default)]
    pub source: String,
}

/// A half-open range of versions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RangeOfVersions {
    pub from: Option<String>,
    pub before: Option<String>,
}

/// Something a server does by version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BehaviourRow {
    pub name: String,
    pub ranges: Vec<RangeOfVersions>,
    pub summary: String,
    #[serde(default)]
    pub source: String,
}

/// A module that httpd ships.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleRow {
    pub name: String,
    pub file: String,
    pub so: Option<String>,
    #[serde(default)]
    pub built_in: Vec<String>,
    #[serde(default)]
    pub source: String,
}

/// A vulnerability.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvisoryRow {
    pub id: String,
    pub server: String,
    pub title: String,
    pub affected: Vec<RangeOfVersions>,
    pub fixed: Vec<String>,
    #[serde(default)]
    pub backports: Vec<BackportRow>,
    pub condition: String,
    pub severity: String,
    #[serde(default)]
    pub source: String,
}

/// A distribution's fixed package.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackportRow {
    pub distribution: String,
    pub release: String,
    pub package: String,
    pub fixed: String,
    #[serde(default)]
    pub source: String,
}

/// A command of OpenSSL's SSL_CONF.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRow {
    pub name: String,
    pub since: Option<String>,
    #[serde(default)]
    pub nginx: Vec<DecisionRow>,
    #[serde(default)]
    pub apache: Vec<DecisionRow>,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub source: String,
}

/// A fact about the TLS library.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRow {
    pub name: String,
    pub library: String,
    pub ranges: Vec<RangeOfVersions>,
    pub summary: String,
    #[serde(default)]
    pub source: String,
}

/// A server built on nginx.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkRow {
    pub name: String,
    #[serde(default)]
    pub same_numbers: bool,
    #[serde(default)]
    pub bases: Vec<BaseRow>,
    #[serde(default)]
    pub source: String,
}

/// A fork's version and nginx's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseRow {
    pub version: String,
    pub base: String,
}

/// A stub; its text is in `file`, beside stubs.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StubRow {
    pub server: String,
    pub suffix: String,
    pub file: String,
    #[serde(default)]
    pub source: String,
}
