//! The use cases, one a file: a request in, an outcome out.
//!
//! Joins the rooms. Never prints, never exits, and decides nothing that a rule or a plan
//! can decide.

mod detect;
mod error;
mod explain;
mod inputs;
mod inspect;
mod judge;
mod lint;
mod merge;
mod platforms;
mod request;

pub use crate::source::SourceError;
pub use error::AppError;
pub use explain::{Page, explain, rules};
pub use inspect::{Inspection, inspect};
pub use lint::{JudgedServer, Outcome, lint};
pub use request::{Request, VersionSpecError, Versions, standard_input};
