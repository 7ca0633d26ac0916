//! What the project says of a tree, and which of its endpoints a client meets by the contract.

use std::net::SocketAddr;
use std::path::Path;

use stekguard::catalog::{Server, Version};
use stekguard::model::{self, Assumed, BlockId, Endpoint, Platform, Site, VersionSource};
use stekguard::policy::Policy;
use stekguard::rules::{self, Context};
use stekguard::source::{self, DirectiveId, Disk, LoadOptions, Project, Root};

use super::client::Probe;
use super::noise;

/// The project's answer.
pub struct Predicted {
    pub project: Project,
    pub site: Site,
    /// Addresses of vhosts, as written.
    addresses: Vec<String>,
    /// Ports that are listened on at every address.
    wild: Vec<u16>,
}

/// What is compiled into Debian's httpd (`apache2 -l`), by both names.
const BUILT_IN: [&str; 16] = [
    "core.c",
    "core_module",
    "mod_so.c",
    "so_module",
    "mod_watchdog.c",
    "watchdog_module",
    "http_core.c",
    "http_module",
    "mod_log_config.c",
    "log_config_module",
    "mod_logio.c",
    "logio_module",
    "mod_version.c",
    "version_module",
    "mod_unixd.c",
    "unixd_module",
];

/// How the trees are read: all is known.
pub fn options() -> LoadOptions {
    LoadOptions {
        defines: vec!["LIVE".to_owned()],
        defines_known: true,
        modules: Some(BUILT_IN.map(str::to_owned).to_vec()),
        ..LoadOptions::default()
    }
}

/// Reads and judges.
pub fn predict(root: &Path, version: &str, wild: &[u16]) -> Predicted {
    let root = Root {
        base: root.parent().map(Path::to_path_buf),
        ..Root::new(Server::Apache, root)
    };
    let project = source::load(&root, &Disk::default(), &options());
    let assumed = |text: &str| Assumed {
        value: text.parse::<Version>().unwrap(),
        source: VersionSource::Flag,
    };
    let platform = Platform {
        server: assumed(version),
        library: assumed("3.0"),
        package: None,
    };
    let site = model::build(&project, &platform);
    let ids = (0..project.directives.len() as u32).map(DirectiveId);
    let vhosts = ids.filter(|id| {
        let name = project.name(*id);
        let name = name.strip_prefix(b"<").unwrap_or(name);
        name.eq_ignore_ascii_case(b"VirtualHost")
    });
    let addresses = vhosts
        .flat_map(|id| {
            project
                .arguments(id)
                .map(|word| String::from_utf8_lossy(word).into_owned())
        })
        .collect();
    Predicted {
        project,
        site,
        addresses,
        wild: wild.to_vec(),
    }
}

impl Predicted {
    /// Why httpd would refuse the tree: a problem in httpd's own words, or a rule's finding on
    /// a conf command in the rule's words.
    pub fn refusal(&self) -> Option<(String, bool)> {
        let mut problems = self.project.problems.iter();
        if let Some(problem) = problems.find(|problem| problem.refused) {
            return Some((problem.message.clone(), true));
        }
        let rule = rules::by_name("malformed-conf-command").unwrap();
        let findings = (rule.check)(&Context {
            site: &self.site,
            policy: &Policy::default(),
        });
        let finding = findings.first()?;
        Some((finding.message.clone(), false))
    }

    /// Whom a client meets; `None` where nobody speaks TLS.
    pub fn endpoint(&self, probe: &Probe) -> Option<&Endpoint> {
        let (ip, port) = (probe.address.ip(), probe.address.port());
        let named =
            |address: &String| *address == format!("{ip}:{port}") || *address == format!("{ip}:*");
        let wild = self.wild.contains(&port) && !self.addresses.iter().any(named);
        let address = match wild {
            true => format!("*:{port}"),
            false => format!("{ip}:{port}"),
        };
        let here = |endpoint: &&Endpoint| {
            *endpoint.address == *address && endpoint.reachable && holds(endpoint)
        };
        let all: Vec<&Endpoint> = self.site.endpoints.iter().filter(here).collect();
        let by_name = probe.sni.as_ref().and_then(|sni| {
            let has = |endpoint: &&&Endpoint| endpoint.names.iter().any(|name| matches(name, sni));
            all.iter().find(has)
        });
        by_name
            .or_else(|| all.iter().find(|endpoint| endpoint.default))
            .copied()
    }

    /// The mark that a block sends in its answers.
    pub fn mark(&self, block: BlockId) -> Option<String> {
        let directive = self.site.blocks[block.0 as usize].directive?;
        let mut inside = self.project.children(Some(directive));
        let header = inside.find(|id| self.project.name(*id).eq_ignore_ascii_case(b"Header"))?;
        let value = self.project.arguments(header).nth(3)?;
        let value = String::from_utf8_lossy(value);
        value.split(' ').next().map(str::to_owned)
    }

    /// The endpoint's own vhost has no TLS; the first vhost lends its own.
    pub fn is_without_tls(&self, endpoint: &Endpoint) -> bool {
        let engine = self.setting(endpoint.block, "SSLEngine");
        endpoint.block != endpoint.governor
            && engine.is_none_or(|word| !word.eq_ignore_ascii_case("on"))
    }

    /// The last value of a setting in a block, else at the server level.
    pub fn setting(&self, block: BlockId, name: &str) -> Option<String> {
        let main = BlockId(0);
        self.own(block, name).or_else(|| self.own(main, name))
    }

    /// The last value of a setting that stands in a block.
    pub fn own(&self, block: BlockId, name: &str) -> Option<String> {
        let all = self.site.settings.iter().rev();
        let mut own = all
            .filter(|setting| setting.block == block && setting.name == name && !setting.excluded);
        own.next().map(|setting| setting.arguments.join(" "))
    }

    /// Every value of a setting at the server level.
    pub fn main(&self, name: &str) -> Vec<String> {
        let all = self.site.settings.iter();
        let own = all.filter(|setting| {
            setting.block == BlockId(0) && setting.name == name && !setting.excluded
        });
        own.map(|setting| setting.arguments.join(" ")).collect()
    }

    /// True where sessions may end while they are looked at.
    pub fn is_tight(&self) -> bool {
        let all = self.site.settings.iter();
        let mut timeouts = all.filter(|setting| setting.name == "SSLSessionCacheTimeout");
        timeouts.any(|setting| {
            let digits = setting.arguments.iter().flat_map(|word| word.chars());
            let digits: String = digits
                .skip_while(|c| *c == '+')
                .take_while(char::is_ascii_digit)
                .collect();
            digits
                .parse::<u64>()
                .is_ok_and(|seconds| (1..=10).contains(&seconds))
        })
    }
}

/// All of an endpoint's open conditions hold on the server.
fn holds(endpoint: &Endpoint) -> bool {
    endpoint
        .when
        .iter()
        .all(|when| noise::OPEN.contains(&when.as_str()))
}

/// A name as written and one that a client sends: httpd's `*` and `?`, without regard to case.
pub fn matches(pattern: &str, name: &str) -> bool {
    fn glob(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| glob(rest, &name[skip..])),
            ([b'?', rest @ ..], [_, others @ ..]) => glob(rest, others),
            ([one, rest @ ..], [other, others @ ..]) => {
                one.eq_ignore_ascii_case(other) && glob(rest, others)
            }
            _ => false,
        }
    }
    glob(pattern.as_bytes(), name.as_bytes())
}

/// A loopback address.
pub fn loopback(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], port))
}
