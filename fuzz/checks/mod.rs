//! What must hold for every input, whoever made it: one function for each fuzz target, called by
//! the targets of cargo-fuzz and, on stable Rust, by `tests/fuzz_replay.rs`. A check panics where
//! a property is violated, and must not depend on anything outside its input.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

mod ansible;
mod fleet;
mod patch;
mod project;
mod remarks;
mod repair;
mod settings;
pub(crate) mod trees;
mod values;
mod world;

/// A fuzz target: its name and its check.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target; each has a file of its name in `fuzz_targets/`.
pub(crate) const TARGETS: [Target; 11] = [
    ("nginx_tree", trees::nginx),
    ("apache_tree", trees::apache),
    ("includes", project::includes),
    ("expanded", project::expanded),
    ("values", values::all),
    ("fix_nginx", repair::nginx),
    ("fix_apache", repair::apache),
    ("fleet_record", fleet::record),
    ("suppression", remarks::all),
    ("settings", settings::all),
    ("ansible", ansible::all),
];

/// The check of the target of this name.
pub(crate) fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, check) = target.expect("a target of this name");
    check(bytes);
}
