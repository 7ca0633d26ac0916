//! JUnit's XML: findings as test cases, for services that show test results.
//!
//! A configuration is a case that passes when it was read completely; an error or a warning
//! is a case that fails; a note is a case that passes and says something.

use std::collections::BTreeMap;

use super::explain::severity_word;
use super::xml::Xml;
use super::{Pipeline, Problem};
use crate::finding::{Finding, Severity};

/// The document: the suite `configurations`, then one suite for each file with findings.
pub fn junit(pipeline: &Pipeline<'_>) -> String {
    let lint = pipeline.lint;
    let mut files: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in &lint.findings {
        let path = pipeline.path(&finding.location.path).into_owned();
        files.entry(path).or_default().push(finding);
    }
    let failures = lint.findings.iter().filter(|it| fails(it)).count();
    let roots = lint.servers.len();
    let errors = lint.problems.len();
    let mut xml = Xml::new();
    xml.open(
        "testsuites",
        &[
            ("name", "stekguard"),
            ("tests", &(roots + errors + lint.findings.len()).to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
        ],
    );
    suite(&mut xml, "configurations", roots + errors, 0, errors);
    for server in &lint.servers {
        let root = pipeline.path(&server.site.root);
        let kind = super::json::kind(server.site.server);
        xml.empty("testcase", &[("classname", kind), ("name", &root)]);
    }
    for problem in lint.problems {
        incomplete(&mut xml, pipeline, problem);
    }
    xml.close();
    for (path, findings) in &files {
        let failures = findings.iter().filter(|it| fails(it)).count();
        suite(&mut xml, path, findings.len(), failures, 0);
        for finding in findings {
            case(&mut xml, path, finding);
        }
        xml.close();
    }
    xml.finish()
}

fn suite(xml: &mut Xml, name: &str, tests: usize, failures: usize, errors: usize) {
    xml.open(
        "testsuite",
        &[
            ("name", name),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
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

fn case(xml: &mut Xml, path: &str, finding: &Finding) {
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
