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

/// Undoes the grammar file's escapes.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next().expect("an escape") {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'x' => {
                let hex: String = (0..2).map(|_| char::from(bytes.next().unwrap())).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            other => out.push(other),
        }
    }
    out
}

/// Splits `"text" rest` at the closing quote.
fn quoted(text: &str) -> (Vec<u8>, &str) {
    let inner = text.trim().strip_prefix('"').expect("a quote");
    let mut end = 0;
    let bytes = inner.as_bytes();
    while bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (unescape(&inner[..end]), &inner[end + 1..])
}

#[test]
fn every_production_has_examples_that_hold() {
    let grammar = include_str!("../grammars/apache/lexical.ebnf");
    let mut production = None;
    let mut examples = std::collections::BTreeMap::new();
    for line in grammar.lines() {
        if let Some((name, _)) = line
            .split_once(" = ")
            .filter(|_| !line.starts_with([' ', '(']))
        {
            production = Some(name);
            examples.entry(name).or_insert(0);
        }
        let Some(comment) = line
            .strip_prefix("(* ")
            .and_then(|rest| rest.strip_suffix("*)"))
        else {
            continue;
        };
        if let Some(example) = comment.strip_prefix("ok: ") {
            holds(example);
        } else if let Some(example) = comment.strip_prefix("err: ") {
            fails(example);
        } else {
            continue;
        }
        *examples
            .get_mut(production.expect("an example below a production"))
            .unwrap() += 1;
    }
    // A production of two lines has its examples below the second.
    let bare = ["space", "word"];
    for (name, count) in &examples {
        assert!(*count > 0 || bare.contains(name), "{name} has no example");
    }
    let total: usize = examples.values().sum();
    assert!(total > 40, "{total}");
    println!(
        "httpd grammar: {} productions, {total} examples hold",
        examples.len()
    );
}

fn holds(example: &str) {
    let (text, rest) = quoted(example);
    let tree = check(&text);
    assert_eq!(tree.errors, [], "{example}");
    let expected = rest.trim().strip_prefix("=>").expect("=>").trim();
    let kinds: Vec<String> = tree
        .tokens
        .iter()
        .map(|token| format!("{:?}", token.kind).to_lowercase())
        .collect();
    let kinds = kinds.join(" ");
    match expected.strip_suffix("...") {
        Some(start) => assert!(kinds.starts_with(start.trim()), "{example}: {kinds}"),
        None => assert_eq!(kinds, expected, "{example}"),
    }
}

fn fails(example: &str) {
    let (text, rest) = quoted(example);
    let tree = check(&text);
    let expected = rest.trim().strip_prefix("=>").expect("=>").trim();
    let (line, message) = expected.split_once(' ').unwrap();
    let error = tree
        .errors
        .first()
        .unwrap_or_else(|| panic!("no error: {example}"));
    let (message, _) = quoted(message);
    assert_eq!(error.message.as_bytes(), message, "{example}");
    assert_eq!(error.line.to_string(), line, "{example}");
}

/// httpd's recorded verdicts: a text it accepts has no fatal error, and a fatal error has
/// the line that httpd names, where that line is its own.
#[test]
fn fatal_errors_agree_with_httpd() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/syntax/apache");
    let (mut accepted, mut refused, mut fatal) = (0, 0, 0);
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|extension| extension != "conf") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let verdict = std::fs::read_to_string(path.with_extension("verdict")).unwrap();
        let tree = check(&text);
        let error = tree.errors.iter().find(|error| error.fatal);
        let shown = path.display();
        if verdict.trim() == "ok" {
            assert_eq!(error, None, "{shown}");
            accepted += 1;
            continue;
        }
        refused += 1;
        let Some(error) = error else {
            continue;
        };
        fatal += 1;
        let line: u32 = verdict.split(' ').nth(1).unwrap().parse().unwrap();
        let inside = tree
            .nodes
            .iter()
            .any(|node| node.body.is_some() && logical_is_conditional(&text, &tree, node));
        assert!(
            inside || line == error.line,
            "{shown}: {verdict}: {error:?}"
        );
    }
    assert!(
        accepted >= 50 && refused >= 70 && fatal >= 15,
        "{accepted} {refused} {fatal}"
    );
    println!("httpd verdicts: {accepted} accepted, {refused} refused, {fatal} of them fatal here");
}

/// httpd names a conditional's first line for what is wrong inside a skipped one.
fn logical_is_conditional(text: &[u8], tree: &Tree, node: &stekguard::syntax::Node) -> bool {
    let id = tree.nodes.iter().position(|other| other == node).unwrap();
    stekguard::syntax::apache::is_conditional(&logical(text, tree, NodeId(id as u32)).name)
}
