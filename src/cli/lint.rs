//! `stekguard lint`.

use std::path::Path;

use super::args::{LintArguments, LintFormat};
use super::hints::Said;
use super::output::{Look, Output};
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, hints};
use crate::app::{self, Baseline, Outcome};
use crate::policy::Goal;
use crate::report;

pub(super) fn run(arguments: &LintArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    match outcome(arguments) {
        Ok(outcome) => show(&outcome, arguments, &output, terminal),
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
    let mut request = request(&arguments.read, Some((&arguments.judge, Goal::Sound)))?;
    if let Some(path) = &arguments.baseline {
        let baseline = Baseline::read(path).map_err(|error| hints::said(error.into()))?;
        request.baseline = Some(baseline);
    }
    let mut outcome = app::lint(&request).map_err(hints::said)?;
    // --rule is about what is shown; a baseline holds everything.
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
    hints::say_parts(&outcome.parts, terminal);
    hints::say_versions(outcome, terminal);
    hints::say_newer(outcome, terminal);

    let noted = match &arguments.write_baseline {
        Some(path) => write_baseline(outcome, path, terminal),
        None => CLEAN,
    };
    if written != CLEAN || noted != CLEAN || !outcome.complete() {
        return FAILED;
    }
    // What is written down is known from now on.
    if arguments.write_baseline.is_some() {
        return CLEAN;
    }
    let grade = arguments.judge.fail_on.grade();
    if grade.is_some_and(|grade| outcome.reaches(grade)) {
        FOUND
    } else {
        CLEAN
    }
}

fn write_baseline(outcome: &Outcome, path: &Path, terminal: &Terminal) -> u8 {
    if !outcome.complete() {
        let sentence = format!("{}: not written", path.display());
        terminal.error(
            &sentence,
            Some("a baseline needs everything to be read; see the problems above"),
        );
        return FAILED;
    }
    let text = outcome.baseline(path);
    let code = terminal.report(text.as_bytes(), Some(path));
    if code == CLEAN {
        terminal.say(&format!("wrote {}", report::escape_path(path)));
    }
    code
}

fn render(outcome: &Outcome, format: LintFormat, look: Look) -> Vec<u8> {
    let lint = outcome.report();
    let text = match format {
        LintFormat::Text => report::findings(&lint, look.paint),
        LintFormat::Json => report::lint_json(&lint),
    };
    text.into_bytes()
}
