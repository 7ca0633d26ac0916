//! Proposed changes to bytes, patches and files: plan, verify, patch, write, undo.
//!
//! A plan is text to text and needs no disk; only `write`, `undo`, `shadow` and the files
//! under them (`state`, `journal`, `replace`, `attributes`, `recover`) touch files. This room
//! must not name a rule: whoever calls it hands over what a rule proposed, and a closure that
//! judges the result.

mod apache;
mod arguments;
mod attributes;
mod backup;
mod cover;
mod desk;
mod draft;
mod error;
mod hunks;
mod journal;
mod layout;
mod nginx;
mod order;
mod patch;
mod place;
mod plan;
mod protect;
mod recover;
mod replace;
mod rounds;
mod shadow;
mod sheet;
mod siblings;
mod slip;
mod spell;
mod state;
mod steps;
mod tree;
mod undo;
mod verify;
mod write;

pub use backup::backup;
pub use cover::cover;
pub use error::FixError;
pub use hunks::{Change, Hunk, changes, hunks, select};
pub use journal::{Entry, EntryFile, KEPT, Progress};
pub use order::Order;
pub use patch::{PatchOptions, common_repository, patch, piece};
pub use plan::{
    Edited, Note, Options, Plan, PlannedFile, Proposal, Reason, Refusal, edits_of_each, plan,
    untouchable,
};
pub use recover::{Recovered, recover};
pub use rounds::Sum;
pub use shadow::Shadow;
pub use state::State;
pub use tree::Copied;
pub use undo::{Undone, list, undo};
pub use verify::{Texts, new_texts, verify, verify_texts};
pub use write::{Gates, Written, write, write_through};
