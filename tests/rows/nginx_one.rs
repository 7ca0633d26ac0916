//! nginx: what one server of an address shows, its settings inherited or its own.

use super::nginx::{block, late, one, two};
use crate::support::observe::State;
use crate::support::table::{Row, Want};

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;

/// The truth table of one server: tickets by cache.
pub fn one_server() -> Vec<Row> {
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
pub fn one_server_more() -> Vec<Row> {
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
    let counted = |tickets13| move |want: &mut Want| want.tickets13 = tickets13;
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
            vec![late("a.test", "ssl_session_timeout 0;", ZERO, ZERO_BOUNDED)],
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
            vec![late(
                "a.test",
                "ssl_session_timeout 0;\nssl_session_cache shared:{zone}:1m;",
                ZERO,
                ZERO_BOUNDED,
            )],
        ),
        Row::new(
            "timeout 0 with a builtin cache, tickets off",
            vec![late(
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

/// Without `ssl_protocols` the version decides whether TLS 1.3 is spoken.
pub fn default_protocols() -> Vec<Row> {
    vec![
        Row::new(
            "default protocols",
            vec![late("a.test", "", ON.only_tls12(), ON)],
        ),
        Row::new(
            "default protocols, tickets off",
            vec![late(
                "a.test",
                "ssl_session_tickets off;",
                OFF.only_tls12(),
                OFF,
            )],
        ),
    ]
}

/// Under http: tickets off, a shared cache, ten minutes.
pub fn inherited() -> Vec<Row> {
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
pub fn inherited_command() -> Vec<Row> {
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
