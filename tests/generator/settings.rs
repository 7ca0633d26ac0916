//! Session settings of one block of nginx.

use super::nginx::{Module, Theme};
use super::rng::Rng;
use super::tree::Node;

/// Where settings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `http` or `stream`.
    Outer,
    /// `server`.
    Server,
}

/// What settings are drawn for.
#[derive(Debug, Clone, Copy)]
pub struct For {
    pub theme: Theme,
    pub module: Module,
    pub level: Level,
}

/// Percent for each kind of setting, by theme and level.
fn weight(of: For, usual: usize, themes: &[Theme]) -> usize {
    let percent = match themes.contains(&of.theme) {
        true => usual * 2,
        false => usual,
    };
    match of.level {
        Level::Outer => percent / 2,
        Level::Server => percent,
    }
}

/// Draws the settings of a block.
pub fn draw(rng: &mut Rng, of: For) -> Vec<Node> {
    let mut nodes = Vec::new();
    if rng.chance(weight(of, 42, &[Theme::Tables])) {
        nodes.push(Node::Line(vec![
            "ssl_session_tickets".to_owned(),
            flag(rng, 40),
        ]));
    }
    if rng.chance(weight(of, 42, &[Theme::Tables, Theme::Zones])) {
        nodes.extend(cache(rng, of.module));
    }
    if rng.chance(weight(of, 30, &[Theme::Blocks])) {
        let time = rng.pick(TIMES).to_owned();
        nodes.push(Node::Line(vec!["ssl_session_timeout".to_owned(), time]));
    }
    if rng.chance(weight(of, 18, &[Theme::Keys])) {
        nodes.extend(keys(rng));
    }
    let commanding = match (of.theme, of.level) {
        (Theme::Commands, Level::Outer) => 60,
        _ => weight(of, 16, &[Theme::Commands, Theme::Blocks]),
    };
    if rng.chance(commanding) {
        nodes.extend(commands(rng));
    }
    if rng.chance(weight(of, 20, &[Theme::Blocks, Theme::Commands])) {
        nodes.push(Node::line(rng.pick(PROTOCOLS)));
    }
    let verifying = match (of.theme, of.level) {
        (Theme::Clients, Level::Server) => 80,
        _ => weight(of, 9, &[Theme::Clients]),
    };
    if rng.chance(verifying) {
        nodes.extend(clients(rng));
    }
    if of.module == Module::Http && rng.chance(weight(of, 8, &[Theme::Commands])) {
        nodes.push(Node::Line(vec!["ssl_early_data".to_owned(), flag(rng, 70)]));
    }
    shuffle(rng, &mut nodes);
    nodes
}

/// Puts statements into another order.
pub fn shuffle(rng: &mut Rng, nodes: &mut [Node]) {
    for index in (1..nodes.len()).rev() {
        nodes.swap(index, rng.below(index + 1));
    }
}

/// `on` in `percent` of 100 cases, in whatever case.
pub fn flag(rng: &mut Rng, percent: usize) -> String {
    let choices: &[&str] = match rng.chance(percent) {
        true => &["on", "on", "On", "ON"],
        false => &["off", "off", "oFF", "OFF"],
    };
    rng.pick(choices).to_owned()
}

/// Long enough that no test outlasts them; `0` is a case of its own.
const TIMES: &[&str] = &[
    "0", "77s", "5m", "10m", "90", "1h30m", "1h 30m", "1d", "1440m", "7d", "8d", "30d", "1y", "2w",
    "1M", "999",
];

const PROTOCOLS: &[&str] = &[
    "ssl_protocols TLSv1.2 TLSv1.3",
    "ssl_protocols TLSv1.2 TLSv1.3",
    "ssl_protocols TLSv1.3 TLSv1.2 TLSv1.1",
    "ssl_protocols TLSv1.2",
    "ssl_protocols tlsv1.2 TLSV1.3",
    "ssl_protocols TLSv1.3",
];

/// One or several cache lines: all kinds, in all orders, repeated.
fn cache(rng: &mut Rng, module: Module) -> Vec<Node> {
    let lines = if rng.chance(25) { 2 } else { 1 };
    let one = |_| {
        let mut words = vec!["ssl_session_cache".to_owned()];
        for _ in 0..if rng.chance(30) { 2 } else { 1 } {
            words.push(cache_word(rng, module));
        }
        Node::Line(words)
    };
    (0..lines).map(one).collect()
}

fn cache_word(rng: &mut Rng, module: Module) -> String {
    let word = rng.pick(&[
        "off",
        "none",
        "builtin",
        "builtin:200",
        "shared",
        "shared",
        "shared",
        "shared",
        "shared",
    ]);
    if word != "shared" {
        return word.to_owned();
    }
    // A zone belongs to one module, and one name has one size.
    let zone = match module {
        Module::Http => rng.pick(&["one:1m", "one:1m", "TWO:512k", "three:1048576"]),
        Module::Stream => rng.pick(&["s1:1m", "s2:700K"]),
    };
    format!("shared:{zone}")
}

/// Key files, the same ones under several spellings.
fn keys(rng: &mut Rng) -> Vec<Node> {
    let count = 1 + rng.below(3);
    let mut names = ["k48a", "k80a", "k48b", "k80b"];
    for index in (1..names.len()).rev() {
        names.swap(index, rng.below(index + 1));
    }
    let one = |name: &&str| {
        let folder = if rng.chance(30) { "{d}/keys" } else { "keys" };
        Node::Line(vec![
            "ssl_session_ticket_key".to_owned(),
            format!("{folder}/{name}.key"),
        ])
    };
    names.iter().take(count).map(one).collect()
}

const COMMANDS: &[(&str, &str)] = &[
    ("Options", "-SessionTicket"),
    ("Options", "-SessionTicket"),
    ("Options", "SessionTicket"),
    ("Options", "SessionTicket"),
    ("options", "+sessionticket"),
    ("Options", "PrioritizeChaCha, -SessionTicket"),
    ("Options", "-SessionTicket,SessionTicket"),
    ("Options", "ServerPreference"),
    ("NumTickets", "0"),
    ("NumTickets", "0"),
    ("NumTickets", "1"),
    ("NumTickets", "4"),
    ("numtickets", "3"),
    ("MinProtocol", "TLSv1.2"),
    ("MinProtocol", "TLSv1.3"),
    ("MaxProtocol", "TLSv1.2"),
    ("Protocol", "-TLSv1.3"),
    ("Protocol", "TLSv1.2"),
    ("CipherString", "DEFAULT"),
];

fn commands(rng: &mut Rng) -> Vec<Node> {
    let lines = if rng.chance(30) { 2 } else { 1 };
    let one = |_| {
        let (name, value) = COMMANDS[rng.below(COMMANDS.len())];
        let words = ["ssl_conf_command", name, value];
        Node::Line(words.map(str::to_owned).to_vec())
    };
    (0..lines).map(one).collect()
}

/// Client certificates; every file of authorities holds the one that signed the client's.
pub fn clients(rng: &mut Rng) -> Vec<Node> {
    let verify = rng.pick(&[
        "on",
        "on",
        "on",
        "on",
        "optional",
        "Optional",
        "optional_no_ca",
        "off",
    ]);
    let authority = rng.pick(&["ca1", "ca1", "ca1", "ca12", "ca12"]);
    let mut nodes = vec![
        Node::line(&format!("ssl_verify_client {verify}")),
        Node::line(&format!("ssl_client_certificate {{w}}/{authority}.pem")),
    ];
    if rng.chance(45) {
        nodes.push(Node::line("ssl_crl {w}/crl.pem"));
    }
    if rng.chance(15) {
        nodes.push(Node::line("ssl_trusted_certificate {w}/ca1.pem"));
    }
    if rng.chance(15) {
        nodes.push(Node::line("ssl_verify_depth 3"));
    }
    nodes
}
