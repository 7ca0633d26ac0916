//! The use cases, one a file: a request in, an outcome out.
//!
//! Joins the rooms. Never prints, never exits, and decides nothing that a rule or a plan
//! can decide.

mod apply;
mod baseline;
mod changes;
mod choose;
mod clock;
mod compare;
mod configured;
mod detect;
mod edits;
mod error;
mod expand;
mod explain;
mod fix;
mod fix_rounds;
mod fix_shown;
mod fix_sum;
mod inputs;
mod inspect;
mod judge;
#[cfg(target_os = "linux")]
pub mod keys;
mod lint;
mod measure;
mod merge;
mod mixture;
mod near;
mod order;
mod parts;
mod platforms;
mod probe;
mod progress;
mod prove;
mod refused;
mod reload;
mod request;
mod server;
mod settings;
mod startup;
mod stretches;
mod suppress;
mod told;
mod undo;
mod validate;

pub use crate::finding::GoLive;
pub use crate::fix::{FixError, KEPT as WRITES_KEPT};
pub use crate::probe::{DEFAULT_PORT, Mode, Plan, ProbeError, Target};
pub use crate::source::{FragmentContext, SourceError, lead};
pub use crate::tls::{Mail, Manner, Speech};
pub use apply::{Applied, Wish, apply, order_of};
pub use baseline::{Baseline, BaselineError};
pub use changes::FileChange;
pub use choose::Piece;
pub use compare::{Comparison, Upgrade, compare};
pub use configured::Configured;
pub use error::AppError;
pub use expand::{Expansion, expand};
pub use explain::{Page, explain, rules};
pub use fix::{Choice, Repair, fix};
pub use inspect::{Inspection, inspect};
pub use lint::{JudgedServer, Outcome, lint};
pub use near::near;
pub use parts::Part;
pub use probe::{ProbeOutcome, ProbeRequest, probe};
pub use progress::Progress;
pub use reload::Reloaded;
pub use request::{Laid, Request, VersionSpecError, Versions, standard_input};
pub use settings::{
    Lookup, SETTINGS_FILE, SYSTEM_SETTINGS, SettingsError, all_there, check_settings, configured,
    new_settings, settings_files,
};
pub use startup::{Startup, StartupError};
pub use undo::{Past, Undone, past, undo};
pub use validate::{Tested, Validate};
