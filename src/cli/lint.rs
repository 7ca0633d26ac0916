//! `stekguard lint`.

use super::args::{Format, LintArguments};
use super::hints::Said;
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, hints};
use crate::app::{self, Outcome};
use crate::policy::Goal;
use crate::report;

pub(super) fn run(arguments: &LintArguments, terminal: &Terminal) -> u8 {
    match outcome(arguments) {
        Ok(outcome) => show(&outcome, arguments, terminal),
        Err((sentence, hint)) => {
            terminal.error(&sentence, hint.as_deref());
            if arguments.format == Format::Json {
                let failed = hints::failed(&sentence);
                let document = report::lint_json(&failed.report());
                terminal.report(document.as_bytes(), arguments.read.output.as_deref());
            }
            FAILED
        }
    }
}

fn outcome(arguments: &LintArguments) -> Result<Outcome, Said> {
    known_rules(&arguments.rule)?;
    let request = request(&arguments.read, Some((&arguments.judge, Goal::Sound)))?;
    let mut outcome = app::lint(&request).map_err(hints::said)?;
    if !arguments.rule.is_empty() {
        outcome
            .findings
            .retain(|finding| arguments.rule.iter().any(|rule| rule == finding.rule));
    }
    Ok(outcome)
}

fn show(outcome: &Outcome, arguments: &LintArguments, terminal: &Terminal) -> u8 {
    let lint = outcome.report();
    let file = arguments.read.output.as_deref();
    let document = match arguments.format {
        Format::Text => report::findings(&lint, terminal.paint(file)),
        Format::Json => report::lint_json(&lint),
    };
    let written = terminal.report(document.as_bytes(), file);
    hints::say_problems(&outcome.problems, &outcome.sources, terminal);
    terminal.say(&report::summary(&lint, terminal.paint_err()));
    hints::say_versions(outcome, terminal);
    hints::say_newer(outcome, terminal);

    if written != CLEAN || !outcome.complete() {
        return FAILED;
    }
    let grade = arguments.judge.fail_on.grade();
    if grade.is_some_and(|grade| outcome.reaches(grade)) {
        FOUND
    } else {
        CLEAN
    }
}
