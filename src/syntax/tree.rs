//! The flat, lossless tree that both servers' parsers fill.
//!
//! Three lists: tokens tile the file without a gap, nodes are statements in the order of
//! the file, errors stand beside them. An id is an index; a block's descendants are the
//! nodes between it and its `end`, so a walk is a loop over a slice.

use super::tokens::{Run, Tokens};
use crate::text::Span;

/// Index of a node in its tree.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct NodeId(pub u32);

/// What a node is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
#[repr(u8)]
pub enum NodeKind {
    /// `name args;` or a directive line.
    Directive,
    /// `name args { ... }` or `<Name args> ... </Name>`.
    Block,
    /// A block whose body is another language (Lua).
    Foreign,
    /// A line of a data block (`types`, `map`, `geo` ...): its first word is no directive.
    Data,
    /// httpd: a `</Name>` line that closes nothing in this file (it may close a section
    /// that a macro body opened).
    StrayClose,
}

/// A statement. Its words are tokens; trivia lies between them.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The enclosing block.
    pub parent: Option<NodeId>,
    /// One past the last descendant: `id + 1` where there is none.
    pub end: u32,
    /// From the first byte of the name (httpd: of `<`) to the `;`, `}` or line's last byte.
    pub span: Span,
    /// The bytes between a block's opening and closing marks; `None` without a body.
    /// nginx: after `{` to before `}`. httpd: after the opening line's end to the start of
    /// the closing line.
    pub body: Option<Span>,
    /// The node's tokens from its name up to `;`, `{` or the line's end: first index.
    pub first_token: u32,
    /// One past the last of those tokens.
    pub last_token: u32,
}

/// What went wrong, beside the tree.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct SyntaxError {
    /// One clause in lower case, as the server says it where it has a sentence of its own.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The line the server reports (httpd: the last physical line of a joined line).
    pub line: u32,
    /// The server refuses the file for this. False for what it accepts silently but a
    /// reader should know.
    pub fatal: bool,
}

/// The tree of one file.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Tiles the file.
    pub tokens: Tokens,
    /// Statements in the order of the file.
    pub nodes: Vec<Node>,
    /// Errors in the order of the file.
    pub errors: Vec<SyntaxError>,
}

impl Tree {
    /// The node behind an id of this tree.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Statements directly below `parent`, or at the top for `None`.
    pub fn children(&self, parent: Option<NodeId>) -> Children<'_> {
        let (next, end) = match parent {
            Some(id) => (id.0 + 1, self.node(id).end),
            None => (0, self.nodes.len() as u32),
        };
        Children {
            tree: self,
            next,
            end,
        }
    }

    /// The tokens of a node's own line or head: name, arguments, comments between them.
    pub fn head(&self, id: NodeId) -> Run<'_> {
        let node = self.node(id);
        self.tokens.run(node.first_token, node.last_token)
    }

    /// Prints the tree: the tokens' bytes, one after the other.
    pub fn print(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for token in &self.tokens {
            out.extend_from_slice(token.span.of(text));
        }
        out
    }
}

/// Iterator over the statements directly below a block.
#[derive(Clone, Debug)]
pub struct Children<'tree> {
    tree: &'tree Tree,
    next: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if self.next >= self.end {
            return None;
        }
        let id = NodeId(self.next);
        self.next = self.tree.node(id).end;
        Some(id)
    }
}
