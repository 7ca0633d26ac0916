//! What this machine's package database says about the servers, read as data.
//!
//! Runs nothing. It must not guess: no database, no answer.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::catalog::Server;

use super::files::FileSystem;

/// Packages that carry a server's program, the likeliest first. Source: Debian's and
/// Ubuntu's package lists (older releases have no program in `nginx` itself).
const NGINX: [&str; 5] = [
    "nginx",
    "nginx-core",
    "nginx-full",
    "nginx-light",
    "nginx-extras",
];
const APACHE: [&str; 2] = ["apache2", "apache2-bin"];

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
        let text = String::from_utf8_lossy(status);
        let installed = text.split("\n\n").filter_map(installed_package).collect();
        Self { installed }
    }

    /// The full version of the package that carries a server.
    pub fn server_version(&self, server: Server) -> Option<String> {
        let names: &[&str] = match server {
            Server::Nginx => &NGINX,
            Server::Apache => &APACHE,
        };
        names.iter().find_map(|name| self.package_version(name))
    }

    /// True where no package is known, so that nothing can be said.
    pub fn is_empty(&self) -> bool {
        self.installed.is_empty()
    }

    /// The full version of an installed package, such as `1.22.1-9+deb12u11`.
    pub fn package_version(&self, name: &str) -> Option<String> {
        let (_, version) = self.installed.iter().find(|(package, _)| package == name)?;
        Some(version.clone())
    }
}

/// Name and version of a paragraph, where the package is installed.
fn installed_package(paragraph: &str) -> Option<(String, String)> {
    let field = |name: &str| {
        let mut values = paragraph.lines().filter_map(|line| line.strip_prefix(name));
        values.next().map(str::trim)
    };
    // `Status: want error state`; `deinstall ok config-files` leaves a version behind.
    let state = field("Status:")?.split_ascii_whitespace().nth(2)?;
    if state != "installed" {
        return None;
    }
    Some((field("Package:")?.to_owned(), field("Version:")?.to_owned()))
}

/// Which of these files an upgrade of their package overwrites, with the package's name: those
/// that dpkg lists and does not keep as configuration. `paths` are absolute, symlinks
/// resolved; `root` is `/` for this machine. Empty where there is no such database.
pub fn packaged(
    root: &Path,
    files: &dyn FileSystem,
    paths: &BTreeSet<PathBuf>,
) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let info = root.join("var/lib/dpkg/info");
    let names = files.list(&info).unwrap_or_default();
    let wanted: HashSet<&[u8]> = paths
        .iter()
        .map(|path| path.as_os_str().as_encoded_bytes())
        .collect();
    let Some(start) = common_start(&wanted) else {
        return found;
    };
    // Hundreds of lists, and most say nothing of the folder.
    let finder = memchr::memmem::Finder::new(start);
    let in_list = |name: &OsString| {
        let name = Path::new(name);
        let is_list = name.extension().is_some_and(|end| end == "list");
        let list = is_list.then(|| files.read(&info.join(name)).ok())??;
        finder.find(&list)?;
        let lines = list.split(|byte| *byte == b'\n');
        let named = lines.filter(|line| line.starts_with(start) && wanted.contains(line));
        let named: Vec<PathBuf> = named.map(super::path::from_bytes).collect();
        let stem = name.file_stem().unwrap_or_default().to_string_lossy();
        let package = stem.split(':').next().unwrap_or_default();
        Some((package.to_owned(), named))
    };
    let lists: Vec<_> = names.par_iter().filter_map(in_list).collect();
    for (package, named) in lists {
        found.extend(named.into_iter().map(|path| (path, package.clone())));
    }
    if !found.is_empty() {
        let status = files.read(&root.join("var/lib/dpkg/status"));
        for kept in status.iter().flat_map(|text| conffiles(text)) {
            found.remove(&kept);
        }
    }
    found
}

/// The bytes that all of them begin with; `None` where there are none.
fn common_start<'a>(names: &HashSet<&'a [u8]>) -> Option<&'a [u8]> {
    let mut names = names.iter();
    let first: &'a [u8] = names.next()?;
    let common = names.fold(first.len(), |common, name| {
        let alike = first.iter().zip(*name).take(common);
        alike.take_while(|(one, other)| one == other).count()
    });
    first.get(..common)
}

/// The files that dpkg asks about before it replaces them: ` /path digest` lines behind
/// `Conffiles:`.
fn conffiles(status: &[u8]) -> Vec<PathBuf> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in status.split(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") {
            inside = line.starts_with(b"Conffiles:");
            continue;
        }
        let path = line.split(|byte| *byte == b' ').nth(1);
        found.extend(path.filter(|_| inside).map(super::path::from_bytes));
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    #[test]
    fn only_installed_packages_count() {
        let status = b"Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9+deb12u11\n\
            Description: x\n Version: 9\n\nPackage: apache2\nStatus: deinstall ok config-files\n\
            Version: 2.4.71-1\n\n";
        let packages = PackageStatus::parse(status);
        assert_eq!(
            packages.package_version("nginx").as_deref(),
            Some("1.22.1-9+deb12u11")
        );
        assert_eq!(packages.package_version("apache2"), None);
        assert_eq!(
            packages.server_version(Server::Nginx).as_deref(),
            Some("1.22.1-9+deb12u11")
        );
        assert_eq!(packages.server_version(Server::Apache), None);
        assert!(PackageStatus::parse(b"").is_empty());
    }

    #[test]
    fn files_of_packages_that_are_no_configuration_are_found() {
        let database = Memory::new([
            (
                Path::new("/var/lib/dpkg/status"),
                &b"Package: nginx\nStatus: install ok installed\nConffiles:\n /etc/nginx/nginx.conf 0a\n \
                   /etc/nginx/old.conf 0b obsolete\nDescription: x\n /etc/nginx/snippets/a.conf y\n\n"[..],
            ),
            (
                Path::new("/var/lib/dpkg/info/nginx:amd64.list"),
                &b"/.\n/etc/nginx/nginx.conf\n/etc/nginx/snippets/a.conf\n/usr/share/x.conf\n"[..],
            ),
            (
                Path::new("/var/lib/dpkg/info/nginx.md5sums"),
                &b"0c  etc/nginx/b.conf\n"[..],
            ),
        ]);
        let paths = ["nginx.conf", "snippets/a.conf", "b.conf", "mine.conf"];
        let paths = paths.map(|name| Path::new("/etc/nginx").join(name)).into();
        let found = packaged(Path::new("/"), &database, &paths);
        let expected = (
            PathBuf::from("/etc/nginx/snippets/a.conf"),
            "nginx".to_owned(),
        );
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn upstream_versions_lose_epoch_revision_and_additions() {
        for (package, upstream) in [
            ("1.22.1-9+deb12u11", "1.22.1"),
            ("1:1.18.0-6ubuntu14.4", "1.18.0"),
            ("2.4.52-1ubuntu4.14", "2.4.52"),
            ("2.4.62-4.el9", "2.4.62"),
            ("1.31.3", "1.31.3"),
            ("1.26.3+dfsg-1", "1.26.3"),
            ("1.25.0~rc1-1", "1.25.0"),
        ] {
            assert_eq!(upstream_version(package), upstream, "{package}");
        }
    }
}
