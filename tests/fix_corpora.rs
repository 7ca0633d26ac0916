//! Real files: every block takes a statement, every statement takes an argument more, and
//! nothing else in the file changes its meaning or its bytes.
//!
//! `STEKGUARD_CORPORA` names a folder with `nginx/` and `apache/`; without it the files of
//! testdata are taken.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod fix_support;

use std::fs;
use std::path::{Path, PathBuf};

use fix_support::{applies, fix_of, planned, show};
use stekguard::catalog::Server;
use stekguard::finding::{Change, Target};
use stekguard::fix::{Options, verify};
use stekguard::source::{Disk, LoadOptions, Project, Root, load};
use stekguard::syntax::{NodeId, NodeKind, Tree, apache, nginx};
use stekguard::text::{Location, Span};

fn files(server: &str) -> Vec<PathBuf> {
    let base = match std::env::var_os("STEKGUARD_CORPORA") {
        Some(base) => PathBuf::from(base).join(server),
        None => {
            println!("STEKGUARD_CORPORA is not set: testdata/ only");
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("testdata/syntax")
                .join(server)
        }
    };
    let walk = walkdir::WalkDir::new(&base).sort_by_file_name();
    let found = walk
        .into_iter()
        .map(|item| item.unwrap_or_else(|e| panic!("{e}")));
    found
        .filter(|item| item.file_type().is_file())
        .map(|item| item.into_path())
        .filter(|path| path.extension().is_none_or(|end| end != "verdict"))
        .collect()
}

/// Statements as names and words, in the order of the file, with their depth.
fn statements(server: Server, text: &[u8], tree: &Tree) -> Vec<(usize, Vec<Vec<u8>>)> {
    let depth = |mut node: NodeId| {
        let mut depth = 0;
        while let Some(parent) = tree.node(node).parent {
            (node, depth) = (parent, depth + 1);
        }
        depth
    };
    let ids = (0..tree.nodes.len() as u32).map(NodeId);
    ids.map(|id| {
        let words = match server {
            Server::Nginx => nginx::words(text, tree, id)
                .map(|w| w.value.into_owned())
                .collect(),
            Server::Apache => {
                let line = apache::logical(text, tree, id);
                let mut words = vec![line.name.to_vec()];
                words.extend(
                    apache::words(&line.args)
                        .into_iter()
                        .map(|w| w.value.into_owned()),
                );
                words
            }
        };
        (depth(id), words)
    })
    .collect()
}

fn parse(server: Server, text: &[u8]) -> Tree {
    match server {
        Server::Nginx => nginx::parse(text, &nginx::Options::default()),
        Server::Apache => apache::parse(text),
    }
}

fn project(server: Server, path: &Path) -> Project {
    load(
        &Root::new(server, path),
        &Disk::default(),
        &LoadOptions::default(),
    )
}

#[derive(Default, Debug)]
struct Counts {
    files: usize,
    inserted: usize,
    set: usize,
    refused: usize,
}

fn try_file(server: Server, original: &Path, counts: &mut Counts) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.conf");
    fs::copy(original, &path).unwrap();
    let text = fs::read(&path).unwrap();
    let tree = parse(server, &text);
    if tree.errors.iter().any(|error| error.fatal) || text.contains(&0) {
        return;
    }
    counts.files += 1;
    insert_everywhere(server, original, &path, &tree, counts);
    fs::write(&path, &text).unwrap();
    append_everywhere(server, original, &path, counts);
}

/// A statement that no file has, in every block that holds statements.
fn insert_everywhere(
    server: Server,
    original: &Path,
    path: &Path,
    tree: &Tree,
    counts: &mut Counts,
) {
    let name = match server {
        Server::Nginx => "ssl_session_tickets_",
        Server::Apache => "SSLSessionTickets_",
    };
    let words = [name.to_string(), "off".to_string()];
    let before = project(server, path);
    let file = &before.files[0];
    let holds = |id: &NodeId| {
        let node = file.tree().node(*id);
        let children = file.tree().children(Some(*id));
        let kinds: Vec<NodeKind> = children.map(|child| file.tree().node(child).kind).collect();
        node.kind == NodeKind::Block
            && !kinds.contains(&NodeKind::Data)
            && !is_macro(server, file, *id)
    };
    let blocks: Vec<NodeId> = (0..tree.nodes.len() as u32)
        .map(NodeId)
        .filter(holds)
        .collect();
    let fixes: Vec<_> = blocks
        .iter()
        .map(|id| {
            let span = file.tree().node(*id).span;
            let target = Target::Block(Location::new(&file.path, span, &file.lines));
            (
                "r",
                fix_of(vec![Change::Insert {
                    target,
                    statement: words.to_vec(),
                }]),
            )
        })
        .collect();
    let plan = planned(
        &before,
        &fixes,
        Options {
            force: true,
            ..Options::default()
        },
    );
    for refusal in &plan.refused {
        println!("{}: {}", original.display(), refusal.reason);
    }
    counts.refused += plan.refused.len();
    let Some(planned_file) = plan.files.first() else {
        assert_eq!(blocks.len(), plan.refused.len(), "{}", original.display());
        return;
    };
    verify(&plan.files, &|_| Ok(())).unwrap_or_else(|e| panic!("{}: {e}", original.display()));
    let after = &planned_file.after;
    let mut now = statements(server, after, &parse(server, after));
    let added = now.len();
    let new = vec![words[0].clone().into_bytes(), words[1].clone().into_bytes()];
    now.retain(|(_, found)| *found != new);
    let added = added - now.len();
    assert_eq!(
        added,
        blocks.len() - plan.refused.len(),
        "{}",
        original.display()
    );
    assert!(
        now == statements(server, &file.text, tree),
        "{}: {}",
        original.display(),
        show(after)
    );
    applies(
        &original.display().to_string(),
        &plan.files,
        path.parent().unwrap(),
    );
    counts.inserted += added;
}

/// One argument more for every simple statement.
fn append_everywhere(server: Server, original: &Path, path: &Path, counts: &mut Counts) {
    let before = project(server, path);
    let file = &before.files[0];
    let mut wanted = statements(server, &file.text, file.tree());
    let mut fixes = Vec::new();
    for (index, node) in file.tree().nodes.iter().enumerate() {
        let words = &mut wanted[index].1;
        let flag = stekguard::catalog::apache(&words[0]).is_some_and(|row| {
            server == Server::Apache && row.arity == stekguard::catalog::Arity::Flag
        });
        let odd = words.iter().any(|word| std::str::from_utf8(word).is_err());
        let unspellable = words.last().is_some_and(|word| word.is_empty());
        // nginx keeps no word past 4094 bytes with anything behind it, httpd no line of a
        // macro past 8191; verify says so.
        let long = words.iter().any(|word| word.len() > 4000);
        if node.kind != NodeKind::Directive || flag || odd || unspellable || long {
            continue;
        }
        words.push(b"one more".to_vec());
        let arguments = words[1..]
            .iter()
            .map(|w| String::from_utf8(w.clone()).unwrap())
            .collect();
        let statement = Location::new(&file.path, Span::at(node.span.start), &file.lines);
        fixes.push((
            "r",
            fix_of(vec![Change::SetArguments {
                statement,
                arguments,
            }]),
        ));
    }
    let plan = planned(
        &before,
        &fixes,
        Options {
            force: true,
            ..Options::default()
        },
    );
    for refusal in &plan.refused {
        println!("{}: {}", original.display(), refusal.reason);
        let change = &fixes[refusal.proposal].1.all().next().unwrap();
        let Change::SetArguments { statement, .. } = change else {
            unreachable!()
        };
        let starts = |node: &stekguard::syntax::Node| node.span.start == statement.span.start;
        let index = file.tree().nodes.iter().position(starts).unwrap();
        wanted[index].1.pop();
        assert!(refusal.reason.contains("open quote"), "{}", refusal.reason);
    }
    counts.refused += plan.refused.len();
    let Some(planned_file) = plan.files.first() else {
        return;
    };
    verify(&plan.files, &|_| Ok(())).unwrap_or_else(|e| panic!("{}: {e}", original.display()));
    let now = statements(
        server,
        &planned_file.after,
        &parse(server, &planned_file.after),
    );
    for (is, should) in now.iter().zip(&wanted) {
        assert!(
            is == should,
            "{}: {is:?} is not {should:?}",
            original.display()
        );
    }
    assert_eq!(now.len(), wanted.len(), "{}", original.display());
    applies(
        &original.display().to_string(),
        &plan.files,
        path.parent().unwrap(),
    );
    counts.set += fixes.len();
}

fn is_macro(server: Server, file: &stekguard::source::File, id: NodeId) -> bool {
    server == Server::Apache && apache::is_macro(&apache::logical(&file.text, file.tree(), id).name)
}

#[test]
fn nginx_files_take_every_edit() {
    let mut counts = Counts::default();
    files("nginx")
        .iter()
        .for_each(|path| try_file(Server::Nginx, path, &mut counts));
    println!("nginx: {counts:?}");
    assert!(
        counts.files > 20 && counts.inserted > 20 && counts.set > 20,
        "{counts:?}"
    );
}

#[test]
fn httpd_files_take_every_edit() {
    let mut counts = Counts::default();
    files("apache")
        .iter()
        .for_each(|path| try_file(Server::Apache, path, &mut counts));
    println!("httpd: {counts:?}");
    assert!(
        counts.files > 20 && counts.inserted > 10 && counts.set > 30,
        "{counts:?}"
    );
}

/// A large tree is planned in time that grows with it, not with its square.
#[test]
fn ten_thousand_servers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nginx.conf");
    let mut text = b"events {}\nhttp {\n".to_vec();
    for number in 0..10_000 {
        let server = format!(
            "    server {{\n        listen 443 ssl;\n        server_name a{number};\n        ssl_session_timeout 9d;\n    }}\n"
        );
        text.extend_from_slice(server.as_bytes());
    }
    text.extend_from_slice(b"}\n");
    fs::write(&path, &text).unwrap();
    let before = project(Server::Nginx, &path);
    let file = &before.files[0];
    let mut fixes = Vec::new();
    for (id, node) in file.tree().nodes.iter().enumerate() {
        let name = nginx::name(&file.text, file.tree(), NodeId(id as u32))
            .unwrap()
            .value;
        let place = Location::new(&file.path, node.span, &file.lines);
        let change = match &*name {
            b"server" => Change::Insert {
                target: Target::Block(place),
                statement: vec!["ssl_session_tickets".into(), "off".into()],
            },
            b"ssl_session_timeout" => Change::SetArguments {
                statement: place,
                arguments: vec!["1d".into()],
            },
            _ => continue,
        };
        fixes.push(("r", fix_of(vec![change])));
    }
    assert_eq!(fixes.len(), 20_000);
    let clock = std::time::Instant::now();
    let plan = planned(&before, &fixes, Options::default());
    let planning = clock.elapsed();
    verify(&plan.files, &|_| Ok(())).unwrap();
    let after = String::from_utf8(plan.files[0].after.to_vec()).unwrap();
    assert_eq!(
        after
            .matches("1d;\n        ssl_session_tickets off;\n")
            .count(),
        10_000
    );
    println!(
        "20,000 changes planned in {planning:?}, verified and all in {:?}",
        clock.elapsed()
    );
    applies("ten thousand", &plan.files, dir.path());
    println!("patched twice in {:?}", clock.elapsed());
}
