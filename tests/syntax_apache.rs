//! httpd's lexer and parser: any bytes tile and print back, the grammar's examples hold,
//! and what is wrong with a file is what httpd said of it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use stekguard::syntax::apache::{lines, logical, parse};
use stekguard::syntax::{NodeId, NodeKind, Tree};

/// Every invariant that holds for any bytes.
fn check(text: &[u8]) -> Tree {
    let tree = parse(text);
    let shown = String::from_utf8_lossy(text);
    let mut at = 0;
    for token in &tree.tokens {
        assert_eq!(token.span.start, at, "gap or overlap in {shown:?}");
        assert!(!token.span.is_empty(), "empty token in {shown:?}");
        at = token.span.end;
    }
    assert_eq!(at as usize, text.len(), "tail of {shown:?}");
    assert_eq!(tree.print(text), text);
    let mut at = 0;
    for line in lines(text) {
        assert_eq!(line.span.start, at, "lines tile {shown:?}");
        assert!(
            line.cuts.windows(2).all(|pair| pair[0].end < pair[1].start),
            "{shown:?}"
        );
        at = line.span.end;
    }
    assert_eq!(at as usize, text.len());
    for index in 0..tree.nodes.len() {
        let id = NodeId(index as u32);
        let node = tree.node(id);
        assert!(node.end as usize > index && node.end as usize <= tree.nodes.len());
        assert!(node.span.start < node.span.end && node.span.end as usize <= text.len());
        if let Some(parent) = node.parent {
            assert!(
                parent < id && node.end <= tree.node(parent).end,
                "{shown:?}"
            );
            let body = tree.node(parent).body.unwrap();
            assert!(
                body.start <= node.span.start && node.span.end <= body.end,
                "{shown:?}"
            );
        }
        let view = logical(text, &tree, id);
        assert!(node.kind != NodeKind::Directive || !view.line().is_empty());
        let words = stekguard::syntax::apache::words(&view.args);
        for word in words {
            let span = view.span(word.range);
            assert!(
                node.span.start <= span.start && span.end <= node.span.end,
                "{shown:?}"
            );
        }
    }
    tree
}

/// A small generator, so that a failure comes again with the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

#[test]
fn any_bytes_print_back() {
    let pieces: [&[u8]; 34] = [
        b"\\",
        b"\n",
        b"\r",
        b"\r\n",
        b"\\\n",
        b"\\\r\n",
        b" ",
        b"\t",
        b"\x0b",
        b"#",
        b"<",
        b">",
        b"</",
        b"<A>",
        b"</A>",
        b"<A b>\n",
        b"</A>\n",
        b"<IfModule x>\n",
        b"</IfModule>\n",
        b"<Macro m $a>\n",
        b"</Macro>\n",
        b"Use m\n",
        b"\"",
        b"'",
        b"\"\"",
        b"\0",
        b"${",
        b"}",
        b"\xef\xbb\xbf",
        b"\xff",
        b"Listen",
        b" 80",
        b"$",
        b"/",
    ];
    let mut random = Random(7);
    let mut bytes = 0;
    for _ in 0..60_000 {
        let length = random.next(24);
        let text: Vec<u8> = (0..length)
            .flat_map(|_| pieces[random.next(pieces.len())].iter().copied())
            .collect();
        check(&text);
        bytes += text.len();
    }
    for _ in 0..20_000 {
        let text: Vec<u8> = (0..random.next(40))
            .map(|_| random.next(256) as u8)
            .collect();
        check(&text);
        bytes += text.len();
    }
    println!("80000 random texts, {bytes} bytes, print back");
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    let size = 400_000;
    for piece in [
        "<A>\n",
        "</B>\n",
        "\\\n",
        "\\",
        "\"",
        "<Macro m>\n",
        "${",
        "<IfModule x>\n",
        "\\\\\n\n",
        "a\\\n",
    ] {
        let text = piece.repeat(size / piece.len());
        let begun = std::time::Instant::now();
        let tree = parse(text.as_bytes());
        assert_eq!(tree.print(text.as_bytes()), text.as_bytes());
        assert!(
            begun.elapsed().as_secs() < 5,
            "{piece:?} took {:?}",
            begun.elapsed()
        );
    }
    let mut text = "<A>\n".repeat(50_000);
    text.push_str(&"</B>\n".repeat(50_000));
    assert_eq!(check(text.as_bytes()).nodes.len(), 100_000);
}
