//! nginx: what two servers of one address show, the default server and the one that SNI chooses.

use super::nginx::{block, split, two};
use crate::support::client::Kind::{Id12, Ticket12, Tls13};
use crate::support::observe::State;
use crate::support::table::Row;

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;

/// Which block decides: first the default server of the address, then the one chosen by SNI.
pub fn two_servers() -> Vec<Row> {
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
pub fn two_servers_more() -> Vec<Row> {
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
