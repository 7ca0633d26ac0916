//! Where configurations are: found once, then loaded as often as needed, also with files
//! replaced by what a fix would leave behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::clock::now;
use super::configured::RootWish;
use super::judge::Verdict;
use super::parts::{Asked, Part, into_roots};
use super::{AppError, Request, Startup, Versions};
use crate::catalog::Server;
use crate::finding::{Finding, Silence, Silenced};
use crate::source::{
    self, Discovery, Disk, Dump, FileKind, FileSystem, Found, FragmentContext, Given, LoadOptions,
    Memory, Overlay, PackageStatus, Project, Root, RootKind,
};

/// The name under which a stream that is no dump is shown.
const STREAM: &str = "<stdin>";

/// New bytes of files, by the path of the file itself (symlinks resolved).
pub(super) type Replaced = source::Replacements;

/// Everything that a request names.
#[derive(Debug)]
pub(super) struct Inputs {
    places: Vec<Place>,
    /// Templates that were skipped.
    pub(super) templates: usize,
    /// Files that git ignores or the settings exclude.
    pub(super) excluded: usize,
    /// Named files that are judged in the root that includes them: the file and the root.
    pub(super) parts: Vec<Part>,
    /// What of each root they ask about.
    asked: HashMap<PathBuf, Asked>,
    /// What the settings say of single configurations.
    wishes: Vec<RootWish>,
    /// Where these stand: by their paths as written, and with symlinks resolved.
    wished: OnceLock<[HashMap<PathBuf, usize>; 2]>,
    /// What the command line says of versions, over the settings.
    versions: Versions,
    /// What the settings say of all configurations.
    fallback: Versions,
    /// What could not be looked at during the search.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    /// What this machine's package database says.
    pub(super) packages: PackageStatus,
    /// What httpd is started with.
    pub(super) startup: Startup,
}

/// A file system and what was found in it.
#[derive(Debug)]
struct Place {
    files: Box<dyn FileSystem>,
    found: Vec<Found>,
}

/// A configuration as loaded.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) root: Root,
    /// Shared: it is large, and a repair keeps what it began with.
    pub(super) project: Arc<Project>,
    /// What is known of the versions it runs on.
    pub(super) versions: Versions,
}

impl Inputs {
    /// Looks at the stream first, then at the paths.
    pub(super) fn find(request: &Request) -> Result<Self, AppError> {
        let options = LoadOptions {
            allow_missing: request.allow_missing.iter().cloned().collect(),
            path_map: request.path_map.iter().cloned().collect(),
            exclusion: request.exclusion.clone(),
            now: Some(now()),
            keys_directory: Some(request.policy.keys_directory.clone()),
            ..LoadOptions::default()
        };
        let disk = Disk::default();
        let mut inputs = Self {
            places: Vec::new(),
            templates: 0,
            excluded: 0,
            parts: Vec::new(),
            asked: HashMap::new(),
            wishes: request.laid.roots.clone(),
            wished: OnceLock::new(),
            versions: request.versions.clone(),
            fallback: request.laid.fallback.clone(),
            unreadable: Vec::new(),
            packages: PackageStatus::default(),
            startup: request.startup.clone(),
        };
        if let Some(bytes) = &request.stream {
            inputs.add_stream(bytes, request.context, &options)?;
        }
        if request.stream.is_none() || !request.paths.is_empty() {
            inputs.add_paths(&request.paths, request.context, disk, &options)?;
        }
        Ok(inputs)
    }

    /// What the paths name: files with what is said of them, directories and usual places.
    fn discover(
        &self,
        paths: &[PathBuf],
        context: Option<FragmentContext>,
        files: &dyn FileSystem,
        options: &LoadOptions,
    ) -> Result<Discovery, AppError> {
        if paths.is_empty() {
            return Ok(source::discover(paths, files, options)?);
        }
        let mut all = Discovery::default();
        for path in paths {
            let wish = self.wish(path, files);
            let given = Given {
                server: wish.and_then(|wish| wish.server),
                context: context.or_else(|| wish?.context),
            };
            let is_file = files.kind(path) != Some(FileKind::Directory);
            let one = match is_file && given != Given::default() {
                true => source::discover_file(path, given, files, options)?,
                false => source::discover(std::slice::from_ref(path), files, options)?,
            };
            all.found.extend(one.found);
            all.templates.extend(one.templates);
            all.inactive.extend(one.inactive);
            all.unreadable.extend(one.unreadable);
            all.excluded += one.excluded;
        }
        Ok(all)
    }

    /// Where only parts of a configuration were asked about, what is found elsewhere in it is
    /// not reported.
    pub(super) fn keep_parts(&self, root: &Root, verdict: &mut Verdict) {
        let asked = self.asked.get(&root.path);
        let Some(asked) = asked.filter(|asked| !asked.whole) else {
            return;
        };
        let findings = std::mem::take(&mut verdict.findings);
        let (kept, others): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| asked.has(finding));
        verdict.findings = kept;
        let elsewhere = others.into_iter().map(|finding| Silenced {
            finding,
            by: Silence::Elsewhere,
        });
        verdict.silenced.extend(elsewhere);
    }

    /// How many configurations there are.
    pub(super) fn count(&self) -> usize {
        self.places.iter().map(|place| place.found.len()).sum()
    }

    /// Loads one of them. `replaced` stands for files that are not as they are on disk; what
    /// stands later in it counts.
    pub(super) fn load(&self, index: usize, replaced: &[&Replaced]) -> Option<Loaded> {
        let (files, found) = self.found(index)?;
        let wish = self.wish(&found.root.path, files);
        Some(self.over(found, files, wish, replaced))
    }

    fn over(
        &self,
        found: &Found,
        files: &dyn FileSystem,
        wish: Option<&RootWish>,
        replaced: &[&Replaced],
    ) -> Loaded {
        match replaced {
            [] => self.loaded(found, files, wish),
            // Without replacements the base answers for itself: a file then says by itself
            // where its bytes come from.
            [first, rest @ ..] if first.is_empty() => self.over(found, files, wish, rest),
            [first, rest @ ..] => self.over(found, &Overlay::of(files, first), wish, rest),
        }
    }

    /// By its number; not by counting all that stand before it.
    fn found(&self, mut index: usize) -> Option<(&dyn FileSystem, &Found)> {
        for place in &self.places {
            if let Some(found) = place.found.get(index) {
                return Some((&*place.files, found));
            }
            index -= place.found.len();
        }
        None
    }

    fn loaded(&self, found: &Found, files: &dyn FileSystem, wish: Option<&RootWish>) -> Loaded {
        Loaded {
            root: found.root.clone(),
            project: Arc::new(self.read(found, files, wish)),
            versions: match wish {
                Some(wish) => self.versions.over(&wish.versions),
                None => self.versions.clone(),
            }
            .over(&self.fallback),
        }
    }

    /// What the settings say of the configuration that begins in this file.
    fn wish(&self, root: &Path, files: &dyn FileSystem) -> Option<&RootWish> {
        if self.wishes.is_empty() {
            return None;
        }
        let [written, resolved] = self.wished.get_or_init(|| {
            let (mut written, mut resolved) = (HashMap::new(), HashMap::new());
            for (index, wish) in self.wishes.iter().enumerate() {
                written.entry(wish.path.clone()).or_insert(index);
                if let Some(real) = Disk::default().real(&wish.path) {
                    resolved.entry(real).or_insert(index);
                }
            }
            [written, resolved]
        });
        let by_real = files.real(root).and_then(|real| resolved.get(&real));
        let first = written.get(root).into_iter().chain(by_real).min()?;
        self.wishes.get(*first)
    }

    /// Reads one, and again where what httpd was started with has to be told from what the
    /// files load and define themselves.
    fn read(&self, found: &Found, files: &dyn FileSystem, wish: Option<&RootWish>) -> Project {
        let startup = match wish {
            Some(wish) => self.startup.over(&wish.startup),
            None => self.startup.clone(),
        };
        let first = startup.first(&found.options);
        let project = source::load(&found.root, files, &first);
        match startup.settled(&found.root, &project, &found.options) {
            Some(options) => source::load(&found.root, files, &options),
            None => project,
        }
    }

    /// All of them, in order.
    pub(super) fn load_all(&self) -> Vec<Loaded> {
        (0..self.count())
            .filter_map(|index| self.load(index, &[]))
            .collect()
    }

    /// The roots, in the order of their numbers.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.places
            .iter()
            .flat_map(|place| place.found.iter().map(|found| &found.root))
    }

    fn add_stream(
        &mut self,
        bytes: &[u8],
        context: Option<FragmentContext>,
        options: &LoadOptions,
    ) -> Result<(), AppError> {
        if let Some(place) = dump(bytes, options) {
            self.places.push(place);
            return Ok(());
        }
        let memory = Memory::new([(Path::new(STREAM), bytes)]);
        self.add_paths(&[PathBuf::from(STREAM)], context, memory, options)
    }

    fn add_paths(
        &mut self,
        paths: &[PathBuf],
        context: Option<FragmentContext>,
        files: impl FileSystem + 'static,
        options: &LoadOptions,
    ) -> Result<(), AppError> {
        let mut discovery = self.discover(paths, context, &files, options)?;
        // What is said of a file holds, whatever includes it.
        if context.is_none() {
            let parts = into_roots(&mut discovery.found, &self.wishes, &files, options);
            self.parts.extend(parts);
            self.asked = Asked::by_root(&self.parts);
        }
        self.excluded += discovery.excluded;
        self.templates += discovery.templates.len();
        let unreadable = discovery.unreadable.iter();
        self.unreadable
            .extend(unreadable.map(|(path, why)| (path.clone(), why.to_string())));
        if discovery.found.iter().any(|found| found.root.installed) {
            self.packages = PackageStatus::read(Path::new("/"), &files);
        }
        let mut found = Vec::new();
        for item in discovery.found {
            // A dump is a file system of its own, so that a fix can replace files in it.
            let dumped = (item.root.kind == RootKind::Dump)
                .then(|| files.read(&item.root.path).ok())
                .flatten()
                .and_then(|bytes| dump(&bytes, &item.options));
            match dumped {
                Some(place) => self.places.push(place),
                None => found.push(item),
            }
        }
        self.places.push(Place {
            files: Box::new(files),
            found,
        });
        Ok(())
    }
}

fn dump(bytes: &[u8], options: &LoadOptions) -> Option<Place> {
    let dump = Dump::parse(bytes)?;
    let root = Root::new(Server::Nginx, dump.root.clone());
    let found = vec![Found {
        root,
        options: options.clone(),
    }];
    Some(Place {
        files: Box::new(dump.into_files()),
        found,
    })
}
