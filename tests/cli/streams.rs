//! stdout carries the report and nothing else; colours; a reader that goes away; stdin.

use std::fs;
use std::process::Stdio;

use crate::{SOUND, TICKETS_ON, at, command, run, run_with, tree};

#[test]
fn the_report_is_on_stdout_and_the_summary_on_stderr() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let run = run(&["lint", &at(&directory, "nginx.conf")]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.starts_with("warning[tickets-without-rotation]"),
        "{}",
        run.out
    );
    assert!(run.out.contains("nginx.conf:3:5"), "{}", run.out);
    assert!(run.out.contains("server {"), "{}", run.out);
    assert!(run.out.contains("^^^^^^"), "{}", run.out);
    assert_eq!(run.err, "1 finding (1 warning): 1 TLS endpoint in 1 file\n");
}

#[test]
fn a_file_takes_the_report_instead() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let report = at(&directory, "report.txt");
    let root = at(&directory, "nginx.conf");
    let direct = run(&["lint", &root]);
    let run = run(&["lint", "-o", &report, &root]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(report).unwrap(), direct.out);
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let directory = tree(&[("nginx.conf", SOUND.as_bytes())]);
    let run = run(&[
        "lint",
        "-o",
        "/nowhere/at/all",
        &at(&directory, "nginx.conf"),
    ]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("error: /nowhere/at/all: "), "{}", run.err);
}

/// Colours on stdout and on stderr, neither of which is a terminal here.
fn coloured(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, bool) {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let mut command = command(arguments);
    let output = command
        .arg(root)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    (output.stdout.contains(&0x1b), output.stderr.contains(&0x1b))
}

#[test]
fn colours_are_asked_for() {
    let both = (true, true);
    let none = (false, false);
    let lint = &["lint"][..];
    assert_eq!(coloured(lint, &[]), none, "no terminal");
    assert_eq!(coloured(&["lint", "--color", "always"], &[]), both);
    assert_eq!(
        coloured(&["--color=always", "lint"], &[("NO_COLOR", "1")]),
        both
    );
    assert_eq!(coloured(lint, &[("CLICOLOR_FORCE", "1")]), both);
    assert_eq!(coloured(lint, &[("CLICOLOR_FORCE", "0")]), none);
    assert_eq!(
        coloured(lint, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
        none
    );
    assert_eq!(
        coloured(&["lint", "--color=never"], &[("CLICOLOR_FORCE", "1")]),
        none
    );
    assert_eq!(
        coloured(&["lint", "--color=always", "--format=json"], &[]),
        (false, true)
    );
}

#[test]
fn a_file_is_coloured_only_on_request() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let (root, file) = (at(&directory, "nginx.conf"), at(&directory, "out.patch"));
    let coloured = |arguments: &[&str]| {
        let mut command = command(&["fix", "-o", &file, &root]);
        let output = command.args(arguments).env("CLICOLOR_FORCE", "1").output();
        assert_eq!(output.unwrap().status.code(), Some(1));
        fs::read(&file).unwrap().contains(&0x1b)
    };
    assert!(!coloured(&[]), "a patch in a file is there to be applied");
    assert!(coloured(&["--color", "always"]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    for arguments in [
        &["lint", &at(&directory, "nginx.conf")][..],
        &["inspect", "--format", "json", &at(&directory, "nginx.conf")],
        &["fix", &at(&directory, "nginx.conf")],
        &["rules"],
        &["--help"],
        &[],
    ] {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed before anything is read; whatever is written then meets a broken pipe.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code().is_some_and(|code| code <= 2),
            "{arguments:?}"
        );
        assert!(
            !err.contains("panicked") && !err.contains("roken pipe"),
            "{arguments:?}: {err}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command(&["lint", &at(&directory, "nginx.conf")])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("error: standard output: ")
    );
}

#[test]
fn standard_input_is_a_file() {
    let run = run_with(TICKETS_ON.as_bytes(), &["lint", "-"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("<stdin>:3:5"), "{}", run.out);
    let fixed = run_with(TICKETS_ON.as_bytes(), &["fix", "-"]);
    assert_eq!(fixed.code, 1, "{}", fixed.err);
    assert!(
        fixed.out.contains("+        ssl_session_tickets off;\n"),
        "{}",
        fixed.out
    );
    let written = run_with(TICKETS_ON.as_bytes(), &["fix", "--write", "-"]);
    assert_eq!(
        written.code, 2,
        "there is no file to write to: {}",
        written.err
    );
}

#[test]
fn standard_input_is_a_whole_tree() {
    let main = "events {}\nhttp {\n    include conf.d/*.conf;\n}\n";
    let site = "server {\n    listen 443 ssl;\n    ssl_certificate a.pem;\n    \
                ssl_certificate_key a.key;\n    server_name a.test;\n}\n";
    let dump = format!(
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
         nginx: configuration file /etc/nginx/nginx.conf test is successful\n\
         # configuration file /etc/nginx/nginx.conf:\n{main}\n\
         # configuration file /etc/nginx/conf.d/a.conf:\n{site}\n"
    );
    let lint = run_with(dump.as_bytes(), &["lint", "-"]);
    assert_eq!(lint.code, 1, "{}", lint.err);
    assert!(
        lint.out.contains("/etc/nginx/conf.d/a.conf:1:1"),
        "{}",
        lint.out
    );
    assert!(
        lint.err.contains("1 TLS endpoint in 2 files"),
        "{}",
        lint.err
    );
    let fix = run_with(dump.as_bytes(), &["fix", "-"]);
    assert!(
        fix.out.contains("--- a/etc/nginx/conf.d/a.conf\n"),
        "{}\n{}",
        fix.out,
        fix.err
    );
    // The same from a file.
    let directory = tree(&[("dump.txt", dump.as_bytes())]);
    let file = run(&["lint", &at(&directory, "dump.txt")]);
    assert_eq!((file.code, file.out), (lint.code, lint.out));
}
