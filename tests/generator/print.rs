//! From statements to files: includes, quotes, comments, white space and line ends as people
//! write them. Nothing here changes what the configuration means.

use super::rng::Rng;
use super::tree::Node;

/// Files by name; the first is the root.
pub type Files = Vec<(String, String)>;

/// Prints without any noise: for people.
pub fn plain(nodes: &[Node]) -> String {
    let mut printer = Printer {
        noise: None,
        out: String::new(),
        crlf: false,
    };
    printer.nodes(nodes, 0);
    printer.out
}

/// Prints into several files with noise.
pub fn noisy(nodes: &[Node], rng: &mut Rng) -> Files {
    let mut split = Split {
        rng: rng.fork(),
        files: Vec::new(),
    };
    let main = split.nodes(nodes.to_vec(), 0);
    let mut files = vec![("nginx.conf".to_owned(), main)];
    files.append(&mut split.files);
    let print = |(name, nodes): (String, Vec<Node>)| {
        let mut noise = rng.fork();
        let crlf = noise.chance(15);
        let mut printer = Printer {
            noise: Some(noise),
            out: String::new(),
            crlf,
        };
        printer.nodes(&nodes, 0);
        (name, printer.out)
    };
    files.into_iter().map(print).collect()
}

/// Moves statements into included files.
struct Split {
    rng: Rng,
    files: Vec<(String, Vec<Node>)>,
}

impl Split {
    fn nodes(&mut self, nodes: Vec<Node>, depth: usize) -> Vec<Node> {
        let inside = |split: &mut Self, node| match node {
            Node::Block(head, body) => Node::Block(head, split.nodes(body, depth)),
            other => other,
        };
        let mut nodes: Vec<Node> = nodes.into_iter().map(|node| inside(self, node)).collect();
        if depth > 2 || nodes.is_empty() || !self.rng.chance(22) {
            return nodes;
        }
        let from = self.rng.below(nodes.len());
        let count = 1 + self.rng.below(nodes.len() - from);
        let moved: Vec<Node> = nodes.drain(from..from + count).collect();
        let include = match self.rng.chance(50) {
            true => self.literal(moved, depth),
            false => self.pattern(moved, depth),
        };
        nodes.insert(from, include);
        if self.rng.chance(20) {
            // A pattern without a match is no mistake.
            nodes.insert(from, Node::line("include nothing/*.conf"));
        }
        nodes
    }

    fn literal(&mut self, moved: Vec<Node>, depth: usize) -> Node {
        let name = format!("part{}.conf", self.files.len());
        let at = self.files.len();
        self.files.push((name.clone(), Vec::new()));
        self.files[at].1 = self.nodes(moved, depth + 1);
        let name = match self.rng.chance(30) {
            true => format!("{{d}}/{name}"),
            false => name,
        };
        Node::Line(vec!["include".to_owned(), name])
    }

    /// Files whose order is that of their bytes: `10` before `9`, capitals before small ones.
    fn pattern(&mut self, moved: Vec<Node>, depth: usize) -> Node {
        const ORDER: [&str; 4] = ["10", "9", "B", "a"];
        let folder = format!("parts{}", self.files.len());
        let cut = self.rng.below(moved.len() + 1);
        let (first, second) = moved.split_at(cut);
        let from = self.rng.below(ORDER.len() - 1);
        for (stem, part) in [(ORDER[from], first), (ORDER[from + 1], second)] {
            let at = self.files.len();
            self.files
                .push((format!("{folder}/{stem}.conf"), Vec::new()));
            self.files[at].1 = self.nodes(part.to_vec(), depth + 1);
        }
        // Patterns leave files with a dot in front alone.
        let hidden = vec![Node::Raw("this is no configuration {".to_owned())];
        self.files.push((format!("{folder}/.old.conf"), hidden));
        Node::Line(vec!["include".to_owned(), format!("{folder}/*.conf")])
    }
}

struct Printer {
    noise: Option<Rng>,
    out: String,
    crlf: bool,
}

impl Printer {
    fn nodes(&mut self, nodes: &[Node], depth: usize) {
        for node in nodes {
            self.gap(depth);
            match node {
                Node::Raw(text) => self.out.push_str(text),
                Node::Line(words) => {
                    self.words(words);
                    self.out.push(';');
                }
                Node::Block(words, body) => {
                    self.words(words);
                    self.between();
                    self.out.push('{');
                    self.nodes(body, depth + 1);
                    self.gap(depth);
                    self.out.push('}');
                }
            }
        }
        if depth == 0 {
            self.end();
        }
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.noise.as_mut().is_some_and(|rng| rng.chance(percent))
    }

    fn end(&mut self) {
        self.out.push_str(if self.crlf { "\r\n" } else { "\n" });
    }

    /// What stands between two statements.
    fn gap(&mut self, depth: usize) {
        if self.noise.is_some() && !self.out.is_empty() && self.chance(8) {
            return;
        }
        if self.chance(8) {
            self.comment();
        }
        if !self.out.is_empty() {
            self.end();
        }
        if self.chance(10) {
            self.comment();
            self.end();
        }
        let tabs = self.chance(20);
        self.out
            .push_str(&if tabs { "\t" } else { "    " }.repeat(depth));
    }

    /// A comment and its line's end, with everything that means something elsewhere.
    fn comment(&mut self) {
        const TEXTS: [&str; 4] = [
            "# ssl_session_tickets off;",
            "# it's \"quoted\" and { open",
            "#} \\",
            "# caf\u{e9} ssl_session_cache shared:X:1m;",
        ];
        if !self.out.is_empty() && !self.out.ends_with(['\n', ' ']) {
            self.out.push(' ');
        }
        let index = self.noise.as_mut().map_or(0, |rng| rng.below(TEXTS.len()));
        self.out.push_str(TEXTS[index]);
    }

    fn words(&mut self, words: &[String]) {
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.space();
            }
            self.word(word);
        }
        if self.chance(6) {
            self.between();
        }
    }

    fn space(&mut self) {
        if self.chance(6) {
            self.out.push(' ');
            self.comment();
            self.end();
            return;
        }
        let wide = self.chance(10);
        let tab = self.chance(8);
        self.out.push_str(match (wide, tab) {
            (true, _) => "  \t ",
            (_, true) => "\t",
            _ => " ",
        });
        if self.chance(5) {
            self.end();
        }
    }

    /// In front of a brace or semicolon.
    fn between(&mut self) {
        if self.chance(10) {
            self.end();
            return;
        }
        self.out.push(' ');
    }

    fn word(&mut self, word: &str) {
        let special = |c: char| c.is_ascii_whitespace() || ";{}\"'\\#".contains(c);
        let needed = word.is_empty() || word.contains(special);
        if !needed && !self.chance(12) {
            return self.out.push_str(word);
        }
        let quote = if self.chance(50) { '\'' } else { '"' };
        self.out.push(quote);
        for c in word.chars() {
            if c == quote || c == '\\' {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self.out.push(quote);
    }
}
