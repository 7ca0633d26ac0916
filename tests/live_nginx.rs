//! What resumes on real nginx servers (the distribution's before 1.23.2, 1.28, and the current one,
//! where since 1.29.2 another block decides), against the documented tables and against `inspect` of the very same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use std::sync::OnceLock;

use support::install::{self, Program};
use support::nginx;
use support::table::Outcome;

fn packaged() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| observed(&install::nginx_packaged(), 0))
}

fn middle() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| observed(&install::nginx_middle(), 1))
}

fn mainline() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| observed(&install::nginx_mainline(), 2))
}

fn observed(program: &Program, family: usize) -> Outcome {
    let version = format!("nginx={}", program.version);
    Outcome::observed(rows::nginx::groups(), family, &version, |group| {
        nginx::start(program, group)
    })
}

#[test]
fn packaged_blocks_equal_the_table() {
    packaged().equals_table();
}

#[test]
fn packaged_crossings_equal_the_table() {
    packaged().crossings_equal_table();
}

#[test]
fn packaged_blocks_equal_inspect() {
    packaged().equals_inspect();
}

#[test]
fn packaged_crossings_equal_inspect() {
    packaged().crossings_equal_inspect();
}

#[test]
fn middle_blocks_equal_the_table() {
    middle().equals_table();
}

#[test]
fn middle_crossings_equal_the_table() {
    middle().crossings_equal_table();
}

#[test]
fn middle_blocks_equal_inspect() {
    middle().equals_inspect();
}

#[test]
fn middle_crossings_equal_inspect() {
    middle().crossings_equal_inspect();
}

#[test]
fn mainline_blocks_equal_the_table() {
    mainline().equals_table();
}

#[test]
fn mainline_crossings_equal_the_table() {
    mainline().crossings_equal_table();
}

#[test]
fn mainline_blocks_equal_inspect() {
    mainline().equals_inspect();
}

#[test]
fn mainline_crossings_equal_inspect() {
    mainline().crossings_equal_inspect();
}
