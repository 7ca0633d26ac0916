//! No real file is ever broken: every file of the corpora is fixed for every policy by the
//! program itself. What is not written stays as it was to the byte; what is written keeps all
//! that no policy is about; fixing again changes nothing; and what the server accepted before,
//! it accepts afterwards.
//!
//! `STEKGUARD_CORPORA` names a folder with `nginx/` and `apache/`; without it the files of
//! testdata are taken. A file that the server refuses is fixed as it is, and once more without
//! the statements that it refuses, where that leaves a file which it accepts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, unreachable_pub)]
mod corpora_judge;
#[allow(dead_code, unreachable_pub)]
mod httpd_tree;
#[allow(dead_code, unreachable_pub)]
#[path = "policies/kept.rs"]
mod kept;
mod support;
#[allow(dead_code, unreachable_pub)]
#[path = "policies/tool.rs"]
mod tool;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use corpora_judge::httpd::Apache;
use corpora_judge::nginx::{Nginx, SURROUNDINGS};
use corpora_judge::{Case, Judge};
use tempfile::TempDir;
use tool::{POLICIES, Tool};

/// A pipeline has two cores; half of the time programs are started and files are waited for.
const THREADS: usize = 4;
/// Wrong files that are shown.
const SHOWN: usize = 20;

#[derive(Debug, Default)]
struct Row {
    fixed: usize,
    changed: usize,
    /// Exit 2: something could not be repaired or read.
    unproved: usize,
    /// Exit 2 and yet something was written, which had proved itself.
    in_part: usize,
    accepted_before: usize,
    accepted_after: usize,
    /// Accepted, and changed.
    tried: usize,
}

#[derive(Debug, Default)]
struct Tally {
    files: usize,
    as_is: usize,
    shortened: usize,
    rows: BTreeMap<&'static str, Row>,
    wrong: Vec<String>,
}

#[test]
fn nginx_files_stay_what_they_were_under_every_policy() {
    let files = files("nginx");
    let tally = over(&files, |path, folder, tally| {
        thread_local! { static JUDGE: Nginx = Nginx::new(); }
        JUDGE.with(|judge| {
            let cases = judge.cases(judge.case(path), &SURROUNDINGS, folder);
            fixed(path, &cases, judge, folder, tally);
        });
    });
    finish("nginx", &tally, files.len());
}

#[test]
fn httpd_files_stay_what_they_were_under_every_policy() {
    let files = files("apache");
    let tally = over(&files, |path, _, tally| {
        thread_local! { static JUDGE: (Apache, TempDir) = (Apache::new(), TempDir::new().unwrap()); }
        JUDGE.with(|(judge, dir)| {
            let folder = dir.path().join("files");
            let cases = judge.cases(judge.case(path), &[&[]], &folder);
            fixed(path, &cases, judge, &folder, tally);
        });
    });
    finish("httpd", &tally, files.len());
}

fn files(server: &str) -> Vec<PathBuf> {
    if let Some(base) = std::env::var_os("STEKGUARD_CORPORA") {
        return httpd_tree::files_below(&PathBuf::from(base).join(server));
    }
    println!("STEKGUARD_CORPORA is not set: testdata/syntax and testdata/sites only");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut found = httpd_tree::files_below(&data.join("syntax").join(server));
    found.retain(|path| path.extension().is_none_or(|end| end != "verdict"));
    let httpd = |path: &Path| {
        let below = path
            .strip_prefix(&data)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        ["httpd", "apache", "rhel"]
            .iter()
            .any(|name| below.contains(name))
    };
    let sites = httpd_tree::files_below(&data.join("sites"));
    found.extend(
        sites
            .into_iter()
            .filter(|path| httpd(path) == (server == "apache")),
    );
    found
}

fn over(files: &[PathBuf], each: impl Fn(&Path, &Path, &mut Tally) + Sync) -> Tally {
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let dir = TempDir::new().unwrap();
                let folder = std::fs::canonicalize(dir.path()).unwrap().join("files");
                let mut tally = Tally::default();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    tally.files += 1;
                    each(path, &folder, &mut tally);
                }
                total.lock().unwrap().add(tally);
            });
        }
    });
    println!("{:.0} s", started.elapsed().as_secs_f64());
    total.into_inner().unwrap()
}

fn fixed(path: &Path, cases: &[Case], judge: &impl Judge, folder: &Path, tally: &mut Tally) {
    tally.as_is += usize::from(cases[0].accepted);
    tally.shortened += usize::from(cases.len() > 1);
    for (number, case) in cases.iter().enumerate() {
        for policy in POLICIES {
            let row = tally.rows.entry(policy).or_default();
            if let Err(what) = one(case, policy, judge, folder, row) {
                let part = ["", " (without what is refused)"][number];
                let what = format!("{}{part} {policy}: {what}", path.display());
                tally.wrong.push(what);
            }
        }
    }
}

/// One file for one policy.
fn one(
    case: &Case,
    policy: &'static str,
    judge: &impl Judge,
    folder: &Path,
    row: &mut Row,
) -> Result<(), String> {
    case.write(folder);
    let mut told = judge.told();
    told.extend(["--isolated", "--validate", "never"].map(str::to_owned));
    told.extend(["--allow-missing", "*"].map(str::to_owned));
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let keys = folder.with_file_name("rotated");
    let tool = Tool::new(&folder.join(&case.root), &keys, &told);
    let before = kept::texts(folder);
    let run = tool.wrote(policy);
    let after = kept::texts(folder);
    let changed = before != after;
    row.fixed += 1;
    row.changed += usize::from(changed);
    row.unproved += usize::from(run.code == Some(2));
    row.in_part += usize::from(run.code == Some(2) && changed);
    row.accepted_before += usize::from(case.accepted);
    let shown = || format!("{run:#?}");
    if !matches!(run.code, Some(0..=2)) {
        return Err(format!("it ended otherwise: {}", shown()));
    }
    // What it says and shows is what it did.
    let said = run.stderr.lines().any(|line| line.starts_with("wrote "));
    if changed != said || (changed && run.stdout.is_empty()) {
        return Err(format!("changed: {changed}: {}", shown()));
    }
    if !changed {
        row.accepted_after += usize::from(case.accepted);
        return Ok(());
    }
    if let Some(what) = kept::touched(case.server, &before, &after) {
        return Err(format!("{what}: {}", shown()));
    }
    if case.accepted {
        row.tried += 1;
        let verdict = judge.verdict(case, folder);
        verdict.map_err(|said| format!("refused now: {said}\n{}", shown()))?;
        row.accepted_after += 1;
    }
    let again = tool.patch(policy);
    match again.is_empty() {
        true => Ok(()),
        false => Err(format!("fixed again:\n{again}")),
    }
}

fn finish(server: &str, tally: &Tally, files: usize) {
    println!(
        "{server}: {} files; {} accepted as they are, {} more without what is refused",
        tally.files, tally.as_is, tally.shortened
    );
    for (policy, row) in &tally.rows {
        println!("{server} {policy}: {row:?}");
    }
    for wrong in tally.wrong.iter().take(SHOWN) {
        println!("=== {wrong}");
    }
    assert!(tally.wrong.is_empty(), "{} times wrong", tally.wrong.len());
    assert!(tally.files == files && files > 100, "{files} files");
    for (policy, row) in &tally.rows {
        assert_eq!(row.accepted_before, row.accepted_after, "{policy}");
    }
    // A policy that demands something finds something to do, in files that were tried.
    for policy in ["no-tickets", "no-resumption"] {
        let row = &tally.rows[policy];
        assert!(
            row.tried > 0 && row.accepted_before > 20,
            "{policy}: {row:?}"
        );
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.as_is += other.as_is;
        self.shortened += other.shortened;
        self.wrong.extend(other.wrong);
        for (policy, other) in other.rows {
            let row = self.rows.entry(policy).or_default();
            row.fixed += other.fixed;
            row.changed += other.changed;
            row.unproved += other.unproved;
            row.in_part += other.in_part;
            row.accepted_before += other.accepted_before;
            row.accepted_after += other.accepted_after;
            row.tried += other.tried;
        }
    }
}
