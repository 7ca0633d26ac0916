//! How fast each room is: lexer and tree, include resolution, model, rules, plan and diff.
//!
//! `cargo bench --bench rooms`. Everything stands in memory, but for `includes_on_disk`. With
//! STEKGUARD_CORPORA, a folder of real files below `nginx/` and `apache/`, their trees are
//! measured too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(dead_code, unreachable_pub)]

mod trees;

use std::fs;
use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use stekguard::catalog::{Server, Version, newest};
use stekguard::fix::{self, Options, PatchOptions, PlannedFile, Proposal};
use stekguard::model::{Assumed, Groundwork, Platform, VersionSource};
use stekguard::policy::Policy;
use stekguard::rules::{self, Context};
use stekguard::source::{Disk, LoadOptions, Memory, Project, Root, load};
use stekguard::syntax::{NodeId, apache, nginx};
use trees::{Kind, Shape};

const KINDS: [Kind; 2] = [Kind::Nginx, Kind::Apache];
/// Virtual hosts of a tree.
const HOSTS: usize = 500;

fn main() {
    divan::main();
}

const fn server(kind: Kind) -> Server {
    match kind {
        Kind::Nginx => Server::Nginx,
        Kind::Apache => Server::Apache,
    }
}

fn parse(kind: Kind, text: &[u8]) -> usize {
    match kind {
        Kind::Nginx => nginx::parse(text, &nginx::Options::default()).nodes.len(),
        Kind::Apache => apache::parse(text).nodes.len(),
    }
}

/// Text to tokens and tree: a file of 41 KB and one of 6.5 MB.
#[divan::bench(args = [(Kind::Nginx, 41_000), (Kind::Nginx, 6_500_000), (Kind::Apache, 41_000), (Kind::Apache, 6_500_000)])]
fn tree(bencher: Bencher<'_, '_>, (kind, bytes): (Kind, usize)) {
    let text = trees::text(kind, bytes);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| parse(kind, divan::black_box(text.as_bytes())));
}

/// Text to words, as far as each server's lexer can be asked for them: nginx's tokens and their
/// values; httpd's logical lines, their heads and words.
fn lex(kind: Kind, text: &[u8]) -> usize {
    match kind {
        Kind::Nginx => {
            let tree = nginx::parse(text, &nginx::Options::default());
            let nodes = (0..tree.nodes.len() as u32).map(NodeId);
            nodes
                .map(|node| nginx::words(text, &tree, node).count())
                .sum()
        }
        Kind::Apache => {
            let words = |line: apache::Line| {
                let joined = line.joined(text);
                let line = apache::trim(&joined.bytes);
                apache::words(&line[apache::head(line).args]).len()
            };
            apache::lines(text).map(words).sum()
        }
    }
}

/// Text to words.
#[divan::bench(args = KINDS)]
fn words(bencher: Bencher<'_, '_>, kind: Kind) {
    let text = trees::text(kind, 6_500_000);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| lex(kind, divan::black_box(text.as_bytes())));
}

/// The servers of which there are real files.
fn given() -> Vec<Kind> {
    let there = |kind: &Kind| !real(*kind).is_empty();
    KINDS.into_iter().filter(there).collect()
}

/// The bytes of the real files.
fn real(kind: Kind) -> Vec<Vec<u8>> {
    let name = kind.root().split('.').next().unwrap();
    let name = name.replace("httpd", "apache");
    let mut folders: Vec<PathBuf> = std::env::var_os("STEKGUARD_CORPORA")
        .map(|folder| Path::new(&folder).join(name))
        .into_iter()
        .collect();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => texts.push(fs::read(path).unwrap()),
            }
        }
    }
    texts
}

/// Text to tokens and tree: every real file, one after the other.
#[divan::bench(args = given())]
fn tree_of_real_files(bencher: Bencher<'_, '_>, kind: Kind) {
    let texts = real(kind);
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let all = || texts.iter().map(|text| parse(kind, text)).sum::<usize>();
    bencher.counter(BytesCount::new(bytes)).bench(all);
}

fn bytes(files: &[(PathBuf, String)]) -> usize {
    files.iter().map(|(_, text)| text.len()).sum()
}

fn files(kind: Kind, shape: Shape) -> (Root, Memory) {
    let files = trees::tree(kind, shape, HOSTS, "/srv/tree");
    let root = Root::new(server(kind), Path::new("/srv/tree").join(kind.root()));
    (root, Memory::new(files))
}

fn project(kind: Kind, shape: Shape) -> Project {
    let (root, files) = files(kind, shape);
    load(&root, &files, &LoadOptions::default())
}

/// Files to a project: parsing, includes, definitions, conditions.
#[divan::bench(args = KINDS)]
fn includes(bencher: Bencher<'_, '_>, kind: Kind) {
    let (root, files) = files(kind, Shape::Snippet);
    let size = bytes(&trees::tree(kind, Shape::Snippet, HOSTS, "/srv/tree"));
    bencher
        .counter(BytesCount::new(size))
        .counter(ItemsCount::new(HOSTS))
        .bench(|| load(&root, &files, &LoadOptions::default()));
}

/// The same with the files on disk, in the system's cache.
#[divan::bench(args = KINDS)]
fn includes_on_disk(bencher: Bencher<'_, '_>, kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let written = trees::tree(kind, Shape::Plain, HOSTS, folder.path().to_str().unwrap());
    for (path, text) in &written {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = Root::new(server(kind), folder.path().join(kind.root()));
    bencher
        .counter(BytesCount::new(bytes(&written)))
        .counter(ItemsCount::new(HOSTS))
        .bench(|| load(&root, &Disk::default(), &LoadOptions::default()));
}

fn platform(kind: Kind) -> Platform {
    let assumed = |value| Assumed {
        value,
        source: VersionSource::Assumed,
    };
    Platform {
        server: assumed(newest(server(kind))),
        library: assumed(Version::new(3, 0, 0)),
        package: None,
    }
}

/// A project to what resumes where: what all versions share, and one version.
#[divan::bench(args = KINDS)]
fn model(bencher: Bencher<'_, '_>, kind: Kind) {
    let project = project(kind, Shape::Plain);
    let platform = platform(kind);
    bencher
        .counter(ItemsCount::new(HOSTS))
        .bench(|| Groundwork::of(&project).lent(&platform).into_site());
}

/// One further version.
#[divan::bench(args = KINDS)]
fn version(bencher: Bencher<'_, '_>, kind: Kind) {
    let project = project(kind, Shape::Plain);
    let platform = platform(kind);
    let mut ground = Some(Groundwork::of(&project));
    bencher.counter(ItemsCount::new(HOSTS)).bench_local(|| {
        let lent = ground.take().map(|ground| ground.lent(&platform));
        ground = lent.map(|lent| lent.back());
    });
}

/// Every rule over a site: nothing to find, and something in every virtual host.
#[divan::bench(args = [(Kind::Nginx, Shape::Plain), (Kind::Nginx, Shape::Findings), (Kind::Apache, Shape::Plain), (Kind::Apache, Shape::Findings)])]
fn rules(bencher: Bencher<'_, '_>, (kind, shape): (Kind, Shape)) {
    let project = project(kind, shape);
    let site = Groundwork::of(&project).lent(&platform(kind)).into_site();
    let policy = Policy::default();
    bencher.counter(ItemsCount::new(HOSTS)).bench(|| {
        let context = Context {
            site: &site,
            policy: &policy,
        };
        rules::check(&context).len()
    });
}

/// What the rules propose for every virtual host.
fn proposed<T>(kind: Kind, with: impl FnOnce(&Project, &[Proposal<'_>]) -> T) -> T {
    let project = project(kind, Shape::Findings);
    let site = Groundwork::of(&project).lent(&platform(kind)).into_site();
    let context = Context {
        site: &site,
        policy: &Policy::default(),
    };
    let findings = rules::check(&context);
    let proposals = findings.iter().filter_map(|finding| {
        Some(Proposal {
            rule: finding.rule,
            reason: finding.message.clone(),
            fix: finding.fix.as_ref()?,
        })
    });
    let proposals: Vec<Proposal<'_>> = proposals.collect();
    with(&project, &proposals)
}

/// Proposals to a plan: the edits of every file and its new text.
#[divan::bench(args = KINDS)]
fn plan(bencher: Bencher<'_, '_>, kind: Kind) {
    proposed(kind, |project, proposals| {
        bencher
            .counter(ItemsCount::new(proposals.len()))
            .bench_local(|| {
                fix::plan(project, proposals, &Options::default())
                    .files
                    .len()
            });
    });
}

/// What each proposal changes by itself, for formats that carry fixes along.
#[divan::bench(args = KINDS)]
fn edits(bencher: Bencher<'_, '_>, kind: Kind) {
    proposed(kind, |project, proposals| {
        bencher
            .counter(ItemsCount::new(proposals.len()))
            .bench_local(|| fix::edits_of_each(project, proposals, &Options::default()).len());
    });
}

fn planned(kind: Kind) -> Vec<PlannedFile> {
    let plan = proposed(kind, |project, proposals| {
        fix::plan(project, proposals, &Options::default())
    });
    assert!(plan.files.len() >= HOSTS);
    plan.files
}

/// That a plan changes what its edits say and nothing else, and leaves texts that parse.
#[divan::bench(args = KINDS)]
fn verify(bencher: Bencher<'_, '_>, kind: Kind) {
    let files = planned(kind);
    bencher
        .counter(ItemsCount::new(files.len()))
        .bench_local(|| fix::verify(&files, &|_| Ok(())).is_ok());
}

/// The patch that repairs every virtual host, as `fix` prints it.
#[divan::bench(args = KINDS)]
fn diff(bencher: Bencher<'_, '_>, kind: Kind) {
    let files = planned(kind);
    bencher
        .counter(ItemsCount::new(files.len()))
        .bench_local(|| fix::patch(&files, PatchOptions::default()).len());
}
