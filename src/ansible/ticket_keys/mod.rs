//! `ticket_keys`: keys are there and the one that is due encrypts, or all are replaced. Answers
//! with ids, slots and paths; the bytes of a key never come here.

mod arguments;

use serde::Serialize;

use super::answer::Answer;
use super::call::Call;
use crate::app::keys::{self, KeysRequest, Rotated, Stand, Verdict};
use crate::report;

pub(in crate::ansible) use arguments::KeysArguments;
use arguments::State;

/// The keys before and after, in the words of Ansible's diff.
#[derive(Serialize)]
struct Difference {
    before_header: String,
    after_header: String,
    before: String,
    after: String,
}

/// What a live check said.
#[derive(Serialize)]
struct Checked {
    result: &'static str,
    text: String,
}

pub(super) fn run(call: &Call<KeysArguments>) -> Answer {
    match work(call) {
        Ok(answer) => answer,
        Err(sentence) => Answer::failed(sentence),
    }
}

fn work(call: &Call<KeysArguments>) -> Result<Answer, String> {
    let request = call.arguments.request()?;
    let before = keys::stand(&request).map_err(said)?;
    if call.arguments.state == State::RotatedNow && before.status.is_none() {
        // There is nothing to replace, and the sentence says how keys are made.
        keys::status(&request).map_err(said)?;
    }
    match call.check {
        true => planned(call, &request, &before),
        false => done(call, &request, &before),
    }
}

fn said(error: crate::app::AppError) -> String {
    error.to_string()
}

/// Check mode: what a run would do.
fn planned(
    call: &Call<KeysArguments>,
    request: &KeysRequest,
    before: &Stand,
) -> Result<Answer, String> {
    let changes = before.changes || call.arguments.state == State::RotatedNow;
    let mut answer = Answer::new(changes);
    describe(&mut answer, request, before);
    answer.put("reloaded", &false);
    let mut warnings: Vec<String> = before.doubt.iter().cloned().collect();
    // Nothing of before a change is worth a look.
    if !changes && call.arguments.checks() {
        let verdict = keys::check(request).map_err(said)?;
        warnings.extend(wrong(&verdict));
        put_verdict(&mut answer, &verdict);
    }
    warn(&mut answer, before, warnings);
    if call.diff && changes {
        let after = match call.arguments.state {
            State::Present => "the keys that are due\n",
            State::RotatedNow => "new keys alone\n",
        };
        answer.put(
            "diff",
            &difference(request, lines(before), after.to_owned()),
        );
    }
    Ok(answer)
}

fn done(
    call: &Call<KeysArguments>,
    request: &KeysRequest,
    before: &Stand,
) -> Result<Answer, String> {
    let rotated = keys::rotate(request, call.arguments.state.goal()).map_err(said)?;
    let after = keys::stand(request).map_err(said)?;
    let changed = rotated.done.verdict.is_some() || before.keys != after.keys;
    let mut answer = Answer::new(changed);
    describe(&mut answer, request, &after);
    answer.put("reloaded", &(reloads(&after) > reloads(before)));
    answer.put("done", &rotated.done.audit);
    answer.put("left", &rotated.remarks);
    if call.diff && changed {
        answer.put("diff", &difference(request, lines(before), lines(&after)));
    }
    if let Some(why) = failure(call, &rotated) {
        warn(&mut answer, &after, Vec::new());
        answer.fail(why);
        return Ok(answer);
    }
    let mut warnings = rotated.remarks;
    let verdict = match rotated.done.verdict {
        None if call.arguments.checks() => Some(keys::check(request).map_err(said)?),
        other => other,
    };
    if let Some(verdict) = verdict {
        // A remark says it already.
        warnings.extend(wrong(&verdict).filter(|_| !changed));
        put_verdict(&mut answer, &verdict);
    }
    warn(&mut answer, &after, warnings);
    Ok(answer)
}

/// Why the task fails although the keys were worked on.
fn failure(call: &Call<KeysArguments>, rotated: &Rotated) -> Option<String> {
    if let Some(why) = &rotated.done.failed {
        return Some(format!(
            "the new keys did not go live, the server goes on with those that it had: {why}"
        ));
    }
    // Sessions of before may resume still: a play must not take that for done.
    let left = call.arguments.state == State::RotatedNow && !rotated.remarks.is_empty();
    left.then(|| {
        let list = rotated.remarks.join("; ");
        format!("every key was replaced, and something is left to do: {list}")
    })
}

fn describe(answer: &mut Answer, request: &KeysRequest, stand: &Stand) {
    answer.put("directory", &request.folder);
    answer.put("include", &request.folder.join("*.conf"));
    let decrypts = stand.keys.len().min(1);
    answer.put("encrypts", &stand.keys.first());
    answer.put("decrypts", &stand.keys.get(decrypts..));
    match &stand.status {
        Some(status) => answer.put_document("status", &report::keys_status_json(status)),
        None => answer.put("status", &None::<()>),
    }
}

fn put_verdict(answer: &mut Answer, verdict: &Verdict) {
    let checked = Checked {
        result: verdict.word(),
        text: verdict.to_string(),
    };
    answer.put("live_check", &checked);
}

fn wrong(verdict: &Verdict) -> Option<String> {
    matches!(verdict, Verdict::Wrong(_)).then(|| format!("live check: {verdict}"))
}

fn warn(answer: &mut Answer, stand: &Stand, mut warnings: Vec<String>) {
    let alarms = stand.status.iter().flat_map(|status| &status.alarms);
    warnings.extend(alarms.cloned());
    answer.warn(&warnings);
}

fn reloads(stand: &Stand) -> u64 {
    let status = stand.status.as_ref();
    status.map_or(0, |status| status.history.reloads_ok)
}

fn difference(request: &KeysRequest, before: String, after: String) -> Difference {
    let header = request.folder.display().to_string();
    Difference {
        before_header: header.clone(),
        after_header: header,
        before,
        after,
    }
}

/// Ids and slots, a line each.
fn lines(stand: &Stand) -> String {
    let verbs = std::iter::once("encrypts").chain(std::iter::repeat("decrypts"));
    let keys = stand.keys.iter().zip(verbs);
    keys.map(|(key, verb)| format!("{verb} {} of slot {}\n", key.id, key.slot))
        .collect()
}
