//! httpd: what one vhost of an address shows, its settings inherited or its own.

use super::apache::{block, one, two};
use crate::support::observe::State;
use crate::support::table::{Row, Want};

const ON: State = State::ON;
const OFF: State = State::OFF;

/// The truth table of one vhost under one cache.
pub fn one_vhost(on: State, off: State) -> Vec<Row> {
    vec![
        one("tickets unset", "", on),
        one("tickets on", "SSLSessionTickets on", on),
        one("tickets off", "SSLSessionTickets off", off),
    ]
}

/// Timeouts, commands, protocols, keys and implicit TLS of one vhost, without a cache.
pub fn one_vhost_more() -> Vec<Row> {
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

/// Outside every vhost: tickets off, ten minutes.
pub fn tickets_off_outside() -> Vec<Row> {
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
pub fn command_outside() -> Vec<Row> {
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
