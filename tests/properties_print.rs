//! The tree prints back every byte: generated configurations of both servers, as they are and
//! with changes that nobody would write, read by both servers' readers. Tokens lie side by side,
//! statements lie within their blocks, errors within the text. (The corpora print back in
//! corpora_nginx.rs and corpora_apache.rs.)
//!
//! `STEKGUARD_CASES=10` tries ten times as many texts, `STEKGUARD_SEED=7` others.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod generator;
mod generator_apache;
mod properties;
mod support;

use std::cell::Cell;
use std::collections::BTreeMap;

use generator::nginx::{Ability, tree as nginx_tree};
use generator_apache::noise::scrambled;
use generator_apache::rng::Rng;
use generator_apache::tree::tree as apache_tree;
use properties::mutate::{KINDS, mutations};
use properties::{Verdict, holds, seed};
use proptest::prelude::*;
use stekguard::syntax::nginx::{InitialContext, Options};
use stekguard::syntax::{NodeId, Tree, apache, nginx};
use stekguard::text::Span;

/// Texts, by default.
const TEXTS: u32 = 2000;
/// Changes of one text.
const CHANGES: usize = 6;

fn nginx_text(number: u32) -> Vec<u8> {
    let ability = Ability {
        stream_names: number.is_multiple_of(2),
        stream_module: None,
        main: vec!["daemon off".to_owned()],
    };
    let tree = nginx_tree(seed(), number as usize, &ability);
    let files = generator::print::noisy(&tree.nodes, &mut tree.noise.clone());
    let texts = files.into_iter().map(|(_, text)| text);
    texts.collect::<String>().into_bytes()
}

fn apache_text(number: u32) -> Vec<u8> {
    let mut rng = Rng::new(seed(), number as usize);
    let tree = apache_tree(&mut rng, number as usize, &[8443, 9443, 443]);
    let nodes = scrambled(&mut rng, tree.nodes, "2.4.71", ("/etc/httpd", "/etc/pki"));
    let files = generator_apache::print::print(&nodes, Some(rng));
    files.into_values().collect::<String>().into_bytes()
}

#[test]
fn every_text_prints_back() {
    let bytes = Cell::new(0_usize);
    let (statements, errors) = (Cell::new(0_usize), Cell::new(0_usize));
    let changed = Cell::new([0_usize; KINDS.len()]);
    let number = (0..100_000_u32).no_shrink();
    holds(TEXTS, &(number, mutations(CHANGES)), |(number, changes)| {
        let texts = [nginx_text(number), apache_text(number)];
        let (one, other) = match number % 3 {
            0 => (&texts[0], &texts[1]),
            1 => (&texts[1], &texts[0]),
            _ => (
                &texts[(number / 3 % 2) as usize],
                &texts[(number / 3 % 2) as usize],
            ),
        };
        let mut text = one.clone();
        for change in &changes {
            text = change.applied(&text, other);
            let mut counts = changed.get();
            counts[change.what] += 1;
            changed.set(counts);
        }
        let data = Options {
            context: InitialContext::Data,
            ..Options::default()
        };
        let trees = [
            nginx::parse(&text, &Options::default()),
            nginx::parse(&text, &data),
            apache::parse(&text),
        ];
        for tree in &trees {
            sound(&text, tree)?;
            statements.set(statements.get() + tree.nodes.len());
            errors.set(errors.get() + tree.errors.len());
        }
        bytes.set(bytes.get() + text.len());
        Ok(())
    });
    let kinds: BTreeMap<&str, usize> = KINDS.into_iter().zip(changed.get()).collect();
    println!(
        "{} bytes read three times each; {} statements, {} errors; changes: {kinds:?}",
        bytes.get(),
        statements.get(),
        errors.get()
    );
    assert!(kinds.values().all(|count| *count > 100), "{kinds:?}");
    assert!(statements.get() > 50_000 && errors.get() > 1000);
}

fn sound(text: &[u8], tree: &Tree) -> Verdict {
    let length = text.len() as u32;
    prop_assert!(tree.print(text) == text, "it does not print back");
    let mut at = 0;
    for token in &tree.tokens {
        prop_assert_eq!(token.span.start, at, "a gap between tokens");
        prop_assert!(token.span.end > at, "an empty token at {}", at);
        at = token.span.end;
    }
    prop_assert_eq!(at, length, "tokens end before the text");
    for (index, node) in tree.nodes.iter().enumerate() {
        prop_assert!(node.span.end <= length && node.span.start <= node.span.end);
        prop_assert!(node.end as usize > index && node.end as usize <= tree.nodes.len());
        let body = node.body.unwrap_or(node.span);
        prop_assert!(body.start >= node.span.start && body.end <= node.span.end);
        if let Some(parent) = node.parent {
            let around = tree.node(parent);
            prop_assert!((parent.0 as usize) < index && node.end <= around.end);
            let holds = |body: Span| body.start <= node.span.start && node.span.end <= body.end;
            prop_assert!(around.body.is_some_and(holds), "outside of its block");
        }
    }
    let walked = walk(tree, None);
    prop_assert_eq!(walked, tree.nodes.len(), "a walk misses statements");
    for error in &tree.errors {
        let lines = text.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        prop_assert!(error.span.end <= length && error.line >= 1 && error.line <= lines);
    }
    Ok(())
}

fn walk(tree: &Tree, parent: Option<NodeId>) -> usize {
    let mut open = vec![parent];
    let mut count = 0;
    while let Some(parent) = open.pop() {
        for child in tree.children(parent) {
            count += 1;
            open.push(Some(child));
        }
    }
    count
}
