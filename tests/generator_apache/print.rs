//! Writes a tree as files, each statement in one of the ways that httpd reads alike.

use std::collections::BTreeMap;

use super::rng::Rng;
use super::tree::Node;

/// The files of a tree: the root's own text under "", the others by their path.
pub type Files = BTreeMap<String, String>;

/// Writes; without noise where there is no generator.
pub fn print(nodes: &[Node], rng: Option<Rng>) -> Files {
    let mut printer = Printer {
        rng,
        files: Files::new(),
    };
    let mut text = String::new();
    printer.nodes(nodes, 0, &mut text);
    let text = printer.ended(text);
    printer.files.insert(String::new(), text);
    printer.files
}

struct Printer {
    rng: Option<Rng>,
    files: Files,
}

impl Printer {
    fn percent(&mut self, percent: usize) -> bool {
        self.rng.as_mut().is_some_and(|rng| rng.percent(percent))
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        self.rng.as_mut().map_or(words[0], |rng| *rng.pick(words))
    }

    fn nodes(&mut self, nodes: &[Node], depth: usize, out: &mut String) {
        for node in nodes {
            self.comment(depth, out);
            self.indent(depth, out);
            self.node(node, depth, out);
        }
    }

    fn node(&mut self, node: &Node, depth: usize, out: &mut String) {
        match node {
            Node::Line(name, words) => self.line(name, words, out),
            Node::Exact(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Node::Section(head, body) => {
                let (name, arguments) = head.split_once(' ').unwrap_or((head, ""));
                let name = self.cased(name);
                let tail = self.pick(&["", "", "", "", "", "", "", "", " # vhost", " x"]);
                let space = self.pick(&["", "", "", "", "", " "]);
                out.push_str(&format!("<{name} {arguments}{space}>{tail}\n"));
                self.nodes(body, depth + 1, out);
                self.indent(depth, out);
                let name = self.cased(&name);
                let tail = self.pick(&["", "", "", "", "", "", "", "", " # end"]);
                out.push_str(&format!("</{name}>{tail}\n"));
            }
            Node::Conditional(head, body) => {
                let (name, arguments) = head.split_once(' ').unwrap_or((head, ""));
                let name = self.cased(name);
                out.push_str(&format!("<{name} {arguments}>\n"));
                self.nodes(body, depth + 1, out);
                self.indent(depth, out);
                let name = self.cased(&name);
                out.push_str(&format!("</{name}>\n"));
            }
            Node::Include(name, argument, files) => {
                for (path, nodes) in files {
                    let mut text = String::new();
                    self.nodes(nodes, 0, &mut text);
                    let text = self.ended(text);
                    self.files.insert(path.clone(), text);
                }
                self.line(name, std::slice::from_ref(argument), out);
            }
            Node::Macro(head, body) => {
                out.push_str(&format!("<Macro {head}>\n"));
                self.nodes(body, depth + 1, out);
                out.push_str("</Macro>\n");
            }
        }
    }

    fn line(&mut self, name: &str, words: &[String], out: &mut String) {
        let name = match self.percent(2) {
            true => format!("\"{name}\""),
            false => self.cased(name),
        };
        out.push_str(&name);
        let mut comment = false;
        for word in words {
            comment |= word == "#";
            let between = self.pick(&[" ", " ", " ", " ", " ", "  ", "\t", " \\\n  "]);
            out.push_str(if comment { " " } else { between });
            let word = match comment {
                true => word.clone(),
                false => self.quoted(word),
            };
            let cut = self.percent(3) && word.is_ascii() && word.len() > 2;
            match self.rng.as_mut().filter(|_| cut) {
                Some(rng) => {
                    let (front, back) = word.split_at(1 + rng.below(word.len() - 1));
                    out.push_str(&format!("{front}\\\n{back}"));
                }
                None => out.push_str(&word),
            }
        }
        let end = self.pick(&["", "", "", "", "", "", " ", "\t "]);
        out.push_str(end);
        out.push('\n');
    }

    fn quoted(&mut self, word: &str) -> String {
        let needs = word.contains(' ') || word.is_empty();
        if !needs && !self.percent(12) {
            return word.to_owned();
        }
        let quote = self.pick(&["\"", "'"]);
        format!("{quote}{word}{quote}")
    }

    fn cased(&mut self, name: &str) -> String {
        match self.pick(&["", "", "", "", "", "", "", "lower", "upper"]) {
            "lower" => name.to_lowercase(),
            "upper" => name.to_uppercase(),
            _ => name.to_owned(),
        }
    }

    fn comment(&mut self, depth: usize, out: &mut String) {
        if !self.percent(6) {
            return;
        }
        self.indent(depth, out);
        let text = self.pick(&[
            "# a comment\n",
            "\n",
            "#SSLSessionTickets off\n",
            "# goes on \\\n  SSLSessionTickets off\n",
            "# SSLSessionCache \"none\\\nSSLSessionCache none\n",
        ]);
        out.push_str(text);
    }

    fn indent(&mut self, depth: usize, out: &mut String) {
        let one = self.pick(&["    ", "    ", "    ", "  ", "\t", ""]);
        out.push_str(&one.repeat(depth));
    }

    /// Some files come from other systems, some end without a line's end.
    fn ended(&mut self, text: String) -> String {
        let text = match self.percent(12) {
            true => text.replace('\n', "\r\n"),
            false => text,
        };
        match self.percent(6) && !text.trim_end().ends_with('\\') {
            true => text.trim_end().to_owned(),
            false => text,
        }
    }
}
