//! The last line on stderr: how much was read and what came of it.

use crate::finding::{Severity, Silence};

use super::{Lint, Paint, Server};
use crate::catalog;

/// `2 findings (1 error, 1 warning) in 5 files with 4 TLS endpoints`, or, when there are
/// none, `no findings: 4 TLS endpoints in 5 files`. Says `not complete` when something was
/// not read and what was assumed or skipped.
pub fn summary(lint: &Lint<'_>, paint: Paint) -> String {
    let files: usize = lint.servers.iter().map(|server| server.site.files).sum();
    let endpoints: usize = lint
        .servers
        .iter()
        .map(|server| server.site.endpoints.len())
        .sum();
    let read = format!(
        "{} in {}",
        count(endpoints, "TLS endpoint"),
        count(files, "file")
    );

    let mut line = match (lint.problems.len(), lint.findings.len()) {
        (0, 0) => format!("{}: {read}", paint.good("no findings")),
        (0, found) => format!("{}: {read}", findings(lint, found, paint)),
        (problems, found) => format!(
            "{}, {}: {read}; {}",
            paint.bad("not complete"),
            count(problems, "problem"),
            if found == 0 {
                "no findings so far".to_owned()
            } else {
                findings(lint, found, paint)
            },
        ),
    };
    let assumed: usize = lint.servers.iter().map(|server| server.assumed.len()).sum();
    if assumed > 0 {
        line.push_str(&format!("; {} assumed", count(assumed, "missing file")));
    }
    let by_comment = silenced(lint, |by| matches!(by, Silence::Comment { .. }));
    if by_comment > 0 {
        line.push_str(&format!("; {by_comment} suppressed"));
    }
    let known = silenced(lint, |by| *by == Silence::Baseline);
    if known > 0 {
        line.push_str(&format!("; {known} in the baseline"));
    }
    if lint.resolved > 0 {
        line.push_str(&format!("; {} of the baseline gone", lint.resolved));
    }
    if lint.excluded > 0 {
        line.push_str(&format!("; {} excluded", count(lint.excluded, "file")));
    }
    if lint.templates > 0 {
        line.push_str(&format!("; {} skipped", count(lint.templates, "template")));
    }
    line
}

/// What a configuration lacks that speaks no TLS.
pub const fn tls_statement(server: &Server<'_>) -> &'static str {
    match server.site.server {
        catalog::Server::Nginx => "no `listen` with `ssl` or `quic`",
        catalog::Server::Apache => "no virtual host with `SSLEngine on`",
    }
}

fn silenced(lint: &Lint<'_>, by: impl Fn(&Silence) -> bool) -> usize {
    lint.silenced.iter().filter(|it| by(&it.by)).count()
}

fn findings(lint: &Lint<'_>, found: usize, paint: Paint) -> String {
    let grades = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
        (Severity::Pedantic, "pedantic remark"),
    ];
    let parts: Vec<String> = grades
        .iter()
        .map(|(severity, word)| {
            (
                lint.findings
                    .iter()
                    .filter(|finding| finding.severity == *severity)
                    .count(),
                *word,
            )
        })
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    let worst = lint.findings.iter().map(|finding| finding.severity).max();
    let head = count(found, "finding");
    let head = match worst {
        Some(Severity::Error) => paint.bad(&head),
        Some(Severity::Warning) => paint.doubtful(&head),
        _ => head,
    };
    format!("{head} ({})", parts.join(", "))
}

/// `1 file`, `2 files`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}
