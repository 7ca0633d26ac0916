//! Files and places as SARIF has them: addresses, and columns counted in characters.

use std::collections::HashMap;
use std::path::Path;

use super::shape::{Artifact, ArtifactLocation, Location, Message, Physical, Region};
use crate::report::Pipeline;
use crate::text::{self, LineIndex, Span};

/// Bytes between two offsets whose characters are counted beforehand.
const STEP: usize = 1024;

/// Every file that the report names, each with its number.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pipeline: &'a Pipeline<'a>,
    /// Path and bytes, by number.
    known: Vec<(&'a Path, Option<&'a [u8]>)>,
    numbers: HashMap<&'a Path, usize>,
    characters: HashMap<&'a Path, Characters<'a>>,
}

/// Characters of a text up to any offset. Each place is looked up, and a file may be one line.
#[derive(Debug)]
struct Characters<'a> {
    bytes: &'a [u8],
    lines: &'a LineIndex,
    /// Offsets at which characters begin, at least [`STEP`] apart, and how many stand before.
    marks: Vec<(usize, usize)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(pipeline: &'a Pipeline<'a>) -> Self {
        Self {
            pipeline,
            known: Vec::new(),
            numbers: HashMap::new(),
            characters: HashMap::new(),
        }
    }

    /// The files, in the order of their numbers.
    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        let each = self.known.iter().enumerate();
        let artifact = each.map(|(index, (path, bytes))| Artifact {
            location: self.address(path, index),
            length: bytes.map(<[u8]>::len),
        });
        artifact.collect()
    }

    /// A file's address.
    pub(super) fn file(&mut self, path: &'a Path) -> ArtifactLocation {
        let index = match self.numbers.get(path) {
            Some(index) => *index,
            None => {
                let bytes = self.pipeline.lint.sources.get(path).map(|bytes| &bytes[..]);
                self.known.push((path, bytes));
                self.numbers.insert(path, self.known.len() - 1);
                self.known.len() - 1
            }
        };
        self.address(path, index)
    }

    /// A place with what is said there.
    pub(super) fn place(
        &mut self,
        place: &'a text::Location,
        id: Option<usize>,
        label: &str,
    ) -> Location {
        let artifact_location = self.file(&place.path);
        let region = self
            .region(&place.path, place.span)
            .unwrap_or_else(|| Region {
                start_line: place.line.max(1),
                ..Region::line(1)
            });
        let message = (!label.is_empty()).then(|| Message::text(label));
        Location {
            id,
            physical_location: Physical {
                artifact_location,
                region: Some(region),
            },
            message,
        }
    }

    /// A file, or a line of it, where no bytes are known.
    pub(super) fn line(&mut self, path: &'a Path, line: u32) -> Location {
        Location {
            id: None,
            physical_location: Physical {
                artifact_location: self.file(path),
                region: (line > 0).then(|| Region::line(line)),
            },
            message: None,
        }
    }

    /// The region of bytes; `None` where the file's bytes are not known or end before.
    pub(super) fn region(&mut self, path: &'a Path, span: Span) -> Option<Region> {
        let (bytes, lines) = self.pipeline.lint.sources.lines(path)?;
        if span.end as usize > bytes.len() || span.start > span.end {
            return None;
        }
        let characters = self.characters.entry(path);
        let characters = characters.or_insert_with(|| Characters::of(bytes, lines));
        let (start, end) = (lines.position(span.start), lines.position(span.end));
        Some(Region {
            start_line: start.line,
            start_column: Some(characters.column(span.start)),
            end_line: Some(end.line),
            end_column: Some(characters.column(span.end)),
            byte_offset: Some(span.start),
            byte_length: Some(span.end - span.start),
        })
    }

    /// Files outside of the working directory have an address of their own; the others are
    /// relative to the root of the sources, wherever that is.
    fn address(&self, path: &'a Path, index: usize) -> ArtifactLocation {
        let shown = self.pipeline.path(path);
        let absolute = shown.starts_with('/');
        let mut uri = if absolute {
            "file://".to_owned()
        } else {
            String::new()
        };
        for byte in shown.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => uri.push(byte as char),
                b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
                other => uri.push_str(&format!("%{other:02X}")),
            }
        }
        ArtifactLocation {
            uri,
            uri_base_id: (!absolute).then_some("%SRCROOT%"),
            index,
        }
    }
}

impl Region {
    /// A whole line.
    pub(super) fn line(line: u32) -> Self {
        Self {
            start_line: line,
            start_column: None,
            end_line: None,
            end_column: None,
            byte_offset: None,
            byte_length: None,
        }
    }
}

impl<'a> Characters<'a> {
    fn of(bytes: &'a [u8], lines: &'a LineIndex) -> Self {
        let mut marks = vec![(0, 0)];
        let (mut at, mut count) = (0, 0);
        for chunk in bytes.utf8_chunks() {
            let widths = chunk.valid().chars().map(char::len_utf8);
            for width in widths.chain(chunk.invalid().iter().map(|_| 1)) {
                if at >= marks[marks.len() - 1].0 + STEP {
                    marks.push((at, count));
                }
                at += width;
                count += 1;
            }
        }
        Self {
            bytes,
            lines,
            marks,
        }
    }

    /// The column of an offset within the text, in characters, from 1.
    fn column(&self, at: u32) -> usize {
        let before = self.lines.position(at).column - 1;
        self.before(at as usize) - self.before((at - before) as usize) + 1
    }

    fn before(&self, at: usize) -> usize {
        let behind = self.marks.partition_point(|(mark, _)| *mark <= at);
        let (mark, count) = self.marks[behind - 1];
        count + characters(&self.bytes[mark..at])
    }
}

/// Unicode characters; a byte that belongs to none counts as one.
fn characters(bytes: &[u8]) -> usize {
    let chunks = bytes.utf8_chunks();
    chunks
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        assert_eq!(characters("größe".as_bytes()), 5);
        assert_eq!(characters(b"a\xffb"), 3);
    }

    /// From marks on the same is counted as from the line's begin.
    #[test]
    fn columns_far_behind_are_characters_too() {
        let line = "grö\u{1f600}ße ".repeat(600).into_bytes();
        let mut bytes = line.clone();
        bytes.extend(b"\xff\xc3\xe2\x82 x\n");
        let second = bytes.len();
        bytes.extend(&line);
        let lines = LineIndex::new(&bytes);
        let counted = Characters::of(&bytes, &lines);
        assert!(counted.marks.len() > 10);
        for at in 0..=bytes.len() {
            let start = if at < second { 0 } else { second };
            let expected = characters(&bytes[start..at]) + 1;
            assert_eq!(counted.column(at as u32), expected, "{at}");
        }
    }
}
