//! The few lines of a file that a finding shows, made safe, with the places moved along.
//!
//! A place that covers many lines is shown by its first; a very long line by a window.

use std::ops::Range;
use std::path::Path;

use super::{Sources, escape};
use crate::text::{LineIndex, Location};

/// Bytes of a line that are shown before a place and behind its start, where the line is
/// too long to be shown whole.
const BEFORE: usize = 60;
const BEHIND: usize = 180;
/// Lines longer than this are shown by a window.
const LONGEST: usize = 400;
/// Places further apart than this get excerpts of their own.
pub(super) const NEAR: u32 = 30;

/// Safe text of neighbouring lines.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Excerpt {
    /// Number of its first line.
    pub(super) line: usize,
    /// The text.
    pub(super) text: String,
    /// The places in it, in the order given.
    pub(super) places: Vec<Range<usize>>,
}

impl Excerpt {
    /// The lines of the file at `path`; empty ones where nobody has its bytes.
    pub(super) fn of(path: &Path, places: &[&Location], sources: &Sources) -> Self {
        match sources.lines(path) {
            Some((bytes, lines)) => Self::new(bytes, lines, places),
            None => Self::new(b"", &LineIndex::new(b""), places),
        }
    }

    /// The lines that `places` (all of one file, at least one) stand in. A place outside
    /// `bytes` becomes an empty one. `lines` are those of `bytes`.
    pub(super) fn new(bytes: &[u8], lines: &LineIndex, places: &[&Location]) -> Self {
        let first = places.iter().map(|place| place.line).min().unwrap_or(1);
        let last = places.iter().map(|place| place.line).max().unwrap_or(1);
        let mut excerpt = Self {
            line: first as usize,
            text: String::new(),
            places: vec![0..0; places.len()],
        };
        for number in first..=last {
            let line = lines.span(number);
            let line = line.map_or(bytes.len()..bytes.len(), |line| {
                line.start as usize..line.end as usize
            });
            let feed = bytes[line.clone()].ends_with(b"\n");
            let line = line.start..line.end - usize::from(feed);
            let here: Vec<(usize, &Location)> = places
                .iter()
                .enumerate()
                .filter(|(_, place)| place.line == number)
                .map(|(index, place)| (index, *place))
                .collect();
            excerpt.push_line(bytes, line, &here);
        }
        excerpt
    }

    /// Appends a line, given without its line feed.
    fn push_line(&mut self, bytes: &[u8], line: Range<usize>, here: &[(usize, &Location)]) {
        let end = if bytes[line.clone()].ends_with(b"\r") {
            line.end - 1
        } else {
            line.end
        };
        let shown = window(bytes, line.start..end, here);
        if shown.start > line.start {
            self.text.push('…');
        }
        let base = self.text.len();
        // Everything between two cuts is escaped as one piece, so that the offsets of the
        // places in the escaped text are the lengths of the pieces before them.
        for (index, place) in here {
            let from = char_boundary(bytes, place.span.start as usize);
            let from = from.clamp(shown.start, shown.end);
            let to = char_boundary(bytes, place.span.end as usize).clamp(from, shown.end);
            let before = escape::bytes(&bytes[shown.start..from]).len();
            let length = escape::bytes(&bytes[from..to]).len();
            self.places[*index] = base + before..base + before + length;
        }
        self.text.push_str(&escape::bytes(&bytes[shown.clone()]));
        if shown.end < end {
            self.text.push('…');
        }
        self.text.push('\n');
    }
}

/// The part of a line that is shown.
fn window(bytes: &[u8], line: Range<usize>, here: &[(usize, &Location)]) -> Range<usize> {
    if line.len() <= LONGEST {
        return line;
    }
    let at = here
        .iter()
        .map(|(_, place)| place.span.start as usize)
        .min();
    let at = at.unwrap_or(line.start).clamp(line.start, line.end);
    let from = char_boundary(bytes, at.saturating_sub(BEFORE).max(line.start));
    let to = char_boundary(bytes, (at + BEHIND).min(line.end));
    from..to.max(from)
}

/// Moves an offset out of the middle of a UTF-8 character.
fn char_boundary(bytes: &[u8], mut offset: usize) -> usize {
    for _ in 0..3 {
        if bytes.get(offset).is_none_or(|byte| byte & 0xc0 != 0x80) {
            break;
        }
        offset = offset.saturating_sub(1);
    }
    offset
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::text::Span;

    fn excerpt(text: &[u8], places: &[&Location]) -> Excerpt {
        Excerpt::new(text, &LineIndex::new(text), places)
    }

    fn place(text: &[u8], start: usize, end: usize) -> Location {
        let path: Arc<Path> = Arc::from(Path::new("f"));
        Location::new(
            &path,
            Span::new(start as u32, end as u32),
            &LineIndex::new(text),
        )
    }

    #[test]
    fn places_move_with_what_is_escaped_before_them() {
        let text = b"first\ncaf\xe9 \x1b on;\r\nlast";
        let excerpt = excerpt(text, &[&place(text, 13, 15), &place(text, 6, 24)]);
        assert_eq!(excerpt.line, 2);
        assert_eq!(excerpt.text, "caf\\xe9 \\x1b on;\n");
        assert_eq!(&excerpt.text[excerpt.places[0].clone()], "on");
        // Over several lines: what stands on the first.
        assert_eq!(
            &excerpt.text[excerpt.places[1].clone()],
            "caf\\xe9 \\x1b on;"
        );
    }

    #[test]
    fn a_long_line_is_shown_by_a_window() {
        let mut text = vec![b'a'; 5000];
        text[3000..3003].copy_from_slice(b"xyz");
        let excerpt = excerpt(&text, &[&place(&text, 3000, 3003)]);
        assert!(excerpt.text.len() < 300, "{}", excerpt.text.len());
        assert_eq!(&excerpt.text[excerpt.places[0].clone()], "xyz");
    }

    #[test]
    fn places_outside_the_text_are_empty() {
        let text = b"ab\n";
        let mut outside = place(text, 0, 1);
        outside.span = Span::new(90, 95);
        let excerpt = excerpt(text, &[&outside]);
        assert_eq!(excerpt.places[0].len(), 0);
        assert!(excerpt.places[0].end <= excerpt.text.len());
    }
}
