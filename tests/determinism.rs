//! The same input gives the same output, byte for byte: on one thread and on many, and in
//! whatever order a directory was filled.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../benches/trees/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod trees;

use std::fs;
use std::path::{Path, PathBuf};

use stekguard::app::{Request, inspect, lint};
use stekguard::report;
use trees::{Kind, Shape};

/// More files than are read in turn, and more directives than are judged in turn.
const HOSTS: usize = 200;

fn write(files: impl Iterator<Item = (PathBuf, String)>) {
    for (path, text) in files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Everything that `lint` and `inspect` say.
fn said(paths: &[PathBuf]) -> String {
    let request = Request {
        paths: paths.to_vec(),
        pedantic: true,
        ..Request::default()
    };
    let outcome = lint(&request).unwrap();
    let inspection = inspect(&request).unwrap();
    let lint = outcome.report();
    let servers = inspection.report();
    [
        report::findings(&lint, report::Paint::new(false)),
        report::lint_json(&lint),
        report::inspect_json(&servers, &inspection.problems, false),
        format!("{:?}", outcome.problems),
    ]
    .join("\n")
}

fn with_threads(count: usize, paths: &[PathBuf]) -> String {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    pool.build().unwrap().install(|| said(paths))
}

fn cases() -> impl Iterator<Item = (Kind, Shape)> {
    let kinds = [Kind::Nginx, Kind::Apache];
    kinds
        .into_iter()
        .flat_map(|kind| Shape::ALL.into_iter().map(move |shape| (kind, shape)))
}

#[test]
fn one_thread_and_many_say_the_same() {
    for (kind, shape) in cases() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().to_str().unwrap();
        write(trees::tree(kind, shape, HOSTS, name).into_iter());
        // A file with an error among those that are read ahead, and one that is no file.
        let broken = match kind {
            Kind::Nginx => "server {\n",
            Kind::Apache => "<VirtualHost 127.0.0.1:8443>\n",
        };
        fs::write(folder.path().join("sites/host000007.conf"), broken).unwrap();
        fs::create_dir(folder.path().join("sites/zz.conf")).unwrap();
        let root = [folder.path().join(kind.root())];
        let alone = with_threads(1, &root);
        assert!(alone.contains("host000007.conf"), "{kind:?} {shape:?}");
        for count in [2, 8] {
            let many = with_threads(count, &root);
            assert!(many == alone, "{kind:?} {shape:?}, {count} threads");
        }
    }
}

#[test]
fn the_order_in_which_a_directory_was_filled_does_not_show() {
    for (kind, shape) in cases() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("tree");
        let files = trees::tree(kind, shape, HOSTS, inside.to_str().unwrap());
        let fill = |files: Vec<(PathBuf, String)>| {
            fs::create_dir(&inside).unwrap();
            write(files.into_iter());
            let all = [with_root(&inside, kind), vec![inside.clone()]].map(|it| said(&it));
            fs::remove_dir_all(&inside).unwrap();
            all
        };
        let forward = fill(files.clone());
        let backward = fill(files.into_iter().rev().collect());
        assert!(forward == backward, "{kind:?} {shape:?}");
    }
}

fn with_root(folder: &Path, kind: Kind) -> Vec<PathBuf> {
    vec![folder.join(kind.root())]
}
