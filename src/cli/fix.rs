//! `stekguard fix`: the patch on stdout, what it is for on stderr.

use super::args::{FixArguments, FixFormat};
use super::hints::{self, Said};
use super::output::Output;
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND};
use crate::app::{self, Choice, Page, Repair};
use crate::finding::Finding;
use crate::policy::Goal;
use crate::report::{self, HtmlReport, RulePage};

pub(super) fn run(arguments: &FixArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    match repair(arguments) {
        Ok(repair) => show(&repair, arguments, &output, terminal),
        Err(said) => hints::failure(&said, terminal),
    }
}

fn repair(arguments: &FixArguments) -> Result<Repair, Said> {
    known_rules(&arguments.rule)?;
    let request = request(&arguments.read, Some((&arguments.judge, Goal::NoTickets)))?;
    let choice = Choice {
        unsafe_fixes: arguments.unsafe_fixes,
        rules: arguments.rule.clone(),
        force: arguments.force,
    };
    app::fix(&request, &choice).map_err(hints::said)
}

fn show(
    repair: &Repair,
    arguments: &FixArguments,
    output: &Output<FixFormat>,
    terminal: &Terminal,
) -> u8 {
    let before = repair.before.report();
    let found = before
        .findings
        .iter()
        .copied()
        .filter(|finding| asked(finding, arguments));
    terminal.say(&report::lines(found, terminal.paint_err()));
    terminal.say(&report::summary(&before, terminal.paint_err()));
    hints::say_problems(&repair.before.problems, &repair.before.sources, terminal);
    hints::say_newer(&repair.before, terminal);

    let patched = output.write(terminal, |format, look| match format {
        FixFormat::Text => Some(repair.patch(look.shown, look.paint.colour())),
        FixFormat::Html => Some(page(repair, arguments)),
    });
    if patched != CLEAN {
        return FAILED;
    }
    let failed = !repair.failed.is_empty() || !repair.before.complete();
    let written = if arguments.write {
        write(repair, terminal)
    } else {
        Ok(())
    };
    explain(repair, arguments, terminal);
    if failed || written.is_err() {
        return FAILED;
    }
    let grade = arguments.judge.fail_on.grade();
    let remain = grade.is_some_and(|grade| {
        let mut rest = repair
            .after
            .findings
            .iter()
            .filter(|finding| asked(finding, arguments));
        rest.any(|finding| finding.severity >= grade)
    });
    let open = !arguments.write && !repair.is_empty();
    if remain || open { FOUND } else { CLEAN }
}

/// The patch as a page, with the findings that it is for and the state before and after.
fn page(repair: &Repair, arguments: &FixArguments) -> Vec<u8> {
    let before = repair.before.report();
    let after = repair.after.report();
    let rules = app::rules();
    let rules: Vec<RulePage<'_>> = rules.iter().map(Page::report).collect();
    let mut findings = before.findings;
    findings.retain(|finding| asked(finding, arguments));
    let page = report::html(&HtmlReport {
        command: "fix",
        servers: before.servers,
        after: after.servers,
        findings: Some(findings),
        problems: before.problems,
        sources: before.sources,
        templates: before.templates,
        rules: &rules,
        patch: Some(repair.pages()),
    });
    page.into_bytes()
}

fn asked(finding: &Finding, arguments: &FixArguments) -> bool {
    arguments.rule.is_empty() || arguments.rule.iter().any(|rule| rule == finding.rule)
}

fn write(repair: &Repair, terminal: &Terminal) -> Result<(), ()> {
    match repair.write() {
        Ok(files) => {
            for file in files {
                terminal.say(&format!("wrote {}", report::escape_path(&file)));
            }
            Ok(())
        }
        Err(error) => {
            let (sentence, hint) = hints::said(error);
            terminal.error(&sentence, hint.as_deref());
            Err(())
        }
    }
}

/// What the patch costs, what is left out, and what to do next.
fn explain(repair: &Repair, arguments: &FixArguments, terminal: &Terminal) {
    for why in &repair.failed {
        terminal.error(why, None);
    }
    if !repair.before.complete() {
        terminal.error(
            "what was not read completely is not changed",
            Some("see the problems above; `stekguard lint` shows all findings"),
        );
    }
    for line in &repair.refused {
        terminal.note("not changed", line);
    }
    if !repair.is_empty() {
        for cost in repair.costs() {
            terminal.note("cost", cost);
        }
        for note in repair.notes() {
            terminal.note("note", &note);
        }
        if let Some(command) = repair.command().filter(|_| !arguments.write) {
            let sentence = format!("--write applies it, and so does `{command}` with the patch");
            terminal.note("next", &sentence);
        }
        if let Some(live) = repair.go_live() {
            terminal.note("next", live);
        }
    }
    let left = repair.after.findings.iter();
    let left = left.filter(|finding| asked(finding, arguments)).count();
    if repair.before.complete() && left > 0 {
        let sentence = format!("{left} for a person to decide; see `stekguard lint`");
        terminal.note("left", &sentence);
    }
}
