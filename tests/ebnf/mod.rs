//! Reads a grammar in W3C EBNF and matches bytes against its productions, so that
//! grammars/*/lexical.ebnf is executed, not only read. Ordered choice, greedy repetition.

use std::collections::BTreeMap;

/// A right-hand side.
#[derive(Debug)]
enum Rule {
    Choice(Vec<Rule>),
    Sequence(Vec<Rule>),
    Repeat {
        rule: Box<Rule>,
        least: usize,
        most: usize,
    },
    Bytes(Vec<u8>),
    Class(Box<[bool; 256]>),
    Name(String),
}

/// A production's example.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) production: String,
    pub(crate) text: Vec<u8>,
    pub(crate) ok: bool,
}

/// A grammar with its examples.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    rules: BTreeMap<String, Rule>,
    pub(crate) examples: Vec<Example>,
}

impl Grammar {
    pub(crate) fn read(text: &str) -> Self {
        let mut grammar = Self::default();
        let mut pending: Vec<(bool, Vec<u8>)> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(comment) = line.strip_prefix("/*") {
                let mut comment = comment.to_string();
                while !comment.contains("*/") {
                    comment.push_str(lines.next().expect("comment is closed"));
                }
                let comment = comment.split("*/").next().unwrap();
                let comment = comment.strip_prefix(' ').unwrap_or(comment);
                let comment = comment.strip_suffix(' ').unwrap_or(comment);
                for (mark, ok) in [("ok:", true), ("err:", false)] {
                    if let Some(example) = comment.strip_prefix(mark) {
                        let example = example.strip_prefix(' ').unwrap_or(example);
                        pending.push((ok, unescape(example)));
                    }
                }
                continue;
            }
            if line.trim().is_empty() {
                continue;
            }
            let (name, right) = line.split_once("::=").expect("a production");
            let production = name.trim().to_string();
            for (ok, text) in pending.drain(..) {
                grammar.examples.push(Example {
                    production: production.clone(),
                    text,
                    ok,
                });
            }
            let mut reader = Reader { rest: right.trim() };
            let rule = reader.choice();
            assert_eq!(reader.rest, "", "{production}");
            assert!(grammar.rules.insert(production, rule).is_none());
        }
        grammar
    }

    pub(crate) fn productions(&self) -> impl Iterator<Item = &String> {
        self.rules.keys()
    }

    /// Whether the whole text is one `production`.
    pub(crate) fn accepts(&self, production: &str, text: &[u8]) -> bool {
        self.production(production, text) == Some(text.len())
    }

    fn production(&self, name: &str, text: &[u8]) -> Option<usize> {
        self.matched(
            self.rules.get(name).unwrap_or_else(|| panic!("no {name}")),
            text,
        )
    }

    fn matched(&self, rule: &Rule, text: &[u8]) -> Option<usize> {
        match rule {
            Rule::Choice(rules) => rules.iter().find_map(|rule| self.matched(rule, text)),
            Rule::Sequence(rules) => rules
                .iter()
                .try_fold(0, |at, rule| Some(at + self.matched(rule, &text[at..])?)),
            Rule::Repeat { rule, least, most } => {
                let (mut at, mut count) = (0, 0);
                while count < *most {
                    match self.matched(rule, &text[at..]) {
                        Some(0) | None => break,
                        Some(length) => at += length,
                    }
                    count += 1;
                }
                (count >= *least).then_some(at)
            }
            Rule::Bytes(bytes) => text.starts_with(bytes).then_some(bytes.len()),
            Rule::Class(class) => text
                .first()
                .filter(|byte| class[**byte as usize])
                .map(|_| 1),
            Rule::Name(name) => self.production(name, text),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn choice(&mut self) -> Rule {
        let mut rules = vec![self.sequence()];
        while self.take("|") {
            rules.push(self.sequence());
        }
        Rule::Choice(rules)
    }

    fn sequence(&mut self) -> Rule {
        let mut rules = Vec::new();
        while !self.rest.trim_start().is_empty() && !self.rest.trim_start().starts_with(['|', ')'])
        {
            let rule = self.primary();
            rules.push(self.repeated(rule));
        }
        Rule::Sequence(rules)
    }

    fn repeated(&mut self, rule: Rule) -> Rule {
        let (least, most) = match self.rest.chars().next() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            _ => return rule,
        };
        self.rest = &self.rest[1..];
        Rule::Repeat {
            rule: Box::new(rule),
            least,
            most,
        }
    }

    fn primary(&mut self) -> Rule {
        if self.take("(") {
            let rule = self.choice();
            assert!(self.take(")"));
            return rule;
        }
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (text, rest) = rest.split_once('"').expect("a closing quote");
            self.rest = rest;
            return Rule::Bytes(text.as_bytes().to_vec());
        }
        if let Some(rest) = self.rest.strip_prefix('[') {
            let (text, rest) = rest.split_once(']').expect("a closing bracket");
            self.rest = rest;
            return class(text);
        }
        if self.rest.starts_with("#x") {
            let byte = unescape(&self.rest[..4]);
            self.rest = &self.rest[4..];
            return Rule::Bytes(byte);
        }
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphabetic() && c != '-');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        assert!(!name.is_empty(), "{}", self.rest);
        self.rest = rest;
        Rule::Name(name.to_string())
    }

    fn take(&mut self, mark: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(mark) else {
            return false;
        };
        self.rest = rest;
        true
    }
}

fn class(text: &str) -> Rule {
    let (negated, text) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut set = Box::new([negated; 256]);
    for (index, range) in text.split('-').collect::<Vec<_>>().windows(2).enumerate() {
        assert!(index == 0, "one range a class");
        let (low, high) = (unescape(range[0]), unescape(range[1]));
        (low[0]..=high[0]).for_each(|byte| set[byte as usize] = !negated);
    }
    for byte in unescape(&text.replace('-', "")) {
        set[byte as usize] = !negated;
    }
    Rule::Class(set)
}

/// `#xNN` to bytes.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut pieces = text.split("#x");
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        out.push(u8::from_str_radix(&piece[..2], 16).expect("two hexadecimal digits"));
        out.extend_from_slice(&piece.as_bytes()[2..]);
    }
    out
}
