//! The use cases, one a file: a request in, an outcome out.
//!
//! Joins the rooms. Never prints, never exits, and decides nothing that a rule or a plan
//! can decide.

mod apply;
mod changes;
mod choose;
mod clock;
mod compare;
mod detect;
mod edits;
mod error;
mod expand;
mod explain;
mod fix;
mod inputs;
mod inspect;
mod judge;
mod lint;
mod merge;
mod mixture;
mod near;
mod platforms;
mod progress;
mod prove;
mod reload;
mod request;
mod server;
mod startup;
mod stretches;
mod told;
mod undo;
mod validate;

pub use crate::finding::GoLive;
pub use crate::fix::{FixError, KEPT as WRITES_KEPT};
pub use crate::source::SourceError;
pub use apply::{Applied, Wish, apply, order_of};
pub use changes::FileChange;
pub use choose::Piece;
pub use compare::{Comparison, Upgrade, compare};
pub use error::AppError;
pub use expand::{Expansion, expand};
pub use explain::{Page, explain, rules};
pub use fix::{Choice, Repair, fix};
pub use inspect::{Inspection, inspect};
pub use lint::{JudgedServer, Outcome, lint};
pub use near::near;
pub use progress::Progress;
pub use reload::Reloaded;
pub use request::{Request, VersionSpecError, Versions, standard_input};
pub use startup::{Startup, StartupError};
pub use undo::{Past, past, undo};
pub use validate::{Tested, Validate};
