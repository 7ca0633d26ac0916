//! Proposals to byte edits, per file. Text to text; it opens no file.
//!
//! A proposal is taken whole or refused whole, in the order given. What is refused says why
//! in one sentence.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::Server;
use crate::finding::{Change, Fix, GoLive, Target};
use crate::fix::desk::Desk;
use crate::fix::draft::Draft;
use crate::fix::protect;
use crate::source::{FileId, FileOrigin, PathGlobs, Project};
use crate::text::{EditSet, Span};

/// What a rule proposes, with the words for the patch.
#[derive(Clone, Debug)]
pub struct Proposal<'fix> {
    /// The rule's name.
    pub rule: &'static str,
    /// Why, in one clause for the patch's hunk header.
    pub reason: String,
    /// The change.
    pub fix: &'fix Fix,
}

/// How to plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Also edit files that say that they are generated or belong to another tool.
    pub force: bool,
    /// Files that the settings protect.
    pub protected: PathGlobs,
    /// Files that a package's upgrade overwrites, symlinks resolved, with the package.
    pub packaged: BTreeMap<PathBuf, String>,
}

/// Edits of all files of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Files that change, in the order of the project's files.
    pub files: Vec<PlannedFile>,
    /// Indices of the proposals that are taken or already met, ascending.
    pub taken: Vec<usize>,
    /// Proposals that are not taken.
    pub refused: Vec<Refusal>,
    /// What a reader of the patch should know.
    pub notes: Vec<Note>,
    /// What the taken proposals cost, each sentence once.
    pub costs: Vec<String>,
    /// What makes all of it live; `None` where nothing changes.
    pub go_live: Option<GoLive>,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// The paths by which the server opens it, the first first.
    pub paths: Vec<Arc<Path>>,
    /// The file to write, symlinks resolved; `None` where there is none on this machine.
    pub real: Option<PathBuf>,
    /// Whose file it is.
    pub server: Server,
    /// Its bytes as read.
    pub before: Arc<[u8]>,
    /// Its bytes afterwards, shared by all who read them.
    pub after: Arc<[u8]>,
    /// Edits of `before`, then of what they made, and so on; one set for each round.
    pub rounds: Vec<EditSet>,
    /// Why, by place in `after`.
    pub reasons: Vec<Reason>,
    /// The server may read every file in this one's directory, dotfiles included, so no
    /// temporary file may lie there.
    pub crowded: bool,
}

/// Why bytes change.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub struct Reason {
    /// The changed bytes in the text afterwards; empty where bytes went away.
    pub span: Span,
    /// The rule.
    pub rule: &'static str,
    /// Why, in one clause.
    pub text: String,
}

/// A proposal that is not taken.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Refusal {
    /// Its index among the proposals.
    pub proposal: usize,
    /// The rule.
    pub rule: &'static str,
    /// The file concerned.
    pub path: PathBuf,
    /// Why, one sentence.
    pub reason: String,
}

/// Something to know about an edited file.
#[derive(Clone, Eq, PartialEq, Hash, Debug)]
pub struct Note {
    /// The file.
    pub path: PathBuf,
    /// One sentence.
    pub text: String,
}

/// Plans the proposals that fit together.
pub fn plan(project: &Project, proposals: &[Proposal<'_>], options: &Options) -> Plan {
    if proposals.is_empty() {
        return Plan::default();
    }
    let desk = Desk::new(project, options);
    let mut seen = HashSet::new();
    let changes = proposals.iter().flat_map(|proposal| {
        let common = &proposal.fix.common;
        let new = seen.insert(common.as_ptr().addr()).then_some(common);
        new.into_iter()
            .flat_map(|it| it.iter())
            .chain(&proposal.fix.changes)
    });
    // What comes new takes the file's tree to find its place; what is there is read by itself.
    let changes = changes.filter(|change| matches!(change, Change::Insert { .. }));
    let concerned: BTreeSet<FileId> = changes.filter_map(|it| desk.file(place(it))).collect();
    if concerned.len() >= FEW {
        let all: Vec<FileId> = concerned.into_iter().collect();
        all.par_iter().with_min_len(FEW / 4).for_each(|id| {
            desk.tree(*id);
        });
    }
    let mut draft = Draft::new(project, &desk);
    for (index, proposal) in proposals.iter().enumerate() {
        draft.take(index, proposal);
    }
    draft.finish()
}

/// The file that a change is for.
fn place(change: &Change) -> &Path {
    match change {
        Change::SetArguments { statement, .. } | Change::Remove { statement } => &statement.path,
        Change::Insert {
            target: Target::Block(block),
            ..
        } => &block.path,
        Change::Insert {
            target: Target::File(path),
            ..
        } => path,
    }
}

/// The edits of files, each by the path by which the server opens it first.
pub type Edited = Vec<(Arc<Path>, EditSet)>;

/// What each proposal changes where it is the only one; `None` where it is refused.
pub fn edits_of_each(
    project: &Project,
    proposals: &[Proposal<'_>],
    options: &Options,
) -> Vec<Option<Edited>> {
    let desk = Desk::new(project, options);
    let one = |proposal: &Proposal<'_>| {
        let mut draft = Draft::new(project, &desk);
        draft.take(0, proposal);
        draft.edits()
    };
    proposals.par_iter().with_min_len(FEW).map(one).collect()
}

/// For fewer proposals, starting threads takes longer than they save.
pub(super) const FEW: usize = 64;

/// The project's files that no plan edits, by the paths by which the server opens them.
pub fn untouchable(project: &Project, options: &Options) -> HashSet<PathBuf> {
    let files = project.files.iter();
    let held = files.filter(|file| {
        // Mostly the same, and every name is asked about.
        let real = file.real.as_deref().filter(|real| *real != &*file.path);
        let names = [Some(&*file.path), real];
        let names: Vec<&Path> = names.into_iter().flatten().collect();
        file.origin == FileOrigin::Stub || protect::owner(&names, &file.text, options).is_some()
    });
    held.map(|file| file.path.to_path_buf()).collect()
}

impl Plan {
    /// True when no file changes.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl Reason {
    /// Rule and reason as one clause.
    pub fn clause(&self) -> String {
        format!("{}: {}", self.rule, self.text)
    }
}
