//! The checks of `fuzz/` on stable Rust: every input of the committed corpus and every input that
//! has once failed goes through the check that the fuzzer runs. Makes no inputs of its own.
//!
//! `testdata/fuzz/TARGET.txt` holds a corpus: an input a line, escaped; `fuzz/pack.py` writes it.
#![cfg(feature = "fleet")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../fuzz/checks/mod.rs"]
mod checks;
#[path = "fuzz_replay/dictionaries.rs"]
mod dictionaries;
#[path = "fuzz_replay/regressions.rs"]
mod regressions;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use checks::{TARGETS, trees};

/// The least number of inputs that a corpus has.
const LEAST: usize = 20;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The inputs of a target's corpus; fails where there are none.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let path = root().join("testdata/fuzz").join(format!("{target}.txt"));
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|why| panic!("{}: {why}; fuzz/pack.py writes it", path.display()));
    let inputs: Vec<Vec<u8>> = text.lines().map(unescaped).collect();
    let count = inputs.len();
    assert!(count >= LEAST, "{}: {count} inputs", path.display());
    inputs
}

/// A line of a corpus: printable ASCII stands for itself, other bytes as `\xNN`, `\n` or `\t`.
fn unescaped(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next().expect("a byte behind the backslash") {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'\\' => out.push(b'\\'),
            b'x' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
            }
            other => panic!("`\\{}` is no escape", char::from(other)),
        }
    }
    out
}

/// Runs a check over inputs; names each that fails.
fn failing(check: impl Fn(&[u8]), inputs: &[Vec<u8>]) -> Vec<String> {
    let failed = inputs.iter().enumerate().filter(|(_, input)| {
        let run = AssertUnwindSafe(|| check(input));
        catch_unwind(run).is_err()
    });
    failed
        .map(|(index, input)| format!("line {}: {}", index + 1, input.escape_ascii()))
        .collect()
}

fn replay(name: &str) {
    let (_, check) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let start = Instant::now();
    let mut inputs = corpus(name);
    let committed = inputs.len();
    let known = regressions::REGRESSIONS.iter();
    let known = known.filter(|(target, ..)| *target == name);
    inputs.extend(known.map(|(.., input)| input.to_vec()));
    // Nothing, and what is cut in the middle.
    inputs.push(Vec::new());
    let halves = inputs.iter().map(|input| input[..input.len() / 2].to_vec());
    let halves: Vec<Vec<u8>> = halves.step_by(4).collect();
    inputs.extend(halves);
    let failed = failing(check, &inputs);
    let count = inputs.len();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name}: {committed} committed inputs, {count} with those made of them, {seconds:.1} s"
    );
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*
        /// The names above.
        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    nginx_tree apache_tree includes expanded values fix_nginx fix_apache fleet_record suppression
    settings ansible
}

#[test]
fn every_target_is_replayed_and_built() {
    let mut named: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, REPLAYED);
    named.sort_unstable();
    let stems = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut stems: Vec<String> = paths.map(stem).collect();
        stems.sort();
        stems
    };
    assert_eq!(stems("fuzz/fuzz_targets"), named);
    assert_eq!(stems("testdata/fuzz"), named);
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in named {
        let bin = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name}");
        let target = root().join(format!("fuzz/fuzz_targets/{name}.rs"));
        let text = fs::read_to_string(target).unwrap();
        assert!(
            text.contains(&format!("checks::run(\"{name}\", bytes)")),
            "{name}"
        );
    }
    let known = |name: &str| REPLAYED.contains(&name);
    assert!(
        regressions::REGRESSIONS
            .iter()
            .all(|(name, ..)| known(name))
    );
}

/// A printer that loses a carriage return, as one that knows only line feeds would.
fn lossy(tree: &stekguard::syntax::Tree, text: &[u8]) -> Vec<u8> {
    let mut out = tree.print(text);
    out.retain(|byte| *byte != b'\r');
    out
}

#[test]
fn the_checks_notice_a_printer_that_loses_bytes() {
    for (name, check) in [
        (
            "nginx_tree",
            trees::nginx_printed as fn(&[u8], trees::Print),
        ),
        ("apache_tree", trees::apache_printed),
    ] {
        let inputs = corpus(name);
        let noticed = failing(|input| check(input, lossy), &inputs).len();
        let concerned = inputs.iter().filter(|input| input.contains(&b'\r')).count();
        assert_eq!(noticed, concerned, "{name}");
        assert!(concerned > 0, "{name}: no input has a carriage return");
        println!(
            "{name}: {noticed} of {} inputs fail with a lossy printer",
            inputs.len()
        );
    }
}

/// Found by reading on the way: both took time by the square of the input.
#[test]
fn many_comments_and_many_hashes_take_linear_time() {
    let start = Instant::now();
    let hashes = format!(
        "A stekguard: {}\n<VirtualHost *:443>\n</VirtualHost>\n",
        "# ".repeat(150_000)
    );
    let comments = "# stekguard: ignore[dead-tickets] why\n".repeat(40_000);
    for text in [hashes, format!("{comments}events {{}}\nhttp {{\n}}\n")] {
        checks::run("suppression", text.as_bytes());
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("many comments and hashes: {seconds:.1} s");
    assert!(seconds < 60.0, "{seconds} s");
}

#[test]
fn a_corpus_that_is_not_there_is_no_success() {
    assert!(catch_unwind(|| corpus("no_such_target")).is_err());
}

#[test]
fn dictionaries_are_made_of_the_grammars() {
    let folder = root().join("fuzz/dictionaries");
    let update = std::env::var_os("STEKGUARD_UPDATE").is_some();
    for (name, text) in dictionaries::all() {
        let path = folder.join(name);
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &text).unwrap();
        }
        assert!(
            same(&path, &text),
            "{}: run STEKGUARD_UPDATE=1 cargo test --test fuzz_replay",
            path.display()
        );
    }
}

fn same(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|there| there == text)
}
