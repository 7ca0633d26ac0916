//! The page of `fix`: the patch with the findings that it is for, and the state before and
//! after.

use super::hints;
use crate::app::{self, Page, Repair};
use crate::report::{self, HtmlReport, RulePage};

/// The page of a request that could not be met.
pub(super) fn failed(sentence: &str) -> Vec<u8> {
    let failed = hints::failed(sentence);
    report::html_failed("fix", &failed.problems).into_bytes()
}

/// The page. `rules` are those whose fixes were asked for; empty: of all.
pub(super) fn page(repair: &Repair, rules: &[String]) -> Vec<u8> {
    let before = repair.before.report();
    let after = repair.after.report();
    let pages = app::rules();
    let pages: Vec<RulePage<'_>> = pages.iter().map(Page::report).collect();
    let mut findings = before.findings;
    findings.retain(|it| rules.is_empty() || rules.iter().any(|rule| rule == it.rule));
    let page = report::html(&HtmlReport {
        command: "fix",
        servers: before.servers,
        after: after.servers,
        findings: Some(findings),
        silenced: before.silenced,
        problems: before.problems,
        sources: before.sources,
        templates: before.templates,
        rules: &pages,
        patch: Some(repair.pages()),
    });
    page.into_bytes()
}
