//! One JSON object a line: findings, problems, and a last line that sums up, so that a stream
//! that was cut off can be told from a whole one.

use serde::Serialize;

use super::Lint;
use super::escape;
use super::json::{Accepted, Gap, LintFinding, Summary};

/// The lines; `type` says what each is: `finding`, `incomplete`, `suppressed`, and `summary` at the end.
pub fn json_lines(lint: &Lint<'_>) -> String {
    let mut out = String::new();
    for problem in lint.problems {
        line(&mut out, "incomplete", &Gap::new(problem));
    }
    for finding in &lint.findings {
        line(&mut out, "finding", &LintFinding::new(finding));
    }
    for silenced in lint.silenced {
        line(&mut out, "suppressed", &Accepted::new(silenced));
    }
    let summary = End {
        schema: "stekguard-lint-lines/1",
        complete: lint.problems.is_empty(),
        counts: Summary::new(lint),
    };
    line(&mut out, "summary", &summary);
    out
}

#[derive(Serialize)]
struct End {
    schema: &'static str,
    complete: bool,
    #[serde(flatten)]
    counts: Summary,
}

#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(rename = "type")]
    line: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

fn line(out: &mut String, name: &'static str, content: &impl Serialize) {
    // Every field is a string, a number, a list or a struct: nothing of it can fail.
    let text = serde_json::to_string(&Line {
        line: name,
        content,
    })
    .unwrap_or_default();
    out.push_str(&escape::json(text));
    out.push('\n');
}
