//! Logical lines from files and from macro bodies that stand in a file's place.
//!
//! httpd reads a used macro as if its body stood behind the `Use`, so a line, a section or a
//! conditional may begin in a body and end behind it. This file must not know what lines say.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{FileId, ViaId};
use crate::syntax::apache::{Joined, Line, is_space, lines_from};
use crate::text::Span;

/// A logical line, joined and trimmed, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct RawLine {
    pub(super) bytes: Vec<u8>,
    /// Where the bytes begin within the joined line.
    start: usize,
    /// The line in its file; for a macro, in the file that defines it.
    pub(super) line: Line,
    pub(super) file: FileId,
    pub(super) via: ViaId,
    /// The line number that httpd reports.
    pub(super) number: u32,
    /// What httpd calls the macro that the line comes from.
    pub(super) macro_name: Option<Rc<str>>,
    /// Which file or use of a macro it comes from: opening and closing lines of one block
    /// share it.
    pub(super) instance: u32,
    /// The bytes are those of the file: no macro argument was put in.
    pub(super) exact: bool,
}

impl RawLine {
    /// The file's span of bytes of this line; the whole line where they are not the file's.
    pub(super) fn span(&self, text: &[u8], start: usize, end: usize) -> Span {
        self.places(text).span(start, end)
    }

    /// The same for many spans of one line, which is joined once for all of them.
    pub(super) fn places<'t>(&self, text: &'t [u8]) -> Places<'t> {
        let joined = Joined::new(text, self.line.content, &self.line.cuts);
        let whole = (!self.exact).then(|| {
            let whole = joined.trimmed();
            joined.span(whole.start, whole.end)
        });
        Places {
            joined,
            start: self.start,
            whole,
        }
    }
}

/// Where the bytes of a line stand in its file.
#[derive(Debug)]
pub(super) struct Places<'t> {
    joined: Joined<'t>,
    start: usize,
    /// The whole line, where its bytes are not the file's.
    whole: Option<Span>,
}

impl Places<'_> {
    /// The file's span of bytes of the line.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let own = || self.joined.span(self.start + start, self.start + end);
        self.whole.unwrap_or_else(own)
    }
}

/// A line of a macro's body, or what became of it where the macro is used.
#[derive(Clone, Debug)]
pub(super) struct BodyLine {
    pub(super) bytes: Vec<u8>,
    pub(super) start: usize,
    pub(super) line: Line,
    pub(super) file: FileId,
    pub(super) exact: bool,
}

impl BodyLine {
    /// A line that stands in a macro's definition.
    pub(super) fn new(raw: &RawLine) -> Self {
        Self {
            bytes: raw.bytes.clone(),
            start: raw.start,
            line: raw.line.clone(),
            file: raw.file,
            exact: raw.exact,
        }
    }
}

/// Where lines come from: a file, and above it the macros in use.
#[derive(Debug)]
pub(super) struct Reader {
    file: FileSource,
    macros: Vec<MacroSource>,
    next_instance: u32,
    /// A last line that httpd does not see: see [`Reader::next`].
    pub(super) lost: Option<RawLine>,
}

#[derive(Debug)]
struct FileSource {
    text: Arc<[u8]>,
    file: FileId,
    via: ViaId,
    at: u32,
    number: u32,
}

#[derive(Debug)]
struct MacroSource {
    /// The macro's own name, in lower case.
    key: Vec<u8>,
    /// What httpd calls this use of it.
    name: Rc<str>,
    lines: std::vec::IntoIter<BodyLine>,
    number: u32,
    via: ViaId,
    instance: u32,
}

impl Reader {
    pub(super) fn new(file: FileId, text: Arc<[u8]>, via: ViaId) -> Self {
        let file = FileSource {
            text,
            file,
            via,
            at: 0,
            number: 1,
        };
        Self {
            file,
            macros: Vec::new(),
            next_instance: 1,
            lost: None,
        }
    }

    /// Puts a macro's lines in front of what is left.
    pub(super) fn push(&mut self, key: Vec<u8>, name: Rc<str>, via: ViaId, lines: Vec<BodyLine>) {
        let instance = self.next_instance;
        self.next_instance += 1;
        let lines = lines.into_iter();
        self.macros.push(MacroSource {
            key,
            name,
            lines,
            number: 0,
            via,
            instance,
        });
    }

    /// True while lines of this macro are read, or of one that it uses.
    pub(super) fn is_in(&self, key: &[u8]) -> bool {
        self.macros.iter().any(|source| source.key == key)
    }

    /// The next logical line.
    ///
    /// Behind a macro, httpd reads a physical line byte by byte and drops it where the file
    /// ends before a line feed (`array_getstr`): a `Use` swallows a last line that lacks one.
    pub(super) fn next(&mut self) -> Option<RawLine> {
        let mut begun: Option<RawLine> = None;
        let behind_macro = !self.macros.is_empty();
        while let Some(source) = self.macros.last_mut() {
            let (line, continues) = source.next(begun.take());
            if let Some(line) = line.as_ref().filter(|_| !continues) {
                return Some(trimmed(line.clone()));
            }
            // The body ended, perhaps within a line that goes on behind the `Use`.
            begun = line;
            self.macros.pop();
        }
        if !behind_macro {
            return self.file.next(inside);
        }
        let mut next = self.file.next(|bytes| 0..bytes.len());
        if let Some(raw) = next.take_if(|raw| !raw.line.line_feed) {
            next = self.lose_end(raw);
        }
        match (begun, next) {
            (None, next) => next.map(trimmed),
            (begun, None) => begun.map(trimmed),
            (Some(begun), Some(rest)) => {
                let bytes = [begun.bytes, rest.bytes].concat();
                Some(trimmed(RawLine {
                    bytes,
                    exact: false,
                    ..rest
                }))
            }
        }
    }
    /// What is left of a line without its last physical one, which is kept as lost.
    fn lose_end(&mut self, mut raw: RawLine) -> Option<RawLine> {
        let before = raw.line.cuts.last().map(|cut| cut.end);
        let lost = raw.line.content.end - before.unwrap_or(raw.line.content.start);
        if lost > 0 {
            self.lost = Some(trimmed(raw.clone()));
        }
        before?;
        raw.bytes
            .truncate(raw.bytes.len().saturating_sub(lost as usize));
        Some(raw)
    }
}

/// Drops the space around a line's bytes.
fn trimmed(mut raw: RawLine) -> RawLine {
    let inside = inside(&raw.bytes);
    raw.bytes.truncate(inside.end);
    raw.bytes.drain(..inside.start);
    raw.start += inside.start;
    raw
}

/// What the space around a line's bytes leaves of them.
fn inside(bytes: &[u8]) -> Range<usize> {
    let start = bytes.iter().position(|byte| !is_space(*byte));
    let start = start.unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(*byte));
    start..end.map_or(start, |at| at + 1)
}

impl FileSource {
    /// The next line, with those of its bytes that `part` says.
    fn next(&mut self, part: impl Fn(&[u8]) -> Range<usize>) -> Option<RawLine> {
        let mut lines = lines_from(&self.text, self.at, self.number);
        let line = lines.next()?;
        self.at = line.span.end;
        self.number = line.number + u32::from(line.line_feed);
        let joined = line.joined(&self.text);
        let part = part(&joined.bytes);
        Some(RawLine {
            bytes: joined.bytes.get(part.clone()).unwrap_or_default().to_vec(),
            start: part.start,
            number: line.number,
            line,
            file: self.file,
            via: self.via,
            macro_name: None,
            instance: 0,
            exact: true,
        })
    }
}

impl MacroSource {
    /// The next logical line, behind what an inner macro has begun; true where the body
    /// ends with a continuation. An argument's last backslash makes one.
    fn next(&mut self, begun: Option<RawLine>) -> (Option<RawLine>, bool) {
        let mut joined = begun;
        for line in self.lines.by_ref() {
            self.number += 1;
            let before = joined.take();
            let mut raw = RawLine {
                bytes: line.bytes,
                start: line.start,
                line: line.line,
                file: line.file,
                via: self.via,
                number: self.number,
                macro_name: Some(Rc::clone(&self.name)),
                instance: self.instance,
                exact: line.exact && before.is_none(),
            };
            if let Some(mut before) = before {
                before.bytes.append(&mut raw.bytes);
                raw.bytes = before.bytes;
            }
            if raw.bytes.last() != Some(&b'\\') {
                return (Some(raw), false);
            }
            raw.bytes.pop();
            joined = Some(raw);
        }
        let continues = joined.is_some();
        (joined, continues)
    }
}
