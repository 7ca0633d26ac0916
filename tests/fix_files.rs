//! Files on which fixers are known to break: braces on one line, CRLF, words with braces in them,
//! a commented line that looks like the real one, comments that hold a semicolon, arguments over
//! several lines, Latin-1, `${}`, a file without a last line end, a missing file, a directive that
//! is there already. Each with the exact bytes afterwards, by reasoning, and taken by nginx.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod support;

use std::fs;

use support::program::{self, Run};
use support::server::accepts;
use support::{certs, install, nginx};
use tempfile::TempDir;

/// What changes in a file: this once, to that.
struct Case {
    name: &'static str,
    /// Of the http level; `{d}` is the folder with the certificate.
    text: &'static [u8],
    from: &'static [u8],
    to: &'static [u8],
}

const CASES: [Case; 11] = [
    Case {
        name: "blocks on one line keep their braces",
        text: b"server { listen 127.0.0.1:1 ssl; ssl_certificate {d}/c.crt; ssl_certificate_key {d}/c.key; location / { } }\n",
        from: b"ssl_certificate_key {d}/c.key;",
        to: b"ssl_certificate_key {d}/c.key; ssl_session_tickets off;",
    },
    Case {
        name: "CRLF stays CRLF",
        text: b"server {\r\n  listen 127.0.0.1:1 ssl;\r\n  ssl_certificate {d}/c.crt;\r\n  ssl_certificate_key {d}/c.key;\r\n}\r\n",
        from: b"c.key;\r\n",
        to: b"c.key;\r\n  ssl_session_tickets off;\r\n",
    },
    Case {
        name: "a brace within a word is no brace",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  root /a}b;\n}\n",
        from: b"c.key;\n",
        to: b"c.key;\n  ssl_session_tickets off;\n",
    },
    Case {
        name: "a legal repetition stays",
        text: b"server {\n  access_log off;\n  listen 127.0.0.1:1 ssl;\n  error_page 404 /a;\n  error_page 404 /a;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  ssl_session_tickets on;\n}\n",
        from: b"ssl_session_tickets on;",
        to: b"ssl_session_tickets off;",
    },
    Case {
        name: "arguments over three lines keep their comment",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  ssl_session_tickets\n    # decided in 2019\n    on\n  ;\n}\n",
        from: b"    on\n",
        to: b"    off\n",
    },
    Case {
        name: "a Latin-1 byte stays one byte",
        text: b"# caf\xe9\nserver {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key; # \xa7\n}\n",
        from: b"c.key; # \xa7\n",
        to: b"c.key; # \xa7\n  ssl_session_tickets off;\n",
    },
    Case {
        name: "a commented line is no line",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  # ssl_session_tickets on;\n  ssl_session_tickets   on;\n}\n",
        from: b"ssl_session_tickets   on;",
        to: b"ssl_session_tickets   off;",
    },
    Case {
        name: "a comment with a semicolon stays one comment",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  ssl_session_tickets on; # use default; this line is implied\n}\n",
        from: b"tickets on; # use",
        to: b"tickets off; # use",
    },
    Case {
        name: "quoted values over lines keep their space",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  add_header X \"a;\n     b  {\n\t c\";\n  ssl_session_tickets 'on';\n}\n",
        from: b"'on'",
        to: b"'off'",
    },
    Case {
        name: "variables in braces stay apart",
        text: b"server {\n  listen 127.0.0.1:1 ssl;\n  ssl_certificate {d}/c.crt;\n  ssl_certificate_key {d}/c.key;\n  location / { try_files /a/${uri} /b; }\n}\n",
        from: b"c.key;\n",
        to: b"c.key;\n  ssl_session_tickets off;\n",
    },
    Case {
        name: "a directive that is there is edited, by its own spelling, at the end of the file",
        text: b"server {\n\tlisten 127.0.0.1:1 ssl;\n\tssl_certificate {d}/c.crt;\n\tssl_certificate_key {d}/c.key;\n\t\"ssl_session_tickets\"\tON;\n}",
        from: b"ON;",
        to: b"off;",
    },
];

#[test]
fn files_that_break_other_fixers_come_out_right() {
    let program = install::nginx_packaged();
    let version = format!("nginx={}", program.version);
    for case in &CASES {
        let dir = TempDir::with_prefix("nginx-files-").unwrap();
        let folder = dir.path().display().to_string();
        let nonce = certs::nonce();
        certs::self_signed(dir.path(), "c", &["c.test"], &nonce);
        let filled = |bytes: &[u8]| replaced(bytes, b"{d}", folder.as_bytes());
        let text = filled(case.text);
        let site = dir.path().join("site.conf");
        fs::write(&site, &text).unwrap();
        let root = dir.path().join("nginx.conf");
        let include = format!("    include {};\n", site.display());
        fs::write(&root, nginx::main_file(dir.path(), &include)).unwrap();
        let main = fs::read(&root).unwrap();
        let mut test = nginx::arguments(dir.path(), &root);
        test.push("-t".to_owned());
        let (accepted, said) = accepts(&program.path, &test);
        assert!(accepted, "{}: {said}", case.name);
        let state = TempDir::new().unwrap();
        let fix = |args: &[&str]| -> Run {
            let root = root.to_str().unwrap();
            let args = [&["fix", "--server-version", &version], args, &[root]].concat();
            program::run(state.path(), &args)
        };
        let run = fix(&["--write"]);
        assert_eq!(run.code, Some(0), "{}: {run:?}", case.name);
        let wanted = replaced(&text, &filled(case.from), &filled(case.to));
        assert_ne!(wanted, text, "{}", case.name);
        let after = fs::read(&site).unwrap();
        assert!(
            after == wanted,
            "{}:\n{}\nis not\n{}",
            case.name,
            after.escape_ascii(),
            wanted.escape_ascii()
        );
        assert_eq!(fs::read(&root).unwrap(), main, "{}", case.name);
        let (accepted, said) = accepts(&program.path, &test);
        assert!(accepted, "{}: {said}", case.name);
        let again = fix(&[]);
        assert_eq!((again.code, &*again.stdout), (Some(0), ""), "{}", case.name);
    }
    println!("{} files", CASES.len());
}

#[test]
fn a_missing_file_is_an_error_and_no_clean_result() {
    let dir = TempDir::new().unwrap();
    let state = TempDir::new().unwrap();
    let missing = dir.path().join("none.conf");
    for command in ["lint", "fix"] {
        let run = program::run(state.path(), &[command, missing.to_str().unwrap()]);
        assert_eq!(run.code, Some(2), "{run:?}");
    }
}

/// The first occurrence replaced.
fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    let all = from == b"{d}";
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
        if !all {
            break;
        }
    }
    out.extend_from_slice(rest);
    out
}
