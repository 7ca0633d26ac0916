//! Text as bytes: spans, lines and edits.
//!
//! Configuration files have no charset, so everything here is a byte offset into a byte
//! string. This room must not know that servers exist.

mod edit;
mod lines;
mod location;
mod shown;
mod span;

pub use edit::{Edit, EditError, EditSet};
pub use lines::{LineColumn, LineIndex};
pub use location::Location;
pub use shown::deceives;
pub use span::Span;
