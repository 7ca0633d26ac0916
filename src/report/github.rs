//! GitHub's workflow commands: a line on stdout of a step becomes an annotation.

use super::explain::severity_word;
use super::{Pipeline, escape};
use crate::finding::Severity;

/// One command a finding or problem.
pub fn github(pipeline: &Pipeline<'_>) -> String {
    let mut out = String::new();
    for problem in pipeline.lint.problems {
        let path = pipeline.path(&problem.path);
        let title = "stekguard: not complete";
        let place = (path.as_ref(), problem.line, 0);
        command(&mut out, "error", place, title, &problem.message);
    }
    for finding in &pipeline.lint.findings {
        let place = &finding.location;
        let path = pipeline.path(&place.path);
        let name = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note | Severity::Pedantic => "notice",
        };
        let grade = severity_word(finding.severity);
        let title = format!("stekguard: {} ({grade})", finding.rule);
        let mut words = finding.message.clone();
        for help in &finding.help {
            words.push_str("\nhelp: ");
            words.push_str(help);
        }
        let place = (path.as_ref(), place.line, place.column);
        command(&mut out, name, place, &title, &words);
    }
    out
}

fn command(
    out: &mut String,
    name: &str,
    (path, line, column): (&str, u32, u32),
    title: &str,
    words: &str,
) {
    let mut properties = Vec::new();
    if !path.is_empty() {
        properties.push(format!("file={}", property(path)));
    }
    if line > 0 {
        properties.push(format!("line={line}"));
    }
    if column > 0 {
        properties.push(format!("col={column}"));
    }
    properties.push(format!("title={}", property(title)));
    out.push_str(&format!(
        "::{name} {}::{}\n",
        properties.join(","),
        data(words)
    ));
}

/// The message: a line break is written as `%0A`, so nothing in it can begin a command.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escape::line).collect();
    let lines: Vec<String> = lines.iter().map(|line| line.replace('%', "%25")).collect();
    lines.join("%0A")
}

/// A property: also what ends one.
fn property(text: &str) -> String {
    let text = escape::line(text).replace('%', "%25");
    text.replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_a_command_of_its_own() {
        let mut out = String::new();
        let place = ("a,b:c\n::error::x%0A", 3, 0);
        command(&mut out, "warning", place, "t", "50%\r\n::set-env::y");
        assert_eq!(
            out,
            "::warning file=a%2Cb%3Ac\\n%3A%3Aerror%3A%3Ax%250A,line=3,title=t::50%25\\r%0A\
             ::set-env::y\n"
        );
        assert_eq!(out.lines().count(), 1);
    }
}
