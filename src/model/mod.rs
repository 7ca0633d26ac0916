//! What a configuration means for resumption: addresses, names, the effective state of
//! each endpoint and why.
//!
//! Pure: a [`Project`] and a version in, a [`Site`] out. No I/O, no
//! time, no judgement; judging is the rules' work.

mod apache;
mod blocks;
mod domains;
mod effects;
mod nginx;
mod site;
mod state;
mod version;

pub use site::{
    Accepts, Block, BlockId, BlockKind, ClientAuth, CrossName, Effect, Endpoint, Field, Ignored,
    IgnoredReason, Incomplete, Issues, KeySource, Lifetimes, Module, Origin, PerProtocol, Place,
    Refusal, Replaced, Setting, SettingId, Site, Tickets, Tls12, Tls12Id, Tls12Ticket, Tls13,
    Tls13Issued, Tls13Resumes, Transport, Why,
};
pub use version::{Assumed, Platform, VersionSource};

use crate::catalog::Server;
use crate::source::Project;

/// Evaluates a configuration for one platform.
pub fn build(project: &Project, platform: &Platform) -> Site {
    match project.server {
        Server::Nginx => nginx::build(project, platform),
        Server::Apache => apache::build(project, platform),
    }
}

/// What was not read, for the answer.
fn incomplete(project: &Project) -> Vec<Incomplete> {
    let problems = project.problems.iter();
    let entry = problems.map(|problem| Incomplete {
        path: problem.path.clone(),
        line: problem.line,
        why: problem.message.clone(),
    });
    entry.collect()
}
