//! What paths and directories hold.

use std::path::{Path, PathBuf};

use stekguard::catalog::Server;
use stekguard::source::{
    Discovery, FileSystem, FragmentContext, LoadOptions, Memory, ReadError, RootKind, SourceError,
    discover, load,
};

use super::{shown, tree};

fn search(files: &dyn FileSystem, path: &str) -> Result<Discovery, SourceError> {
    discover(&[PathBuf::from(path)], files, &LoadOptions::default())
}

fn found(files: &dyn FileSystem, path: &str) -> Vec<(Server, String, RootKind)> {
    let discovery = search(files, path).unwrap();
    let found = discovery.found.iter();
    found
        .map(|it| {
            (
                it.root.server,
                it.root.path.display().to_string(),
                it.root.kind,
            )
        })
        .collect()
}

fn kind_of(path: &str, text: &str) -> (Server, RootKind) {
    let found = found(&tree(&[(path, text)]), path);
    assert_eq!(found.len(), 1);
    (found[0].0, found[0].2)
}

const SERVER: &str = "server { listen 443 ssl; server_name a.test; }\n";
const VHOST: &str = "<VirtualHost *:443>\nServerName a.test\nSSLEngine on\n</VirtualHost>\n";

#[test]
fn a_file_is_what_its_text_says() {
    use FragmentContext::{Http, HttpLocation, HttpServer, Mail, Main, Stream};
    use Server::{Apache, Nginx};
    let fragment = RootKind::Fragment;
    for (path, text, expected) in [
        ("x.conf", "events {}\nhttp {}\n", (Nginx, RootKind::Root)),
        (
            "x.conf",
            "http { server { listen 443 ssl; } }",
            (Nginx, RootKind::Root),
        ),
        (
            "x.conf",
            "stream { server { listen 1; } }",
            (Nginx, RootKind::Root),
        ),
        ("x.conf", SERVER, (Nginx, fragment(Http))),
        (
            "x.conf",
            "ssl_session_cache shared:a:1m;\nssl_session_timeout 1d;",
            (Nginx, fragment(Http)),
        ),
        (
            "x.conf",
            "listen 443 ssl;\nserver_name a;\nlocation / {}",
            (Nginx, fragment(HttpServer)),
        ),
        (
            "x.conf",
            "server {\n listen 1;\n ssl_preread on;\n proxy_pass b;\n}",
            (Nginx, fragment(Stream)),
        ),
        (
            "x.conf",
            "server {\n listen 1;\n protocol imap;\n starttls on;\n}",
            (Nginx, fragment(Mail)),
        ),
        (
            "x.conf",
            "load_module modules/a.so;",
            (Nginx, fragment(Main)),
        ),
        (
            "x.conf",
            "limit_except GET { }\n",
            (Nginx, fragment(HttpLocation)),
        ),
        ("x.conf", VHOST, (Apache, fragment(Main))),
        (
            "x.conf",
            "SSLProtocol all -SSLv3\nSSLSessionTickets off\n",
            (Apache, fragment(Main)),
        ),
        (
            "x.conf",
            "ServerRoot /etc/httpd\nListen 80\nServerName a\n",
            (Apache, RootKind::Root),
        ),
        (
            "a/apache2.conf",
            "IncludeOptional conf-enabled/*.conf\nTimeout 300\n",
            (Apache, RootKind::Root),
        ),
        ("etc/httpd/conf.d/ssl.conf", VHOST, (Apache, fragment(Main))),
        (
            "x.conf",
            "if ($a) {\n}\nlocation /\n{\n}\nlocation /b\n{\n}\n",
            (Nginx, fragment(HttpServer)),
        ),
        (
            "x.conf",
            "DefaultLanguage de\nAddLanguage en .en\n",
            (Apache, RootKind::Root),
        ),
        (
            "x.conf",
            "weird {\n thing on;\n}\n",
            (Nginx, RootKind::Root),
        ),
        ("httpd.conf", "", (Apache, RootKind::Root)),
        ("nginx.conf", "", (Nginx, RootKind::Root)),
        (
            "whatever",
            "# configuration file /n:\nevents {}\n",
            (Nginx, RootKind::Dump),
        ),
    ] {
        assert_eq!(kind_of(path, text), expected, "{path}: {text}");
    }
}

/// Its blocks may all stand in included files: what keeps the server from starting is said then
/// too, which of a fragment nobody could say.
#[test]
fn a_main_file_may_hold_no_block_itself() {
    let text = "error_log /var/log/e.log;\ninclude blocks/*.conf;\n";
    let root = (Server::Nginx, RootKind::Root);
    assert_eq!(kind_of("etc/nginx/nginx.conf", text), root);
    // No include leads anywhere, or a statement has no place in a main file.
    for text in ["error_log a;\n", "include a;\nssl_session_tickets off;\n"] {
        let http = RootKind::Fragment(FragmentContext::Http);
        assert_eq!(kind_of("nginx.conf", text), (Server::Nginx, http), "{text}");
    }
}

#[test]
fn the_reports_two_snippets_are_fragments() {
    let nginx = "server {\n listen 443;\n server_name example.org;\n root /srv;\n ssl on;\n \
                 ssl_certificate a;\n ssl_certificate_key b;\n}\n";
    assert_eq!(
        kind_of("a.conf", nginx),
        (Server::Nginx, RootKind::Fragment(FragmentContext::Http))
    );
    let httpd = "<IfModule mod_ssl.c>\n SSLStaplingCache shmcb:/tmp/stapling_cache(128000)\n \
                 <VirtualHost *:443>\n  SSLEngine on\n </VirtualHost>\n</IfModule>\n";
    assert_eq!(
        kind_of("a.conf", httpd),
        (Server::Apache, RootKind::Fragment(FragmentContext::Main))
    );
}

#[test]
fn a_directory_gives_its_roots_and_the_parts_that_no_root_includes() {
    let files = tree(&[
        (
            "r/nginx/nginx.conf",
            "events {} http { include conf.d/*.conf; }",
        ),
        ("r/nginx/conf.d/a.conf", SERVER),
        ("r/nginx/conf.d/more.inc", SERVER),
        ("r/nginx/conf.d/a.conf~", SERVER),
        ("r/nginx/sites-available/off", SERVER),
        ("r/nginx/snippets/tls.conf", "ssl_session_timeout 1d;"),
        ("r/nginx/conf.d/t.conf.j2", SERVER),
        ("r/nginx/conf.d/unrendered.conf.template", SERVER),
        ("r/other/braces.conf", "server { server_name {{ name }}; }"),
        ("r/other/unrelated.conf", "[section]\nkey = value\n"),
        (
            "r/other/named.conf",
            "include \"/etc/bind/x\";\noptions { };\n",
        ),
        ("r/readme.md", "server { listen 443 ssl; }"),
        (
            "r/httpd/conf/httpd.conf",
            "ServerRoot /etc/httpd\nListen 80\n",
        ),
    ]);
    assert_eq!(
        found(&files, "r"),
        [
            (
                Server::Apache,
                "r/httpd/conf/httpd.conf".to_owned(),
                RootKind::Root
            ),
            (
                Server::Nginx,
                "r/nginx/nginx.conf".to_owned(),
                RootKind::Root
            ),
            (
                Server::Nginx,
                "r/nginx/conf.d/more.inc".to_owned(),
                RootKind::Fragment(FragmentContext::Http)
            ),
        ]
    );
    let discovery = search(&files, "r").unwrap();
    let inactive = ["r/nginx/sites-available/off", "r/nginx/snippets/tls.conf"];
    assert_eq!(discovery.inactive, inactive.map(PathBuf::from));
    let mut templates = discovery.templates.clone();
    templates.sort();
    assert_eq!(
        templates,
        [
            Path::new("r/nginx/conf.d/t.conf.j2"),
            Path::new("r/nginx/conf.d/unrendered.conf.template"),
            Path::new("r/other/braces.conf"),
        ]
    );
}

#[test]
fn parts_without_a_root_are_judged_alone_and_not_twice() {
    let files = tree(&[
        (
            "r/sites-available/a",
            "server { listen 443 ssl; include snippets/s.conf; }",
        ),
        ("r/snippets/s.conf", "ssl_session_tickets off;"),
    ]);
    let discovery = search(&files, "r").unwrap();
    assert_eq!(discovery.found.len(), 1);
    let one = &discovery.found[0];
    assert_eq!(one.root.base(), Path::new("r"));
    let project = load(&one.root, &files, &one.options);
    assert_eq!(
        shown(&project),
        "http{ server{ listen 443 ssl include snippets/s.conf ssl_session_tickets off } }"
    );
    assert!(project.complete());
}

#[test]
fn a_main_file_that_another_includes_is_no_root() {
    let files = tree(&[
        ("r/nginx.conf", "events {} include http.conf;"),
        ("r/http.conf", "http { server { listen 1; } }"),
    ]);
    let found = found(&files, "r");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "r/nginx.conf");
}

#[test]
fn a_tree_below_a_folder_reads_its_own_files() {
    for top in ["repo/", "/srv/repo/", ""] {
        let at = |name: &str| format!("{top}etc/nginx/{name}");
        let main = "events {} http { include /etc/nginx/conf.d/*.conf; include /etc/nginx/a; }";
        let files = tree(&[
            (&at("nginx.conf"), main),
            (&at("conf.d/a.conf"), "own;"),
            (&at("a"), "a;"),
            ("/etc/nginx/conf.d/machine.conf", "machine;"),
            ("/etc/nginx/a", "machine;"),
        ]);
        let discovery = search(&files, &at("nginx.conf")).unwrap();
        let one = &discovery.found[0];
        let project = load(&one.root, &files, &one.options);
        assert!(project.complete(), "{:?}", project.problems);
        assert_eq!(
            shown(&project),
            "events{ } http{ include /etc/nginx/conf.d/*.conf own include /etc/nginx/a a }",
            "{top}"
        );
    }
}

#[test]
fn nothing_to_judge_is_an_error_that_says_what_was_looked_for() {
    let files = tree(&[("r/a.conf", "key = value\n"), ("r/b.conf.j2", SERVER)]);
    let error = search(&files, "r").unwrap_err();
    assert!(matches!(
        error,
        SourceError::NothingFound {
            looked: 1,
            templates: 1,
            ..
        }
    ));
    let said = error.to_string();
    assert!(
        said.starts_with("r: ") && said.contains("nginx.conf"),
        "{said}"
    );

    let error = search(&files, "gone").unwrap_err();
    assert_eq!(error.to_string(), "gone: no such file or directory");

    let error = discover(&[], &Memory::default(), &LoadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("/etc/nginx/nginx.conf"),
        "{error}"
    );

    let mut files = Memory::default();
    files.insert_failure(Path::new("pipe"), ReadError::NotRegular);
    assert!(matches!(
        search(&files, "pipe"),
        Err(SourceError::Unreadable { .. })
    ));
}

#[test]
fn the_usual_places_are_found_with_their_variables() {
    let files = tree(&[
        ("/etc/nginx/nginx.conf", "events {}"),
        ("/etc/apache2/apache2.conf", "Include ports.conf\n"),
        (
            "/etc/apache2/envvars",
            "export APACHE_LOG_DIR=/var/log/apache2\n",
        ),
    ]);
    let discovery = discover(&[], &files, &LoadOptions::default()).unwrap();
    let paths: Vec<_> = discovery
        .found
        .iter()
        .map(|it| it.root.path.clone())
        .collect();
    assert_eq!(
        paths,
        [
            Path::new("/etc/nginx/nginx.conf"),
            Path::new("/etc/apache2/apache2.conf")
        ]
    );
    let apache = &discovery.found[1].root;
    assert_eq!(apache.environment["APACHE_LOG_DIR"], b"/var/log/apache2");
    assert_eq!(apache.base(), Path::new("/etc/apache2"));
    // Files in memory say nothing about this machine.
    assert!(!apache.installed);
}

#[test]
fn unreadable_parts_of_a_directory_are_kept() {
    let mut files = tree(&[("r/nginx.conf", "events {}")]);
    files.insert_failure(Path::new("r/secret.conf"), ReadError::Permission);
    let discovery = search(&files, "r").unwrap();
    assert_eq!(discovery.unreadable.len(), 1);
    assert_eq!(discovery.unreadable[0].0, Path::new("r/secret.conf"));
}

#[cfg(unix)]
#[test]
fn symlinked_sites_count_once_and_loops_end() {
    use stekguard::source::Disk;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["sites-available", "sites-enabled", "linked"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    std::fs::write(
        at("nginx.conf"),
        "events {} http { include sites-enabled/*; }",
    )
    .unwrap();
    std::fs::write(at("sites-available/a"), SERVER).unwrap();
    std::os::unix::fs::symlink("../sites-available/a", at("sites-enabled/a")).unwrap();
    std::os::unix::fs::symlink("../sites-available", at("linked/again")).unwrap();
    std::os::unix::fs::symlink("..", at("linked/up")).unwrap();
    let path = folder.path().display().to_string();
    let found = found(&Disk::default(), &path);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.ends_with("/nginx.conf"));
    let discovery = search(&Disk::default(), &path).unwrap();
    assert!(discovery.inactive.is_empty(), "{:?}", discovery.inactive);
}
