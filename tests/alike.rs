//! Versions that are judged together come out as they do when each is judged alone: every
//! configuration of testdata, at every version it can run on.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stekguard::app::{Outcome, Request, Versions, lint};
use stekguard::catalog::{Server, Version};

/// What was found, without the versions.
type Found = BTreeSet<(&'static str, PathBuf, u32, String)>;

fn outcome(path: &Path, version: Option<(Server, Version)>) -> Option<Outcome> {
    let request = Request {
        paths: vec![path.to_path_buf()],
        versions: Versions {
            servers: version.into_iter().collect(),
            ..Versions::default()
        },
        pedantic: true,
        ..Request::default()
    };
    lint(&request).ok()
}

fn found(outcome: &Outcome, version: Version) -> Found {
    let here = outcome
        .findings
        .iter()
        .filter(|finding| finding.versions.is_empty() || finding.versions.contains(&version));
    here.map(|finding| {
        let place = &finding.location;
        let path = place.path.to_path_buf();
        (finding.rule, path, place.line, finding.message.clone())
    })
    .collect()
}

fn roots(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            roots(&path, out);
        } else if path.extension().is_some_and(|end| end == "conf") {
            out.push(path);
        }
    }
}

#[test]
fn what_is_judged_together_comes_out_as_alone() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths = Vec::new();
    for part in ["rules", "sites", "demo"] {
        roots(&testdata.join(part), &mut paths);
    }
    let (mut configurations, mut verdicts) = (0, 0);
    for path in paths {
        let Some(together) = outcome(&path, None) else {
            continue;
        };
        let [server] = together.servers.as_slice() else {
            continue;
        };
        configurations += 1;
        for platform in &server.judged {
            let version = platform.server.value;
            let alone = outcome(&path, Some((server.site.server, version))).unwrap();
            assert_eq!(
                found(&together, version),
                found(&alone, version),
                "{} at {version}",
                path.display()
            );
            verdicts += 1;
        }
    }
    println!("{configurations} configurations, {verdicts} verdicts");
    assert!(configurations > 100 && verdicts > 1000);
}
