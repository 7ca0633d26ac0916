//! Random session directives, more of one kind or another by theme.

use super::rng::Rng;
use super::tree::Node;

/// How often things are said, in percent.
#[derive(Debug, Clone, Copy)]
pub struct Chances {
    pub theme: &'static str,
    pub tickets: usize,
    pub timeout: usize,
    pub key: usize,
    pub command: usize,
    pub protocol: usize,
    pub verify: usize,
    pub cache: usize,
    pub https: usize,
    pub no_engine: usize,
    pub same_name: usize,
    pub no_name: usize,
    pub more_addresses: usize,
}

const MIXED: Chances = Chances {
    theme: "mixed",
    tickets: 30,
    timeout: 20,
    key: 6,
    command: 12,
    protocol: 10,
    verify: 8,
    cache: 60,
    https: 25,
    no_engine: 10,
    same_name: 25,
    no_name: 12,
    more_addresses: 15,
};

impl Chances {
    /// Themes take turns.
    pub fn theme(index: usize) -> Self {
        match index % 10 {
            1 => Self {
                theme: "tickets",
                tickets: 60,
                command: 3,
                key: 0,
                protocol: 3,
                ..MIXED
            },
            2 => Self {
                theme: "keys",
                key: 45,
                tickets: 12,
                command: 3,
                ..MIXED
            },
            3 => Self {
                theme: "timeouts",
                timeout: 65,
                cache: 75,
                ..MIXED
            },
            4 => Self {
                theme: "names",
                same_name: 60,
                no_name: 35,
                cache: 75,
                ..MIXED
            },
            5 => Self {
                theme: "implicit",
                https: 80,
                no_engine: 55,
                ..MIXED
            },
            6 => Self {
                theme: "protocols",
                protocol: 50,
                command: 25,
                ..MIXED
            },
            7 => Self {
                theme: "clients",
                verify: 45,
                same_name: 55,
                cache: 70,
                ..MIXED
            },
            8 => Self {
                theme: "addresses",
                more_addresses: 55,
                no_name: 20,
                ..MIXED
            },
            9 => Self {
                theme: "commands",
                command: 50,
                ..MIXED
            },
            _ => MIXED,
        }
    }
}

/// What the server level says.
pub fn server_level(rng: &mut Rng, chances: &Chances) -> Vec<Node> {
    let mut nodes = Vec::new();
    if rng.percent(chances.cache) {
        nodes.extend(caches(rng));
    }
    nodes.extend(shared(rng, chances, 3));
    if chances.theme == "tickets" && rng.percent(65) {
        nodes.push(Node::line("SSLSessionTickets", &["off"]));
    }
    if rng.percent(8) {
        nodes.push(Node::line(
            "SSLEngine",
            &[&rng.word(&["on", "On", "off", "on"])],
        ));
    }
    if rng.percent(8) {
        let policy = rng.word(&["strict", "secure", "authonly", "insecure"]);
        nodes.push(Node::line("SSLVHostSNIPolicy", &[&policy]));
    }
    nodes
}

/// What a vhost says.
pub fn vhost_level(rng: &mut Rng, chances: &Chances) -> Vec<Node> {
    let mut nodes = shared(rng, chances, 1);
    if rng.percent(6) {
        let word = rng.word(&["on", "off"]);
        nodes.push(Node::line("SSLStrictSNIVHostCheck", &[&word]));
    }
    nodes
}

fn caches(rng: &mut Rng) -> Vec<Node> {
    let shmcb = "shmcb:{dir}/cache(64000)";
    let dbm = "dbm:{dir}/cache.dbm";
    let orders: [&[&str]; 16] = [
        &[shmcb],
        &[shmcb],
        &[shmcb],
        &[shmcb],
        &[dbm],
        &["shmcb:{dir}/cache"],
        &["shmcb"],
        &["none"],
        &["nonenotnull"],
        &["nonenotnull"],
        &["NoneNotNull", "none"],
        &[shmcb, "none"],
        &[shmcb, "None"],
        &[shmcb, "nonenotnull"],
        &["none", shmcb],
        &[dbm, shmcb],
    ];
    let order = *rng.pick(&orders);
    order
        .iter()
        .map(|value| Node::line("SSLSessionCache", &[value]))
        .collect()
}

/// Directives of both levels; `rarer` divides the chances.
fn shared(rng: &mut Rng, chances: &Chances, rarer: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    let say = |percent: usize, rng: &mut Rng| rng.percent(percent / rarer);
    if say(chances.tickets, rng) {
        nodes.push(tickets(rng));
        if rng.percent(8) {
            nodes.push(tickets(rng));
        }
    }
    if say(chances.timeout, rng) {
        nodes.push(timeout(rng));
        if rng.percent(8) {
            nodes.push(timeout(rng));
        }
    }
    if say(chances.key, rng) {
        for _ in 0..=usize::from(rng.percent(12)) {
            let key = format!("{{w}}/{}.key", rng.word(&super::world::KEYS));
            nodes.push(Node::line("SSLSessionTicketKeyFile", &[&key]));
        }
    }
    if say(chances.command, rng) {
        for _ in 0..=usize::from(rng.percent(30)) {
            nodes.push(command(rng));
        }
    }
    if say(chances.protocol, rng) {
        nodes.push(protocol(rng));
    }
    if say(chances.verify, rng) {
        let words = [
            "require",
            "require",
            "optional",
            "none",
            "optional_no_ca",
            "REQUIRE",
        ];
        nodes.push(Node::line("SSLVerifyClient", &[&rng.word(&words)]));
        let file = rng.word(&["{w}/ca1.pem", "{w}/ca2.pem"]);
        nodes.push(Node::line("SSLCACertificateFile", &[&file]));
    }
    nodes
}

fn tickets(rng: &mut Rng) -> Node {
    let word = rng.word(&["on", "off", "off", "Off", "ON"]);
    let mut words = vec![word];
    match rng.below(12) {
        0 => words.extend(["#".to_owned(), "c".to_owned()]),
        1 => words.extend(["on".to_owned(), "bogus".to_owned()]),
        _ => {}
    }
    Node::Line("SSLSessionTickets".to_owned(), words)
}

fn timeout(rng: &mut Rng) -> Node {
    let values = [
        "77",
        "999",
        "300",
        "600",
        "86400",
        "86400",
        "1d",
        "5m",
        "abc",
        "0",
        "604800",
        "604801",
        "2592000",
        "2147483647",
        "99999999999",
        "+60",
        "120s",
        "0x10",
    ];
    Node::line("SSLSessionCacheTimeout", &[&rng.word(&values)])
}

fn command(rng: &mut Rng) -> Node {
    let commands = [
        ["Options", "-SessionTicket"],
        ["Options", "-SessionTicket"],
        ["Options", "SessionTicket"],
        ["Options", "+SessionTicket"],
        ["Options", "-SessionTicket,ServerPreference"],
        ["options", "ServerPreference, -SESSIONTICKET"],
        ["NumTickets", "0"],
        ["NumTickets", "0"],
        ["NumTickets", "1"],
        ["NumTickets", "4"],
        ["MinProtocol", "TLSv1.3"],
        ["MinProtocol", "TLSv1.2"],
        ["MaxProtocol", "TLSv1.2"],
        ["Protocol", "-TLSv1.3"],
        ["Protocol", "-TLSv1.2"],
    ];
    let [name, value] = rng.pick(&commands);
    Node::line("SSLOpenSSLConfCmd", &[name, value])
}

fn protocol(rng: &mut Rng) -> Node {
    let lists: [&[&str]; 14] = [
        &["all"],
        &["all", "-SSLv3"],
        &["TLSv1.2"],
        &["TLSv1.3"],
        &["+TLSv1.2", "+TLSv1.3"],
        &["TLSv1.2", "+TLSv1.3"],
        &["TLSv1.2", "TLSv1.3"],
        &["all", "-TLSv1.3"],
        &["all", "-TLSv1.2"],
        &["-all", "+TLSv1.3"],
        &["ALL", "-SSLv3", "-tlsv1", "-TLSv1.1"],
        &["all", "-SSLv2", "-TLSv1.3"],
        &["+TLSv1.1", "+TLSv1.3"],
        &["all", "-TLSv1", "-TLSv1.1", "-TLSv1.2"],
    ];
    let list = lists[rng.below(lists.len())];
    Node::line("SSLProtocol", list)
}
