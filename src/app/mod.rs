//! The use cases, one a file: a request in, an outcome out.
//!
//! Joins the rooms. Never prints, never exits, and decides nothing that a rule or a plan
//! can decide.

mod clock;
mod compare;
mod detect;
mod error;
mod expand;
mod explain;
mod fix;
mod inputs;
mod inspect;
mod judge;
mod lint;
mod merge;
mod near;
mod platforms;
mod probe;
mod prove;
mod request;
mod startup;
mod stretches;
mod undo;

pub use crate::fix::FixError;
pub use crate::probe::{DEFAULT_PORT, Mode, Plan, ProbeError, Target};
pub use crate::source::SourceError;
pub use crate::tls::{Mail, Manner, Speech};
pub use compare::{Comparison, Upgrade, compare};
pub use error::AppError;
pub use expand::{Expansion, expand};
pub use explain::{Page, explain, rules};
pub use fix::{Choice, Repair, fix};
pub use inspect::{Inspection, inspect};
pub use lint::{JudgedServer, Outcome, lint};
pub use near::near;
pub use probe::{ProbeOutcome, ProbeRequest, probe};
pub use request::{Request, VersionSpecError, Versions, standard_input};
pub use startup::{Startup, StartupError};
pub use undo::{Past, past, undo};
