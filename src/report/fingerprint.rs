//! What tells findings apart from run to run: a digest without line numbers.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Pipeline;
use crate::finding::Finding;

/// One fingerprint for each finding, in order, no two alike. Lines may come and go above a
/// finding; of several that would be alike the first keeps its own, the next is the second.
pub(super) fn fingerprints(pipeline: &Pipeline<'_>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let findings = pipeline.lint.findings.iter();
    let one = findings.map(|finding| {
        let base = base(pipeline, finding);
        let number = seen.entry(base.clone()).or_insert(0);
        *number += 1;
        match number {
            1 => base,
            number => digest(&[&base, &number.to_string()]),
        }
    });
    one.collect()
}

/// The fingerprint of a problem, which keeps the result from being complete.
pub(super) fn of_problem(kind: &str, path: &str, line: u32, message: &str) -> String {
    digest(&[kind, path, &line.to_string(), message])
}

fn base(pipeline: &Pipeline<'_>, finding: &Finding) -> String {
    let path = pipeline.path(&finding.location.path);
    digest(&[finding.rule, &path, &finding.message])
}

/// 32 hexadecimal digits.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    let digits = bytes.iter().take(16).map(|byte| format!("{byte:02x}"));
    digits.collect()
}
