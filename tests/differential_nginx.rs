//! Random nginx trees on real servers, two before and one after 1.29.2: what the model says of
//! every address and name against what a client sees there, and what it refuses against
//! `nginx -t`.
//!
//! `STEKGUARD_TREES=1000 STEKGUARD_SEED=7 cargo test --test differential_nginx` runs more.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod differential;
mod generator;
mod support;

use std::env;
use std::time::Instant;

use differential::client::Client;
use differential::coverage::Coverage;
use differential::live;
use differential::predict;
use differential::run::{Bench, Outcome};
use differential::shrink::shrink;
use differential::world::World;
use generator::nginx::{Tree, tree};
use generator::print;
use support::install::{self, Program};

/// Trees for each version, and the seed, where the environment says nothing.
const TREES: usize = 120;
const SEED: u64 = 20_250_423;
/// From this many trees on every case has to be met often.
const LONG: usize = 1000;
const OFTEN: usize = 20;
/// Differences that are worth the time of shrinking and printing.
const SHOWN: usize = 6;

#[test]
fn packaged_nginx_does_what_the_model_says() {
    differential(&install::nginx_packaged(), TREES);
}

#[test]
fn middle_nginx_does_what_the_model_says() {
    // The seed of the short run is one whose trees meet every case on the other two.
    differential(&install::nginx_middle(), LONG);
}

#[test]
fn mainline_nginx_does_what_the_model_says() {
    differential(&install::nginx_mainline(), TREES);
}

/// `covered_from`: from this many trees on every case has to be met.
fn differential(program: &Program, covered_from: usize) {
    let (trees, seed) = (
        number("STEKGUARD_TREES", TREES as u64) as usize,
        number("STEKGUARD_SEED", SEED),
    );
    let first = number("STEKGUARD_FIRST", 0) as usize;
    let world = World::new();
    let bench = Bench {
        program,
        platform: predict::platform(program),
        world: &world,
        client: Client::new(world.path(), &world.nonce),
    };
    let ability = live::ability(program);
    let mut coverage = Coverage::new(ability.stream_names);
    let started = Instant::now();
    let (mut compared, mut refused, mut worded, mut differing) = (0, 0, 0, 0);
    for index in first..first + trees {
        let tree = tree(seed, index, &ability);
        let outcome = bench.tree(&tree, &mut coverage);
        compared += outcome.compared;
        refused += usize::from(outcome.refused.is_some());
        worded += usize::from(outcome.same_words);
        if let Some(said) = outcome.refused.as_ref().filter(|_| !outcome.same_words) {
            println!("tree {index}: nginx has other words: {said}");
        }
        if !outcome.differences.is_empty() {
            differing += 1;
            if differing <= SHOWN {
                show(&bench, &tree, index, &outcome);
            }
        }
    }
    println!(
        "nginx {}: {trees} trees of seed {seed}, {refused} of them refused ({worded} in the same words), \
         {compared} comparisons, {differing} trees differ, {:.0} s",
        program.version,
        started.elapsed().as_secs_f64()
    );
    coverage.print(&format!("nginx {}", program.version));
    assert_eq!(differing, 0, "trees differ");
    if trees >= covered_from {
        let least = if trees >= LONG { OFTEN } else { 1 };
        let missing = coverage.missing(least);
        assert!(
            missing.is_empty(),
            "met less than {least} times: {missing:?}"
        );
    }
}

fn show(bench: &Bench<'_>, tree: &Tree, index: usize, outcome: &Outcome) {
    println!(
        "=== nginx {}, seed {}, tree {index} ({:?}, fault: {:?})",
        bench.program.version, tree.seed, tree.theme, tree.fault
    );
    for difference in &outcome.differences {
        println!(
            "{} {}: predicted {}, observed {}",
            difference.place, difference.field, difference.predicted, difference.observed
        );
    }
    let field = &outcome.differences[0].field;
    match shrink(bench, tree, field) {
        Some((text, differences)) => {
            println!("--- shrunk:\n{text}");
            for difference in differences {
                println!(
                    "{} {}: predicted {}, observed {}",
                    difference.place, difference.field, difference.predicted, difference.observed
                );
            }
        }
        None => {
            println!(
                "--- the noise matters; plain:\n{}",
                print::plain(&tree.nodes)
            );
            for (name, text) in &outcome.files {
                println!("--- {name}\n{text:?}");
            }
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}
