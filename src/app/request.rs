//! What is asked for: the same for every use case that reads configurations.

use std::io::Read;
use std::path::PathBuf;

use super::Baseline;
use super::configured::RootWish;
use super::measure::Measure;
use super::{AppError, Progress, Startup};
use crate::catalog::{Server, Version};
use crate::finding::{Confidence, Finding, Severity};
use crate::policy::Policy;
use crate::source::{
    DEFAULT_LARGEST_FILE, Exclusion, FragmentContext, PathGlobs, PathMap, upstream_version,
};

/// What to read and how to judge it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Root files, directories to search, fragments, dumps; empty means the usual places
    /// unless there is a stream.
    pub paths: Vec<PathBuf>,
    /// The bytes of standard input where `-` was given: a file or the output of `nginx -T`.
    pub stream: Option<Vec<u8>>,
    /// Globs of include paths that may be missing.
    pub allow_missing: Vec<String>,
    /// What the configurations run on.
    pub versions: Versions,
    /// What httpd is started with.
    pub startup: Startup,
    /// What is wanted.
    pub policy: Policy,
    /// Show pedantic findings too.
    pub pedantic: bool,
    /// Leave out findings that are less sure.
    pub min_confidence: Option<Confidence>,
    /// The blocks around files that are no roots.
    pub context: Option<FragmentContext>,
    /// What a search through a directory leaves out.
    pub exclusion: Exclusion,
    /// Files that are not edited.
    pub protected: PathGlobs,
    /// Places on the server and where they lie here.
    pub path_map: Vec<PathMap>,
    /// Findings that are known.
    pub baseline: Option<Baseline>,
    /// What the settings say of single configurations and files.
    pub laid: Laid,
    /// Also work out which bytes the fix of each finding would change.
    pub edits: bool,
    /// Moved on while the work goes on.
    pub progress: Progress,
}

/// What only settings say; the command line has no words for it.
#[derive(Clone, Debug, Default)]
pub struct Laid {
    /// Versions, where neither the command line nor a root says any.
    pub(super) fallback: Versions,
    /// What holds for single configurations.
    pub(super) roots: Vec<RootWish>,
    /// What holds for single files and for rules.
    pub(super) measure: Measure,
}

impl Request {
    /// True when a finding is of a grade that was asked for.
    pub(super) fn shows(&self, finding: &Finding) -> bool {
        let sure = self
            .min_confidence
            .is_none_or(|least| finding.confidence >= least);
        sure && (self.pedantic || finding.severity > Severity::Pedantic)
    }
}

/// Versions that the caller knows or wants to have found out.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Versions {
    /// Servers and their versions, in the order given.
    pub servers: Vec<(Server, Version)>,
    /// OpenSSL's version.
    pub openssl: Option<Version>,
    /// Package versions such as `1.22.1-9+deb12u11`.
    pub packages: Vec<(Server, String)>,
    /// Ask the installed servers.
    pub detect: bool,
}

/// A version on the command line that cannot be read.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum VersionSpecError {
    /// No `=`.
    #[error("`{0}` is not of the form nginx=1.28.3, apache=2.4.71 or openssl=3.0")]
    Form(String),
    /// An unknown name.
    #[error("`{0}` is not nginx, apache or openssl")]
    Name(String),
    /// Not a version.
    #[error("`{0}` is not a version such as 1.28.3")]
    Version(String),
}

impl Versions {
    /// Adds `nginx=1.22.1,1.28.3`, `apache=2.4.71` or `openssl=3.0`.
    ///
    /// # Errors
    /// [`VersionSpecError`] says what is wrong with it.
    pub fn add(&mut self, spec: &str) -> Result<(), VersionSpecError> {
        let (name, list) = split(spec)?;
        for text in list.split(',') {
            let version = parse(text)?;
            if name.eq_ignore_ascii_case("openssl") {
                self.openssl = Some(version);
                continue;
            }
            let server = server(name)?;
            if !self.servers.contains(&(server, version)) {
                self.servers.push((server, version));
            }
        }
        Ok(())
    }

    /// Adds `nginx=1.22.1-9+deb12u11`.
    ///
    /// # Errors
    /// [`VersionSpecError`] says what is wrong with it.
    pub fn add_package(&mut self, spec: &str) -> Result<(), VersionSpecError> {
        let (name, package) = split(spec)?;
        let server = server(name)?;
        parse(upstream_version(package))
            .map_err(|_| VersionSpecError::Version(package.to_owned()))?;
        self.packages.push((server, package.to_owned()));
        Ok(())
    }
}

impl Versions {
    /// These, and what `lower` says of servers and libraries that these say nothing of.
    pub(super) fn over(&self, lower: &Self) -> Self {
        let mut all = self.clone();
        let said = |server: Server| {
            let versions = self.servers.iter().any(|(of, _)| *of == server);
            versions || self.packages.iter().any(|(of, _)| *of == server)
        };
        let servers = lower.servers.iter().filter(|(of, _)| !said(*of));
        all.servers.extend(servers.copied());
        let packages = lower.packages.iter().filter(|(of, _)| !said(*of));
        all.packages.extend(packages.cloned());
        all.openssl = self.openssl.or(lower.openssl);
        all
    }
}

/// Reads standard input to its end.
///
/// # Errors
/// [`AppError`] where it cannot be read, is empty or larger than a file may be.
pub fn standard_input() -> Result<Vec<u8>, AppError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(DEFAULT_LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(AppError::StandardInput)?;
    if bytes.len() as u64 > DEFAULT_LARGEST_FILE {
        return Err(AppError::StandardInputTooLarge {
            limit: DEFAULT_LARGEST_FILE,
        });
    }
    if bytes.is_empty() {
        return Err(AppError::StandardInputEmpty);
    }
    Ok(bytes)
}

fn split(spec: &str) -> Result<(&str, &str), VersionSpecError> {
    let parts = spec
        .split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty());
    parts.ok_or_else(|| VersionSpecError::Form(spec.to_owned()))
}

fn server(name: &str) -> Result<Server, VersionSpecError> {
    match name.to_ascii_lowercase().as_str() {
        "nginx" => Ok(Server::Nginx),
        "apache" | "httpd" | "apache2" => Ok(Server::Apache),
        _ => Err(VersionSpecError::Name(name.to_owned())),
    }
}

fn parse(text: &str) -> Result<Version, VersionSpecError> {
    text.parse()
        .map_err(|_| VersionSpecError::Version(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_form() {
        let mut versions = Versions::default();
        versions.add("nginx=1.22.1,1.28.3").unwrap();
        versions.add("httpd=2.4.71").unwrap();
        versions.add("openssl=3.0").unwrap();
        versions.add_package("nginx=1.22.1-9+deb12u11").unwrap();
        assert_eq!(versions.servers.len(), 3);
        assert_eq!(
            versions.servers[2],
            (Server::Apache, Version::new(2, 4, 71))
        );
        assert_eq!(versions.openssl, Some(Version::new(3, 0, 0)));
        assert_eq!(versions.packages[0].1, "1.22.1-9+deb12u11");
    }

    #[test]
    fn what_is_no_version_is_named() {
        let mut versions = Versions::default();
        for (spec, error) in [
            ("nginx", VersionSpecError::Form("nginx".into())),
            ("nginx=", VersionSpecError::Form("nginx=".into())),
            ("caddy=2.0.0", VersionSpecError::Name("caddy".into())),
            ("nginx=new", VersionSpecError::Version("new".into())),
            ("nginx=1.2.3,", VersionSpecError::Version(String::new())),
            (
                "openssl=99999999.1",
                VersionSpecError::Version("99999999.1".into()),
            ),
        ] {
            assert_eq!(versions.add(spec), Err(error), "{spec}");
        }
        assert!(versions.add_package("nginx=stable").is_err());
    }
}
