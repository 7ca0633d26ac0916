//! What tells findings apart from run to run: a digest of the rule, the file and the words,
//! without lines, so that text above a finding may come and go.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Finding;

impl Finding {
    /// 32 hexadecimal digits. `path` is the file's name in whatever form is to be stable, such
    /// as the path from the repository's root. Findings that are alike in one file have the
    /// same one; [`fingerprints`] tells them apart.
    pub fn fingerprint(&self, path: &str) -> String {
        digest(&[self.rule, path, &self.message])
    }
}

/// One for each finding, in order, no two alike: of several alike, the first keeps its own, the
/// next is the second, and so on. `path` gives the stable form of a finding's file.
pub fn fingerprints<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    path: impl Fn(&Finding) -> String,
) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let one = findings.into_iter().map(|finding| {
        let base = finding.fingerprint(&path(finding));
        let number = seen.entry(base.clone()).or_insert(0);
        *number += 1;
        match *number {
            1 => base,
            number => digest(&[&base, &number.to_string()]),
        }
    });
    one.collect()
}

/// 32 hexadecimal digits of what these parts say; where one ends counts.
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    let digits = bytes.iter().take(16).map(|byte| format!("{byte:02x}"));
    digits.collect()
}
