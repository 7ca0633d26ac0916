//! Wraps a tree's statements in what httpd reads through: conditionals that hold and that do
//! not, variables, macros, includes. What the tree says stays the same.

use super::rng::Rng;
use super::settings::{self, Chances};
use super::tree::{NAMES, Node};

/// Wraps; `version` is the server's.
pub fn scrambled(
    rng: &mut Rng,
    nodes: Vec<Node>,
    version: &str,
    (dir, world): (&str, &str),
) -> Vec<Node> {
    let mut noise = Noise {
        rng,
        version: version.to_owned(),
        dir: dir.to_owned(),
        world: world.to_owned(),
        serial: 0,
    };
    noise.level(nodes, 0)
}

/// Conditions that the tool leaves open and that hold on this server.
pub const OPEN: [&str; 4] = [
    "IfDirective SSLEngine",
    "IfDirective !NoSuchDirective",
    "IfSection VirtualHost",
    "IfSection !NoSuchSection",
];

struct Noise<'a> {
    rng: &'a mut Rng,
    version: String,
    dir: String,
    world: String,
    serial: usize,
}

impl Noise<'_> {
    fn level(&mut self, nodes: Vec<Node>, depth: usize) -> Vec<Node> {
        let mut done = Vec::new();
        let mut rest = nodes.into_iter().peekable();
        while let Some(node) = rest.next() {
            if self.rng.percent(7) {
                done.extend(self.decoy(depth));
            }
            let mut run = vec![self.inside(node, depth)];
            while run.len() < 3 && rest.peek().is_some() && self.rng.percent(25) {
                let next = rest.next();
                run.extend(next.map(|node| self.inside(node, depth)));
            }
            done.extend(self.run(run, depth));
        }
        done
    }

    fn run(&mut self, run: Vec<Node>, depth: usize) -> Vec<Node> {
        if depth > 3 {
            return run;
        }
        match self.rng.below(100) {
            0..9 => {
                let (mut front, condition) = self.condition(true);
                let inner = self.run(run, depth + 1);
                front.push(Node::Conditional(self.place(condition), inner));
                front
            }
            9..14 => self.included(run),
            14..20 => self.variables(run),
            20..26 => self.macros(run),
            _ => run,
        }
    }

    fn inside(&mut self, node: Node, depth: usize) -> Node {
        match node {
            Node::Section(head, body) => Node::Section(head, self.level(body, depth + 1)),
            node => node,
        }
    }

    /// Statements that are not in force.
    fn decoy(&mut self, depth: usize) -> Vec<Node> {
        let (mut front, condition) = self.condition(false);
        let chances = Chances {
            cache: 70,
            tickets: 60,
            timeout: 50,
            protocol: 30,
            ..Chances::theme(0)
        };
        let mut body = match depth {
            0 => settings::server_level(self.rng, &chances),
            _ => settings::vhost_level(self.rng, &chances),
        };
        if depth == 0 && self.rng.percent(40) {
            let inner = settings::vhost_level(self.rng, &chances);
            body.push(Node::Section("VirtualHost 127.0.0.1:1".to_owned(), inner));
        }
        if self.rng.percent(20) {
            body.push(Node::line("SSLSessionTickets", &["perhaps"]));
        }
        if self.rng.percent(20) {
            let (_, holds) = self.condition(true);
            body = vec![Node::Conditional(holds, body)];
        }
        front.push(Node::Conditional(condition, body).placed(&self.dir, &self.world));
        front
    }

    /// A condition that holds or not, with what has to stand in front of it.
    fn condition(&mut self, holds: bool) -> (Vec<Node>, String) {
        let mut front = Vec::new();
        let (positive, name, argument) = match self.rng.below(6) {
            0 | 1 => self.module(),
            2 => self.define(&mut front),
            3 => self.version_test(),
            4 => self.file(),
            _ if holds => {
                let open = *self.rng.pick(&OPEN);
                return (front, open.to_owned());
            }
            _ => self.module(),
        };
        let bang = match (positive == holds, self.rng.percent(8)) {
            (true, _) => "",
            (false, true) if name != "IfVersion" => "! ",
            (false, _) => "!",
        };
        (front, format!("{name} {bang}{argument}"))
    }

    fn module(&mut self) -> (bool, &'static str, String) {
        let (there, module) = *self.rng.pick(&[
            (true, "mod_ssl.c"),
            (true, "ssl_module"),
            (true, "mod_version.c"),
            (true, "core.c"),
            (true, "headers_module"),
            (false, "mod_none.c"),
            (false, "none_module"),
            (false, "MOD_SSL.C"),
            (false, "mod_ssl"),
            // Loaded at the very end.
            (false, "mod_env.c"),
            (false, "env_module"),
        ]);
        (there, "IfModule", module.to_owned())
    }

    fn define(&mut self, front: &mut Vec<Node>) -> (bool, &'static str, String) {
        let name = format!("FLAG{}", self.number());
        let there = match self.rng.below(5) {
            0 => return (true, "IfDefine", "LIVE".to_owned()),
            1 => return (false, "IfDefine", "live".to_owned()),
            2 => {
                front.push(Node::line("Define", &[&name]));
                true
            }
            3 => {
                front.push(Node::line("Define", &[&name]));
                front.push(Node::line("UnDefine", &[&name]));
                false
            }
            _ => false,
        };
        (there, "IfDefine", name)
    }

    fn version_test(&mut self) -> (bool, &'static str, String) {
        let version = self.version.clone();
        let (there, test) = match self.rng.below(14) {
            0 => (true, ">= 2.4".to_owned()),
            1 => (true, "> 2.4.0".to_owned()),
            2 => (true, format!("= {version}")),
            3 => (true, format!("== {version}")),
            4 => (true, "< 2.5".to_owned()),
            5 => (true, format!("<= {version}")),
            6 => (true, "~ ^2\\.4\\.[0-9]+$".to_owned()),
            7 => (true, "= /^2.4/".to_owned()),
            8 => (true, format!("= {version}")),
            9 => (false, format!("> {version}")),
            10 => (false, format!("< {version}")),
            11 => (false, "~ ^2\\.3".to_owned()),
            12 => (false, "= 2.4".to_owned()),
            _ => (false, ">= 2.4.200".to_owned()),
        };
        (there, "IfVersion", test)
    }

    fn file(&mut self) -> (bool, &'static str, String) {
        let (there, file) = *self.rng.pick(&[
            (true, "{dir}/apache2.conf"),
            (true, "apache2.conf"),
            (true, "{w}/one.crt"),
            (false, "{dir}/none"),
            (false, "none.conf"),
        ]);
        (there, "IfFile", file.to_owned())
    }

    fn included(&mut self, run: Vec<Node>) -> Vec<Node> {
        let number = self.number();
        let include = *self.rng.pick(&["Include", "Include", "IncludeOptional"]);
        let dir = format!("{}/", self.dir);
        let base = *self.rng.pick(&["", &dir]);
        if self.rng.percent(15) {
            let mut all = run;
            let none = format!("{base}none{number}/*.conf");
            all.push(Node::Include("IncludeOptional", none, Vec::new()));
            return all;
        }
        let (argument, names): (String, [String; 3]) = match self.rng.below(4) {
            0 => {
                let name = format!("inc/f{number}.conf");
                let file = (format!("{base}{name}"), vec![(name, run)]);
                return vec![Node::Include(include, file.0, file.1)];
            }
            1 => (
                format!("{base}inc/g{number}/*.conf"),
                ["10-a.conf", "9-b.conf", "Z.conf"].map(|name| format!("inc/g{number}/{name}")),
            ),
            2 => (
                format!("{base}inc/d{number}"),
                [".hidden", "one", "two~"].map(|name| format!("inc/d{number}/{name}")),
            ),
            _ => (
                format!("{base}inc/w?{number}/[a-c]*"),
                ["wa", "wb", "wc"].map(|folder| format!("inc/{folder}{number}/a.conf")),
            ),
        };
        let files = names
            .into_iter()
            .zip(run.into_iter().map(|node| vec![node]));
        vec![Node::Include(include, argument, files.collect())]
    }

    /// Puts arguments into variables.
    fn variables(&mut self, run: Vec<Node>) -> Vec<Node> {
        let mut done = Vec::new();
        for node in run {
            let Node::Line(name, mut words) = node else {
                done.push(node);
                continue;
            };
            let index = self.rng.below(words.len());
            let word = words[index].clone();
            let plain = !word.contains(['#', '$', '"', ' ']) && !name.contains("efine");
            if plain && !word.is_empty() {
                let variable = format!("Var{}", self.number());
                let (kept, value) = match self.rng.percent(30) && word.is_ascii() {
                    true => word.split_at(self.rng.below(word.len())),
                    false => ("", word.as_str()),
                };
                done.push(Node::line("Define", &[&variable, value]));
                words[index] = format!("{kept}${{{variable}}}");
            }
            done.push(Node::Line(name, words));
        }
        done
    }

    /// Turns a vhost into a macro and its use, or two.
    fn macros(&mut self, run: Vec<Node>) -> Vec<Node> {
        let mut done = Vec::new();
        for node in run {
            let Node::Section(head, body) = node else {
                done.push(node);
                continue;
            };
            let Some((_, addresses)) = head
                .split_once(' ')
                .filter(|(kind, _)| *kind == "VirtualHost")
            else {
                done.push(Node::Section(head, body));
                continue;
            };
            if addresses.contains(' ') || holds_macro(&body) {
                done.push(Node::Section(head.clone(), body));
                continue;
            }
            let name = format!("Host{}", self.number());
            let named = body.iter().find_map(|node| match node {
                Node::Line(name, words) if name == "ServerName" => Some(words[0].clone()),
                _ => None,
            });
            let named = named.filter(|name| !name.contains('$'));
            let own = named.clone().unwrap_or_else(|| "a.test".to_owned());
            let body: Vec<Node> = body
                .into_iter()
                .map(|node| parameter(node, named.as_deref()))
                .collect();
            let section = Node::Section("VirtualHost $addr".to_owned(), body);
            done.push(Node::Macro(format!("{name} $addr %name"), vec![section]));
            done.push(Node::line("Use", &[&name, addresses, &own]));
            if self.rng.percent(25) {
                let other = self.rng.word(&NAMES);
                done.push(Node::line(
                    "Use",
                    &[&name.to_lowercase(), addresses, &other],
                ));
            }
        }
        done
    }

    fn place(&self, text: String) -> String {
        text.replace("{dir}", &self.dir).replace("{w}", &self.world)
    }

    fn number(&mut self) -> usize {
        self.serial += 1;
        self.serial
    }
}

fn parameter(node: Node, named: Option<&str>) -> Node {
    match node {
        Node::Line(name, _) if name == "ServerName" && named.is_some() => {
            Node::line("ServerName", &["%name"])
        }
        node => node,
    }
}

fn holds_macro(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Macro(..) => true,
        Node::Section(_, body) | Node::Conditional(_, body) => holds_macro(body),
        Node::Include(_, _, files) => files.iter().any(|(_, body)| holds_macro(body)),
        _ => false,
    })
}
