//! A rule's page and the list of rules, as text.

use super::Paint;
use crate::finding::Severity;

/// The page of one rule: its own words, headings in bold, with a title line.
pub fn page(name: &str, severity: Severity, page: &str, paint: Paint) -> String {
    let mut out = format!("{} ({})\n\n", paint.bold(name), severity_word(severity));
    let mut lines = page.trim().lines().peekable();
    // The page's own title would repeat the line above.
    if lines
        .peek()
        .is_some_and(|line| line.trim_start_matches('#').trim().trim_matches('`') == name)
    {
        lines.next();
        while lines.next_if(|line| line.trim().is_empty()).is_some() {}
    }
    for line in lines {
        let heading = line
            .strip_prefix('#')
            .map(|rest| rest.trim_start_matches('#').trim());
        match heading {
            Some(heading) => out.push_str(&paint.bold(heading)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// One line a rule: name, grade, summary.
pub fn list<'a>(
    rules: impl IntoIterator<Item = (&'a str, Severity, &'a str)>,
    paint: Paint,
) -> String {
    let rules: Vec<_> = rules.into_iter().collect();
    let width = rules.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, severity, summary) in rules {
        let name = paint.bold(&format!("{name:width$}"));
        out.push_str(&format!(
            "{name}  {:8}  {summary}\n",
            severity_word(severity)
        ));
    }
    out
}

/// The word of a grade.
pub(super) const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
        Severity::Pedantic => "pedantic",
    }
}
