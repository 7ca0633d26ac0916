//! What resumes on real nginx servers, one before and one after 1.29.2, against the documented
//! tables and against `inspect` of the very same files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::sync::OnceLock;

use support::client::Kind::{Id12, Ticket12, Tls13};
use support::install::{self, Program};
use support::nginx;
use support::observe::State;
use support::table::{Block, Group, Outcome, Row};

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;

fn packaged() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| observed(&install::nginx_packaged(), 0))
}

fn mainline() -> &'static Outcome {
    static SEEN: OnceLock<Outcome> = OnceLock::new();
    SEEN.get_or_init(|| observed(&install::nginx_mainline(), 1))
}

fn observed(program: &Program, family: usize) -> Outcome {
    let version = format!("nginx={}", program.version);
    Outcome::observed(groups(), family, &version, |group| {
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

/// A block that shows the same in all versions. The protocols are written out: TLS 1.3 is in the
/// default since 1.23.4 only.
fn block(name: &'static str, lines: &'static str, state: State) -> Block {
    split(name, lines, state, state)
}

/// A block that shows one state before 1.29.2 and another one since.
fn split(name: &'static str, lines: &'static str, old: State, new: State) -> Block {
    Block::split(name, lines, old, new).fake_id()
}

fn one(name: &'static str, lines: &'static str, state: State) -> Row {
    Row::new(name, vec![block("a.test", lines, state)])
}

fn two(name: &'static str, first: Block, second: Block) -> Row {
    Row::new(name, vec![first, second])
}

fn groups() -> Vec<Group> {
    const PROTOCOLS: &str = "    ssl_protocols TLSv1.2 TLSv1.3;\n";
    let rows = [
        one_server(),
        one_server_more(),
        two_servers(),
        two_servers_more(),
    ]
    .concat();
    vec![
        Group {
            outside: PROTOCOLS,
            rows,
        },
        Group {
            outside: "",
            rows: default_protocols(),
        },
        Group {
            outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_tickets off;\n    \
                      ssl_session_cache shared:outside:1m;\n    ssl_session_timeout 10m;\n",
            rows: inherited(),
        },
        Group {
            outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n    \
                      ssl_conf_command Options -SessionTicket;\n",
            rows: inherited_command(),
        },
    ]
}

/// The truth table of one server: tickets by cache.
fn one_server() -> Vec<Row> {
    const PER_WORKER: State = State {
        id: "per-worker",
        ..ON
    };
    const PER_WORKER_OFF: State = State {
        id: "per-worker",
        resumes: "per-worker",
        ..OFF_CACHED
    };
    vec![
        one("tickets on, cache none", "", ON),
        one(
            "tickets on, cache none, said",
            "ssl_session_tickets on;\nssl_session_cache none;",
            ON,
        ),
        Row::new(
            "tickets on, cache off",
            vec![block("a.test", "ssl_session_cache off;", ON).no_id()],
        ),
        one(
            "tickets on, cache builtin",
            "ssl_session_cache builtin;",
            PER_WORKER,
        ),
        one(
            "tickets on, cache shared",
            "ssl_session_cache shared:{zone}:1m;",
            ON_CACHED,
        ),
        one(
            "tickets on, cache builtin and shared",
            "ssl_session_cache builtin:1000 shared:{zone}:1m;",
            ON_CACHED,
        ),
        one("tickets off, cache none", "ssl_session_tickets off;", OFF),
        Row::new(
            "tickets off, cache off",
            vec![
                block(
                    "a.test",
                    "ssl_session_tickets off;\nssl_session_cache off;",
                    OFF,
                )
                .no_id(),
            ],
        ),
        one(
            "tickets off, cache builtin",
            "ssl_session_tickets off;\nssl_session_cache builtin;",
            PER_WORKER_OFF,
        ),
        one(
            "tickets off, cache shared",
            "ssl_session_tickets off;\nssl_session_cache shared:{zone}:1m;",
            OFF_CACHED,
        ),
        one(
            "tickets off, cache builtin and shared",
            "ssl_session_tickets off;\nssl_session_cache builtin:1000 shared:{zone}:1m;",
            OFF_CACHED,
        ),
    ]
}

/// Sticky words of the cache, timeouts, commands, keys and protocols of one server.
fn one_server_more() -> Vec<Row> {
    const ZERO: State = ON.life(7200, 7200);
    const ZERO_BOUNDED: State = State {
        resumes: "never",
        ..ZERO
    };
    const BUILTIN_ZERO: State = State {
        id: "per-worker",
        resumes: "per-worker",
        ..OFF_CACHED
    }
    .life(7200, 7200);
    let counted = |tickets13| move |want: &mut support::table::Want| want.tickets13 = tickets13;
    vec![
        one(
            "none before shared sticks",
            "ssl_session_cache none;\nssl_session_cache shared:{zone}:1m;",
            ON,
        ),
        one(
            "none after shared sticks",
            "ssl_session_cache shared:{zone}:1m;\nssl_session_cache none;",
            ON,
        ),
        Row::new(
            "off beside shared sticks",
            vec![block("a.test", "ssl_session_cache shared:{zone}:1m off;", ON).no_id()],
        ),
        one(
            "two cache lines add up",
            "ssl_session_cache builtin;\nssl_session_cache shared:{zone}:1m;\n\
             ssl_session_tickets off;",
            OFF_CACHED,
        ),
        one(
            "timeout 1d",
            "ssl_session_timeout 1d;",
            ON.life(86_400, 86_400),
        ),
        one(
            "timeout 30d, capped in TLS 1.3",
            "ssl_session_timeout 30d;",
            ON.life(2_592_000, 604_800),
        ),
        // Since 1.23.2 nginx itself bounds sessions of TLS 1.3, by the 0 that OpenSSL takes for
        // its default.
        Row::new(
            "timeout 0 is two hours",
            vec![split(
                "a.test",
                "ssl_session_timeout 0;",
                ZERO,
                ZERO_BOUNDED,
            )],
        ),
        // The shared zone's own clock has no default: what is stored is over at once.
        one(
            "timeout 0 with a shared cache, tickets off",
            "ssl_session_timeout 0;\nssl_session_tickets off;\n\
             ssl_session_cache shared:{zone}:1m;",
            OFF.life(-1, 7200),
        ),
        Row::new(
            "timeout 0 with a shared cache",
            vec![split(
                "a.test",
                "ssl_session_timeout 0;\nssl_session_cache shared:{zone}:1m;",
                ZERO,
                ZERO_BOUNDED,
            )],
        ),
        Row::new(
            "timeout 0 with a builtin cache, tickets off",
            vec![split(
                "a.test",
                "ssl_session_timeout 0;\nssl_session_tickets off;\nssl_session_cache builtin;",
                BUILTIN_ZERO,
                State {
                    resumes: "never",
                    ..BUILTIN_ZERO
                },
            )],
        ),
        one(
            "timeout of stateful tickets",
            "ssl_session_timeout 1h30m;\nssl_session_tickets off;\n\
             ssl_session_cache shared:{zone}:1m;",
            OFF_CACHED.life(5400, 5400),
        ),
        one(
            "timeout of dead tickets",
            "ssl_session_timeout 15m;\nssl_session_tickets off;",
            OFF.life(-1, 900),
        ),
        one(
            "command ends tickets",
            "ssl_conf_command Options -SessionTicket;",
            OFF,
        ),
        one(
            "command brings tickets back",
            "ssl_session_tickets off;\nssl_conf_command Options SessionTicket;",
            ON,
        ),
        one(
            "command ends tickets, cache stays",
            "ssl_session_cache shared:{zone}:1m;\nssl_conf_command Options -SessionTicket;",
            OFF_CACHED,
        ),
        one(
            "no tickets in TLS 1.3, tickets on",
            "ssl_conf_command NumTickets 0;",
            ON.no_tls13_ticket(),
        ),
        one(
            "no tickets in TLS 1.3, tickets off",
            "ssl_session_tickets off;\nssl_conf_command NumTickets 0;",
            OFF.no_tls13_ticket(),
        ),
        Row::new(
            "four tickets",
            vec![block("a.test", "ssl_conf_command NumTickets 4;", ON).but(counted(4))],
        ),
        Row::new(
            "key file of 48 bytes",
            vec![block("a.test", "ssl_session_ticket_key {dir}/k1.key;", ON).key("k1")],
        ),
        Row::new(
            "key files: the first encrypts",
            vec![
                block(
                    "a.test",
                    "ssl_session_ticket_key {dir}/k2.key;\nssl_session_ticket_key {dir}/k1.key;",
                    ON,
                )
                .key("k2"),
            ],
        ),
        one(
            "key file without tickets",
            "ssl_session_ticket_key {dir}/k1.key;\nssl_session_tickets off;",
            OFF,
        ),
        one("TLS 1.2 alone", "ssl_protocols TLSv1.2;", ON.only_tls12()),
        one("TLS 1.3 alone", "ssl_protocols TLSv1.3;", ON.only_tls13()),
        one(
            "TLS 1.3 alone, tickets off",
            "ssl_protocols TLSv1.3;\nssl_session_tickets off;",
            OFF.only_tls13(),
        ),
        Row::new(
            "reached without SNI",
            vec![block("", "ssl_session_timeout 11m;", ON.life(660, 660))],
        ),
    ]
}

/// Which block decides: first the default server of the address, then the one chosen by SNI.
fn two_servers() -> Vec<Row> {
    const TICKETS_OFF: &str = "ssl_session_tickets off;";
    /// Tickets of TLS 1.3 under a key that the default server never uses.
    const DEAD: State = State {
        ticket: "none",
        resumes: "never",
        ..ON
    };
    const SHARED: &str = "ssl_session_cache shared:{zone}:1m;";
    const SHARED_OFF: &str = "ssl_session_cache shared:{zone}:1m;\nssl_session_tickets off;";
    vec![
        two(
            "tickets off, on",
            block("a.test", TICKETS_OFF, OFF),
            split("b.test", "", DEAD.life(-1, 300), ON),
        )
        .crossing(Ticket12, ["full", "full"], ["full", "full"])
        .crossing(Tls13, ["full", "full"], ["full", "full"]),
        two(
            "tickets on, off",
            block("a.test", "", ON),
            split("b.test", TICKETS_OFF, OFF.no_tls13_ticket(), OFF),
        )
        // Before 1.29.2 OpenSSL opens a ticket by the default server's options, and issues one by
        // those of the block that SNI chose, too.
        .crossing(Ticket12, ["resumes", "full"], ["full", "full"])
        .crossing(Tls13, ["resumes", "full"], ["none", "full"]),
        two(
            "tickets on, off, with a shared cache",
            block("a.test", SHARED, ON_CACHED),
            split(
                "b.test",
                SHARED_OFF,
                OFF_CACHED.no_tls13_ticket(),
                OFF_CACHED,
            ),
        )
        .crossing(Id12, ["resumes", "resumes"], ["resumes", "resumes"])
        .crossing(Tls13, ["resumes", "full"], ["none", "full"]),
        two(
            "tickets off, on, with a shared cache",
            block("a.test", SHARED_OFF, OFF_CACHED),
            split(
                "b.test",
                SHARED,
                State {
                    id: "resumes",
                    ..DEAD
                },
                ON_CACHED,
            ),
        )
        // A server with tickets takes a stateful ticket for a stateless one, in vain.
        .crossing(Id12, ["resumes", "resumes"], ["resumes", "resumes"])
        .crossing(Tls13, ["resumes", "full"], ["full", "full"]),
        two(
            "tickets off in both, shared cache",
            block("a.test", SHARED_OFF, OFF_CACHED),
            block("b.test", SHARED_OFF, OFF_CACHED),
        )
        .crossing(Tls13, ["resumes", "resumes"], ["resumes", "resumes"]),
        two(
            "tickets on in both",
            block("a.test", "", ON),
            block("b.test", "", ON),
        )
        .crossing(Ticket12, ["resumes", "resumes"], ["resumes", "resumes"])
        .crossing(Tls13, ["resumes", "resumes"], ["resumes", "resumes"]),
        two(
            "tickets on in both, other certificate",
            block("a.test", "", ON),
            block("b.test", "", ON).other_certificate(),
        )
        .crossing(Ticket12, ["resumes", "full"], ["resumes", "full"])
        .crossing(Tls13, ["resumes", "full"], ["resumes", "full"]),
        two(
            "shared cache in both, other certificate",
            block("a.test", SHARED_OFF, OFF_CACHED),
            block("b.test", SHARED_OFF, OFF_CACHED).other_certificate(),
        )
        .crossing(Id12, ["resumes", "full"], ["resumes", "full"])
        .crossing(Tls13, ["resumes", "full"], ["resumes", "full"]),
        two(
            "cache in the second alone, tickets off",
            block("a.test", TICKETS_OFF, OFF),
            block("b.test", SHARED_OFF, OFF),
        ),
        two(
            "cache in the first alone, tickets off",
            block("a.test", SHARED_OFF, OFF_CACHED),
            block("b.test", TICKETS_OFF, OFF_CACHED),
        ),
        two(
            "second's cache off suppresses the id of TLS 1.2 alone",
            block("a.test", SHARED_OFF, OFF_CACHED),
            block(
                "b.test",
                "ssl_session_cache off;\nssl_session_tickets off;",
                State {
                    id: "never",
                    life: (None, Some(300)),
                    ..OFF_CACHED
                },
            )
            .no_id(),
        ),
        two(
            "default_server stands second",
            split("a.test", "", DEAD.life(-1, 300), ON),
            block("b.test", TICKETS_OFF, OFF).listen(" default_server"),
        ),
    ]
}

/// Timeouts, keys, commands and protocols of two servers, and a default server that rejects.
fn two_servers_more() -> Vec<Row> {
    const REJECT: &str = "ssl_reject_handshake on;";
    const DEAD: State = State {
        ticket: "none",
        resumes: "never",
        ..ON
    }
    .life(-1, 300);
    let rejecting = || block("_", REJECT, State::REJECTS);
    vec![
        two(
            "timeouts",
            block("a.test", "ssl_session_timeout 77;", ON.life(77, 77)),
            block("b.test", "ssl_session_timeout 999;", ON.life(77, 77)),
        ),
        two(
            "timeouts of a shared cache",
            block(
                "a.test",
                "ssl_session_timeout 77;\nssl_session_cache shared:{zone}:1m;\n\
                 ssl_session_tickets off;",
                OFF_CACHED.life(77, 77),
            ),
            block(
                "b.test",
                "ssl_session_timeout 999;\nssl_session_cache shared:{zone}:1m;\n\
                 ssl_session_tickets off;",
                OFF_CACHED.life(77, 77),
            ),
        ),
        two(
            "key files",
            block("a.test", "ssl_session_ticket_key {dir}/k1.key;", ON).key("k1"),
            block("b.test", "ssl_session_ticket_key {dir}/k2.key;", ON).key("k1"),
        ),
        two(
            "key file in the second alone",
            block("a.test", "", ON),
            block("b.test", "ssl_session_ticket_key {dir}/k2.key;", ON),
        ),
        two(
            "key file in the first alone",
            block("a.test", "ssl_session_ticket_key {dir}/k1.key;", ON).key("k1"),
            block("b.test", "", ON).key("k1"),
        ),
        two(
            "command in the first",
            block("a.test", "ssl_conf_command Options -SessionTicket;", OFF),
            split("b.test", "", DEAD, ON),
        ),
        two(
            "command in the second",
            block("a.test", "", ON),
            split(
                "b.test",
                "ssl_conf_command Options -SessionTicket;",
                OFF.no_tls13_ticket(),
                OFF,
            ),
        ),
        two(
            "number of tickets in the first",
            block(
                "a.test",
                "ssl_conf_command NumTickets 0;",
                ON.no_tls13_ticket(),
            ),
            block("b.test", "", ON.no_tls13_ticket()),
        ),
        two(
            "number of tickets in the second",
            block("a.test", "", ON),
            block("b.test", "ssl_conf_command NumTickets 0;", ON),
        ),
        two(
            "protocols: the second has more",
            block("a.test", "ssl_protocols TLSv1.2;", ON.only_tls12()),
            split("b.test", "", ON.only_tls12(), ON),
        ),
        two(
            "protocols: the second has less",
            block("a.test", "", ON),
            split("b.test", "ssl_protocols TLSv1.2;", ON, ON.only_tls12()),
        ),
        two(
            "default server rejects",
            rejecting(),
            block("b.test", "ssl_session_timeout 15m;", ON),
        )
        // Before 1.29.2 a resumed session of TLS 1.2 brings its own name along, which hides the
        // unknown one from the server: the rejection is passed by.
        .crossing(Ticket12, ["unreachable"; 2], ["resumes", "fails"])
        .crossing(Tls13, ["unreachable"; 2], ["fails"; 2]),
        two(
            "default server rejects, the second's cache is ignored",
            rejecting(),
            split(
                "b.test",
                "ssl_session_cache shared:{zone}:1m;\nssl_session_tickets off;",
                OFF.no_tls13_ticket(),
                OFF,
            ),
        ),
        two(
            "default server rejects and has the session settings",
            block(
                "_",
                "ssl_reject_handshake on;\nssl_session_cache shared:{zone}:1m;\n\
                 ssl_session_timeout 10m;\nssl_session_tickets off;",
                State::REJECTS,
            ),
            block(
                "b.test",
                "ssl_session_tickets off;",
                OFF_CACHED.life(600, 600),
            ),
        )
        .crossing(Id12, ["unreachable"; 2], ["resumes", "fails"])
        .crossing(Tls13, ["unreachable"; 2], ["fails"; 2]),
    ]
}

/// Without `ssl_protocols` the version decides whether TLS 1.3 is spoken.
fn default_protocols() -> Vec<Row> {
    vec![
        Row::new(
            "default protocols",
            vec![split("a.test", "", ON.only_tls12(), ON)],
        ),
        Row::new(
            "default protocols, tickets off",
            vec![split(
                "a.test",
                "ssl_session_tickets off;",
                OFF.only_tls12(),
                OFF,
            )],
        ),
    ]
}

/// Under http: tickets off, a shared cache, ten minutes.
fn inherited() -> Vec<Row> {
    const INHERITED: State = OFF_CACHED.life(600, 600);
    const ALONE: State = State {
        id: "never",
        resumes: "never",
        ..INHERITED
    }
    .life(-1, 600);
    vec![
        one("all inherited", "", INHERITED),
        one(
            "tickets set again",
            "ssl_session_tickets on;",
            ON_CACHED.life(600, 600),
        ),
        one("timeout set again", "ssl_session_timeout 5m;", OFF_CACHED),
        one("cache none in the server", "ssl_session_cache none;", ALONE),
        Row::new(
            "cache off in the server",
            vec![block("a.test", "ssl_session_cache off;", ALONE).no_id()],
        ),
        one(
            "cache builtin in the server is both",
            "ssl_session_cache builtin;",
            INHERITED,
        ),
        two(
            "inherited by both",
            block("a.test", "", INHERITED),
            block("b.test", "", INHERITED),
        ),
        two(
            "default server rejects, settings inherited",
            block("_", "ssl_reject_handshake on;", State::REJECTS),
            block("b.test", "", INHERITED),
        ),
    ]
}

/// Under http: a command that ends tickets.
fn inherited_command() -> Vec<Row> {
    vec![
        one("command inherited", "", OFF),
        one(
            "command inherited against tickets on",
            "ssl_session_tickets on;",
            OFF,
        ),
        one(
            "a command of the server replaces it",
            "ssl_conf_command Options PrioritizeChaCha;",
            ON,
        ),
        one(
            "both commands in the server",
            "ssl_conf_command Options PrioritizeChaCha;\n\
             ssl_conf_command Options -SessionTicket;",
            OFF,
        ),
    ]
}
