//! Offsets to lines and columns.

use super::Span;

/// A position as people and servers count it.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub struct LineColumn {
    /// Line, from 1; only LF ends a line, as in both servers.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    length: u32,
}

impl LineIndex {
    /// Reads `text` once. Offsets past 4 GiB are cut; the source room refuses such files.
    pub fn new(text: &[u8]) -> Self {
        let ends = || memchr::memchr_iter(b'\n', text);
        let mut starts = Vec::with_capacity(ends().count() + 1);
        starts.push(0);
        starts.extend(ends().map(|offset| offset as u32 + 1));
        Self {
            starts,
            length: text.len() as u32,
        }
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: u32) -> LineColumn {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        LineColumn {
            line: line as u32,
            column: offset - start + 1,
        }
    }

    /// Line of a byte offset, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.position(offset).line
    }

    /// The bytes of a line with its line feed; `None` past the end.
    pub fn span(&self, line: u32) -> Option<Span> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.length);
        Some(Span::new(start, end))
    }

    /// Number of lines; an empty text has one.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_only_lf_ends_a_line() {
        let index = LineIndex::new(b"a\r\nbc\rd\n");
        assert_eq!(index.position(0), LineColumn { line: 1, column: 1 });
        assert_eq!(index.position(3), LineColumn { line: 2, column: 1 });
        assert_eq!(index.position(6), LineColumn { line: 2, column: 4 });
        assert_eq!(index.position(8), LineColumn { line: 3, column: 1 });
        assert_eq!(index.span(2), Some(Span::new(3, 8)));
        assert_eq!(index.span(4), None);
    }
}
