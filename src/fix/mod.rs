//! Proposed changes to bytes, patches and files: plan, verify, patch, write, undo.
//!
//! A plan is text to text and needs no disk; only `write`, `undo` and the files under them
//! (`state`, `journal`, `replace`, `attributes`, `recover`) touch files. This room must not
//! name a rule: whoever calls it hands over what a rule proposed, and a closure that judges
//! the result.

mod apache;
mod arguments;
mod attributes;
mod backup;
mod desk;
mod draft;
mod error;
mod journal;
mod layout;
mod nginx;
mod patch;
mod place;
mod plan;
mod protect;
mod recover;
mod replace;
mod rounds;
mod sheet;
mod siblings;
mod state;
mod undo;
mod verify;
mod write;

pub use backup::backup;
pub use error::FixError;
pub use journal::{Entry, EntryFile, Progress};
pub use patch::{PatchOptions, common_repository, patch};
pub use plan::{Note, Options, Plan, PlannedFile, Proposal, Reason, Refusal, plan};
pub use recover::{Recovered, recover};
pub use state::State;
pub use undo::{Undone, list, undo};
pub use verify::{Texts, verify};
pub use write::{Written, write};
