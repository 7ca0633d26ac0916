//! What a configuration says does not depend on how it is written: comments, white space, line
//! ends, continued lines, quotes, capitals in httpd's names, parts moved into included files and
//! back. Generated and real trees of both servers are rewritten step by step; `inspect` and
//! `lint` answer as before, places apart. The server itself judges a sample: what it accepted it
//! still accepts, what it refused it still refuses, so no step is blamed on the model.
//!
//! `STEKGUARD_CASES=10` tries ten times as many, `STEKGUARD_SEED=7` others.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod differential;
mod generator;
mod generator_apache;
mod properties;
mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use differential::live::{self, Site};
use differential::world::World;
use generator::nginx::tree;
use generator::print;
use generator_apache::run;
use generator_apache::world::World as ApacheWorld;
use properties::answer::{Answer, Question, answer};
use properties::{BUILT_IN, Step, Texts, Verdict, apache, holds, nginx, real, seed, steps};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use stekguard::app::Startup;
use stekguard::catalog::Server;
use support::install::{self, Program};

/// Trees of each server, and of testdata, by default.
const NGINX_TREES: u32 = 120;
const APACHE_TREES: u32 = 120;
const REAL_TREES: u32 = 150;
/// Steps a tree.
const STEPS: usize = 40;
/// One tree of so many is shown to the server, before and after.
const SAMPLE: u32 = 3;

/// What was done, to be told.
#[derive(Debug, Default)]
struct Tally {
    trees: usize,
    endpoints: usize,
    findings: usize,
    steps: BTreeMap<&'static str, usize>,
    accepted: usize,
    refused: usize,
}

impl Tally {
    fn saw(&mut self, answer: &Answer) {
        self.trees += 1;
        self.endpoints += answer.endpoints;
        let finding = |line: &&String| line.starts_with("findings");
        self.findings += answer.lint.iter().filter(finding).count();
    }

    fn judged(&mut self, accepted: bool) {
        match accepted {
            true => self.accepted += 1,
            false => self.refused += 1,
        }
    }

    fn print(&self, name: &str, started: Instant) {
        let steps: usize = self.steps.values().sum();
        println!(
            "{name}: {} trees, {} endpoints, {} findings, {steps} steps; shown to the server \
             before and after: {} accepted both times, {} refused both times; {:.0} s",
            self.trees,
            self.endpoints,
            self.findings,
            self.accepted,
            self.refused,
            started.elapsed().as_secs_f64()
        );
        println!("{name}: {:?}", self.steps);
    }
}

#[test]
fn how_an_nginx_tree_is_written_does_not_matter() {
    let program = install::nginx_packaged();
    let (world, ability) = (World::new(), live::ability(&program));
    let (tally, started) = (RefCell::new(Tally::default()), Instant::now());
    let inputs = (tree_number(), steps(nginx::KINDS.len(), STEPS));
    holds(NGINX_TREES, &inputs, |(number, steps)| {
        let tree = tree(seed(), number as usize, &ability);
        let files = print::noisy(&tree.nodes, &mut tree.noise.clone());
        let site = Site::write(&files, &tree, &world);
        let texts = read(site.path(), files.iter().map(|(name, _)| name.as_str()));
        let mut written = nginx::Written {
            texts: texts.clone(),
            base: site.path().to_path_buf(),
            made: 0,
        };
        let question = question(Server::Nginx, &program, number);
        let verdict = || site.tested(&program);
        let rewrite = |step: Step| written.step(step).then_some(nginx::KINDS[step.what]);
        let done = done(&steps, rewrite);
        let case = Case {
            root: &site.root,
            before: &texts,
            after: &written.texts,
            steps: &done,
        };
        case.judge(&question, sampled(number).then_some(&verdict), &tally)
    });
    let tally = tally.into_inner();
    tally.print("nginx", started);
    tally.is_enough(&nginx::KINDS);
}

#[test]
fn how_an_httpd_tree_is_written_does_not_matter() {
    let program = install::apache();
    let world = ApacheWorld::new();
    let (tally, started) = (RefCell::new(Tally::default()), Instant::now());
    let inputs = (tree_number(), steps(apache::KINDS.len(), STEPS));
    holds(APACHE_TREES, &inputs, |(number, steps)| {
        let tree = run::written(seed(), number as usize, &program, &world, |_, _, _| {});
        let texts = read(tree.dir.path(), tree.files.keys().map(String::as_str));
        let mut written = apache::Written {
            texts: texts.clone(),
            base: tree.dir.path().to_path_buf(),
            made: 0,
        };
        let mut question = question(Server::Apache, &program, number);
        question.startup.define("LIVE").unwrap();
        question.startup.define("!*").unwrap();
        question.startup.modules(BUILT_IN).unwrap();
        let verdict = || match tree.verdict(&program) {
            (true, _) => Ok(()),
            (false, said) => Err(said),
        };
        let rewrite = |step: Step| written.step(step).then_some(apache::KINDS[step.what]);
        let done = done(&steps, rewrite);
        let case = Case {
            root: &tree.root(),
            before: &texts,
            after: &written.texts,
            steps: &done,
        };
        case.judge(&question, sampled(number).then_some(&verdict), &tally)
    });
    let tally = tally.into_inner();
    tally.print("httpd", started);
    tally.is_enough(&apache::KINDS);
}

/// Configurations that people wrote: testdata, and the corpora where they are at hand. Most name
/// files that are not there, so no server is asked.
#[test]
fn how_a_real_tree_is_written_does_not_matter() {
    let all = real::all();
    let (tally, started) = (RefCell::new(Tally::default()), Instant::now());
    let kinds = nginx::KINDS.len().max(apache::KINDS.len());
    let inputs = (tree_number(), steps(kinds, STEPS));
    holds(REAL_TREES, &inputs, |(number, steps)| {
        let tree = &all[number as usize % all.len()];
        let folder = tempfile::tempdir().unwrap();
        let (root, texts) = tree.copied(folder.path());
        let question = Question::default();
        let (after, done) = tree.rewritten(&root, &texts, &steps);
        let case = Case {
            root: &root,
            before: &texts,
            after: &after,
            steps: &done,
        };
        case.judge(&question, None::<&fn() -> Result<(), String>>, &tally)
    });
    let tally = tally.into_inner();
    println!("{} configurations to choose from", all.len());
    tally.print("real", started);
    tally.is_enough(&[
        "comment",
        "split",
        "line ends",
        "quotes added",
        "continuation",
    ]);
}

/// The tree's number does not shrink: smaller ones are other trees, not smaller trees.
fn tree_number() -> impl Strategy<Value = u32> {
    (0..100_000_u32).no_shrink()
}

/// The version is known for most trees.
fn question(server: Server, program: &Program, number: u32) -> Question {
    let known = !number.is_multiple_of(5);
    Question {
        version: known.then(|| (server, program.version.parse().unwrap())),
        startup: Startup::default(),
    }
}

fn sampled(number: u32) -> bool {
    number.is_multiple_of(SAMPLE)
}

fn read<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> Texts {
    let paths = names.map(|name| folder.join(name));
    paths
        .map(|path| {
            let text = fs::read(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// The steps that found something to do.
fn done(
    steps: &[Step],
    mut rewrite: impl FnMut(Step) -> Option<&'static str>,
) -> Vec<&'static str> {
    steps.iter().filter_map(|step| rewrite(*step)).collect()
}

/// A tree before and after.
struct Case<'a> {
    root: &'a Path,
    before: &'a Texts,
    after: &'a Texts,
    steps: &'a [&'static str],
}

impl Case<'_> {
    fn judge<F>(&self, question: &Question, server: Option<&F>, tally: &RefCell<Tally>) -> Verdict
    where
        F: Fn() -> Result<(), String>,
    {
        let old = answer(self.root, question);
        let old_verdict = server.map(|server| server());
        self.put();
        let new = answer(self.root, question);
        let mut tally = tally.borrow_mut();
        tally.saw(&old);
        for step in self.steps {
            *tally.steps.entry(step).or_default() += 1;
        }
        if let (Some(old), Some(server)) = (old_verdict, server) {
            let new = server();
            // Where it accepts one and not the other, the step is wrong or the server minds.
            if old.is_ok() != new.is_ok() {
                let text = format!("the server: {old:?} became {new:?}\n{}", self.shown());
                return Err(TestCaseError::fail(text));
            }
            tally.judged(old.is_ok());
        }
        match old == new {
            true => Ok(()),
            false => {
                let text = format!("{}\n{}", old.differences(&new), self.shown());
                Err(TestCaseError::fail(text))
            }
        }
    }

    fn put(&self) {
        for (path, text) in self.after {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// The files that are not as they were.
    fn shown(&self) -> String {
        let differ = self
            .after
            .iter()
            .filter(|(path, text)| self.before.get(*path) != Some(*text));
        let show = |(path, text): (&PathBuf, &Vec<u8>)| {
            let before = self.before.get(path).map_or(&b""[..], Vec::as_slice);
            format!(
                "--- {}\n{}\n+++\n{}\n",
                path.display(),
                before.escape_ascii().to_string().replace("\\n", "\n"),
                text.escape_ascii().to_string().replace("\\n", "\n")
            )
        };
        format!("{:?}\n{}", self.steps, differ.map(show).collect::<String>())
    }
}

impl Tally {
    /// Every kind of step was done, on trees that say something.
    fn is_enough(&self, kinds: &[&str]) {
        for kind in kinds {
            let times = self.steps.get(kind).copied().unwrap_or_default();
            assert!(times >= 20, "{kind}: only {times} times");
        }
        assert!(
            self.endpoints > self.trees && self.findings > self.trees,
            "{self:?}"
        );
        assert!(self.accepted >= self.refused, "{self:?}");
    }
}
