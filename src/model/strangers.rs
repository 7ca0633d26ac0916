//! Directives whose names no server has and that are nearly one of the catalog's. Whether that
//! is a fault is not decided here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::Condition;
use super::site::Stranger;
use crate::catalog::{self, Body, Server};
use crate::source::{Directive, DirectiveId, Project};

/// For fewer directives, starting threads takes longer than they save.
const FEW: usize = 4096;

/// A directive, and the name that is near.
pub(super) type Near = (DirectiveId, &'static str);

/// All of a project, in its order.
pub(super) fn strangers(project: &Project) -> Vec<Near> {
    let ids = 0..project.directives.len() as u32;
    let known = Known::default();
    match project.directives.len() < FEW {
        true => of(project, ids, &known),
        false => (ids.start..ids.end.div_ceil(FEW as u32))
            .into_par_iter()
            .flat_map_iter(|part| {
                let first = part * FEW as u32;
                of(project, first..ids.end.min(first + FEW as u32), &known)
            })
            .collect(),
    }
}

/// What was found for a name, for all parts: looking through the catalog takes long.
#[derive(Default)]
struct Known<'a>(Mutex<HashMap<&'a [u8], Option<&'static str>>>);

impl<'a> Known<'a> {
    fn meant(&self, server: Server, name: &'a [u8]) -> Option<&'static str> {
        let held = |poisoned: PoisonError<_>| poisoned.into_inner();
        if let Some(meant) = self.0.lock().unwrap_or_else(held).get(name) {
            return *meant;
        }
        // Not while others wait; who asks in the meantime finds the same.
        let meant = catalog::meant(server, name);
        self.0.lock().unwrap_or_else(held).insert(name, meant);
        meant
    }
}

/// As a site has them: `conditions` are the project's, settled for its platform.
pub(super) fn on_site(
    project: &Project,
    near: &[Near],
    conditions: impl Fn() -> Vec<Condition>,
) -> Vec<Stranger> {
    if near.is_empty() {
        return Vec::new();
    }
    let conditions = conditions();
    let each = near.iter().filter_map(|(id, meant)| {
        let condition = conditions.get(project.directive(*id).when.0 as usize);
        let when = match condition {
            Some(condition) if condition.excluded => return None,
            Some(condition) => condition.open.clone(),
            None => Vec::new(),
        };
        Some(Stranger {
            location: project.name_location(*id),
            name: String::from_utf8_lossy(project.name(*id)).into_owned(),
            meant,
            when,
        })
    });
    each.collect()
}

fn of<'a>(project: &'a Project, ids: std::ops::Range<u32>, known: &Known<'a>) -> Vec<Near> {
    // Few names stand for many directives, and other parts need not wait for each of them.
    let mut asked: HashMap<&[u8], Option<&'static str>> = HashMap::new();
    let unknown = ids
        .map(DirectiveId)
        .filter(|id| is_unknown(project, project.directive(*id)));
    let near = unknown.filter_map(|id| {
        let name = project.name(id);
        let meant = asked
            .entry(name)
            .or_insert_with(|| known.meant(project.server, name));
        Some((id, (*meant)?))
    });
    near.collect()
}

/// The catalog has no row for it, and it stands where a directive stands and not a word of a
/// table (`map`, `types`) or what only another module reads.
fn is_unknown(project: &Project, directive: &Directive) -> bool {
    if directive.spec.is_some() {
        return false;
    }
    let Some(parent) = directive.parent else {
        return true;
    };
    let around = project.directive(parent).spec.map(|spec| spec.body);
    project.server == Server::Apache || around == Some(Body::Block)
}
