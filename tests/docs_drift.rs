//! The documentation is what the program is: rule pages are those of the rules, links lead
//! somewhere, options and commands that pages name exist. `STEKGUARD_UPDATE=1` writes the rule
//! pages anew.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stekguard::catalog::Server;
use stekguard::rules::{self, Rule};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn grade(rule: &Rule) -> String {
    format!("{:?}", rule.severity).to_lowercase()
}

fn servers(rule: &Rule) -> String {
    let names = rule.servers.iter().map(|server| match server {
        Server::Nginx => "nginx",
        Server::Apache => "Apache httpd",
    });
    names.collect::<Vec<_>>().join(" and ")
}

/// What docs/rules holds, by file name.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut index =
        "# Rules\n\nGenerated from the rules; `stekguard explain RULE` prints the same \
                     pages.\n\n| rule | grade | servers | finds |\n|---|---|---|---|\n"
            .to_owned();
    for rule in rules::all() {
        let name = rule.name;
        let text = format!(
            "# {name}\n\n*{}, {}*\n\n{}\n",
            grade(rule),
            servers(rule),
            rule.page().trim_end()
        );
        pages.insert(format!("{name}.md"), text);
        let _ = writeln!(
            index,
            "| [{name}]({name}.md) | {} | {} | {} |",
            grade(rule),
            servers(rule),
            rule.summary
        );
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

#[test]
fn rule_pages_are_those_of_the_rules() {
    let folder = project("docs/rules");
    let pages = pages();
    if std::env::var_os("STEKGUARD_UPDATE").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let hint = "STEKGUARD_UPDATE=1 cargo test --test docs_drift writes the pages anew";
    let have = fs::read_dir(&folder).expect(hint);
    let have: BTreeSet<String> = have
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(have, pages.keys().cloned().collect(), "{hint}");
    for (name, text) in &pages {
        let is = fs::read_to_string(folder.join(name)).unwrap();
        assert!(is == *text, "docs/rules/{name} has drifted: {hint}");
    }
    println!("{} pages", pages.len());
}

/// Every Markdown file of the project that people read.
fn documents() -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "ARCHITECTURE.md",
    ]
    .map(project)
    .into();
    out.push(project("ansible/README.md"));
    for folder in ["docs/guides", "docs/rules"] {
        for entry in fs::read_dir(project(folder)).unwrap() {
            out.push(entry.unwrap().path());
        }
    }
    out.sort();
    out
}

/// Lines outside fenced blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn targets(text: &str) -> Vec<&str> {
    let links = text.split("](").skip(1);
    links.filter_map(|rest| rest.split(')').next()).collect()
}

/// The anchor of a heading, as GitHub and GitLab make it.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in targets(&prose(&text)) {
            if target.contains("://") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => document.clone(),
                _ => document.parent().unwrap().join(path),
            };
            let headings = fs::read_to_string(&file).unwrap_or_default();
            let headings: Vec<String> = prose(&headings)
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| anchor(line.trim_start_matches('#')))
                .collect();
            let found = fragment.is_empty() || headings.iter().any(|it| it == fragment);
            if !file.exists() || !found {
                broken.push(format!("{}: {target}", document.display()));
            }
            checked += 1;
        }
    }
    println!("{checked} links");
    assert!(checked > 10, "{checked}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// `stekguard lint --server-version ...` in a page: the command exists and knows the option.
#[test]
fn commands_in_pages_exist_and_know_their_options() {
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut checked = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for line in text.lines().filter(|line| line.contains("stekguard ")) {
            for call in calls(line) {
                let page = help
                    .entry(call[0].to_owned())
                    .or_insert_with(|| page(call[0]));
                for option in call[1..].iter().filter(|word| word.starts_with("--")) {
                    let option = option.split('=').next().unwrap();
                    let known = option == "--" || page.contains(option);
                    if page.is_empty() || !known {
                        wrong.push(format!("{}: {}", document.display(), line.trim()));
                    }
                    checked += 1;
                }
            }
        }
    }
    println!("{checked} options");
    assert!(checked >= 10, "{checked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words of every call in a line, each from the command on.
fn calls(line: &str) -> Vec<Vec<&str>> {
    const COMMANDS: [&str; 13] = [
        "lint",
        "fix",
        "undo",
        "inspect",
        "explain",
        "rules",
        "keys",
        "probe",
        "ansible",
        "completions",
        "man",
        "config",
        "policies",
    ];
    let parts = line.split(['`', '|', '(', ')', ';', '"']);
    let mut out = Vec::new();
    for part in parts {
        let words: Vec<&str> = part.split_whitespace().collect();
        let start = words.iter().position(|word| word.ends_with("stekguard"));
        let Some(start) = start else { continue };
        let call: Vec<&str> = words[start + 1..]
            .iter()
            .map(|word| word.trim_matches([',', '.', '\'', ']']))
            .collect();
        if call.first().is_some_and(|word| COMMANDS.contains(word)) {
            out.push(call);
        }
    }
    out
}

/// The help of a command and of all its subcommands; empty where there is no such command.
fn page(command: &str) -> String {
    let ask = |words: &[&str]| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_stekguard"));
        let output = run.args(words).arg("--help").output().unwrap();
        match output.status.success() {
            true => String::from_utf8(output.stdout).unwrap(),
            false => String::new(),
        }
    };
    let mut text = ask(&[command]);
    let subcommands: Vec<String> = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    for subcommand in subcommands {
        text.push_str(&ask(&[command, &subcommand]));
    }
    text
}
