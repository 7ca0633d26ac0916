//! What the tests of rules share: a configuration file or text judged by the library's own
//! pipeline, for the versions and the policy that its first comments name.

use std::path::{Path, PathBuf};

use stekguard::catalog::{self, Server, Version};
use stekguard::finding::{Applicability, Finding, Fix, Severity};
use stekguard::fix::{self, Options, Proposal};
use stekguard::model::{self, Assumed, Platform, VersionSource};
use stekguard::policy::{ApacheDirective, Goal, Policy};
use stekguard::rules::{self, Context};
use stekguard::source::{self, Disk, FileSystem, Found, LoadOptions, Metadata, Overlay};
use stekguard::source::{Project, Root};

/// A configuration to judge.
pub struct Case {
    /// Where it begins.
    pub root: Root,
    /// How to read it.
    pub options: LoadOptions,
    /// What to measure by.
    pub policy: Policy,
    /// For what to judge it.
    pub platforms: Vec<Platform>,
    /// Whether fixes that need `--unsafe-fixes` are taken.
    pub unsafe_fixes: bool,
    /// Whether pedantic findings are shown.
    pub pedantic: bool,
    /// Files that the configuration names, as the headers describe them.
    files: Vec<Described>,
}

/// A file that exists for the case alone.
struct Described {
    path: PathBuf,
    bytes: Vec<u8>,
    metadata: Metadata,
    versioned: bool,
}

/// The time of every case, from which ages are counted.
const NOW: u64 = 2_000_000_000;

impl Case {
    /// The configuration that begins in this file, with the headers in its text.
    pub fn of(path: &Path, text: &str) -> Self {
        let disk = Disk::default();
        let search = source::discover(&[path.to_path_buf()], &disk, &LoadOptions::default());
        let found = search.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Some(Found { root, options }) = found.found.into_iter().next() else {
            panic!("{}: nothing found", path.display());
        };
        let server = root.server;
        let mut case = Self {
            root,
            options,
            policy: Policy::default(),
            platforms: Vec::new(),
            unsafe_fixes: header(text, "fix") == Some("unsafe"),
            pedantic: header(text, "show") == Some("pedantic"),
            files: headers(text, "file").map(described).collect(),
        };
        case.options.now = Some(NOW);
        case.options.keys_directory = Some(case.policy.keys_directory.clone());
        match header(text, "policy") {
            None => {}
            Some("no-tickets") => case.policy.goal = Goal::NoTickets,
            Some("no-resumption") => case.policy.goal = Goal::NoResumption,
            Some("rotate") => case.policy.goal = Goal::Rotate,
            Some("automatic") => case.policy.goal = Goal::Automatic,
            Some(other) => panic!("{}: no policy {other}", path.display()),
        }
        match header(text, "apache-directive") {
            None => {}
            Some("conf-command") => case.policy.apache_directive = ApacheDirective::ConfCmd,
            Some(other) => panic!("{}: no directive {other}", path.display()),
        }
        let package = header(text, "package").map(str::to_owned);
        case.platforms = versions(text, server)
            .into_iter()
            .map(|version| platform(version, package.clone()))
            .collect();
        case
    }

    /// Reads it.
    pub fn project(&self, files: &dyn FileSystem) -> Project {
        source::load(&self.root, files, &self.options)
    }

    /// Judges it for one version.
    pub fn judge(&self, project: &Project, platform: &Platform) -> Vec<Finding> {
        let site = model::build(project, platform);
        let mut found = rules::check(&Context {
            site: &site,
            policy: &self.policy,
        });
        found.retain(|finding| self.pedantic || finding.severity > Severity::Pedantic);
        found
    }

    /// Puts the files of the headers there.
    fn describe(&self, files: &mut Overlay<'_>) {
        for file in &self.files {
            files.replace(&file.path, file.bytes.as_slice().into());
            files.describe(&file.path, file.metadata);
            if file.versioned {
                let mark = file.path.with_file_name(".git").join("HEAD");
                files.replace(&mark, b"ref: refs/heads/main\n".as_slice().into());
            }
        }
    }

    /// What is found, `path:line:column severity rule message`, paths from `base`; a line
    /// that fits nothing where not everything was read or the judged versions do not agree.
    pub fn findings(&self, base: &Path) -> Vec<String> {
        let disk = Disk::default();
        let mut files = Overlay::new(&disk);
        self.describe(&mut files);
        let project = self.project(&files);
        if let Some(problem) = project.problems.first() {
            return vec![format!(
                "not read: {}:{}: {}",
                problem.path.display(),
                problem.line,
                problem.message
            )];
        }
        let mut agreed: Option<(Version, Vec<String>)> = None;
        for platform in &self.platforms {
            let found = self.judge(&project, platform);
            let lines: Vec<String> = found.iter().map(|finding| line(finding, base)).collect();
            let version = platform.server.value;
            match &agreed {
                None => agreed = Some((version, lines)),
                Some((_, same)) if *same == lines => {}
                Some((other, same)) => {
                    return vec![format!("{other} has {same:?} and {version} has {lines:?}")];
                }
            }
        }
        agreed.map(|(_, lines)| lines).unwrap_or_default()
    }

    /// The files that change when a rule's fixes are applied until it proposes no more.
    pub fn fixed(&self, rule: &str) -> Vec<(PathBuf, String)> {
        let disk = Disk::default();
        let mut files = Overlay::new(&disk);
        self.describe(&mut files);
        let mut changed: Vec<(PathBuf, String)> = Vec::new();
        for round in 0.. {
            assert!(
                round < 5,
                "{:?}: the fixes do not come to an end",
                self.root.path
            );
            let project = self.project(&files);
            let findings = self.judge(&project, &self.platforms[0]);
            let proposals = self.proposals(&findings, rule);
            let plan = fix::plan(&project, &proposals, &Options::default());
            assert!(
                plan.refused.is_empty(),
                "{:?}: {:?}",
                self.root.path,
                plan.refused
            );
            if plan.is_empty() {
                return changed;
            }
            for file in plan.files {
                let path = file.real.unwrap_or_else(|| file.paths[0].to_path_buf());
                let text = String::from_utf8_lossy(&file.after).into_owned();
                files.replace(&path, file.after);
                changed.retain(|(other, _)| *other != path);
                changed.push((path, text));
            }
        }
        unreachable!()
    }

    fn proposals<'a>(&self, findings: &'a [Finding], rule: &str) -> Vec<Proposal<'a>> {
        let wanted = findings.iter().filter(|finding| finding.rule == rule);
        let fixes = wanted.filter_map(|finding| finding.fix.as_ref().map(|fix| (finding, fix)));
        let allowed =
            fixes.filter(|(_, fix)| self.unsafe_fixes || fix.applicability == Applicability::Safe);
        let proposal = |(finding, fix): (&Finding, &'a Fix)| Proposal {
            rule: finding.rule,
            reason: finding.message.clone(),
            fix,
        };
        allowed.map(proposal).collect()
    }
}

/// The value of a header comment, `# name: value`, before the first statement.
pub fn header<'a>(text: &'a str, name: &'a str) -> Option<&'a str> {
    headers(text, name).next()
}

/// The values of all header comments of this name.
fn headers<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let comments = text
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with('#'));
    comments.filter_map(move |line| {
        let rest = line.strip_prefix("# ")?.strip_prefix(name)?;
        rest.strip_prefix(": ").map(str::trim)
    })
}

/// `/path size=48 bytes=random|zero|repeated|counted|text mode=0600 age=3h versioned`:
/// what is left out is 80 random bytes of mode 0600, just written.
fn described(text: &str) -> Described {
    let mut words = text.split(' ');
    let path = PathBuf::from(words.next().unwrap());
    let (mut size, mut mode, mut age, mut versioned) = (80, 0o600, 0, false);
    let mut kind = "random";
    for word in words {
        match word.split_once('=') {
            Some(("size", value)) => size = value.parse().unwrap(),
            Some(("mode", value)) => mode = u32::from_str_radix(value, 8).unwrap(),
            Some(("age", value)) => {
                let (number, unit) = value.split_at(value.len() - 1);
                let unit = if unit == "d" { 86_400 } else { 3_600 };
                age = number.parse::<u64>().unwrap() * unit;
            }
            Some(("bytes", value)) => kind = value,
            None if word == "versioned" => versioned = true,
            _ => panic!("{word} of {text}"),
        }
    }
    let byte = |index: usize| match kind {
        "random" => ((index as u32 + 7).wrapping_mul(2_654_435_761) >> 13) as u8,
        "zero" => 0,
        "repeated" => b"secret!!"[index % 8],
        "counted" => index as u8,
        "text" => b"correct horse battery staple, and more of it than one types; 1234"[index % 61],
        other => panic!("{other} of {text}"),
    };
    let bytes: Vec<u8> = (0..size).map(byte).collect();
    let metadata = Metadata {
        size: bytes.len() as u64,
        mode: Some(mode),
        owner: Some(0),
        modified: Some(NOW - age),
    };
    Described {
        path,
        bytes,
        metadata,
        versioned,
    }
}

/// `path:line:column severity rule message`.
pub fn line(finding: &Finding, base: &Path) -> String {
    let place = &finding.location;
    let path = place.path.strip_prefix(base).unwrap_or(&place.path);
    let severity = match finding.severity {
        Severity::Pedantic => "pedantic",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    format!(
        "{}:{}:{} {severity} {} {}",
        path.display(),
        place.line,
        place.column,
        finding.rule,
        finding.message
    )
}

/// The versions in the header, or every one at which the server's behaviour changes.
fn versions(text: &str, server: Server) -> Vec<Version> {
    let Some(list) = header(text, "versions") else {
        return catalog::boundaries(server).to_vec();
    };
    let own = match server {
        Server::Nginx => "nginx=",
        Server::Apache => "apache=",
    };
    let version = |word: &str| {
        let number = word.trim().trim_start_matches(own);
        number
            .parse()
            .unwrap_or_else(|_| panic!("not a version: {word}"))
    };
    list.split(',').map(version).collect()
}

/// A platform of this version.
pub fn platform(version: Version, package: Option<String>) -> Platform {
    let library = Assumed {
        value: Version::new(3, 0, 0),
        source: VersionSource::Assumed,
    };
    Platform {
        server: Assumed {
            value: version,
            source: VersionSource::Flag,
        },
        library,
        package,
    }
}
