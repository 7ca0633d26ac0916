//! `stekguard undo`.

use super::args::UndoArguments;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, hints};
use crate::app::{self, AppError, Past};
use crate::report;

pub(super) fn run(arguments: &UndoArguments, terminal: &Terminal) -> u8 {
    let done = if arguments.list {
        list(terminal)
    } else {
        undo(arguments.force, terminal)
    };
    done.unwrap_or_else(|error| {
        let (sentence, hint) = hints::said(error);
        terminal.error(&sentence, hint.as_deref());
        FAILED
    })
}

fn undo(force: bool, terminal: &Terminal) -> Result<u8, AppError> {
    let done = app::undo(force)?;
    if done.interrupted {
        terminal.note(
            "note",
            "an interrupted run was ended; nothing before it was taken back",
        );
    }
    for file in &done.files {
        terminal.say(&format!("restored {}", report::escape_path(file)));
    }
    for file in &done.left {
        let file = report::escape_path(file);
        let sentence = format!("{file}: changed since an interrupted run, left as it is");
        terminal.note("note", &sentence);
    }
    Ok(CLEAN)
}

fn list(terminal: &Terminal) -> Result<u8, AppError> {
    let past = app::past()?;
    if past.is_empty() {
        terminal.say("nothing was written yet");
    }
    let text: String = past.iter().map(entry).collect();
    Ok(terminal.report(text.as_bytes(), None))
}

fn entry(past: &Past) -> String {
    let mut text = format!(
        "{}  {}  {}  {}\n",
        past.id,
        report::utc(past.time),
        past.state,
        past.rules.join(", ")
    );
    for file in &past.files {
        text.push_str(&format!("    {}\n", report::escape_path(file)));
    }
    text
}
