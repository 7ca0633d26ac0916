//! The tables of ARCHITECTURE.md are the rule: which room may use which, and which files may
//! touch what lies outside the process.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the tables say.
#[derive(Debug)]
struct Rules {
    /// Room to the rooms it may use.
    rooms: BTreeMap<String, BTreeSet<String>>,
    /// What an effect is, how it is spelled, and the files that may have it.
    effects: Vec<(String, Vec<String>, Vec<String>)>,
}

fn manifest() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Rows of the table whose head starts with this cell.
fn table(page: &str, head: &str) -> Vec<Vec<String>> {
    let head = format!("| {head} |");
    let rows: Vec<Vec<String>> = page
        .lines()
        .skip_while(|line| !line.starts_with(&head))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
            inner
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table {head}");
    rows
}

fn list(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split(',')
        .map(|item| item.trim().trim_matches('`').to_owned())
        .filter(|it| !it.is_empty())
}

fn rules(page: &str) -> Rules {
    let rooms = table(page, "room")
        .into_iter()
        .map(|row| (row[0].clone(), list(&row[1]).collect()))
        .collect();
    let effects = table(page, "effect")
        .into_iter()
        .map(|row| {
            (
                row[0].clone(),
                list(&row[1]).collect(),
                list(&row[2]).collect(),
            )
        })
        .collect();
    Rules { rooms, effects }
}

/// Production code of a file: comments blanked, a test module at its end cut off.
fn code(text: &str) -> String {
    let text = text
        .split_once("#[cfg(test)]\nmod ")
        .map_or(text, |(before, _)| before);
    let lines = text.lines().map(|line| {
        let trimmed = line.trim_start();
        if trimmed.starts_with("//") { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Rooms named behind `crate::`, one by one or in a group.
fn imported(code: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => out.extend(first_segments(group)),
            None => {
                out.insert(identifier(rest));
            }
        }
    }
    out.retain(|name| !name.is_empty());
    out
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// `a::{b, c}, d::e}` to `a`, `d`.
fn first_segments(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut expected = true;
    let mut out = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            c if expected && !c.is_whitespace() => {
                out.push(identifier(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    out
}

/// True when a chain of `super::` leaves the room: that would be an import in disguise.
fn leaves_by_super(path: &str, code: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let depth = match parts.last() {
        Some(&"mod.rs") => parts.len() - 1,
        _ => parts.len(),
    };
    let chain = "super::".repeat(depth.max(1));
    // Behind a quotation mark it is text, such as what a generator writes.
    code.lines().any(|line| {
        line.split('"')
            .next()
            .is_some_and(|start| start.contains(&chain))
    })
}

/// Everything that `files` (path below src, text) do against the rules.
fn violations(rules: &Rules, files: &[(String, String)]) -> Vec<String> {
    let mut out = Vec::new();
    for (path, text) in files {
        let code = code(text);
        out.extend(import_violations(rules, path, &code));
        for (effect, spellings, places) in &rules.effects {
            let allowed = places.iter().any(|place| {
                place == path || (place.ends_with('/') && path.starts_with(place.as_str()))
            });
            let found = spellings
                .iter()
                .find(|spelling| code.contains(spelling.as_str()));
            if let Some(spelling) = found.filter(|_| !allowed) {
                out.push(format!("{path}: {effect} ({spelling})"));
            }
        }
        if !text.starts_with("//!") {
            out.push(format!("{path}: does not open with //!"));
        }
    }
    out
}

fn import_violations(rules: &Rules, path: &str, code: &str) -> Vec<String> {
    let Some((room, _)) = path.split_once('/') else {
        return Vec::new();
    };
    let Some(allowed) = rules.rooms.get(room) else {
        return vec![format!("{path}: the room {room} is not in the table")];
    };
    let mut out: Vec<String> = imported(code)
        .into_iter()
        .filter(|used| used != room && rules.rooms.contains_key(used) && !allowed.contains(used))
        .map(|used| format!("{path}: {room} may not use {used}"))
        .collect();
    if leaves_by_super(path, code) {
        out.push(format!("{path}: leaves its room by super::"));
    }
    out
}

fn sources() -> Vec<(String, String)> {
    fn walk(directory: &Path, base: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(base)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                out.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let base = manifest().join("src");
    let mut out = Vec::new();
    walk(&base, &base, &mut out);
    // A module of tests in a file of its own is no production code.
    out.retain(|(path, _)| !path.ends_with("/tests.rs"));
    out.sort();
    out
}

fn page() -> String {
    fs::read_to_string(manifest().join("ARCHITECTURE.md")).unwrap()
}

#[test]
fn every_room_keeps_to_the_table() {
    let rules = rules(&page());
    let sources = sources();
    let found = violations(&rules, &sources);
    println!(
        "{} files, {} rooms, {} effects",
        sources.len(),
        rules.rooms.len(),
        rules.effects.len()
    );
    assert!(sources.len() > 30);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_room_of_the_table_exists_and_the_table_has_no_cycle() {
    let rules = rules(&page());
    for (room, allowed) in &rules.rooms {
        assert!(
            manifest().join("src").join(room).join("mod.rs").is_file(),
            "no room {room}"
        );
        for used in allowed {
            assert!(
                rules.rooms.contains_key(used),
                "{room} uses {used}, which is no room"
            );
            assert!(
                !rules.rooms[used].contains(room),
                "{room} and {used} use each other"
            );
        }
    }
}

/// A file that keeps to the rules, with one line planted.
fn planted(path: &str, line: &str) -> Vec<String> {
    let text = format!("//! A planted file.\n\n{line}\n");
    violations(&rules(&page()), &[(path.to_owned(), text)])
}

#[test]
fn a_planted_import_is_found() {
    let cases = [
        (
            "syntax/nginx/lexer.rs",
            "use crate::source::Project;",
            "syntax may not use source",
        ),
        (
            "rules/shared/x.rs",
            "use crate::{finding::Finding, syntax::{Tree, Node}};",
            "rules may not use syntax",
        ),
        (
            "rules/shared/x.rs",
            "fn f() { crate::source::load(); }",
            "rules may not use source",
        ),
        (
            "text/span.rs",
            "use crate::catalog;",
            "text may not use catalog",
        ),
        (
            "model/nginx.rs",
            "use crate::rules::all;",
            "model may not use rules",
        ),
        (
            "cli/lint.rs",
            "use crate::source::Disk;",
            "cli may not use source",
        ),
        (
            "report/text.rs",
            "pub(crate) fn f(x: &crate::app::Outcome) {}",
            "report may not use app",
        ),
        (
            "model/mod.rs",
            "use super::rules;",
            "leaves its room by super::",
        ),
        (
            "model/nginx/tree.rs",
            "use super::super::super::rules;",
            "leaves its room by super::",
        ),
        ("attic/mod.rs", "", "the room attic is not in the table"),
    ];
    for (path, line, expected) in cases {
        let found = planted(path, line);
        assert_eq!(found, [format!("{path}: {expected}")], "{line}");
    }
}

#[test]
fn a_planted_effect_is_found() {
    for (path, line) in [
        ("model/nginx.rs", "use std::fs;"),
        (
            "rules/shared/x.rs",
            "let now = std::time::SystemTime::now();",
        ),
        ("fix/plan.rs", "std::process::exit(1);"),
        ("app/lint.rs", "use std::process::{Command, Stdio};"),
        ("app/lint.rs", "println!(\"clean\");"),
        ("source/disk.rs", "use std::net::TcpStream;"),
        ("report/paint.rs", "let on = std::env::var(\"NO_COLOR\");"),
    ] {
        assert_eq!(
            planted(path, line).len(),
            1,
            "{path}: {line}: {:?}",
            planted(path, line)
        );
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    for (path, line) in [
        ("source/disk.rs", "use std::fs;"),
        ("model/nginx/tree.rs", "use super::super::Site;"),
        (
            "rules/shared/x.rs",
            "// crate::source is not for us\nuse crate::model::Site;",
        ),
        (
            "model/nginx.rs",
            "#[cfg(test)]\nmod tests { use crate::rules::all; }",
        ),
        (
            "main.rs",
            "fn main() { stekguard::cli::run(std::env::args_os()); }",
        ),
    ] {
        assert_eq!(planted(path, line), [""; 0], "{path}: {line}");
    }
}
