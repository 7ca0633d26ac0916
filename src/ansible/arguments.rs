//! The arguments of the modules, and the request that they make. The names are those of the
//! command line's options, with `_` for `-`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::loose;
use crate::app::{
    Choice, Configured, Lookup, Request, Startup, Validate, Versions, configured, explain,
};
use crate::finding::Severity;
use crate::policy::{ApacheDirective, Goal, Policy, Profile};

/// Arguments of the modules that read configurations; those that a module does not know are refused by its
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
    config: Option<PathBuf>,
    #[serde(deserialize_with = "loose::boolean")]
    isolated: bool,
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
    /// The request that they make; `goal` where no policy is given.
    pub(super) fn request(&self, goal: Goal) -> Result<Request, String> {
        for rule in &self.rule {
            explain(rule).map_err(|error| format!("rule: {error}"))?;
        }
        let configured = self.configured()?;
        let profile = self.profile()?;
        let mut request = Request {
            paths: self.paths(),
            versions: self.versions()?,
            startup: self.startup()?,
            allow_missing: self.allow_missing.clone(),
            policy: self.policy(goal, profile, &configured),
            pedantic: self.pedantic,
            ..Request::default()
        };
        let aim = self.policy.or(profile.map(|profile| profile.goal));
        configured.complete(&mut request, aim);
        Ok(request)
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

    fn paths(&self) -> Vec<PathBuf> {
        self.path.iter().map(PathBuf::from).collect()
    }

    /// The settings of the host, as the commands take them.
    fn configured(&self) -> Result<Configured, String> {
        let lookup = Lookup {
            config: self.config.clone(),
            isolated: self.isolated,
            ..Lookup::default()
        };
        configured(&self.paths(), &lookup).map_err(|error| error.to_string())
    }

    fn profile(&self) -> Result<Option<&'static Profile>, String> {
        let Some(name) = &self.profile else {
            return Ok(None);
        };
        let profile = Profile::by_name(name);
        let profile = profile.ok_or_else(|| format!("profile: `{name}` is not known"));
        profile.map(Some)
    }

    /// The settings' policy, with what the task says over it.
    fn policy(&self, goal: Goal, profile: Option<&Profile>, configured: &Configured) -> Policy {
        let mut policy = Policy {
            goal,
            ..Policy::default()
        };
        configured.policy(&mut policy);
        if let Some(profile) = profile {
            profile.apply(&mut policy);
        }
        policy.goal = self.policy.unwrap_or(policy.goal);
        let settings = configured.settings().rotation.directory.as_ref();
        if let Some(directory) = self.keys_dir.as_ref().or(settings) {
            policy.keys_directory.clone_from(directory);
        }
        policy.apache_directive = self.apache_directive.unwrap_or(policy.apache_directive);
        policy
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
