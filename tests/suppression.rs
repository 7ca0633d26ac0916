//! Comments that accept findings, on the real binary: what they cover, what is said of bad ones,
//! and what they can never hide.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "settings/binary.rs"]
#[allow(dead_code)]
mod binary;
#[path = "cli/schema.rs"]
mod schema;

use binary::{found, run, tree, write};
use serde_json::Value;

const RULE: &str = "tickets-without-rotation";

/// A root with this text in its `http`.
fn nginx(inside: &str) -> tempfile::TempDir {
    let text = format!("events {{}}\nhttp {{\n{inside}}}\n");
    tree(&[("nginx.conf", text.as_bytes())])
}

fn httpd(inside: &str) -> tempfile::TempDir {
    let text = format!("Listen 443\n{inside}");
    tree(&[("httpd.conf", text.as_bytes())])
}

/// Two servers, each with a finding of its own; the texts stand before, in and behind the first.
fn servers(before: &str, inside: &str, behind: &str) -> tempfile::TempDir {
    let server = |port: u16, before: &str, inside: &str, behind: &str| {
        format!(
            "{before}    server {{{inside}\n        listen {port} ssl;\n        ssl_certificate \
             a.pem;\n        ssl_certificate_key a.key;\n        ssl_session_tickets on;{behind}\n    \
             }}\n"
        )
    };
    let both = server(443, before, inside, behind) + &server(444, "", "", "");
    nginx(&both)
}

fn count(folder: &tempfile::TempDir, rule: &str) -> usize {
    let found = found(folder.path(), &["."]);
    found.iter().filter(|line| line.contains(rule)).count()
}

#[test]
fn a_comment_accepts_the_finding_of_its_statement_or_block() {
    let comment = format!("# stekguard: ignore[{RULE}] old clients");
    assert_eq!(count(&servers("", "", ""), RULE), 2);
    for (what, folder) in [
        (
            "before the block",
            servers(&format!("    {comment}\n"), "", ""),
        ),
        (
            "behind the opening mark",
            servers("", &format!(" {comment}"), ""),
        ),
        (
            "behind the statement",
            servers("", "", &format!(" {comment}")),
        ),
        (
            "among other comments",
            servers(&format!("    {comment}\n    # one more\n"), "", ""),
        ),
        (
            "two rules",
            servers(
                &format!("    # stekguard: ignore[{RULE}, dead-tickets] x\n"),
                "",
                "",
            ),
        ),
    ] {
        assert_eq!(count(&folder, RULE), 1, "{what}");
        assert_eq!(count(&folder, "malformed"), 0, "{what}");
    }
    for (what, folder) in [
        (
            "a blank line between",
            servers(&format!("    {comment}\n\n"), "", ""),
        ),
        (
            "behind the statement's own line",
            servers("", "", &format!("\n        {comment}")),
        ),
        (
            "another rule",
            servers("    # stekguard: ignore[dead-tickets] x\n", "", ""),
        ),
        (
            "no reason",
            servers(&format!("    # stekguard: ignore[{RULE}]\n"), "", ""),
        ),
        (
            "no colon",
            servers(&format!("    # stekguard ignore[{RULE}] x\n"), "", ""),
        ),
    ] {
        assert_eq!(count(&folder, RULE), 2, "{what}");
    }
}

#[test]
fn httpd_takes_it_on_the_line_before_only() {
    let vhost = |before: &str, behind: &str| {
        httpd(&format!(
            "{before}<VirtualHost *:443>\n  SSLEngine on\n  SSLCertificateFile a.pem\n  \
             SSLSessionTickets on{behind}\n</VirtualHost>\n"
        ))
    };
    let comment = format!("# stekguard: ignore[{RULE}] old clients");
    assert_eq!(count(&vhost("", ""), RULE), 1);
    assert_eq!(count(&vhost(&format!("{comment}\n"), ""), RULE), 0);
    let behind = found(vhost("", &format!(" {comment}")).path(), &["."]);
    assert!(
        behind.contains(&"error malformed-suppression httpd.conf".to_owned()),
        "{behind:?}"
    );
    // httpd itself: words too many for most directives, dropped by those that are on or off.
    let refused = httpd_says(&format!("SSLSessionCacheTimeout 300 {comment}\n"));
    assert!(
        refused.contains("SSLSessionCacheTimeout takes one argument"),
        "{refused}"
    );
    let dropped = httpd_says(&format!("SSLSessionTickets on {comment}\n"));
    assert!(dropped.contains("Syntax OK"), "{dropped}");
}

/// What httpd's own test says of a configuration.
fn httpd_says(text: &str) -> String {
    let folder = tree(&[("x.conf", text.as_bytes())]);
    let modules = "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so";
    let events = "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so";
    let output = std::process::Command::new("/usr/sbin/apache2")
        .args([
            "-t",
            "-C",
            modules,
            "-C",
            events,
            "-C",
            "ErrorLog /dev/null",
            "-f",
        ])
        .arg(folder.path().join("x.conf"))
        .output()
        .expect("apache2 is installed, see tests/install_servers.sh");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_accepted_is_counted_and_kept_with_its_reason() {
    let folder = servers(
        &format!("    # stekguard: ignore[{RULE}] until May\n"),
        "",
        "",
    );
    let run = run(folder.path(), &["lint", "--format", "json", "."]);
    assert!(run.err.contains("; 1 suppressed"), "{}", run.err);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/lint-1.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let wrong = schema::violations(&schema, &document);
    assert!(wrong.is_empty(), "{wrong:?}");
    let suppressed = &document["suppressed"][0];
    assert_eq!(suppressed["by"], "comment");
    assert_eq!(suppressed["reason"], "until May");
    assert_eq!(suppressed["at"]["line"], 3);
    assert_eq!(suppressed["finding"]["rule"], RULE);
    assert_eq!(document["summary"]["suppressed"], 1);
    assert_eq!(document["summary"]["warning"], 1);
}

#[test]
fn fix_does_not_touch_what_is_accepted() {
    let folder = servers(
        "    # stekguard: ignore[tickets-without-rotation, resumption-not-disabled] old clients\n",
        "",
        "",
    );
    let fix = run(folder.path(), &["fix", "--write", "."]);
    assert_eq!(fix.code, 0, "{fix:?}");
    let text = std::fs::read_to_string(folder.path().join("nginx.conf")).unwrap();
    assert_eq!(text.matches("ssl_session_tickets on;").count(), 1, "{text}");
    assert_eq!(
        text.matches("ssl_session_tickets off;").count(),
        1,
        "{text}"
    );
    let first = text.find("ssl_session_tickets on;").unwrap();
    assert!(
        first < text.find("ssl_session_tickets off;").unwrap(),
        "{text}"
    );
}

#[test]
fn bad_comments_are_told_and_cannot_be_accepted() {
    let folder = servers(
        "    # stekguard: ignore[tickets-without-rotatoin] x\n",
        "",
        "",
    );
    let run = run(folder.path(), &["lint", "."]);
    assert!(
        run.out.contains("did you mean `tickets-without-rotation`?"),
        "{}",
        run.out
    );
    let folder = servers(
        "    # stekguard: ignore[malformed-suppression, unused-suppression] quiet\n    \
         # stekguard: ignore[nope] x\n",
        "",
        "",
    );
    let lines = found(folder.path(), &["."]);
    assert!(
        lines.contains(&"warning malformed-suppression nginx.conf".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"note unused-suppression nginx.conf".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn a_comment_that_another_root_needs_is_in_use() {
    let snippet = "# stekguard: ignore[tickets-without-rotation] shared\nssl_session_tickets on;\n";
    let off = "ssl_certificate a.pem;\nssl_certificate_key a.key;\n";
    let root = |listen: &str| {
        format!("events {{}}\nhttp {{\nserver {{\n{listen}\n{off}include ../tickets.inc;\n}}\n}}\n")
    };
    // The second root has no TLS: its tickets are nobody's.
    let folder = tree(&[
        ("tickets.inc", snippet.as_bytes()),
        ("a/nginx.conf", root("listen 443 ssl;").as_bytes()),
        ("b/nginx.conf", root("listen 80;").as_bytes()),
    ]);
    assert_eq!(
        found(folder.path(), &["a/nginx.conf", "b/nginx.conf"]),
        [""; 0]
    );
    assert_eq!(
        found(folder.path(), &["b/nginx.conf"]),
        ["note unused-suppression b/../tickets.inc"]
    );
}

/// Nothing that was not read, and nothing that the server refuses, can be accepted away.
#[test]
fn what_was_not_read_is_never_hidden() {
    let all = "    # stekguard: ignore[tickets-without-rotation, malformed-conf-command] x\n";
    for inside in [
        "    include missing.conf;\n",
        "    server {\n        listen 443 ssl\n    }\n",
        "    server { listen 443 ssl;\n",
    ] {
        let folder = nginx(&format!("{all}{inside}"));
        let run = run(folder.path(), &["lint", "."]);
        assert_eq!(run.code, 2, "{inside}: {run:?}");
        // What is accepted nobody knows then, so nothing is called unused.
        assert!(!run.out.contains("unused-suppression"), "{run:?}");
    }
    let folder = tree(&[(
        "nginx.conf",
        b"events {}\nhttp {\n    include missing.conf;\n}\n",
    )]);
    write(
        folder.path(),
        "stekguard.toml",
        b"[rules]\ntickets-without-rotation = \"off\"\n",
    );
    assert_eq!(run(folder.path(), &["lint", "."]).code, 2);
}
