//! The first minutes: what the program says when it is called wrong, finds nothing, or takes
//! long; exit codes and streams of every command.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod formats_support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use formats_support::{command, demo, run_in, tree};
use tempfile::TempDir;

const PLAIN: &str = "events {}\nhttp {\n    server {\n        listen 80;\n    }\n}\n";
const PLAIN_HTTPD: &str = "ServerName a.test\nListen 80\n<VirtualHost *:80>\n</VirtualHost>\n";
const SOUND: &str = "events {}\nhttp {\n    ssl_session_tickets off;\n    server {\n        \
                     listen 443 ssl;\n        ssl_certificate a.pem;\n        \
                     ssl_certificate_key a.key;\n    }\n}\n";

#[test]
fn alone_it_explains_itself_in_ten_lines() {
    let empty = TempDir::new().unwrap();
    let run = run_in(empty.path(), &[]);
    assert_eq!((run.code, run.err.as_str()), (2, ""));
    assert!(run.out.lines().count() <= 10, "{}", run.out);
    assert!(run.out.lines().all(|line| line.len() <= 92), "{}", run.out);
    for word in [
        "lint", "fix", "undo", "inspect", "explain", "PATH", "nginx -T", "--help",
    ] {
        assert!(run.out.contains(word), "{word}");
    }
}

#[test]
fn wrong_calls_are_answered_with_the_right_one() {
    let directory = tree(&[("nginx.conf", SOUND.as_bytes())]);
    for (arguments, words) in [
        (&["lnit"][..], "lint"),
        (&["check", "."], "`stekguard lint`"),
        (&["nginx.conf"], "stekguard lint nginx.conf"),
        (&["/etc/nginx"], "stekguard lint /etc/nginx"),
        (&["lint", "--fix", "."], "`stekguard fix --write`"),
        (&["lint", "--json", "."], "--format json"),
        (
            &["fix", "--dry-run", "."],
            "changes nothing without --write",
        ),
        (&["lint", "--output-format=sarif", "."], "--format NAME"),
        (&["lint", "--formt", "json", "."], "--format"),
        (&["lint", "--format", "jsn", "."], "json"),
        (
            &["explain", "ticket-without-rotation"],
            "did you mean `tickets-without-rotation`",
        ),
        (
            &["lint", "--rule", "nothing-like-it", "."],
            "`stekguard rules` lists",
        ),
        (&["lint", "nginx.cnf"], "nginx.cnf"),
    ] {
        let run = run_in(directory.path(), arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.starts_with("error: "), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(words), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn a_folder_without_configuration_is_told_what_was_looked_for() {
    let directory = tree(&[
        ("src/main.c", b"int main() {}\n"),
        ("a.conf.j2", b"{{ a }}\n"),
    ]);
    for command in ["lint", "fix", "inspect"] {
        let run = run_in(directory.path(), &[command, "."]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{command}");
        for word in [
            "nginx.conf",
            "apache2.conf",
            "httpd.conf",
            "VirtualHost",
            "templates skipped: 1",
            "nginx -T | stekguard lint -",
        ] {
            assert!(run.err.contains(word), "{command}: {word}: {}", run.err);
        }
    }
}

#[test]
fn a_tree_without_tls_is_told_so() {
    for (name, text, missing) in [
        ("nginx.conf", PLAIN, "`listen` with `ssl`"),
        ("httpd.conf", PLAIN_HTTPD, "`SSLEngine on`"),
    ] {
        let directory = tree(&[(name, text.as_bytes())]);
        for command in ["lint", "fix", "inspect"] {
            let run = run_in(directory.path(), &[command, name]);
            assert_eq!(run.code, 0, "{command}: {}", run.err);
            let words = format!("nothing here speaks TLS, so nothing resumes: no {missing}");
            let words = words.replace("no no ", "no ");
            let said = run.err.replace("no virtual host with ", "no ");
            assert!(said.contains(&words), "{command}: {}", run.err);
        }
    }
    // Where something speaks TLS, or not everything was read, it is not said.
    let gone = PLAIN.replace("http {", "http {\n    include gone/a.conf;");
    for text in [SOUND, &gone] {
        let directory = tree(&[("nginx.conf", text.as_bytes())]);
        let run = run_in(directory.path(), &["lint", "nginx.conf"]);
        assert!(!run.err.contains("speaks TLS"), "{}", run.err);
    }
}

/// Exit code and streams of every way to end, by command.
#[test]
fn exit_codes_and_streams_are_those_of_the_manual() {
    let gone = SOUND.replace("http {", "http {\n    include gone.conf;");
    let on = SOUND.replace("off", "on");
    let place = tree(&[
        ("sound/nginx.conf", SOUND.as_bytes()),
        ("on/nginx.conf", on.as_bytes()),
        ("gone/nginx.conf", gone.as_bytes()),
        ("broken/nginx.conf", b"events {}\nhttp {\n    server {\n"),
    ]);
    let cases: [(&[&str], i32, bool); 22] = [
        (&["lint", "sound"], 0, false),
        (&["lint", "on"], 1, true),
        (&["lint", "--fail-on", "never", "on"], 0, true),
        (&["lint", "--fail-on", "error", "on"], 0, true),
        (&["lint", "gone"], 2, false),
        (&["lint", "broken"], 2, false),
        (&["lint", "nowhere"], 2, false),
        (&["lint", "--format", "json", "nowhere"], 2, true),
        (&["lint", "--format", "json", "gone"], 2, true),
        (&["lint", "--format", "json", "sound"], 0, true),
        (&["lint", "sound", "gone"], 2, false),
        (&["fix", "sound"], 0, false),
        (&["fix", "on"], 1, true),
        (&["fix", "gone"], 2, false),
        (&["fix", "broken"], 2, false),
        (&["inspect", "on"], 0, true),
        (&["inspect", "gone"], 2, true),
        (&["inspect", "--format", "json", "nowhere"], 2, true),
        (&["explain", "dead-tickets"], 0, true),
        (&["explain", "nothing"], 2, false),
        (&["rules"], 0, true),
        (&["--version"], 0, true),
    ];
    for (arguments, code, report) in cases {
        let run = run_in(place.path(), arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert_eq!(!run.out.is_empty(), report, "{arguments:?}: {}", run.out);
        // Words for people are on stderr alone.
        for word in ["error: ", "hint: ", "endpoint in", "endpoints in 1 file\n"] {
            let table = arguments[0] == "inspect" && word.contains("endpoint");
            assert!(table || !run.out.contains(word), "{arguments:?}: {word}");
        }
        if code == 2 {
            assert!(run.err.contains("error"), "{arguments:?}: {}", run.err);
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_every_format_quietly() {
    let directory = demo();
    for format in ["text", "json", "sarif", "html", "junit", "github"] {
        let mut child = command(&["lint", "--format", format, "etc"])
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One line is read, then nobody reads any more.
        let mut reader = BufReader::with_capacity(1, child.stdout.take().unwrap());
        reader.read_until(b'\n', &mut Vec::new()).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{format}: the findings decide: {err}"
        );
        assert!(
            !err.contains("panicked") && !err.contains("roken pipe"),
            "{format}: {err}"
        );
    }
}

/// Runs on a terminal of its own and gives everything that it saw.
fn on_a_terminal(directory: &Path, line: &str) -> String {
    let mut script = Command::new("script");
    script.args(["-qec", line, "/dev/null"]);
    script.current_dir(directory).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        script.env_remove(name);
    }
    let output = script
        .env("TERM", "xterm")
        .output()
        .expect("script, of util-linux");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Many configurations, so that judging them takes seconds.
fn much_work() -> TempDir {
    let directory = TempDir::new().unwrap();
    let mut servers = String::new();
    for number in 0..40 {
        write!(
            servers,
            "    server {{\n        listen {} ssl;\n        server_name a{number}.test;\n        \
             ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n    }}\n",
            1000 + number
        )
        .unwrap();
    }
    for number in 0..300 {
        let folder = directory.path().join(format!("host{number}"));
        fs::create_dir_all(&folder).unwrap();
        let text = format!("events {{}}\nhttp {{\n{servers}}}\n");
        fs::write(folder.join("nginx.conf"), text).unwrap();
    }
    directory
}

#[test]
fn long_work_shows_a_line_on_a_terminal_only() {
    let directory = much_work();
    let binary = env!("CARGO_BIN_EXE_stekguard");
    let line = format!("{binary} lint --fail-on never -o report.txt .");
    let seen = on_a_terminal(directory.path(), &line);
    assert!(seen.contains("judging configurations: "), "{seen:?}");
    assert!(seen.contains(" of 300"), "{seen:?}");
    let end = seen.rfind("judging configurations").unwrap();
    assert!(
        seen[end..].contains("\u{1b}[2K"),
        "the line is gone afterwards: {seen:?}"
    );
    assert!(seen.trim_end().ends_with("300 files"), "{seen:?}");
    // The report is the same without a terminal, where no such line is.
    let report = fs::read_to_string(directory.path().join("report.txt")).unwrap();
    let plain = run_in(directory.path(), &["lint", "--fail-on", "never", "."]);
    assert_eq!(plain.out, report);
    assert!(!plain.err.contains("judging"), "{}", plain.err);
    // A terminal that understands nothing gets none either, and short work shows nothing.
    let dumb = on_a_terminal(directory.path(), &format!("env TERM=dumb {line}"));
    assert!(!dumb.contains("judging"), "{dumb:?}");
    let short = tree(&[("nginx.conf", SOUND.as_bytes())]);
    let quick = on_a_terminal(short.path(), &format!("{binary} lint nginx.conf"));
    assert!(!quick.contains("judging"), "{quick:?}");
    assert!(quick.contains("no findings"), "{quick:?}");
}

#[test]
fn a_terminal_takes_colours_and_the_environment_decides() {
    let directory = demo();
    let binary = env!("CARGO_BIN_EXE_stekguard");
    let coloured = |before: &str, options: &str| {
        let line = format!("env {before} {binary} lint {options} etc/nginx/nginx.conf");
        on_a_terminal(directory.path(), &line).contains("\u{1b}[")
    };
    assert!(coloured("A=b", ""));
    assert!(!coloured("NO_COLOR=1", ""));
    assert!(coloured("NO_COLOR=", ""), "an empty value says nothing");
    assert!(!coloured("CLICOLOR=0", ""));
    assert!(coloured("CLICOLOR=0 CLICOLOR_FORCE=1", ""));
    assert!(!coloured("A=b", "--color never"));
    assert!(coloured("NO_COLOR=1", "--color always"));
    assert!(!coloured("TERM=dumb", ""));
    // A document is never coloured.
    for format in ["json", "sarif", "html"] {
        let line = format!("{binary} lint --format {format} --color always etc 2>/dev/null");
        let seen = on_a_terminal(directory.path(), &line);
        assert!(!seen.contains('\u{1b}'), "{format}");
    }
}
