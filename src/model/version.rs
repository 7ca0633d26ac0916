//! The versions that a site is judged for.

use crate::catalog::Version;

/// A value with where it comes from.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Assumed<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: VersionSource,
}

/// Where a version comes from.
#[derive(Copy, Clone, Eq, PartialEq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionSource {
    /// The command line.
    Flag,
    /// stekguard.toml.
    Config,
    /// The package status of this machine.
    Package,
    /// The server's own answer.
    Detected,
    /// Nothing said it.
    Assumed,
}

/// What the configuration runs on.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Platform {
    /// The server's version.
    pub server: Assumed<Version>,
    /// OpenSSL's version.
    pub library: Assumed<Version>,
    /// A package version such as `1.22.1-9+deb12u11`, which tells the backport level.
    pub package: Option<String>,
}
