//! What is built along: how many crates, from where, under which licences, with which build
//! scripts and for which compiler. SECURITY.md says it and deny.toml is the rule; this compares
//! both with what cargo resolves, so that neither can drift.
//!
//! It stands in for `cargo deny check licenses sources` in every pipeline: that tool takes minutes
//! to build. Advisories need the database, which is online: see SECURITY.md.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn manifest() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    // Crates of other platforms, which no build here needs, may have to be fetched first.
    command.args(arguments).arg("--locked");
    let output = command.current_dir(manifest()).output().expect("cargo");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Value> {
    let text = cargo(&["metadata", "--format-version", "1"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    document["packages"].as_array().unwrap().clone()
}

fn text_of<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// Crates of a build for this machine, those that only its build needs included.
fn built(features: &[&str]) -> BTreeSet<(String, String)> {
    let tree = [
        "tree",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let text = cargo(&[&tree[..], features].concat());
    let crates = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let version = |word: &str| word.trim_start_matches('v').to_owned();
        Some((words.next()?.to_owned(), version(words.next()?)))
    });
    crates.filter(|(name, _)| name != "stekguard").collect()
}

fn security() -> String {
    fs::read_to_string(manifest().join("SECURITY.md")).unwrap()
}

#[test]
fn the_number_of_crates_is_the_stated_one() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("NOT COMPARED: the stated numbers are those of x86_64 Linux");
        return;
    }
    let (all, least) = (built(&[]).len(), built(&["--no-default-features"]).len());
    let stated = format!(
        "The default build takes {all} crates, the one with `--no-default-features` {least}"
    );
    let page = security().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&stated), "SECURITY.md has to say: {stated}");
}

/// Rows of the table of build scripts.
fn stated_scripts(page: &str) -> BTreeSet<String> {
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| build script of |"));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| row.split('|').nth(1));
    names
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect()
}

/// A crate whose build script is new has to be read by somebody before it is built.
#[test]
fn build_scripts_are_those_that_were_read_and_none_goes_online() {
    let default = built(&[]);
    // Ours is read with the project.
    let mut found = BTreeSet::from(["stekguard".to_owned()]);
    for package in packages() {
        let name = text_of(&package, "name").to_owned();
        let key = (name.clone(), text_of(&package, "version").to_owned());
        let targets = package["targets"].as_array().unwrap().iter();
        let script = targets
            .filter(|target| target["kind"][0] == "custom-build")
            .find_map(|target| target["src_path"].as_str());
        let Some(script) = script.filter(|_| default.contains(&key)) else {
            continue;
        };
        offline(&name, Path::new(script));
        found.insert(name);
    }
    assert_eq!(
        found,
        stated_scripts(&security()),
        "read what is new, then add it to SECURITY.md"
    );
    // No crate that speaks to the network is there for build scripts to use.
    let known = [
        "curl",
        "ureq",
        "reqwest",
        "hyper",
        "git2",
        "gix",
        "attohttpc",
        "minreq",
    ];
    let online = default
        .iter()
        .find(|(name, _)| known.contains(&name.as_str()));
    assert_eq!(online, None);
}

/// The script and the modules beside it name nothing that fetches.
fn offline(name: &str, script: &Path) {
    let mut files = vec![script.to_path_buf()];
    let beside = script.parent().unwrap();
    if beside.file_name().is_some_and(|folder| folder == "build") {
        let entries = fs::read_dir(beside)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files.extend(entries);
    }
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|it| it == "rs"))
    {
        let text = fs::read_to_string(file).unwrap();
        let code = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default());
        let code: String = code.collect::<Vec<_>>().join("\n");
        for word in [
            "std::net",
            "TcpStream",
            "UdpSocket",
            "\"curl\"",
            "\"wget\"",
            "\"git\"",
            "fetch_url",
        ] {
            assert!(!code.contains(word), "{name}: {}: {word}", file.display());
        }
    }
}

/// Lists of deny.toml.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(manifest().join("deny.toml")).unwrap();
    let rules: toml::Table = text.parse().unwrap();
    for (table, key) in [
        ("sources", "unknown-registry"),
        ("sources", "unknown-git"),
        ("bans", "wildcards"),
    ] {
        assert_eq!(rules[table][key].as_str(), Some("deny"), "{table}.{key}");
    }
    let licences = rules["licenses"]["allow"].as_array().unwrap().iter();
    licences
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// An SPDX expression, and the `/` that stood for OR before.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (holds, end) = either(&words, 0, allowed);
    assert_eq!(end, words.len(), "{expression}");
    holds
}

fn either(words: &[&str], at: usize, allowed: &BTreeSet<String>) -> (bool, usize) {
    let (mut holds, mut at) = both(words, at, allowed);
    while words.get(at) == Some(&"OR") {
        let (other, next) = both(words, at + 1, allowed);
        (holds, at) = (holds | other, next);
    }
    (holds, at)
}

fn both(words: &[&str], at: usize, allowed: &BTreeSet<String>) -> (bool, usize) {
    let (mut holds, mut at) = one(words, at, allowed);
    while words.get(at) == Some(&"AND") {
        let (other, next) = one(words, at + 1, allowed);
        (holds, at) = (holds & other, next);
    }
    (holds, at)
}

fn one(words: &[&str], at: usize, allowed: &BTreeSet<String>) -> (bool, usize) {
    if words[at] == "(" {
        let (holds, end) = either(words, at + 1, allowed);
        assert_eq!(words[end], ")");
        return (holds, end + 1);
    }
    let exception = words.get(at + 1) == Some(&"WITH");
    // An exception only gives more leave, but deny.toml has to name it.
    let name = match exception {
        true => words[at..at + 3].join(" "),
        false => words[at].to_owned(),
    };
    (
        allowed.contains(&name),
        if exception { at + 3 } else { at + 1 },
    )
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
    for (expression, holds) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", false),
        ("MIT WITH LLVM-exception", false),
        ("MIT OR Apache-2.0 AND BSD-3-Clause", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), holds, "{expression}");
    }
}

#[test]
fn licences_sources_and_compilers_are_within_the_rules() {
    let allowed = allowed();
    let ours = packages();
    let ours = ours
        .iter()
        .find(|package| package["name"] == "stekguard")
        .unwrap();
    let rust = version(text_of(ours, "rust_version"));
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for package in packages() {
        let name = text_of(&package, "name");
        let licence = text_of(&package, "license");
        assert!(is_allowed(licence, &allowed), "{name}: {licence}");
        *used.entry(licence.to_owned()).or_default() += 1;
        if name != "stekguard" {
            let source = text_of(&package, "source");
            assert_eq!(
                source, "registry+https://github.com/rust-lang/crates.io-index",
                "{name}"
            );
        }
        let needs = version(text_of(&package, "rust_version"));
        assert!(
            needs <= rust,
            "{name} needs a newer compiler than Cargo.toml states"
        );
    }
    // Every crate of the lock file has the digest of what was published.
    let lock = fs::read_to_string(manifest().join("Cargo.lock")).unwrap();
    let lock: toml::Table = lock.parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let digest = package
            .get("checksum")
            .and_then(|it| it.as_str())
            .unwrap_or_default();
        let own = package["name"].as_str() == Some("stekguard");
        assert!(own || digest.len() == 64, "{package}");
    }
    println!("{used:#?}");
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    parts.resize(3, 0);
    parts
}

/// Standard library newer than `rust-version` is refused by clippy, in every pipeline.
#[test]
fn the_stated_compiler_is_held() {
    let text = fs::read_to_string(manifest().join("Cargo.toml")).unwrap();
    let cargo: toml::Table = text.parse().unwrap();
    assert_eq!(
        cargo["lints"]["clippy"]["incompatible_msrv"].as_str(),
        Some("deny")
    );
    let stated = cargo["package"]["rust-version"].as_str().unwrap();
    // clippy takes it from there unless its own file says another.
    let clippy = fs::read_to_string(manifest().join("clippy.toml")).unwrap();
    let clippy: toml::Table = clippy.parse().unwrap();
    assert!(
        clippy
            .get("msrv")
            .is_none_or(|it| it.as_str() == Some(stated))
    );
    let ci = fs::read_to_string(manifest().join(".ci/run")).unwrap();
    assert!(ci.contains("cargo clippy --locked --all-targets --quiet -- -D warnings"));
}
