//! Tokens to a tree of sections.
//!
//! Nesting by what is written: conditions are not decided, macros not used, `${}` not
//! replaced. Inside a macro's body nothing is an error, because a body need not balance.
//! Iterative and linear: no input makes it recurse or search twice.

use std::collections::HashMap;

use super::head::HeadKind;
use super::lexer::{Lexed, tokenize};
use super::line::{LINE_LIMIT, Line, MACRO_LINE_LIMIT, lines};
use super::{is_conditional, is_macro};
use crate::syntax::{Node, NodeId, NodeKind, SyntaxError, Tree};
use crate::text::Span;

/// Reads a text. Never fails: what cannot be read stands in the tree's errors, and the
/// tokens print the text back byte for byte.
///
/// `fatal` errors are those that httpd meets however conditions turn out, provided that it
/// reads the text on its own; whether it meets the others, the source room finds out.
pub fn parse(text: &[u8]) -> Tree {
    let mut parser = Parser::new(text);
    for line in lines(text) {
        let joined = line.joined(text);
        let lexed = tokenize(&line, &joined, &mut parser.tree.tokens);
        parser.line(&line, &lexed);
    }
    parser.finish();
    parser.tree
}

struct Parser<'t> {
    text: &'t [u8],
    tree: Tree,
    /// The sections around the current line, outermost first.
    open: Vec<Section>,
    /// The number of each section name, in lower case.
    names: HashMap<Vec<u8>, usize>,
    /// For each of those numbers, where in `open` its sections stand.
    named: Vec<Vec<usize>>,
    /// Where in `open` macro definitions stand.
    macros: Vec<usize>,
    /// How many of `open` are conditionals.
    conditionals: usize,
    /// A macro was used above, or a variable stands in a name: either may open or close
    /// sections that are not written here.
    unsure: bool,
}

struct Section {
    node: NodeId,
    /// The number of its name.
    name: usize,
    spelled: Vec<u8>,
    line: u32,
    conditional: bool,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8]) -> Self {
        let mut tree = Tree::default();
        tree.tokens.reserve(text.len() / 6);
        tree.nodes.reserve(text.len() / 36);
        Self {
            text,
            tree,
            open: Vec::new(),
            names: HashMap::new(),
            named: Vec::new(),
            macros: Vec::new(),
            conditionals: 0,
            unsure: false,
        }
    }

    fn line(&mut self, line: &Line, lexed: &Lexed<'_>) {
        self.check(line, lexed);
        match lexed.kind {
            HeadKind::Empty | HeadKind::Comment => {}
            HeadKind::Directive => self.directive(lexed),
            HeadKind::Open => self.enter(line, lexed),
            HeadKind::Close => self.leave(line, lexed),
        }
    }

    /// What is wrong with a line whatever stands around it.
    fn check(&mut self, line: &Line, lexed: &Lexed<'_>) {
        if line.nul {
            let hidden = Span::new(line.content.end, line.span.end);
            self.error(
                "a NUL byte hides the rest of the line",
                hidden,
                line.number,
                false,
            );
        }
        if line.span.start == 0 && self.text.starts_with(b"\xef\xbb\xbf") {
            let message = "a byte order mark is read as part of the first directive's name";
            self.error(message, Span::new(0, 3), line.number, true);
        }
        self.check_length(line, lexed);
        if lexed.kind == HeadKind::Empty && !lexed.span.is_empty() {
            let message = "a first word without a name: httpd skips the line";
            self.error(message, lexed.span, line.number, false);
        }
    }

    /// httpd reads a macro's body with a buffer of its own, and a line that does not fit
    /// ends the reading: the macro's first line is reported.
    fn check_length(&mut self, line: &Line, lexed: &Lexed<'_>) {
        let length = lexed.length + usize::from(line.line_feed);
        if length > LINE_LIMIT {
            self.error("line too long", lexed.span, line.number, true);
            return;
        }
        let outermost = self.macros.first().copied();
        let Some(at) = outermost.filter(|_| length > MACRO_LINE_LIMIT) else {
            return;
        };
        let message = "a line of a macro's body is too long, so httpd does not find </Macro>";
        let certain = !self.open.iter().take(at).any(|section| section.conditional);
        let reported = self
            .open
            .get(at)
            .map_or(line.number, |section| section.line);
        self.error(message, lexed.span, reported, certain);
    }

    fn directive(&mut self, lexed: &Lexed<'_>) {
        let mut pairs = lexed.name.windows(2);
        let varies = lexed.name.contains(&b'$') && pairs.any(|pair| pair == b"${");
        if self.macros.is_empty() && (varies || lexed.name.eq_ignore_ascii_case(b"use")) {
            self.unsure = true;
        }
        self.node(NodeKind::Directive, lexed);
    }

    fn enter(&mut self, line: &Line, lexed: &Lexed<'_>) {
        let node = self.node(NodeKind::Block, lexed);
        let body = Span::at(line.span.end);
        if let Some(block) = self.tree.nodes.last_mut() {
            block.body = Some(body);
        }
        if lexed.lacks_bracket && self.macros.is_empty() {
            let name = String::from_utf8_lossy(&lexed.name);
            let message = format!("<{name}> directive missing closing '>'");
            let certain = self.conditionals == 0;
            self.error(message, lexed.span, line.number, certain);
        }
        let name = lexed.name.to_ascii_lowercase();
        let conditional = is_conditional(&name);
        let at = self.open.len();
        if is_macro(&name) {
            self.macros.push(at);
        }
        self.conditionals += usize::from(conditional);
        let name = self.number(name);
        if let Some(positions) = self.named.get_mut(name) {
            positions.push(at);
        }
        let spelled = lexed.name.to_vec();
        self.open.push(Section {
            node,
            name,
            spelled,
            line: line.number,
            conditional,
        });
    }

    /// The number of a name in lower case.
    fn number(&mut self, name: Vec<u8>) -> usize {
        let next = self.named.len();
        let number = *self.names.entry(name).or_insert(next);
        if number == next {
            self.named.push(Vec::new());
        }
        number
    }

    fn leave(&mut self, line: &Line, lexed: &Lexed<'_>) {
        let in_macro = self.macros.last().copied();
        let Some(at) = self.closes(lexed) else {
            self.stray(line, lexed, in_macro);
            return;
        };
        let quiet = in_macro.is_some();
        if at + 1 < self.open.len() && !quiet {
            let expected = self.open.last().map(|section| section.spelled.clone());
            self.mismatch(&expected.unwrap_or_default(), line, lexed);
        }
        let conditional = self.open.get(at).is_some_and(|section| section.conditional);
        if conditional && lexed.trailing && !quiet {
            let name = String::from_utf8_lossy(&lexed.name);
            let message =
                format!("text behind </{name}>, which httpd refuses where the condition holds");
            self.error(message, lexed.span, line.number, false);
        }
        while self.open.len() > at + 1 {
            self.close(line.span.start, line.span.start);
        }
        self.close(line.span.start, lexed.span.end);
    }

    /// Which open section a closing line ends: the innermost of its name, but none outside
    /// the macro body that the line stands in.
    fn closes(&self, lexed: &Lexed<'_>) -> Option<usize> {
        if lexed.lacks_bracket {
            return None;
        }
        let innermost = self.open.last();
        let at = match innermost.filter(|it| it.spelled.eq_ignore_ascii_case(&lexed.name)) {
            Some(_) => self.open.len() - 1,
            None => {
                let name = self.names.get(&lexed.name.to_ascii_lowercase())?;
                self.named.get(*name)?.last().copied()?
            }
        };
        (at >= self.macros.last().copied().unwrap_or(0)).then_some(at)
    }

    fn stray(&mut self, line: &Line, lexed: &Lexed<'_>, in_macro: Option<usize>) {
        self.node(NodeKind::StrayClose, lexed);
        if in_macro.is_some() {
            return;
        }
        let name = String::from_utf8_lossy(&lexed.name).into_owned();
        let certain = !self.unsure;
        match self.open.last() {
            _ if lexed.lacks_bracket => {
                let message = format!("</{name}> directive missing closing '>'");
                // A skipped conditional takes any last byte for the `>`.
                let certain = certain && self.conditionals == 0;
                self.error(message, lexed.span, line.number, certain);
            }
            Some(section) => {
                let expected = section.spelled.clone();
                self.mismatch(&expected, line, lexed);
            }
            None => {
                let message = format!("</{name}> without matching <{name}> section");
                self.error(message, lexed.span, line.number, certain);
            }
        }
    }

    fn mismatch(&mut self, expected: &[u8], line: &Line, lexed: &Lexed<'_>) {
        let expected = String::from_utf8_lossy(expected);
        let name = String::from_utf8_lossy(&lexed.name);
        let message = format!("expected </{expected}> but saw </{name}>");
        self.error(message, lexed.span, line.number, !self.unsure);
    }

    /// Ends the innermost section: its body before `body_end`, itself at `end`.
    fn close(&mut self, body_end: u32, end: u32) {
        let Some(section) = self.open.pop() else {
            return;
        };
        if let Some(positions) = self.named.get_mut(section.name) {
            positions.pop();
        }
        if self.macros.last() == Some(&self.open.len()) {
            self.macros.pop();
        }
        self.conditionals -= usize::from(section.conditional);
        let next = self.tree.nodes.len() as u32;
        let Some(node) = self.tree.nodes.get_mut(section.node.0 as usize) else {
            return;
        };
        node.end = next;
        node.span.end = end.max(node.span.end);
        if let Some(body) = &mut node.body {
            body.end = body_end.max(body.start);
        }
    }

    /// The text ended: what is still open is an error, except where httpd accepts that.
    fn finish(&mut self) {
        let end = self.text.len() as u32;
        let mut errors = Vec::new();
        let outermost_macro = self.macros.first().copied().unwrap_or(usize::MAX);
        let mut in_conditional = false;
        for (at, section) in self.open.iter().enumerate() {
            let is_macro = at == outermost_macro;
            let name = String::from_utf8_lossy(&section.spelled);
            let message = match (is_macro, section.conditional) {
                (true, _) => "expected token not found: </Macro>".to_owned(),
                (_, true) => format!("<{name}> was not closed; httpd accepts that if it holds"),
                _ => format!("<{name}> was not closed"),
            };
            in_conditional |= section.conditional;
            let fatal = is_macro || !in_conditional && !self.unsure;
            errors.push((message, section.node, section.line, fatal));
            if is_macro {
                break;
            }
        }
        for (message, node, line, fatal) in errors {
            let span = self.tree.node(node).span;
            self.error(message, span, line, fatal);
        }
        while !self.open.is_empty() {
            self.close(end, end);
        }
        // Trees live as long as the project: what was reserved in vain does not.
        self.tree.tokens.shrink_to_fit();
        self.tree.nodes.shrink_to_fit();
    }

    fn node(&mut self, kind: NodeKind, lexed: &Lexed<'_>) -> NodeId {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(Node {
            kind,
            parent: self.open.last().map(|section| section.node),
            end: id + 1,
            span: lexed.span,
            body: None,
            first_token: lexed.first,
            last_token: lexed.last,
        });
        NodeId(id)
    }

    fn error(&mut self, message: impl Into<String>, span: Span, line: u32, fatal: bool) {
        self.tree.errors.push(SyntaxError {
            message: message.into(),
            span,
            line,
            fatal,
        });
    }
}
