//! The arguments of the modules, and the request that they make. The names are those of the
//! command line's options, with `_` for `-`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::loose;
use crate::app::{Choice, Request, Startup, Validate, Versions, explain};
use crate::finding::Severity;
use crate::policy::{ApacheDirective, Goal, Policy, Profile};

/// Arguments of both modules; those that a module does not know are refused by its
/// specification, or do nothing in a binary module.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Arguments {
    #[serde(deserialize_with = "loose::list")]
    pub(super) path: Vec<String>,
    policy: Option<Goal>,
    profile: Option<String>,
    keys_dir: Option<PathBuf>,
    #[serde(deserialize_with = "loose::list")]
    server_version: Vec<String>,
    #[serde(deserialize_with = "loose::list")]
    package: Vec<String>,
    #[serde(deserialize_with = "loose::list")]
    define: Vec<String>,
    #[serde(deserialize_with = "loose::list")]
    modules: Vec<String>,
    #[serde(deserialize_with = "loose::boolean")]
    detect: bool,
    #[serde(deserialize_with = "loose::list")]
    allow_missing: Vec<String>,
    #[serde(deserialize_with = "loose::list")]
    pub(super) rule: Vec<String>,
    #[serde(deserialize_with = "loose::boolean")]
    pub(super) pedantic: bool,
    #[serde(deserialize_with = "loose::boolean")]
    pub(super) unsafe_fixes: bool,
    #[serde(deserialize_with = "loose::boolean")]
    pub(super) force: bool,
    #[serde(deserialize_with = "loose::boolean")]
    pub(super) backup: bool,
    apache_directive: Option<ApacheDirective>,
    validate: Option<String>,
    pub(super) fail_on: Option<FailOn>,
}

/// The mildest grade that makes a task fail when it remains.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    pub(super) const fn grade(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

impl Arguments {
    /// Reads them. A null stands for an argument that was not given.
    pub(super) fn read(mut fields: Map<String, Value>) -> Result<Self, String> {
        fields.retain(|_, value| !value.is_null());
        serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
    }

    /// The request that they make; `goal` where no policy is given.
    pub(super) fn request(&self, goal: Goal) -> Result<Request, String> {
        for rule in &self.rule {
            explain(rule).map_err(|error| format!("rule: {error}"))?;
        }
        Ok(Request {
            paths: self.path.iter().map(PathBuf::from).collect(),
            versions: self.versions()?,
            startup: self.startup()?,
            allow_missing: self.allow_missing.clone(),
            policy: self.policy(goal)?,
            pedantic: self.pedantic,
            ..Request::default()
        })
    }

    /// What may be repaired.
    pub(super) fn choice(&self) -> Choice {
        Choice {
            unsafe_fixes: self.unsafe_fixes,
            rules: self.rule.clone(),
            force: self.force,
        }
    }

    /// When the server's own test is run before anything is written.
    pub(super) fn validate(&self) -> Validate {
        Validate::named(self.validate.as_deref().unwrap_or("auto"))
    }

    fn policy(&self, goal: Goal) -> Result<Policy, String> {
        let mut policy = Policy {
            goal,
            ..Policy::default()
        };
        if let Some(name) = &self.profile {
            let profile = Profile::by_name(name);
            let profile = profile.ok_or_else(|| format!("profile: `{name}` is not known"))?;
            policy = profile.policy();
        }
        if let Some(goal) = self.policy {
            policy.goal = goal;
        }
        if let Some(directory) = &self.keys_dir {
            policy.keys_directory.clone_from(directory);
        }
        policy.apache_directive = self.apache_directive.unwrap_or_default();
        Ok(policy)
    }

    fn versions(&self) -> Result<Versions, String> {
        let mut versions = Versions {
            detect: self.detect,
            ..Versions::default()
        };
        for spec in &self.server_version {
            let added = versions.add(spec);
            added.map_err(|error| format!("server_version: {error}"))?;
        }
        for spec in &self.package {
            let added = versions.add_package(spec);
            added.map_err(|error| format!("package: {error}"))?;
        }
        Ok(versions)
    }

    fn startup(&self) -> Result<Startup, String> {
        let mut startup = Startup::default();
        for spec in &self.define {
            let added = startup.define(spec);
            added.map_err(|error| format!("define: {error}"))?;
        }
        for list in &self.modules {
            let added = match list.strip_prefix('@') {
                Some(file) => startup.modules_file(Path::new(file)),
                None => startup.modules(list),
            };
            added.map_err(|error| format!("modules: {error}"))?;
        }
        Ok(startup)
    }
}
