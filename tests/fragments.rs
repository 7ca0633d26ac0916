//! Files that are no roots, on the real binary: in the root that includes them where one is
//! known, else in the blocks that somebody says.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "settings/binary.rs"]
#[allow(dead_code)]
mod binary;

use binary::{TICKETS_ON, found, run, tree, write};

const WARNING: &str = "warning tickets-without-rotation";

/// Alone the fragment has a finding; its root turns tickets off around it.
fn site() -> tempfile::TempDir {
    let root = "events {}\nhttp {\n    ssl_session_tickets off;\n    include conf.d/*.conf;\n}\n";
    let other = TICKETS_ON
        .replace("443", "444")
        .replace("}\n", "    ssl_session_tickets on;\n}\n");
    tree(&[
        ("nginx.conf", root.as_bytes()),
        ("conf.d/a.conf", TICKETS_ON.as_bytes()),
        ("conf.d/b.conf", other.as_bytes()),
    ])
}

#[test]
fn a_fragment_is_judged_in_the_root_above_it() {
    let folder = site();
    let lint = run(
        folder.path(),
        &["lint", "--format", "concise", "conf.d/a.conf"],
    );
    assert_eq!((lint.code, lint.out.as_str()), (0, ""), "{lint:?}");
    let note = "conf.d/a.conf is judged in nginx.conf, which includes it";
    assert!(lint.err.contains(note), "{lint:?}");
    // Only what is about the file is told, and fix changes nothing else.
    let second = run(
        folder.path(),
        &["lint", "--format", "concise", "conf.d/b.conf"],
    );
    assert_eq!(second.out.lines().count(), 1, "{second:?}");
    let fix = run(folder.path(), &["fix", "conf.d/a.conf"]);
    assert_eq!((fix.code, fix.out.as_str()), (0, ""), "{fix:?}");
    let fix = run(folder.path(), &["fix", "conf.d/b.conf"]);
    assert!(
        fix.out.contains("conf.d/b.conf") && !fix.out.contains("a.conf"),
        "{fix:?}"
    );
    // From within, and with the root named too.
    let within = run(&folder.path().join("conf.d"), &["lint", "a.conf"]);
    assert!(within.err.contains("a.conf is judged in"), "{within:?}");
    let both = found(folder.path(), &["nginx.conf", "conf.d/a.conf"]);
    assert_eq!(both, [format!("{WARNING} conf.d/b.conf")]);
}

#[test]
fn a_root_of_the_settings_is_known() {
    let folder = site();
    let moved =
        "events {}\nhttp {\n    ssl_session_tickets off;\n    include ../conf.d/*.conf;\n}\n";
    std::fs::remove_file(folder.path().join("nginx.conf")).unwrap();
    write(folder.path(), "etc/main.conf", moved.as_bytes());
    assert_eq!(
        found(folder.path(), &["conf.d/a.conf"]),
        [format!("{WARNING} conf.d/a.conf")]
    );
    write(
        folder.path(),
        "stekguard.toml",
        b"[[root]]\npath = \"etc/main.conf\"\n",
    );
    assert!(found(folder.path(), &["conf.d/a.conf"]).is_empty());
}

#[test]
fn what_its_root_cannot_read_keeps_it_from_being_clean() {
    let folder = site();
    let root = "events {}\nhttp {\n    include missing.conf;\n    include conf.d/*.conf;\n}\n";
    write(folder.path(), "nginx.conf", root.as_bytes());
    assert_eq!(run(folder.path(), &["lint", "conf.d/a.conf"]).code, 2);
}

#[test]
fn a_root_that_does_not_include_it_is_none_of_its_own() {
    let folder = site();
    write(folder.path(), "spare/c.conf", TICKETS_ON.as_bytes());
    let lint = run(folder.path(), &["lint", "spare/c.conf"]);
    assert_eq!(lint.code, 1);
    assert!(!lint.err.contains("is judged in"), "{lint:?}");
}

#[test]
fn httpd_fragments_have_roots_too() {
    let vhost = "<VirtualHost *:443>\n  SSLEngine on\n  SSLCertificateFile a.pem\n</VirtualHost>\n";
    let folder = tree(&[
        (
            "apache2.conf",
            b"Listen 443\nSSLSessionTickets off\nIncludeOptional sites/*.conf\n",
        ),
        ("sites/a.conf", vhost.as_bytes()),
    ]);
    let alone = run(
        &folder.path().join("sites"),
        &["lint", "--isolated", "a.conf"],
    );
    assert!(alone.err.contains("is judged in"), "{alone:?}");
    let lint = found(folder.path(), &["sites/a.conf"]);
    assert!(
        !lint.iter().any(|line| line.starts_with(WARNING)),
        "{lint:?}"
    );
}

/// What a line means hangs on the blocks around it.
#[test]
fn a_context_can_be_said() {
    let text = "listen 443 ssl;\nssl_certificate a.pem;\nssl_certificate_key a.key;\n\
        ssl_session_tickets on;\n";
    let folder = tree(&[("part.inc", text.as_bytes())]);
    let modules = |arguments: &[&str]| {
        let mut all = vec!["inspect", "--format", "json"];
        all.extend(arguments);
        let run = run(folder.path(), &all);
        let document: serde_json::Value = serde_json::from_str(&run.out).expect("a document");
        let endpoints = document["servers"][0]["endpoints"]
            .as_array()
            .unwrap()
            .clone();
        let modules = endpoints
            .iter()
            .map(|it| it["module"].as_str().unwrap().to_owned());
        modules.collect::<Vec<String>>()
    };
    assert_eq!(
        modules(&["--context", "stream,server", "part.inc"]),
        ["stream"]
    );
    assert_eq!(
        modules(&["--context", "http, server", "part.inc"]),
        ["http"]
    );
    let said = format!("# stekguard: context stream,server\n{text}");
    write(folder.path(), "part.inc", said.as_bytes());
    assert_eq!(modules(&["part.inc"]), ["stream"]);
    // The command line wins, and so do the settings over the text's looks.
    assert_eq!(modules(&["--context", "http,server", "part.inc"]), ["http"]);
    write(folder.path(), "part.inc", text.as_bytes());
    let settings = b"[[root]]\npath = \"part.inc\"\ncontext = \"mail,server\"\n";
    write(folder.path(), "stekguard.toml", settings);
    assert_eq!(modules(&["part.inc"]), ["mail"]);

    let wrong = run(folder.path(), &["lint", "--context", "https", "part.inc"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .err
            .contains("`https` is none of main; http; http,server"),
        "{wrong:?}"
    );
    let fine = format!("# stekguard: context http,sever\n{text}");
    write(folder.path(), "part.inc", fine.as_bytes());
    let lint = found(folder.path(), &["--isolated", "part.inc"]);
    assert!(
        lint.contains(&"warning malformed-suppression part.inc".to_owned()),
        "{lint:?}"
    );
}
