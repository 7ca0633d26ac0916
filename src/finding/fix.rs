//! A proposed change, said in terms of statements; the fix room turns it into bytes.

use std::path::Path;
use std::sync::Arc;

use crate::text::Location;

/// A change that a rule proposes.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Fix {
    /// What it does, in the imperative: `turn tickets off in the server`.
    pub title: String,
    /// May it be applied without being asked for?
    pub applicability: Applicability,
    /// Its own changes. All of it is applied together or not at all.
    pub changes: Vec<Change>,
    /// Changes that it has in common with the fixes of other findings: of an address with many
    /// names, each line may be wrong, and none be changed without the others.
    pub common: Arc<[Change]>,
    /// What it costs, one sentence each: `returning clients do a full handshake`.
    pub costs: Vec<String>,
    /// What makes it live.
    pub go_live: GoLive,
}

impl Fix {
    /// Everything that it changes, sorted where something is in common.
    pub fn all(&self) -> impl Iterator<Item = &Change> {
        let mut all: Vec<&Change> = self.common.iter().chain(&self.changes).collect();
        if !self.common.is_empty() {
            all.sort();
        }
        all.into_iter()
    }
}

/// May a fix be applied without being asked for?
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Applicability {
    /// Does what the policy asks and nothing else that a user would notice.
    Safe,
    /// Needs `--unsafe-fixes`.
    Unsafe,
}

/// What makes a change live, mildest first.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum GoLive {
    /// A reload (httpd: graceful).
    Reload,
    /// Stop and start: a reload would end the server (httpd) or leave old state.
    StopAndStart,
}

/// One statement changed.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Change {
    /// Gives an existing statement these arguments; its name, quoting of the others and
    /// layout stay.
    SetArguments {
        /// The statement.
        statement: Location,
        /// All arguments afterwards, unquoted.
        arguments: Vec<String>,
    },
    /// Adds a statement to a block, in the place and with the layout of its siblings.
    /// Dropped by the plan when the block already says the same.
    Insert {
        /// Where to.
        target: Target,
        /// Name and arguments, unquoted.
        statement: Vec<String>,
    },
    /// Removes a statement, with its line where nothing else stands on it.
    Remove {
        /// The statement.
        statement: Location,
    },
}

/// Where a statement is added.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Target {
    /// Directly in this block; the location is the block's whole statement.
    Block(Location),
    /// At the top level of this file.
    File(Arc<Path>),
}
