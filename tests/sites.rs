//! The configurations that many servers run: exactly what is found in each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod judging;

use std::path::{Path, PathBuf};

use judging::{Case, platform};
use stekguard::catalog::{self, Server, Version};
use stekguard::model;
use stekguard::source::Disk;

const ROTATION: &str = "warning tickets-without-rotation session tickets are on by default";
const FORGEABLE: &str = "error forgeable-automatic-rotation ";

#[test]
fn certbots_site_is_clean_in_every_version() {
    let tree = data("certbot");
    let (endpoints, found) = judged(&tree, "etc/nginx/nginx.conf", &every(Server::Nginx));
    assert_eq!(endpoints, 2, "IPv6 and IPv4");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn certbots_site_is_clean_without_its_options_file() {
    // Repositories do not carry the file; the catalog knows what stands in it.
    let tree = tempfile::tempdir().unwrap();
    copy(&data("certbot/etc/nginx"), &tree.path().join("etc/nginx"));
    let (endpoints, found) = judged(tree.path(), "etc/nginx/nginx.conf", &every(Server::Nginx));
    assert_eq!((endpoints, found), (2, Vec::new()));
}

#[test]
fn mozillas_intermediate_is_forgeable_until_the_fix() {
    let tree = data("mozilla");
    let root = "etc/nginx/nginx.conf";
    let (endpoints, found) = judged(&tree, root, &[Version::new(1, 28, 3)]);
    assert_eq!(endpoints, 2);
    expect(&found, &[format!("{root}:22:9 {FORGEABLE}")]);
    let (_, found) = judged(&tree, root, &[Version::new(1, 30, 6)]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn rhels_ssl_conf_has_tickets_without_rotation() {
    let (endpoints, found) = judged(
        &data("rhel"),
        "etc/httpd/conf/httpd.conf",
        &every(Server::Apache),
    );
    assert_eq!(endpoints, 1);
    expect(
        &found,
        &[format!("etc/httpd/conf.d/ssl.conf:10:1 {ROTATION}")],
    );
}

#[test]
fn the_reports_nginx_server_has_tickets_without_rotation() {
    let tree = data("report");
    let before = [
        Version::new(1, 18, 0),
        Version::new(1, 22, 1),
        Version::new(1, 25, 0),
    ];
    let (endpoints, found) = judged(&tree, "nginx.conf", &before);
    assert_eq!(endpoints, 1);
    expect(&found, &[format!("nginx.conf:5:5 {ROTATION}")]);
    let gone = [
        Version::new(1, 25, 1),
        Version::new(1, 28, 3),
        catalog::newest(Server::Nginx),
    ];
    let (_, found) = judged(&tree, "nginx.conf", &gone);
    let removed =
        "nginx.conf:10:9 error directive-not-in-version `ssl` was removed in nginx 1.25.1";
    expect(
        &found,
        &[format!("nginx.conf:5:5 {ROTATION}"), removed.to_owned()],
    );
}

#[test]
fn the_reports_httpd_vhost_has_tickets_without_rotation() {
    let (endpoints, found) = judged(&data("report"), "httpd.conf", &every(Server::Apache));
    assert_eq!(endpoints, 1);
    expect(&found, &[format!("httpd.conf:4:5 {ROTATION}")]);
}

#[test]
fn debians_nginx_has_no_tls_at_all() {
    let tree = tempfile::tempdir().unwrap();
    installed("nginx", tree.path());
    let (endpoints, found) = judged(tree.path(), "etc/nginx/nginx.conf", &every(Server::Nginx));
    assert_eq!((endpoints, found), (0, Vec::new()));
}

#[test]
fn debians_apache_with_its_tls_site_is_clean() {
    let tree = tempfile::tempdir().unwrap();
    installed("apache2", tree.path());
    // As a2enmod ssl and a2ensite default-ssl do it.
    let apache = tree.path().join("etc/apache2");
    for name in ["ssl.conf", "ssl.load", "socache_shmcb.load"] {
        enable(&apache, "mods", name);
    }
    enable(&apache, "sites", "default-ssl.conf");
    let (endpoints, found) = judged(
        tree.path(),
        "etc/apache2/apache2.conf",
        &[Version::new(2, 4, 71)],
    );
    assert_eq!((endpoints, found), (1, Vec::new()));
    let (_, found) = judged(
        tree.path(),
        "etc/apache2/apache2.conf",
        &every(Server::Apache),
    );
    assert_eq!(found, Vec::<String>::new());
}

/// Sites of Debian's httpd: what the first vhost and the server level decide is found where
/// it is written, and the site that says the same again is left alone.
#[test]
fn debians_apache_with_several_sites() {
    let tree = tempfile::tempdir().unwrap();
    installed("apache2", tree.path());
    let apache = tree.path().join("etc/apache2");
    for name in ["ssl.conf", "ssl.load", "socache_shmcb.load"] {
        enable(&apache, "mods", name);
    }
    enable(&apache, "sites", "default-ssl.conf");
    copy(&data("debian-sites"), tree.path());
    let (endpoints, found) = judged(
        tree.path(),
        "etc/apache2/apache2.conf",
        &[Version::new(2, 4, 71)],
    );
    assert_eq!(endpoints, 4);
    let sites = "etc/apache2/sites-enabled";
    expect(
        &found,
        &[
            "etc/apache2/conf-enabled/zz-no-sessions.conf:2:1 warning ignored-session-directive "
                .to_owned(),
            format!("{sites}/wiki.conf:7:2 warning ignored-session-directive "),
            format!("{sites}/wiki.conf:9:2 error malformed-session-timeout "),
            format!("{sites}/zz-partner.conf:6:2 warning tickets-without-rotation "),
        ],
    );
}

/// RHEL's tree with sites of its owner: `off` of a later vhost is its own, not the first one's.
/// What is missing at the server level is one cause, whichever vhosts lack it.
#[test]
fn rhels_tree_with_several_sites() {
    let tree = tempfile::tempdir().unwrap();
    copy(&data("rhel"), tree.path());
    copy(&data("rhel-sites"), tree.path());
    let root = "etc/httpd/conf/httpd.conf";
    let (endpoints, found) = judged(tree.path(), root, &every(Server::Apache));
    assert_eq!(endpoints, 3);
    let partner = "etc/httpd/conf.d/zz-partner.conf";
    expect(
        &found,
        &[
            format!("etc/httpd/conf.d/ssl.conf:10:1 {ROTATION}"),
            format!("{partner}:7:9 error excessive-session-timeout "),
        ],
    );
}

#[test]
fn certbots_httpd_site_is_clean() {
    let tree = data("certbot-httpd");
    let root = "etc/apache2/apache2.conf";
    let (endpoints, found) = judged(&tree, root, &every(Server::Apache));
    assert_eq!((endpoints, found), (1, Vec::new()));
    // Without certbot's options file, which repositories do not carry, too.
    let bare = tempfile::tempdir().unwrap();
    copy(&tree.join("etc/apache2"), &bare.path().join("etc/apache2"));
    let (endpoints, found) = judged(bare.path(), root, &every(Server::Apache));
    assert_eq!((endpoints, found), (1, Vec::new()));
}

/// TLS endpoints and findings below a tree, for these versions, which have to agree.
fn judged(tree: &Path, root: &str, versions: &[Version]) -> (usize, Vec<String>) {
    let path = tree.join(root);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut case = Case::of(&path, &text);
    case.platforms = versions
        .iter()
        .map(|version| platform(*version, None))
        .collect();
    let project = case.project(&Disk::default());
    let site = model::build(&project, &case.platforms[0]);
    println!(
        "{root}: {} TLS endpoints in {} files",
        site.endpoints.len(),
        site.files
    );
    (site.endpoints.len(), case.findings(tree))
}

/// Lines that begin as expected, and no others.
fn expect(found: &[String], expected: &[String]) {
    let same = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.starts_with(expected));
    assert!(same, "{found:#?}\nexpected {expected:#?}");
}

fn every(server: Server) -> Vec<Version> {
    catalog::boundaries(server).to_vec()
}

/// Copies a package's tree of /etc.
fn installed(package: &str, tree: &Path) {
    let etc = Path::new("/etc").join(package);
    assert!(
        etc.is_dir(),
        "install the Debian package {package}: {} is missing",
        etc.display()
    );
    copy(&etc, &tree.join("etc").join(package));
}

fn enable(apache: &Path, kind: &str, name: &str) {
    let link = apache.join(format!("{kind}-enabled")).join(name);
    if link.symlink_metadata().is_ok() {
        return;
    }
    let target = format!("../{kind}-available/{name}");
    std::os::unix::fs::symlink(target, link).unwrap();
}

/// Copies a folder; symlinks stay symlinks.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&from).unwrap(), to).unwrap();
        } else if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

fn data(tree: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/sites")
        .join(tree)
}
