//! Every rule against its cases in testdata/rules: what is found, to the column, and what the
//! fix leaves behind. A folder is the registration; testdata/rules/README.md says how.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod judging;

use std::path::{Path, PathBuf};

use judging::Case;
use stekguard::rules;

const MAIN_FILES: [&str; 3] = ["nginx.conf", "apache2.conf", "httpd.conf"];

#[test]
fn every_rule_has_bad_and_good_cases_and_every_folder_a_rule() {
    for rule in rules::all() {
        for kind in ["bad_", "good_"] {
            let some = cases(rule.name)
                .iter()
                .any(|case| name_of(case).starts_with(kind));
            assert!(some, "{}: no {kind} case", rule.name);
        }
    }
    for folder in entries(&data()).into_iter().filter(|path| path.is_dir()) {
        assert!(
            rules::by_name(name_of(&folder)).is_some(),
            "{folder:?} is no rule"
        );
    }
}

#[test]
fn cases_are_found_as_expected() {
    let mut wrong = Vec::new();
    let mut counts = (0, 0);
    for rule in rules::all() {
        for path in cases(rule.name) {
            let (case, base) = open(&path);
            counts.0 += 1;
            counts.1 += case.platforms.len();
            let found = case.findings(&base);
            let expected = expected(&path);
            if let Some(difference) = difference(rule.name, &path, &expected, &found) {
                wrong.push(difference);
            }
        }
    }
    println!("{} cases, {} judgements", counts.0, counts.1);
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn fixes_leave_behind_what_is_expected() {
    let mut wrong = Vec::new();
    let mut fixed = 0;
    for rule in rules::all() {
        for path in cases(rule.name) {
            let (case, base) = open(&path);
            let changed = case.fixed(rule.name);
            let mut changed: Vec<(String, String)> = changed
                .into_iter()
                .map(|(file, text)| (relative(&file, &base), text))
                .collect();
            changed.sort();
            fixed += changed.len();
            let expected = expected_after(&path);
            if changed != expected {
                wrong.push(format!(
                    "{}: {changed:#?}\nexpected {expected:#?}",
                    path.display()
                ));
            }
        }
    }
    println!("{fixed} files fixed");
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Bad cases find something of their rule, good ones nothing of it; all else as written.
fn difference(rule: &str, path: &Path, expected: &[String], found: &[String]) -> Option<String> {
    let finds = expected
        .iter()
        .any(|line| line.split(' ').nth(2) == Some(rule));
    if finds != name_of(path).starts_with("bad_") {
        return Some(format!(
            "{}: the expectation does not fit the name",
            path.display()
        ));
    }
    let same = expected.len() == found.len()
        && expected
            .iter()
            .zip(found)
            .all(|(expected, found)| found.starts_with(expected));
    (!same).then(|| format!("{}: {found:#?}\nexpected {expected:#?}", path.display()))
}

/// The case of a file, or of a folder with a main file, and what its paths are relative to.
fn open(path: &Path) -> (Case, PathBuf) {
    let main = match path.is_dir() {
        true => MAIN_FILES
            .iter()
            .map(|name| path.join(name))
            .find(|path| path.exists())
            .unwrap(),
        false => path.to_path_buf(),
    };
    let text = std::fs::read_to_string(&main).unwrap();
    (Case::of(&main, &text), main.parent().unwrap().to_path_buf())
}

/// One line a finding; the message as far as it is written.
fn expected(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The files that the fix changes with their text afterwards.
fn expected_after(path: &Path) -> Vec<(String, String)> {
    let after = path.with_extension("fixed");
    if after.is_file() {
        return vec![(
            name_of(path).to_owned(),
            std::fs::read_to_string(&after).unwrap(),
        )];
    }
    let mut files = Vec::new();
    let mut folders = vec![after.clone()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => {
                    let text = std::fs::read_to_string(&entry).unwrap();
                    files.push((relative(&entry, &after), text));
                }
            }
        }
    }
    files.sort();
    files
}

fn cases(rule: &str) -> Vec<PathBuf> {
    let all = entries(&data().join(rule)).into_iter();
    let is_case = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default();
        extension == "conf" || (path.is_dir() && extension.is_empty())
    };
    all.filter(is_case).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(read) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn relative(path: &Path, base: &Path) -> String {
    path.strip_prefix(base)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules")
}
