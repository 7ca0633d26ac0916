//! `stekguard inspect`.

use super::args::{InspectArguments, InspectFormat};
use super::hints::Said;
use super::output::Output;
use super::progress::Watch;
use super::request::request;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, hints};
use crate::app::{self, Inspection};
use crate::report::{self, HtmlReport};

pub(super) fn run(arguments: &InspectArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    let page = arguments.compare_version.is_none() && !arguments.expanded;
    if !page && output.wants(InspectFormat::Html) {
        let sentence = "--expanded and --compare-version have no page";
        let hint = "their formats are text and json";
        return hints::failure(&(sentence.to_owned(), Some(hint.to_owned())), terminal);
    }
    if let Some(versions) = &arguments.compare_version {
        return compared(versions, arguments, &output, terminal);
    }
    if arguments.expanded {
        return expanded(arguments, &output, terminal);
    }
    let inspection = request(&arguments.read, None).and_then(|request| {
        let _watch = Watch::start(terminal, &request.progress);
        app::inspect(&request).map_err(hints::said)
    });
    match inspection {
        Ok(inspection) => show(&inspection, arguments, &output, terminal),
        Err(said) => failure(&said, &output, terminal, |failed| {
            report::inspect_json(&[], &failed.problems, false)
        }),
    }
}

fn show(
    inspection: &Inspection,
    arguments: &InspectArguments,
    output: &Output<InspectFormat>,
    terminal: &Terminal,
) -> u8 {
    let servers = inspection.report();
    let written = output.write(terminal, |format, look| {
        let document = match format {
            InspectFormat::Text => report::inspect_table(&servers, arguments.pairs, look.paint),
            InspectFormat::Json => {
                report::inspect_json(&servers, &inspection.search_problems, arguments.pairs)
            }
            InspectFormat::Html => report::html(&HtmlReport {
                command: "inspect",
                servers: servers.clone(),
                after: Vec::new(),
                findings: None,
                silenced: &[],
                problems: &inspection.problems,
                sources: &inspection.sources,
                templates: 0,
                rules: &[],
                patch: None,
            }),
        };
        Some(document.into_bytes())
    });
    hints::say_problems(&inspection.problems, &inspection.sources, terminal);
    hints::say_silent(&servers, inspection.complete(), terminal);
    if written != CLEAN || !inspection.complete() {
        FAILED
    } else {
        CLEAN
    }
}

fn expanded(
    arguments: &InspectArguments,
    output: &Output<InspectFormat>,
    terminal: &Terminal,
) -> u8 {
    let expansion = request(&arguments.read, None)
        .and_then(|request| app::expand(&request).map_err(hints::said));
    let expansion = match expansion {
        Ok(expansion) => expansion,
        Err(said) => {
            return failure(&said, output, terminal, |failed| {
                report::expanded_json(&[], &failed.problems)
            });
        }
    };
    let servers = expansion.report();
    let written = output.write(terminal, |format, look| {
        let document = match format {
            InspectFormat::Text => report::expanded_text(&servers, look.paint),
            InspectFormat::Json => report::expanded_json(&servers, &expansion.search_problems),
            // Refused before.
            InspectFormat::Html => return None,
        };
        Some(document.into_bytes())
    });
    hints::say_problems(&expansion.problems, &expansion.sources, terminal);
    if written != CLEAN || !expansion.complete() {
        FAILED
    } else {
        CLEAN
    }
}

fn compared(
    versions: &[String],
    arguments: &InspectArguments,
    output: &Output<InspectFormat>,
    terminal: &Terminal,
) -> u8 {
    let comparison = match comparison(versions, arguments) {
        Ok(comparison) => comparison,
        Err(said) => {
            return failure(&said, output, terminal, |failed| {
                report::compare_json(&[], &failed.problems)
            });
        }
    };
    let servers = comparison.report();
    let written = output.write(terminal, |format, look| {
        let document = match format {
            InspectFormat::Text => report::compare_text(&servers, look.paint),
            InspectFormat::Json => report::compare_json(&servers, &comparison.problems),
            // Refused before.
            InspectFormat::Html => return None,
        };
        Some(document.into_bytes())
    });
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

/// What could not be done: a sentence on stderr, and where a document was asked for, one that
/// says so.
fn failure(
    said: &Said,
    output: &Output<InspectFormat>,
    terminal: &Terminal,
    json: impl Fn(&app::Outcome) -> String,
) -> u8 {
    hints::failure(said, terminal);
    let failed = hints::failed(&said.0);
    output.write(terminal, |format, _| match format {
        InspectFormat::Text => None,
        InspectFormat::Json => Some(json(&failed).into_bytes()),
        InspectFormat::Html => Some(report::html_failed("inspect", &failed.problems).into_bytes()),
    });
    FAILED
}

fn comparison(versions: &[String], arguments: &InspectArguments) -> Result<app::Comparison, Said> {
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
