//! A random httpd configuration as a tree of statements: what it says, not how it is written.

use super::rng::Rng;
use super::settings::{self, Chances};

/// One statement.
#[derive(Debug, Clone)]
pub enum Node {
    /// A directive with its arguments, each one word.
    Line(String, Vec<String>),
    /// A directive whose text must stay as it is.
    Exact(String),
    /// A section: `VirtualHost *:1`, with what it holds.
    Section(String, Vec<Node>),
    /// The same, but a conditional, which closes by its own rules.
    Conditional(String, Vec<Node>),
    /// `Include` or `IncludeOptional` of this argument, and the files that are there for it.
    Include(&'static str, String, Vec<(String, Vec<Node>)>),
    /// `<Macro name parameters>` with its body.
    Macro(String, Vec<Node>),
}

/// A tree and whom to ask about it.
#[derive(Debug, Clone)]
pub struct Tree {
    pub index: usize,
    pub theme: &'static str,
    pub nodes: Vec<Node>,
    pub listens: Vec<Listen>,
}

/// An address that the server listens on.
#[derive(Debug, Clone)]
pub struct Listen {
    pub port: u16,
    /// `Listen *:port`.
    pub any: bool,
    /// Most vhosts of this address are written with `*`.
    star: bool,
}

/// Names that vhosts have and clients ask for.
pub const NAMES: [&str; 4] = ["a.test", "b.test", "c.test", "d.test"];

impl Node {
    /// With `{dir}` and `{w}` replaced.
    pub fn placed(self, dir: &str, world: &str) -> Self {
        let text = |text: String| text.replace("{dir}", dir).replace("{w}", world);
        let all = |nodes: Vec<Self>| {
            nodes
                .into_iter()
                .map(|node| node.placed(dir, world))
                .collect()
        };
        match self {
            Self::Line(name, words) => Self::Line(name, words.into_iter().map(text).collect()),
            Self::Section(head, body) => Self::Section(head, all(body)),
            Self::Conditional(head, body) => Self::Conditional(text(head), all(body)),
            node => node,
        }
    }

    /// A directive.
    pub fn line(name: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Self::Line(name.to_owned(), arguments)
    }
}

/// The tree of this number, which listens on these ports.
pub fn tree(rng: &mut Rng, index: usize, ports: &[u16]) -> Tree {
    let chances = Chances::theme(index);
    let mut maker = Maker {
        rng,
        chances,
        listens: Vec::new(),
        vhosts: 0,
    };
    let nodes = maker.all(ports);
    Tree {
        index,
        theme: chances.theme,
        nodes,
        listens: maker.listens,
    }
}

struct Maker<'a> {
    rng: &'a mut Rng,
    chances: Chances,
    listens: Vec<Listen>,
    vhosts: usize,
}

impl Maker<'_> {
    fn all(&mut self, ports: &[u16]) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut top = settings::server_level(self.rng, &self.chances);
        let shared_certificate = self.rng.percent(25);
        let on = |node: &Node| matches!(node, Node::Line(name, words) if name == "SSLEngine" && words[0] != "off");
        let shared_certificate = shared_certificate || top.iter().any(on);
        if shared_certificate {
            top.extend(certificate("one"));
        }
        // The main server's name: given, given late, or left to the machine.
        let name = self.rng.below(10);
        if name < 6 {
            top.insert(0, Node::line("ServerName", &["main.test"]));
        }
        if name == 6 {
            let with_port = format!("main.test:{}", self.rng.pick(ports));
            top.insert(0, Node::line("ServerName", &[&with_port]));
        }
        if name == 7 {
            let with_port = format!("main.test:{}", self.rng.pick(ports));
            top.push(Node::line("ServerName", &[&with_port]));
        }
        let count = *self.rng.pick(&[1, 1, 2, 2, 2, 3]);
        for port in &ports[..count] {
            let any = self.rng.percent(35);
            let star = self.rng.percent(if any { 70 } else { 35 });
            self.listens.push(Listen {
                port: *port,
                any,
                star,
            });
        }
        let listens: Vec<Node> = self
            .listens
            .clone()
            .iter()
            .map(|listen| self.listen(listen))
            .collect();
        let mut hosts = Vec::new();
        for place in 0..self.listens.len() {
            let count = *self.rng.pick(&[1, 2, 2, 2, 3, 3, 4, 5]);
            for number in 0..count {
                hosts.push(self.vhost(place, number == 0, shared_certificate));
            }
        }
        if self.rng.percent(20) {
            let len = hosts.len();
            hosts.swap(0, len - 1);
        }
        // Directives of the server level count wherever they stand.
        nodes.extend(listens);
        let late = self
            .rng
            .below(top.len() + 1)
            .min(if self.rng.percent(30) { 99 } else { 0 });
        let behind = top.split_off(top.len() - late);
        nodes.extend(top);
        nodes.extend(hosts);
        nodes.extend(behind);
        nodes
    }

    fn listen(&mut self, listen: &Listen) -> Node {
        let address = match (listen.any, self.rng.percent(50)) {
            (true, true) => format!("*:{}", listen.port),
            (true, false) => listen.port.to_string(),
            (false, _) => format!("127.0.0.1:{}", listen.port),
        };
        let mut words = vec![address];
        if self.rng.percent(self.chances.https) {
            words.push(self.rng.word(&["https", "https", "HTTPS", "http"]));
        }
        Node::Line("Listen".to_owned(), words)
    }

    fn vhost(&mut self, place: usize, first: bool, shared_certificate: bool) -> Node {
        self.vhosts += 1;
        let addresses = self.addresses(place);
        let mut body = self.names();
        let chance = self.rng.below(100);
        let (off, optional) = if first { (3, 1) } else { (8, 3) };
        let engine = match chance {
            _ if chance < off => Some("off"),
            _ if chance < off + optional => Some("optional"),
            _ if self.rng.percent(self.chances.no_engine) => None,
            _ => Some("on"),
        };
        body.extend(engine.map(|word| Node::line("SSLEngine", &[word])));
        let bare = engine.is_none() && self.rng.percent(10);
        let inherits = shared_certificate && self.rng.percent(60);
        if !bare && !inherits {
            body.extend(certificate(["one", "two"][self.rng.below(2)]));
        }
        if self.rng.percent(12) {
            body.push(Node::line("ServerAdmin", &["webmaster@a.test"]));
        }
        if self.rng.percent(3) {
            let word = self.rng.word(&["https", "http"]);
            body.push(Node::line("Protocol", &[&word]));
        }
        body.push(Node::Exact(format!(
            "Header always set X-Seen \"v{} %{{SSL_CLIENT_VERIFY}}s\"",
            self.vhosts
        )));
        let own = settings::vhost_level(self.rng, &self.chances);
        body.extend(own);
        for turn in (1..body.len()).rev() {
            // Order matters only between directives of one name, which stay side by side.
            let other = self.rng.below(turn + 1);
            if self.rng.percent(30) && movable(&body[turn]) && movable(&body[other]) {
                body.swap(turn, other);
            }
        }
        Node::Section(format!("VirtualHost {}", addresses.join(" ")), body)
    }

    fn addresses(&mut self, place: usize) -> Vec<String> {
        let mut addresses = vec![self.address(place)];
        if self.rng.percent(self.chances.more_addresses) {
            let other = self.rng.below(self.listens.len());
            addresses.push(self.address(other));
        }
        if self.rng.percent(3) {
            addresses.push(self.rng.word(&["*:*", "127.0.0.1:*", "_default_:*"]));
        }
        if self.rng.percent(10) {
            addresses.swap_remove(0);
            addresses.push(self.address(place));
        }
        addresses
    }

    fn address(&mut self, place: usize) -> String {
        let Listen { port, any, star } = self.listens[place];
        let hosts: &[&str] = if any {
            &["127.0.0.1", "*", "*", "_default_", "127.0.0.2"]
        } else {
            &[
                "127.0.0.1",
                "127.0.0.1",
                "127.0.0.1",
                "*",
                "*",
                "_Default_",
                "0.0.0.0",
            ]
        };
        match self.rng.percent(85) {
            true => format!("{}:{port}", if star { "*" } else { "127.0.0.1" }),
            false => format!("{}:{port}", self.rng.word(hosts)),
        }
    }

    fn names(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let name = if self.rng.percent(self.chances.same_name) {
            NAMES[0].to_owned()
        } else {
            self.rng.word(&NAMES)
        };
        let port = self.listens[0].port;
        let name = match self.rng.below(100) {
            0..6 => Some(format!("{name}:443")),
            6..9 => Some(format!("{name}:{port}")),
            9..12 => Some(format!("https://{name}")),
            12..14 => Some(format!("https://{name}:8443")),
            14..18 => Some(name.to_ascii_uppercase()),
            18.. if self.rng.percent(self.chances.no_name) => None,
            _ => Some(name),
        };
        let named = name.is_some();
        nodes.extend(name.map(|name| Node::Line("ServerName".to_owned(), vec![name])));
        if !self.rng.percent(if named { 25 } else { 85 }) {
            return nodes;
        }
        let mut aliases = Vec::new();
        for _ in 0..=self.rng.below(3) {
            let wild = [
                "*.test",
                "?.test",
                "*.w.test",
                "x.w.test",
                "B.Test",
                "main.test",
            ];
            aliases.push(match self.rng.percent(60) {
                true => self.rng.word(&NAMES),
                false => self.rng.word(&wild),
            });
        }
        nodes.push(Node::Line("ServerAlias".to_owned(), aliases));
        nodes
    }
}

fn movable(node: &Node) -> bool {
    matches!(node, Node::Line(name, _) if !["SSLOpenSSLConfCmd", "SSLSessionCache",
        "SSLSessionTickets", "SSLSessionCacheTimeout", "SSLSessionTicketKeyFile"].contains(&name.as_str()))
}

fn certificate(stem: &str) -> [Node; 2] {
    let file = format!("{{w}}/{stem}.crt");
    let key = format!("{{w}}/{stem}.key");
    [
        Node::line("SSLCertificateFile", &[&file]),
        Node::line("SSLCertificateKeyFile", &[&key]),
    ]
}
