//! httpd: what two vhosts of one address show, and what needs a cache or a key file.

use super::apache::{block, one, two};
use crate::support::client::Kind::{Id12, Ticket12, Tls13};
use crate::support::observe::State;
use crate::support::table::Row;

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;
/// What a client is told where httpd cannot go on.
const INTERNAL: &str = "alert internal error";

/// Two vhosts of one address without a cache, the first is the default.
pub fn two_vhosts() -> Vec<Row> {
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
pub fn same_names() -> Vec<Row> {
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
pub fn two_cached() -> Vec<Row> {
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

/// Key files.
pub fn key_files() -> Vec<Row> {
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
