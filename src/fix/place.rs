//! Where a new statement goes, and the bytes around it.
//!
//! Behind the last statement of its family that stands directly in the block, else behind
//! the last simple statement before the first nested block, else first in the block. Must
//! not know what the statement means.

use crate::catalog::{self, Server};
use crate::fix::layout::Lined;
use crate::syntax::{Node, NodeId, NodeKind, Tree};
use crate::syntax::{apache, nginx};
use crate::text::Span;

/// A file to insert into.
#[derive(Copy, Clone)]
pub(super) struct Page<'a> {
    /// Whose syntax.
    pub(super) server: Server,
    /// The bytes and their lines.
    pub(super) lined: Lined<'a>,
    /// Their tree.
    pub(super) tree: &'a Tree,
    /// Whether the statement at a span is in force: a false conditional's are not.
    pub(super) in_force: &'a dyn Fn(Span) -> bool,
    /// By how much the file indents the content of a block.
    pub(super) unit: &'a dyn Fn() -> &'a [u8],
}

/// An offset and what surrounds a statement inserted there.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Spot {
    /// Where.
    pub(super) at: u32,
    /// Before each statement inserted here.
    pub(super) lead: Vec<u8>,
    /// Behind each.
    pub(super) trail: Vec<u8>,
    /// Behind all of them.
    pub(super) tail: &'static [u8],
    /// The block whose content it becomes, which may be a conditional section within the one
    /// asked for.
    pub(super) inside: Option<NodeId>,
}

/// Finds the place for a statement called `name` directly in `block` (`None`: at the top
/// level). The error is a sentence.
pub(super) fn spot(page: Page<'_>, block: Option<NodeId>, name: &[u8]) -> Result<Spot, String> {
    if let Some(anchor) = family_anchor(page, block, name) {
        return page.behind(anchor);
    }
    if page.server == Server::Apache && block.is_none() {
        return page.at_server_level(name);
    }
    match page.last_simple(block) {
        Some(anchor) => page.behind(anchor),
        None => page.first_in(block),
    }
}

fn family_anchor(page: Page<'_>, block: Option<NodeId>, name: &[u8]) -> Option<NodeId> {
    let family = family(page.server, name);
    let belongs = |node: &NodeId| {
        page.tree.node(*node).kind == NodeKind::Directive
            && in_family(page.server, &family, &page.name(*node))
    };
    page.tree.children(block).filter(belongs).last()
}

/// What names of one family begin with: nginx `ssl_`, httpd the leading capitals but one
/// (`SSL`).
fn family(server: Server, name: &[u8]) -> Vec<u8> {
    let length = match server {
        Server::Nginx => name
            .iter()
            .position(|byte| *byte == b'_')
            .map(|under| under + 1),
        Server::Apache => {
            let capitals = name
                .iter()
                .take_while(|byte| byte.is_ascii_uppercase())
                .count();
            (capitals > 2).then(|| capitals - 1)
        }
    };
    let family = name.get(..length.unwrap_or(name.len())).unwrap_or(name);
    family.to_vec()
}

/// nginx's `ssl` belongs to `ssl_`.
fn in_family(server: Server, family: &[u8], name: &[u8]) -> bool {
    match server {
        Server::Nginx => name.starts_with(family) || family.strip_suffix(b"_") == Some(name),
        Server::Apache => name
            .get(..family.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(family)),
    }
}

impl Page<'_> {
    /// A statement's name; empty where it has none.
    pub(super) fn name(&self, node: NodeId) -> Vec<u8> {
        match self.server {
            Server::Nginx => nginx::name(self.lined.text, self.tree, node)
                .map_or_else(Vec::new, |word| word.value.into_owned()),
            Server::Apache => apache::logical(self.lined.text, self.tree, node)
                .name
                .into_owned(),
        }
    }

    fn last_simple(&self, block: Option<NodeId>) -> Option<NodeId> {
        let is_block = |node: &NodeId| {
            matches!(
                self.tree.node(*node).kind,
                NodeKind::Block | NodeKind::Foreign
            )
        };
        let simple = self.tree.children(block).take_while(|node| !is_block(node));
        simple
            .filter(|node| self.tree.node(*node).kind == NodeKind::Directive)
            .last()
    }

    /// httpd's server level: modules come and go by conditionals, and a statement before its
    /// module's LoadModule is refused, so neighbours count for more than order.
    fn at_server_level(&self, name: &[u8]) -> Result<Spot, String> {
        let module = catalog::apache(name).map_or("", |row| row.module);
        let mut conditionals = Vec::new();
        self.conditionals(None, &mut conditionals);
        let neighbour = conditionals.iter().find_map(|block| {
            family_anchor(*self, Some(*block), name)
                .filter(|anchor| (self.in_force)(self.tree.node(*anchor).span))
        });
        if let Some(anchor) = neighbour {
            return self.behind(anchor);
        }
        if let Some(block) = conditionals
            .iter()
            .find(|block| self.asks_for(**block, module))
        {
            return self.first_in(Some(*block));
        }
        let reads = |node: &NodeId| {
            self.tree.node(*node).kind == NodeKind::Directive
                && catalog::apache(&self.name(*node)).is_some_and(|row| row.exec_on_read)
        };
        let last_read = self.tree.children(None).filter(reads).last();
        let simple = |node: &NodeId| self.tree.node(*node).kind == NodeKind::Directive;
        let any = || self.tree.children(None).filter(simple).last();
        match self.last_simple(None).max(last_read).or_else(any) {
            Some(anchor) => self.behind(anchor),
            None => self.first_in(None),
        }
    }

    /// Positive `IfModule` sections at the server level, nested ones included.
    fn conditionals(&self, block: Option<NodeId>, found: &mut Vec<NodeId>) {
        for node in self.tree.children(block) {
            let asks = self.tree.node(node).kind == NodeKind::Block
                && self.name(node).eq_ignore_ascii_case(b"IfModule")
                && !self.argument(node).starts_with(b"!");
            if asks {
                found.push(node);
                self.conditionals(Some(node), found);
            }
        }
    }

    /// `<IfModule mod_x.c>` or `<IfModule x_module>` for module `mod_x`, with content in force.
    fn asks_for(&self, block: NodeId, module: &str) -> bool {
        let argument = self.argument(block);
        let source = [module.as_bytes(), b".c"].concat();
        let identifier = module
            .strip_prefix("mod_")
            .map(|name| format!("{name}_module"));
        let named =
            argument == source || identifier.is_some_and(|name| argument == name.as_bytes());
        let live = |node: NodeId| (self.in_force)(self.tree.node(node).span);
        named && self.tree.children(Some(block)).any(live)
    }

    fn argument(&self, node: NodeId) -> Vec<u8> {
        let logical = apache::logical(self.lined.text, self.tree, node);
        apache::word(&logical.args, 0).map_or_else(Vec::new, |word| word.value.into_owned())
    }

    fn behind(&self, anchor: NodeId) -> Result<Spot, String> {
        let Node {
            span,
            parent: inside,
            ..
        } = *self.tree.node(anchor);
        let rest = self.lined.rest_of_line(span.end);
        let shares_line =
            self.server == Server::Nginx && !(rest.is_empty() || rest.starts_with(b"#"));
        if shares_line {
            return Ok(same_line(span.end, b"", inside));
        }
        let indent = self.sibling_indent(anchor);
        let end = self.lined.line_end(span.end);
        if let Some(at) = self.lined.next_line(span.end) {
            return Ok(Spot {
                at,
                lead: indent,
                trail: end.to_vec(),
                tail: b"",
                inside,
            });
        }
        if self.lined.text.ends_with(b"\\") {
            return Err("the file ends in a backslash that would join the new line to it".into());
        }
        let lead = [end, &indent].concat();
        Ok(Spot {
            at: self.lined.text.len() as u32,
            lead,
            trail: Vec::new(),
            tail: b"",
            inside,
        })
    }

    fn first_in(&self, block: Option<NodeId>) -> Result<Spot, String> {
        let Some(block) = block else {
            let end = self.lined.line_end(0).to_vec();
            return Ok(Spot {
                at: 0,
                lead: Vec::new(),
                trail: end,
                tail: b"",
                inside: None,
            });
        };
        let node = self.tree.node(block);
        let Some(body) = node.body else {
            return Err("the block has no body".into());
        };
        let indent = || self.content_indent(block);
        let end = self.lined.line_end(node.span.start).to_vec();
        if self.lined.begins_line(body.start) && self.lined.line_start(body.start) == body.start {
            return Ok(Spot {
                at: body.start,
                lead: indent(),
                trail: end,
                tail: b"",
                inside: Some(block),
            });
        }
        let rest = self.lined.rest_of_line(body.start);
        if !(rest.is_empty() || rest.starts_with(b"#")) {
            let spaced = self
                .lined
                .text
                .get(body.start as usize)
                .is_some_and(u8::is_ascii_whitespace);
            let tail: &[u8] = if spaced { b"" } else { b" " };
            return Ok(same_line(body.start, tail, Some(block)));
        }
        match self.lined.next_line(body.start) {
            Some(at) => Ok(Spot {
                at,
                lead: indent(),
                trail: end,
                tail: b"",
                inside: Some(block),
            }),
            None => Err("the block is not closed".into()),
        }
    }

    /// The indentation of a statement that begins its line, or of a sibling that does.
    fn sibling_indent(&self, anchor: NodeId) -> Vec<u8> {
        let node = self.tree.node(anchor);
        if self.lined.begins_line(node.span.start) {
            return self.lined.indent(node.span.start).to_vec();
        }
        match node.parent {
            Some(block) => self.content_indent(block),
            None => Vec::new(),
        }
    }

    fn content_indent(&self, block: NodeId) -> Vec<u8> {
        let starts = self
            .tree
            .children(Some(block))
            .map(|node| self.tree.node(node).span.start);
        let mut beginning = starts.filter(|start| self.lined.begins_line(*start));
        if let Some(start) = beginning.next() {
            return self.lined.indent(start).to_vec();
        }
        let own = self.lined.indent(self.tree.node(block).span.start);
        [own, (self.unit)()].concat()
    }
}

fn same_line(at: u32, tail: &'static [u8], inside: Option<NodeId>) -> Spot {
    Spot {
        at,
        lead: b" ".to_vec(),
        trail: Vec::new(),
        tail,
        inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        assert_eq!(family(Server::Nginx, b"ssl_session_tickets"), b"ssl_");
        assert_eq!(family(Server::Nginx, b"listen"), b"listen");
        assert_eq!(family(Server::Apache, b"SSLSessionTickets"), b"SSL");
        assert_eq!(family(Server::Apache, b"ServerName"), b"ServerName");
        assert!(in_family(Server::Nginx, b"ssl_", b"ssl"));
        assert!(!in_family(Server::Nginx, b"ssl_", b"sslx"));
        assert!(in_family(Server::Apache, b"SSL", b"sslengine"));
    }
}
