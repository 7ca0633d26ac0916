//! Where configurations are: found once, then loaded as often as needed, also with files
//! replaced by what a fix would leave behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::clock::now;
use super::{AppError, Request, Startup};
use crate::catalog::Server;
use crate::source::{
    self, Disk, Dump, FileSystem, Found, LoadOptions, Memory, Overlay, PackageStatus, Project,
    Root, RootKind,
};

/// The name under which a stream that is no dump is shown.
const STREAM: &str = "<stdin>";

/// New bytes of files, by the path of the file itself (symlinks resolved).
pub(super) type Replaced = BTreeMap<PathBuf, Arc<[u8]>>;

/// Everything that a request names.
#[derive(Debug)]
pub(super) struct Inputs {
    places: Vec<Place>,
    /// Templates that were skipped.
    pub(super) templates: usize,
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
    pub(super) project: Project,
}

impl Inputs {
    /// Looks at the stream first, then at the paths.
    pub(super) fn find(request: &Request) -> Result<Self, AppError> {
        let options = LoadOptions {
            allow_missing: request.allow_missing.clone(),
            now: Some(now()),
            keys_directory: Some(request.policy.keys_directory.clone()),
            ..LoadOptions::default()
        };
        let disk = Disk::default();
        let mut inputs = Self {
            places: Vec::new(),
            templates: 0,
            unreadable: Vec::new(),
            packages: PackageStatus::default(),
            startup: request.startup.clone(),
        };
        if let Some(bytes) = &request.stream {
            inputs.add_stream(bytes, &options)?;
        }
        if request.stream.is_none() || !request.paths.is_empty() {
            inputs.add_paths(&request.paths, disk, &options)?;
        }
        Ok(inputs)
    }

    /// How many configurations there are.
    pub(super) fn count(&self) -> usize {
        self.places.iter().map(|place| place.found.len()).sum()
    }

    /// Loads one of them. `replaced` stands for files that are not as they are on disk.
    pub(super) fn load(&self, index: usize, replaced: &Replaced) -> Option<Loaded> {
        let each = self.places.iter().flat_map(|place| {
            let files = &*place.files;
            place.found.iter().map(move |found| (files, found))
        });
        let (files, found) = each.into_iter().nth(index)?;
        // Without replacements the base answers for itself: a file then says by itself
        // where its bytes come from.
        if replaced.is_empty() {
            let project = self.read(found, files);
            return Some(Loaded {
                root: found.root.clone(),
                project,
            });
        }
        let mut overlay = Overlay::new(files);
        for (path, bytes) in replaced {
            overlay.replace(path, Arc::clone(bytes));
        }
        let project = self.read(found, &overlay);
        Some(Loaded {
            root: found.root.clone(),
            project,
        })
    }

    /// Reads one, and again where what httpd was started with has to be told from what the
    /// files load and define themselves.
    fn read(&self, found: &Found, files: &dyn FileSystem) -> Project {
        let first = self.startup.first(&found.options);
        let project = source::load(&found.root, files, &first);
        match self.startup.settled(&found.root, &project, &found.options) {
            Some(options) => source::load(&found.root, files, &options),
            None => project,
        }
    }

    /// All of them, in order.
    pub(super) fn load_all(&self, replaced: &Replaced) -> Vec<Loaded> {
        (0..self.count())
            .filter_map(|index| self.load(index, replaced))
            .collect()
    }

    /// The roots, in the order of their numbers.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.places
            .iter()
            .flat_map(|place| place.found.iter().map(|found| &found.root))
    }

    fn add_stream(&mut self, bytes: &[u8], options: &LoadOptions) -> Result<(), AppError> {
        if let Some(place) = dump(bytes, options) {
            self.places.push(place);
            return Ok(());
        }
        let memory = Memory::new([(Path::new(STREAM), bytes)]);
        self.add_paths(&[PathBuf::from(STREAM)], memory, options)
    }

    fn add_paths(
        &mut self,
        paths: &[PathBuf],
        files: impl FileSystem + 'static,
        options: &LoadOptions,
    ) -> Result<(), AppError> {
        let discovery = source::discover(paths, &files, options)?;
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
