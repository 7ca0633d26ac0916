//! Refuses what is not sound in the tables beside the servers' folders: advisories, the library's
//! commands and facts, forks and stubs.

use super::super::names::{Server, Severity};
use super::check::{Problems, sorted};
use super::rows::{AdvisoryRow, CommandRow, FactRow, FileRows, ForkRow, StubRow};
use super::{File, StubText};

pub fn check(path: &str, rows: &FileRows, files: &[File], problems: &mut Problems) {
    let of_a_server = rows.directive.len() + rows.behaviour.len() + rows.module.len();
    if rows.range.is_some() || of_a_server > 0 {
        problems.file(
            path,
            "directives, behaviours, modules and ranges belong to a server's folder",
        );
    }
    sorted(
        path,
        "advisory",
        problems,
        rows.advisory.iter().map(|row| row.id.clone()),
    );
    sorted(
        path,
        "command",
        problems,
        rows.command.iter().map(|row| row.name.to_ascii_lowercase()),
    );
    sorted(
        path,
        "fact",
        problems,
        rows.fact.iter().map(|row| row.name.clone()),
    );
    sorted(
        path,
        "fork",
        problems,
        rows.fork.iter().map(|row| row.name.clone()),
    );
    let stubs = rows
        .stub
        .iter()
        .map(|row| format!("{} {}", row.server, row.suffix));
    sorted(path, "stub", problems, stubs);
    for row in &rows.advisory {
        advisory(path, row, problems);
    }
    for row in &rows.command {
        command(path, row, problems);
    }
    for row in &rows.fact {
        fact(path, row, problems);
    }
    for row in &rows.fork {
        fork(path, row, problems);
    }
    for row in &rows.stub {
        stub(path, row, files, problems);
    }
}

fn advisory(path: &str, row: &AdvisoryRow, problems: &mut Problems) {
    let mut at = problems.row(path, "advisory", &row.id);
    at.word("server", &row.server, Server::parse(&row.server));
    at.word("severity", &row.severity, Severity::parse(&row.severity));
    at.text("title", &row.title);
    at.text("condition", &row.condition);
    at.source(&row.source);
    at.ranges(&row.affected);
    for text in &row.fixed {
        at.version("fixed", Some(text));
    }
    let mut ends = row
        .affected
        .iter()
        .filter_map(|range| range.before.as_ref());
    if !ends.all(|end| row.fixed.contains(end)) {
        at.bad("a range ends at a version that is not in `fixed`");
    }
    for backport in &row.backports {
        at.source(&backport.source);
        at.text("release of a backport", &backport.release);
        at.text("fixed package version", &backport.fixed);
    }
}

fn command(path: &str, row: &CommandRow, problems: &mut Problems) {
    let mut at = problems.row(path, "command", &row.name);
    at.source(&row.source);
    at.version("since", row.since.as_deref());
    at.deciders(&row.nginx);
    at.deciders(&row.apache);
}

fn fact(path: &str, row: &FactRow, problems: &mut Problems) {
    let mut at = problems.row(path, "fact", &row.name);
    at.text("library", &row.library);
    at.text("summary", &row.summary);
    at.source(&row.source);
    at.ranges(&row.ranges);
}

fn fork(path: &str, row: &ForkRow, problems: &mut Problems) {
    let mut at = problems.row(path, "fork", &row.name);
    at.source(&row.source);
    let mut last = None;
    for base in &row.bases {
        at.version("base", Some(&base.base));
        let version = at.version("version", Some(&base.version));
        if version <= last {
            at.bad("bases are not sorted by version");
        }
        last = version;
    }
    if row.same_numbers && !row.bases.is_empty() {
        at.bad("both `same_numbers` and `bases`");
    }
}

fn stub(path: &str, row: &StubRow, files: &[File], problems: &mut Problems) {
    let mut at = problems.row(path, "stub", &row.suffix);
    at.word("server", &row.server, Server::parse(&row.server));
    at.source(&row.source);
    if stub_text(&row.file, files).is_none() {
        at.bad(&format!("no file grammars/stubs/{}", row.file));
    }
}

pub fn stub_texts(rows: &[StubRow], files: &[File]) -> Vec<StubText> {
    let text = |row: &StubRow| {
        Some(StubText {
            server: Server::parse(&row.server)?,
            suffix: row.suffix.clone(),
            text: stub_text(&row.file, files)?.to_owned(),
            source: row.source.clone(),
        })
    };
    rows.iter().filter_map(text).collect()
}

fn stub_text<'a>(file: &str, files: &'a [File]) -> Option<&'a str> {
    let path = format!("stubs/{file}");
    let found = files.iter().find(|(name, _)| *name == path);
    found.map(|(_, text)| text.as_str())
}
