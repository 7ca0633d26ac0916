//! What resumes on a real httpd, against the documented tables and against `inspect` of the very
//! same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::sync::OnceLock;

use support::apache;
use support::client::Kind::{Id12, Ticket12, Tls13};
use support::install;
use support::observe::State;
use support::table::{Block, Group, Outcome, Row, Want};

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;
/// What a client is told where httpd cannot go on.
const INTERNAL: &str = "alert internal error";
const SHMCB: &str = "SSLSessionCache shmcb:{dir}/scache(512000)\n";

fn httpd() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| {
        let program = install::apache();
        let version = format!("apache={}", program.version);
        Outcome::observed(groups(), 0, &version, |group| {
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

fn one(name: &'static str, lines: &'static str, state: State) -> Row {
    Row::new(name, vec![Block::new("a.test", lines, state)])
}

fn two(name: &'static str, first: Block, second: Block) -> Row {
    Row::new(name, vec![first, second])
}

fn block(name: &'static str, lines: &'static str, state: State) -> Block {
    Block::new(name, lines, state)
}

/// The cache is the process's: one process a cache, the truth table's rows in each.
fn groups() -> Vec<Group> {
    let without = [
        one_vhost(ON, OFF),
        one_vhost_more(),
        two_vhosts(),
        same_names(),
    ]
    .concat();
    let fake = [("on", ON), ("off", OFF)].map(|(word, state)| {
        let lines = if word == "on" {
            ""
        } else {
            "SSLSessionTickets off"
        };
        Row::new(
            "fake id",
            vec![Block::new("a.test", lines, state).fake_id()],
        )
    });
    let cached = || one_vhost(ON_CACHED, OFF_CACHED);
    vec![
        Group {
            outside: "",
            rows: without,
        },
        Group {
            outside: "SSLSessionCache none\n",
            rows: one_vhost(ON, OFF),
        },
        Group {
            outside: "SSLSessionCache nonenotnull\n",
            rows: fake.to_vec(),
        },
        Group {
            outside: SHMCB,
            rows: [cached(), two_cached()].concat(),
        },
        Group {
            outside: "SSLSessionCache dbm:{dir}/scache\n",
            rows: cached(),
        },
        Group {
            outside: "SSLSessionCache shmcb:{dir}/scache(512000)\nSSLSessionCache none\n",
            rows: cached(),
        },
        Group {
            outside: "SSLSessionCache shmcb:{dir}/scache(512000)\nSSLSessionCache nonenotnull\n",
            rows: cached(),
        },
        Group {
            outside: "SSLSessionCache none\nSSLSessionCache shmcb:{dir}/scache(512000)\n",
            rows: cached(),
        },
        Group {
            outside: "SSLSessionTickets off\nSSLSessionCacheTimeout 600\n",
            rows: tickets_off_outside(),
        },
        Group {
            outside: "",
            rows: key_files(),
        },
        Group {
            outside: "SSLOpenSSLConfCmd Options -SessionTicket\n",
            rows: command_outside(),
        },
    ]
}

/// The truth table of one vhost under one cache.
fn one_vhost(on: State, off: State) -> Vec<Row> {
    vec![
        one("tickets unset", "", on),
        one("tickets on", "SSLSessionTickets on", on),
        one("tickets off", "SSLSessionTickets off", off),
    ]
}

/// Timeouts, commands, protocols, keys and implicit TLS of one vhost, without a cache.
fn one_vhost_more() -> Vec<Row> {
    let counted = |tickets13| move |want: &mut Want| want.tickets13 = tickets13;
    let implicit = Row::new("Listen names https", vec![block("a.test", "", ON)]);
    vec![
        one(
            "timeout 1d is a second",
            "SSLSessionCacheTimeout 1d",
            ON.life(1, 1),
        ),
        one(
            "timeout 5m is five seconds",
            "SSLSessionCacheTimeout 5m",
            ON.life(5, 5),
        ),
        one(
            "timeout of no number is two hours",
            "SSLSessionCacheTimeout abc",
            ON.life(7200, 7200),
        ),
        one(
            "timeout 0 is two hours",
            "SSLSessionCacheTimeout 0",
            ON.life(7200, 7200),
        ),
        one(
            "timeout of 30 days, capped in TLS 1.3",
            "SSLSessionCacheTimeout 2592000",
            ON.life(2_592_000, 604_800),
        ),
        one(
            "timeout of dead tickets",
            "SSLSessionCacheTimeout 900\nSSLSessionTickets off",
            OFF.life(-1, 900),
        ),
        one(
            "command ends tickets",
            "SSLOpenSSLConfCmd Options -SessionTicket",
            OFF,
        ),
        one(
            "command against tickets on",
            "SSLOpenSSLConfCmd Options -SessionTicket\nSSLSessionTickets on",
            OFF,
        ),
        one(
            "command brings tickets back",
            "SSLSessionTickets off\nSSLOpenSSLConfCmd Options SessionTicket",
            ON,
        ),
        one(
            "no tickets in TLS 1.3, tickets on",
            "SSLOpenSSLConfCmd NumTickets 0",
            ON.no_tls13_ticket(),
        ),
        one(
            "no tickets in TLS 1.3, tickets off",
            "SSLOpenSSLConfCmd NumTickets 0\nSSLSessionTickets off",
            OFF.no_tls13_ticket(),
        ),
        Row::new(
            "four tickets",
            vec![block("a.test", "SSLOpenSSLConfCmd NumTickets 4", ON).but(counted(4))],
        ),
        one("TLS 1.2 alone", "SSLProtocol TLSv1.2", ON.only_tls12()),
        one(
            "TLS 1.3 alone",
            "SSLProtocol -all +TLSv1.3",
            ON.only_tls13(),
        ),
        Row::new(
            "reached without SNI",
            vec![block("", "SSLSessionCacheTimeout 660", ON.life(660, 660))],
        ),
        Row {
            implicit: true,
            ..implicit
        },
        Row {
            implicit: true,
            ..one(
                "Listen names https, tickets off",
                "SSLSessionTickets off",
                OFF,
            )
        },
    ]
}

/// Two vhosts of one address without a cache, the first is the default.
fn two_vhosts() -> Vec<Row> {
    const TICKETS_OFF: &str = "SSLSessionTickets off";
    vec![
        two(
            "tickets on, off",
            block("a.test", "", ON),
            block("b.test", TICKETS_OFF, OFF),
        )
        .crossing(Ticket12, ["full"; 2], ["none"; 2])
        .crossing(Tls13, ["full"; 2], ["full"; 2]),
        two(
            "tickets off, on",
            block("a.test", TICKETS_OFF, OFF),
            block("b.test", "", OFF),
        ),
        two(
            "tickets on in both",
            block("a.test", "", ON),
            block("b.test", "", ON),
        )
        .crossing(Ticket12, ["full"; 2], ["full"; 2])
        .crossing(Tls13, ["full"; 2], ["full"; 2]),
        two(
            "command in the first",
            block("a.test", "SSLOpenSSLConfCmd Options -SessionTicket", OFF),
            block("b.test", "", OFF),
        ),
        two(
            "command in the second",
            block("a.test", "", ON),
            block("b.test", "SSLOpenSSLConfCmd Options -SessionTicket", OFF),
        ),
        two(
            "number of tickets in the first",
            block(
                "a.test",
                "SSLOpenSSLConfCmd NumTickets 0",
                ON.no_tls13_ticket(),
            ),
            block("b.test", "", ON.no_tls13_ticket()),
        ),
        two(
            "number of tickets in the second",
            block("a.test", "", ON),
            block("b.test", "SSLOpenSSLConfCmd NumTickets 0", ON),
        ),
        two(
            "timeouts",
            block("a.test", "SSLSessionCacheTimeout 77", ON.life(77, 77)),
            block("b.test", "SSLSessionCacheTimeout 999", ON.life(77, 77)),
        ),
        two(
            "protocols: the second has more",
            block("a.test", "SSLProtocol TLSv1.2", ON.only_tls12()),
            block("b.test", "SSLProtocol TLSv1.2 +TLSv1.3", ON),
        ),
        two(
            "protocols: the second has less",
            block("a.test", "", ON),
            block("b.test", "SSLProtocol TLSv1.2", ON.only_tls12()),
        ),
        two(
            "key file in the second alone",
            block("a.test", "", ON),
            block("b.test", "SSLSessionTicketKeyFile {dir}/k2.key", ON),
        ),
    ]
}

/// The name and port of a vhost are the session id context: the same name, or none, lets sessions
/// cross.
fn same_names() -> Vec<Row> {
    const SAME_A: &str = "ServerName same.test\nServerAlias a.test";
    const SAME_B: &str = "ServerName same.test\nServerAlias b.test";
    vec![
        two(
            "one ServerName",
            block("a.test", SAME_A, ON),
            block("b.test", SAME_B, ON),
        )
        .crossing(Ticket12, ["resumes"; 2], ["resumes"; 2])
        .crossing(Tls13, ["resumes"; 2], ["resumes"; 2]),
        two(
            "no ServerName",
            block("a.test", "ServerAlias a.test", ON),
            block("b.test", "ServerAlias b.test", ON).other_certificate(),
        )
        .crossing(Ticket12, ["resumes"; 2], ["resumes"; 2])
        .crossing(Tls13, ["resumes"; 2], ["resumes"; 2]),
    ]
}

/// Two vhosts of one address with a cache.
fn two_cached() -> Vec<Row> {
    const OFF_77: &str = "SSLSessionTickets off\nSSLSessionCacheTimeout 77";
    const ZERO_OFF: &str = "SSLSessionTickets off\nSSLSessionCacheTimeout 0";
    const ZERO_12: &str = "SSLProtocol TLSv1.2\nSSLSessionCacheTimeout 0";
    const OFF_999: &str = "SSLSessionTickets off\nSSLSessionCacheTimeout 999";
    let dying = |lines| {
        let broken = Some(["Tls13, full handshake 0", INTERNAL]);
        block("a.test", lines, ON).but(|want| want.broken = broken)
    };
    vec![
        two(
            "tickets on, off",
            block("a.test", "", ON_CACHED),
            block("b.test", "SSLSessionTickets off", OFF_CACHED),
        )
        .crossing(Id12, ["full"; 2], ["full"; 2])
        .crossing(Tls13, ["full"; 2], ["full"; 2]),
        two(
            "tickets off, on",
            block("a.test", "SSLSessionTickets off", OFF_CACHED),
            block("b.test", "", OFF_CACHED),
        ),
        two(
            "timeouts: the stored session has the second's",
            block("a.test", OFF_77, OFF_CACHED.life(77, 77)),
            block("b.test", OFF_999, OFF_CACHED.life(999, 999)),
        ),
        // Stored sessions are over at once; a stateful ticket says so.
        Row::new(
            "timeout 0, tickets off",
            vec![block("a.test", ZERO_OFF, OFF.life(-1, 0)).fake_id()],
        ),
        Row::new(
            "timeout 0 in TLS 1.2, tickets on",
            vec![block("a.test", ZERO_12, ON.life(7200, -1).only_tls12()).fake_id()],
        ),
        // httpd breaks off every connection of TLS 1.3, and TLS 1.2 goes on.
        Row::new(
            "timeout 0, tickets on",
            vec![dying("SSLSessionCacheTimeout 0")],
        ),
        Row::new(
            "timeout of no number, tickets on",
            vec![dying("SSLSessionCacheTimeout abc")],
        ),
        one(
            "command, cache stays",
            "SSLOpenSSLConfCmd Options -SessionTicket",
            OFF_CACHED,
        ),
    ]
}

/// Outside every vhost: tickets off, ten minutes.
fn tickets_off_outside() -> Vec<Row> {
    let off = OFF.life(-1, 600);
    let on = ON.life(600, 600);
    vec![
        one("inherited", "", off),
        one(
            "set again",
            "SSLSessionTickets on\nSSLSessionCacheTimeout 300",
            ON,
        ),
        two(
            "unset, on",
            block("a.test", "", off),
            block("b.test", "SSLSessionTickets on", off),
        ),
        two(
            "on, unset",
            block("a.test", "SSLSessionTickets on", on),
            block("b.test", "", off),
        ),
    ]
}

/// Outside every vhost: a command that ends tickets. A vhost's commands come after it.
fn command_outside() -> Vec<Row> {
    vec![
        one("command inherited", "", OFF),
        one(
            "command inherited against tickets on",
            "SSLSessionTickets on",
            OFF,
        ),
        one(
            "another command leaves it",
            "SSLOpenSSLConfCmd Options PrioritizeChaCha",
            OFF,
        ),
        one(
            "the opposite command wins",
            "SSLOpenSSLConfCmd Options SessionTicket",
            ON,
        ),
    ]
}

/// Key files.
fn key_files() -> Vec<Row> {
    const K1: &str = "SSLSessionTicketKeyFile {dir}/k1.key";
    const K2: &str = "SSLSessionTicketKeyFile {dir}/k2.key";
    let broken =
        block("b.test", "", ON).but(|want| want.broken = Some(["full handshake 0", INTERNAL]));
    vec![
        Row::new("key file", vec![block("a.test", K1, ON).key("k1")]),
        two(
            "key files",
            block("a.test", K1, ON).key("k1"),
            block("b.test", K2, ON).key("k2"),
        ),
        two(
            "key file in the first alone",
            block("a.test", K1, ON).key("k1"),
            broken,
        ),
    ]
}
