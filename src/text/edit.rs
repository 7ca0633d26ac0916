//! Edits on the original bytes: sorted, disjoint, everything else stays.

use super::Span;

/// One replacement of a byte range.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: Vec<u8>,
}

/// Why edits do not fit together.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum EditError {
    /// Two edits touch the same bytes with different results.
    #[error("two edits overlap at byte {0}")]
    Overlap(u32),
    /// An edit lies outside the text.
    #[error("an edit ends at byte {end} of a text of {length} bytes")]
    Outside {
        /// End of the edit.
        end: u32,
        /// Length of the text.
        length: u32,
    },
}

/// Edits of one text, kept sorted and disjoint.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct EditSet {
    edits: Vec<Edit>,
}

impl EditSet {
    /// No edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an edit. The same edit twice counts once.
    ///
    /// # Errors
    /// [`EditError::Overlap`] when it touches bytes of another edit; two different
    /// insertions at one offset overlap too, because their order would be arbitrary.
    pub fn insert(&mut self, edit: Edit) -> Result<(), EditError> {
        let at = self.edits.partition_point(|other| other < &edit);
        if self.edits.get(at) == Some(&edit) {
            return Ok(());
        }
        let before = at.checked_sub(1).and_then(|index| self.edits.get(index));
        let after = self.edits.get(at);
        if [before, after]
            .into_iter()
            .flatten()
            .any(|other| collide(other.span, edit.span))
        {
            return Err(EditError::Overlap(edit.span.start));
        }
        self.edits.insert(at, edit);
        Ok(())
    }

    /// The edits in order of their place.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    /// True when nothing is edited.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Number of edits.
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// The text after all edits.
    ///
    /// # Errors
    /// [`EditError::Outside`] when an edit ends past the text.
    pub fn apply(&self, text: &[u8]) -> Result<Vec<u8>, EditError> {
        let mut result = Vec::with_capacity(text.len() + 64 * self.edits.len());
        let mut copied = 0;
        for edit in &self.edits {
            if edit.span.end as usize > text.len() {
                return Err(EditError::Outside {
                    end: edit.span.end,
                    length: text.len() as u32,
                });
            }
            result.extend_from_slice(&text[copied..edit.span.start as usize]);
            result.extend_from_slice(&edit.replacement);
            copied = edit.span.end as usize;
        }
        result.extend_from_slice(&text[copied..]);
        Ok(result)
    }
}

fn collide(a: Span, b: Span) -> bool {
    if a.is_empty() && b.is_empty() {
        return a.start == b.start;
    }
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: u32, end: u32, text: &str) -> Edit {
        Edit {
            span: Span::new(start, end),
            replacement: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn applies_in_order_of_place() {
        let mut set = EditSet::new();
        set.insert(edit(4, 5, "E")).unwrap();
        set.insert(edit(0, 0, ">")).unwrap();
        set.insert(edit(4, 5, "E")).unwrap();
        assert_eq!(set.len(), 2);
        assert_eq!(set.apply(b"abcde").unwrap(), b">abcdE");
    }

    #[test]
    fn refuses_overlap_and_outside() {
        let mut set = EditSet::new();
        set.insert(edit(2, 6, "x")).unwrap();
        assert_eq!(set.insert(edit(5, 7, "y")), Err(EditError::Overlap(5)));
        assert_eq!(set.insert(edit(0, 3, "y")), Err(EditError::Overlap(0)));
        assert_eq!(set.insert(edit(3, 3, "y")), Err(EditError::Overlap(3)));
        assert!(set.insert(edit(6, 6, "y")).is_ok());
        assert_eq!(
            set.apply(b"abc"),
            Err(EditError::Outside { end: 6, length: 3 })
        );
    }
}
