//! What the server already reads where a statement is to be added, and by which includes it
//! reads a file. Looks at the expanded project, so a statement from an included file counts.

use std::collections::HashSet;
use std::path::Path;

use crate::catalog::{self, Duplicate, Inherit, Server};
use crate::fix::desk::Desk;
use crate::source::{DirectiveId, FileId, Project, ViaId, WhenId};
use crate::syntax::apache;
use crate::text::Span;

/// A statement that stands in the block already.
#[derive(Clone, Debug)]
pub(super) struct Sibling {
    /// Its file.
    pub(super) file: FileId,
    /// Where it stands.
    pub(super) span: Span,
    /// It is in force only under a condition that the block is not under.
    pub(super) conditional: bool,
    /// Its arguments as the server reads them.
    pub(super) arguments: Vec<Vec<u8>>,
}

/// The statements called `name` directly in `block` of `file`, in the server's reading order,
/// each place once.
pub(super) fn siblings(
    project: &Project,
    desk: &Desk<'_>,
    file: FileId,
    block: Option<Span>,
    name: &[u8],
) -> Vec<Sibling> {
    let mut members = Vec::new();
    match block {
        Some(block) => {
            for id in desk.directives_at(file, block) {
                let when = project.directive(id).when;
                inside(project, Some(id), &mut |id| members.push((id, when)));
            }
        }
        None => at_top(project, desk.files_of(file), name, &mut members),
    }
    let mut found: Vec<Sibling> = Vec::new();
    let mut known = HashSet::new();
    for (id, when) in members {
        let directive = project.directive(id);
        let mut new = || known.insert((directive.file, directive.span));
        if !same_name(project.server, project.name(id), name) || !new() {
            continue;
        }
        found.push(Sibling {
            file: directive.file,
            span: directive.span,
            conditional: directive.when != when && directive.when != WhenId(0),
            arguments: project.arguments(id).map(<[u8]>::to_vec).collect(),
        });
    }
    found
}

/// Directives directly in a block; a conditional section is no block of its own.
fn inside(project: &Project, block: Option<DirectiveId>, found: &mut dyn FnMut(DirectiveId)) {
    for id in project.children(block) {
        found(id);
        if project.server == Server::Apache && apache::is_conditional(project.name(id)) {
            inside(project, Some(id), found);
        }
    }
}

/// Directives of this name outside of any block of the files; for the root file, at the top
/// level of the whole tree.
fn at_top(
    project: &Project,
    files: &[FileId],
    name: &[u8],
    found: &mut Vec<(DirectiveId, WhenId)>,
) {
    if files.contains(&FileId(0)) {
        inside(project, None, &mut |id| found.push((id, WhenId(0))));
        return;
    }
    for id in ids(project).filter(|id| same_name(project.server, project.name(*id), name)) {
        let directive = project.directive(id);
        let mut outer = directive
            .parent
            .map(|parent| project.directive(parent).file);
        outer = outer.filter(|file| files.contains(file));
        if files.contains(&directive.file) && outer.is_none() {
            found.push((id, WhenId(0)));
        }
    }
}

fn ids(project: &Project) -> impl Iterator<Item = DirectiveId> {
    (0..project.directives.len() as u32).map(DirectiveId)
}

fn same_name(server: Server, one: &[u8], other: &[u8]) -> bool {
    match server {
        Server::Nginx => one == other,
        Server::Apache => one.eq_ignore_ascii_case(other),
    }
}

/// True where several statements of this name in one block are several values, so that one
/// more takes nothing away. Caches accumulate too, but what one of them says sticks.
pub(super) fn additive(server: Server, name: &[u8]) -> bool {
    rows(server, name)
        .any(|row| row.duplicate == Duplicate::Accumulate && row.inherit != Inherit::MergeCache)
}

/// True where every one of several statements of this name in one block counts.
pub(super) fn accumulates(server: Server, name: &[u8]) -> bool {
    rows(server, name).any(|row| row.duplicate == Duplicate::Accumulate)
}

fn rows(server: Server, name: &[u8]) -> impl Iterator<Item = &'static catalog::Directive> {
    let rows = match server {
        Server::Nginx => catalog::nginx(name),
        Server::Apache => catalog::apache(name).map_or(&[][..], std::slice::from_ref),
    };
    rows.iter()
}

/// By which includes the server reads each file.
pub(super) struct Chains {
    /// By file, sorted.
    by_file: Vec<Vec<ViaId>>,
    /// By chain: the argument of its innermost Include; `None` where there is none, and for
    /// nginx, where nobody asks.
    patterns: Vec<Option<Vec<u8>>>,
    /// nginx: some include's wildcard stands for dotfiles.
    dotfiles: bool,
}

impl Chains {
    /// Those of a project.
    pub(super) fn of(project: &Project, desk: &Desk<'_>) -> Self {
        let mut by_file: Vec<Vec<ViaId>> = vec![Vec::new(); project.files.len()];
        for directive in &project.directives {
            let Some(chains) = by_file.get_mut(directive.file.0 as usize) else {
                continue;
            };
            if chains.last() != Some(&directive.via) {
                chains.push(directive.via);
            }
        }
        for chains in &mut by_file {
            chains.sort_unstable();
            chains.dedup();
        }
        let (patterns, dotfiles) = match project.server {
            Server::Nginx => (Vec::new(), names_dotfiles(project)),
            Server::Apache => (include_patterns(project, desk), false),
        };
        Self {
            by_file,
            patterns,
            dotfiles,
        }
    }

    /// How often the server reads a file, whose entries are `files`.
    pub(super) fn count(&self, files: &[FileId]) -> usize {
        self.of_file(files).len()
    }

    /// True where the server may read every file of this one's directory, dotfiles included:
    /// an Include of httpd names a directory, or has a wildcard that may stand for one; one of
    /// nginx has a wildcard for dotfiles.
    pub(super) fn crowded(&self, project: &Project, files: &[FileId]) -> bool {
        if project.server == Server::Nginx {
            return self.dotfiles;
        }
        let chains = self.of_file(files).into_iter();
        let mut includes = chains.filter_map(|via| self.patterns.get(via.0 as usize)?.as_deref());
        let named = |pattern: &[u8]| {
            files
                .iter()
                .any(|id| names_file(pattern, &project.file(*id).path))
        };
        includes.any(|pattern| !named(pattern))
    }

    fn of_file(&self, files: &[FileId]) -> Vec<ViaId> {
        let chains = files
            .iter()
            .filter_map(|id| self.by_file.get(id.0 as usize));
        let mut chains: Vec<ViaId> = chains.flatten().copied().collect();
        chains.sort_unstable();
        chains.dedup();
        chains
    }
}

/// nginx's wildcards pass dotfiles over, unless the pattern itself asks for them.
fn names_dotfiles(project: &Project) -> bool {
    let mut includes = ids(project).filter(|id| project.name(*id) == b"include");
    includes.any(|id| {
        let pattern = project.first_argument(id).unwrap_or_default();
        let name = pattern.rsplit(|byte| *byte == b'/').next();
        name.is_some_and(|name| {
            name.starts_with(b".") && name.iter().any(|byte| b"*?[".contains(byte))
        })
    })
}

/// The argument of the innermost Include of each chain; a macro's use is no include. A chain
/// stands behind the one that it was reached by.
fn include_patterns(project: &Project, desk: &Desk<'_>) -> Vec<Option<Vec<u8>>> {
    let mut patterns: Vec<Option<Vec<u8>>> = Vec::with_capacity(project.vias.len());
    for (index, via) in project.vias.iter().enumerate() {
        // The first chain is the root file itself.
        if index == 0 {
            patterns.push(None);
            continue;
        }
        let mut statements = desk.of_entry(via.file, via.span);
        let statement = statements.find(|id| project.directive(*id).span == via.span);
        let include = statement.filter(|id| {
            let name = project.name(*id);
            name.get(..7)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"include"))
        });
        let pattern = match include {
            Some(id) => project.first_argument(id).map(<[u8]>::to_vec),
            None => via
                .parent
                .and_then(|parent| patterns.get(parent.0 as usize)?.clone()),
        };
        patterns.push(pattern);
    }
    patterns
}

/// Whether an Include's argument surely means the file itself and no directory above it.
fn names_file(pattern: &[u8], path: &Path) -> bool {
    let count = |bytes: &[u8]| {
        bytes
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
            .count()
    };
    let path = path.as_os_str().as_encoded_bytes();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let last = pattern
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    if last == name {
        return true;
    }
    if pattern.starts_with(b"/") && count(pattern) == count(path) {
        return true;
    }
    let extension = last
        .strip_prefix(b"*")
        .filter(|rest| rest.starts_with(b"."));
    extension.is_some_and(|end| !end.iter().any(|b| b"*?[".contains(b)) && name.ends_with(end))
}
