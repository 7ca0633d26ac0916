//! What resumes on a real httpd, against the documented tables and against `inspect` of the very
//! same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use std::sync::OnceLock;

use support::apache;
use support::install;
use support::table::Outcome;

fn httpd() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| {
        let program = install::apache();
        let version = format!("apache={}", program.version);
        Outcome::observed(rows::apache::groups(), 0, &version, |group| {
            apache::start(&program, group)
        })
    })
}

#[test]
fn blocks_equal_the_table() {
    httpd().equals_table();
}

#[test]
fn crossings_equal_the_table() {
    httpd().crossings_equal_table();
}

#[test]
fn blocks_equal_inspect() {
    httpd().equals_inspect();
}

#[test]
fn crossings_equal_inspect() {
    httpd().crossings_equal_inspect();
}
