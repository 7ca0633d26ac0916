//! What the project says of a tree, in this process.

use std::path::Path;

use stekguard::catalog::{self, Server, Version};
use stekguard::model::{
    self, Assumed, ClientAuth, Endpoint, Module, Platform, Site, VersionSource,
};
use stekguard::source::{self, Disk, LoadOptions, Project, Root};

use crate::support::install::{Program, nginx_package};

/// The project's whole answer.
pub struct Predicted {
    pub site: Site,
    pub project: Project,
    /// TLS 1.2 sessions resume by their own name (before 1.29.2).
    pub session_name_first: bool,
}

/// The platform of a server on this machine.
pub fn platform(program: &Program) -> Platform {
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    Platform {
        server: assumed(&program.version),
        library: assumed("3.0"),
        package: nginx_package(program),
    }
}

/// Reads a tree and evaluates it.
pub fn predict(root: &Path, platform: &Platform) -> Predicted {
    let root = Root::new(Server::Nginx, root);
    let project = source::load(&root, &Disk::default(), &LoadOptions::default());
    let site = model::build(&project, platform);
    let session_name_first = platform.server.value < "1.29.2".parse().unwrap();
    Predicted {
        site,
        project,
        session_name_first,
    }
}

impl Predicted {
    /// Why the server would refuse the tree.
    pub fn refusals(&self) -> Vec<String> {
        let problems = self.project.problems.iter().map(|problem| {
            format!(
                "{} in {}:{}",
                problem.message,
                problem.path.display(),
                problem.line
            )
        });
        let found = self.site.refusals.iter().map(|refusal| {
            let (path, line) = (refusal.at.path.display(), refusal.at.line);
            format!("{} in {path}:{line}", refusal.message)
        });
        problems.chain(found).collect()
    }

    /// The endpoint that a client reaches there by this name.
    pub fn endpoint(&self, address: &str, sni: Option<&str>) -> Option<&Endpoint> {
        let at = |endpoint: &&Endpoint| *endpoint.address == *address && endpoint.reachable;
        let here: Vec<&Endpoint> = self.site.endpoints.iter().filter(at).collect();
        let named = sni.and_then(|sni| by_name(&here, sni));
        named.or_else(|| here.iter().copied().find(|endpoint| endpoint.default))
    }

    /// The number that the server's own answer carries (`return 200 "s3 ..."`).
    pub fn mark(&self, endpoint: &Endpoint) -> String {
        let block = &self.site.blocks[endpoint.block.0 as usize];
        let children = self.project.children(block.directive);
        let mut returns = children.filter(|id| self.project.name(*id) == b"return");
        let text = returns.next().and_then(|id| {
            let last = self.project.arguments(id).last()?;
            Some(String::from_utf8_lossy(last).into_owned())
        });
        text.and_then(|text| text.split(' ').next().map(str::to_owned))
            .unwrap_or_default()
    }

    /// In the versions with CVE-2026-120967 stream asks for the certificate that the default
    /// server demands, or the one that the named block does, by whether the handshake ends in
    /// one go: a race, which also throws sessions away. Nothing can be said of such a block.
    pub fn is_race(&self, endpoint: &Endpoint) -> bool {
        let flaw = catalog::advisory("CVE-2026-120967").unwrap();
        let governor = |other: &&Endpoint| {
            other.address == endpoint.address && other.block == endpoint.governor
        };
        let governor = self.site.endpoints.iter().find(governor);
        endpoint.module == Module::Stream
            && flaw.affects(self.site.platform.server.value)
            && endpoint.client_auth == ClientAuth::Off
            && governor.is_some_and(|other| other.client_auth == ClientAuth::Required)
    }

    /// Some server of the tree has a timeout of 0.
    pub fn has_no_time(&self) -> bool {
        let mut settings = self.site.settings.iter();
        settings.any(|setting| setting.name == "ssl_session_timeout" && setting.arguments == ["0"])
    }

    /// Whether the server looks at names there: it does where it has a choice.
    pub fn chooses(&self, address: &str) -> bool {
        let at = |endpoint: &&Endpoint| *endpoint.address == *address;
        self.site.endpoints.iter().filter(at).count() > 1
    }

    /// Whether a name of the endpoint, and not its being the default, leads there.
    pub fn is_named(&self, endpoint: &Endpoint, sni: Option<&str>) -> bool {
        sni.is_some_and(|sni| by_name(&[endpoint], sni).is_some())
    }
}

/// nginx's order: the exact name, the longest wildcard in front, the longest behind, the first
/// expression.
fn by_name<'a>(endpoints: &[&'a Endpoint], sni: &str) -> Option<&'a Endpoint> {
    let mut best: Option<((usize, usize), &Endpoint)> = None;
    // Of expressions the first in the file counts, wherever the default server stands.
    let mut endpoints = endpoints.to_vec();
    endpoints.sort_by_key(|endpoint| endpoint.block);
    for endpoint in endpoints {
        for name in endpoint.names.iter() {
            let Some(rank) = rank(&name.to_ascii_lowercase(), sni) else {
                continue;
            };
            if best.is_none_or(|(other, _)| rank > other) {
                best = Some((rank, endpoint));
            }
        }
    }
    best.map(|(_, endpoint)| endpoint)
}

/// How well a written name fits: kind, then length.
fn rank(name: &str, sni: &str) -> Option<(usize, usize)> {
    if let Some(expression) = name.strip_prefix('~') {
        let expression = regex::Regex::new(expression).unwrap();
        return expression.is_match(sni).then_some((1, 0));
    }
    if name == sni {
        return Some((4, name.len()));
    }
    if let Some(tail) = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
        if name.starts_with('.') && tail == sni {
            return Some((4, tail.len()));
        }
        let fits = sni
            .strip_suffix(tail)
            .is_some_and(|head| head.len() > 1 && head.ends_with('.'));
        return fits.then_some((3, tail.len()));
    }
    let head = name.strip_suffix(".*")?;
    let fits = sni
        .strip_prefix(head)
        .is_some_and(|tail| tail.starts_with('.') && tail.len() > 1);
    fits.then_some((2, head.len()))
}
