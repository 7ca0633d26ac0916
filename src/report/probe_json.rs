//! `probe --format json`: `stekguard-probe/1`. The schema stands in docs/schema; within a
//! version, fields are only added.

use serde::Serialize;

use super::Probe;
use super::json::{Gap, print};
use super::summary::count as plural;
use crate::finding::Severity;
use crate::probe::{Difference, Observed, Probed, Unprobed, Verdict};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// Everything that was asked for has been seen.
    complete: bool,
    incomplete: Vec<Gap<'a>>,
    #[serde(flatten)]
    probed: &'a Probed,
    promises: &'a [Difference],
    unprobed: &'a [Unprobed],
    verdicts: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    at: Option<At<'a>>,
}

#[derive(Serialize)]
struct At<'a> {
    path: std::borrow::Cow<'a, str>,
    line: u32,
}

/// The document.
pub fn json(probe: &Probe<'_>) -> String {
    let seen = probe.probed.endpoints.iter();
    let verdicts = probe.verdicts.iter().map(|verdict| Said {
        verdict,
        at: verdict.at.as_ref().map(|at| At {
            path: at.path.to_string_lossy(),
            line: at.line,
        }),
    });
    print(&Document {
        schema: "stekguard-probe/1",
        complete: probe.problems.is_empty() && !seen.clone().any(Observed::is_lost),
        incomplete: probe.problems.iter().map(Gap::new).collect(),
        probed: probe.probed,
        promises: probe.promises,
        unprobed: probe.unprobed,
        verdicts: verdicts.collect(),
    })
}

/// How many verdicts there are of a grade.
fn count(probe: &Probe<'_>, grade: Severity) -> usize {
    let verdicts = probe.verdicts.iter();
    verdicts.filter(|verdict| verdict.severity == grade).count()
}

/// One line for stderr.
pub fn summary(probe: &Probe<'_>) -> String {
    let seen = &probe.probed.endpoints;
    if seen.is_empty() {
        return String::new();
    }
    let lost = seen.iter().filter(|it| it.is_lost()).count();
    let fields = probe.promises.iter().flat_map(|promise| &promise.fields);
    let differ = fields.clone().filter(|field| !field.agrees).count();
    let mut out = format!("{}, {lost} unreachable", plural(seen.len(), "endpoint"));
    if !probe.promises.is_empty() {
        out.push_str(&format!(", {differ} of {} promises differ", fields.count()));
    }
    for (grade, word) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ] {
        out.push_str(&format!(", {}", plural(count(probe, grade), word)));
    }
    out
}
