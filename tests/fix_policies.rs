//! No valid tree is ever broken: generated trees of nginx and httpd, fixed for every policy by
//! the program itself. What the server accepted it still accepts; fixing again changes nothing;
//! comments, spelling, line ends and all statements that no policy is about are as they were;
//! and a client finds on the running server what the policy says.
//!
//! `STEKGUARD_TREES=1000 STEKGUARD_SEED=7 cargo test --test fix_policies` runs more.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub
)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code)]

mod differential;
mod generator;
mod generator_apache;
mod policies;
mod support;

use std::env;
use std::time::Instant;

use differential::client::Client;
use differential::live;
use differential::world::World;
use generator::nginx::tree;
use generator_apache::world::World as ApacheWorld;
use policies::tally::Tally;
use policies::tool::POLICIES;
use policies::{apache, nginx};
use support::install::{self, Program};

/// Trees for each server, and the seed, where the environment says nothing.
const TREES: usize = 80;
const APACHE_TREES: usize = 110;
const SEED: u64 = 11;
/// The policies that a client looks at on httpd, by turns.
const HTTPD_LIVE: [&str; 3] = ["no-tickets", "no-resumption", "sound"];
/// Wrong trees that are shown whole.
const SHOWN: usize = 3;

#[test]
fn packaged_nginx_keeps_what_it_accepted() {
    nginx_trees(&install::nginx_packaged());
}

#[test]
fn mainline_nginx_keeps_what_it_accepted() {
    nginx_trees(&install::nginx_mainline());
}

#[test]
fn httpd_keeps_what_it_accepted() {
    let program = install::apache();
    let (trees, seed) = (
        number("STEKGUARD_TREES", APACHE_TREES as u64),
        number("STEKGUARD_SEED", SEED),
    );
    let world = ApacheWorld::new();
    let mut tally = Tally::default();
    let started = Instant::now();
    let first = number("STEKGUARD_FIRST", 0) as usize;
    for index in first..first + trees as usize {
        for policy in &POLICIES {
            // Under the other two httpd has nothing to offer, and says so.
            let live = HTTPD_LIVE[index % HTTPD_LIVE.len()] == *policy;
            apache::tree((seed, index), (&program, &world), policy, live, &mut tally);
        }
    }
    finish(
        &format!("httpd {}", program.version),
        &tally,
        trees,
        started,
    );
}

fn nginx_trees(program: &Program) {
    let (trees, seed) = (
        number("STEKGUARD_TREES", TREES as u64),
        number("STEKGUARD_SEED", SEED),
    );
    let world = World::new();
    let bench = nginx::Bench {
        program,
        client: Client::new(world.path(), &world.nonce),
        world: &world,
    };
    let ability = live::ability(program);
    let mut tally = Tally::default();
    let started = Instant::now();
    let first = number("STEKGUARD_FIRST", 0) as usize;
    for index in first..first + trees as usize {
        let tree = tree(seed, index, &ability);
        for (turn, policy) in POLICIES.iter().enumerate() {
            let live = turn_of(index) == turn;
            bench.tree(index, &tree, policy, live, &mut tally);
        }
    }
    finish(
        &format!("nginx {}", program.version),
        &tally,
        trees,
        started,
    );
}

fn finish(server: &str, tally: &Tally, trees: u64, started: Instant) {
    println!(
        "{server}: {trees} trees, {} seen live, {:.0} s",
        tally.live(),
        started.elapsed().as_secs_f64()
    );
    tally.print(server);
    for wrong in tally.wrong.iter().take(SHOWN) {
        println!("=== {wrong}");
    }
    assert!(tally.wrong.is_empty(), "{} times wrong", tally.wrong.len());
    for policy in ["no-tickets", "no-resumption"] {
        let row = &tally.rows[policy];
        assert!(
            row.met * 10 >= row.trees * 9,
            "{policy} is met on {} of {} trees only",
            row.met,
            row.trees
        );
    }
}

/// Which policy a client looks at: another one whenever the kinds of trees begin anew.
fn turn_of(index: usize) -> usize {
    (index + index / POLICIES.len()) % POLICIES.len()
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}
