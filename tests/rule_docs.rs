//! Every rule's page holds what it says: each example is found by the rule, and what stands
//! under "Use instead" is found by none.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod judging;

use judging::Case;
use stekguard::rules;

const SECTIONS: [&str; 6] = [
    "## What it finds",
    "## Why",
    "## Example",
    "## Use instead",
    "## Fix safety",
    "## References",
];

#[test]
fn pages_have_their_sections_in_order() {
    for rule in rules::all() {
        let page = rule.page();
        let mut rest = page.as_str();
        for section in SECTIONS {
            let at = rest.find(&format!("\n{section}\n"));
            let at =
                at.unwrap_or_else(|| panic!("{}: no section {section:?} in its place", rule.name));
            rest = &rest[at..];
        }
        assert!(
            !page.starts_with('#') && page.contains(".\n"),
            "{}: first a sentence",
            rule.name
        );
        assert!(rest.contains("https://"), "{}: no reference", rule.name);
    }
}

#[test]
fn rules_are_sorted_and_named_like_their_files() {
    let names: Vec<&str> = rules::all().iter().map(|rule| rule.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for rule in rules::all() {
        let file = format!("include_str!(\"{}.rs\")", rule.name.replace('-', "_"));
        assert!(rule.source.contains(&file), "{}: {file}", rule.name);
        assert!(std::ptr::eq(rules::by_name(rule.name).unwrap(), rule));
    }
    assert!(rules::by_name("no-such-rule").is_none());
}

#[test]
fn examples_are_found_and_what_to_use_instead_is_not() {
    let mut counts = (0, 0);
    let mut wrong = Vec::new();
    for rule in rules::all() {
        for text in blocks(&rule.page(), "## Example") {
            let found = judge(&text);
            let own = format!(" {} ", rule.name);
            if !found.iter().any(|line| line.contains(&own)) {
                wrong.push(format!(
                    "{}: not found, but {found:?} in\n{text}",
                    rule.name
                ));
            }
            counts.0 += 1;
        }
        for text in blocks(&rule.page(), "## Use instead") {
            let found = judge(&text);
            if !found.is_empty() {
                wrong.push(format!("{}: {found:?} in\n{text}", rule.name));
            }
            counts.1 += 1;
        }
    }
    println!(
        "{} examples found, {} alternatives clean",
        counts.0, counts.1
    );
    assert!(counts.0 >= rules::all().len() && counts.1 >= rules::all().len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.conf");
    std::fs::write(&path, text).unwrap();
    Case::of(&path, text).findings(folder.path())
}

/// The fenced blocks of a section.
fn blocks(page: &str, section: &str) -> Vec<String> {
    let start = page.find(&format!("\n{section}\n")).unwrap() + section.len() + 2;
    let end = page[start..]
        .find("\n## ")
        .map_or(page.len(), |end| start + end);
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page[start..end].lines() {
        match (&mut open, line.starts_with("```")) {
            (Some(_), true) => blocks.extend(open.take()),
            (None, true) => open = Some(String::new()),
            (Some(text), false) => text.push_str(&format!("{line}\n")),
            (None, false) => {}
        }
    }
    assert!(!blocks.is_empty() && open.is_none(), "{section}");
    blocks
}
