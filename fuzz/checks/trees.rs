//! Any bytes as a configuration: the tree prints them back, and its spans and ids hold together.
//! Judges the tree's shape only, not what the server would say about the text.

use stekguard::syntax::nginx::{self, Body, InitialContext, Options};
use stekguard::syntax::{NodeId, NodeKind, SyntaxError, Tree, apache};
use stekguard::text::Span;

/// How a tree is printed: the product's way, or a broken one, to see that the checks notice.
pub(crate) type Print = fn(&Tree, &[u8]) -> Vec<u8>;

/// nginx: as a main file, as a file inside a table, and with no block read as data.
pub(crate) fn nginx(bytes: &[u8]) {
    nginx_printed(bytes, Tree::print);
}

/// httpd.
pub(crate) fn apache(bytes: &[u8]) {
    apache_printed(bytes, Tree::print);
}

pub(crate) fn nginx_printed(bytes: &[u8], print: Print) {
    let plain = Options::default();
    let data = Options {
        context: InitialContext::Data,
        ..plain
    };
    let directives = Options {
        body: |_| Body::Directives,
        ..plain
    };
    for options in [plain, data, directives] {
        let tree = nginx::parse(bytes, &options);
        shape(bytes, &tree, print);
        assert!(tree.errors.len() <= nginx::MAX_ERRORS);
        for (index, node) in tree.nodes.iter().enumerate() {
            for word in nginx::words(bytes, &tree, NodeId(index as u32)) {
                assert!(inside(word.span, node.span), "a word outside its statement");
                assert!(word.value.len() <= word.span.len() as usize);
            }
        }
    }
}

pub(crate) fn apache_printed(bytes: &[u8], print: Print) {
    let tree = apache::parse(bytes);
    shape(bytes, &tree, print);
    let mut at = 0;
    for line in apache::lines(bytes) {
        assert_eq!(line.span.start, at, "lines tile");
        let mut cuts = line.cuts.windows(2);
        assert!(
            cuts.all(|pair| pair[0].end < pair[1].start),
            "cuts in order"
        );
        at = line.span.end;
    }
    assert_eq!(at as usize, bytes.len(), "lines reach the end");
    for (index, node) in tree.nodes.iter().enumerate() {
        let view = apache::logical(bytes, &tree, NodeId(index as u32));
        assert!(node.kind != NodeKind::Directive || !view.line().is_empty());
        assert!(inside(view.name_span, node.span), "a name outside its line");
        for word in apache::words(&view.args) {
            let span = view.span(word.range);
            assert!(inside(span, node.span), "a word outside its line");
        }
    }
}

fn inside(span: Span, outer: Span) -> bool {
    span.start <= span.end && outer.start <= span.start && span.end <= outer.end
}

/// The invariants of every tree of both servers.
fn shape(bytes: &[u8], tree: &Tree, print: Print) {
    assert!(print(tree, bytes) == bytes, "the tree prints back");
    let mut end = 0;
    for token in &tree.tokens {
        assert_eq!(token.span.start, end, "tokens tile");
        assert!(!token.span.is_empty(), "no token is empty");
        end = token.span.end;
    }
    assert_eq!(end as usize, bytes.len(), "tokens reach the end");
    for (index, node) in tree.nodes.iter().enumerate() {
        assert!(node.end as usize > index && node.end as usize <= tree.nodes.len());
        assert!(node.first_token <= node.last_token);
        assert!(node.last_token as usize <= tree.tokens.len());
        assert!(
            !node.span.is_empty() && node.span.end <= end,
            "a node has bytes"
        );
        if let Some(body) = node.body {
            assert!(inside(body, node.span), "a body within its block");
        }
        let Some(parent) = node.parent else { continue };
        let above = tree.node(parent);
        assert!(
            (parent.0 as usize) < index && node.end <= above.end,
            "ids nest"
        );
        let body = above.body.map(|body| inside(node.span, body));
        assert_eq!(body, Some(true), "spans nest");
    }
    assert_eq!(
        children(tree),
        tree.nodes.len(),
        "every node is one's child"
    );
    for SyntaxError {
        span,
        line,
        message,
        ..
    } in &tree.errors
    {
        assert!(*line >= 1 && span.start <= span.end && span.end <= end);
        assert!(!message.is_empty());
    }
}

/// How many nodes are somebody's child, or at the top.
fn children(tree: &Tree) -> usize {
    let mut open: Vec<NodeId> = tree.children(None).collect();
    let mut count = 0;
    while let Some(id) = open.pop() {
        count += 1;
        let before = open.len();
        open.extend(tree.children(Some(id)));
        let mut below = open[before..].iter();
        assert!(below.all(|child| tree.node(*child).parent == Some(id)));
    }
    count
}
