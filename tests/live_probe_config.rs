//! `probe --config` on random trees that real servers run: what the files promise beside what
//! the program sees, endpoint by endpoint, without a difference. And a server that runs other
//! files than those on disk: the difference points at the line.
//!
//! `STEKGUARD_PROBE_TREES=100 cargo test --test live_probe_config` runs more trees.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    dead_code
)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod differential;
mod generator;
mod generator_apache;
mod support;

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use differential::{live, predict, world::World};
use generator::nginx::tree;
use generator::print;
use generator_apache::{predict as predict_apache, run as run_apache, world::World as WorldApache};
use serde_json::Value;
use support::install::{self, Program};
use support::observe::State;
use support::table::{Block, Group, Row};
use support::{nginx, probe};

/// Trees of each server, where the environment says nothing.
const TREES: usize = 12;
const SEED: u64 = 31_415;

fn trees() -> usize {
    let given = env::var("STEKGUARD_PROBE_TREES").ok();
    given.map_or(TREES, |text| text.parse().expect("a number"))
}

/// What was compared of all trees.
#[derive(Default)]
struct Sum {
    trees: usize,
    endpoints: usize,
    fields: usize,
    unprobed: usize,
    wrong: Vec<String>,
}

impl Sum {
    fn tree(&mut self, index: usize, root: &Path, world: &Path, version: &[&str]) {
        let client = |end: &str| world.join(format!("client.{end}")).display().to_string();
        let (cert, key, root) = (client("crt"), client("key"), root.display().to_string());
        let arguments = [
            "--config",
            &root,
            "--client-cert",
            &cert,
            "--client-key",
            &key,
        ];
        let more = ["--attempts", "4", "--fail-on", "error", "--timeout", "10s"];
        let state = Path::new(&root).parent().unwrap();
        let all = [&arguments[..], version, &more].concat();
        let (run, document) = match probe::probe(state, &all) {
            Ok(answer) => answer,
            Err(why) => return self.wrong.push(format!("tree {index}: {why}")),
        };
        self.trees += 1;
        self.unprobed += document["unprobed"].as_array().unwrap().len();
        let before = self.wrong.len();
        for promise in document["promises"].as_array().unwrap() {
            self.endpoints += 1;
            for field in promise["fields"].as_array().unwrap() {
                self.fields += 1;
                if field["agrees"] != true {
                    let (place, at) = (&promise["endpoint"], &promise["defined_at"]);
                    self.wrong
                        .push(format!("tree {index}: {place} {at}: {field}"));
                }
            }
        }
        // No difference, nothing unreachable: nothing to complain about.
        if self.wrong.len() == before && !matches!(run.code, Some(0 | 1)) {
            self.wrong.push(format!(
                "tree {index}: exit {:?}: {}{}",
                run.code, run.stdout, run.stderr
            ));
        }
    }

    fn close(self, name: &str, started: Instant) {
        println!(
            "{name}: {} trees, {} endpoints and {} fields compared, {} differences, {} endpoints \
             not probed, {:.0} s",
            self.trees,
            self.endpoints,
            self.fields,
            self.wrong.len(),
            self.unprobed,
            started.elapsed().as_secs_f64()
        );
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(
            self.endpoints >= self.trees,
            "hardly anything was looked at"
        );
    }
}

fn nginx_trees(program: &Program) {
    let started = Instant::now();
    let world = World::new();
    let ability = live::ability(program);
    let platform = predict::platform(program);
    let version = format!("nginx={}", program.version);
    let package = install::nginx_package(program).map(|package| format!("nginx={package}"));
    let mut version = vec!["--server-version", &*version];
    if let Some(package) = &package {
        version.extend(["--package", package]);
    }
    let mut sum = Sum::default();
    let mut index = 0;
    while sum.trees < trees() {
        let tree = tree(SEED, index, &ability);
        index += 1;
        let files = print::noisy(&tree.nodes, &mut tree.noise.clone());
        let site = live::Site::write(&files, &tree, &world);
        let predicted = predict::predict(&site.root, &platform);
        // What nginx refuses has nothing to be looked at; a timeout of 0 is over at once.
        let race = predicted
            .site
            .endpoints
            .iter()
            .any(|it| predicted.is_race(it));
        if site.tested(program).is_err() || predicted.has_no_time() || race {
            continue;
        }
        if predicted.site.endpoints.is_empty() {
            continue;
        }
        let _server = site.start(program, &tree);
        sum.tree(index - 1, &site.root, world.path(), &version);
    }
    sum.close(&format!("nginx {}", program.version), started);
}

#[test]
fn the_packaged_nginx_keeps_every_promise() {
    nginx_trees(&install::nginx_packaged());
}

#[test]
fn the_current_nginx_keeps_every_promise() {
    nginx_trees(&install::nginx_mainline());
}

#[test]
fn httpd_keeps_every_promise() {
    let started = Instant::now();
    let program = install::apache();
    let world = WorldApache::new();
    let version = format!("apache={}", program.version);
    let modules = predict_apache::options().modules.unwrap().join(",");
    // A vhost without TLS may have 127.0.0.1 to itself: wildcards are looked for elsewhere.
    let version = [
        "127.0.0.2",
        "--server-version",
        &version,
        "--define",
        "LIVE",
        "--define",
        "!*",
        "--modules",
        &modules,
    ];
    let mut sum = Sum::default();
    let mut index = 0;
    while sum.trees < trees() {
        let written = run_apache::written(SEED, index, &program, &world, |_, _, _| {});
        index += 1;
        // Lifetimes of a few seconds end while they are looked at.
        let tight = written.predicted(&program).is_tight();
        if tight || !written.verdict(&program).0 {
            continue;
        }
        // Somebody else may have taken a port in between.
        let start = || written.start(&program, &world);
        let Ok(_server) = catch_unwind(AssertUnwindSafe(start)) else {
            continue;
        };
        let before = sum.wrong.len();
        sum.tree(index - 1, &written.root(), world.path(), &version);
        if sum.wrong.len() > before {
            println!("{}", run_apache::shown(&written.files, written.dir.path()));
        }
    }
    sum.close(&format!("httpd {}", program.version), started);
}

#[test]
fn a_server_that_was_not_reloaded_differs_at_the_line() {
    let program = install::nginx_mainline();
    let lines = "ssl_session_tickets on;\nssl_session_timeout 10m;";
    let group = Group {
        outside: "    ssl_protocols TLSv1.2 TLSv1.3;\n",
        rows: vec![Row::new(
            "one",
            vec![Block::new("a.test", lines, State::ON)],
        )],
    };
    let running = nginx::start(&program, &group);
    let version = format!("nginx={}", program.version);
    let root = running.root.display().to_string();
    let look = |more: &[&str]| {
        let arguments = [&["--config", &root, "--server-version", &version], more].concat();
        probe::probe(running.dir.path(), &arguments).unwrap()
    };
    let (run, document) = look(&[]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(document["promises"].as_array().unwrap().len(), 2);

    // The files change; the server goes on as before.
    let text = fs::read_to_string(&running.root).unwrap();
    let text = text.replace("ssl_session_tickets on;", "ssl_session_tickets off;");
    let line = 1 + text
        .lines()
        .position(|line| line.contains("ssl_session_tickets off"))
        .unwrap();
    fs::write(&running.root, text).unwrap();
    let (run, document) = look(&[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let verdicts = document["verdicts"].as_array().unwrap();
    let differs: Vec<&Value> = verdicts
        .iter()
        .filter(|it| it["id"] == "configuration-differs")
        .collect();
    let fields: Vec<&str> = differs
        .iter()
        .map(|it| it["message"].as_str().unwrap().split(':').next().unwrap())
        .collect();
    assert_eq!(fields, ["tls12.ticket", "tls13.issued", "tls13.resumes"]);
    for verdict in &differs {
        assert_eq!(verdict["at"]["path"], root, "{verdict}");
        assert_eq!(verdict["at"]["line"], line, "{verdict}");
        assert!(
            verdict["help"].as_str().unwrap().contains("reloaded"),
            "{verdict}"
        );
    }
    running.server.reload();
    let (run, _) = look(&[]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}
