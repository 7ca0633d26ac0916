//! One statement read by itself: most changes need no more of a file than that.
//!
//! It says nothing where only the whole file tells what stands there; the caller reads the
//! whole tree then.

use crate::catalog::Server;
use crate::fix::arguments::{Statement, Word};
use crate::fix::layout::begins_line;
use crate::fix::{apache, nginx};
use crate::syntax::{self, NodeId, NodeKind, TokenKind, Tree};
use crate::text::Span;

/// A statement without a body, cut out of its file.
pub(super) struct Slip<'text> {
    server: Server,
    file: &'text [u8],
    /// Where it stands in the file.
    span: Span,
    /// Its own tree, counted from its begin.
    tree: Tree,
}

impl<'text> Slip<'text> {
    /// Reads the bytes of `span`, of which the project says that a directive stands there;
    /// `None` where they are not just one statement.
    pub(super) fn read(server: Server, file: &'text [u8], span: Span) -> Option<Self> {
        // httpd reads lines.
        if server == Server::Apache && !begins_line(file, span.start) {
            return None;
        }
        let own = file.get(span.start as usize..span.end as usize)?;
        let tree = match server {
            Server::Nginx => syntax::nginx::parse(own, &syntax::nginx::Options::default()),
            Server::Apache => syntax::apache::parse(own),
        };
        let [node] = tree.nodes.as_slice() else {
            return None;
        };
        let whole = node.span == Span::new(0, own.len() as u32);
        let plain = whole && node.kind == NodeKind::Directive && tree.errors.is_empty();
        plain.then_some(Self {
            server,
            file,
            span,
            tree,
        })
    }

    /// Its words, by their places in the file.
    pub(super) fn statement(&self) -> Option<Statement<'text>> {
        let own = self.span.of(self.file);
        let read = match self.server {
            Server::Nginx => nginx::statement(own, &self.tree, NodeId(0)),
            Server::Apache => apache::statement(own, &self.tree, NodeId(0)),
        };
        let read = read?;
        let at = self.span.start;
        let arguments = read.arguments.into_iter().map(|word| Word {
            span: moved(word.span, at),
            ..word
        });
        Some(Statement {
            text: self.file,
            name: moved(read.name, at),
            arguments: arguments.collect(),
            spell: read.spell,
        })
    }

    /// True where a comment stands between its words.
    pub(super) fn holds_comment(&self) -> bool {
        let mut tokens = self.tree.tokens.iter();
        tokens.any(|token| token.kind == TokenKind::Comment)
    }
}

fn moved(span: Span, by: u32) -> Span {
    Span::new(span.start + by, span.end + by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::desk::in_tree;

    /// What a slip says of a statement is what the whole file's tree says.
    #[test]
    fn a_statement_by_itself_reads_as_in_its_file() {
        let nginx: &[u8] =
            b"http {\n a b \"c d\" 'e';# f\n g # h ;\n i; j;}\nmap $a $b {\n x y;\n}\n";
        let apache: &[u8] = b"A b \\\n  \"c d\" 'e f\n<If x>\n  G on # h\n</If>\n\t I <j>\nk";
        for (server, text) in [(Server::Nginx, nginx), (Server::Apache, apache)] {
            let tree = match server {
                Server::Nginx => syntax::nginx::parse(text, &syntax::nginx::Options::default()),
                Server::Apache => syntax::apache::parse(text),
            };
            let mut read = 0;
            for (index, node) in tree.nodes.iter().enumerate() {
                let Some(slip) = Slip::read(server, text, node.span) else {
                    assert!(node.body.is_some(), "{}", node.span.of(text).escape_ascii());
                    continue;
                };
                read += 1;
                let own = slip.statement().unwrap();
                let whole = in_tree(server, text, &tree, NodeId(index as u32)).unwrap();
                assert_eq!(own.name, whole.name);
                assert_eq!(own.arguments.len(), whole.arguments.len());
                for (own, whole) in own.arguments.iter().zip(&whole.arguments) {
                    assert_eq!(own.span, whole.span);
                    assert_eq!(own.value, whole.value);
                    assert_eq!((own.quote, own.open), (whole.quote, whole.open));
                }
            }
            assert!(read >= 3);
        }
    }

    #[test]
    fn what_is_not_one_statement_is_not_read() {
        let read = |server, text: &[u8], start, end| {
            Slip::read(server, text, Span::new(start, end)).is_some()
        };
        assert!(read(Server::Nginx, b"a b;", 0, 4));
        assert!(!read(Server::Nginx, b"a b;", 0, 3));
        assert!(!read(Server::Nginx, b"a b; ", 0, 5));
        assert!(!read(Server::Nginx, b"a b;c;", 0, 6));
        assert!(!read(Server::Nginx, b"a {}", 0, 4));
        assert!(!read(Server::Nginx, b"a b;", 0, 9));
        assert!(read(Server::Apache, b"A b", 0, 3));
        assert!(!read(Server::Apache, b"A b", 2, 3));
        assert!(!read(Server::Apache, b"<A b>", 0, 5));
    }

    #[test]
    fn a_comment_between_words_is_seen() {
        let holds = |text: &[u8]| {
            let slip = Slip::read(Server::Nginx, text, Span::new(0, text.len() as u32));
            slip.unwrap().holds_comment()
        };
        assert!(holds(b"a # b\n c;"));
        assert!(!holds(b"a \"# b\";"));
    }
}
