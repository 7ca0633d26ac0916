//! Same input, same output, byte for byte: what `lint`, `inspect` and `fix` write to both streams
//! and how they end, in every format, on 1, 2 and 8 threads, with the files made in any order, on
//! a disk and in memory. Random trees of both servers, several of them in one folder, some of
//! them damaged.
//!
//! `STEKGUARD_CASES=10` tries ten times as many folders, `STEKGUARD_SEED=7` others.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr, dead_code, unreachable_pub)]

mod generator;
mod generator_apache;
mod properties;
mod support;

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use generator::nginx::{Ability, tree as nginx_tree};
use generator_apache::noise::scrambled;
use generator_apache::rng::Rng;
use generator_apache::tree::tree as apache_tree;
use properties::mutate::{Mutation, mutations};
use properties::{Texts, holds, seed};
use proptest::prelude::*;
use tempfile::TempDir;

/// Folders, by default.
const FOLDERS: u32 = 24;
/// Trees of each server in a folder.
const TREES: usize = 2;
/// Runs of one folder that are compared: each with its own threads and order.
const THREADS: [usize; 3] = [1, 8, 2];
/// Commands that are tried on one folder; all take turns.
const AT_ONCE: usize = 4;

/// Every command that only reads, in every format.
const COMMANDS: [&[&str]; 18] = [
    &["lint"],
    &["lint", "--format", "full", "--pedantic"],
    &["fix"],
    &["inspect"],
    &["lint", "--format", "concise", "--pedantic"],
    &["lint", "--format", "json", "--pedantic"],
    &["fix", "--format", "json", "--unsafe-fixes"],
    &["inspect", "--format", "json"],
    &["lint", "--format", "json-lines"],
    &["lint", "--format", "sarif", "--pedantic"],
    &["fix", "--format", "html", "--policy", "no-resumption"],
    &["inspect", "--format", "html"],
    &["lint", "--format", "github"],
    &["lint", "--format", "gitlab"],
    &["fix", "--policy", "no-tickets"],
    &["lint", "--format", "junit"],
    &["lint", "--format", "checkstyle"],
    &["lint", "--format", "html"],
];

/// Both streams, and the exit code.
type Said = (Vec<u8>, Option<i32>);

/// Texts of one folder, by path; `{dir}` stands for the folder.
fn texts(number: u32, damage: &[Mutation]) -> Texts {
    let mut all = Texts::new();
    for tree in 0..TREES {
        let index = number as usize * TREES + tree;
        let ability = Ability {
            stream_names: true,
            stream_module: None,
            main: vec!["daemon off".to_owned()],
        };
        let nginx = nginx_tree(seed(), index, &ability);
        let base = format!("nginx{tree}");
        for (name, text) in generator::print::noisy(&nginx.nodes, &mut nginx.noise.clone()) {
            let text = text.replace("{d}", &format!("{{dir}}/{base}"));
            let text = text.replace("{w}", "/etc/pki");
            let port = |text: String, port: usize| {
                text.replace(&format!("{{p{port}}}"), &(8440 + port).to_string())
            };
            let text = (0..nginx.ports).fold(text, port);
            all.insert(Path::new(&base).join(name), text.into_bytes());
        }
        let mut rng = Rng::new(seed(), index);
        let apache = apache_tree(&mut rng, index, &[8443, 9443, 443]);
        let base = format!("httpd{tree}");
        let root = format!("{{dir}}/{base}");
        let placed = |node: generator_apache::tree::Node| node.placed(&root, "/etc/pki");
        let nodes = apache.nodes.into_iter().map(placed).collect();
        let nodes = scrambled(&mut rng, nodes, "2.4.71", (&root, "/etc/pki"));
        for (name, text) in generator_apache::print::print(&nodes, Some(rng)) {
            let text = match name.is_empty() {
                true => format!("ServerRoot \"{root}\"\n{text}"),
                false => text,
            };
            let name = if name.is_empty() {
                "apache2.conf"
            } else {
                &name
            };
            all.insert(Path::new(&base).join(name), text.into_bytes());
        }
    }
    wide(number, &mut all);
    let paths: Vec<PathBuf> = all.keys().cloned().collect();
    for change in damage {
        let path = &paths[change.way as usize % paths.len()];
        let other = all[&paths[change.place as usize % paths.len()]].clone();
        let text = change.applied(&all[path], &other);
        all.insert(path.clone(), text);
    }
    all
}

/// Many files under one pattern, of which the first decides for all.
fn wide(number: u32, all: &mut Texts) {
    const SITES: u32 = 9;
    let mut put = |path: String, text: String| all.insert(PathBuf::from(path), text.into_bytes());
    let main = "events {}\nhttp {\n    include sites/*.conf;\n}\n";
    put("wide/nginx.conf".to_owned(), main.to_owned());
    let main = "ServerRoot \"{dir}/large\"\nListen 443\nInclude sites\nIncludeOptional more/*\n";
    put("large/apache2.conf".to_owned(), main.to_owned());
    for site in 0..SITES {
        let name = number.wrapping_mul(2_654_435_761).rotate_left(site * 3) % 1000;
        let text = format!(
            "server {{\n    listen 443 ssl;\n    server_name n{site}.test;\n    \
             ssl_certificate a.crt;\n    ssl_certificate_key a.key;\n    \
             ssl_session_timeout {site}h;\n}}\n"
        );
        put(format!("wide/sites/{name}-{site}.conf"), text);
        let folder = if site % 2 == 0 { "sites" } else { "more" };
        let text = format!(
            "<VirtualHost *:443>\n    ServerName n{site}.test\n    SSLEngine on\n    \
             SSLCertificateFile a.crt\n    SSLSessionCacheTimeout {site}00\n</VirtualHost>\n"
        );
        put(format!("large/{folder}/{name}-{site}.conf"), text);
    }
}

/// The folder's files, made in an order of their own; `name` leads to the folder.
fn fill(folder: &Path, name: &Path, texts: &Texts, order: u64) {
    let mut paths: Vec<&PathBuf> = texts.keys().collect();
    let mut rng = generator::rng::Rng::new(order);
    for index in (1..paths.len()).rev() {
        paths.swap(index, rng.below(index + 1));
    }
    let name = name.to_str().unwrap();
    for path in paths {
        let to = folder.join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let text = replaced(&texts[path], b"{dir}", name.as_bytes());
        fs::write(to, text).unwrap();
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Both streams and the exit code. Digests are made of names, so all folders have one: a link,
/// `name`. A patch names the files themselves, without the first slash.
fn said(folders: [&Path; 2], command: &[&str], threads: usize, state: &Path) -> Said {
    let [folder, name] = folders;
    let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(command)
        .args(["--isolated", "--server-version", "nginx=1.28.3"])
        .args(["--server-version", "apache=2.4.71"])
        .arg(name)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .env("HOME", state)
        .env("XDG_STATE_HOME", state)
        .env("STEKGUARD_STATE_DIR", state)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let both = [output.stdout, b"\n=== stderr\n".to_vec(), output.stderr].concat();
    let real = &folder.to_str().unwrap().as_bytes()[1..];
    let both = replaced(&both, real, b"{real}");
    (both, output.status.code())
}

/// A folder on disk and one in memory whose names are as long.
fn folder(in_memory: bool) -> TempDir {
    let base = if in_memory { "/dev/shm" } else { "/tmp" };
    let prefix = "n".repeat(16 - base.len());
    tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(base)
        .unwrap()
}

#[test]
fn threads_and_the_order_of_files_do_not_show() {
    let (state, links) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (runs, bytes, next) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let codes = Cell::new([0_usize; 3]);
    let started = Instant::now();
    let number = (0..10_000_u32).no_shrink();
    let inputs = (number, mutations(2), any::<u64>());
    holds(FOLDERS, &inputs, |(number, damage, order)| {
        let texts = texts(number, &damage);
        let first = next.get();
        next.set(first + AT_ONCE);
        let mut known: Vec<Said> = Vec::new();
        for (turn, threads) in THREADS.into_iter().enumerate() {
            // The last on another file system.
            let folder = folder(turn == THREADS.len() - 1);
            let name = links.path().join("tree");
            let _ = fs::remove_file(&name);
            symlink(folder.path(), &name).unwrap();
            fill(
                folder.path(),
                &name,
                &texts,
                order.wrapping_add(turn as u64),
            );
            for at in 0..AT_ONCE {
                let command = COMMANDS[(first + at) % COMMANDS.len()];
                let (said, code) = said([folder.path(), &name], command, threads, state.path());
                runs.set(runs.get() + 1);
                bytes.set(bytes.get() + said.len());
                if turn == 0 {
                    let mut counts = codes.get();
                    counts[code.unwrap() as usize] += 1;
                    codes.set(counts);
                    known.push((said, code));
                    continue;
                }
                let (before, code_before) = &known[at];
                prop_assert_eq!(code, *code_before, "{:?}, {} threads", command, threads);
                prop_assert!(
                    said == *before,
                    "{command:?}, {threads} threads, run {turn}:\n{}",
                    different(before, &said)
                );
            }
        }
        Ok(())
    });
    println!(
        "{} runs on folders of {TREES} trees of each server, {} bytes; exit codes 0, 1, 2 in the \
         first runs: {:?}; {:.0} s",
        runs.get(),
        bytes.get(),
        codes.get(),
        started.elapsed().as_secs_f64()
    );
    assert!(
        next.get() >= COMMANDS.len() * 2,
        "not every command was tried twice"
    );
    assert!(codes.get()[2] > 0 && bytes.get() > runs.get() * 1000);
}

fn different(one: &[u8], other: &[u8]) -> String {
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    let diff = similar::TextDiff::from_lines(&*one, &*other);
    let mut text = diff.unified_diff().context_radius(1).to_string();
    text.truncate(text.char_indices().nth(4000).map_or(text.len(), |it| it.0));
    text
}
