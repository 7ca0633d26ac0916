//! `stekguard lint`.

use std::mem::ManuallyDrop;

use super::args::{LintArguments, LintFormat};
use super::hints::Said;
use super::output::{Look, Output};
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, hints};
use crate::app::{self, Outcome};
use crate::policy::Goal;
use crate::report;

pub(super) fn run(arguments: &LintArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    match outcome(arguments) {
        // The process ends next: giving every tree back would only take time.
        Ok(outcome) => show(&ManuallyDrop::new(outcome), arguments, &output, terminal),
        Err(said) => {
            let failed = hints::failed(&said.0);
            hints::failure(&said, terminal);
            output.write(terminal, |format, look| {
                format.is_document().then(|| render(&failed, format, look))
            });
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

fn show(
    outcome: &Outcome,
    arguments: &LintArguments,
    output: &Output<LintFormat>,
    terminal: &Terminal,
) -> u8 {
    let written = output.write(terminal, |format, look| Some(render(outcome, format, look)));
    hints::say_problems(&outcome.problems, &outcome.sources, terminal);
    terminal.say(&report::summary(&outcome.report(), terminal.paint_err()));
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

fn render(outcome: &Outcome, format: LintFormat, look: Look) -> Vec<u8> {
    let lint = outcome.report();
    let text = match format {
        LintFormat::Text => report::findings(&lint, look.paint),
        LintFormat::Json => report::lint_json(&lint),
    };
    text.into_bytes()
}
