//! Input that is not what it should be: one clear sentence, exit code 2, nothing written.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{SOUND, TICKETS_ON, at, run, run_with, tree};

/// Both commands refuse, name `place` and say `words`; no file changes.
fn refused(directory: &tempfile::TempDir, path: &str, place: &str, words: &str) {
    let before = snapshot(directory.path());
    for arguments in [
        &["lint", path][..],
        &["fix", "--write", path],
        &["inspect", path],
    ] {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}\n{}\n{}", run.out, run.err);
        assert!(
            run.err.contains(place),
            "{arguments:?} names {place}:\n{}",
            run.err
        );
        assert!(
            run.err.contains(words),
            "{arguments:?} says {words}:\n{}",
            run.err
        );
        assert!(
            !run.err.contains("no findings:"),
            "never clean: {}",
            run.err
        );
        let errors = run.err.lines().filter(|line| line.starts_with("error: "));
        let expected = if arguments[0] == "fix" { 1..=2 } else { 1..=1 };
        assert!(
            expected.contains(&errors.count()),
            "{arguments:?}: one error:\n{}",
            run.err
        );
    }
    assert_eq!(snapshot(directory.path()), before);
}

fn snapshot(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            out.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    out.sort();
    out
}

#[test]
fn a_missing_path() {
    let directory = tree(&[]);
    refused(&directory, &at(&directory, "gone.conf"), "gone.conf", "");
}

#[test]
fn a_directory_without_a_configuration() {
    let directory = tree(&[("notes/readme.txt", b"nothing here\n")]);
    refused(
        &directory,
        directory.path().to_str().unwrap(),
        "",
        "no configuration",
    );
}

#[test]
fn an_empty_file() {
    let directory = tree(&[("nginx.conf", b"")]);
    refused(
        &directory,
        &at(&directory, "nginx.conf"),
        "nginx.conf",
        "empty",
    );
}

#[test]
fn a_binary_file() {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0".to_vec();
    bytes.extend((0..=255).cycle().take(4000));
    let directory = tree(&[("nginx.conf", &bytes)]);
    refused(&directory, &at(&directory, "nginx.conf"), "nginx.conf", "");
}

#[test]
fn a_file_in_utf_16() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(SOUND.encode_utf16().flat_map(u16::to_le_bytes));
    let directory = tree(&[("nginx.conf", &bytes)]);
    refused(
        &directory,
        &at(&directory, "nginx.conf"),
        "nginx.conf",
        "UTF-16",
    );
}

#[test]
fn a_truncated_block() {
    let text = &TICKETS_ON[..TICKETS_ON.len() - 4];
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    refused(
        &directory,
        &at(&directory, "nginx.conf"),
        "nginx.conf",
        "expecting \"}\"",
    );
}

#[test]
fn a_missing_include() {
    let text = SOUND.replace("http {", "http {\n    include gone.conf;");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    refused(
        &directory,
        &at(&directory, "nginx.conf"),
        "nginx.conf:3",
        "gone.conf",
    );
    let allowed = run(&[
        "lint",
        "--allow-missing",
        "gone.conf",
        &at(&directory, "nginx.conf"),
    ]);
    assert_eq!(allowed.code, 0, "{}", allowed.err);
    assert!(
        allowed.err.contains("1 missing file assumed"),
        "{}",
        allowed.err
    );
}

#[test]
fn an_unreadable_include() {
    // A directory cannot be read as a file, by root neither.
    let text = SOUND.replace("http {", "http {\n    include sites;");
    let directory = tree(&[("nginx.conf", text.as_bytes()), ("sites/a.conf", b"")]);
    refused(
        &directory,
        &at(&directory, "nginx.conf"),
        "nginx.conf:3",
        "sites",
    );
}

#[test]
fn an_include_cycle() {
    let text = SOUND.replace("http {", "http {\n    include a.conf;");
    let directory = tree(&[
        ("nginx.conf", text.as_bytes()),
        ("a.conf", b"# round\ninclude a.conf;\n"),
    ]);
    refused(&directory, &at(&directory, "nginx.conf"), "a.conf:2", "");
}

#[test]
fn an_unclosed_section_of_httpd() {
    let text = b"Listen 443\n<VirtualHost *:443>\nSSLEngine on\n";
    let directory = tree(&[("httpd.conf", text)]);
    refused(
        &directory,
        &at(&directory, "httpd.conf"),
        "httpd.conf",
        "VirtualHost",
    );
}

#[test]
fn findings_of_what_was_read_are_still_shown() {
    let text = TICKETS_ON.replace("http {", "http {\n    include gone.conf;");
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let run = run(&["lint", "--fail-on", "never", &at(&directory, "nginx.conf")]);
    assert_eq!(run.code, 2);
    assert!(run.out.contains("tickets-without-rotation"));
    assert!(run.err.contains("not complete, 1 problem"), "{}", run.err);
}

#[test]
fn bytes_of_another_charset_are_no_error_and_reach_no_terminal() {
    // The finding's own line carries the bytes.
    let mut bytes = TICKETS_ON
        .replace("server {", "server { # \u{1}")
        .into_bytes();
    let mark = bytes.iter().position(|byte| *byte == 1).unwrap();
    bytes.splice(mark..=mark, *b"caf\xe9 \x1b[31m");
    let directory = tree(&[("nginx.conf", &bytes)]);
    let run = run(&["lint", &at(&directory, "nginx.conf")]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("caf\\xe9 \\x1b[31m"), "{}", run.out);
    assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'));
}

#[test]
fn nothing_on_standard_input() {
    let run = run_with(b"", &["lint", "-"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "error: standard input is empty\n");
}

#[cfg(unix)]
#[test]
fn a_fifo_does_not_block() {
    let directory = tree(&[]);
    let fifo = at(&directory, "nginx.conf");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let started = Instant::now();
    let run = run(&["lint", &fifo]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn very_long_names_are_cut_and_never_end_the_program() {
    let name = "n".repeat(70_000);
    let text = format!(
        "Listen 443\n<VirtualHost *:443>\n    ServerName {name}\n    SSLEngine on\n</VirtualHost>\n"
    );
    let directory = tree(&[("httpd.conf", text.as_bytes())]);
    for command in ["inspect", "lint"] {
        let run = run(&[command, &at(&directory, "httpd.conf")]);
        assert!(
            run.code <= 2 && !run.err.contains("panicked"),
            "{}",
            run.err
        );
        let longest = run.out.lines().map(str::len).max().unwrap_or(0);
        assert!(longest < 1000, "{command}: a line of {longest} bytes");
    }
}

#[test]
fn a_search_from_here_names_files_without_a_dot() {
    let directory = tree(&[("a/nginx.conf", crate::TICKETS_ON.as_bytes())]);
    let run = crate::run_in(directory.path(), &["lint", "."]);
    assert!(run.out.contains("--> a/nginx.conf:3:5"), "{}", run.out);
}

/// A tree that the server would not start with is never called clean, and is not repaired.
#[test]
fn what_the_server_refuses_is_said() {
    let text = "events {}\nhttp {\n    server {\n        listen 443 ssl;\n    }\n}\n";
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    for arguments in [&["lint", &root][..], &["fix", "--write", &root]] {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}\n{}", run.err);
        let words = "no \"ssl_certificate\" is defined";
        assert!(run.err.contains(words), "{arguments:?}\n{}", run.err);
    }
    assert_eq!(fs::read_to_string(&root).unwrap(), text);
}

/// A search says of a main file that it cannot read what naming that file says.
#[cfg(unix)]
#[test]
fn a_search_does_not_pass_over_main_files_that_cannot_be_read() {
    let directory = tree(&[("a/nginx.conf", SOUND.as_bytes())]);
    let path = directory.path().to_str().unwrap();
    assert_eq!(run(&["lint", path]).code, 0, "alone it is sound");
    let other = directory.path().join("b");
    fs::create_dir(&other).unwrap();
    let main = other.join("nginx.conf");
    std::os::unix::fs::symlink("/nowhere/at/all", &main).unwrap();
    let dangling = run(&["lint", path]);
    assert_eq!(dangling.code, 2, "{}", dangling.err);
    assert!(dangling.err.contains("b/nginx.conf"), "{}", dangling.err);
    fs::remove_file(&main).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&main).status();
    assert!(made.unwrap().success(), "mkfifo is needed for this test");
    let pipe = run(&["lint", path]);
    assert_eq!(pipe.code, 2, "{}", pipe.err);
    assert!(
        pipe.err.contains("a pipe, socket or device"),
        "{}",
        pipe.err
    );
}

/// Certificates whose files are there are named, not numbered.
#[test]
fn a_certificate_without_a_key_is_named() {
    let text = TICKETS_ON.replace("        ssl_certificate_key a.key;\n", "");
    assert_ne!(text, TICKETS_ON);
    let directory = tree(&[("nginx.conf", text.as_bytes()), ("a.pem", b"some bytes")]);
    let said = run(&["lint", &at(&directory, "nginx.conf")]);
    assert_eq!(said.code, 2, "{}", said.err);
    let words = "no \"ssl_certificate_key\" is defined for certificate \"a.pem\"";
    assert!(said.err.contains(words), "{}", said.err);
}
