//! httpd: from the expanded directives to endpoints with their effective state, under every
//! answer to conditions that the files leave open.

mod alternatives;
mod assembly;
mod blocks;
mod config;
mod names;
mod protocols;
mod settings;
mod sockets;
mod state;
mod unresolved;

use std::collections::HashMap;
use std::sync::Arc;

use self::alternatives::Alternatives;
use self::assembly::{Assembly, Layout, Several};
use self::blocks::{Roles, View};
use super::domains::{Domains, Numbers};
use super::effects::Effects;
use super::{
    Block, BlockId, ByName, Condition, Effect, Endpoint, Lookups, Platform, Setting, Site,
    incomplete,
};
use crate::source::{Project, WhenId};

pub(super) use self::unresolved::gaps;

/// What is the same for every version, worked out once.
#[derive(Debug)]
pub(super) struct Groundwork<'a> {
    project: &'a Project,
    roles: Roles,
    /// Some value is not known.
    open: bool,
    /// Of the last answers to conditions: most versions answer the same.
    laid: Option<Layout>,
}

impl<'a> Groundwork<'a> {
    pub(super) fn of(project: &'a Project) -> Self {
        Self {
            project,
            roles: Roles::of(project),
            open: !gaps(project).is_empty(),
            laid: None,
        }
    }

    /// Evaluates the configuration for one version; blocks and settings go with the site.
    pub(super) fn lent(&mut self, platform: &Platform) -> Site {
        let laid = self.laid.take();
        let (evaluated, laid) = evaluated(self.project, &self.roles, platform, self.open, laid);
        self.laid = laid;
        let written = self.roles.blocks.lent();
        evaluated.site(self.project, platform, written)
    }

    /// What a site had, for another version.
    pub(super) fn take_back(&mut self, blocks: Vec<Block>, settings: Vec<Setting>) {
        self.roles.blocks.take_back(blocks, settings);
    }
}

/// What a version makes of the configuration, apart from what is written.
struct Evaluated<'a> {
    endpoints: Vec<Endpoint>,
    /// What became of settings.
    found: Vec<Option<Effect>>,
    alternatives: Alternatives<'a>,
}

fn evaluated<'a>(
    project: &'a Project,
    roles: &Roles,
    platform: &Platform,
    open: bool,
    mut laid: Option<Layout>,
) -> (Evaluated<'a>, Option<Layout>) {
    let alternatives = Alternatives::of(project, platform.server.value);
    let mut assembly = Assembly {
        platform,
        roles,
        effects: Effects::new(&roles.blocks),
        domains: Domains::default(),
        numbers: Numbers::default(),
        endpoints: Vec::new(),
        several: (alternatives.answers().len() > 1).then(Several::default),
        open,
    };
    for (index, answers) in alternatives.answers().iter().enumerate() {
        let view = View {
            project,
            roles,
            answers,
        };
        let layout = Layout::again(laid, &view);
        assembly.alternative(index, view, &layout);
        laid = Some(layout);
    }
    let Assembly {
        mut endpoints,
        effects,
        several,
        ..
    } = assembly;
    let several = several.unwrap_or_default();
    for (endpoint, found) in endpoints.iter_mut().zip(several.found_in) {
        endpoint.when = alternatives.when(&found);
    }
    let (endpoints, places) = ordered(endpoints);
    let mut found = effects.into_found();
    for effect in &mut found {
        if let Some(Effect::Ignored(ignored)) = effect {
            for endpoint in &mut ignored.endpoints {
                *endpoint = places[*endpoint];
            }
            ignored.endpoints.sort_unstable();
        }
    }
    let evaluated = Evaluated {
        endpoints,
        found,
        alternatives,
    };
    (evaluated, laid)
}

impl Evaluated<'_> {
    fn site(
        self,
        project: &Project,
        platform: &Platform,
        (mut blocks, mut settings, by_name): (Vec<Block>, Vec<Setting>, Arc<ByName>),
    ) -> Site {
        let Self {
            endpoints,
            found,
            alternatives,
        } = self;
        for (setting, effect) in settings.iter_mut().zip(found) {
            setting.effect = effect.unwrap_or(Effect::Unused);
        }
        for setting in &mut settings {
            let when = project.directive(setting.directive).when;
            (setting.when, setting.excluded) = alternatives.settled(project, when);
        }
        for endpoint in &endpoints {
            let block = &mut blocks[endpoint.block.0 as usize];
            block.tls = true;
            block.names.clone_from(&endpoint.names);
        }
        Site {
            server: project.server,
            root: project.root.clone(),
            platform: platform.clone(),
            incomplete: incomplete(project),
            refusals: Vec::new(),
            files: project.files.len(),
            endpoints,
            blocks,
            settings,
            by_name,
            facts: project.facts.clone(),
            lookups: Lookups::default(),
            remarks: Vec::new(),
            strangers: Vec::new(),
            awaited: project.awaited.clone(),
        }
    }
}

/// By address in the order of first appearance, then in file order, which is the order in which
/// names are looked for: what only later alternatives showed goes to its place. Also says where
/// each one went.
fn ordered(endpoints: Vec<Endpoint>) -> (Vec<Endpoint>, Vec<usize>) {
    let mut addresses: HashMap<&str, usize> = HashMap::new();
    let ranked = endpoints.iter().enumerate().map(|(index, endpoint)| {
        let next = addresses.len();
        let rank = *addresses.entry(&endpoint.address).or_insert(next);
        (rank, endpoint.block, index)
    });
    let mut ranked: Vec<(usize, BlockId, usize)> = ranked.collect();
    if ranked.is_sorted() {
        let places = (0..endpoints.len()).collect();
        return (endpoints, places);
    }
    ranked.sort_unstable();
    let mut places = vec![0; ranked.len()];
    for (place, (_, _, index)) in ranked.iter().enumerate() {
        places[*index] = place;
    }
    let mut moved: Vec<(usize, Endpoint)> = places.iter().copied().zip(endpoints).collect();
    moved.sort_unstable_by_key(|(place, _)| *place);
    let endpoints = moved.into_iter().map(|(_, endpoint)| endpoint);
    (endpoints.collect(), places)
}

/// What the version leaves open of every conjunction.
pub(super) fn conditions(project: &Project, platform: &Platform) -> Vec<Condition> {
    let alternatives = Alternatives::of(project, platform.server.value);
    let ids = (0..project.whens.len() as u32).map(WhenId);
    ids.map(|id| {
        let (open, excluded) = alternatives.settled(project, id);
        Condition { open, excluded }
    })
    .collect()
}
