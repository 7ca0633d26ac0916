//! The versions that a configuration is judged for.
//!
//! What the caller says comes first, then what the server answers, then this machine's
//! package status; where nothing says it, every version at which some behaviour changes and
//! that knows every directive in use: an older one would not start.

use super::Versions;
use super::detect::Detected;
use crate::catalog::{self, Server, Version};
use crate::model::{Assumed, Platform, VersionSource};
use crate::source::{PackageStatus, Project, Root, upstream_version};

/// What distributions build against today, where nothing says it.
const ASSUMED_OPENSSL: Version = Version::new(3, 0, 0);

/// Packages that carry the server's version.
const NGINX_PACKAGES: [&str; 6] = [
    "nginx",
    "nginx-core",
    "nginx-light",
    "nginx-full",
    "nginx-extras",
    "nginx-common",
];
const APACHE_PACKAGES: [&str; 2] = ["apache2-bin", "apache2"];
const OPENSSL_PACKAGES: [&str; 3] = ["libssl3t64", "libssl3", "libssl1.1"];

/// At least one, oldest first, the versions of all from the same source.
pub(super) fn platforms(
    root: &Root,
    project: &Project,
    versions: &Versions,
    detected: &Detected,
    packages: &PackageStatus,
) -> Vec<Platform> {
    let server = root.server;
    let installed = root.installed.then_some(packages);
    let given_package = versions
        .packages
        .iter()
        .rev()
        .find(|(of, _)| *of == server)
        .map(|(_, package)| package.clone());
    let status_package = installed.and_then(|status| status_package(server, status));
    let library = library(server, versions, detected, installed);

    let (list, source, package) = if let Some(list) = given(server, versions) {
        (list, VersionSource::Flag, given_package)
    } else if let Some(version) = given_package.as_deref().and_then(upstream) {
        (vec![version], VersionSource::Flag, given_package)
    } else if let Some(version) = detected.server(server) {
        (vec![version], VersionSource::Detected, status_package)
    } else if let Some(version) = status_package.as_deref().and_then(upstream) {
        (vec![version], VersionSource::Package, status_package)
    } else {
        (possible(project), VersionSource::Assumed, None)
    };
    list.into_iter()
        .map(|value| Platform {
            server: Assumed { value, source },
            library: library.clone(),
            package: package.clone(),
        })
        .collect()
}

/// The boundaries at which the configuration can be in use.
fn possible(project: &Project) -> Vec<Version> {
    let server = project.server;
    let certain = project
        .directives
        .iter()
        .filter(|directive| directive.when.0 == 0);
    let oldest = certain.filter_map(|directive| directive.spec?.since).max();
    let mut list: Vec<Version> = catalog::boundaries(server)
        .iter()
        .copied()
        .filter(|version| oldest.is_none_or(|oldest| *version >= oldest))
        .collect();
    if list.is_empty() {
        list.push(catalog::newest(server));
    }
    list
}

fn given(server: Server, versions: &Versions) -> Option<Vec<Version>> {
    let of_server = versions.servers.iter().filter(|(of, _)| *of == server);
    let mut list: Vec<Version> = of_server.map(|(_, version)| *version).collect();
    list.sort_unstable();
    list.dedup();
    (!list.is_empty()).then_some(list)
}

fn library(
    server: Server,
    versions: &Versions,
    detected: &Detected,
    installed: Option<&PackageStatus>,
) -> Assumed<Version> {
    if let Some(value) = versions.openssl {
        return Assumed {
            value,
            source: VersionSource::Flag,
        };
    }
    if let Some(value) = detected.library(server) {
        return Assumed {
            value,
            source: VersionSource::Detected,
        };
    }
    let package = installed.and_then(|status| {
        OPENSSL_PACKAGES
            .iter()
            .find_map(|name| status.package_version(name))
    });
    match package.as_deref().and_then(upstream) {
        Some(value) => Assumed {
            value,
            source: VersionSource::Package,
        },
        None => Assumed {
            value: ASSUMED_OPENSSL,
            source: VersionSource::Assumed,
        },
    }
}

fn status_package(server: Server, status: &PackageStatus) -> Option<String> {
    let names: &[&str] = match server {
        Server::Nginx => &NGINX_PACKAGES,
        Server::Apache => &APACHE_PACKAGES,
    };
    names.iter().find_map(|name| status.package_version(name))
}

fn upstream(package: &str) -> Option<Version> {
    upstream_version(package).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::{LoadOptions, Memory, load};

    const STATUS: &[u8] =
        b"Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9+deb12u11\n\n\
        Package: libssl3\nStatus: install ok installed\nVersion: 3.0.17-1~deb12u3\n";

    fn values(platforms: &[Platform]) -> Vec<String> {
        platforms
            .iter()
            .map(|platform| platform.server.value.to_string())
            .collect()
    }

    fn project(root: &Root, text: &str) -> Project {
        let files = Memory::new([(Path::new(&root.path), text)]);
        load(root, &files, &LoadOptions::default())
    }

    #[test]
    fn what_the_caller_says_comes_before_the_package_status() {
        let root = Root {
            installed: true,
            ..Root::new(Server::Nginx, "/etc/nginx/nginx.conf")
        };
        let project = project(&root, "events {}\n");
        let status = PackageStatus::parse(STATUS);
        let mut versions = Versions::default();
        let by_package = platforms(&root, &project, &versions, &Detected::default(), &status);
        assert_eq!(values(&by_package), ["1.22.1"]);
        assert_eq!(by_package[0].package.as_deref(), Some("1.22.1-9+deb12u11"));
        assert_eq!(by_package[0].server.source, VersionSource::Package);
        assert_eq!(by_package[0].library.value, Version::new(3, 0, 17));

        versions.add("nginx=1.28.3,1.22.1").unwrap();
        let by_flag = platforms(&root, &project, &versions, &Detected::default(), &status);
        assert_eq!(values(&by_flag), ["1.22.1", "1.28.3"]);
        assert_eq!(by_flag[0].package, None);
        assert_eq!(by_flag[0].server.source, VersionSource::Flag);
    }

    #[test]
    fn a_tree_from_elsewhere_is_judged_at_every_boundary_that_can_run_it() {
        let root = Root::new(Server::Nginx, "site/nginx.conf");
        let status = PackageStatus::parse(STATUS);
        let judged = |text: &str| {
            let project = project(&root, text);
            platforms(
                &root,
                &project,
                &Versions::default(),
                &Detected::default(),
                &status,
            )
        };
        let all = judged("events {}\n");
        assert!(
            all.iter()
                .all(|platform| platform.server.source == VersionSource::Assumed)
        );
        assert_eq!(all[0].server.value, catalog::oldest(Server::Nginx));
        assert_eq!(all[0].library.value, ASSUMED_OPENSSL);
        assert_eq!(
            all.last().unwrap().server.value,
            catalog::newest(Server::Nginx)
        );

        let newer = judged("events {}\nhttp { server { ssl_reject_handshake on; } }\n");
        assert_eq!(newer[0].server.value, Version::new(1, 19, 4));
        assert!(newer.len() > 3);
    }
}
