//! README.md tells the truth: every command in a `console` block is run in the project's
//! folder and has to print what stands there. A line `...` stands for any number of lines.

use std::fs;

use crate::{project, run_in};

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
            None => out
                .last_mut()
                .expect("a command first")
                .shown
                .push(line.to_owned()),
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
            .is_some_and(|(line, later)| line == first && matches(rest, later)),
    }
}

#[test]
fn readme_shows_what_the_commands_print() {
    let page = fs::read_to_string(project("README.md")).unwrap();
    let examples = examples(&page);
    let mut checked = 0;
    for example in &examples {
        let Some(arguments) = example
            .command
            .strip_prefix("stekguard ")
            .or_else(|| example.command.strip_prefix("cargo run -q -- "))
        else {
            continue;
        };
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let run = run_in(&project("."), &arguments);
        let mut printed: Vec<&str> = run.out.lines().collect();
        // What a terminal shows: `fix` says first what it found.
        let err: Vec<&str> = run.err.lines().collect();
        let with_err: Vec<&str> = printed.iter().chain(&err).copied().collect();
        while printed.last() == Some(&"") {
            printed.pop();
        }
        assert!(
            matches(&example.shown, &printed) || matches(&example.shown, &with_err),
            "README.md:{}: `{}` prints\n{}\n--- stderr\n{}",
            example.line,
            example.command,
            run.out,
            run.err,
        );
        checked += 1;
    }
    println!("{checked} commands of README.md print what it shows");
    assert!(checked >= 3, "{checked}");
}

#[test]
fn readme_names_its_two_commands_and_only_options_that_exist() {
    let page = fs::read_to_string(project("README.md")).unwrap();
    for command in [
        "cargo run -q -- fix testdata/demo",
        "tests/install_servers.sh && cargo test",
    ] {
        assert!(page.lines().any(|line| line == command), "{command}");
    }
    let mut help = String::new();
    for command in ["lint", "fix", "undo", "inspect"] {
        help.push_str(&run_in(&project("."), &[command, "--help"]).out);
    }
    let options = page
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic()))
        });
    let mut checked = 0;
    for option in options {
        // Of cargo, not of stekguard.
        if option == "--path" {
            continue;
        }
        assert!(help.contains(option), "README.md names {option}");
        checked += 1;
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn the_demo_is_judged_completely_and_its_patch_applies() {
    let lint = run_in(&project("."), &["lint", "testdata/demo"]);
    assert_eq!(lint.code, 1, "{}", lint.err);
    for rule in [
        "tickets-without-rotation",
        "excessive-session-timeout",
        "malformed-session-timeout",
        "ignored-session-directive",
        "conf-command-overrides-tickets",
        "directive-not-in-version",
    ] {
        assert!(
            lint.out.contains(&format!("[{rule}]")),
            "the demo shows {rule}"
        );
    }
    assert!(!lint.err.contains("not complete"), "{}", lint.err);

    let copy = tempfile::TempDir::new().unwrap();
    let status = std::process::Command::new("cp")
        .arg("-r")
        .arg(project("testdata/demo"))
        .arg(copy.path().join("demo"))
        .status();
    assert!(status.unwrap().success());
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(arguments)
            .current_dir(copy.path())
            .output()
            .expect("git has to be installed")
    };
    assert!(git(&["init", "-q"]).status.success());
    let fix = run_in(copy.path(), &["fix", "demo"]);
    assert_eq!(fix.code, 1, "{}", fix.err);
    fs::write(copy.path().join("p.diff"), &fix.out).unwrap();
    let applied = git(&["apply", "p.diff"]);
    assert!(applied.status.success(), "{applied:?}\n{}", fix.out);
    let again = run_in(copy.path(), &["fix", "demo"]);
    assert_eq!(again.out, "", "a second fix has nothing to do");
}
