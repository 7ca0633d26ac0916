//! A place in a named file, for people and for edits.

use std::path::Path;
use std::sync::Arc;

use super::{LineIndex, Span};

/// Bytes of a file with the position that a person looks for.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct Location {
    /// The file, as the server opens it.
    pub path: Arc<Path>,
    /// The bytes meant.
    pub span: Span,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte in bytes, from 1.
    pub column: u32,
}

impl Location {
    /// The location of `span` in a file whose lines are known.
    pub fn new(path: &Arc<Path>, span: Span, lines: &LineIndex) -> Self {
        let position = lines.position(span.start);
        Self {
            path: Arc::clone(path),
            span,
            line: position.line,
            column: position.column,
        }
    }
}
