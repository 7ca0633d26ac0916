//! One line a finding, for logs and editors.

use super::Paint;
use super::escape;
use super::explain::severity_word;
use crate::finding::{Finding, Severity};

/// `path:line:column: error[rule]: words`.
pub fn lines<'a>(findings: impl Iterator<Item = &'a Finding>, paint: Paint) -> String {
    let mut out = String::new();
    for finding in findings {
        let place = &finding.location;
        let grade = severity_word(finding.severity);
        let grade = match finding.severity {
            Severity::Error => paint.bad(grade),
            Severity::Warning => paint.doubtful(grade),
            Severity::Note | Severity::Pedantic => paint.bold(grade),
        };
        out.push_str(&format!(
            "{}:{}:{}: {grade}[{}]: {}\n",
            escape::path(&place.path),
            place.line,
            place.column,
            finding.rule,
            escape::line(&finding.message),
        ));
    }
    out
}
