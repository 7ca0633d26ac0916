//! Breaks a tree the way people break configurations: each fault is one that nginx refuses,
//! or one that looks like it and is none.
//!
//! Only what stands in the configuration's own text: files that are missing or wrong are other
//! tests' work, and names that no version knows belong to modules that nobody here knows.

use super::nginx::Address;
use super::rng::Rng;
use super::tree::{Node, Path, at, blocks};

/// Breaks the tree; `turn` chooses the kind of fault, and the label says which it is.
pub fn break_it(
    nodes: &mut Vec<Node>,
    rng: &mut Rng,
    turn: usize,
    addresses: &[Address],
) -> Option<&'static str> {
    let servers = blocks(nodes, &["server"]);
    if servers.is_empty() {
        return None;
    }
    let server = servers[rng.below(servers.len())].clone();
    let outer = server[..1].to_vec();
    match turn % 19 {
        0 | 5 | 12 => twice(nodes, rng, &server, &outer),
        1 | 6 => bad_value(nodes, rng, &server, &outer),
        2 | 10 | 16 => conflicting_zones(nodes, rng, &server, &outer),
        3 => misplaced(nodes, rng, &server, &outer),
        4 => miscounted(nodes, rng, &server),
        7 => malformed(nodes, rng, &server),
        8 => addressed(nodes, rng, &server, addresses),
        9 | 13 | 17 => small_zone(nodes, rng, &server),
        11 | 14 | 18 => switched_on(nodes, rng, &server),
        _ => incomplete(nodes, rng, &server, &outer),
    }
}

type Label = Option<&'static str>;

fn add(nodes: &mut Vec<Node>, path: &Path, rng: &mut Rng, node: Node) {
    let body = at(nodes, path);
    let index = rng.below(body.len() + 1);
    body.insert(index, node);
}

/// Takes a directive out of a block, so that the fault is the only one of its name.
fn alone(nodes: &mut Vec<Node>, path: &Path, name: &str) {
    at(nodes, path).retain(|node| node.name() != name);
}

fn words(words: &[&str]) -> Node {
    Node::Line(words.iter().map(|word| (*word).to_owned()).collect())
}

/// One directive twice in a block; some may.
fn twice(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, outer: &Path) -> Label {
    const PAIRS: [(&str, &str); 12] = [
        ("ssl_session_tickets off", "ssl_session_tickets off"),
        ("ssl_session_timeout 5m", "ssl_session_timeout 1d"),
        ("ssl_session_tickets on", "ssl_session_tickets off"),
        ("ssl_verify_depth 2", "ssl_verify_depth 2"),
        ("ssl_verify_client off", "ssl_verify_client off"),
        (
            "ssl_client_certificate {w}/ca1.pem",
            "ssl_client_certificate {w}/ca1.pem",
        ),
        ("ssl_crl {w}/crl.pem", "ssl_crl {w}/crl.pem"),
        ("ssl_ciphers DEFAULT", "ssl_ciphers HIGH"),
        (
            "ssl_prefer_server_ciphers on",
            "ssl_prefer_server_ciphers off",
        ),
        // These may.
        ("ssl_protocols TLSv1.2", "ssl_protocols TLSv1.3"),
        ("ssl_session_cache none", "ssl_session_cache none"),
        (
            "ssl_conf_command NumTickets 1",
            "ssl_conf_command NumTickets 1",
        ),
    ];
    let path = if rng.chance(70) { server } else { outer };
    let (one, two) = PAIRS[rng.below(PAIRS.len())];
    let (one, two) = (Node::line(one), Node::line(two));
    if one.name() != "ssl_protocols" {
        alone(nodes, path, one.name());
    }
    add(nodes, path, rng, one);
    add(nodes, path, rng, two);
    Some("the same directive twice")
}

fn bad_value(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, outer: &Path) -> Label {
    const VALUES: [&[&str]; 41] = [
        &["ssl_session_tickets", "true"],
        &["ssl_session_tickets", "0"],
        &["ssl_session_tickets", ""],
        &["ssl_session_cache", "Shared:one:1m"],
        &["ssl_session_cache", "shared:one"],
        &["ssl_session_cache", "shared::1m"],
        &["ssl_session_cache", "shared:one:1g"],
        &["ssl_session_cache", "builtin:"],
        &["ssl_session_cache", "builtin:x"],
        &["ssl_session_cache", "OFF"],
        &["ssl_session_cache", "off", "Off"],
        &["ssl_session_timeout", "5x"],
        &["ssl_session_timeout", "1h1d"],
        &["ssl_session_timeout", "-1"],
        &["ssl_session_timeout", ""],
        &["ssl_session_timeout", "5 m"],
        &["ssl_session_timeout", "1d 2h"],
        &["ssl_session_timeout", "500ms"],
        &["ssl_session_timeout", "99999999999999999999"],
        &["ssl_session_timeout", "5M 1w"],
        &["ssl_protocols", "TLSv1.4"],
        &["ssl_protocols", "TLSv1.2", "TLS1.3"],
        &["ssl_protocols", "TLSv1.2", "TLSv1.2"],
        &["ssl_verify_client", "yes"],
        &["ssl_verify_client", "OFF"],
        &["ssl_verify_depth", "-1"],
        &["ssl_verify_depth", "x"],
        &["ssl_conf_command", "Bogus", "x"],
        &["ssl_conf_command", "Options", "Bogus"],
        &["ssl_conf_command", "Options", "-SessionTicket,"],
        &["ssl_conf_command", "Options", "- SessionTicket"],
        &["ssl_conf_command", "NumTickets", "-1"],
        &["ssl_conf_command", "NumTickets", "many"],
        &["ssl_conf_command", "MinProtocol", "TLSv1.4"],
        &["ssl_conf_command", "MinProtocol", "tlsv1.2"],
        &["ssl_conf_command", "Protocol", "TLSv9"],
        &["ssl_conf_command", "-SessionTicket", "on"],
        &["ssl_conf_command", "Options", ""],
        &["ssl_buffer_size", "1g"],
        &["ssl_reject_handshake", "1"],
        &["ssl_early_data", "maybe"],
    ];
    let path = if rng.chance(70) { server } else { outer };
    let node = words(VALUES[rng.below(VALUES.len())]);
    alone(nodes, path, node.name());
    add(nodes, path, rng, node);
    Some("a value that is none")
}

/// Less than eight pages; or just enough.
fn small_zone(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path) -> Label {
    let size = rng.pick(&["16k", "32767", "31K", "0", "8k", "1", "32768"]);
    add(
        nodes,
        server,
        rng,
        words(&["ssl_session_cache", &format!("shared:small:{size}")]),
    );
    Some("a small zone")
}

/// A directive that newer versions no longer have.
fn switched_on(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path) -> Label {
    let value = rng.pick(&["on", "on", "off"]);
    add(nodes, server, rng, words(&["ssl", value]));
    Some("ssl on")
}

/// One name, two sizes; or the same size written twice, which is fine.
fn conflicting_zones(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, outer: &Path) -> Label {
    let sizes = [
        ("1m", "2m"),
        ("1m", "1024k"),
        ("64k", "64000"),
        ("1m", "64k"),
        ("40k", "41k"),
        ("3m", "3000000"),
    ];
    let (one, two) = sizes[rng.below(sizes.len())];
    // Inside first: a statement more outside would move the way there.
    for (path, size) in [(server, two), (outer, one)] {
        add(
            nodes,
            path,
            rng,
            words(&["ssl_session_cache", &format!("shared:same:{size}")]),
        );
    }
    Some("two sizes of a zone")
}

fn misplaced(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, outer: &Path) -> Label {
    let main = Path::new();
    let location = |line: &str| Node::block("location /deep", vec![Node::line(line)]);
    let (path, node) = match rng.below(9) {
        0 => (&main, Node::line("ssl_session_tickets off")),
        1 => (server, location("ssl_session_tickets off")),
        2 => (server, location("ssl_session_cache none")),
        3 => (outer, Node::line("server_name a.test")),
        4 => (outer, Node::line("listen 127.0.0.1:1")),
        5 => (server, Node::block("server", vec![])),
        6 => (&main, Node::line("ssl_protocols TLSv1.3")),
        // These are in their place.
        7 => (server, location("root /nowhere")),
        _ => (server, Node::block("location /deep", vec![])),
    };
    add(nodes, path, rng, node);
    Some("a directive in another place")
}

fn miscounted(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path) -> Label {
    const LINES: [&[&str]; 10] = [
        &["ssl_session_tickets"],
        &["ssl_session_tickets", "on", "off"],
        &["ssl_session_cache"],
        &["ssl_session_cache", "none", "none", "none"],
        &["ssl_session_timeout", "5m", "10m"],
        &["ssl_session_timeout"],
        &["ssl_conf_command", "NumTickets"],
        &["ssl_session_ticket_key", "keys/k48a.key", "keys/k80a.key"],
        &["ssl_protocols"],
        &["ssl_verify_client", "on", "off"],
    ];
    let node = words(LINES[rng.below(LINES.len())]);
    alone(nodes, server, node.name());
    add(nodes, server, rng, node);
    Some("another number of arguments")
}

fn malformed(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path) -> Label {
    const TEXTS: [&str; 14] = [
        "ssl_session_tickets off",
        "ssl_session_tickets off;;",
        ";",
        "ssl_session_timeout \"5m\"m;",
        "ssl_session_timeout \"5m;",
        "ssl_session_timeout 5m };",
        "}",
        "{",
        "ssl_session_timeout 5m {",
        "ssl_session_tickets off # no semicolon",
        "server",
        "location / {",
        "\"root\" \"/no\\\"where\";",
        "root /no}where;",
    ];
    alone(nodes, server, "ssl_session_tickets");
    alone(nodes, server, "ssl_session_timeout");
    let text = TEXTS[rng.below(TEXTS.len())];
    add(nodes, server, rng, Node::Raw(text.to_owned()));
    Some("text that does not parse")
}

fn addressed(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, addresses: &[Address]) -> Label {
    let own = at(nodes, server)
        .iter()
        .find(|node| node.name() == "listen")
        .cloned();
    let Some(Node::Line(own)) = own else {
        return None;
    };
    let address = own[1].clone();
    let other = &addresses[rng.below(addresses.len())];
    let node = match rng.below(9) {
        0 => words(&["listen", "127.0.0.1:99999", "ssl"]),
        1 => words(&["listen", "127.0.0.1:0", "ssl"]),
        2 => words(&["listen", "127.0.0.1:", "ssl"]),
        3 => words(&["listen", ":8443", "ssl"]),
        // The same address twice in a server.
        4 | 5 => words(&["listen", &address, "ssl"]),
        // Perhaps a second default server of the address, perhaps the first.
        6 | 7 => {
            default_of(at(nodes, server));
            return Some("default_server once more");
        }
        _ => words(&["listen", &other.listen, "ssl", "bogus"]),
    };
    add(nodes, server, rng, node);
    Some("an address that is none or taken")
}

fn default_of(body: &mut [Node]) {
    for node in body {
        let Node::Line(words) = node else {
            continue;
        };
        let is_default = |word: &String| word == "default_server" || word == "default";
        if words[0] == "listen" && !words.iter().any(is_default) {
            words.push("default_server".to_owned());
        }
    }
}

fn incomplete(nodes: &mut Vec<Node>, rng: &mut Rng, server: &Path, outer: &Path) -> Label {
    match rng.below(5) {
        0 => alone(nodes, &Path::new(), "events"),
        1 => {
            alone(nodes, server, "ssl_certificate");
            alone(nodes, outer, "ssl_certificate");
        }
        2 => {
            alone(nodes, server, "ssl_certificate_key");
            alone(nodes, outer, "ssl_certificate_key");
        }
        3 => {
            alone(nodes, server, "ssl_client_certificate");
            alone(nodes, outer, "ssl_client_certificate");
            alone(nodes, server, "ssl_trusted_certificate");
            alone(nodes, outer, "ssl_trusted_certificate");
            alone(nodes, server, "ssl_verify_client");
            let value = rng.pick(&["on", "optional", "optional_no_ca", "off"]);
            add(nodes, server, rng, words(&["ssl_verify_client", value]));
        }
        _ => add(nodes, &Path::new(), rng, Node::block("events", vec![])),
    }
    Some("something that belongs to it")
}
