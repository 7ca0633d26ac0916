//! JUnit's XML: findings as test cases, for services that show test results.
//!
//! A configuration is a case that passes when it was read completely; an error or a warning
//! is a case that fails; a note is a case that passes and says something; a finding that was
//! accepted is a case that was skipped, with the reason.

use std::collections::BTreeMap;

use super::explain::severity_word;
use super::xml::Xml;
use super::{Pipeline, Problem};
use crate::finding::{Finding, Severity, Silence};

/// A finding, and what keeps it from being reported.
type Case<'a> = (&'a Finding, Option<&'a Silence>);

/// The document: the suite `configurations`, then one suite for each file with findings.
pub fn junit(pipeline: &Pipeline<'_>) -> String {
    let lint = pipeline.lint;
    let open = lint.findings.iter().map(|finding| (*finding, None));
    let accepted = lint.silenced.iter().map(|it| (&it.finding, Some(&it.by)));
    let mut files: BTreeMap<String, Vec<Case<'_>>> = BTreeMap::new();
    for case in open.chain(accepted) {
        let path = pipeline.path(&case.0.location.path).into_owned();
        files.entry(path).or_default().push(case);
    }
    let failures = lint.findings.iter().filter(|it| fails(it)).count();
    let roots = lint.servers.len();
    let errors = lint.problems.len();
    let tests = roots + errors + lint.findings.len() + lint.silenced.len();
    let mut xml = Xml::new();
    xml.open(
        "testsuites",
        &[
            ("name", "stekguard"),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
            ("skipped", &lint.silenced.len().to_string()),
        ],
    );
    suite(&mut xml, "configurations", [roots + errors, 0, errors, 0]);
    for server in &lint.servers {
        let root = pipeline.path(&server.site.root);
        let kind = super::json::kind(server.site.server);
        xml.empty("testcase", &[("classname", kind), ("name", &root)]);
    }
    for problem in lint.problems {
        incomplete(&mut xml, pipeline, problem);
    }
    xml.close();
    for (path, cases) in &files {
        let skipped = cases.iter().filter(|(_, by)| by.is_some()).count();
        let open = cases.iter().filter(|(_, by)| by.is_none());
        let failures = open.filter(|(finding, _)| fails(finding)).count();
        suite(&mut xml, path, [cases.len(), failures, 0, skipped]);
        for (finding, by) in cases {
            case(&mut xml, path, finding, *by);
        }
        xml.close();
    }
    xml.finish()
}

fn suite(xml: &mut Xml, name: &str, counts: [usize; 4]) {
    let [tests, failures, errors, skipped] = counts;
    xml.open(
        "testsuite",
        &[
            ("name", name),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
            ("skipped", &skipped.to_string()),
        ],
    );
}

fn fails(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}

fn incomplete(xml: &mut Xml, pipeline: &Pipeline<'_>, problem: &Problem) {
    let path = pipeline.path(&problem.path);
    let place = match problem.line {
        0 => path.into_owned(),
        line => format!("{path}:{line}"),
    };
    let kind = if problem.kind.is_empty() {
        "request"
    } else {
        problem.kind
    };
    xml.open("testcase", &[("classname", "incomplete"), ("name", &place)]);
    xml.empty("error", &[("type", kind), ("message", &problem.message)]);
    xml.close();
}

fn case(xml: &mut Xml, path: &str, finding: &Finding, by: Option<&Silence>) {
    let place = &finding.location;
    let name = format!("{}:{}:{}", finding.rule, place.line, place.column);
    let line = place.line.to_string();
    xml.open(
        "testcase",
        &[
            ("classname", path),
            ("name", &name),
            ("file", path),
            ("line", &line),
        ],
    );
    if let Some(by) = by {
        let reason = match by {
            Silence::Comment { reason, .. } => reason.as_str(),
            Silence::Baseline => "the baseline holds it",
            Silence::Off | Silence::Elsewhere => "",
        };
        xml.empty("skipped", &[("message", reason)]);
        xml.close();
        return;
    }
    let grade = severity_word(finding.severity);
    let mut lines = vec![format!("{path}:{}:{}", place.line, place.column)];
    lines.extend(finding.endpoints.iter().map(|it| format!("affects {it}")));
    lines.extend(finding.help.iter().map(|it| format!("help: {it}")));
    if fails(finding) {
        let attributes = [("type", grade), ("message", finding.message.as_str())];
        xml.lines("failure", &attributes, &lines);
    } else {
        lines.insert(0, format!("{grade}: {}", finding.message));
        xml.lines("system-out", &[], &lines);
    }
    xml.close();
}
