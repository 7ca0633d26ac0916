//! Logical lines: physical lines joined by continuations.
//!
//! The only place that knows how httpd reads a line (httpd `server/util.c`,
//! `ap_cfg_getline_core`). It must not look at what a line says.

use std::borrow::Cow;

use super::words::is_space;
use crate::text::Span;

/// Longest joined line of a server configuration, in bytes (`VARBUF_MAX_LEN`).
pub const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// Longest joined line inside a macro's body, in bytes, its line feed included
/// (`MAX_STRING_LEN` without the terminator).
pub const MACRO_LINE_LIMIT: usize = 8191;

/// A logical line of a text.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Line {
    /// All its bytes, line end included.
    pub span: Span,
    /// The bytes before the line end (or before a NUL byte), continuations included.
    pub content: Span,
    /// The removed bytes of its continuations, in order, apart from each other.
    pub cuts: Vec<Span>,
    /// The first physical line, from 1.
    pub first: u32,
    /// The last physical line: the number that httpd reports.
    pub number: u32,
    /// A NUL byte hides the bytes between `content` and the line end.
    pub nul: bool,
    /// A line feed ends it; only the last line of a text can lack one.
    pub line_feed: bool,
}

/// Splits a text into logical lines; they tile it.
pub fn lines(text: &[u8]) -> Lines<'_> {
    Lines {
        text,
        at: 0,
        number: 1,
    }
}

/// Goes on behind a line that was read before: `at` is its end, `number` that of the next
/// physical line.
pub fn lines_from(text: &[u8], at: u32, number: u32) -> Lines<'_> {
    Lines { text, at, number }
}

/// Iterator over the logical lines of a text.
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    text: &'t [u8],
    at: u32,
    number: u32,
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.at as usize >= self.text.len() {
            return None;
        }
        let start = self.at;
        let first = self.number;
        let mut cuts = Vec::new();
        loop {
            let piece = physical(self.text, self.at);
            self.at = piece.next;
            self.number += u32::from(piece.line_feed);
            let ended = piece.nul || !piece.line_feed;
            let (end, joins) = match ended {
                true => (piece.end, None),
                false => line_end(self.text, start, piece.end, &cuts),
            };
            if let Some(backslash) = joins {
                add_cut(&mut cuts, Span::new(backslash, piece.next));
                continue;
            }
            return Some(Line {
                span: Span::new(start, piece.next),
                content: Span::new(start, end),
                cuts,
                first,
                number: self.number - u32::from(piece.line_feed),
                nul: piece.nul,
                line_feed: piece.line_feed,
            });
        }
    }
}

/// A physical line: `end` is its line feed, a NUL byte or the text's end.
struct Physical {
    end: u32,
    next: u32,
    line_feed: bool,
    nul: bool,
}

fn physical(text: &[u8], at: u32) -> Physical {
    let input = text.get(at as usize..).unwrap_or_default();
    let kept = memchr::memchr2(b'\n', 0, input).unwrap_or(input.len());
    let (kept, hidden) = input.split_at(kept);
    let rest = match hidden.first() {
        Some(0) => memchr::memchr(b'\n', hidden).unwrap_or(hidden.len()),
        _ => 0,
    };
    let end = at + kept.len() as u32;
    let line_feed = hidden.len() > rest;
    Physical {
        end,
        next: end + rest as u32 + u32::from(line_feed),
        line_feed,
        nul: rest > 0,
    }
}

/// Where the content of a line that ends in the line feed at `line_feed` ends, and the
/// backslash that joins the next physical line to it.
///
/// httpd looks at the joined bytes: the carriage return and the backslash may stand behind
/// an earlier continuation.
fn line_end(text: &[u8], start: u32, line_feed: u32, cuts: &[Span]) -> (u32, Option<u32>) {
    if cuts.is_empty() {
        return whole_line_end(text, start, line_feed);
    }
    let mut cuts = cuts.iter().rev().copied().peekable();
    let mut before = |mut at: u32| -> Option<u32> {
        while let Some(cut) = cuts.next_if(|cut| cut.end >= at) {
            at = at.min(cut.start);
        }
        (at > start).then(|| at - 1)
    };
    let mut last = before(line_feed);
    let mut end = line_feed;
    if let Some(at) = last.filter(|at| text.get(*at as usize) == Some(&b'\r')) {
        if at + 1 == line_feed {
            end = at;
        }
        last = before(at);
    }
    (
        end,
        last.filter(|at| text.get(*at as usize) == Some(&b'\\')),
    )
}

/// The same for a line without a continuation so far, as nearly all are.
fn whole_line_end(text: &[u8], start: u32, line_feed: u32) -> (u32, Option<u32>) {
    let content = Span::new(start, line_feed).of(text);
    let (kept, end) = match content {
        [kept @ .., b'\r'] => (kept, line_feed - 1),
        kept => (kept, line_feed),
    };
    (end, kept.ends_with(b"\\").then(|| end - 1))
}

/// Adds a cut: one with those that it covers or touches.
fn add_cut(cuts: &mut Vec<Span>, mut cut: Span) {
    while let Some(last) = cuts.last().filter(|last| last.end >= cut.start) {
        cut = cut.cover(*last);
        cuts.pop();
    }
    cuts.push(cut);
}

impl Line {
    /// The line as httpd sees it before it trims: continuations removed, nothing inserted.
    pub fn joined<'t>(&self, text: &'t [u8]) -> Joined<'t> {
        Joined::new(text, self.content, &self.cuts)
    }
}

/// Bytes of a text without its continuations, and the way back to the text.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Joined<'t> {
    /// The joined bytes.
    pub bytes: Cow<'t, [u8]>,
    /// Where the first stretch without a cut begins in the text.
    first: u32,
    /// For each further one: its position in `bytes` and in the text. Most lines have none.
    stretches: Vec<(u32, u32)>,
}

impl<'t> Joined<'t> {
    /// Joins the bytes of `content` around `cuts`.
    pub fn new(text: &'t [u8], content: Span, cuts: &[Span]) -> Self {
        let first = content.start;
        if cuts.is_empty() {
            return Self {
                bytes: Cow::Borrowed(content.of(text)),
                first,
                stretches: Vec::new(),
            };
        }
        let mut stretches = Vec::with_capacity(cuts.len());
        let mut bytes = Vec::with_capacity(content.len() as usize);
        let mut at = content.start;
        for cut in cuts {
            bytes.extend_from_slice(Span::new(at, cut.start).of(text));
            at = cut.end;
            stretches.push((bytes.len() as u32, at));
        }
        bytes.extend_from_slice(Span::new(at, content.end).of(text));
        Self {
            bytes: Cow::Owned(bytes),
            first,
            stretches,
        }
    }

    /// True for a line without continuations.
    pub(super) fn is_whole(&self) -> bool {
        self.stretches.is_empty()
    }

    /// The text's offset of the joined byte at `position`; for the end of the joined bytes,
    /// the offset behind the last one.
    pub fn offset(&self, position: usize) -> u32 {
        let position = position as u32;
        let next = self
            .stretches
            .partition_point(|(joined, _)| *joined <= position);
        let (joined, offset) = next
            .checked_sub(1)
            .and_then(|at| self.stretches.get(at))
            .copied()
            .unwrap_or((0, self.first));
        offset + (position - joined)
    }

    /// The position behind the uncut stretch of bytes that holds `position`.
    pub(super) fn stretch_end(&self, position: usize) -> usize {
        let next = self
            .stretches
            .partition_point(|(joined, _)| *joined as usize <= position);
        self.stretches
            .get(next)
            .map_or(self.bytes.len(), |(joined, _)| *joined as usize)
    }

    /// The text's span of joined bytes; continuations between them are covered, those at
    /// its edges are not.
    pub fn span(&self, start: usize, end: usize) -> Span {
        if end <= start {
            return Span::at(self.offset(start));
        }
        Span::new(self.offset(start), self.offset(end - 1) + 1)
    }

    /// The positions of the joined bytes without the space around them.
    pub fn trimmed(&self) -> std::ops::Range<usize> {
        let start = self.bytes.iter().position(|byte| !is_space(*byte));
        let Some(start) = start else {
            return 0..0;
        };
        let end = self
            .bytes
            .iter()
            .rposition(|byte| !is_space(*byte))
            .map_or(start, |at| at + 1);
        start..end
    }
}
