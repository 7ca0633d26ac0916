//! Sessions of one name at another one on real nginx servers of three ages, where clients show
//! certificates: against the documented table and against `inspect` of the very same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use support::install::{self, Program};
use support::nginx;
use support::table::Outcome;

#[test]
fn packaged_equals_table_and_inspect() {
    let program = install::nginx_packaged();
    let package = install::nginx_package(&program);
    println!("package under test: {package:?}");
    judge(&program, 0, package);
}

#[test]
fn middle_equals_table_and_inspect() {
    judge(&install::nginx_middle(), 1, None);
}

#[test]
fn mainline_equals_table_and_inspect() {
    judge(&install::nginx_mainline(), 2, None);
}

fn judge(program: &Program, family: usize, package: Option<String>) {
    let checked = package
        .as_deref()
        .is_some_and(install::has_backported_check);
    let version = format!("nginx={}", program.version);
    let package = package.map(|package| format!("nginx={package}"));
    let mut arguments = vec!["--server-version", &version];
    arguments.extend(package.iter().flat_map(|text| ["--package", text.as_str()]));
    let groups = rows::nginx::client_auth(checked);
    let seen = Outcome::observed_with(groups, family, &arguments, |group| {
        nginx::start(program, group)
    });
    seen.equals_table();
    seen.crossings_equal_table();
    seen.equals_inspect();
    seen.crossings_equal_inspect();
}
