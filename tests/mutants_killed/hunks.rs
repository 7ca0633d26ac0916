//! Parts of a planned file: which lines they are, and what is left when some are chosen.

use std::path::Path;
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::fix::{Change, PlannedFile, Reason, changes, hunks, select};
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
        after,
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
    file.after = second.apply(&file.after).unwrap();
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
