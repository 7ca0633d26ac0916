//! README.md and the guides are followed line by line, in a clean copy of the project with a
//! binary that was built there by the first command of the README: what a `console` block shows
//! is what a terminal shows. A line `...` stands for any number of lines, at the end of a line
//! for its rest.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

const FIRST: &str = "cargo run -q --no-default-features -- fix testdata/demo";
const SECOND: &str = "tests/install_servers.sh && cargo test";

/// The clean copy.
fn copy() -> &'static Path {
    static COPY: OnceLock<TempDir> = OnceLock::new();
    let dir = COPY.get_or_init(|| {
        let dir = TempDir::with_prefix("stekguard-readme-").unwrap();
        copy_folder(Path::new(env!("CARGO_MANIFEST_DIR")), dir.path());
        // A clone is a repository, and patches name files from its root.
        let mut git = Command::new("git");
        git.args(["init", "-q"]).arg(dir.path());
        assert!(git.status().unwrap().success());
        dir
    });
    dir.path()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let left_out = [".git", "target", "generated", ".claude"];
        if left_out.iter().any(|it| *it == name) {
            continue;
        }
        let target = to.join(name);
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// A target folder of its own: another binary than that of the other tests.
fn target() -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tests.parent().unwrap().join("readme")
}

/// A line of a shell in the copy, with the binary that the first command has built.
fn shell(line: &str) -> Command {
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command
        .args(["-c", line])
        .current_dir(copy())
        .env(
            "PATH",
            format!("{}:{path}", target().join("debug").display()),
        )
        .env("CARGO_TARGET_DIR", target())
        .stdin(Stdio::null());
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "STEKGUARD_STATE_DIR",
    ] {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The first command, run once; what it printed.
fn first() -> &'static Output {
    static FIRST_RUN: OnceLock<Output> = OnceLock::new();
    FIRST_RUN.get_or_init(|| shell(FIRST).output().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn readme() -> String {
    fs::read_to_string(copy().join("README.md")).unwrap()
}

#[test]
fn the_first_command_works_in_a_clean_copy() {
    assert!(readme().lines().any(|line| line == FIRST));
    let output = first();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let patch = text(&output.stdout);
    assert!(patch.starts_with("--- a/"), "{patch}");
    assert!(patch.contains("+    ssl_session_tickets off;"), "{patch}");
}

#[test]
fn the_second_command_names_a_script_that_can_be_run() {
    assert!(readme().lines().any(|line| line == SECOND));
    let script = copy().join("tests/install_servers.sh");
    let mode = script.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "{mode:o}");
    for script in ["tests/install_servers.sh", "tests/install_tools.sh"] {
        let parsed = shell(&format!("sh -n {script}")).status().unwrap();
        assert!(parsed.success(), "{script}");
    }
}

/// A machine without OpenSSL's headers can build what the first command asks for.
#[test]
fn the_first_command_builds_no_openssl() {
    let tree = |more: &str| {
        let line = format!("cargo tree --locked --offline -e normal,build --prefix none {more}");
        let output = shell(&line).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let without = tree("--no-default-features");
    assert!(without.lines().count() > 10, "{without}");
    assert!(!without.contains("openssl"), "{without}");
    assert!(
        tree("").contains("openssl-sys"),
        "the default features have it"
    );
}

/// A command with what it prints.
struct Example {
    line: usize,
    command: String,
    shown: Vec<String>,
}

fn examples(page: &str) -> Vec<Example> {
    let mut out: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        match line.strip_prefix("$ ") {
            Some(command) => out.push(Example {
                line: number + 1,
                command: command.to_owned(),
                shown: Vec::new(),
            }),
            None => {
                let last = out.last_mut().expect("a command first");
                last.shown.push(line.to_owned());
            }
        }
    }
    out
}

/// True when `printed` is `shown`, where `...` stands for any lines.
fn matches(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skip| matches(rest, &printed[skip..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, later)| same(first, line) && matches(rest, later)),
    }
}

fn same(shown: &str, printed: &str) -> bool {
    match shown.strip_suffix(" ...") {
        Some(start) => printed.starts_with(start),
        None => shown == printed,
    }
}

#[test]
fn every_command_prints_what_the_pages_show() {
    assert_eq!(first().status.code(), Some(1));
    let mut pages = vec![PathBuf::from("README.md")];
    let guides = fs::read_dir(copy().join("docs/guides")).unwrap();
    pages.extend(guides.map(|it| Path::new("docs/guides").join(it.unwrap().file_name())));
    pages.sort();
    let (mut checked, mut wrong) = (0, Vec::new());
    for page in &pages {
        let content = fs::read_to_string(copy().join(page)).unwrap();
        for example in examples(&content) {
            // As a terminal shows it, and the report alone.
            let both = shell(&format!("{{ {}; }} 2>&1", example.command))
                .output()
                .unwrap();
            let alone = shell(&example.command).output().unwrap();
            let fits = [&both, &alone].iter().any(|output| {
                let printed = text(&output.stdout);
                let lines: Vec<&str> = printed.trim_end_matches('\n').lines().collect();
                matches(&example.shown, &lines)
            });
            if !fits {
                let place = format!("{}:{}", page.display(), example.line);
                wrong.push(format!(
                    "{place}: {}\n{}",
                    example.command,
                    text(&both.stdout)
                ));
            }
            checked += 1;
        }
    }
    println!(
        "{checked} commands of {} pages print what is shown",
        pages.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 4, "{checked}");
}
