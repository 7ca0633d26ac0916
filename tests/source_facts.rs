//! What the source room finds out about the files that a configuration names, and what it
//! keeps to itself.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use stekguard::catalog::{Server, Version};
use stekguard::model::{self, Assumed, CrossName, Platform, Site, VersionSource};
use stekguard::source::{
    self, Disk, Entropy, FileFacts, LoadOptions, Memory, Metadata, PathMap, Project, Root, Storage,
};

const NOW: u64 = 2_000_000_000;

/// 80 bytes that look random.
fn random(seed: u32) -> Vec<u8> {
    let byte = |index: u32| ((index + seed).wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..80).map(byte).collect()
}

fn options() -> LoadOptions {
    LoadOptions {
        now: Some(NOW),
        ..LoadOptions::default()
    }
}

fn loaded(files: &Memory, root: &str, server: Server, options: &LoadOptions) -> Project {
    source::load(&Root::new(server, root), files, options)
}

fn fact<'a>(project: &'a Project, name: &str) -> &'a FileFacts {
    let facts = project.facts.of(name);
    facts.unwrap_or_else(|| panic!("nothing known of {name}"))
}

#[test]
fn a_key_on_disk_is_described_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let secret = random(40);
    fs::write(dir.path().join("ticket.key"), &secret).unwrap();
    let conf = "server { listen 443 ssl; ssl_certificate a.pem; ssl_session_ticket_key ticket.key; \
                ssl_session_ticket_key gone.key; }";
    let root = dir.path().join("page.conf");
    fs::write(&root, conf).unwrap();
    let options = LoadOptions {
        now: Some(u64::from(u32::MAX)),
        ..LoadOptions::default()
    };
    let project = source::load(&Root::new(Server::Nginx, &root), &Disk::default(), &options);
    let key = fact(&project, "ticket.key");
    assert_eq!((key.size, key.entropy), (Some(80), Some(Entropy::Fine)));
    assert!(key.age.is_some_and(|age| age > 0));
    assert_eq!(
        (key.certificate, key.content),
        (None, None),
        "nothing to find the key by"
    );
    assert_eq!(key.storage, None, "not this machine's own configuration");
    assert!(project.facts.of("gone.key").is_none());
    assert!(project.facts.of("a.pem").is_none());
    assert_eq!(project.facts.len(), 1);

    // Neither as bytes nor in hexadecimal anywhere in what leaves the room.
    let shown = format!("{:?}", project.facts);
    let bytes: Vec<String> = secret.iter().take(8).map(u8::to_string).collect();
    assert!(!shown.contains(&bytes.join(", ")), "{shown}");
    let hex: String = secret
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(!shown.contains(&hex), "{shown}");
}

#[cfg(unix)]
#[test]
fn modes_are_those_of_the_file_behind_a_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("real.key");
    fs::write(&key, random(1)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o604)).unwrap();
    std::os::unix::fs::symlink("real.key", dir.path().join("link.key")).unwrap();
    fs::create_dir(dir.path().join("folder.key")).unwrap();
    let root = dir.path().join("page.conf");
    let names = "ssl_session_ticket_key link.key; ssl_session_ticket_key folder.key; \
                 ssl_session_ticket_key /dev/zero;";
    fs::write(&root, format!("server {{ listen 443 ssl; {names} }}")).unwrap();
    let project = source::load(
        &Root::new(Server::Nginx, &root),
        &Disk::default(),
        &options(),
    );
    let link = fact(&project, "link.key");
    assert_eq!(link.mode, Some(0o604));
    assert!(link.is_readable_by_others());
    for special in ["folder.key", "/dev/zero"] {
        let entropy = project.facts.of(special).and_then(|facts| facts.entropy);
        assert_eq!(entropy, None, "{special} is not read");
    }
}

#[test]
fn places_that_betray_a_key_are_known() {
    let conf = "http { root /srv/www; server { listen 443 ssl; \
                ssl_session_ticket_key /srv/www/a/t.key; ssl_session_ticket_key /repo/keys/t.key; \
                ssl_session_ticket_key /srv/www2/t.key; location / { alias /data/pub; } \
                ssl_session_ticket_key /data/pub/t.key; } }";
    let key = random(3);
    let mut files = Memory::new([("/etc/nginx/nginx.conf", conf.as_bytes())]);
    let keys = [
        "/srv/www/a/t.key",
        "/repo/keys/t.key",
        "/srv/www2/t.key",
        "/data/pub/t.key",
    ];
    for name in keys {
        files.insert(Path::new(name), key.as_slice().into());
    }
    files.insert(Path::new("/repo/.git/HEAD"), b"x".as_slice().into());
    let metadata = Metadata {
        size: 80,
        mode: Some(0o640),
        owner: Some(33),
        modified: Some(NOW - 10),
    };
    files.describe(Path::new("/srv/www2/t.key"), metadata);
    let project = loaded(&files, "/etc/nginx/nginx.conf", Server::Nginx, &options());
    let served = |name| fact(&project, name).served_from.clone();
    assert_eq!(served("/srv/www/a/t.key"), Some(PathBuf::from("/srv/www")));
    assert_eq!(served("/data/pub/t.key"), Some(PathBuf::from("/data/pub")));
    assert_eq!(
        served("/srv/www2/t.key"),
        None,
        "a longer name is another folder"
    );
    assert!(fact(&project, "/repo/keys/t.key").versioned);
    let described = fact(&project, "/srv/www2/t.key");
    assert!(!described.versioned && !described.is_readable_by_others());
    assert_eq!((described.age, described.owner), (Some(10), Some(33)));
}

#[test]
fn httpd_names_start_from_its_server_root() {
    let conf = "ServerRoot /etc/httpd\nListen 443\n<VirtualHost *:443>\nSSLEngine on\n\
                SSLSessionTicketKeyFile conf/t.key\nSSLCertificateFile /mapped/a.pem\n\
                </VirtualHost>\n";
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let mut files = Memory::new([
        ("/etc/httpd/conf/httpd.conf", conf.as_bytes()),
        ("/etc/httpd/conf/t.key", &[0; 48]),
        ("/here/mapped/a.pem", pem.as_bytes()),
    ]);
    files.insert(
        Path::new("/proc/mounts"),
        b"none /etc tmpfs rw 0 0\n".as_slice().into(),
    );
    let options = LoadOptions {
        path_map: vec![PathMap {
            from: PathBuf::from("/mapped"),
            to: PathBuf::from("/here/mapped"),
            whole: true,
        }]
        .into(),
        ..options()
    };
    let mut root = Root::new(Server::Apache, "/etc/httpd/conf/httpd.conf");
    root.installed = true;
    let project = source::load(&root, &files, &options);
    let key = fact(&project, "conf/t.key");
    assert_eq!((key.size, key.entropy), (Some(48), Some(Entropy::Zero)));
    assert_eq!(key.storage, Some(Storage::Memory));
    assert!(fact(&project, "/mapped/a.pem").certificate.is_some());
}

#[test]
fn what_a_stream_names_is_unknown() {
    let text = "# configuration file /etc/nginx/nginx.conf:\nhttp { server { listen 443 ssl; \
                ssl_certificate /etc/hostname; ssl_session_ticket_key /etc/hostname; } }\n";
    let dump = source::Dump::parse(text.as_bytes()).unwrap();
    let root = Root::new(Server::Nginx, dump.root.clone());
    let project = source::load(&root, dump.files(), &options());
    assert!(project.facts.is_empty());
    let files = Memory::new([("<stdin>", text.as_bytes())]);
    let project = loaded(&files, "<stdin>", Server::Nginx, &options());
    assert!(project.facts.is_empty());
}

/// From 1.29.2 sessions are bound to the certificates: the same one under two names is one.
#[test]
fn the_same_certificate_under_two_names_is_the_same() {
    let pem =
        |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let crossing = |second: &str| {
        let server = |name: &str| {
            format!(
                "server {{ listen 443 ssl; server_name {name}; ssl_certificate {name}.pem; }}\n"
            )
        };
        let conf = format!("{}{}", server("a"), server("b"));
        let files = Memory::new([
            ("/w/page.conf", conf),
            ("/w/a.pem", pem("AAAA")),
            ("/w/b.pem", second.to_owned()),
        ]);
        let project = loaded(
            &files,
            "/w/page.conf",
            Server::Nginx,
            &LoadOptions::default(),
        );
        site(&project).endpoints[1].cross_name
    };
    assert_eq!(crossing(&pem("AAAA")), CrossName::Served);
    assert_eq!(
        crossing(&(pem("AA\nAA") + &pem("CHAIN"))),
        CrossName::Served
    );
    assert_eq!(crossing(&pem("BBBB")), CrossName::Full);
}

fn site(project: &Project) -> Site {
    let assumed = |value| Assumed {
        value,
        source: VersionSource::Flag,
    };
    let platform = Platform {
        server: assumed(Version::new(1, 31, 3)),
        library: assumed(Version::new(3, 0, 0)),
        package: None,
    };
    model::build(project, &platform)
}
