//! `resumption_info`: what is found and what resumes, as the documents of `lint` and `inspect`.
//! Changes nothing, so that check mode makes no difference.

use super::answer::Answer;
use super::call::Call;
use crate::app::{self, Inspection, Outcome};
use crate::policy::Goal;
use crate::report;

pub(super) fn run(call: &Call) -> Answer {
    match look(call) {
        Ok((outcome, inspection)) => answer(&outcome, &inspection),
        Err(sentence) => Answer::failed(sentence),
    }
}

fn look(call: &Call) -> Result<(Outcome, Inspection), String> {
    let request = call.arguments.request(Goal::Sound)?;
    let mut outcome = app::lint(&request).map_err(|error| error.to_string())?;
    let rules = &call.arguments.rule;
    if !rules.is_empty() {
        let asked = |name: &str| rules.iter().any(|rule| rule == name);
        outcome.findings.retain(|finding| asked(finding.rule));
    }
    let inspection = app::inspect(&request).map_err(|error| error.to_string())?;
    Ok((outcome, inspection))
}

fn answer(outcome: &Outcome, inspection: &Inspection) -> Answer {
    let mut answer = Answer::new(false);
    answer.put("complete", &outcome.complete());
    let inspect = report::inspect_json(&inspection.report(), &inspection.search_problems, false);
    answer.put_document("inspect", &inspect);
    answer.put_document("lint", &report::lint_json(&outcome.report()));
    if !outcome.complete() {
        answer.warn(&super::resumption::problems(outcome));
    }
    answer
}
