//! The timeline of keys that the tool made itself.

use std::process::Command;

use crate::keys_bench::{Memory, Ran};
use crate::xml;

fn keys(memory: &Memory, command: &str, more: &[&str]) -> Ran {
    let mut keys = Command::new(env!("CARGO_BIN_EXE_stekguard"));
    keys.args(["keys", command, "--isolated", "--dir"])
        .arg(memory.keys())
        .args([
            "--pid-file",
            "/nonexistent",
            "--server-config",
            "/nonexistent",
        ])
        .args(more)
        .env("NO_COLOR", "1");
    Ran::of(keys)
}

#[test]
fn a_host_that_has_just_made_its_keys_draws_them() {
    let memory = Memory::new("1m");
    keys(&memory, "init", &["--leave-server"]).ended(0);
    let status = keys(&memory, "status", &[]).ended(0).out;
    let encrypts = status
        .lines()
        .find_map(|line| line.strip_prefix("encrypts"));
    let id = encrypts.unwrap().trim().split(' ').next().unwrap();

    let page = keys(&memory, "status", &["--timeline", "text", "--width", "120"])
        .ended(0)
        .out;
    let rows: Vec<&str> = page.lines().filter(|line| line.contains('#')).collect();
    // The key of this slot and two ahead; the first of them is the one that status names.
    assert_eq!(rows.len(), 4, "three rows and the legend: {page}");
    assert!(rows[0].starts_with("> ") && rows[0].contains(id), "{page}");
    assert!(
        page.lines().all(|line| line.chars().count() <= 120),
        "{page}"
    );

    let picture = keys(&memory, "status", &["--timeline", "svg"]).ended(0).out;
    let root = xml::parse(&picture);
    let encrypting = format!("Key {id} encrypts from ");
    assert!(root.children[1].text.contains(&encrypting), "{picture}");
    // One form at a time.
    keys(
        &memory,
        "status",
        &["--timeline", "svg", "--format", "json"],
    )
    .ended(2);
}
