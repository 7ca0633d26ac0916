//! Trees of nginx: servers, addresses, names and settings.

use super::faults;
use super::rng::Rng;
use super::settings::{self, For, Level};
use super::tree::Node;

/// The module of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Module {
    Http,
    Stream,
}

/// What a tree is mostly about, so that few trees meet every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// A bit of everything.
    Mixed,
    /// One server: tickets by cache.
    Tables,
    /// Two servers of one address whose settings differ.
    Blocks,
    /// A default server that rejects.
    CatchAll,
    /// Client certificates.
    Clients,
    /// Ticket key files.
    Keys,
    /// Conf commands.
    Commands,
    /// Zones across servers, addresses and modules.
    Zones,
    /// stream.
    Stream,
    /// Something that nginx refuses, or nearly.
    Faulty,
}

/// The order in which trees take their themes.
pub const THEMES: [Theme; 15] = [
    Theme::Tables,
    Theme::Blocks,
    Theme::Faulty,
    Theme::Clients,
    Theme::Mixed,
    Theme::Keys,
    Theme::Stream,
    Theme::Faulty,
    Theme::Commands,
    Theme::Blocks,
    Theme::CatchAll,
    Theme::Zones,
    Theme::Faulty,
    Theme::Clients,
    Theme::Clients,
];

/// What the server can do, as far as a tree depends on it.
#[derive(Debug, Clone)]
pub struct Ability {
    /// stream chooses servers by name.
    pub stream_names: bool,
    /// The file of stream, where it is a module to load.
    pub stream_module: Option<String>,
    /// Lines of the main level that the machine needs.
    pub main: Vec<String>,
}

/// An address that servers of a tree listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub module: Module,
    /// As written, with a placeholder for the port.
    pub listen: String,
    /// Where a client reaches it.
    pub ip: [u8; 4],
    /// Index of the port.
    pub port: usize,
}

/// A tree.
#[derive(Debug, Clone)]
pub struct Tree {
    pub seed: u64,
    pub theme: Theme,
    pub nodes: Vec<Node>,
    pub addresses: Vec<Address>,
    pub ports: usize,
    pub workers: usize,
    /// What was broken on purpose.
    pub fault: Option<&'static str>,
    /// For the printer.
    pub noise: Rng,
}

/// Names that clients ask for, beside none at all.
pub const ASKED: [&str; 8] = [
    "a.test",
    "b.test",
    "c.test",
    "x.w.test",
    "y.x.w.test",
    "mail.example",
    "re7.test",
    "nowhere.test",
];

const WRITTEN: [&str; 11] = [
    "a.test",
    "b.test",
    "c.test",
    "d.test",
    "A.test",
    "*.w.test",
    "*.x.w.test",
    "mail.*",
    "~^re[0-9]+\\.test$",
    "~^re",
    ".w.test",
];

/// The tree of a seed; `index` chooses its theme.
pub fn tree(seed: u64, index: usize, ability: &Ability) -> Tree {
    let theme = THEMES[index % THEMES.len()];
    let mut rng = Rng::new(seed ^ (index as u64).wrapping_mul(0x5851_f42d_4c95_7f2d));
    let several = matches!(theme, Theme::Tables | Theme::Zones | Theme::Mixed) && rng.chance(25);
    let mut draft = Draft {
        theme,
        ability,
        addresses: Vec::new(),
        ports: 0,
        number: 0,
        reuseport: several,
        alike: theme == Theme::Clients && rng.chance(40),
        rng: rng.fork(),
    };
    let mut nodes = draft.main(if several { 3 } else { 1 });
    let (addresses, ports) = (draft.addresses, draft.ports);
    let fault = match theme {
        Theme::Faulty => faults::break_it(&mut nodes, &mut rng, turn(index), &addresses),
        _ => None,
    };
    Tree {
        seed,
        theme,
        nodes,
        addresses,
        ports,
        workers: if several { 3 } else { 1 },
        fault,
        noise: rng,
    }
}

/// How many faulty trees come before this one.
fn turn(index: usize) -> usize {
    let faulty = |themes: &[Theme]| {
        themes
            .iter()
            .filter(|theme| **theme == Theme::Faulty)
            .count()
    };
    index / THEMES.len() * faulty(&THEMES) + faulty(&THEMES[..index % THEMES.len()])
}

struct Draft<'a> {
    theme: Theme,
    ability: &'a Ability,
    addresses: Vec<Address>,
    ports: usize,
    /// Servers so far.
    number: usize,
    reuseport: bool,
    /// Servers differ in what they verify clients with by revocation lists alone.
    alike: bool,
    rng: Rng,
}

impl Draft<'_> {
    fn main(&mut self, workers: usize) -> Vec<Node> {
        let mut nodes: Vec<Node> = self
            .ability
            .main
            .iter()
            .map(|line| Node::line(line))
            .collect();
        nodes.push(Node::line(&format!("worker_processes {workers}")));
        nodes.push(Node::block(
            "events",
            vec![Node::line("worker_connections 512")],
        ));
        let stream = self.theme == Theme::Stream || self.rng.chance(15);
        let http = self.theme != Theme::Stream || self.rng.chance(40);
        let mut modules = Vec::new();
        if http {
            modules.push(self.module(Module::Http));
        }
        if stream {
            if let Some(file) = &self.ability.stream_module {
                nodes.insert(0, Node::line(&format!("load_module {file}")));
            }
            modules.push(self.module(Module::Stream));
        }
        settings::shuffle(&mut self.rng, &mut modules);
        nodes.extend(modules);
        nodes
    }

    fn module(&mut self, module: Module) -> Node {
        let mut body = Vec::new();
        if module == Module::Http {
            body.push(Node::line("access_log off"));
            body.push(Node::line("client_body_temp_path {d}/body"));
            body.push(Node::line("proxy_temp_path {d}/proxy"));
        }
        // TLS 1.3 is in the default of newer versions only.
        if self.rng.chance(65) {
            body.push(Node::line("ssl_protocols TLSv1.2 TLSv1.3"));
        }
        let has = body.iter().any(|node| node.name() == "ssl_protocols");
        let mut outer = self.settings(module, Level::Outer);
        if self.theme == Theme::Clients && self.rng.chance(40) {
            outer.retain(|node| !node.name().starts_with("ssl_session_"));
            outer.push(Node::line("ssl_session_tickets off"));
            outer.push(Node::line(match module {
                Module::Http => "ssl_session_cache shared:one:1m",
                Module::Stream => "ssl_session_cache shared:s1:1m",
            }));
        }
        outer.retain(|node| !has || node.name() != "ssl_protocols");
        body.extend(outer);
        // The first one's settings are inherited by all; servers may still say otherwise.
        if self.alike {
            body.retain(|node| !is_about_clients(node));
            body.push(Node::line("ssl_verify_client on"));
            body.push(Node::line("ssl_client_certificate {w}/ca1.pem"));
        }
        let certificate_outside = self.alike || self.rng.chance(25);
        if certificate_outside {
            body.extend(certificate(&mut self.rng, self.theme));
        }
        body.extend(self.servers(module, certificate_outside));
        let name = match module {
            Module::Http => "http",
            Module::Stream => "stream",
        };
        let mut nodes = body;
        if self.rng.chance(20) {
            // Settings behind the servers hold for them all the same.
            settings_last(&mut self.rng, &mut nodes);
        }
        Node::block(name, nodes)
    }

    fn settings(&mut self, module: Module, level: Level) -> Vec<Node> {
        let of = For {
            theme: self.theme,
            module,
            level,
        };
        settings::draw(&mut self.rng, of)
    }

    fn servers(&mut self, module: Module, certificate_outside: bool) -> Vec<Node> {
        let (addresses, servers) = self.sizes(module);
        let own = self.new_addresses(module, addresses);
        let mut nodes: Vec<Node> = Vec::new();
        let mut defaults = vec![false; own.len()];
        let mut started = vec![false; own.len()];
        for number in 0..servers {
            let mut listens = Vec::new();
            for (index, at) in own.iter().enumerate() {
                let wanted = match number == index || (number == 0 && servers < own.len()) {
                    true => true,
                    false => self.rng.chance(if own.len() == 1 { 100 } else { 45 }),
                };
                let alone = module == Module::Stream && !self.ability.stream_names;
                if !wanted || (alone && started[index]) {
                    continue;
                }
                let first = !std::mem::replace(&mut started[index], true);
                listens.push(self.listen(*at, first, &mut defaults[index]));
            }
            if listens.is_empty() {
                continue;
            }
            let catch_all = self.theme == Theme::CatchAll && number == 0;
            nodes.push(self.server(module, listens, catch_all, certificate_outside));
        }
        nodes
    }

    fn sizes(&mut self, module: Module) -> (usize, usize) {
        match (self.theme, module) {
            (Theme::Tables, _) => (1 + self.rng.below(2), 1 + self.rng.below(2)),
            (Theme::Blocks | Theme::CatchAll, _) => (1, 2 + self.rng.below(2)),
            (Theme::Clients, Module::Http) => (1, 2 + self.rng.below(3)),
            (Theme::Zones, Module::Http) => (2 + self.rng.below(2), 3 + self.rng.below(3)),
            (_, Module::Stream) => (1 + self.rng.below(2), 1 + self.rng.below(3)),
            _ => (1 + self.rng.below(3), 1 + self.rng.below(6)),
        }
    }

    /// New addresses; now and then one for all interfaces and one of its own share a port.
    fn new_addresses(&mut self, module: Module, count: usize) -> Vec<usize> {
        let mut own = Vec::new();
        while own.len() < count {
            let port = self.ports;
            self.ports += 1;
            let wide = self.rng.chance(12);
            if wide {
                let listen = match self.rng.below(3) {
                    0 => format!("{{p{port}}}"),
                    1 => format!("*:{{p{port}}}"),
                    _ => format!("0.0.0.0:{{p{port}}}"),
                };
                own.push(self.address(module, listen, [127, 0, 0, 2], port));
            }
            if !wide || (own.len() < count && self.rng.chance(50)) {
                let listen = format!("127.0.0.1:{{p{port}}}");
                own.push(self.address(module, listen, [127, 0, 0, 1], port));
            }
        }
        own
    }

    fn address(&mut self, module: Module, listen: String, ip: [u8; 4], port: usize) -> usize {
        self.addresses.push(Address {
            module,
            listen,
            ip,
            port,
        });
        self.addresses.len() - 1
    }

    fn listen(&mut self, at: usize, first: bool, default: &mut bool) -> Node {
        let address = &self.addresses[at];
        let mut words = vec!["listen".to_owned(), address.listen.clone()];
        if first || self.rng.chance(90) {
            words.push("ssl".to_owned());
        }
        // stream has no such word before it has names.
        let may = address.module == Module::Http;
        if may && !*default && self.rng.chance(18) {
            *default = true;
            words.push(
                self.rng
                    .pick(&["default_server", "default_server", "default"])
                    .to_owned(),
            );
        }
        if first && self.reuseport {
            words.push("reuseport".to_owned());
        }
        Node::Line(words)
    }

    fn server(
        &mut self,
        module: Module,
        listens: Vec<Node>,
        catch_all: bool,
        certificate_outside: bool,
    ) -> Node {
        let number = self.number;
        self.number += 1;
        let mut body = self.settings(module, Level::Server);
        if self.alike {
            body.retain(|node| !is_about_clients(node));
            if self.rng.chance(50) {
                body.push(Node::line("ssl_crl {w}/crl.pem"));
            }
        }
        if catch_all && self.rng.chance(80) {
            body.clear();
        }
        let rejects = module == Module::Http || self.ability.stream_names;
        let rejects = rejects && (catch_all || self.rng.chance(5));
        if rejects {
            let words = [
                "ssl_reject_handshake".to_owned(),
                settings::flag(&mut self.rng, 100),
            ];
            body.push(Node::Line(words.to_vec()));
        }
        let without = rejects && self.rng.chance(60);
        let own = !certificate_outside || (!self.alike && self.rng.chance(40));
        if !without && own {
            body.extend(certificate(&mut self.rng, self.theme));
        }
        if module == Module::Http || self.ability.stream_names {
            body.extend(self.names());
        }
        body.extend(listens);
        let text = format!("s{number} $ssl_client_verify");
        body.push(match module {
            Module::Http => Node::Line(vec!["return".to_owned(), "200".to_owned(), text]),
            Module::Stream => Node::Line(vec!["return".to_owned(), text]),
        });
        settings::shuffle(&mut self.rng, &mut body);
        Node::block("server", body)
    }

    fn names(&mut self) -> Vec<Node> {
        if self.rng.chance(12) {
            return Vec::new();
        }
        let lines = if self.rng.chance(15) { 2 } else { 1 };
        let mut nodes = Vec::new();
        let mut taken: Vec<&str> = Vec::new();
        for _ in 0..lines {
            let mut words = vec!["server_name".to_owned()];
            for _ in 0..1 + self.rng.below(2) {
                // Most clients ask for the first few.
                let most = if self.rng.chance(70) {
                    4
                } else {
                    WRITTEN.len()
                };
                let name = WRITTEN[self.rng.below(most)];
                if !taken.contains(&name) {
                    taken.push(name);
                    words.push(name.to_owned());
                }
            }
            if words.len() > 1 {
                nodes.push(Node::Line(words));
            }
        }
        nodes
    }
}

fn is_about_clients(node: &Node) -> bool {
    const NAMES: [&str; 5] = [
        "ssl_verify_client",
        "ssl_client_certificate",
        "ssl_trusted_certificate",
        "ssl_verify_depth",
        "ssl_crl",
    ];
    NAMES.contains(&node.name())
}

/// A certificate with its key; several in one of eight cases.
fn certificate(rng: &mut Rng, theme: Theme) -> Vec<Node> {
    let alike = theme == Theme::Clients && rng.chance(60);
    let stems: &[&str] = match rng.below(if alike { 9 } else { 16 }) {
        0..9 => &["one"],
        9..14 => &["two"],
        14 => &["one", "rsa"],
        _ => &["rsa", "one"],
    };
    let lines = |stem: &&str| {
        [
            Node::line(&format!("ssl_certificate {{w}}/{stem}.crt")),
            Node::line(&format!("ssl_certificate_key {{w}}/{stem}.key")),
        ]
    };
    stems.iter().flat_map(lines).collect()
}

/// Moves a statement of the outer block behind its servers.
fn settings_last(rng: &mut Rng, nodes: &mut Vec<Node>) {
    let movable: Vec<usize> = (0..nodes.len())
        .filter(|index| nodes[*index].name() != "server")
        .collect();
    if movable.is_empty() {
        return;
    }
    let node = nodes.remove(movable[rng.below(movable.len())]);
    nodes.push(node);
}
