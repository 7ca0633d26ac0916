//! `resumption`: brings a host's configuration to a policy, or says in check mode what it would
//! change. All or nothing: what was not read completely, or does not prove itself, changes no
//! file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::answer::Answer;
use super::call::Call;
use crate::app::{self, Applied, FileChange, GoLive, Outcome, Repair, Request, Wish};
use crate::finding::Finding;
use crate::policy::Goal;
use crate::report;

/// A file before and after, in the words of Ansible's diff.
#[derive(Serialize)]
struct Difference {
    before_header: String,
    after_header: String,
    before: String,
    after: String,
}

pub(super) fn run(call: &Call) -> Answer {
    let arguments = &call.arguments;
    let planned = arguments.request(Goal::NoTickets).and_then(|request| {
        let repair = app::fix(&request, &arguments.choice());
        Ok((request, repair.map_err(|error| error.to_string())?))
    });
    match planned {
        Ok((request, repair)) => converge(call, &request, &repair),
        Err(sentence) => Answer::failed(sentence),
    }
}

/// What was not read, a sentence each.
pub(super) fn problems(outcome: &Outcome) -> Vec<String> {
    let problems = outcome.problems.iter();
    problems
        .map(|problem| {
            let path = report::escape_path(&problem.path);
            let message = report::escape_line(&problem.message);
            match problem.line {
                0 => format!("{path}: {message}"),
                line => format!("{path}:{line}: {message}"),
            }
        })
        .collect()
}

fn converge(call: &Call, request: &Request, repair: &Repair) -> Answer {
    let changes = repair.changes();
    let mut answer = Answer::new(!changes.is_empty());
    describe(&mut answer, call, repair, &changes);
    if let Some(why) = obstacle(call, repair) {
        answer.put("changed", &false);
        answer.fail(why);
        return answer;
    }
    if call.check || changes.is_empty() {
        return answer;
    }
    if call.arguments.backup {
        match repair.backup() {
            Ok(copies) => answer.put("backup_files", &names(&copies)),
            Err(error) => {
                answer.put("changed", &false);
                answer.fail(error.to_string());
                return answer;
            }
        }
    }
    let wish = Wish {
        validate: call.arguments.validate(),
        // The play's handlers do that, once for all tasks.
        reload: false,
    };
    match app::apply(request, repair, &wish) {
        Ok(done) => tell_tests(&mut answer, &done),
        Err(error) => {
            // Nothing has changed, unless the sentence says so.
            answer.put("changed", &false);
            answer.fail(error.to_string());
        }
    }
    answer
}

/// Why nothing may be changed.
fn obstacle(call: &Call, repair: &Repair) -> Option<String> {
    let unread = problems(&repair.before);
    if !unread.is_empty() {
        let list = unread.join("; ");
        return Some(format!(
            "not everything was read, nothing was changed: {list}"
        ));
    }
    if !repair.failed.is_empty() {
        let list = repair.failed.join("; ");
        return Some(format!(
            "a repair did not prove itself, nothing was changed: {list}"
        ));
    }
    let grade = call
        .arguments
        .fail_on
        .and_then(super::arguments::FailOn::grade)?;
    let worst = left(call, repair).find(|finding| finding.severity >= grade)?;
    Some(format!(
        "fail_on: this would remain, nothing was changed: {}",
        sentence(worst)
    ))
}

fn describe(answer: &mut Answer, call: &Call, repair: &Repair, changes: &[FileChange]) {
    let files: Vec<String> = changes.iter().map(|file| file.path.clone()).collect();
    answer.put("files", &files);
    answer.put("go_live", &repair.go_live_kind().map(word));
    answer.put(
        "patch",
        &String::from_utf8_lossy(&repair.patch(false, false)),
    );
    answer.put("costs", &repair.costs());
    answer.put("notes", &repair.notes());
    answer.put("refused", &repair.refused);
    let left: Vec<String> = left(call, repair).map(sentence).collect();
    answer.put("left", &left);
    answer.put("complete", &repair.before.complete());
    let mut warnings = repair.refused.clone();
    warnings.extend(left.iter().map(|it| format!("left for a person: {it}")));
    answer.warn(&warnings);
    if call.diff {
        let diff: Vec<Difference> = changes.iter().map(difference).collect();
        answer.put("diff", &diff);
    }
}

fn difference(file: &FileChange) -> Difference {
    let rules = file.rules.join(", ");
    Difference {
        before_header: file.path.clone(),
        after_header: format!("{} ({rules})", file.path),
        before: String::from_utf8_lossy(&file.before).into_owned(),
        after: String::from_utf8_lossy(&file.after).into_owned(),
    }
}

/// Which roots the server's own test has passed, and which it has not seen and why.
fn tell_tests(answer: &mut Answer, done: &Applied) {
    let mut passed: Vec<String> = Vec::new();
    let mut missed: BTreeMap<String, String> = BTreeMap::new();
    for test in &done.tested {
        let root = report::escape_path(&test.root);
        match &test.why_not {
            Some(why) => drop(missed.insert(root, why.clone())),
            None => passed.push(root),
        }
    }
    answer.put("validated", &passed);
    answer.put("not_validated", &missed);
}

/// Each file's path and that of its copy.
fn names(copies: &[(PathBuf, PathBuf)]) -> BTreeMap<String, String> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let pairs = copies.iter();
    pairs.map(|(file, copy)| (text(file), text(copy))).collect()
}

/// What the patch leaves, warnings and worse.
fn left<'a>(call: &'a Call, repair: &'a Repair) -> impl Iterator<Item = &'a Finding> {
    let rules = &call.arguments.rule;
    let asked = |name: &str| rules.is_empty() || rules.iter().any(|rule| rule == name);
    let findings = repair.after.findings.iter();
    findings.filter(move |finding| asked(finding.rule))
}

fn sentence(finding: &Finding) -> String {
    let path = report::escape_path(&finding.location.path);
    let message = report::escape_line(&finding.message);
    format!(
        "{path}:{}: {}: {message}",
        finding.location.line, finding.rule
    )
}

/// As `lint --format json` spells it.
const fn word(go_live: GoLive) -> &'static str {
    match go_live {
        GoLive::Reload => "reload",
        GoLive::StopAndStart => "stop-and-start",
    }
}
