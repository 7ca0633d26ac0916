//! The page from top to bottom: header, overview, sections, footer.

use super::markup::Html;
use super::{HtmlReport, domains, findings, matrix, patch};
use crate::finding::{Finding, Severity};
use crate::report::explain::severity_word;
use crate::report::json::kind;
use crate::report::summary::count;
use crate::report::{Problem, Server, escape};

/// Grades, worst first.
pub(super) const GRADES: [Severity; 4] = [
    Severity::Error,
    Severity::Warning,
    Severity::Note,
    Severity::Pedantic,
];

/// Everything inside `body` but the script.
pub(super) fn body(page: &mut Html, report: &HtmlReport<'_>) {
    page.raw("<a class=\"skip\" href=\"#main\">Skip to the report</a>\n");
    header(page, report);
    page.raw("<main id=\"main\">\n");
    overview(page, report);
    problems(page, report.problems);
    if let Some(changes) = &report.patch {
        patch::section(page, changes);
    }
    if let Some(found) = &report.findings {
        findings::section(page, report, found);
    }
    if !report.servers.is_empty() {
        matrix::section(page, report);
        domains::section(page, report);
    }
    if let Some(found) = &report.findings {
        findings::rules(page, report, found);
    }
    page.raw("</main>\n<footer>Made by stekguard ");
    page.text(env!("CARGO_PKG_VERSION"));
    page.raw(". This page is complete in itself: it loads nothing from anywhere.</footer>\n");
}

fn header(page: &mut Html, report: &HtmlReport<'_>) {
    page.raw(
        "<header class=\"top\"><div class=\"brand\"><span class=\"mark\" aria-hidden=\"true\">",
    );
    page.raw("</span><span>stekguard</span></div>\n<nav aria-label=\"Sections\"><ul>");
    if !report.problems.is_empty() {
        page.raw("<li><a href=\"#problems\">Not read</a></li>");
    }
    if report.patch.is_some() {
        page.raw("<li><a href=\"#patch\">Patch</a></li>");
    }
    if report.findings.is_some() {
        page.raw("<li><a href=\"#findings\">Findings</a></li>");
    }
    if !report.servers.is_empty() {
        page.raw("<li><a href=\"#matrix\">What resumes</a></li>");
        page.raw("<li><a href=\"#domains\">Session domains</a></li>");
    }
    page.raw("</ul></nav>\n");
    page.raw("<button type=\"button\" id=\"theme\" hidden>Theme: system</button></header>\n");
}

fn overview(page: &mut Html, report: &HtmlReport<'_>) {
    page.raw("<section class=\"overview\" aria-labelledby=\"title\">\n");
    page.raw("<h1 id=\"title\">TLS session resumption</h1>\n");
    verdict(page, report);
    page.raw("<ul class=\"tiles\">\n");
    if let Some(found) = &report.findings {
        for grade in GRADES {
            let number = of_grade(found, grade);
            if number > 0 || grade >= Severity::Warning {
                tile(page, severity_word(grade), number, plural(grade, number));
            }
        }
    }
    let endpoints = report.servers.iter().map(|it| it.site.endpoints.len());
    let files = report.servers.iter().map(|it| it.site.files);
    let assumed = report.servers.iter().map(|it| it.assumed.len());
    let (endpoints, files, assumed) = (endpoints.sum(), files.sum(), assumed.sum());
    tile(page, "plain", endpoints, "TLS endpoints");
    tile(page, "plain", files, "files read");
    if !report.silenced.is_empty() {
        tile(page, "plain", report.silenced.len(), "accepted");
    }
    if assumed > 0 {
        tile(page, "plain", assumed, "missing files assumed");
    }
    if report.templates > 0 {
        tile(page, "plain", report.templates, "templates skipped");
    }
    page.raw("</ul>\n<ul class=\"servers\">\n");
    for server in &report.servers {
        one_server(page, server);
    }
    page.raw("</ul>\n</section>\n");
}

/// The one sentence that somebody in a hurry reads.
fn verdict(page: &mut Html, report: &HtmlReport<'_>) {
    let found = report.findings.as_ref();
    let worst = found.and_then(|found| found.iter().map(|it| it.severity).max());
    let endpoints: usize = report
        .servers
        .iter()
        .map(|it| it.site.endpoints.len())
        .sum();
    let (class, text) = if !report.problems.is_empty() {
        let problems = count(report.problems.len(), "problem");
        let text = format!("Not complete: {problems}. Nothing here can be called clean.");
        ("verdict bad", text)
    } else if endpoints == 0 {
        let text = "Nothing here speaks TLS.".to_owned();
        ("verdict", text)
    } else {
        match (found, worst) {
            (None, _) => ("verdict", "Everything was read.".to_owned()),
            (Some(_), None) => {
                let text = "No findings. Everything was read.".to_owned();
                ("verdict good", text)
            }
            (Some(found), Some(worst)) => {
                let class = match worst {
                    Severity::Error => "verdict bad",
                    Severity::Warning => "verdict doubtful",
                    _ => "verdict",
                };
                let text = format!("{}. Everything was read.", count(found.len(), "finding"));
                (class, text)
            }
        }
    };
    page.element("p", &[("class", class)], &text);
}

pub(super) fn of_grade(found: &[&Finding], grade: Severity) -> usize {
    found.iter().filter(|it| it.severity == grade).count()
}

const fn plural(grade: Severity, number: usize) -> &'static str {
    match (grade, number) {
        (Severity::Error, 1) => "error",
        (Severity::Error, _) => "errors",
        (Severity::Warning, 1) => "warning",
        (Severity::Warning, _) => "warnings",
        (Severity::Note, 1) => "note",
        (Severity::Note, _) => "notes",
        (Severity::Pedantic, _) => "pedantic",
    }
}

fn tile(page: &mut Html, class: &'static str, number: usize, words: &'static str) {
    let class = format!("tile {class}");
    page.open("li", &[("class", &class)]);
    page.element("strong", &[], &number.to_string());
    page.raw(" ").text(words).raw("</li>\n");
}

fn one_server(page: &mut Html, server: &Server<'_>) {
    let site = server.site;
    page.raw("<li>")
        .element("code", &[], &escape::path(&site.root));
    page.raw(" <span class=\"dim\">")
        .text(kind(site.server))
        .raw(" ");
    match server.judged {
        [] => page.text(&site.platform.server.value.to_string()),
        [one] => page.text(&one.server.value.to_string()),
        [first, .., last] => {
            let (first, last) = (&first.server.value, &last.server.value);
            page.text(&format!(
                "judged for versions {first} to {last}, shown for {last}"
            ))
        }
    };
    page.raw("</span></li>\n");
}

fn problems(page: &mut Html, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">Not read</h2>\n");
    page.raw("<p>As long as these stand, nothing here can be called clean.</p>\n");
    page.raw("<ul class=\"problems\">\n");
    for problem in problems {
        page.raw("<li>");
        if !problem.path.as_os_str().is_empty() {
            let path = escape::path(&problem.path);
            let place = match problem.line {
                0 => path,
                line => format!("{path}:{line}"),
            };
            page.raw("<code>").shown(&place).raw("</code>: ");
        }
        page.prose(&problem.message).raw("</li>\n");
    }
    page.raw("</ul>\n</section>\n");
}
