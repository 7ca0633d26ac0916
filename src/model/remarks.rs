//! Comments that speak to stekguard, with the statement that each is about. Follows the tree
//! of each file; whether a finding is accepted by one is not decided here.

use rayon::prelude::*;

use super::site::Remark;
use crate::catalog::Server;
use crate::source::{File, Project};
use crate::syntax::remark::{self, has_mark};
use crate::syntax::{Node, NodeKind, Token, TokenKind};
use crate::text::{Location, Span};

/// For fewer files, starting threads takes longer than they save.
const FEW: usize = 256;

/// All of a project, by file and place.
pub(super) fn remarks(project: &Project) -> Vec<Remark> {
    let files = &project.files;
    let of_marked = |file: &File| match has_mark(&file.text) {
        true => of_file(project.server, file),
        false => Vec::new(),
    };
    match files.len() < FEW {
        true => files.iter().flat_map(of_marked).collect(),
        false => files.par_iter().flat_map_iter(of_marked).collect(),
    }
}

fn of_file(server: Server, file: &File) -> Vec<Remark> {
    let tokens = file.tree().tokens.iter();
    let mut nodes = Nodes::new(file);
    let mut found = Vec::new();
    for token in tokens {
        match token.kind {
            TokenKind::Comment => {
                let Some(said) = remark::remark(token.span.of(&file.text)) else {
                    continue;
                };
                found.push(Remark {
                    location: Location::new(&file.path, token.span, &file.lines),
                    said,
                    covers: nodes.covered(server, token.span),
                    argument: false,
                });
            }
            TokenKind::Arguments | TokenKind::Foreign if server == Server::Apache => {
                found.extend(in_arguments(file, &token));
            }
            _ => {}
        }
    }
    found
}

/// httpd has no comments behind a directive: what looks like one is its arguments.
fn in_arguments(file: &File, token: &Token) -> Option<Remark> {
    let text = token.span.of(&file.text);
    let (at, said) = remark::within(text)?;
    let start = token.span.start + at as u32;
    Some(Remark {
        location: Location::new(&file.path, Span::new(start, token.span.end), &file.lines),
        said,
        covers: None,
        argument: true,
    })
}

/// The statements of a file, passed once along with its comments.
struct Nodes<'a> {
    file: &'a File,
    /// The first statement that begins behind the last comment asked for.
    next: usize,
    /// A statement and the first of the lines directly above it that hold comments only.
    above: Option<(usize, u32)>,
}

impl<'a> Nodes<'a> {
    const fn new(file: &'a File) -> Self {
        Self {
            file,
            next: 0,
            above: None,
        }
    }

    /// The statement that a comment is about: the one whose line it ends (nginx), else the one
    /// that begins on the next line that is no comment.
    fn covered(&mut self, server: Server, comment: Span) -> Option<Span> {
        let nodes = &self.file.tree().nodes;
        while nodes
            .get(self.next)
            .is_some_and(|node| node.span.start < comment.start)
        {
            self.next += 1;
        }
        let line = self.file.lines.line(comment.start);
        let before = self.next.checked_sub(1).and_then(|index| nodes.get(index));
        if server == Server::Nginx && !self.alone(comment) {
            return before
                .filter(|node| self.head_ends(node) == line)
                .map(|node| node.span);
        }
        let node = nodes.get(self.next)?;
        let near = self.comments_from(self.file.lines.line(node.span.start)) <= line + 1;
        (near && node.kind != NodeKind::StrayClose).then_some(node.span)
    }

    /// True where nothing but space stands before the comment on its line.
    fn alone(&self, comment: Span) -> bool {
        let text = &self.file.text;
        let before = text.get(..comment.start as usize).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let before = before
            .get(start.map_or(0, |at| at + 1)..)
            .unwrap_or_default();
        before.iter().all(u8::is_ascii_whitespace)
    }

    /// The line on which a statement's own words end, its mark included.
    fn head_ends(&self, node: &Node) -> u32 {
        let tokens = &self.file.tree().tokens;
        let mark = tokens.get(node.last_token);
        let last = mark.or_else(|| tokens.run(node.first_token, node.last_token).last());
        let end = last.map_or(node.span.start, |token| token.span.start);
        self.file.lines.line(end)
    }

    /// The first of the lines that hold comments only and stand directly above the next
    /// statement, which begins on this line. Looked for once: comments can be many.
    fn comments_from(&mut self, line: u32) -> u32 {
        if let Some((_, first)) = self.above.filter(|(next, _)| *next == self.next) {
            return first;
        }
        let lines = &self.file.lines;
        let is_comment = |line: &u32| {
            let span = lines.span(*line).unwrap_or_default();
            span.of(&self.file.text).trim_ascii().starts_with(b"#")
        };
        let run = (1..line).rev().take_while(is_comment).count();
        let first = line - run as u32;
        self.above = Some((self.next, first));
        first
    }
}
