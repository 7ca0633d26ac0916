//! `probe` against the real httpd: the truth table of one vhost and which of two decides, as
//! the program itself sees it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use support::{apache, install, probe};

#[test]
fn httpd_is_seen_as_the_table_says() {
    let program = install::apache();
    let groups = rows::apache::groups();
    let judged = probe::equals_table(groups, 0, |group| apache::start(&program, group));
    assert!(judged > 40, "{judged}");
}
