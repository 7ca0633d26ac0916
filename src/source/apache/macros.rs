//! Macro definitions and what their use puts in place (httpd `modules/core/mod_macro.c`).
//!
//! Text in, text out; reading a body from a file is the expander's work.

use std::collections::HashSet;

use super::reader::BodyLine;
use crate::source::WhenId;
use crate::syntax::apache::words;

/// Longest line of a body with arguments put in, its line feed included.
const SUBSTITUTED_LIMIT: usize = 8192;

/// Most parameters of a macro that are read; httpd has no bound.
const MOST_PARAMETERS: usize = 1000;

/// A macro.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub(super) parameters: Vec<Vec<u8>>,
    pub(super) body: Vec<BodyLine>,
    /// `defined on line 3 of "file"`, as httpd says it.
    pub(super) location: String,
    /// Under which conditions it was defined.
    pub(super) when: WhenId,
}

/// The head of a definition.
#[derive(Debug)]
pub(super) struct Definition {
    /// In lower case.
    pub(super) name: Vec<u8>,
    pub(super) parameters: Vec<Vec<u8>>,
}

/// Why a definition's head is refused.
#[derive(Debug)]
pub(super) enum HeadError {
    NoBracket,
    EmptyName,
    NoName,
    /// Of the macro with this name.
    Parameters(Vec<u8>, ParameterError),
}

/// What is wrong with a macro's parameters; numbers count from 1.
#[derive(Debug)]
pub(super) enum ParameterError {
    Empty(usize),
    Twice(String, usize, usize),
    TooMany(usize),
}

/// Reads what stands behind `<Macro`, up to the line's end.
pub(super) fn definition(rest: &[u8]) -> Result<Definition, HeadError> {
    let end = rest.iter().rposition(|byte| *byte == b'>');
    let end = match end {
        None if rest.is_empty() => 0,
        None => return Err(HeadError::NoBracket),
        Some(end) => end,
    };
    if end == 0 {
        return Err(HeadError::EmptyName);
    }
    let mut found = words(rest.get(..end).unwrap_or_default()).into_iter();
    let name = found
        .next()
        .map(|word| word.value.to_ascii_lowercase())
        .unwrap_or_default();
    if name.is_empty() {
        return Err(HeadError::NoName);
    }
    let parameters: Vec<Vec<u8>> = found.map(|word| word.value.into_owned()).collect();
    match check(&parameters) {
        None => Ok(Definition { name, parameters }),
        Some(error) => Err(HeadError::Parameters(name, error)),
    }
}

fn check(parameters: &[Vec<u8>]) -> Option<ParameterError> {
    if parameters.len() > MOST_PARAMETERS {
        return Some(ParameterError::TooMany(parameters.len()));
    }
    let mut seen = HashSet::new();
    for (index, parameter) in parameters.iter().enumerate() {
        if parameter.is_empty() {
            return Some(ParameterError::Empty(index + 1));
        }
        if !seen.insert(parameter) {
            let first = parameters
                .iter()
                .position(|other| other == parameter)
                .unwrap_or(0)
                + 1;
            let name = String::from_utf8_lossy(parameter).into_owned();
            return Some(ParameterError::Twice(name, first, index + 1));
        }
    }
    None
}

impl Macro {
    /// The body with arguments put in, or the number of the line that grows too long.
    pub(super) fn lines(&self, arguments: &[Vec<u8>]) -> Result<Vec<BodyLine>, usize> {
        let mut lines = Vec::with_capacity(self.body.len());
        for (index, line) in self.body.iter().enumerate() {
            let mut line = line.clone();
            let changed = self
                .substitute(&mut line.bytes, arguments)
                .ok_or(index + 1)?;
            line.exact &= !changed;
            lines.push(line);
        }
        Ok(lines)
    }

    /// Puts arguments in; says whether any was, `None` where the line grows too long.
    fn substitute(&self, line: &mut Vec<u8>, arguments: &[Vec<u8>]) -> Option<bool> {
        let mut at = 0;
        let mut changed = false;
        while let Some((start, which)) = self.next_parameter(line, at) {
            let name = self.parameters.get(which)?;
            let argument = arguments.get(which)?;
            at = start + argument.len();
            if name == argument {
                continue;
            }
            let quoted = name.first() == Some(&b'@');
            let value = if quoted {
                quote(argument)
            } else {
                argument.clone()
            };
            if line.len() - name.len() + value.len() + 1 >= SUBSTITUTED_LIMIT {
                return None;
            }
            line.splice(start..start + name.len(), value);
            changed = true;
        }
        Some(changed)
    }

    /// The first parameter at or behind `from`; of several at one place the longest.
    fn next_parameter(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = line.get(from..)?;
        let mut best: Option<(usize, usize)> = None;
        for (which, name) in self.parameters.iter().enumerate() {
            let Some(found) = find(rest, name) else {
                continue;
            };
            let better = best.is_none_or(|(at, other)| {
                let length = self.parameters.get(other).map_or(0, Vec::len);
                found < at || (found == at && length < name.len())
            });
            if better {
                best = Some((found, which));
            }
        }
        best.map(|(at, which)| (from + at, which))
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts
        .map(|(at, _)| at)
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted)))
}

fn quote(argument: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in argument {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}
