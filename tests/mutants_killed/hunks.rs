//! Planned files: their parts, what is left when some are chosen, and what a plan takes for a
//! change.

use std::path::Path;
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::finding::{self, Applicability, Fix, GoLive};
use stekguard::fix::{Change, Options, Plan, PlannedFile, Proposal, Reason};
use stekguard::fix::{changes, hunks, plan, select};
use stekguard::source::{self, LoadOptions, Memory, Root};
use stekguard::text::{Edit, EditSet, Span};

/// Thirty lines: `line 1` to `line 30`.
fn text() -> String {
    (1..=30).map(|number| format!("line {number}\n")).collect()
}

fn round(edits: &[(Span, &str)]) -> EditSet {
    let mut round = EditSet::new();
    for (span, new) in edits {
        let replacement = new.as_bytes().to_vec();
        let span = *span;
        round.insert(Edit { span, replacement }).unwrap();
    }
    round
}

/// In front of each of these lines another one, each with a reason of its own.
fn inserted(lines: &[(usize, &str)]) -> PlannedFile {
    let before = text();
    let start = |line: usize| before.find(&format!("line {line}\n")).unwrap() as u32;
    let edits: Vec<_> = lines
        .iter()
        .map(|(line, new)| (Span::at(start(*line)), *new))
        .collect();
    let round = round(&edits);
    let after = round.apply(before.as_bytes()).unwrap();
    let reason = |(_, new): &(usize, &str)| {
        let shown = String::from_utf8_lossy(&after);
        let at = shown.find(new).unwrap() as u32;
        Reason {
            span: Span::new(at, at + new.len() as u32),
            rule: "dead-tickets",
            text: (*new).to_owned(),
        }
    };
    PlannedFile {
        paths: vec![Arc::from(Path::new("/srv/a.conf"))],
        real: None,
        server: Server::Nginx,
        before: before.as_bytes().into(),
        reasons: lines.iter().map(reason).collect(),
        after: after.into(),
        rounds: vec![round],
        crowded: false,
    }
}

/// Three lines around a change belong to it, counted from 1.
#[test]
fn the_lines_of_a_hunk() {
    let file = inserted(&[(10, "new\n"), (25, "newer\n")]);
    let lines: Vec<_> = hunks(&file).iter().map(|hunk| hunk.lines()).collect();
    assert_eq!(lines, [7..13, 22..28]);
}

/// What is kept stands where it stood in the text, and its reason with it, whether something
/// before it is left out or kept.
#[test]
fn reasons_move_with_what_is_kept() {
    let lines = [(2, "first\n"), (12, "the second\n"), (22, "third one\n")];
    let file = inserted(&lines);
    for keep in 0..8 {
        let keep = [keep & 1 != 0, keep & 2 != 0, keep & 4 != 0];
        let kept: Vec<_> = lines.iter().zip(keep).filter(|(_, keep)| *keep).collect();
        let Some(part) = select(&file, &keep).unwrap() else {
            assert!(kept.is_empty());
            continue;
        };
        let wanted = inserted(&kept.iter().map(|(line, _)| **line).collect::<Vec<_>>());
        assert_eq!(part.after, wanted.after, "{keep:?}");
        assert_eq!(part.reasons.len(), kept.len(), "{keep:?}");
        for (reason, ((_, new), _)) in part.reasons.iter().zip(kept) {
            assert_eq!(reason.span.of(&part.after), new.as_bytes(), "{keep:?}");
        }
    }
}

/// What two rounds did is told line by line: the lines that differ and no others.
#[test]
fn changes_of_several_rounds_are_lines() {
    let mut file = inserted(&[(10, "new\n")]);
    let [first] = file.rounds.as_slice() else {
        panic!("{:?}", file.rounds)
    };
    // `line 1` becomes `line one` in a second round.
    let second = round(&[(Span::new(5, 6), "one")]);
    file.after = second.apply(&file.after).unwrap().into();
    file.rounds = vec![first.clone(), second];
    let at = text().find("line 10\n").unwrap() as u32;
    let wanted = [
        Change {
            span: Span::new(0, 7),
            new: b"line one\n".to_vec(),
        },
        Change {
            span: Span::at(at),
            new: b"new\n".to_vec(),
        },
    ];
    assert_eq!(changes(&file), wanted);
}

/// A first round above a second one, and below it: each reason stays with its own words.
#[test]
fn reasons_stay_with_what_they_are_about() {
    let text = "events {}\nhttp {\nssl_session_tickets on;\nssl_session_timeout 5d;\n}\n";
    let names = ["ssl_session_tickets", "ssl_session_timeout"];
    let values = ["off", "1h"];
    for order in [[0, 1], [1, 0]] {
        let first = set(text, names[order[0]], values[order[0]]);
        let between = String::from_utf8(first.files[0].after.to_vec()).unwrap();
        let both = first.then(set(&between, names[order[1]], values[order[1]]));
        let [file] = both.files.as_slice() else {
            panic!("{:?}", both.files)
        };
        let about: Vec<&[u8]> = file
            .reasons
            .iter()
            .map(|reason| reason.span.of(&file.after))
            .collect();
        assert_eq!(about, [b"off".as_slice(), b"1h"], "{order:?}");
    }
}

/// A file that belongs to somebody else is in nobody's way where it says already what is asked.
#[test]
fn what_is_so_already_is_no_change() {
    let main = "include /etc/letsencrypt/options-ssl-nginx.conf;\nevents {}\nhttp {\n\
                ssl_session_timeout 5d;\n}\n";
    let names = ["worker_processes", "ssl_session_timeout"];
    let asked = |workers: &str| {
        let held = (
            "/etc/letsencrypt/options-ssl-nginx.conf",
            "worker_processes 1;\n",
        );
        let files = [("/etc/nginx/nginx.conf", main), held];
        planned(&files, &[(names[0], workers), (names[1], "1h")])
    };
    let same = asked("1");
    assert_eq!(same.refused, []);
    assert_eq!(same.files.len(), 1);
    assert_eq!(&*same.files[0].after, main.replace("5d", "1h").as_bytes());
    let other = asked("2");
    assert_eq!(other.refused.len(), 1);
    assert!(other.is_empty());
}

/// nginx reads dotfiles where a wildcard asks for them: nothing temporary may lie there then.
#[test]
fn a_wildcard_for_dotfiles_reads_temporary_files_too() {
    let crowded = |pattern: &str| {
        let text =
            format!("events {{}}\nhttp {{\ninclude {pattern};\nssl_session_timeout 5d;\n}}\n");
        set(&text, "ssl_session_timeout", "1h").files[0].crowded
    };
    assert!(crowded("sites/.*"));
    assert!(crowded("sites/.[a-z]*.conf"));
    assert!(!crowded("sites/*"));
    assert!(!crowded(".hidden/*"));
}

fn set(text: &str, name: &'static str, value: &str) -> Plan {
    planned(&[("/etc/nginx/nginx.conf", text)], &[(name, value)])
}

/// The plan of one fix that gives statements other values; the first file is the root.
fn planned(files: &[(&str, &str)], values: &[(&str, &str)]) -> Plan {
    let root = Root::new(Server::Nginx, files[0].0);
    let files = Memory::new(files.iter().copied());
    let project = source::load(&root, &files, &LoadOptions::default());
    let change = |(name, value): &(&str, &str)| {
        let mut found = project.directives.iter();
        let found = found.find(|it| *project.value(it, &it.name) == *name.as_bytes());
        let found = found.unwrap();
        finding::Change::SetArguments {
            statement: project.location_of(found.file, found.span),
            arguments: vec![(*value).to_owned()],
        }
    };
    let fix = Fix {
        title: "a change".into(),
        applicability: Applicability::Safe,
        changes: values.iter().map(change).collect(),
        common: std::sync::Arc::default(),
        costs: Vec::new(),
        go_live: GoLive::Reload,
    };
    let proposal = Proposal {
        rule: "dead-tickets",
        reason: "why".into(),
        fix: &fix,
    };
    plan(&project, &[proposal], &Options::default())
}
