//! Bytes that a terminal acts on, that reorder text or hide it, in names, values, comments and
//! arguments: no report, no summary and no error shows them as they are. Only a patch, read by
//! programs, holds the bytes of the files; on a terminal it does not either.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod hostile;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hostile::run;
use tempfile::TempDir;

/// A title that a terminal takes, a line of its own for a pipeline, text from the right, a
/// control character of eight bits, a character without width, a byte that is no UTF-8.
const EVIL: &[u8] = b"a\x1b]0;owned\x07\n::error::b\xe2\x80\xae\xc2\x9b2J\xe2\x80\x8b\xff";
/// The same without a line end, as values and comments hold it.
const VALUE: &[u8] = b"a\x1b]0;owned\x07\xe2\x80\xae\xc2\x9b2J\xe2\x80\x8b\xff";

/// What is wrong with a text for people or programs.
fn raw(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some("no UTF-8".to_owned());
    };
    let odd = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2028}' | '\u{feff}')
    };
    if text.contains("\n::error::b") {
        return Some("a command for a pipeline".to_owned());
    }
    text.find(odd)
        .map(|at| format!("{:?}", &text[at.saturating_sub(0)..][..1]))
}

fn with(before: &str, after: &str) -> Vec<u8> {
    [before.as_bytes(), VALUE, after.as_bytes()].concat()
}

/// A folder of an evil name with roots that hold evil values; complete, incomplete, wrong.
fn world() -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join(OsStr::from_bytes(EVIL));
    fs::create_dir(&place).unwrap();
    let mut sound = b"events {}\nhttp {\n    ssl_session_tickets on; # ".to_vec();
    sound.extend(with(
        "",
        "\n    server {\n        listen 443 ssl;\n        server_name \"",
    ));
    sound.extend(with("", "\";\n        ssl_certificate \"/"));
    sound.extend(with("", "\";\n        ssl_certificate_key a;\n        "));
    sound.extend(with("ssl_session_ticket_key \"/", "\";\n    }\n"));
    let end = b"}\n".to_vec();
    let gone = with("    include \"gone", "/a.conf\";\n}\n");
    let unknown = with("    ssl_session_timeout \"", "\";\n}\n");
    let open = with("    \"", "\n");
    let refused = with("    # stekguard: ignore[no-such-rule] -- ", "\n}\n");
    let httpd = [
        with(
            "Listen 443\n<VirtualHost *:443>\nServerName ",
            "\nSSLEngine on\n",
        ),
        with(
            "SSLCertificateFile \"/",
            "\"\nSSLSessionTickets on\n</VirtualHost>\n",
        ),
    ]
    .concat();
    let files = [
        ("sound.conf", [sound.clone(), end].concat()),
        ("gone.conf", [sound.clone(), gone].concat()),
        ("value.conf", [sound.clone(), unknown].concat()),
        ("open.conf", [sound.clone(), open].concat()),
        ("ignore.conf", [sound, refused].concat()),
        ("httpd.conf", httpd.clone()),
        ("apache2.conf", [httpd, with("Include \"", "\"\n")].concat()),
    ];
    let paths = files.into_iter().map(|(name, text)| {
        let path = place.join(name);
        fs::write(&path, text).unwrap();
        path
    });
    (folder, paths.collect())
}

const LINT: [&str; 11] = [
    "text",
    "full",
    "concise",
    "json",
    "json-lines",
    "sarif",
    "html",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
];

#[test]
fn no_report_shows_them() {
    let (folder, roots) = world();
    let lint = LINT.map(|format| vec!["lint", "--format", format]);
    let inspect = ["table", "json", "html"].map(|format| vec!["inspect", "--format", format]);
    let more = [
        vec!["inspect", "--pairs"],
        vec!["inspect", "--expanded", "--format", "json"],
        vec!["lint", "--color", "never", "--pedantic"],
        vec!["fix", "--format", "json"],
        vec!["fix", "--format", "html"],
    ];
    let commands: Vec<Vec<&str>> = lint.into_iter().chain(inspect).chain(more).collect();
    let mut seen = 0;
    for root in &roots {
        for command in &commands {
            let mut words: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
            words.push(root.as_os_str());
            let ran = run(folder.path(), &words);
            let what = format!("{command:?} {}", root.file_name().unwrap().display());
            assert_eq!(raw(&ran.out), None, "{what}: {}", ran.out());
            assert_eq!(raw(&ran.err), None, "{what}: {}", ran.err());
            seen += usize::from(ran.out().contains("owned") || ran.err().contains("owned"));
        }
    }
    // Most of them do show it, escaped.
    println!(
        "{seen} of {} runs show the name",
        roots.len() * commands.len()
    );
    assert!(seen * 2 > roots.len() * commands.len());
}

#[test]
fn no_error_shows_them() {
    let (folder, _) = world();
    let evil = OsString::from_vec(EVIL.to_vec());
    let joined = |before: &str| {
        let mut word = OsString::from(before);
        word.push(&evil);
        word
    };
    let nowhere = joined("nowhere/");
    let commands: [&[&OsStr]; 20] = [
        &["lint".as_ref(), &nowhere],
        &["inspect".as_ref(), &nowhere],
        &["fix".as_ref(), &nowhere],
        &["fix".as_ref(), "--write".as_ref(), &nowhere],
        &["lint".as_ref(), "--config".as_ref(), &nowhere],
        &[
            "lint".as_ref(),
            "--baseline".as_ref(),
            &nowhere,
            ".".as_ref(),
        ],
        &["lint".as_ref(), "-o".as_ref(), &nowhere, ".".as_ref()],
        &["lint".as_ref(), "--format".as_ref(), &evil],
        &["lint".as_ref(), "--rule".as_ref(), &evil],
        &["lint".as_ref(), "--server-version".as_ref(), &evil],
        &["lint".as_ref(), "--policy".as_ref(), &evil],
        &["lint".as_ref(), "--modules".as_ref(), &evil, ".".as_ref()],
        &["explain".as_ref(), &evil],
        &[
            "config".as_ref(),
            "check".as_ref(),
            "--config".as_ref(),
            &nowhere,
        ],
        &[
            "config".as_ref(),
            "show".as_ref(),
            "--config".as_ref(),
            &nowhere,
        ],
        &["completions".as_ref(), &evil],
        &["undo".as_ref(), &evil],
        &[
            "keys".as_ref(),
            "status".as_ref(),
            "--dir".as_ref(),
            &nowhere,
        ],
        &[&evil],
        &["probe".as_ref(), &evil],
    ];
    for command in commands {
        let ran = run(folder.path(), command);
        assert_ne!(ran.code, 0, "{command:?}: {}", ran.err());
        assert_eq!(raw(&ran.out), None, "{command:?}: {}", ran.out());
        assert_eq!(raw(&ran.err), None, "{command:?}: {}", ran.err());
    }
}

/// What a terminal sees: colours are ours, nothing else is obeyed.
#[test]
fn no_terminal_obeys_them() {
    let (folder, roots) = world();
    let binary = env!("CARGO_BIN_EXE_stekguard");
    for root in &roots {
        fs::copy(root, folder.path().join("nginx.conf")).unwrap();
        for command in [
            "lint",
            "inspect",
            "fix",
            "lint --format full",
            "fix --write",
        ] {
            let line = format!("{binary} {command} --color always nginx.conf");
            let mut script = Command::new("script");
            script
                .args(["-qec", &line, "/dev/null"])
                .current_dir(folder.path());
            script.env("STEKGUARD_STATE_DIR", folder.path().join("state"));
            let seen = script.env("TERM", "xterm").stdin(Stdio::null()).output();
            let seen = seen.expect("script, of util-linux").stdout;
            let text = std::str::from_utf8(&seen).expect("a terminal gets UTF-8");
            for odd in ["\u{1b}]", "\u{7}", "\u{202e}", "\u{9b}", "\u{200b}"] {
                assert!(
                    !text.contains(odd),
                    "{command} {}: {odd:?}: {text:?}",
                    root.display()
                );
            }
        }
    }
}

/// A patch is for programs: it holds the files' bytes, and nothing else of the kind.
#[test]
fn a_patch_holds_bytes_only_where_the_file_does() {
    let (folder, roots) = world();
    let mut patches = 0;
    for root in &roots {
        let ran = run(folder.path(), &[OsStr::new("fix"), root.as_os_str()]);
        patches += usize::from(!ran.out.is_empty());
        assert_eq!(raw(&ran.err), None, "{}", ran.err());
        for line in ran.out.split(|byte| *byte == b'\n') {
            let content = matches!(line.first(), Some(b' ' | b'+' | b'-'))
                && !line.starts_with(b"+++")
                && !line.starts_with(b"---");
            assert!(
                content || raw(line).is_none(),
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }
    assert!(patches >= 3, "{patches}");
}

#[test]
fn very_long_names_are_shown_and_end_nothing() {
    let folder = TempDir::new().unwrap();
    let mut path = folder.path().to_path_buf();
    // Up to the longest path that the system opens.
    while path.as_os_str().len() < 3800 {
        path.push("d".repeat(200));
    }
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("nginx.conf"), hostile::nginx("include gone;")).unwrap();
    for command in ["lint", "inspect", "fix"] {
        let ran = run(
            folder.path(),
            &[OsStr::new(command), path.join("nginx.conf").as_os_str()],
        );
        assert_eq!(ran.code, 2, "{command}");
        assert!(ran.err().contains("gone: no such file"), "{}", ran.err());
        let too_long = path.join("x".repeat(255)).join("y".repeat(255));
        let ran = run(folder.path(), &[OsStr::new(command), too_long.as_os_str()]);
        assert_eq!(ran.code, 2, "{command}");
        assert!(
            ran.err().to_lowercase().contains("name too long"),
            "{}",
            ran.err()
        );
    }
}
