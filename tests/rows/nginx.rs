//! nginx: all rows, by the process that shows them. The expected values are reasoned from the
//! documentation of the server and of OpenSSL; a live server that contradicts one is right.

use super::{nginx_auth, nginx_one, nginx_two};
use crate::support::client::Kind;
use crate::support::observe::State;
use crate::support::table::{Block, Group, Row};

pub fn groups() -> Vec<Group> {
    const PROTOCOLS: &str = "    ssl_protocols TLSv1.2 TLSv1.3;\n";
    let rows = [
        nginx_one::one_server(),
        nginx_one::one_server_more(),
        nginx_two::two_servers(),
        nginx_two::two_servers_more(),
    ]
    .concat();
    vec![
        Group {
            outside: PROTOCOLS,
            rows,
        },
        Group {
            outside: "",
            rows: nginx_one::default_protocols(),
        },
        Group {
            outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_tickets off;\n    \
                      ssl_session_cache shared:outside:1m;\n    ssl_session_timeout 10m;\n",
            rows: nginx_one::inherited(),
        },
        Group {
            outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n    \
                      ssl_conf_command Options -SessionTicket;\n",
            rows: nginx_one::inherited_command(),
        },
    ]
}

/// The truth table of one server alone.
pub fn table() -> Vec<Group> {
    vec![Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows: nginx_one::one_server(),
    }]
}

/// The groups as far as their rows have one server each.
pub fn single() -> Vec<Group> {
    let mut groups = groups();
    for group in &mut groups {
        group.rows.retain(|row| row.blocks.len() == 1);
    }
    groups
}

/// The groups as QUIC shows them: TLS 1.3 alone. nginx refuses QUIC without it.
pub fn quic() -> Vec<Group> {
    let mut groups = groups();
    for group in &mut groups {
        let without = |block: &Block| {
            let state = block.want[1].state;
            state.issued == "unavailable" && state != State::REJECTS
        };
        group.rows.retain(|row| !row.blocks.iter().any(without));
        for row in &mut group.rows {
            row.crossings
                .retain(|crossing| crossing.kind == Kind::Tls13);
            for want in row.blocks.iter_mut().flat_map(|block| &mut block.want) {
                want.state = want.state.only_tls13();
                want.id_sent = false;
            }
        }
    }
    groups
}

/// Rows of client certificates, apart from the others: here a package's patches count.
/// `checked`: the older nginx has the check of CVE-2025-23419.
pub fn client_auth(checked: bool) -> Vec<Group> {
    vec![Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows: nginx_auth::rows(checked),
    }]
}

/// A block that shows the same in all versions. The protocols are written out: TLS 1.3 is in the
/// default since 1.23.4 only.
pub fn block(name: &'static str, lines: &'static str, state: State) -> Block {
    split(name, lines, state, state)
}

/// A block that shows one state before 1.29.2 and another one since.
pub fn split(name: &'static str, lines: &'static str, old: State, new: State) -> Block {
    Block::split(name, lines, old, new).fake_id()
}

/// A block that shows one state before 1.23.2 and another one since 1.27.4.
pub fn late(name: &'static str, lines: &'static str, old: State, new: State) -> Block {
    Block::by_family(name, lines, [old, new, new]).fake_id()
}

pub fn one(name: &'static str, lines: &'static str, state: State) -> Row {
    Row::new(name, vec![block("a.test", lines, state)])
}

pub fn two(name: &'static str, first: Block, second: Block) -> Row {
    Row::new(name, vec![first, second])
}
