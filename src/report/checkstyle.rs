//! Checkstyle's XML, which many services read: one `file` a file, one `error` a finding.

use std::collections::BTreeMap;

use super::Pipeline;
use super::xml::Xml;
use crate::finding::Severity;

/// One `error` element.
struct Row<'a> {
    line: u32,
    column: u32,
    severity: &'static str,
    message: &'a str,
    source: String,
}

/// The document. What was not read is an error of the source `stekguard.incomplete`.
pub fn checkstyle(pipeline: &Pipeline<'_>) -> String {
    let mut files: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    for problem in pipeline.lint.problems {
        let path = pipeline.path(&problem.path).into_owned();
        files.entry(path).or_default().push(Row {
            line: problem.line,
            column: 0,
            severity: "error",
            message: &problem.message,
            source: "stekguard.incomplete".to_owned(),
        });
    }
    for finding in &pipeline.lint.findings {
        let place = &finding.location;
        let path = pipeline.path(&place.path).into_owned();
        files.entry(path).or_default().push(Row {
            line: place.line,
            column: place.column,
            severity: severity(finding.severity),
            message: &finding.message,
            source: format!("stekguard.{}", finding.rule),
        });
    }
    let mut xml = Xml::new();
    xml.open("checkstyle", &[("version", "4.3")]);
    for (path, rows) in &files {
        xml.open("file", &[("name", path)]);
        for row in rows {
            error(&mut xml, row);
        }
        xml.close();
    }
    xml.finish()
}

fn error(xml: &mut Xml, row: &Row<'_>) {
    let (line, column) = (row.line.to_string(), row.column.to_string());
    let mut attributes = Vec::new();
    // Where no line is known, none is claimed.
    if row.line > 0 {
        attributes.push(("line", line.as_str()));
    }
    if row.column > 0 {
        attributes.push(("column", column.as_str()));
    }
    attributes.push(("severity", row.severity));
    attributes.push(("message", row.message));
    attributes.push(("source", row.source.as_str()));
    xml.empty("error", &attributes);
}

/// Checkstyle's words.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Pedantic => "info",
    }
}
