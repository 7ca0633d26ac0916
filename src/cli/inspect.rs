//! `stekguard inspect`.

use super::args::{Format, InspectArguments};
use super::request::request;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, hints};
use crate::app::{self, Inspection};
use crate::report;

pub(super) fn run(arguments: &InspectArguments, terminal: &Terminal) -> u8 {
    if let Some(versions) = &arguments.compare_version {
        return compared(versions, arguments, terminal);
    }
    if arguments.expanded {
        return expanded(arguments, terminal);
    }
    let inspection = request(&arguments.read, None)
        .and_then(|request| app::inspect(&request).map_err(hints::said));
    match inspection {
        Ok(inspection) => show(&inspection, arguments, terminal),
        Err((sentence, hint)) => {
            terminal.error(&sentence, hint.as_deref());
            if arguments.format == Format::Json {
                let failed = hints::failed(&sentence);
                let document = report::inspect_json(&[], &failed.problems, false);
                terminal.report(document.as_bytes(), arguments.read.output.as_deref());
            }
            FAILED
        }
    }
}

fn show(inspection: &Inspection, arguments: &InspectArguments, terminal: &Terminal) -> u8 {
    let servers = inspection.report();
    let file = arguments.read.output.as_deref();
    let document = match arguments.format {
        Format::Text => report::inspect_table(&servers, arguments.pairs, terminal.paint(file)),
        Format::Json => {
            report::inspect_json(&servers, &inspection.search_problems, arguments.pairs)
        }
    };
    let written = terminal.report(document.as_bytes(), file);
    hints::say_problems(&inspection.problems, &inspection.sources, terminal);
    if written != CLEAN || !inspection.complete() {
        FAILED
    } else {
        CLEAN
    }
}

fn expanded(arguments: &InspectArguments, terminal: &Terminal) -> u8 {
    let expansion = request(&arguments.read, None)
        .and_then(|request| app::expand(&request).map_err(hints::said));
    let file = arguments.read.output.as_deref();
    let expansion = match expansion {
        Ok(expansion) => expansion,
        Err((sentence, hint)) => {
            terminal.error(&sentence, hint.as_deref());
            if arguments.format == Format::Json {
                let failed = hints::failed(&sentence);
                let document = report::expanded_json(&[], &failed.problems);
                terminal.report(document.as_bytes(), file);
            }
            return FAILED;
        }
    };
    let servers = expansion.report();
    let document = match arguments.format {
        Format::Text => report::expanded_text(&servers, terminal.paint(file)),
        Format::Json => report::expanded_json(&servers, &expansion.search_problems),
    };
    let written = terminal.report(document.as_bytes(), file);
    hints::say_problems(&expansion.problems, &expansion.sources, terminal);
    if written != CLEAN || !expansion.complete() {
        FAILED
    } else {
        CLEAN
    }
}

fn compared(versions: &[String], arguments: &InspectArguments, terminal: &Terminal) -> u8 {
    let file = arguments.read.output.as_deref();
    let comparison = match comparison(versions, arguments) {
        Ok(comparison) => comparison,
        Err((sentence, hint)) => {
            terminal.error(&sentence, hint.as_deref());
            if arguments.format == Format::Json {
                let failed = hints::failed(&sentence);
                let document = report::compare_json(&[], &failed.problems);
                terminal.report(document.as_bytes(), file);
            }
            return FAILED;
        }
    };
    let servers = comparison.report();
    let document = match arguments.format {
        Format::Text => report::compare_text(&servers, terminal.paint(file)),
        Format::Json => report::compare_json(&servers, &comparison.problems),
    };
    let written = terminal.report(document.as_bytes(), file);
    hints::say_problems(&comparison.problems, &comparison.sources, terminal);
    for other in &comparison.others {
        let path = report::escape_path(other);
        terminal.note(
            "note",
            &format!("{path} is of another server: not compared"),
        );
    }
    if written != CLEAN || !comparison.complete() {
        FAILED
    } else {
        CLEAN
    }
}

fn comparison(
    versions: &[String],
    arguments: &InspectArguments,
) -> Result<app::Comparison, hints::Said> {
    let said = |error: String| (format!("--compare-version: {error}"), None);
    let [before, after] = versions else {
        return Err(said("takes two versions".to_owned()));
    };
    let upgrade = app::Upgrade::new(before, after).map_err(said)?;
    let request = request(&arguments.read, None)?;
    let comparison = app::compare(&request, upgrade).map_err(hints::said)?;
    if comparison.count() == 0 {
        return Err(said("no configuration of this server was found".to_owned()));
    }
    Ok(comparison)
}
