//! `fix --interactive`: hunk by hunk, with the finding that it repairs. Asks on stderr, so
//! that stdout keeps to the patch.

use super::terminal::Terminal;
use crate::app::Repair;
use crate::report;

const HELP: &str = "\
y - take this hunk
n - leave this hunk
a - take this hunk and all later ones of the file
d - leave this hunk and all later ones of the file
q - leave this hunk and all that follow
? - this help
";

/// Which hunks to keep, in the order of the patch. The end of the answers is `q`.
pub(super) fn choose(repair: &Repair, terminal: &Terminal) -> Vec<bool> {
    let paint = terminal.paint_err();
    let pieces = repair.pieces(true, paint.colour());
    let mut keep: Vec<bool> = Vec::new();
    // What was said about the rest of a file.
    let mut rest: Option<(usize, bool)> = None;
    for (index, piece) in pieces.iter().enumerate() {
        if let Some((_, answer)) = rest.filter(|(file, _)| *file == piece.file) {
            keep.push(answer);
            continue;
        }
        terminal.say(&report::lines(piece.findings.iter().copied(), paint));
        terminal.say(&String::from_utf8_lossy(&piece.text));
        let question = format!(
            "Take this hunk ({}/{}) [y,n,a,d,q,?]? ",
            index + 1,
            pieces.len()
        );
        match ask(&question, terminal) {
            'y' => keep.push(true),
            'n' => keep.push(false),
            'q' => break,
            answer => {
                rest = Some((piece.file, answer == 'a'));
                keep.push(answer == 'a');
            }
        }
    }
    keep.resize(pieces.len(), false);
    keep
}

/// One of the letters.
fn ask(question: &str, terminal: &Terminal) -> char {
    loop {
        let Some(answer) = terminal.ask(&terminal.paint_err().bold(question)) else {
            return 'q';
        };
        let mut letters = answer.trim().chars();
        match (letters.next(), letters.next()) {
            (Some(letter @ ('y' | 'n' | 'a' | 'd' | 'q')), None) => return letter,
            _ => terminal.say(HELP),
        }
    }
}
