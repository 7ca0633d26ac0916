//! What resumes over QUIC on nginx, against the documented table and against `inspect` of the very
//! same files. On the nginx that the script builds alone: the distribution's is older than HTTP/3
//! and the current one's package comes without it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod rows;
mod support;

use std::sync::OnceLock;

use support::client::Speech;
use support::install;
use support::nginx;
use support::table::Outcome;

fn seen() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| {
        let program = install::nginx_middle();
        let version = format!("nginx={}", program.version);
        Outcome::observed(rows::nginx::quic(), 1, &version, |group| {
            nginx::start_as(&program, group, Speech::Quic)
        })
    })
}

#[test]
fn blocks_equal_the_table() {
    seen().equals_table();
}

#[test]
fn crossings_equal_the_table() {
    seen().crossings_equal_table();
}

#[test]
fn blocks_equal_inspect() {
    seen().equals_inspect();
}

#[test]
fn crossings_equal_inspect() {
    seen().crossings_equal_inspect();
}

#[test]
fn inspect_says_quic() {
    seen().every_transport_is("quic");
}
