//! One line a finding, for logs and editors.

use std::fmt::Write as _;

use rayon::prelude::*;

use super::Paint;
use super::escape;
use super::explain::severity_word;
use crate::finding::{Finding, Severity};

/// For fewer findings, starting threads takes longer than they save.
const FEW: usize = 128;

/// `path:line:column: error[rule]: words`.
pub fn lines<'a>(findings: impl Iterator<Item = &'a Finding>, paint: Paint) -> String {
    let findings: Vec<&Finding> = findings.collect();
    let shown = |some: &[&Finding]| {
        let mut out = String::new();
        some.iter()
            .for_each(|finding| line(&mut out, finding, paint));
        out
    };
    if findings.len() <= FEW {
        return shown(&findings);
    }
    let parts: Vec<String> = findings.par_chunks(FEW).map(shown).collect();
    parts.concat()
}

fn line(out: &mut String, finding: &Finding, paint: Paint) {
    let place = &finding.location;
    let grade = severity_word(finding.severity);
    let grade = match finding.severity {
        Severity::Error => paint.bad(grade),
        Severity::Warning => paint.doubtful(grade),
        Severity::Note | Severity::Pedantic => paint.bold(grade),
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "{}:{}:{}: {grade}[{}]: {}",
        escape::path(&place.path),
        place.line,
        place.column,
        finding.rule,
        escape::line(&finding.message),
    );
}
