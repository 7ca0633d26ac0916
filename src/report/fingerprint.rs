//! What tells findings apart from run to run, with paths as a pipeline knows them.

use super::Pipeline;
use crate::finding;

/// One fingerprint for each finding, the accepted ones behind the others, in order, no two alike. Lines may come and go above a
/// finding; of several that would be alike the first keeps its own, the next is the second.
pub(super) fn fingerprints(pipeline: &Pipeline<'_>) -> Vec<String> {
    let silenced = pipeline.lint.silenced.iter().map(|it| &it.finding);
    let findings = pipeline.lint.findings.iter().copied().chain(silenced);
    finding::fingerprints(findings, |finding| {
        pipeline.path(&finding.location.path).into()
    })
}

/// The fingerprint of a problem, which keeps the result from being complete.
pub(super) fn of_problem(kind: &str, path: &str, line: u32, message: &str) -> String {
    finding::digest(&[kind, path, &line.to_string(), message])
}
