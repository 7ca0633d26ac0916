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
    for file in app::undo(force)? {
        terminal.say(&format!("restored {}", report::escape_path(&file)));
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
        date(past.time),
        past.state,
        past.rules.join(", ")
    );
    for file in &past.files {
        text.push_str(&format!("    {}\n", report::escape_path(file)));
    }
    text
}

/// Seconds since 1970 as `2026-11-21 18:48:52Z` (civil calendar from a day count).
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, so that a leap day ends its year; 400 years have 146097 days.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00:00Z");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59:59Z");
    }
}
