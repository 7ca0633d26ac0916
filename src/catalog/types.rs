//! The rows of the catalog as Rust sees them. Plain static data: nothing here allocates,
//! reads a file or parses a configuration.

use super::debian;
use super::names::{
    Arity, Body, Build, Context, Decider, Duplicate, Inherit, Kind, Server, Severity,
};
use super::version::{Version, VersionRange};

/// One directive of one server, in the contexts where the same facts hold. Source:
/// grammars/nginx and grammars/apache.
#[derive(Debug)]
pub struct Directive {
    /// Position in [`super::all`] of its server; changes whenever a row is added.
    pub id: u16,
    /// The row's own name: the directive's, or where a name has several rows one of each.
    pub key: &'static str,
    /// As the server spells it; httpd's sections without `<`.
    pub name: &'static str,
    /// Whose directive it is.
    pub server: Server,
    /// Where it may stand.
    pub contexts: &'static [Context],
    /// How many arguments it takes.
    pub arity: Arity,
    /// What the arguments are; the last one stands for all further ones.
    pub kinds: &'static [Kind],
    /// The words that an argument of kind `Enum` or `Protocols` can be.
    pub values: &'static [&'static str],
    /// The value in force where nothing is set, as one would write it.
    pub default: Option<&'static str>,
    /// The first version that has it; none: older than every version we know.
    pub since: Option<Version>,
    /// The first version that no longer has it.
    pub removed: Option<Version>,
    /// The first version that warns about it.
    pub deprecated: Option<Version>,
    /// The module that it comes from.
    pub module: &'static str,
    /// How an inner block takes it over.
    pub inherit: Inherit,
    /// What a second one in the same block does.
    pub duplicate: Duplicate,
    /// Which block of an address decides, by version: sorted, without gaps.
    pub deciders: &'static [Decision],
    /// httpd: carried out while the file is read, before the lines below are.
    pub exec_on_read: bool,
    /// What follows the arguments.
    pub body: Body,
    /// The context inside its body.
    pub opens: Option<Context>,
    /// Where these facts stand.
    pub source: &'static str,
}

impl Directive {
    /// Whether a server of this version knows it.
    #[must_use]
    pub fn exists(&self, version: Version) -> bool {
        let range = VersionRange {
            from: self.since,
            before: self.removed,
        };
        range.contains(version)
    }

    /// Whether it may stand in `context`.
    #[must_use]
    pub fn allowed_in(&self, context: Context) -> bool {
        self.contexts.contains(&context)
    }

    /// Which block decides its value in this version.
    #[must_use]
    pub fn decider(&self, version: Version) -> Decider {
        self.decision(version)
            .map_or(Decider::None, |decision| decision.decider)
    }

    /// The deciding row for this version, with its source.
    #[must_use]
    pub fn decision(&self, version: Version) -> Option<&'static Decision> {
        self.deciders
            .iter()
            .find(|decision| decision.range.contains(version))
    }

    /// What the argument at `index` (from 0) is.
    #[must_use]
    pub fn kind(&self, index: usize) -> Kind {
        let kind = self.kinds.get(index).or_else(|| self.kinds.last());
        kind.copied().unwrap_or(Kind::Text)
    }
}

impl PartialEq for Directive {
    fn eq(&self, other: &Self) -> bool {
        self.server == other.server && self.id == other.id
    }
}

impl Eq for Directive {}

/// Which block decides, in a range of versions.
#[derive(Debug)]
pub struct Decision {
    /// The versions for which it holds.
    pub range: VersionRange,
    /// The named decider; the function of that name is the model's.
    pub decider: Decider,
    /// Where this stands or how it was seen.
    pub source: &'static str,
}

/// Something a server does, or not, by version and that no single directive says.
#[derive(Debug)]
pub struct Behaviour {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// Whose behaviour it is.
    pub server: Server,
    /// The versions that behave so.
    pub ranges: &'static [VersionRange],
    /// One sentence.
    pub summary: &'static str,
    /// Where this stands or how it was seen.
    pub source: &'static str,
}

impl Behaviour {
    /// Whether this version behaves so.
    #[must_use]
    pub fn holds(&self, version: Version) -> bool {
        self.ranges.iter().any(|range| range.contains(version))
    }
}

/// A published vulnerability. Source: grammars/advisories.toml.
#[derive(Debug)]
pub struct Advisory {
    /// The CVE's number.
    pub id: &'static str,
    /// Whose it is.
    pub server: Server,
    /// What it is, in one sentence.
    pub title: &'static str,
    /// The upstream versions that have it.
    pub affected: &'static [VersionRange],
    /// The first fixed version of each branch.
    pub fixed: &'static [Version],
    /// Packages that carry the fix under an older upstream version.
    pub backports: &'static [Backport],
    /// What a configuration has to say for it to matter.
    pub condition: &'static str,
    /// The vendor's grade.
    pub severity: Severity,
    /// Where this stands.
    pub source: &'static str,
}

impl Advisory {
    /// Whether the upstream release of this version has it. A distribution's package of the
    /// same version may carry the fix: see `backports`.
    #[must_use]
    pub fn affects(&self, version: Version) -> bool {
        self.affected.iter().any(|range| range.contains(version))
    }

    /// Whether a distribution's package carries the fix, where its release is in the
    /// advisory: that is, where a fixed package of the same upstream version is known.
    #[must_use]
    pub fn patched(&self, package: &str) -> Option<bool> {
        let upstream = |version: &str| version.split('-').next().unwrap_or_default().to_owned();
        let same = |row: &&Backport| upstream(row.fixed) == upstream(package);
        let row = self.backports.iter().find(same)?;
        Some(debian::compare(package, row.fixed).is_ge())
    }
}

/// A distribution's fixed package.
#[derive(Debug)]
pub struct Backport {
    /// `debian`, `ubuntu`, `rhel`.
    pub distribution: &'static str,
    /// The release's name or number.
    pub release: &'static str,
    /// The source package.
    pub package: &'static str,
    /// The first package version with the fix, in the distribution's own order.
    pub fixed: &'static str,
    /// Where this stands.
    pub source: &'static str,
}

/// A command of OpenSSL's SSL_CONF, as `ssl_conf_command` and `SSLOpenSSLConfCmd` take it.
#[derive(Debug)]
pub struct Command {
    /// Its name in a file; compared without case.
    pub name: &'static str,
    /// The first OpenSSL version that has it.
    pub since: Option<Version>,
    /// nginx: which block decides, by version.
    pub nginx: &'static [Decision],
    /// httpd: which block decides, by version.
    pub apache: &'static [Decision],
    /// The words that it takes, where it takes words of a list.
    pub values: &'static [&'static str],
    /// Where this stands.
    pub source: &'static str,
}

impl Command {
    /// Which block decides for this command.
    #[must_use]
    pub fn decider(&self, server: Server, version: Version) -> Decider {
        let rows = match server {
            Server::Nginx => self.nginx,
            Server::Apache => self.apache,
        };
        rows.iter()
            .find(|decision| decision.range.contains(version))
            .map_or(Decider::None, |decision| decision.decider)
    }
}

/// A fact about the TLS library, by the library's version. Source: grammars/library.toml.
#[derive(Debug)]
pub struct LibraryFact {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// `openssl`.
    pub library: &'static str,
    /// The versions for which it holds.
    pub ranges: &'static [VersionRange],
    /// One sentence.
    pub summary: &'static str,
    /// Where this stands or how it was seen.
    pub source: &'static str,
}

impl LibraryFact {
    /// Whether it holds for this version of the library.
    #[must_use]
    pub fn holds(&self, version: Version) -> bool {
        self.ranges.iter().any(|range| range.spans(version))
    }
}

/// A module that httpd ships. Source: grammars/apache/modules.toml.
#[derive(Debug)]
pub struct Module {
    /// The identifier, `LoadModule`'s first argument: `ssl_module`.
    pub name: &'static str,
    /// The source file, by which `<IfModule>` knows it too: `mod_ssl.c`.
    pub file: &'static str,
    /// What `LoadModule` loads, without its folder; `None` where it is always built in.
    pub so: Option<&'static str>,
    /// The builds that may have it built in.
    pub built_in: &'static [Build],
    /// Where this stands or how it was seen.
    pub source: &'static str,
}

impl Module {
    /// Whether no httpd is without it.
    #[must_use]
    pub fn always_built_in(&self) -> bool {
        self.built_in.len() == Build::ALL.len()
    }
}

/// A server built on nginx. Source: grammars/forks.toml.
#[derive(Debug)]
pub struct Fork {
    /// As `nginx -v` prints it, lower case.
    pub name: &'static str,
    /// Whether the first three numbers of its version are nginx's.
    pub same_numbers: bool,
    /// Its versions (from, ascending) and the nginx version that they are based on.
    pub bases: &'static [(Version, Version)],
    /// Where this stands.
    pub source: &'static str,
}

impl Fork {
    /// The nginx version that this fork's version is based on, where it is known.
    #[must_use]
    pub fn base(&self, version: Version) -> Option<Version> {
        if self.same_numbers {
            return Some(version);
        }
        let known = self.bases.iter().rev();
        let found = known.into_iter().find(|(own, _)| *own == version);
        found.map(|(_, base)| *base)
    }
}

/// What stands in for a server's own file that a repository does not carry. Source:
/// grammars/stubs.
#[derive(Debug)]
pub struct Stub {
    /// Whose file it is.
    pub server: Server,
    /// The file's name, or the end of its path after a `/`.
    pub suffix: &'static str,
    /// What matters of it for resumption, in the server's own language.
    pub text: &'static [u8],
    /// Where the real file comes from.
    pub source: &'static str,
}
