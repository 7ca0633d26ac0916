//! nginx tokens to the flat tree, with the server's errors beside it.
//!
//! One pass without recursion. The first error is the one `nginx -t` would stop at; the
//! parser goes on behind it so that the tree covers the whole file. Must not judge
//! directives: contexts, arity and values are other rooms' work.

use crate::syntax::nginx::limits::{MAX_DEPTH, MAX_ERRORS, SUSPICIOUS};
use crate::syntax::nginx::lua::{self, LuaEnd};
use crate::syntax::nginx::options::{Body, InitialContext, Options};
use crate::syntax::nginx::view::decode;
use crate::syntax::nginx::{diagnose, lexer};
use crate::syntax::{Node, NodeId, NodeKind, SyntaxError, TokenKind, Tree};
use crate::text::{LineIndex, Span};

/// Parses one file. Any bytes give a tree whose tokens print back as those bytes.
///
/// `tree.errors[0]`, where there is one, has nginx's own sentence and line; bytes in a
/// sentence that are not printable ASCII stand as `\xNN`. Later errors are what the parser
/// met after it went on, at most [`MAX_ERRORS`](super::MAX_ERRORS). Unlike nginx it says so when
/// blocks nest deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
///
/// In the tree, a node's `last_token` is the index of its `;` or `{` where it has one, and
/// one past its last word where an error left it without. A `{` without a name in front
/// becomes a block without words.
///
/// Texts of 4 GiB and more give an empty tree with one error.
pub fn parse(text: &[u8], options: &Options) -> Tree {
    if u32::try_from(text.len()).is_err() {
        let message = "file is larger than 4 GiB".to_string();
        let error = SyntaxError {
            message,
            span: Span::at(0),
            line: 1,
            fatal: true,
        };
        return Tree {
            errors: vec![error],
            ..Tree::default()
        };
    }
    let mut parser = Parser::new(text, options);
    parser.run();
    parser.finish()
}

/// A statement that has begun.
#[derive(Copy, Clone)]
struct Statement {
    /// Index of its first token.
    first: u32,
    /// One past its last word's token.
    behind_word: u32,
    /// Where the name begins.
    start: u32,
}

/// An open block.
#[derive(Copy, Clone)]
struct Frame {
    node: NodeId,
    data: bool,
}

struct Parser<'text> {
    text: &'text [u8],
    body: fn(&[u8]) -> Body,
    tree: Tree,
    frames: Vec<Frame>,
    /// Data lines are read at this level.
    data: bool,
    /// The file's own level.
    top_data: bool,
    statement: Option<Statement>,
    /// The previous token was a quoted word, so only a few bytes may follow.
    after_quote: bool,
    deep: bool,
}

impl<'text> Parser<'text> {
    fn new(text: &'text [u8], options: &Options) -> Self {
        let data = options.context == InitialContext::Data;
        let mut tree = Tree::default();
        tree.tokens.reserve(text.len() / 6);
        tree.nodes.reserve(text.len() / 48);
        Self {
            text,
            body: options.body,
            tree,
            frames: Vec::new(),
            data,
            top_data: data,
            statement: None,
            after_quote: false,
            deep: false,
        }
    }

    fn run(&mut self) {
        let mut rest = self.text;
        while let Ok((behind, kind)) = lexer::token(rest) {
            let start = self.offset(rest);
            let end = self.offset(behind);
            let index = self.tree.tokens.len() as u32;
            let span = Span::new(start as u32, end as u32);
            self.tree.tokens.push(kind, span.end);
            rest = behind;
            if self.after_quote {
                self.after_quote = false;
                let first = Span::new(span.start, span.start + 1);
                self.report(diagnose::behind_quote(self.text, span.start), first);
            }
            if end - start >= SUSPICIOUS {
                self.report(diagnose::too_long(self.text, kind, span), span);
            }
            match kind {
                TokenKind::Space | TokenKind::Comment => {}
                TokenKind::Semicolon => self.semicolon(index, span),
                TokenKind::Open => rest = self.open(index, span, behind),
                TokenKind::Close => self.close(span),
                TokenKind::Quoted => {
                    self.after_quote = true;
                    self.word(index, span);
                }
                _ => self.word(index, span),
            }
        }
        self.end_of_file();
    }

    fn offset(&self, rest: &[u8]) -> usize {
        self.text.len() - rest.len()
    }

    fn word(&mut self, index: u32, span: Span) {
        let statement = self.statement.get_or_insert(Statement {
            first: index,
            behind_word: 0,
            start: span.start,
        });
        statement.behind_word = index + 1;
    }

    fn semicolon(&mut self, index: u32, span: Span) {
        let Some(statement) = self.statement.take() else {
            return self.error("unexpected \";\"", span);
        };
        self.push_simple(statement, index, span.end);
    }

    fn push_simple(&mut self, statement: Statement, last_token: u32, end: u32) {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(Node {
            kind: if self.data {
                NodeKind::Data
            } else {
                NodeKind::Directive
            },
            parent: self.frames.last().map(|frame| frame.node),
            end: id + 1,
            span: Span::new(statement.start, end),
            body: None,
            first_token: statement.first,
            last_token,
        });
    }

    /// Opens a block at `{`; gives what is left to read, which is less after a Lua body.
    fn open(&mut self, index: u32, span: Span, behind: &'text [u8]) -> &'text [u8] {
        let statement = self.statement.take();
        if statement.is_none() || self.data {
            self.error("unexpected \"{\"", span);
        }
        let body = statement.map_or(Body::Directives, |statement| self.body_of(statement));
        let data = self.data || body == Body::Data;
        let lua = !self.data && body == Body::Lua;
        let id = NodeId(self.tree.nodes.len() as u32);
        self.tree.nodes.push(Node {
            kind: if lua {
                NodeKind::Foreign
            } else {
                NodeKind::Block
            },
            parent: self.frames.last().map(|frame| frame.node),
            end: id.0 + 1,
            span: Span::new(statement.map_or(span.start, |it| it.start), span.end),
            body: Some(Span::at(span.end)),
            first_token: statement.map_or(index, |it| it.first),
            last_token: index,
        });
        if lua {
            return self.lua_body(id, behind);
        }
        self.frames.push(Frame { node: id, data });
        self.data = data;
        if self.frames.len() > MAX_DEPTH && !self.deep {
            self.deep = true;
            self.error(&format!("blocks nest deeper than {MAX_DEPTH} levels"), span);
        }
        behind
    }

    fn body_of(&self, statement: Statement) -> Body {
        let Some(token) = self.tree.tokens.get(statement.first) else {
            return Body::Directives;
        };
        let raw = token.span.of(self.text);
        match token.kind {
            TokenKind::Quoted => (self.body)(&decode(&raw[1..raw.len() - 1])),
            _ => (self.body)(&decode(raw)),
        }
    }

    fn lua_body(&mut self, id: NodeId, behind: &'text [u8]) -> &'text [u8] {
        let start = self.offset(behind);
        let end = match lua::body_end(behind) {
            LuaEnd::Closed(end) => start + end,
            LuaEnd::Unclosed(last_open) => {
                // The server names the line of the last brace that it counted.
                let at = last_open.map_or(start - 1, |offset| start + offset) as u32;
                let span = Span::new(at, at + 1);
                self.error(
                    "unexpected end of file, expecting terminating characters for lua code block",
                    span,
                );
                self.text.len()
            }
            LuaEnd::LongBracket { at, level } => {
                let equals = "=".repeat(level);
                let span = Span::at((start + at) as u32);
                self.error(
                    &format!(
                        "Lua code block missing the closing long bracket \"]{equals}]\", \
                         the inlined Lua code may be too long"
                    ),
                    span,
                );
                self.text.len()
            }
        };
        let body = Span::new(start as u32, end as u32);
        if !body.is_empty() {
            self.tree.tokens.push(TokenKind::Foreign, body.end);
        }
        let closed = (end + 1).min(self.text.len());
        if end < closed {
            self.tree.tokens.push(TokenKind::Close, closed as u32);
        }
        let node = &mut self.tree.nodes[id.0 as usize];
        node.body = Some(body);
        node.span.end = closed as u32;
        self.text.get(closed..).unwrap_or_default()
    }

    fn close(&mut self, span: Span) {
        let unfinished = self.statement.take();
        if let Some(statement) = unfinished {
            self.error("unexpected \"}\"", span);
            self.push_unfinished(statement);
        }
        let Some(frame) = self.frames.pop() else {
            if unfinished.is_none() {
                self.error("unexpected \"}\"", span);
            }
            return;
        };
        self.end_block(frame.node, span.start, span.end);
        self.data = self.frames.last().map_or(self.top_data, |frame| frame.data);
    }

    fn end_block(&mut self, id: NodeId, body_end: u32, end: u32) {
        let next = self.tree.nodes.len() as u32;
        let node = &mut self.tree.nodes[id.0 as usize];
        node.end = next;
        node.span.end = end;
        if let Some(body) = &mut node.body {
            body.end = body_end;
        }
    }

    /// Keeps the words that an error left without their `;`.
    fn push_unfinished(&mut self, statement: Statement) {
        let last = statement.behind_word.saturating_sub(1);
        let end = self
            .tree
            .tokens
            .get(last)
            .map_or(statement.start, |it| it.span.end);
        self.push_simple(statement, statement.behind_word, end);
    }

    fn end_of_file(&mut self) {
        let length = self.text.len() as u32;
        let unfinished = self.statement.take();
        if let Some(statement) = unfinished {
            self.error(
                "unexpected end of file, expecting \";\" or \"}\"",
                Span::at(length),
            );
            self.push_unfinished(statement);
        }
        if unfinished.is_none() && !self.frames.is_empty() {
            self.error("unexpected end of file, expecting \"}\"", Span::at(length));
        }
        while let Some(frame) = self.frames.pop() {
            self.end_block(frame.node, length, length);
        }
    }

    fn report(&mut self, message: Option<String>, span: Span) {
        if let Some(message) = message {
            self.error(&message, span);
        }
    }

    /// One error a place: the first is the server's.
    fn error(&mut self, message: &str, span: Span) {
        let errors = &mut self.tree.errors;
        let again = errors.last().is_some_and(|it| it.span.start == span.start);
        if again || errors.len() >= MAX_ERRORS {
            return;
        }
        let message = message.to_string();
        errors.push(SyntaxError {
            message,
            span,
            line: 0,
            fatal: true,
        });
    }

    /// Counts lines only where there is something to report.
    fn finish(mut self) -> Tree {
        // Trees live as long as the project: what was reserved in vain does not.
        self.tree.tokens.shrink_to_fit();
        self.tree.nodes.shrink_to_fit();
        if self.tree.errors.is_empty() {
            return self.tree;
        }
        let lines = LineIndex::new(self.text);
        for error in &mut self.tree.errors {
            error.line = lines.line(error.span.start);
        }
        self.tree
    }
}
