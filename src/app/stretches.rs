//! Which neighbouring versions cannot differ for a configuration, so that one of them is
//! judged for all. Asks the catalog only; judges nothing.

use std::collections::HashSet;

use crate::catalog::{self, Directive, Server, Version};
use crate::model::Platform;
use crate::source::{AtomKind, DirectiveId, Project};

/// The platforms, oldest first, in stretches of which any one stands for all.
///
/// Two versions are alike when every fact of the catalog answers the same for both: each
/// behaviour, advisory and decider, and whether each directive in use exists. Whether a
/// directive exists that is not in use changes nothing.
pub(super) fn stretches<'a>(project: &Project, platforms: &'a [Platform]) -> Vec<&'a [Platform]> {
    if asks_for_version(project) {
        return platforms.chunks(1).collect();
    }
    let used = used(project);
    platforms
        .chunk_by(|older, newer| {
            let versions = (older.server.value, newer.server.value);
            older.library == newer.library
                && older.package == newer.package
                && alike(project.server, &used, versions)
        })
        .collect()
}

/// True where the configuration itself compares versions (`IfVersion`), with numbers that no
/// table knows.
fn asks_for_version(project: &Project) -> bool {
    let mut kinds = project.atoms.iter().map(|atom| &atom.kind);
    kinds.any(|kind| matches!(kind, AtomKind::Version { .. }))
}

/// Every row of the directives in use, in whatever context.
fn used(project: &Project) -> Vec<&'static Directive> {
    let ids = (0..project.directives.len()).map(|id| DirectiveId(id as u32));
    let names: HashSet<Vec<u8>> = ids
        .map(|id| project.name(id))
        .collect::<HashSet<&[u8]>>()
        .into_iter()
        .map(|name| name.strip_prefix(b"<").unwrap_or(name).to_ascii_lowercase())
        .collect();
    let rows = catalog::all(project.server).iter();
    rows.filter(|row| names.contains(row.name.to_ascii_lowercase().as_bytes()))
        .collect()
}

fn alike(server: Server, used: &[&Directive], (older, newer): (Version, Version)) -> bool {
    let behaviours = catalog::all_behaviours(server).iter();
    let advisories = catalog::advisories().iter();
    let mut advisories = advisories.filter(|advisory| advisory.server == server);
    used.iter()
        .all(|row| exists(row, older) == exists(row, newer))
        && catalog::all(server)
            .iter()
            .all(|row| row.decider(older) == row.decider(newer))
        && catalog::all_commands()
            .iter()
            .all(|command| command.decider(server, older) == command.decider(server, newer))
        && behaviours
            .into_iter()
            .all(|behaviour| behaviour.holds(older) == behaviour.holds(newer))
        && advisories.all(|advisory| advisory.affects(older) == advisory.affects(newer))
}

/// Whether a directive exists, and whether the server warns about it.
fn exists(row: &Directive, version: Version) -> (bool, bool) {
    let deprecated = row.deprecated.is_some_and(|from| version >= from);
    (row.exists(version), deprecated)
}
