//! `stekguard lint`.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use super::args::{LintArguments, LintFormat};
use super::hints::Said;
use super::output::{Look, Output};
use super::progress::Watch;
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND, hints};
use crate::app::{self, Baseline, Outcome, Page};
use crate::policy::Goal;
use crate::report::{self, HtmlReport, Pipeline, RulePage};

pub(super) fn run(arguments: &LintArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    match outcome(arguments, &output, terminal) {
        // The process ends next: giving every tree back would only take time.
        Ok(outcome) => show(&ManuallyDrop::new(outcome), arguments, &output, terminal),
        Err(said) => {
            let failed = hints::failed(&said.0);
            hints::failure(&said, terminal);
            let desk = Desk::new(&failed, terminal);
            output.write(terminal, |format, look| {
                format.is_document().then(|| desk.render(format, look))
            });
            FAILED
        }
    }
}

fn outcome(
    arguments: &LintArguments,
    output: &Output<LintFormat>,
    terminal: &Terminal,
) -> Result<Outcome, Said> {
    known_rules(&arguments.rule)?;
    let mut request = request(&arguments.read, Some((&arguments.judge, Goal::Sound)))?;
    if let Some(path) = &arguments.baseline {
        let baseline = Baseline::read(path).map_err(|error| hints::said(error.into()))?;
        request.baseline = Some(baseline);
    }
    request.edits = output.wants(LintFormat::Sarif);
    let watch = Watch::start(terminal, &request.progress);
    let mut outcome = app::lint(&request).map_err(hints::said)?;
    drop(watch);
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
    let desk = Desk::new(outcome, terminal);
    let written = output.write(terminal, |format, look| Some(desk.render(format, look)));
    hints::say_problems(&outcome.problems, &outcome.sources, terminal);
    terminal.say(&report::summary(&outcome.report(), terminal.paint_err()));
    hints::say_silent(&outcome.report().servers, outcome.complete(), terminal);
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

/// What the formats are made from.
struct Desk<'a> {
    outcome: &'a Outcome,
    rules: Vec<Page>,
    directory: Option<PathBuf>,
}

impl<'a> Desk<'a> {
    fn new(outcome: &'a Outcome, terminal: &Terminal) -> Self {
        Self {
            outcome,
            rules: app::rules(),
            directory: terminal.directory(),
        }
    }

    fn render(&self, format: LintFormat, look: Look) -> Vec<u8> {
        let lint = self.outcome.report();
        let rules: Vec<RulePage<'_>> = self.rules.iter().map(Page::report).collect();
        let pipeline = Pipeline {
            lint: &lint,
            rules: &rules,
            edits: &self.outcome.edits,
            base: self.directory.as_deref(),
        };
        let text = match format {
            LintFormat::Text => report::findings(&lint, look.paint),
            LintFormat::Full => report::full(&pipeline, look.paint),
            LintFormat::Concise => report::lines(lint.findings.iter().copied(), look.paint),
            LintFormat::Json => report::lint_json(&lint),
            LintFormat::JsonLines => report::json_lines(&lint),
            LintFormat::Sarif => report::sarif(&pipeline),
            LintFormat::Github => report::github(&pipeline),
            LintFormat::Gitlab => report::gitlab(&pipeline),
            LintFormat::Junit => report::junit(&pipeline),
            LintFormat::Checkstyle => report::checkstyle(&pipeline),
            LintFormat::Html => report::html(&HtmlReport {
                command: "lint",
                servers: lint.servers.clone(),
                after: Vec::new(),
                findings: Some(lint.findings.clone()),
                silenced: lint.silenced,
                problems: lint.problems,
                sources: lint.sources,
                templates: lint.templates,
                rules: &rules,
                patch: None,
            }),
        };
        text.into_bytes()
    }
}
