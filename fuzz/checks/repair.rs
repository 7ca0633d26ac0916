//! A fix of any accepted configuration is accepted again, and fixing once more changes nothing.
//! Judges and repairs in memory: nothing of the machine is read or written.
//!
//! The first byte chooses the goal, the second one the version and whether unsafe fixes count;
//! the rest is a configuration, or the output of `nginx -T`.

use std::collections::BTreeMap;
use std::path::Path;

use stekguard::app::{Choice, FileChange, Outcome, Repair, Request, Versions, fix};
use stekguard::catalog::{Server, boundaries};
use stekguard::finding::{Finding, Severity};
use stekguard::policy::{Goal, Policy};
use stekguard::report::{self, Listed};
use stekguard::source::{Dump, clean_path};

use super::patch;

const GOALS: [Goal; 5] = [
    Goal::Sound,
    Goal::NoTickets,
    Goal::NoResumption,
    Goal::Rotate,
    Goal::Automatic,
];

/// For nginx.
pub(crate) fn nginx(bytes: &[u8]) {
    check(Server::Nginx, bytes);
}

/// For httpd.
pub(crate) fn apache(bytes: &[u8]) {
    check(Server::Apache, bytes);
}

fn check(server: Server, bytes: &[u8]) {
    let [goal, how, text @ ..] = bytes else {
        return;
    };
    let mut request = Request {
        versions: versions(server, *how),
        policy: Policy {
            goal: GOALS[usize::from(*goal) % GOALS.len()],
            ..Policy::default()
        },
        pedantic: goal & 0x80 != 0,
        edits: true,
        stream: Some(text.to_vec()),
        ..Request::default()
    };
    let choice = Choice {
        unsafe_fixes: how & 0x80 != 0,
        ..Choice::default()
    };
    let Ok(repair) = fix(&request, &choice) else {
        return;
    };
    readable(&repair.before);
    disjoint(&repair.before, text);
    let changes = repair.changes();
    if changes.is_empty() {
        return;
    }
    undone(&repair, &changes, text);
    let after = rewritten(text, &changes);
    if says_nothing(&after) {
        // A part of which nothing is left: an include may be empty, a configuration may not.
        return;
    }
    request.stream = Some(after);
    accepted_again(&request, &choice, &repair);
}

/// No version, or one of those at which something changes.
fn versions(server: Server, how: u8) -> Versions {
    let all = boundaries(server);
    let index = usize::from(how & 0x7f) % (all.len() + 1);
    let version = all.get(index).map(|version| (server, *version));
    Versions {
        servers: version.into_iter().collect(),
        ..Versions::default()
    }
}

/// The report is JSON whatever stands in the files.
fn readable(outcome: &Outcome) {
    let json = report::lint_json(&outcome.report());
    let value: Result<serde_json::Value, _> = serde_json::from_str(&json);
    assert!(value.is_ok(), "the report is no JSON: {json}");
    assert!(!json.contains('\u{1b}'), "a raw escape in the report");
}

/// The edits of each finding are in order, do not overlap and lie in a file of the text's size.
fn disjoint(outcome: &Outcome, text: &[u8]) {
    for listed in outcome.edits.values() {
        let files = match listed {
            Listed::Here(files) => files.as_slice(),
            Listed::With(other) => {
                let there = matches!(outcome.edits.get(other), Some(Listed::Here(_)));
                assert!(there, "listed with a finding that lists it");
                continue;
            }
        };
        for edits in files.iter().map(|file| &file.edits) {
            let mut end = 0;
            for edit in edits {
                assert!(edit.span.start >= end, "edits in order and apart");
                assert!(edit.span.start <= edit.span.end);
                end = edit.span.end;
            }
            assert!(end as usize <= text.len(), "edits lie in their file");
        }
    }
}

/// The patch says exactly what changes: applied it gives the new files, taken back the old ones.
fn undone(repair: &Repair, changes: &[FileChange], text: &[u8]) {
    let whole = repair.patch(false, false);
    let pieces = patch::files(&whole);
    assert_eq!(pieces.len(), changes.len(), "a patch of each changed file");
    for (piece, change) in pieces.iter().zip(changes) {
        assert!(change.before != change.after, "a change changes something");
        let applied = patch::apply(piece, &change.before, false);
        assert!(applied == change.after, "the patch makes the new file");
        let back = patch::apply(piece, &change.after, true);
        assert!(
            back == change.before,
            "the patch taken back is the old file"
        );
    }
    if Dump::parse(text).is_none() {
        assert_eq!(changes.len(), 1, "a stream is one file");
        assert!(changes[0].before == text, "the file as it was given");
    }
}

/// The input with the files as the repair leaves them.
fn rewritten(text: &[u8], changes: &[FileChange]) -> Vec<u8> {
    let Some(dump) = Dump::parse(text) else {
        return changes[0].after.clone();
    };
    let new: BTreeMap<&str, &[u8]> = changes
        .iter()
        .map(|change| (change.path.as_str(), &change.after[..]))
        .collect();
    let root = clean_path(&dump.root);
    let others = dump.paths().filter(|path| *path != root);
    let mut out = Vec::new();
    let mut used = 0;
    for path in [root.as_path()].into_iter().chain(others) {
        let replaced = new.get(&*path.to_string_lossy()).copied();
        used += usize::from(replaced.is_some());
        let old = dump.files().read(path).unwrap_or_default();
        section(&mut out, path, replaced.unwrap_or(&old));
    }
    assert_eq!(used, changes.len(), "every changed file is one of the dump");
    out
}

pub(crate) fn section(out: &mut Vec<u8>, path: &Path, text: &[u8]) {
    out.extend_from_slice(b"# configuration file ");
    out.extend_from_slice(path.as_os_str().as_encoded_bytes());
    out.extend_from_slice(b":\n");
    out.extend_from_slice(text);
    out.push(b'\n');
}

/// True for comments alone that are no output of `nginx -T`.
fn says_nothing(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    Dump::parse(text).is_none() && lines.all(|line| line.is_empty() || line.starts_with(b"#"))
}

/// The result is read as completely as before, is what the repair said it would be, and a second
/// repair finds nothing to do.
fn accepted_again(request: &Request, choice: &Choice, repair: &Repair) {
    let again = match fix(request, choice) {
        Ok(again) => again,
        Err(error) => panic!("what fix wrote cannot be judged: {error}"),
    };
    let left = again.patch(false, false);
    assert!(
        left.is_empty(),
        "a second repair changes it again:\n{}",
        String::from_utf8_lossy(&left)
    );
    assert_eq!(
        again.before.complete(),
        repair.before.complete(),
        "problems afterwards: {:?}",
        again.before.problems
    );
    assert_eq!(
        facts(&again.before),
        facts(&repair.after),
        "what the repair said of its result"
    );
}

/// Rule, grade, line and words of every finding.
fn facts(outcome: &Outcome) -> Vec<(&'static str, Severity, u32, &str)> {
    let fact = |finding: &'_ Finding| (finding.rule, finding.severity, finding.location.line);
    let all = outcome.findings.iter();
    all.map(|finding| {
        let (rule, severity, line) = fact(finding);
        (rule, severity, line, finding.message.as_str())
    })
    .collect()
}
