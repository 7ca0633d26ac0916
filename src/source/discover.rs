//! Finding configurations: what a path is, what a directory holds, the usual places.
//!
//! It decides what to load, never what is wrong with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::catalog::Server;

use super::classify::{Shape, likely_server, shape};
use super::error::SourceError;
use super::files::{FileKind, FileSystem, ReadError, Walk};
use super::ignored::Sieve;
use super::load::load;
use super::options::{FragmentContext, LoadOptions, Root, RootKind};
use super::place;

/// What a search found.
#[derive(Clone, Default, Debug)]
pub struct Discovery {
    /// What to load, in the order of the paths given and by path within a directory.
    pub found: Vec<Found>,
    /// Templates that were left out: they are no configuration before they are rendered.
    pub templates: Vec<PathBuf>,
    /// Files of `sites-available` and the like that no root includes.
    pub inactive: Vec<PathBuf>,
    /// How many files were left out because git ignores them or the settings say so.
    pub excluded: usize,
    /// Directories and files below a given directory that could not be read.
    pub unreadable: Vec<(PathBuf, ReadError)>,
}

/// A configuration and how to load it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it begins.
    pub root: Root,
    /// The caller's options with the mapping that the root's place asks for.
    pub options: LoadOptions,
}

/// What somebody says of a file that is named, in place of what its text tells.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Given {
    /// Whose it is.
    pub server: Option<Server>,
    /// nginx: the blocks around it.
    pub context: Option<FragmentContext>,
}

/// Finds what one file is, with what is said of it.
///
/// # Errors
/// [`SourceError`] where it cannot be read.
pub fn discover_file(
    path: &Path,
    given: Given,
    files: &dyn FileSystem,
    options: &LoadOptions,
) -> Result<Discovery, SourceError> {
    let mut search = Search {
        files,
        options,
        result: Discovery::default(),
    };
    search.file(path, given)?;
    Ok(search.result)
}

/// Finds what `paths` name; without paths, the usual places.
///
/// # Errors
/// [`SourceError`] where a path is missing or unreadable, or where nothing is found.
pub fn discover(
    paths: &[PathBuf],
    files: &dyn FileSystem,
    options: &LoadOptions,
) -> Result<Discovery, SourceError> {
    let mut search = Search {
        files,
        options,
        result: Discovery::default(),
    };
    if paths.is_empty() {
        search.usual_places()?;
    }
    for path in paths {
        match files.kind(path) {
            Some(FileKind::Directory) => search.directory(path)?,
            _ => search.file(path, Given::default())?,
        }
    }
    Ok(search.result)
}

impl Given {
    /// What is said, else what the text tells.
    fn over(self, server: Server, kind: RootKind) -> (Server, RootKind) {
        let server = match self.context {
            Some(_) => Server::Nginx,
            None => self.server.unwrap_or(server),
        };
        match (self.context, kind) {
            (Some(context), _) => (server, RootKind::Fragment(context)),
            // A fragment of httpd knows no blocks around it.
            (None, RootKind::Fragment(_)) if server == Server::Apache => {
                (server, RootKind::Fragment(FragmentContext::Main))
            }
            (None, kind) => (server, kind),
        }
    }
}

struct Search<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    result: Discovery,
}

/// A file of a directory that looks like a configuration.
struct Candidate {
    path: PathBuf,
    shape: Shape,
}

impl Search<'_> {
    fn usual_places(&mut self) -> Result<(), SourceError> {
        for (server, path) in place::USUAL {
            let path = Path::new(path);
            if self.files.kind(path) == Some(FileKind::File) {
                let found = self.found(path, server, RootKind::Root, &[]);
                self.result.found.push(found);
            }
        }
        if !self.result.found.is_empty() {
            return Ok(());
        }
        let places = place::USUAL
            .iter()
            .map(|(_, path)| PathBuf::from(path))
            .collect();
        Err(SourceError::NoUsualPlace { places })
    }

    /// A file that the user names is judged whatever it looks like: what is wrong with it
    /// is a problem of its project.
    fn file(&mut self, path: &Path, given: Given) -> Result<(), SourceError> {
        let unreadable = |reason| SourceError::Unreadable {
            path: path.to_path_buf(),
            reason,
        };
        let text = self.files.read(path).map_err(unreadable)?;
        let (server, kind) = match shape(path, &text) {
            Shape::Root(server) => (server, RootKind::Root),
            Shape::Fragment(server, context) => (server, RootKind::Fragment(context)),
            Shape::Dump => (Server::Nginx, RootKind::Dump),
            Shape::Template | Shape::Unknown => (likely_server(path, &text), RootKind::Root),
        };
        let (server, kind) = given.over(server, kind);
        let found = self.found(path, server, kind, &text);
        self.result.found.push(found);
        Ok(())
    }

    fn directory(&mut self, directory: &Path) -> Result<(), SourceError> {
        let mut walk = self.files.walk(directory);
        self.exclude(directory, &mut walk);
        let at_first = self.result.templates.len();
        if let Some((path, reason)) = walk.unreadable.iter().find(|(path, _)| path == directory) {
            return Err(SourceError::Unreadable {
                path: path.clone(),
                reason: reason.clone(),
            });
        }
        self.result.unreadable.extend(walk.unreadable);
        let (candidates, looked) = self.candidates(&walk.files);
        let mut reached = BTreeSet::new();
        let mut found = self.roots(&candidates, &mut reached);
        found.extend(self.fragments(&candidates, &found, &mut reached));
        if found.is_empty() {
            let templates = self.result.templates.len() - at_first;
            let path = directory.to_path_buf();
            return Err(SourceError::NothingFound {
                path,
                looked,
                templates,
            });
        }
        self.result.found.extend(found);
        Ok(())
    }

    /// Leaves out what git ignores and what the settings exclude; counts what would have been
    /// opened.
    fn exclude(&mut self, directory: &Path, walk: &mut Walk) {
        let mut sieve = Sieve::new(directory, &self.options.exclusion, self.files);
        let excluded = &mut self.result.excluded;
        walk.files.retain(|path| {
            let dropped = sieve.drops(path);
            *excluded += usize::from(dropped && place::is_candidate(path));
            !dropped
        });
        walk.unreadable.retain(|(path, _)| !sieve.drops(path));
    }

    /// The files that look like configurations, each real file once, and how many files
    /// were opened.
    fn candidates(&mut self, paths: &[PathBuf]) -> (Vec<Candidate>, usize) {
        let mut seen = BTreeSet::new();
        let mut candidates = Vec::new();
        let mut looked = 0;
        for path in paths {
            // A search from `.` names files as everything else does: without it.
            let path = path.strip_prefix(".").unwrap_or(path);
            if place::is_template_name(path) {
                self.result.templates.push(path.to_path_buf());
                continue;
            }
            if !place::is_candidate(path) || !seen.insert(self.identity(path)) {
                continue;
            }
            looked += 1;
            match self.files.read(path).map(|text| shape(path, &text)) {
                Ok(Shape::Unknown) => {}
                Ok(Shape::Template) => self.result.templates.push(path.to_path_buf()),
                Ok(shape) => candidates.push(Candidate {
                    path: path.to_path_buf(),
                    shape,
                }),
                Err(reason) => self.result.unreadable.push((path.to_path_buf(), reason)),
            }
        }
        (candidates, looked)
    }

    /// Main files that no other main file includes. Adds what they read to `reached`.
    fn roots(&self, candidates: &[Candidate], reached: &mut BTreeSet<PathBuf>) -> Vec<Found> {
        let mut roots = Vec::new();
        for candidate in candidates {
            let (server, kind) = match candidate.shape {
                Shape::Root(server) => (server, RootKind::Root),
                Shape::Dump => (Server::Nginx, RootKind::Dump),
                _ => continue,
            };
            roots.push(self.found(&candidate.path, server, kind, &[]));
        }
        for root in &roots {
            reached.extend(self.reached_by(root));
        }
        roots.retain(|root| !reached.contains(&self.identity(&root.root.path)));
        reached.extend(roots.iter().map(|root| self.identity(&root.root.path)));
        roots
    }

    /// Parts of a tree that nothing found includes, each to be judged alone.
    fn fragments(
        &mut self,
        candidates: &[Candidate],
        roots: &[Found],
        reached: &mut BTreeSet<PathBuf>,
    ) -> Vec<Found> {
        let mut fragments = Vec::new();
        for candidate in candidates {
            let Shape::Fragment(server, context) = candidate.shape else {
                continue;
            };
            let path = &candidate.path;
            if reached.contains(&self.identity(path)) {
                continue;
            }
            if place::is_inactive(path, roots.iter().map(|found| &found.root)) {
                self.result.inactive.push(path.clone());
                continue;
            }
            let text = self.files.read(path).unwrap_or_else(|_| [].into());
            let kind = RootKind::Fragment(context);
            fragments.push(self.found(path, server, kind, &text));
        }
        for fragment in &fragments {
            reached.extend(self.reached_by(fragment));
        }
        fragments.retain(|fragment| !reached.contains(&self.identity(&fragment.root.path)));
        fragments
    }

    /// The files that a root includes, itself left out.
    fn reached_by(&self, found: &Found) -> Vec<PathBuf> {
        if found.root.kind == RootKind::Dump {
            return Vec::new();
        }
        let project = load(&found.root, self.files, &found.options);
        let included = project.files.iter().skip(1);
        included.map(|file| self.identity(&file.path)).collect()
    }

    /// One name for all spellings of a file.
    fn identity(&self, path: &Path) -> PathBuf {
        self.files
            .real(path)
            .unwrap_or_else(|| super::path::clean(path))
    }

    fn found(&self, path: &Path, server: Server, kind: RootKind, text: &[u8]) -> Found {
        let mut root = Root::new(server, path).with_kind(kind);
        let mut options = self.options.clone();
        if kind == RootKind::Dump {
            return Found { root, options };
        }
        root.installed = kind == RootKind::Root && place::is_installed(path, self.files);
        root.base = match (server, kind) {
            (Server::Apache, _) => Some(place::apache_base(path)),
            (Server::Nginx, RootKind::Fragment(FragmentContext::Main) | RootKind::Root) => None,
            (Server::Nginx, _) => Some(place::fragment_base(path, text, self.files)),
        };
        if server == Server::Apache {
            root.environment = place::environment(root.base(), self.files);
        }
        if !root.installed {
            options.path_map.extend(place::path_map(path, self.files));
        }
        Found { root, options }
    }
}
