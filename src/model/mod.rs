//! What a configuration means for resumption: addresses, names, the effective state of
//! each endpoint and why.
//!
//! Pure: a [`Project`] and a version in, a [`Site`] out. No I/O, no
//! time, no judgement; judging is the rules' work.

mod apache;
mod blocks;
mod by_name;
mod commands;
mod domains;
mod effects;
mod endpoint;
mod lookups;
mod nginx;
mod remarks;
mod site;
mod state;
mod strangers;
mod version;
mod words;

pub use by_name::ByName;
pub use endpoint::{
    Accepts, Endpoint, Issues, Lifetimes, PerProtocol, Place, Tickets, Tls12, Tls13, Why,
};
pub use lookups::Lookups;
pub use site::{
    Block, BlockId, BlockKind, Effect, Ignored, IgnoredReason, Incomplete, Refusal, Remark,
    Setting, SettingId, Site, Stranger, WrittenBlock, WrittenSetting,
};
pub use version::{Assumed, Platform, VersionSource};
pub use words::{
    ClientAuth, CrossName, Field, KeySource, Module, Origin, Replaced, Tls12Id, Tls12Ticket,
    Tls13Issued, Tls13Resumes, Transport,
};

/// What a comment for stekguard says.
pub use crate::syntax::remark::Remark as Said;

/// What the files are like that settings name, as the source room found them.
pub use crate::source::{Awaited, Entropy, Facts, FileFacts, Storage};

use crate::catalog::Server;
use crate::source::Project;

/// Evaluates a configuration for one platform.
pub fn build(project: &Project, platform: &Platform) -> Site {
    Groundwork::of(project).lent(platform).into_site()
}

/// A configuration with everything worked out that no version changes, to be evaluated for
/// several platforms.
#[derive(Debug)]
pub struct Groundwork<'a> {
    project: &'a Project,
    kind: Kind<'a>,
    remarks: Vec<Remark>,
    strangers: Vec<strangers::Near>,
}

#[derive(Debug)]
enum Kind<'a> {
    Nginx(Box<nginx::Groundwork<'a>>),
    Apache(Box<apache::Groundwork<'a>>),
}

impl<'a> Groundwork<'a> {
    /// Works it out.
    pub fn of(project: &'a Project) -> Self {
        let kind = match project.server {
            Server::Nginx => Kind::Nginx(Box::new(nginx::Groundwork::of(project))),
            Server::Apache => Kind::Apache(Box::new(apache::Groundwork::of(project))),
        };
        Self {
            project,
            kind,
            remarks: remarks::remarks(project),
            strangers: strangers::strangers(project),
        }
    }

    /// Evaluates it for one platform, and lends the site what is written: what no version
    /// changes is neither copied nor held twice. Of the version it asks the catalog alone, so
    /// that [`catalog::validity`](crate::catalog::validity) tells for which others it holds;
    /// but where the configuration itself compares versions, it holds for this one.
    pub fn lent(mut self, platform: &Platform) -> Lent<'a> {
        let site = match &mut self.kind {
            Kind::Nginx(ground) => ground.lent(platform),
            Kind::Apache(ground) => ground.lent(platform),
        };
        let settled = || conditions(self.project, platform);
        let site = Site {
            remarks: std::mem::take(&mut self.remarks),
            strangers: strangers::on_site(self.project, &self.strangers, settled),
            ..site
        };
        Lent { site, ground: self }
    }
}

/// A site with the groundwork that lends it what is written.
#[derive(Debug)]
pub struct Lent<'a> {
    site: Site,
    ground: Groundwork<'a>,
}

impl<'a> Lent<'a> {
    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The groundwork, for another platform.
    pub fn back(self) -> Groundwork<'a> {
        let Self { site, mut ground } = self;
        let Site {
            blocks,
            settings,
            remarks,
            endpoints,
            ..
        } = site;
        ground.remarks = remarks;
        match &mut ground.kind {
            Kind::Nginx(ground) => ground.take_back(blocks, settings, endpoints),
            Kind::Apache(ground) => ground.take_back(blocks, settings),
        }
        ground
    }

    /// The site alone, where no other platform is asked for.
    pub fn into_site(self) -> Site {
        self.site
    }

    /// The site, and what is left of the groundwork, which may be large.
    pub fn apart(self) -> (Site, Groundwork<'a>) {
        (self.site, self.ground)
    }
}

/// What is left to ask of a conjunction of conditions once the version is known.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Condition {
    /// Conditions that stay open, as written.
    pub open: Vec<String>,
    /// The version decides one of them the other way: nothing under it is in force.
    pub excluded: bool,
}

/// Every conjunction of the project's conditions on a platform, by its
/// [`WhenId`](crate::source::WhenId).
pub fn conditions(project: &Project, platform: &Platform) -> Vec<Condition> {
    match project.server {
        Server::Nginx => Vec::new(),
        Server::Apache => apache::conditions(project, platform),
    }
}

/// Settings whose value is not known, because it holds a variable that nothing here defines.
/// What they decide is `unknown`, and nothing is clean.
pub fn unresolved(project: &Project) -> Vec<Incomplete> {
    match project.server {
        Server::Nginx => Vec::new(),
        Server::Apache => apache::gaps(project),
    }
}

/// What was not read or is not known, for the answer.
fn incomplete(project: &Project) -> Vec<Incomplete> {
    let problems = project.problems.iter();
    let entry = problems.map(|problem| Incomplete {
        path: problem.path.clone(),
        line: problem.line,
        why: problem.message.clone(),
    });
    entry.chain(unresolved(project)).collect()
}
