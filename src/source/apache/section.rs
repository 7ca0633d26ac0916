//! Sections and conditionals: opening, skipping and closing lines.
//!
//! httpd keeps a stack of sections for each file and, within it, one for each conditional
//! that holds; a conditional that does not hold is read over with rules of its own.

use crate::source::{DirectiveId, ProblemKind, WhenId};
use crate::syntax::apache::{CONDITIONALS, Expanded, Head, word};

use super::Expander;
use super::condition;
use super::facts::Answer;
use super::reader::{RawLine, Reader};

/// Most open conditions around one line: past it, it is a bomb.
const MOST_CONDITIONS: usize = 256;

/// Most different questions that the files leave open: every one doubles, or at least adds
/// to, what has to be judged.
const MOST_QUESTIONS: usize = 256;

/// What is open at a line.
pub(super) enum Frame {
    Section {
        /// As written, without `<`.
        name: Vec<u8>,
        directive: DirectiveId,
        opening: RawLine,
    },
    Conditional {
        /// As httpd spells it.
        name: &'static str,
        /// The condition to go back to.
        before: WhenId,
        /// Whether it holds is not known, so httpd may skip it.
        open: bool,
        opening: RawLine,
    },
}

impl Frame {
    fn is_named(&self, wanted: &[u8]) -> bool {
        match self {
            Self::Section { name, .. } => name.eq_ignore_ascii_case(wanted),
            Self::Conditional { name, .. } => name.as_bytes().eq_ignore_ascii_case(wanted),
        }
    }
}

impl Expander<'_> {
    /// The line that ends a conditional that holds is nothing else, and is looked for before
    /// variables are replaced.
    pub(super) fn closes_conditional(&mut self, frames: &mut Vec<Frame>, raw: &RawLine) -> bool {
        let Some(Frame::Conditional { name, before, .. }) = frames.last() else {
            return false;
        };
        let inner = raw
            .bytes
            .strip_prefix(b"</")
            .and_then(|rest| rest.strip_suffix(b">"));
        if !inner.is_some_and(|inner| inner.eq_ignore_ascii_case(name.as_bytes())) {
            return false;
        }
        self.when = *before;
        frames.pop();
        true
    }

    pub(super) fn open(
        &mut self,
        frames: &mut Vec<Frame>,
        raw: &RawLine,
        expanded: &Expanded<'_>,
        head: &Head<'_>,
    ) {
        let directive = self.emit(raw, expanded, head);
        if head.lacks_bracket() {
            let name = String::from_utf8_lossy(&head.name);
            self.report_late(raw, format!("<{name}> directive missing closing '>'"));
        }
        if self.is_deep(raw) {
            return;
        }
        self.parents.push(directive);
        let name = head.name.to_vec();
        frames.push(Frame::Section {
            name,
            directive,
            opening: raw.clone(),
        });
    }

    /// Stops where sections nest too deep: every directive looks at those around it.
    fn is_deep(&mut self, raw: &RawLine) -> bool {
        let most = self.options.limits.sections;
        let deep = self.parents.len() >= most;
        if deep {
            self.stop(raw, format!("sections nest deeper than {most}"));
        }
        deep
    }

    pub(super) fn close(&mut self, frames: &mut Vec<Frame>, raw: &RawLine, head: &Head<'_>) {
        let name = String::from_utf8_lossy(&head.name);
        let bracket = if head.bracket.is_some() { ">" } else { "" };
        match frames.last() {
            Some(Frame::Section {
                name: open,
                directive,
                opening,
            }) => {
                if head.bracket.is_some() && open.eq_ignore_ascii_case(&head.name) {
                    self.close_block(*directive, opening, raw);
                    self.parents.pop();
                    frames.pop();
                    return;
                }
                let open = String::from_utf8_lossy(open);
                let message = match head.bracket {
                    None => format!("</{name}> directive missing closing '>'"),
                    Some(_) => format!("expected </{open}> but saw </{name}>"),
                };
                self.report(raw, ProblemKind::Syntax, message, true);
            }
            Some(Frame::Conditional {
                name: open,
                before,
                open: true,
                ..
            }) if open.as_bytes().eq_ignore_ascii_case(&head.name) => {
                let message =
                    format!("text behind </{open}>, which httpd refuses where the condition holds");
                self.when = *before;
                frames.pop();
                self.report(raw, ProblemKind::Syntax, message, false);
                return;
            }
            _ => {
                let message =
                    format!("</{name}{bracket} without matching <{name}{bracket} section");
                self.report(raw, ProblemKind::Syntax, message, true);
            }
        }
        self.recover(frames, &head.name);
    }

    /// Behind a wrong closing line: ends what it most likely means.
    fn recover(&mut self, frames: &mut Vec<Frame>, name: &[u8]) {
        let Some(at) = frames.iter().rposition(|frame| frame.is_named(name)) else {
            return;
        };
        while frames.len() > at {
            self.abandon(frames);
        }
    }

    fn abandon(&mut self, frames: &mut Vec<Frame>) {
        match frames.pop() {
            Some(Frame::Section { directive, .. }) => {
                self.abandon_block(directive);
                self.parents.pop();
            }
            Some(Frame::Conditional { before, .. }) => self.when = before,
            None => {}
        }
    }

    /// What is still open at a file's end: httpd accepts that of a conditional that holds
    /// and of all sections within it.
    pub(super) fn end_of_file(&mut self, mut frames: Vec<Frame>) {
        let accepted = frames
            .iter()
            .position(|frame| matches!(frame, Frame::Conditional { .. }));
        let mut reports = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            match frame {
                Frame::Section { name, opening, .. } if accepted.is_none_or(|at| index < at) => {
                    let name = String::from_utf8_lossy(name);
                    reports.push((opening.clone(), format!("<{name}> was not closed"), true));
                }
                Frame::Conditional {
                    name,
                    opening,
                    open: true,
                    ..
                } => {
                    let message =
                        format!("<{name}> was not closed, which httpd accepts only where it holds");
                    reports.push((opening.clone(), message, false));
                }
                _ => {}
            }
        }
        while !frames.is_empty() {
            self.abandon(&mut frames);
        }
        if self.stopped {
            return;
        }
        for (opening, message, refused) in reports {
            self.report(&opening, ProblemKind::Syntax, message, refused);
        }
    }

    pub(super) fn conditional(
        &mut self,
        reader: &mut Reader,
        frames: &mut Vec<Frame>,
        raw: &RawLine,
        head: &Head<'_>,
        expanded: &Expanded<'_>,
    ) {
        let spelled = CONDITIONALS
            .iter()
            .find(|known| head.name.eq_ignore_ascii_case(known.as_bytes()));
        let name = spelled.copied().unwrap_or_default();
        let rest = expanded.line.get(head.rest.clone()).unwrap_or_default();
        let question = match name {
            "IfVersion" => condition::version(rest),
            _ => condition::simple(rest).map_err(|clause| format!("<{name}> {clause}")),
        };
        let answer = match question {
            Ok(question) => self.answer(name, &question),
            Err(message) => {
                self.report(
                    raw,
                    ProblemKind::Syntax,
                    format!("<{name}> {message}"),
                    true,
                );
                Answer::No
            }
        };
        let before = self.when;
        let open = match answer {
            Answer::No => {
                if let Err(message) = skip(reader, name.as_bytes()) {
                    self.report(raw, ProblemKind::Syntax, message, true);
                }
                return;
            }
            Answer::Yes => false,
            Answer::Open(literals) => {
                self.when = self.conditions.and(before, &literals);
                if self.conditions.literals(self.when).len() > MOST_CONDITIONS {
                    let message = format!("more than {MOST_CONDITIONS} open conditions at once");
                    return self.stop(raw, message);
                }
                if self.conditions.atoms.len() > MOST_QUESTIONS {
                    let message = format!("more than {MOST_QUESTIONS} different open conditions");
                    return self.stop(raw, message);
                }
                true
            }
        };
        frames.push(Frame::Conditional {
            name,
            before,
            open,
            opening: raw.clone(),
        });
    }
}

/// Reads over a conditional that does not hold: only sections are counted, and nothing is
/// replaced or carried out (`ap_soak_end_container`).
fn skip(reader: &mut Reader, name: &[u8]) -> Result<(), String> {
    let mut open: Vec<Vec<u8>> = vec![name.to_vec()];
    while let Some(raw) = reader.next() {
        let Some(first) = word(&raw.bytes, 0).filter(|first| first.value.first() == Some(&b'<'))
        else {
            continue;
        };
        let value = first.value.as_ref();
        if value.get(1) != Some(&b'/') {
            let alone = first.range.end >= raw.bytes.len();
            let cut = usize::from(alone && value.len() > 1 && value.ends_with(b">"));
            open.push(value.get(1..value.len() - cut).unwrap_or_default().to_vec());
            continue;
        }
        // Whatever the last byte is, it counts as the bracket.
        let closed = value.get(2..value.len() - 1).unwrap_or_default();
        let Some(expected) = open
            .pop()
            .filter(|expected| !expected.eq_ignore_ascii_case(closed))
        else {
            if open.is_empty() {
                return Ok(());
            }
            continue;
        };
        let (expected, closed) = (
            String::from_utf8_lossy(&expected),
            String::from_utf8_lossy(closed),
        );
        return Err(format!("expected </{expected}> but saw </{closed}>"));
    }
    let name = open.pop().unwrap_or_default();
    Err(format!(
        "expected </{}> before end of configuration",
        String::from_utf8_lossy(&name)
    ))
}
