//! The findings: a filter, then one article each.

use super::HtmlReport;
use super::markup::Html;
use super::sections::{GRADES, of_grade};
use super::snippet::snippets;
use crate::finding::{Applicability, Confidence, Finding, Fix, GoLive, Silence, Silenced};
use crate::report::explain::severity_word;
use crate::report::summary::count;
use crate::report::{RulePage, escape, page as pages, versions};

/// Endpoints that are named before the rest folds away.
const ENDPOINTS_SHOWN: usize = 5;

/// The section.
pub(super) fn section(page: &mut Html, report: &HtmlReport<'_>, found: &[&Finding]) {
    page.raw("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
    if found.is_empty() {
        page.raw("<p>None.</p>\n");
    } else {
        filter(page, found);
    }
    page.raw("<div class=\"findings\">\n");
    for (index, finding) in found.iter().enumerate() {
        article(page, report, index + 1, finding);
    }
    page.raw("</div>\n");
    accepted(page, report.silenced);
    page.raw("</section>\n");
}

/// What somebody has accepted, with the reason.
fn accepted(page: &mut Html, silenced: &[Silenced]) {
    if silenced.is_empty() {
        return;
    }
    page.raw("<details class=\"accepted\"><summary>");
    page.text(&count(silenced.len(), "accepted finding"))
        .raw("</summary>\n<ul>\n");
    for it in silenced {
        let place = &it.finding.location;
        page.raw("<li><code>").shown(&escape::path(&place.path));
        page.text(&format!(":{}", place.line)).raw("</code> ");
        page.element("code", &[("class", "rule")], it.finding.rule)
            .raw(" ");
        page.prose(&it.finding.message).raw(" <span class=\"dim\">");
        match &it.by {
            Silence::Comment { reason, .. } => page.raw("Reason: ").text(reason),
            Silence::Baseline => page.raw("In the baseline."),
            Silence::Off | Silence::Elsewhere => page,
        };
        page.raw("</span></li>\n");
    }
    page.raw("</ul>\n</details>\n");
}

fn filter(page: &mut Html, found: &[&Finding]) {
    page.raw("<form class=\"filter\" data-filter=\"finding\" hidden>\n");
    page.raw("<label>Search <input type=\"search\" name=\"text\"></label>\n");
    page.raw("<fieldset><legend>Grade</legend>");
    for grade in GRADES {
        let number = of_grade(found, grade);
        if number == 0 {
            continue;
        }
        let word = severity_word(grade);
        page.raw("<label><input type=\"checkbox\" name=\"severity\" checked value=\"");
        page.text(word)
            .raw("\"> ")
            .text(&format!("{word} ({number})"))
            .raw("</label>\n");
    }
    page.raw("</fieldset>\n<label>Rule <select name=\"rule\"><option value=\"\">all</option>");
    let mut rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        page.element("option", &[("value", rule)], rule);
    }
    page.raw("</select></label>\n<output aria-live=\"polite\"></output>\n</form>\n");
}

fn article(page: &mut Html, report: &HtmlReport<'_>, number: usize, finding: &Finding) {
    let grade = severity_word(finding.severity);
    let (id, class) = (format!("f{number}"), format!("finding {grade}"));
    let head = format!("h{number}");
    page.open(
        "article",
        &[
            ("id", &id),
            ("class", &class),
            ("data-item", "finding"),
            ("data-severity", grade),
            ("data-rule", finding.rule),
            ("aria-labelledby", &head),
        ],
    );
    page.raw("\n<header>");
    let badge = format!("badge {grade}");
    page.element("span", &[("class", &badge)], grade);
    page.raw(" ")
        .element("code", &[("class", "rule")], finding.rule);
    page.raw("</header>\n").open("h3", &[("id", &head)]);
    page.prose(&finding.message).raw("</h3>\n");
    snippets(page, finding, report.sources);
    affected(page, finding);
    remarks(page, report, finding);
    if let Some(fix) = &finding.fix {
        repair(page, fix);
    }
    explanation(page, report, finding);
    page.raw("</article>\n");
}

fn affected(page: &mut Html, finding: &Finding) {
    let (first, rest) = finding
        .endpoints
        .split_at(finding.endpoints.len().min(ENDPOINTS_SHOWN));
    if first.is_empty() {
        return;
    }
    page.raw("<p class=\"affects\"><span class=\"dim\">affects</span> ");
    for endpoint in first {
        page.element("span", &[("class", "chip")], endpoint)
            .raw(" ");
    }
    page.raw("</p>\n");
    if rest.is_empty() {
        return;
    }
    page.raw("<details class=\"affects\"><summary>");
    page.text(&format!("and {} more", rest.len()))
        .raw("</summary>");
    for endpoint in rest {
        page.element("span", &[("class", "chip")], endpoint)
            .raw(" ");
    }
    page.raw("</details>\n");
}

fn remarks(page: &mut Html, report: &HtmlReport<'_>, finding: &Finding) {
    page.raw("<ul class=\"remarks\">\n");
    for help in &finding.help {
        page.raw("<li class=\"help\">").prose(help).raw("</li>\n");
    }
    for condition in &finding.when {
        page.raw("<li>holds where ").text(condition).raw("</li>\n");
    }
    if let Some(versions) = versions::of_finding(finding, &report.servers) {
        page.raw("<li>").text(&versions).raw("</li>\n");
    }
    match finding.confidence {
        Confidence::High => {}
        Confidence::Medium => {
            page.raw("<li>confidence: medium</li>\n");
        }
        Confidence::Low => {
            page.raw("<li>confidence: low</li>\n");
        }
    }
    page.raw("</ul>\n");
}

fn repair(page: &mut Html, fix: &Fix) {
    page.raw("<div class=\"fix\"><h4>Fix</h4><p>")
        .prose(&fix.title)
        .raw(". ");
    match fix.applicability {
        Applicability::Safe => page.raw("Safe. "),
        Applicability::Unsafe => page.raw("May change more than was asked for. "),
    };
    match fix.go_live {
        GoLive::Reload => page.raw("Live after a reload."),
        GoLive::StopAndStart => page.raw("Live after stopping and starting the server."),
    };
    page.raw("</p>");
    for cost in &fix.costs {
        page.raw("<p class=\"dim\">Cost: ").prose(cost).raw(".</p>");
    }
    page.raw("</div>\n");
}

/// A link to the rule's page, which stands once below.
fn explanation(page: &mut Html, report: &HtmlReport<'_>, finding: &Finding) {
    if report.rules.iter().any(|rule| rule.name == finding.rule) {
        let link = [
            ("class", "about"),
            ("href", &*format!("#rule-{}", finding.rule)),
        ];
        page.raw("<p>")
            .element("a", &link, "About this rule")
            .raw("</p>\n");
    }
}

/// The pages of the rules that found something.
pub(super) fn rules(page: &mut Html, report: &HtmlReport<'_>, found: &[&Finding]) {
    if found.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"rules\">\n<h2 id=\"rules\">About the rules</h2>\n");
    let told = |rule: &&RulePage<'_>| found.iter().any(|finding| finding.rule == rule.name);
    for rule in report.rules.iter().filter(told) {
        one_rule(page, rule);
    }
    page.raw("</section>\n");
}

fn one_rule(page: &mut Html, rule: &RulePage<'_>) {
    let id = format!("rule-{}", rule.name);
    page.open("details", &[("class", "page"), ("id", &id)])
        .raw("<summary>");
    page.element("code", &[], rule.name)
        .raw(" ")
        .prose(rule.summary)
        .raw("</summary>\n");
    for title in ["What it finds", "Why", "Fix safety"] {
        let Some(section) = pages::section(rule.text, title) else {
            continue;
        };
        page.element("h3", &[], title);
        for paragraph in pages::paragraphs(section) {
            page.raw("<p>").prose(&paragraph).raw("</p>\n");
        }
    }
    if let Some(address) = pages::reference(rule.text) {
        let link = [("href", address), ("rel", "noreferrer noopener")];
        page.raw("<p>").element("a", &link, address).raw("</p>\n");
    }
    page.raw("</details>\n");
}
