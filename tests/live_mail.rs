//! What resumes on nginx's mail proxy, with TLS from the start and by STARTTLS, against the
//! documented table and against `inspect` of the very same files. On the nginx that the script
//! builds: neither the distribution's nor the current one is sure to have mail.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use support::client::Speech;
use support::install;
use support::mail::Protocol::{Imap, Pop3, Smtp};
use support::nginx;
use support::table::{Group, Outcome};

#[test]
fn smtp_equals_table_and_inspect() {
    judge(rows::nginx::single(), Speech::Mail(Smtp));
}

#[test]
fn imap_by_starttls_equals_table_and_inspect() {
    judge(rows::nginx::single(), Speech::StartTls(Imap));
}

#[test]
fn other_ways_in_equal_table_and_inspect() {
    let ways = [
        Speech::Mail(Imap),
        Speech::Mail(Pop3),
        Speech::StartTls(Smtp),
        Speech::StartTls(Pop3),
    ];
    for speech in ways {
        judge(rows::nginx::table(), speech);
    }
}

fn judge(groups: Vec<Group>, speech: Speech) {
    println!("{speech:?}");
    let program = install::nginx_middle();
    let version = format!("nginx={}", program.version);
    let seen = Outcome::observed(groups, 1, &version, |group| {
        nginx::start_as(&program, group, speech)
    });
    seen.equals_table();
    seen.equals_inspect();
}
