//! What the expander reports, with the place that httpd names.
//!
//! Only the wording of places and the choice of what is still worth saying.

use crate::source::{Problem, ProblemKind};

use super::Expander;
use super::facts::ALWAYS;
use super::reader::RawLine;

impl Expander<'_> {
    /// Reports a line. `refused`: httpd refuses it wherever it reads it; under an open
    /// condition it may never do so. Of what httpd would not parse, only the first in each
    /// file is reported: it stops there, and the rest may come from our going on.
    pub(super) fn report(
        &mut self,
        raw: &RawLine,
        kind: ProblemKind,
        message: String,
        refused: bool,
    ) {
        let refused = refused && self.when == ALWAYS;
        if kind == ProblemKind::Syntax && self.refused.contains(&raw.file) {
            return;
        }
        if kind == ProblemKind::Syntax && refused {
            self.refused.insert(raw.file);
        }
        let problem = self.problem(raw, kind, message, refused);
        if self.reported.insert(problem.clone()) {
            self.project.problems.push(problem);
        }
    }

    /// Reports what httpd refuses only after it has read everything.
    pub(super) fn report_late(&mut self, raw: &RawLine, message: String) {
        let refused = self.when == ALWAYS;
        let problem = self.problem(raw, ProblemKind::Syntax, message, refused);
        if self.reported_late.insert(problem.clone()) {
            self.late.push(problem);
        }
    }

    /// Reports a limit of ours and ends the reading.
    pub(super) fn stop(&mut self, raw: &RawLine, message: String) {
        let message = format!("{message}; not read further");
        self.report(raw, ProblemKind::Limit, message, false);
        self.stopped = true;
    }

    fn problem(&self, raw: &RawLine, kind: ProblemKind, message: String, refused: bool) -> Problem {
        let file = self.project.file(raw.file);
        let message = match &raw.macro_name {
            None => message,
            Some(name) => format!("{message} (line {} of {name})", raw.number),
        };
        Problem {
            kind,
            path: file.path.to_path_buf(),
            line: raw.line.number,
            span: Some(raw.span(&file.text, 0, raw.bytes.len())),
            message,
            refused,
        }
    }

    /// What httpd calls the place of a line: its file or its macro.
    pub(super) fn place_name(&self, raw: &RawLine) -> String {
        match &raw.macro_name {
            Some(name) => name.to_string(),
            None => self.project.file(raw.file).path.display().to_string(),
        }
    }
}
