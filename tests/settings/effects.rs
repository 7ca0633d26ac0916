//! What each part of the settings does to `lint`, `fix` and `inspect`.

use std::fs;
use std::path::Path;

use stekguard::app::{Lookup, configured};

use crate::binary::{ROOT, TICKETS_ON, found, run, tree, write};

const WARNING: &str = "warning tickets-without-rotation conf.d/a.conf";

fn site() -> tempfile::TempDir {
    tree(&[
        ("nginx.conf", ROOT.as_bytes()),
        ("conf.d/a.conf", TICKETS_ON.as_bytes()),
    ])
}

fn with(settings: &str) -> tempfile::TempDir {
    let folder = site();
    write(folder.path(), "stekguard.toml", settings.as_bytes());
    folder
}

fn rules(settings: &str) -> Vec<String> {
    found(with(settings).path(), &["."])
}

#[test]
fn rules_are_off_or_graded() {
    assert_eq!(rules(""), [WARNING]);
    assert!(rules("[rules]\ntickets-without-rotation = \"off\"\n").is_empty());
    assert_eq!(
        rules("[rules]\ntickets-without-rotation = \"error\"\n"),
        ["error tickets-without-rotation conf.d/a.conf"]
    );
    // Nothing is fixed that is off.
    let off =
        with("[rules]\ntickets-without-rotation = \"off\"\nresumption-not-disabled = \"off\"\n");
    let fixed = run(off.path(), &["fix", "."]);
    assert_eq!((fixed.code, fixed.out.as_str()), (0, ""), "{fixed:?}");
}

#[test]
fn thresholds_and_policies_are_taken_and_flags_win() {
    let long = "events {}\nhttp {\n  server {\n    listen 443 ssl;\n    ssl_certificate a.pem;\n    \
        ssl_certificate_key a.key;\n    ssl_session_tickets off;\n    ssl_session_cache \
        shared:A:1m;\n    ssl_session_timeout 10h;\n  }\n}\n";
    let judged = |settings: &str, arguments: &[&str]| {
        let folder = tree(&[
            ("nginx.conf", long.as_bytes()),
            ("stekguard.toml", settings.as_bytes()),
        ]);
        found(folder.path(), arguments)
    };
    assert!(judged("", &["nginx.conf"]).is_empty());
    // Ten hours are above nine.
    assert_eq!(
        judged("lifetime_warning = \"9h\"\n", &["nginx.conf"]),
        ["warning excessive-session-timeout nginx.conf"]
    );
    assert_eq!(
        judged(
            "lifetime_warning = \"8h\"\nlifetime_error = \"9h\"\n",
            &["nginx.conf"]
        ),
        ["error excessive-session-timeout nginx.conf"]
    );
    assert_eq!(
        judged("policy = \"no-resumption\"\n", &["nginx.conf"]),
        ["warning resumption-not-disabled nginx.conf"]
    );
    assert!(
        judged(
            "policy = \"no-resumption\"\n",
            &["--policy", "sound", "nginx.conf"]
        )
        .is_empty()
    );
    assert!(
        judged(
            "policy = \"no-resumption\"\n",
            &["--isolated", "nginx.conf"]
        )
        .is_empty()
    );
}

#[test]
fn output_is_taken_and_flags_win() {
    let folder = with("[output]\nformat = \"json\"\nfail_on = \"error\"\ncolor = \"always\"\n");
    let lint = run(folder.path(), &["lint", "."]);
    assert_eq!(lint.code, 0, "{lint:?}");
    assert!(
        lint.out.starts_with('{') && lint.err.contains('\u{1b}'),
        "{lint:?}"
    );
    let flags = [
        "lint",
        "--format",
        "text",
        "--fail-on",
        "warning",
        "--color",
        "never",
        ".",
    ];
    let lint = run(folder.path(), &flags);
    assert_eq!(lint.code, 1);
    assert!(
        !lint.out.starts_with('{') && !lint.err.contains('\u{1b}'),
        "{lint:?}"
    );

    let unknown = with("[output]\nformat = \"jsno\"\n");
    let lint = run(unknown.path(), &["lint", "."]);
    assert_eq!(lint.code, 2);
    assert!(
        lint.err.contains("`jsno` is none of text, full"),
        "{lint:?}"
    );
}

#[test]
fn overrides_hold_for_their_paths() {
    let folder = with(
        "[[override]]\npaths = [\"conf.d/legacy*\"]\nrules = { tickets-without-rotation = \"note\" }\n",
    );
    let legacy = TICKETS_ON
        .replace("443", "444")
        .replace("}\n", "    ssl_session_tickets on;\n}\n");
    write(folder.path(), "conf.d/legacy.conf", legacy.as_bytes());
    assert_eq!(
        found(folder.path(), &["."]),
        [WARNING, "note tickets-without-rotation conf.d/legacy.conf"]
    );
    // A policy of its own.
    let off = TICKETS_ON.replace("}\n", "    ssl_session_tickets off;\n    ssl_session_cache shared:A:1m;\n    ssl_session_timeout 1h;\n}\n");
    let folder = with("[[override]]\npaths = [\"conf.d/b.conf\"]\npolicy = \"no-resumption\"\n");
    write(folder.path(), "conf.d/a.conf", off.as_bytes());
    write(
        folder.path(),
        "conf.d/b.conf",
        off.replace("443", "444").as_bytes(),
    );
    assert_eq!(
        found(folder.path(), &["."]),
        ["warning resumption-not-disabled conf.d/b.conf"]
    );
    // What the command line aims at holds everywhere.
    assert!(found(folder.path(), &["--policy", "sound", "."]).is_empty());
}

#[test]
fn roots_are_read_where_no_path_is_given() {
    let settings = "[[root]]\npath = \"one/site.conf\"\nkind = \"nginx\"\nversions = [\"1.22.1\"]\n\
        [[root]]\npath = \"two/httpd.conf\"\ndefines = [\"LEGACY\"]\n";
    let apache = "Listen 443\n<IfDefine LEGACY>\n<VirtualHost *:443>\n  SSLEngine on\n  \
        SSLCertificateFile a.pem\n</VirtualHost>\n</IfDefine>\n";
    let one = format!("events {{}}\nhttp {{\n{TICKETS_ON}}}\n");
    let folder = tree(&[
        ("stekguard.toml", settings.as_bytes()),
        ("one/site.conf", one.as_bytes()),
        ("two/httpd.conf", apache.as_bytes()),
        ("deep/er/empty", b""),
    ]);
    let run = run(folder.path(), &["lint", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&run.out).expect("a document");
    let servers = document["servers"].as_array().unwrap();
    let roots: Vec<&str> = servers
        .iter()
        .map(|it| it["root"].as_str().unwrap())
        .collect();
    assert_eq!(roots, ["one/site.conf", "two/httpd.conf"]);
    assert_eq!(servers[0]["versions"][0]["value"], "1.22.1");
    assert_eq!(servers[0]["versions"].as_array().unwrap().len(), 1);
    // What LEGACY opens is in force and under no condition.
    assert_eq!(servers[1]["endpoints"], 1);
    let findings = document["findings"].as_array().unwrap();
    let whens = findings
        .iter()
        .all(|it| it["when"].as_array().unwrap().is_empty());
    assert!(whens && findings.len() >= 2, "{document}");
    // From a folder below, the same file counts.
    let below = crate::binary::run(
        &folder.path().join("deep/er"),
        &["lint", "--format", "concise"],
    );
    assert_eq!(below.code, 1, "{below:?}");
    // The command line says it better.
    let other = crate::binary::run(
        folder.path(),
        &[
            "lint",
            "--format",
            "json",
            "--server-version",
            "nginx=1.28.3",
            "one/site.conf",
        ],
    );
    assert!(
        other.out.contains("1.28.3") && !other.out.contains("1.22.1"),
        "{other:?}"
    );
}

#[test]
fn excluded_and_ignored_files_are_left_out_and_counted() {
    let folder = tree(&[
        (
            "a/nginx.conf",
            format!("events {{}}\nhttp {{\n{TICKETS_ON}}}\n").as_bytes(),
        ),
        (
            "b/nginx.conf",
            format!("events {{}}\nhttp {{\n{TICKETS_ON}}}\n").as_bytes(),
        ),
        (
            "out/nginx.conf",
            format!("events {{}}\nhttp {{\n{TICKETS_ON}}}\n").as_bytes(),
        ),
        (".git/HEAD", b"ref: refs/heads/main\n"),
        (".gitignore", b"/out/\n"),
        ("stekguard.toml", b"exclude = [\"b/\"]\n"),
    ]);
    let lint = run(folder.path(), &["lint", "--format", "concise", "."]);
    assert_eq!(lint.out.lines().count(), 1, "{lint:?}");
    assert!(lint.out.starts_with("a/nginx.conf:"), "{lint:?}");
    assert!(lint.err.contains("; 2 files excluded"), "{lint:?}");
    write(
        folder.path(),
        "stekguard.toml",
        b"exclude = [\"b/\"]\nrespect_gitignore = false\n",
    );
    let lint = run(folder.path(), &["lint", "--format", "concise", "."]);
    assert_eq!(lint.out.lines().count(), 2, "{lint:?}");
    // What is named is read, whatever git says.
    let named = run(folder.path(), &["lint", "--format", "concise", "out"]);
    assert_eq!(named.out.lines().count(), 1, "{named:?}");
}

#[test]
fn protected_files_are_not_edited() {
    let folder = with("protected = [\"conf.d/*.conf\"]\n");
    let before = fs::read(folder.path().join("conf.d/a.conf")).unwrap();
    let fix = run(folder.path(), &["fix", "--force", "--write", "."]);
    assert_eq!(fix.code, 1, "{fix:?}");
    assert!(
        fix.err.contains("the settings protect this file"),
        "{fix:?}"
    );
    assert_eq!(
        fs::read(folder.path().join("conf.d/a.conf")).unwrap(),
        before
    );
}

#[test]
fn deployed_places_are_found_in_the_repository() {
    let root = "events {}\nhttp {\n    include /srv/web/sites/*.conf;\n}\n";
    let settings = "[[path_map]]\ndeployed = \"/srv/web\"\nrepository = \"web\"\n";
    let folder = tree(&[
        ("nginx.conf", root.as_bytes()),
        ("web/sites/a.conf", TICKETS_ON.as_bytes()),
        ("stekguard.toml", settings.as_bytes()),
    ]);
    assert_eq!(found(folder.path(), &["nginx.conf"]).len(), 1);
    assert!(found(folder.path(), &["--isolated", "nginx.conf"]).is_empty());
}

/// The machine's own file lies below the nearest one: key by key, lists whole.
#[test]
fn the_machines_file_lies_below_the_nearest_one() {
    let folder = tree(&[
        (
            "etc/stekguard.toml",
            b"policy = \"no-tickets\"\nkey_age = \"2h\"\n[rules]\ndead-tickets = \"off\"\n",
        ),
        (
            "repo/stekguard.toml",
            b"policy = \"no-resumption\"\n[rules]\nstatic-ticket-key = \"note\"\n",
        ),
        ("repo/nginx.conf", b"events {}\n"),
    ]);
    let lookup = Lookup {
        system: folder.path().join("etc/stekguard.toml"),
        ..Lookup::default()
    };
    let nginx = folder.path().join("repo/nginx.conf");
    let both = configured(std::slice::from_ref(&nginx), &lookup).unwrap();
    let json = serde_json::to_value(both.settings()).unwrap();
    assert_eq!(json["policy"], "no-resumption");
    assert_eq!(json["key_age"], "2h");
    assert_eq!(json["rules"]["dead-tickets"], "off");
    assert_eq!(json["rules"]["static-ticket-key"], "note");
    let origin = |key: &str| both.effective.origin(key).unwrap().clone();
    assert_eq!(
        origin("policy").path,
        folder.path().join("repo/stekguard.toml")
    );
    assert_eq!(
        (origin("key_age").path, origin("key_age").line),
        (lookup.system.clone(), 2)
    );
    let none = Lookup {
        isolated: true,
        ..lookup
    };
    assert!(
        configured(&[nginx], &none)
            .unwrap()
            .effective
            .files
            .is_empty()
    );
}

#[test]
fn show_says_where_values_come_from() {
    let folder = with("\npolicy = \"no-tickets\"\n[rotation]\npreset = \"published-2015\"\n");
    let shown = run(folder.path(), &["config", "show", "conf.d/a.conf"]);
    assert_eq!(shown.code, 0);
    let file = folder.path().canonicalize().unwrap().join("stekguard.toml");
    let line = format!("policy = \"no-tickets\"  # {}:2\n", file.display());
    assert!(shown.out.contains(&line), "{}", shown.out);
    // The published plan's keys, as it stands in rotation.rs.
    assert!(
        shown.out.contains("ahead = 1  # default\n"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("key_age = \"24h\"  # default\n"));
    // What is shown can be read again.
    let again: toml::Table = toml::from_str(&shown.out).unwrap();
    assert_eq!(again["policy"].as_str(), Some("no-tickets"));
}

#[test]
fn config_takes_another_file_and_isolated_none() {
    let folder = with("policy = \"no-tickets\"\n");
    write(
        folder.path(),
        "other.toml",
        b"[rules]\ntickets-without-rotation = \"error\"\n",
    );
    let lint = found(folder.path(), &["--config", "other.toml", "."]);
    assert_eq!(lint, ["error tickets-without-rotation conf.d/a.conf"]);
    let shown = run(folder.path(), &["config", "show", "--isolated"]);
    assert!(shown.out.contains("no settings file"), "{shown:?}");
}

#[test]
fn paths_of_two_settings_are_not_mixed() {
    let folder = tree(&[
        ("one/stekguard.toml", b"policy = \"no-tickets\"\n"),
        ("one/nginx.conf", b"events {}\n"),
        ("two/nginx.conf", b"events {}\n"),
    ]);
    let lint = run(folder.path(), &["lint", "one/nginx.conf", "two/nginx.conf"]);
    assert_eq!(lint.code, 2);
    assert!(lint.err.contains("one run takes one of them"), "{lint:?}");
    assert!(
        lint.err.contains("--config FILE says which one"),
        "{lint:?}"
    );
    assert!(Path::new(env!("CARGO_BIN_EXE_stekguard")).exists());
}
