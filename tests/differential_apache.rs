//! Random httpd trees on a real server: what the model says of every address and name against
//! what a client sees there.
//!
//! `STEKGUARD_TREES=1000 STEKGUARD_SEED=7 cargo test --test differential_apache` runs more;
//! `STEKGUARD_FIRST=123 STEKGUARD_TREES=1` runs one tree again.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub
)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod generator_apache;
mod support;

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use generator_apache::compare::{Difference, Outcome};
use generator_apache::coverage::{Rows, WANTED};
use generator_apache::faults;
use generator_apache::rng::Rng;
use generator_apache::run::{self, Written};
use generator_apache::tree::Node;
use generator_apache::world::World;
use support::install;

/// Trees and seed, where the environment says nothing.
const TREES: usize = 160;
const SEED: u64 = 2;
/// Trees that are spoiled, where the environment says nothing.
const SPOILED: usize = 240;
/// From this many trees on every row has to be met often.
const LONG: usize = 1000;
const OFTEN: usize = 20;
/// Differing trees that are shown whole.
const SHOWN: usize = 6;
/// Trees at a time.
const WORKERS: usize = 3;

#[test]
fn httpd_does_what_the_model_says() {
    let program = install::apache();
    let (trees, seed) = (
        number("STEKGUARD_TREES", TREES as u64) as usize,
        number("STEKGUARD_SEED", SEED),
    );
    let first = number("STEKGUARD_FIRST", 0) as usize;
    let world = World::new();
    let next = AtomicUsize::new(first);
    let total = Mutex::new(Total::default());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= first + trees {
                        return;
                    }
                    let (written, outcome) = one(seed, index, &program, &world);
                    total.lock().unwrap().add(seed, &written, outcome);
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!(
        "httpd {}: {trees} trees of seed {seed}, {} comparisons, {} differences in {} trees, {:.0} s",
        program.version,
        total.compared,
        total.differences,
        total.differing,
        started.elapsed().as_secs_f64()
    );
    for (row, hits) in &total.rows {
        println!("{hits:7}  {row}");
    }
    assert_eq!(total.differing, 0, "trees differ");
    if trees >= TREES {
        let least = if trees >= LONG { OFTEN } else { 1 };
        let hits = |row: &&&str| total.rows.get(**row).copied().unwrap_or(0) < least;
        let missing: Vec<_> = WANTED.iter().filter(hits).collect();
        assert!(
            missing.is_empty(),
            "met less than {least} times: {missing:?}"
        );
    }
}

/// One tree; again with other ports where another process was faster to take one.
fn one(seed: u64, index: usize, program: &install::Program, world: &World) -> (Written, Outcome) {
    const TRIES: usize = 4;
    let mut tries = 0;
    loop {
        let written = run::written(seed, index, program, world, |_, _, _| {});
        let outcome = written.outcome(program, world);
        tries += 1;
        let taken =
            |difference: &Difference| difference.observed.contains("Address already in use");
        if tries == TRIES || !outcome.differences.iter().any(taken) {
            return (written, outcome);
        }
    }
}

/// A statement that httpd may refuse, somewhere in a tree: the same verdict, in httpd's words.
#[test]
fn httpd_and_the_project_refuse_alike() {
    let program = install::apache();
    let trees = number("STEKGUARD_TREES", SPOILED as u64) as usize;
    let seed = number("STEKGUARD_SEED", SEED) ^ 0x5eed;
    let first = number("STEKGUARD_FIRST", 0) as usize;
    let world = World::new();
    let (mut refused, mut wrong) = (0, Vec::new());
    for index in first..first + trees {
        let mut fault = String::new();
        let spoil = |rng: &mut Rng, nodes: &mut Vec<Node>, places: (&str, &str)| {
            fault = faults::spoil(rng, nodes, places);
        };
        let written = run::written(seed, index, &program, &world, spoil);
        let (accepted, said) = written.verdict(&program);
        refused += usize::from(!accepted);
        let predicted = written.predicted(&program);
        match predicted.refusal() {
            None if accepted => {}
            Some((message, words)) if !accepted && (!words || said.contains(&message)) => {}
            ours => wrong.push(format!(
                "tree {index}: {fault}: httpd says {said}, the project {ours:?}"
            )),
        }
    }
    println!(
        "{trees} spoiled trees of seed {seed}, {refused} refused, {} verdicts differ",
        wrong.len()
    );
    for line in wrong.iter().take(60) {
        println!("{line}");
    }
    assert!(
        refused > trees / 8 && refused < trees,
        "one verdict for all"
    );
    assert_eq!(wrong.len(), 0, "verdicts differ");
}

#[derive(Default)]
struct Total {
    compared: usize,
    differences: usize,
    differing: usize,
    rows: Rows,
}

impl Total {
    fn add(&mut self, seed: u64, written: &Written, outcome: Outcome) {
        self.compared += outcome.compared;
        self.differences += outcome.differences.len();
        for (row, hits) in outcome.rows {
            *self.rows.entry(row).or_default() += hits;
        }
        if outcome.differences.is_empty() {
            return;
        }
        self.differing += 1;
        if self.differing > SHOWN && outcome.differences.len() > 2 {
            println!("=== tree {} differs too", written.tree.index);
            return;
        }
        println!(
            "=== seed {seed}, tree {} ({})",
            written.tree.index, written.tree.theme
        );
        for difference in outcome.differences.iter().take(12) {
            println!(
                "{} | {}: predicted {}, observed {}",
                difference.place, difference.field, difference.predicted, difference.observed
            );
        }
        if self.differing <= SHOWN {
            println!("{}", run::shown(&written.files, written.dir.path()));
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}
