//! Settings that are checked against the rules, and laid into a request: what the command line
//! says stays.

use std::path::{Path, PathBuf};

use super::Startup;
use super::measure::Measure;
use super::near::near;
use super::request::{Request, Versions};
use super::settings::{SettingsError, wrong};
use crate::catalog::Server;
use crate::finding::Confidence;
use crate::policy::settings::{
    Effective, Fault, MinConfidence, RootSettings, ServerKind, Settings,
};
use crate::policy::{Goal, Policy};
use crate::rules;
use crate::source::{Exclusion, FragmentContext, PathGlobs, PathMap};

/// What a root of the settings says about its configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct RootWish {
    /// The file, absolute where the settings' folder is.
    pub(super) path: PathBuf,
    pub(super) server: Option<Server>,
    pub(super) context: Option<FragmentContext>,
    pub(super) versions: Versions,
    pub(super) startup: Startup,
}

/// Checked settings.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// The values and their origins.
    pub effective: Effective,
    roots: Vec<RootWish>,
    versions: Versions,
}

impl Configured {
    /// Names of rules, versions and what else is text in the files, checked.
    pub(super) fn new(effective: Effective) -> Result<Self, SettingsError> {
        let mut configured = Self {
            effective,
            ..Self::default()
        };
        configured
            .names_of_rules()
            .and_then(|()| configured.resolve())
            .and_then(|()| configured.fleet())
            .map_err(|(path, fault)| wrong(&path, vec![fault]))?;
        Ok(configured)
    }

    /// The settings themselves.
    pub fn settings(&self) -> &Settings {
        &self.effective.settings
    }

    /// Lays the settings into a request that holds what the command line says. `goal` is what
    /// the command line aims at, where it says so.
    pub fn complete(&self, request: &mut Request, goal: Option<Goal>) {
        let settings = self.settings();
        request.laid.fallback = self.versions.clone();
        let listed = settings.allow_missing.iter().flatten();
        request.allow_missing.extend(listed.cloned());
        request.path_map.extend(self.path_map());
        request.exclusion = Exclusion {
            globs: self.globs("exclude", settings.exclude.as_deref()),
            gitignore: settings.respect_gitignore.unwrap_or(true),
        };
        request.protected = self.globs("protected", settings.protected.as_deref());
        request.pedantic |= settings.pedantic.unwrap_or(false);
        if request.min_confidence.is_none() {
            request.min_confidence = settings.min_confidence.map(confidence);
        }
        if request.paths.is_empty() && request.stream.is_none() {
            request.paths = self.roots.iter().map(|wish| wish.path.clone()).collect();
        }
        request.laid.roots.clone_from(&self.roots);
        request.laid.measure = self.measure(goal);
    }

    /// Writes thresholds, policy and rotation into a policy, before the command line does.
    pub fn policy(&self, policy: &mut Policy) {
        let settings = self.settings();
        settings.judging.apply(policy);
        // Checked when the files were merged.
        if let Ok(rotation) = settings.rotation.plan() {
            policy.rotation = rotation;
        }
    }

    fn measure(&self, goal: Option<Goal>) -> Measure {
        let settings = self.settings();
        let overrides = settings.overrides.iter().enumerate().map(|(index, each)| {
            let folder = self.effective.folder(&format!("override[{index}]"));
            let globs = PathGlobs::new(folder, each.paths.iter().map(String::as_str));
            let mut judging = each.judging.clone();
            // What the command line aims at holds everywhere.
            judging.policy = goal.map_or(judging.policy, |_| None);
            judging.profile = goal.map_or(judging.profile, |_| None);
            (globs, judging)
        });
        Measure::new(settings.judging.rules.clone(), overrides)
    }

    fn globs(&self, key: &str, list: Option<&[String]>) -> PathGlobs {
        let list = list.unwrap_or_default().iter().map(String::as_str);
        PathGlobs::new(self.effective.folder(key), list)
    }

    fn path_map(&self) -> impl Iterator<Item = PathMap> {
        let each = self.settings().path_map.iter().enumerate();
        each.map(|(index, map)| PathMap {
            from: map.deployed.clone(),
            to: self.place(&format!("path_map[{index}]"), &map.repository),
            whole: true,
        })
    }

    /// A path of the settings as it is opened: short where it lies below the working
    /// directory.
    fn place(&self, key: &str, path: &Path) -> PathBuf {
        let whole = self.effective.folder(key).join(path);
        let here = std::path::absolute(".").ok();
        let short = here.and_then(|here| Some(whole.strip_prefix(here).ok()?.to_path_buf()));
        match short {
            Some(short) if !short.as_os_str().is_empty() => short,
            _ => whole,
        }
    }

    fn names_of_rules(&self) -> Result<(), (PathBuf, Fault)> {
        let settings = self.settings();
        let top = settings.judging.rules.keys();
        let mut names: Vec<(String, &String)> =
            top.map(|name| (format!("rules.{name}"), name)).collect();
        for (index, each) in settings.overrides.iter().enumerate() {
            let rules = each.judging.rules.keys();
            names.extend(rules.map(|name| (format!("override[{index}].rules.{name}"), name)));
        }
        let unknown = |(_, name): &&(String, &String)| rules::by_name(name).is_none();
        let Some((place, name)) = names.iter().find(unknown) else {
            return Ok(());
        };
        let (path, mut fault) = self
            .effective
            .fault(place, format!("no rule is called `{}`", name));
        let known = rules::all().iter().map(|rule| rule.name);
        fault.hint = Some(match near(name, known).as_slice() {
            [] => "`stekguard rules` lists the names".to_owned(),
            near => format!("did you mean `{}`?", near.join("` or `")),
        });
        Err((path, fault))
    }

    /// Reads what is text in the file: versions, contexts, definitions, modules.
    fn resolve(&mut self) -> Result<(), (PathBuf, Fault)> {
        let settings = self.effective.settings.clone();
        let mut versions = Versions::default();
        let lists = [
            ("nginx", &settings.versions.nginx),
            ("apache", &settings.versions.apache),
        ];
        for (name, list) in lists {
            for version in list {
                self.version(&mut versions, &format!("versions.{name}"), name, version)?;
            }
        }
        if let Some(version) = &settings.versions.openssl {
            self.version(&mut versions, "versions.openssl", "openssl", version)?;
        }
        self.versions = versions;
        for (index, root) in settings.root.iter().enumerate() {
            let wish = self.wish(&format!("root[{index}]"), root)?;
            self.roots.push(wish);
        }
        for (index, map) in settings.path_map.iter().enumerate() {
            if !map.deployed.is_absolute() {
                let place = format!("path_map[{index}].deployed");
                let why = format!("`{}` is not an absolute path", map.deployed.display());
                return Err(self.effective.fault(&place, why));
            }
        }
        Ok(())
    }

    /// Names and keys of a fleet.
    #[cfg(all(target_os = "linux", feature = "fleet"))]
    fn fleet(&self) -> Result<(), (PathBuf, Fault)> {
        super::keys::fleet_fault(&self.effective).map_or(Ok(()), Err)
    }

    #[cfg(not(all(target_os = "linux", feature = "fleet")))]
    fn fleet(&self) -> Result<(), (PathBuf, Fault)> {
        Ok(())
    }

    fn version(
        &self,
        versions: &mut Versions,
        place: &str,
        name: &str,
        version: &str,
    ) -> Result<(), (PathBuf, Fault)> {
        versions
            .add(&format!("{name}={version}"))
            .map_err(|error| self.effective.fault(place, format!("`{place}`: {error}")))
    }

    fn wish(&self, place: &str, root: &RootSettings) -> Result<RootWish, (PathBuf, Fault)> {
        let at = |key: &str| format!("{place}.{key}");
        let fault = |key: &str, why: String| self.effective.fault(&at(key), why);
        let path = self.place(place, &root.path);
        let mut wish = RootWish {
            server: root.kind.map(|kind| match kind {
                ServerKind::Nginx => Server::Nginx,
                ServerKind::Apache => Server::Apache,
            }),
            ..RootWish::default()
        };
        // Without `kind` the versions are of whichever server the file turns out to be of.
        let kinds: &[&str] = match root.kind {
            Some(ServerKind::Nginx) => &["nginx"],
            Some(ServerKind::Apache) => &["apache"],
            None => &["nginx", "apache"],
        };
        for kind in kinds {
            for version in &root.versions {
                self.version(&mut wish.versions, &at("versions"), kind, version)?;
            }
            if let Some(package) = &root.package {
                let added = wish.versions.add_package(&format!("{kind}={package}"));
                added.map_err(|error| fault("package", format!("`{}`: {error}", at("package"))))?;
            }
        }
        if let Some(version) = &root.openssl {
            self.version(&mut wish.versions, &at("openssl"), "openssl", version)?;
        }
        for define in &root.defines {
            let added = wish.startup.define(define);
            added.map_err(|error| fault("defines", error.to_string()))?;
        }
        if !root.modules.is_empty() {
            let added = wish.startup.modules(&root.modules.join(","));
            added.map_err(|error| fault("modules", error.to_string()))?;
        }
        if let Some(context) = &root.context {
            let parsed = context.parse();
            wish.context =
                Some(parsed.map_err(|why: crate::source::ContextError| {
                    fault("context", why.to_string())
                })?);
        }
        Ok(RootWish { path, ..wish })
    }
}

const fn confidence(given: MinConfidence) -> Confidence {
    match given {
        MinConfidence::Low => Confidence::Low,
        MinConfidence::Medium => Confidence::Medium,
        MinConfidence::High => Confidence::High,
    }
}
