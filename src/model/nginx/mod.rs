//! nginx: from the expanded directives to endpoints with their effective state.

mod assembly;
mod blocks;
mod config;
mod deciders;
mod domains;
mod early_data;
mod pair;
mod reasons;
mod refusals;
mod settings;
mod sockets;
mod state;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use self::assembly::Assembly;
use self::blocks::Roles;
use self::deciders::Deciders;
use self::refusals::{Shared, Texts};
use self::sockets::{Server, Socket, Ways};
use super::{
    Block, ByName, Effect, Endpoint, Lookups, Module, Platform, Refusal, Setting, Site, incomplete,
};
use crate::catalog::{self, Version, behaviours};
use crate::source::Project;

/// What is the same for every version, worked out once.
#[derive(Debug)]
pub(super) struct Groundwork<'a> {
    project: &'a Project,
    roles: Roles,
    texts: Texts,
    /// One for each of the [`Ways`]; most configurations need one.
    layouts: [OnceLock<Layout>; 4],
    /// The endpoints of the version before, and the layout that they are of: most of what is said of
    /// them holds for the next one.
    before: Option<(Ways, Vec<Endpoint>)>,
}

/// The servers with the addresses that they share.
#[derive(Debug)]
struct Layout {
    servers: Vec<Server>,
    sockets: Vec<Socket>,
    refused: Shared,
    /// Some server does not say which protocols are on.
    by_default: bool,
}

impl<'a> Groundwork<'a> {
    pub(super) fn of(project: &'a Project) -> Self {
        let roles = Roles::of(project);
        let texts = Texts::of(project, &roles);
        let ground = Self {
            project,
            roles,
            texts,
            layouts: Default::default(),
            before: None,
        };
        // What the newest versions ask for, before several versions ask at once.
        ground.laid_out(Ways {
            tls13: true,
            stream_names: ground.streams(),
        });
        ground
    }

    /// Evaluates the configuration for one version; blocks and settings go with the site.
    pub(super) fn lent(&mut self, platform: &Platform) -> Site {
        let ways = self.ways(platform.server.value);
        let before = self.before.replace((ways, Vec::new()));
        let before = before.and_then(|(of, endpoints)| (of == ways).then_some(endpoints));
        let layout = self.laid_out(ways);
        let evaluated = self.evaluated(platform, layout, before.unwrap_or_default());
        let written = self.roles.blocks.lent();
        evaluated.site(
            self.project,
            platform,
            written,
            &self.laid_out(ways).servers,
        )
    }

    /// What a site had, for another version.
    pub(super) fn take_back(
        &mut self,
        blocks: Vec<Block>,
        settings: Vec<Setting>,
        endpoints: Vec<Endpoint>,
    ) {
        self.roles.blocks.take_back(blocks, settings);
        if let Some((_, before)) = &mut self.before {
            *before = endpoints;
        }
    }

    fn evaluated(&self, platform: &Platform, layout: &Layout, before: Vec<Endpoint>) -> Evaluated {
        let project = self.project;
        let version = platform.server.value;
        let Layout {
            servers,
            sockets,
            refused,
            ..
        } = layout;
        let refusals = refusals::refusals(
            project,
            &self.roles,
            &self.texts,
            (servers, refused),
            version,
        );
        let assembly = Assembly {
            blocks: &self.roles.blocks,
            servers,
            sockets,
            deciders: Deciders::of(sockets, version),
            version,
            sni_patched: sni_patched(platform),
        };
        let (endpoints, judge) = assembly.endpoints(before);
        Evaluated {
            endpoints,
            found: judge.0.into_found(),
            refusals,
        }
    }

    /// Asks of the version only what matters to this configuration.
    fn ways(&self, version: Version) -> Ways {
        let stream_names =
            self.streams() && behaviours::nginx::STREAM_VIRTUAL_SERVERS.holds(version);
        let mut ways = Ways {
            tls13: true,
            stream_names,
        };
        if self.laid_out(ways).by_default {
            ways.tls13 = behaviours::nginx::TLS13_IN_DEFAULT_PROTOCOLS.holds(version);
        }
        ways
    }

    fn streams(&self) -> bool {
        let mut modules = self.roles.servers.iter().map(|(_, module)| *module);
        modules.any(|module| module == Module::Stream)
    }

    fn laid_out(&self, ways: Ways) -> &Layout {
        let index = usize::from(ways.tls13) * 2 + usize::from(ways.stream_names);
        if let Some(layout) = self.layouts[index].get() {
            return layout;
        }
        // Not while the place is held: a thread that waits for parts of it takes up other
        // work, which may ask for the same.
        let layout = Layout::of(self.project, &self.roles, ways);
        self.layouts[index].get_or_init(|| layout)
    }
}

impl Layout {
    fn of(project: &Project, roles: &Roles, ways: Ways) -> Self {
        let base = project.root.parent().unwrap_or(Path::new(""));
        let servers = sockets::servers(roles, ways, base);
        let mut unsaid = servers.iter().map(|server| &server.config.protocols.by);
        let by_default = unsaid.any(Option::is_none);
        let sockets = sockets::sockets(&servers);
        Self {
            by_default,
            refused: Shared::of(&roles.blocks, (&servers, &sockets), ways.stream_names),
            sockets,
            servers,
        }
    }
}

/// What a version makes of the configuration, apart from what is written.
struct Evaluated {
    endpoints: Vec<Endpoint>,
    /// What became of settings.
    found: Vec<Option<Effect>>,
    refusals: Vec<Refusal>,
}

impl Evaluated {
    fn site(
        self,
        project: &Project,
        platform: &Platform,
        (mut blocks, mut settings, by_name): (Vec<Block>, Vec<Setting>, Arc<ByName>),
        servers: &[Server],
    ) -> Site {
        for (setting, effect) in settings.iter_mut().zip(self.found) {
            setting.effect = effect.unwrap_or(Effect::Unused);
        }
        for server in servers {
            blocks[server.block.0 as usize]
                .names
                .clone_from(&server.names);
        }
        let endpoints = self.endpoints;
        if endpoints.iter().any(|endpoint| endpoint.early_data) {
            early_data::mark(project, &mut blocks);
        }
        for endpoint in &endpoints {
            blocks[endpoint.block.0 as usize].tls = true;
        }
        Site {
            server: project.server,
            root: project.root.clone(),
            platform: platform.clone(),
            incomplete: incomplete(project),
            refusals: self.refusals,
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

/// A package took the fix over.
fn sni_patched(platform: &Platform) -> bool {
    let advisory = catalog::advisory("CVE-2025-23419");
    let package = platform.package.as_deref();
    let patched = advisory
        .zip(package)
        .and_then(|(row, name)| row.patched(name));
    patched == Some(true)
}
