//! Files that are parts of a known configuration: judged in the root that includes them, not
//! alone. Finds the root; judges nothing.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
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
        tried: HashMap::new(),
        wished: HashMap::new(),
        read: 0,
        usual: OnceCell::new(),
    };
    let mut parts = Vec::new();
    let mut out: Vec<Found> = Vec::new();
    let mut there: HashSet<PathBuf> = HashSet::new();
    let named = found.iter().filter(|item| !is_part(item));
    let named: HashSet<PathBuf> = named.map(|item| known.real(&item.root.path)).collect();
    let with_context = wishes.iter().filter(|wish| wish.context.is_some());
    let with_context: HashSet<PathBuf> = with_context.map(|wish| known.real(&wish.path)).collect();
    for item in std::mem::take(found) {
        let path = item.root.path.clone();
        let real = known.real(&path);
        // What is said of the file itself holds.
        let root = match is_part(&item) && !with_context.contains(&real) {
            true => known.root_of(&path, &real, item.root.server, wishes),
            false => None,
        };
        let Some((root, names)) = root else {
            there.insert(real);
            out.push(item);
            continue;
        };
        let begins = known.real(&root.root.path);
        parts.push(Part {
            file: path,
            names,
            root: root.root.path.clone(),
            whole: named.contains(&begins),
        });
        if there.insert(begins) {
            out.push(root);
        }
    }
    *found = out;
    parts
}

/// What of one root is asked about.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// All of it.
    pub(super) whole: bool,
    /// The files.
    names: HashSet<PathBuf>,
}

impl Asked {
    /// By the root that the parts are judged in.
    pub(super) fn by_root(parts: &[Part]) -> HashMap<PathBuf, Self> {
        let mut roots: HashMap<PathBuf, Self> = HashMap::new();
        for part in parts {
            let asked = roots.entry(part.root.clone()).or_default();
            asked.whole |= part.whole;
            asked.names.extend(part.names.iter().cloned());
        }
        roots
    }

    /// True where a finding is about one of the files.
    pub(super) fn has(&self, finding: &Finding) -> bool {
        let its = |place: &Location| self.names.contains(&*place.path);
        its(&finding.location) || finding.related.iter().any(|it| its(&it.location))
    }
}

/// Roots and what they read.
struct Known<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    /// By a root's real path: what it reads; `None` for what is no root.
    tried: HashMap<PathBuf, Option<Tree>>,
    /// By the real path of a file: the first root of the settings that includes it, of those
    /// that were read so far.
    wished: HashMap<PathBuf, PathBuf>,
    /// How many of these roots were read.
    read: usize,
    /// Where roots usually are.
    usual: OnceCell<Vec<PathBuf>>,
}

struct Tree {
    found: Found,
    /// The names of each file but the root's, by its real path.
    files: HashMap<PathBuf, Vec<PathBuf>>,
}

impl Known<'_> {
    fn real(&self, path: &Path) -> PathBuf {
        self.files.real(path).unwrap_or_else(|| path.to_path_buf())
    }

    /// The first known root that includes a file, and the file's names in it.
    fn root_of(
        &mut self,
        path: &Path,
        real: &Path,
        server: Server,
        wishes: &[RootWish],
    ) -> Option<(Found, Vec<PathBuf>)> {
        if let Some(root) = self.wished(wishes, real) {
            return self.includes(&root, real);
        }
        above(path, server)
            .find_map(|root| self.includes(&root, real))
            .or_else(|| {
                let usual = self.usual().to_vec();
                usual.iter().find_map(|root| self.includes(root, real))
            })
    }

    /// The first root of the settings that includes a file. Roots behind it are not read.
    fn wished(&mut self, wishes: &[RootWish], real: &Path) -> Option<PathBuf> {
        loop {
            if let Some(root) = self.wished.get(real) {
                return Some(root.clone());
            }
            let root = &wishes.get(self.read)?.path;
            self.read += 1;
            let files = self.tree(root).into_iter();
            let files: Vec<PathBuf> = files.flat_map(|tree| tree.files.keys()).cloned().collect();
            for file in files {
                self.wished.entry(file).or_insert_with(|| root.clone());
            }
        }
    }

    fn usual(&self) -> &[PathBuf] {
        self.usual.get_or_init(|| {
            let usual = discover(&[], self.files, self.options).ok();
            let usual = usual.into_iter().flat_map(|usual| usual.found);
            usual.map(|found| found.root.path).collect()
        })
    }

    /// A root and the names by which it includes a file.
    fn includes(&mut self, root: &Path, real: &Path) -> Option<(Found, Vec<PathBuf>)> {
        let tree = self.tree(root)?;
        let names = tree.files.get(real)?;
        Some((tree.found.clone(), names.clone()))
    }

    fn tree(&mut self, root: &Path) -> Option<&Tree> {
        if self.files.kind(root) != Some(FileKind::File) {
            return None;
        }
        let real = self.real(root);
        if !self.tried.contains_key(&real) {
            let tree = self.read(root);
            self.tried.insert(real.clone(), tree);
        }
        self.tried.get(&real)?.as_ref()
    }

    fn read(&self, root: &Path) -> Option<Tree> {
        let found = discover_file(root, source::Given::default(), self.files, self.options).ok()?;
        let found = found.found.into_iter().next()?;
        if found.root.kind != RootKind::Root {
            return None;
        }
        let project = source::load(&found.root, self.files, &found.options);
        let included = project.files.iter().skip(1);
        let mut files: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
        for file in included {
            let names = files.entry(self.real(&file.path)).or_default();
            names.push(file.path.to_path_buf());
        }
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
