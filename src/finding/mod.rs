//! What a rule says, as data: the finding, its places and the change it proposes.
//!
//! This room must not know which rules exist.

mod fingerprint;
mod fix;
mod order;
mod silenced;

pub use fingerprint::{digest, fingerprints};
pub use fix::{Applicability, Change, Fix, GoLive, Target};
pub use order::{order, sort};
pub use silenced::{Silence, Silenced};

use std::sync::Arc;

use crate::catalog::Version;
use crate::text::Location;

/// How bad it is, mildest first.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only on request.
    Pedantic,
    /// Worth knowing.
    Note,
    /// Weakens resumption or does not do what it says.
    Warning,
    /// Breaks the server, or sessions open what they must not.
    Error,
}

/// How sure the tool is.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Depends on something that the files do not say.
    Low,
    /// Holds unless an assumption that is named in the finding is wrong.
    Medium,
    /// Follows from what was read.
    High,
}

/// One finding: one cause, the line that decides it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence: what is wrong.
    pub message: String,
    /// The deciding line.
    pub location: Location,
    /// What the caret line says at the location, short.
    pub label: String,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// Affected endpoints as `address (names)`, in the model's order.
    pub endpoints: Vec<String>,
    /// What to do, one sentence each.
    pub help: Vec<String>,
    /// The judged versions for which it holds; empty when it holds for every one judged.
    /// Filled by the app when several versions were judged.
    pub versions: Versions,
    /// Undecided conditions under which it holds, as written.
    pub when: Vec<String>,
    /// The proposed change.
    pub fix: Option<Fix>,
}

/// Versions for which a finding holds, shared by all that hold for the same ones: there are many
/// findings and many versions.
pub type Versions = Arc<[Version]>;

/// A further place of a finding.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Related {
    /// Where.
    pub location: Location,
    /// What it has to do with the finding.
    pub label: String,
}
