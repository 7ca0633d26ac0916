//! `stekguard fix`: the patch on stdout, what it is for on stderr.

use super::args::{FixArguments, FixFormat};
use super::choose::choose;
use super::fix_page::{self, page};
use super::hints::{self, Said};
use super::output::Output;
use super::progress::Watch;
use super::request::{known_rules, request};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FOUND};
use crate::app::{self, Applied, Choice, Repair, Request, Validate, Wish};
use crate::finding::Finding;
use crate::policy::Goal;
use crate::report;

pub(super) fn run(arguments: &FixArguments, terminal: &Terminal) -> u8 {
    let output = match Output::new(arguments.format, &arguments.read.output) {
        Ok(output) => output,
        Err(said) => return hints::failure(&said, terminal),
    };
    match repair(arguments, terminal) {
        Ok((request, repair)) => {
            let said = show(&request, &repair, arguments, &output, terminal);
            // The process ends: giving it back piece by piece would take longer than it did to
            // print it.
            std::mem::forget(repair);
            said
        }
        Err(said) => {
            let failed = report::Fixed {
                error: Some(said.0.clone()),
                ..report::Fixed::default()
            };
            output.write(terminal, |format, _| match format {
                FixFormat::Html => Some(fix_page::failed(&said.0)),
                _ => json_of(format, &failed),
            });
            hints::failure(&said, terminal)
        }
    }
}

fn repair(arguments: &FixArguments, terminal: &Terminal) -> Result<(Request, Repair), Said> {
    known_rules(&arguments.rule)?;
    let stream = arguments
        .read
        .paths
        .iter()
        .any(|path| path.as_os_str() == "-");
    if arguments.interactive && stream {
        let sentence = "--interactive reads answers from standard input, and so does the path -";
        return Err((sentence.to_owned(), None));
    }
    let request = request(&arguments.read, Some((&arguments.judge, Goal::NoTickets)))?;
    if arguments.init_keys && request.policy.goal != Goal::Rotate {
        let sentence =
            "--init-keys makes keys for --policy rotate, and another policy is asked for";
        return Err((sentence.to_owned(), None));
    }
    let choice = Choice {
        unsafe_fixes: arguments.unsafe_fixes,
        rules: arguments.rule.clone(),
        force: arguments.force,
    };
    let watch = Watch::start(terminal, &request.progress);
    let mut repair = app::fix(&request, &choice).map_err(hints::said)?;
    drop(watch);
    say_found(&repair, arguments, terminal);
    if arguments.interactive && !repair.is_empty() {
        let keep = choose(&repair, terminal);
        if keep.contains(&false) {
            repair = repair.only(&request, &keep).map_err(hints::said)?;
        }
    }
    Ok((request, repair))
}

fn say_found(repair: &Repair, arguments: &FixArguments, terminal: &Terminal) {
    let before = repair.before.report();
    let found = before
        .findings
        .iter()
        .copied()
        .filter(|finding| asked(finding, arguments));
    terminal.say(&report::lines(found, terminal.paint_err()));
    terminal.say(&report::summary(&before, terminal.paint_err()));
    hints::say_problems(&repair.before.problems, &repair.before.sources, terminal);
    hints::say_silent(&before.servers, repair.before.complete(), terminal);
    hints::say_parts(&repair.before.parts, terminal);
    hints::say_newer(&repair.before, terminal);
}

/// The report as JSON, where that is the format.
fn json_of(format: FixFormat, told: &report::Fixed<'_>) -> Option<Vec<u8>> {
    (format == FixFormat::Json).then(|| report::fix_json(told).into_bytes())
}

fn show(
    request: &Request,
    repair: &Repair,
    arguments: &FixArguments,
    output: &Output<FixFormat>,
    terminal: &Terminal,
) -> u8 {
    if let Some(path) = &arguments.patch_out
        && terminal.report(&repair.patch(false, false), Some(path)) != CLEAN
    {
        return FAILED;
    }
    // The patch is shown before anything is written, the account afterwards.
    let patched = output.write(terminal, |format, look| match format {
        FixFormat::Patch => Some(repair.patch(look.shown, look.paint.colour())),
        FixFormat::Json => None,
        FixFormat::Html => Some(page(repair, &arguments.rule)),
    });
    if patched != CLEAN {
        return FAILED;
    }
    let mut told = match output.wants(FixFormat::Json) {
        true => repair.report(&|finding| asked(finding, arguments)),
        false => report::Fixed::default(),
    };
    let mut failed = !repair.failed.is_empty() || !repair.before.complete();
    if arguments.write {
        match apply(request, repair, arguments, terminal) {
            Ok(done) => {
                told.broken_between.clone_from(&done.broken_between);
                told.done = Some(done.report());
            }
            Err(sentence) => {
                told.error = Some(sentence);
                failed = true;
            }
        }
    } else {
        told.broken_between = broken_between(request, repair);
    }
    if output.write(terminal, |format, _| json_of(format, &told)) != CLEAN {
        return FAILED;
    }
    if let Some(why) = &told.broken_between {
        let sentence = format!("{why}; let no server read the files while they are written");
        terminal.note("note", &sentence);
    }
    explain(repair, arguments, &told, terminal);
    if failed {
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

/// Whether files that are replaced one by one are sound at every step; only asked where there
/// is more than one, on this machine.
fn broken_between(request: &Request, repair: &Repair) -> Option<String> {
    repair.command()?;
    app::order_of(request, repair).ok()?.1
}

fn asked(finding: &Finding, arguments: &FixArguments) -> bool {
    arguments.rule.is_empty() || arguments.rule.iter().any(|rule| rule == finding.rule)
}

/// Writes, and says what was done; or the sentence that was said of the failure.
fn apply(
    request: &Request,
    repair: &Repair,
    arguments: &FixArguments,
    terminal: &Terminal,
) -> Result<Applied, String> {
    let wish = Wish {
        validate: Validate::named(&arguments.validate),
        reload: arguments.reload,
    };
    if arguments.init_keys && !repair.is_empty() {
        init_keys(request, terminal)?;
    }
    match app::apply(request, repair, &wish) {
        Ok(done) => {
            say_done(&done, terminal);
            Ok(done)
        }
        Err(error) => {
            let (sentence, hint) = hints::said(error);
            terminal.error(&sentence, hint.as_deref());
            Err(sentence)
        }
    }
}

/// Makes keys first: a server that reads the files then finds them.
#[cfg(target_os = "linux")]
fn init_keys(request: &Request, terminal: &Terminal) -> Result<(), String> {
    let made = app::keys::first(request).map_err(|error| {
        let (sentence, hint) = hints::said(error);
        terminal.error(&sentence, hint.as_deref());
        sentence
    })?;
    if let Some(why) = made.done.failed {
        terminal.error(&why, None);
        return Err(why);
    }
    let folder = report::escape_path(&request.policy.keys_directory);
    terminal.say(&format!("keys are in {folder}"));
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn init_keys(_: &Request, terminal: &Terminal) -> Result<(), String> {
    let sentence = "--init-keys: keys are kept on Linux only; nothing was written".to_owned();
    terminal.error(&sentence, None);
    Err(sentence)
}

fn say_done(done: &Applied, terminal: &Terminal) {
    for file in &done.recovered {
        let file = report::escape_path(file);
        terminal.note(
            "note",
            &format!("{file}: put back after an interrupted run"),
        );
    }
    for file in &done.left {
        let file = report::escape_path(file);
        let sentence = format!("{file}: changed since an interrupted run, left as it is");
        terminal.note("note", &sentence);
    }
    for file in &done.files {
        terminal.say(&format!("wrote {}", report::escape_path(file)));
    }
    let mut not = 0;
    for tested in &done.tested {
        let root = report::escape_path(&tested.root);
        match (&tested.by, &tested.why_not) {
            (Some(by), _) => terminal.say(&format!("{root}: accepted by {by}")),
            (None, why) => {
                not += 1;
                let why = why.as_deref().unwrap_or_default();
                terminal.note("not validated", &format!("{root}: {why}"));
            }
        }
    }
    if not > 0 && done.tested.len() > 1 {
        let all = done.tested.len();
        terminal.note("not validated", &format!("{not} of {all} configurations"));
    }
    for server in &done.reloaded {
        let root = report::escape_path(&server.root);
        let sentence = format!(
            "{root}: reloaded, process {} is up on new workers",
            server.pid
        );
        terminal.say(&sentence);
    }
    if done.forgotten > 0 {
        let kept = app::WRITES_KEPT;
        terminal.note(
            "note",
            &format!("the journal keeps {kept} writes; older ones can no longer be taken back"),
        );
    }
}

/// What the patch costs, what is left out, and what to do next.
fn explain(
    repair: &Repair,
    arguments: &FixArguments,
    told: &report::Fixed<'_>,
    terminal: &Terminal,
) {
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
        for note in repair.brief_notes() {
            terminal.note("note", &note);
        }
        if let Some(command) = repair.command().filter(|_| !arguments.write) {
            let sentence = format!("--write applies it, and so does `{command}` with the patch");
            terminal.note("next", &sentence);
        }
        let live = told
            .done
            .as_ref()
            .is_some_and(|done| !done.reloaded.is_empty());
        // Nothing is to be reloaded after a write that failed.
        let live = live || (arguments.write && told.done.is_none());
        if let Some(next) = repair.go_live().filter(|_| !live) {
            terminal.note("next", next);
        }
    }
    let left = repair.after.findings.iter();
    let left = left.filter(|finding| asked(finding, arguments)).count();
    if repair.before.complete() && left > 0 {
        let sentence = format!("{left} for a person to decide; see `stekguard lint`");
        terminal.note("left", &sentence);
    }
}
