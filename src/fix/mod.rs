//! Proposed changes to bytes, patches and files: plan, verify, patch, write, undo.
//!
//! A plan is text to text and needs no disk; only `write` and `undo` (and the journal under
//! them) touch files. This room must not name a rule: whoever calls it hands over what a
//! rule proposed, and a closure that judges the result.

mod apache;
mod arguments;
mod draft;
mod error;
mod layout;
mod nginx;
mod patch;
mod place;
mod plan;
mod protect;
mod sheet;
mod siblings;
mod verify;

pub use error::FixError;
pub use patch::{PatchOptions, common_repository, patch};
pub use plan::{Note, Options, Plan, PlannedFile, Proposal, Reason, Refusal, plan};
pub use verify::verify;
