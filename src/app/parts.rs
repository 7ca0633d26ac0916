//! Files that are parts of a known configuration: judged in the root that includes them, not
//! alone. Finds the root; judges nothing.

use std::path::{Path, PathBuf};

use super::configured::RootWish;
use crate::catalog::Server;
use crate::finding::Finding;
use crate::source::{
    self, FileKind, FileSystem, Found, LoadOptions, RootKind, discover, discover_file,
};
use crate::text::Location;

/// A named file and the root that it is judged in.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Part {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Its names within the root: where findings of it stand.
    pub names: Vec<PathBuf>,
    /// Where the configuration begins.
    pub root: PathBuf,
    /// The root itself was named too, so that all of it is asked about.
    pub whole: bool,
}

/// Names of main files beside or above a part.
const MAIN: [(Server, &str); 5] = [
    (Server::Nginx, "nginx.conf"),
    (Server::Nginx, "conf/nginx.conf"),
    (Server::Apache, "apache2.conf"),
    (Server::Apache, "conf/httpd.conf"),
    (Server::Apache, "httpd.conf"),
];

/// How far above a part its root is looked for.
const LEVELS: usize = 5;

/// Replaces fragments by the roots that include them, each root once, and says which. What no
/// known root includes stays. `wishes` name roots too.
pub(super) fn into_roots(
    found: &mut Vec<Found>,
    wishes: &[RootWish],
    files: &dyn FileSystem,
    options: &LoadOptions,
) -> Vec<Part> {
    let is_part = |found: &Found| matches!(found.root.kind, RootKind::Fragment(_));
    if !found.iter().any(is_part) {
        return Vec::new();
    }
    let mut known = Known {
        files,
        options,
        tried: Vec::new(),
    };
    let mut parts = Vec::new();
    let mut out: Vec<Found> = Vec::new();
    let named: Vec<PathBuf> = found
        .iter()
        .filter(|item| !is_part(item))
        .map(|item| known.real(&item.root.path))
        .collect();
    for item in std::mem::take(found) {
        let path = item.root.path.clone();
        // What is said of the file itself holds.
        let said = wishes
            .iter()
            .any(|wish| wish.context.is_some() && known.real(&wish.path) == known.real(&path));
        let root = match is_part(&item) && !said {
            true => known.root_of(&path, item.root.server, wishes),
            false => None,
        };
        let Some((root, names)) = root else {
            out.push(item);
            continue;
        };
        parts.push(Part {
            file: path,
            names,
            root: root.root.path.clone(),
            whole: named.contains(&known.real(&root.root.path)),
        });
        let there = |other: &Found| known.real(&other.root.path) == known.real(&root.root.path);
        if !out.iter().any(there) {
            out.push(root);
        }
    }
    *found = out;
    parts
}

impl Part {
    /// True where a finding is about the file.
    pub(super) fn has(&self, finding: &Finding) -> bool {
        let its = |place: &Location| self.names.iter().any(|name| **name == *place.path);
        its(&finding.location) || finding.related.iter().any(|it| its(&it.location))
    }
}

/// Roots and what they read.
struct Known<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    /// A root and its files, with their real paths; `None` for what is no root.
    tried: Vec<(PathBuf, Option<Tree>)>,
}

#[derive(Clone)]
struct Tree {
    found: Found,
    /// Name and real path of each file but the root's.
    files: Vec<(PathBuf, PathBuf)>,
}

impl Known<'_> {
    fn real(&self, path: &Path) -> PathBuf {
        self.files.real(path).unwrap_or_else(|| path.to_path_buf())
    }

    /// The first known root that includes a file, and the file's names in it.
    fn root_of(
        &mut self,
        path: &Path,
        server: Server,
        wishes: &[RootWish],
    ) -> Option<(Found, Vec<PathBuf>)> {
        let real = self.real(path);
        let mut candidates: Vec<PathBuf> = wishes.iter().map(|wish| wish.path.clone()).collect();
        candidates.extend(above(path, server));
        let usual = discover(&[], self.files, self.options).ok();
        let usual = usual.into_iter().flat_map(|usual| usual.found);
        candidates.extend(usual.map(|found| found.root.path));
        for candidate in candidates {
            let Some(tree) = self.tree(&candidate) else {
                continue;
            };
            let same = tree.files.iter().filter(|(_, its)| *its == real);
            let names: Vec<PathBuf> = same.map(|(name, _)| name.clone()).collect();
            if !names.is_empty() {
                return Some((tree.found.clone(), names));
            }
        }
        None
    }

    fn tree(&mut self, root: &Path) -> Option<Tree> {
        if self.files.kind(root) != Some(FileKind::File) {
            return None;
        }
        let real = self.real(root);
        if let Some((_, tree)) = self.tried.iter().find(|(path, _)| *path == real) {
            return tree.clone();
        }
        let tree = self.read(root);
        self.tried.push((real, tree.clone()));
        tree
    }

    fn read(&self, root: &Path) -> Option<Tree> {
        let found = discover_file(root, source::Given::default(), self.files, self.options).ok()?;
        let found = found.found.into_iter().next()?;
        if found.root.kind != RootKind::Root {
            return None;
        }
        let project = source::load(&found.root, self.files, &found.options);
        let included = project.files.iter().skip(1);
        let files = included
            .map(|file| (file.path.to_path_buf(), self.real(&file.path)))
            .collect();
        Some(Tree { found, files })
    }
}

/// Places of main files in the folders around a file, the nearest first.
fn above(path: &Path, server: Server) -> impl Iterator<Item = PathBuf> {
    // Spelled as the file is: what is found is named so too. Above a relative name it goes on
    // with `..`.
    let mut folder = path.parent().map(Path::to_path_buf);
    let mut folders = Vec::new();
    while let Some(here) = folder.take().filter(|_| folders.len() < LEVELS) {
        let climbs = here.as_os_str().is_empty() || here.ends_with("..");
        folder = match climbs {
            true => Some(here.join("..")),
            false => here.parent().map(Path::to_path_buf),
        };
        folders.push(here);
    }
    folders.into_iter().flat_map(move |folder| {
        let names = MAIN.iter().filter(move |(of, _)| *of == server);
        names.map(move |(_, name)| folder.join(name))
    })
}
