//! Sites made from a text, for the tests beside this file.

use stekguard::catalog::{Server, Version};
use stekguard::model::{self, Assumed, Platform, Site, VersionSource};
use stekguard::source::{self, LoadOptions, Memory, Root};

/// What it runs on; versions of the server and of OpenSSL.
pub(crate) fn platform(server: &str, library: &str) -> Platform {
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    Platform {
        server: assumed(server),
        library: assumed(library),
        package: None,
    }
}

/// A configuration in one file, judged for a version of the server with OpenSSL 3.
pub(crate) fn site(server: Server, version: &str, text: &str) -> Site {
    site_on(server, &platform(version, "3.0"), text)
}

/// The same for a platform.
pub(crate) fn site_on(server: Server, platform: &Platform, text: &str) -> Site {
    let path = match server {
        Server::Nginx => "/etc/nginx/nginx.conf",
        Server::Apache => "/etc/apache2/apache2.conf",
    };
    let files = Memory::new([(path, text)]);
    let root = Root::new(server, path);
    let project = source::load(&root, &files, &LoadOptions::default());
    assert!(project.complete(), "{:?}", project.problems);
    model::build(&project, platform)
}
