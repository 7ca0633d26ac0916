//! Findings that somebody has accepted, with the reason: counted and kept, not reported.

use crate::text::Location;

use super::Finding;

/// A finding that is not reported.
#[derive(Clone, Debug)]
pub struct Silenced {
    /// The finding.
    pub finding: Finding,
    /// By what.
    pub by: Silence,
}

/// What keeps a finding from being reported.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Silence {
    /// A comment in the configuration.
    Comment {
        /// The comment.
        at: Location,
        /// Its reason.
        reason: String,
    },
    /// The baseline holds it.
    Baseline,
    /// The settings turn its rule off.
    Off,
    /// It stands in a file that nobody asked about.
    Elsewhere,
}

impl Silence {
    /// True where a report keeps the finding with its reason; false where nobody wants to hear
    /// of it.
    pub const fn is_told(&self) -> bool {
        matches!(self, Self::Comment { .. } | Self::Baseline)
    }
}
