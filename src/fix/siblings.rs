//! What the server already reads where a statement is to be added, and by which includes it
//! reads a file. Looks at the expanded project, so a statement from an included file counts.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::{self, Duplicate, Inherit, Server};
use crate::source::{Directive, DirectiveId, FileId, Project, ViaId, WhenId};
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

/// The statements called `name` directly in `block`, in the server's reading order, each
/// place once. `files` are the project's entries for the block's file.
pub(super) fn siblings(
    project: &Project,
    files: &[FileId],
    block: Option<Span>,
    name: &[u8],
) -> Vec<Sibling> {
    let mut found: Vec<Sibling> = Vec::new();
    for (id, when) in members(project, files, block) {
        let directive = project.directive(id);
        let known = found
            .iter()
            .any(|s| s.file == directive.file && s.span == directive.span);
        if known || !same_name(project.server, project.name(id), name) {
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

/// Directives directly in the block, or in a conditional section there, each with the block's
/// own condition.
fn members(project: &Project, files: &[FileId], block: Option<Span>) -> Vec<(DirectiveId, WhenId)> {
    let here = |directive: &Directive| files.contains(&directive.file);
    let root = files.contains(&FileId(0));
    let belongs = |id: &DirectiveId| {
        let outer = outer(project, *id);
        let Some(block) = block else {
            let inner = outer.is_some_and(|outer| here(project.directive(outer)));
            return (root && outer.is_none()) || (here(project.directive(*id)) && !inner);
        };
        outer.is_some_and(|outer| {
            let outer = project.directive(outer);
            outer.span.start == block.start && here(outer)
        })
    };
    let when = |id: DirectiveId| {
        let outer = block.and_then(|_| outer(project, id));
        outer.map_or(WhenId(0), |outer| project.directive(outer).when)
    };
    ids(project)
        .filter(belongs)
        .map(|id| (id, when(id)))
        .collect()
}

/// The enclosing block that is no conditional section.
fn outer(project: &Project, id: DirectiveId) -> Option<DirectiveId> {
    let mut next = project.directive(id).parent;
    while let Some(parent) = next {
        let conditional =
            project.server == Server::Apache && apache::is_conditional(project.name(parent));
        if !conditional {
            return Some(parent);
        }
        next = project.directive(parent).parent;
    }
    None
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

/// By how many includes the server reads a file.
pub(super) fn instances(project: &Project, files: &[FileId]) -> usize {
    chains(project, files).len()
}

fn chains(project: &Project, files: &[FileId]) -> BTreeSet<ViaId> {
    let own = project
        .directives
        .iter()
        .filter(|directive| files.contains(&directive.file));
    own.map(|directive| directive.via).collect()
}

/// True where httpd may read every file of this one's directory, dotfiles included: an
/// Include names a directory, or has a wildcard that may stand for one.
pub(super) fn crowded(project: &Project, files: &[FileId]) -> bool {
    if project.server == Server::Nginx {
        return false;
    }
    let names: Vec<&Path> = files.iter().map(|id| &*project.file(*id).path).collect();
    let chains = chains(project, files);
    let mut includes = chains
        .iter()
        .filter_map(|via| include_pattern(project, *via));
    includes.any(|pattern| !names.iter().any(|path| names_file(&pattern, path)))
}

/// The argument of the innermost Include of a chain; a macro's use is no include.
fn include_pattern(project: &Project, via: ViaId) -> Option<Vec<u8>> {
    let mut next = Some(via);
    while let Some(via) = next.filter(|via| via.0 != 0) {
        let step = project.vias.get(via.0 as usize)?;
        let statement = ids(project).find(|id| {
            let directive = project.directive(*id);
            directive.file == step.file && directive.span == step.span
        });
        let include = statement.filter(|id| {
            let name = project.name(*id);
            name.get(..7)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"include"))
        });
        if let Some(id) = include {
            return project.first_argument(id).map(<[u8]>::to_vec);
        }
        next = step.parent;
    }
    None
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
