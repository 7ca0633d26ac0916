//! The binary as people and pipelines use it: exit codes, streams, colours, bad input.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/schema.rs"]
mod schema;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/versions.rs"]
mod versions;
#[path = "cli/writing.rs"]
mod writing;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// An nginx root whose only server has tickets on by default.
pub const TICKETS_ON: &str = "\
events {}
http {
    server {
        listen 443 ssl;
        server_name a.test;
        ssl_certificate a.pem;
        ssl_certificate_key a.key;
    }
}
";

/// An nginx root with nothing to find.
pub const SOUND: &str = "\
events {}
http {
    ssl_session_tickets off;
    server {
        listen 443 ssl;
        server_name a.test;
        ssl_certificate a.pem;
        ssl_certificate_key a.key;
    }
}
";

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The binary, away from this machine's environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "STEKGUARD_STATE_DIR",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Run {
    result(command(arguments).output().unwrap())
}

pub fn run_in(directory: &Path, arguments: &[&str]) -> Run {
    result(command(arguments).current_dir(directory).output().unwrap())
}

/// Runs with these bytes on standard input.
pub fn run_with(input: &[u8], arguments: &[&str]) -> Run {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that refuses early closes the pipe; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    result(child.wait_with_output().unwrap())
}

pub fn result(output: Output) -> Run {
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).expect("stdout is no UTF-8"),
        err: String::from_utf8(output.stderr).expect("stderr is no UTF-8"),
    }
}

/// A directory with these files.
pub fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    directory
}

/// A file below a directory as an argument.
pub fn at(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

/// The project's own folder.
pub fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn alone_it_explains_itself_in_ten_lines() {
    let run = run(&[]);
    assert_eq!(run.code, 2);
    assert!(run.out.lines().count() <= 10, "{}", run.out);
    for word in ["lint", "fix", "undo", "inspect", "explain", "PATH"] {
        assert!(run.out.contains(word), "{word}");
    }
    assert_eq!(run.err, "");
}

#[test]
fn help_and_version_are_no_failure_and_wrong_usage_is() {
    for arguments in [&["--help"][..], &["lint", "--help"], &["--version"]] {
        let run = run(arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        assert!(!run.out.is_empty());
    }
    for arguments in [
        &["lnit"][..],
        &["lint", "--format", "xml", "."],
        &["lint", "--fail-on", "bad", "."],
        &["lint", "--server-version", "nginx", "."],
        &["lint", "--server-version", "caddy=2.0", "."],
        &["lint", "--package", "nginx=stable", "."],
        &["lint", "--rule", "no-such-rule", "."],
        &["fix", "--policy", "none", "."],
        &["explain"],
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.starts_with("error: "), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn the_exit_code_follows_fail_on() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    for (grade, code) in [("error", 0), ("warning", 1), ("note", 1), ("never", 0)] {
        let run = run(&["lint", "--fail-on", grade, &root]);
        assert_eq!(run.code, code, "{grade}: {}", run.err);
        assert!(run.out.contains("tickets-without-rotation"), "{grade}");
    }
    let sound = tree(&[("nginx.conf", SOUND.as_bytes())]);
    let run = run(&["lint", &at(&sound, "nginx.conf")]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert_eq!(run.err, "no findings: 1 TLS endpoint in 1 file\n");
}

#[test]
fn a_policy_is_measured_when_it_is_asked_for() {
    let cached = SOUND.replace("off;\n", "off;\n    ssl_session_cache shared:S:1m;\n");
    let directory = tree(&[("nginx.conf", cached.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let none = run(&[
        "lint",
        "--policy",
        "no-resumption",
        "--server-version",
        "nginx=1.28.3",
        &root,
    ]);
    assert_eq!(none.code, 1, "{}", none.err);
    assert!(none.out.contains("resumption-not-disabled"), "{}", none.out);
    let tickets = run(&[
        "lint",
        "--policy",
        "no-tickets",
        "--server-version",
        "nginx=1.28.3",
        &root,
    ]);
    assert_eq!(tickets.code, 0, "{}", tickets.out);
}

#[test]
fn templates_are_skipped_and_counted() {
    let directory = tree(&[
        ("nginx.conf", SOUND.as_bytes()),
        ("site.conf.j2", b"server { listen {{ port }} ssl; }"),
        ("default.conf.template", b"server { listen ${PORT} ssl; }"),
    ]);
    let run = run(&["lint", directory.path().to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert_eq!(
        run.err,
        "no findings: 1 TLS endpoint in 1 file; 2 templates skipped\n"
    );
}

#[test]
fn rules_are_listed_and_explained() {
    let rules = run(&["rules"]);
    assert_eq!(rules.code, 0);
    let names: Vec<&str> = rules
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    for name in names {
        let page = run(&["explain", name]);
        assert_eq!(page.code, 0);
        assert!(page.out.starts_with(name), "{}", page.out);
        assert!(page.out.lines().count() > 10, "{}", page.out);
    }
    let wrong = run(&["explain", "ticket-without-rotation"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(
        wrong
            .err
            .contains("did you mean `tickets-without-rotation`"),
        "{}",
        wrong.err
    );
}
