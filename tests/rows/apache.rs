//! httpd: all rows, by the process that shows them. The expected values are reasoned from the
//! documentation of the server and of OpenSSL; a live server that contradicts one is right.

use super::{apache_one, apache_two};
use crate::support::observe::State;
use crate::support::table::{Block, Group, Row};

const ON: State = State::ON;
const ON_CACHED: State = State::ON_CACHED;
const OFF: State = State::OFF;
const OFF_CACHED: State = State::OFF_CACHED;
const SHMCB: &str = "SSLSessionCache shmcb:{dir}/scache(512000)\n";

/// The cache is the process's: one process a cache, the truth table's rows in each.
pub fn groups() -> Vec<Group> {
    let without = [
        apache_one::one_vhost(ON, OFF),
        apache_one::one_vhost_more(),
        apache_two::two_vhosts(),
        apache_two::same_names(),
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
    let cached = || apache_one::one_vhost(ON_CACHED, OFF_CACHED);
    vec![
        Group {
            outside: "",
            rows: without,
        },
        Group {
            outside: "SSLSessionCache none\n",
            rows: apache_one::one_vhost(ON, OFF),
        },
        Group {
            outside: "SSLSessionCache nonenotnull\n",
            rows: fake.to_vec(),
        },
        Group {
            outside: SHMCB,
            rows: [cached(), apache_two::two_cached()].concat(),
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
            rows: apache_one::tickets_off_outside(),
        },
        Group {
            outside: "",
            rows: apache_two::key_files(),
        },
        Group {
            outside: "SSLOpenSSLConfCmd Options -SessionTicket\n",
            rows: apache_one::command_outside(),
        },
    ]
}

pub fn one(name: &'static str, lines: &'static str, state: State) -> Row {
    Row::new(name, vec![Block::new("a.test", lines, state)])
}

pub fn two(name: &'static str, first: Block, second: Block) -> Row {
    Row::new(name, vec![first, second])
}

pub fn block(name: &'static str, lines: &'static str, state: State) -> Block {
    Block::new(name, lines, state)
}
