//! Looks at the files that a configuration names, where the server would find them.
//!
//! What is not there, or not readable, is unknown and no error.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::bytes::{digest, entropy, first_certificate};
use super::{FileFacts, Role, Storage};
use crate::catalog::Server;
use crate::source::files::{FileSystem, Metadata};
use crate::source::options::{LoadOptions, Root};
use crate::source::{DirectiveId, Project, path};

/// Folders that servers hand files out of.
const SERVING: [&str; 3] = ["root", "alias", "documentroot"];

/// Version control's own folders.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".bzr"];

/// File systems in memory, as the kernel names them.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// For fewer paths, starting threads takes longer than they save.
const FEW: usize = 64;

/// No certificate list that a server loads is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Where to look.
pub(super) struct Search<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    server: Server,
    installed: bool,
    base: PathBuf,
    /// Folders that the server hands out files from, each with its place among them.
    served: HashMap<PathBuf, usize>,
    /// Mounted folders with whether they are kept in memory, where they count.
    mounts: Vec<(PathBuf, bool)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        project: &Project,
        root: &Root,
        files: &'a dyn FileSystem,
        options: &'a LoadOptions,
    ) -> Self {
        let mut search = Self {
            files,
            options,
            server: project.server,
            installed: root.installed,
            base: root.base().to_path_buf(),
            served: HashMap::new(),
            mounts: Vec::new(),
        };
        if let Some(base) = server_root(project) {
            search.base = search.place(&base);
        }
        for (place, folder) in search.served_folders(project).into_iter().enumerate() {
            search.served.entry(folder).or_insert(place);
        }
        if root.installed {
            search.mounts = mounts(files);
        }
        search
    }

    /// What is known of the files that directives name so, one after the other.
    pub(super) fn look(&self, named: &[(Cow<'_, str>, Role)]) -> Vec<Option<FileFacts>> {
        let look = |(name, role): &(Cow<'_, str>, Role)| match role {
            Role::Store => self.store(name).map(|facts| (None, facts)),
            _ => self.file(name, *role).map(|(real, it)| (Some(real), it)),
        };
        let found: Vec<_> = match named.len() < FEW {
            true => named.iter().map(look).collect(),
            false => named.par_iter().map(look).collect(),
        };
        // Most files lie beside others.
        let mut versioned = HashMap::new();
        let mut around = |(real, facts): (Option<PathBuf>, FileFacts)| match real {
            Some(real) => FileFacts {
                versioned: self.is_versioned(&real, &mut versioned),
                ..facts
            },
            None => facts,
        };
        found.into_iter().map(|it| it.map(&mut around)).collect()
    }

    /// A file's real path, and what is known of it but for what its folder says.
    fn file(&self, name: &str, role: Role) -> Option<(PathBuf, FileFacts)> {
        let path = self.place(name);
        let metadata = self.files.metadata(&path);
        if metadata.is_some_and(|metadata| metadata.size > LARGEST) {
            return None;
        }
        // A certificate's file may hold its private key too.
        let bytes = self.files.read_secret(&path).ok();
        let bytes = bytes.as_ref().map(|bytes| bytes.as_slice());
        let read = bytes.map(|bytes| bytes.len() as u64);
        if read.is_none() && metadata.is_none() {
            return None;
        }
        let real = self.files.real(&path).unwrap_or_else(|| path::clean(&path));
        let Metadata {
            mode,
            owner,
            modified,
            ..
        } = metadata.unwrap_or_default();
        let public = bytes.filter(|_| role == Role::Certificate);
        let secret = bytes.filter(|_| role == Role::Key);
        let age = self.options.now.zip(modified);
        let facts = FileFacts {
            size: read.or(metadata.map(|metadata| metadata.size)),
            mode,
            owner,
            age: age.map(|(now, modified)| now.saturating_sub(modified)),
            entropy: secret.map(|bytes| entropy(self.server, bytes)),
            certificate: public.and_then(first_certificate),
            content: public.map(digest),
            versioned: false,
            served_from: self.served_from(&real),
            storage: self.storage(&real),
        };
        Some((real, facts))
    }

    /// A session store: the server makes the file, so its folder is looked at.
    fn store(&self, name: &str) -> Option<FileFacts> {
        let (_, rest) = name.split_once(':')?;
        let path = self.place(rest.split('(').next()?);
        let folder = path.parent()?;
        let real = self.files.real(folder)?;
        let metadata = self.files.metadata(&real);
        Some(FileFacts {
            mode: metadata.and_then(|metadata| metadata.mode),
            storage: self.storage(&real),
            ..FileFacts::default()
        })
    }

    /// The place here of a file of the server's.
    fn place(&self, name: &str) -> PathBuf {
        if !path::is_absolute(name.as_bytes()) {
            return self.base.join(name);
        }
        let wanted = path::clean(Path::new(name));
        let mapped = self
            .options
            .path_map
            .over(&wanted)
            .into_iter()
            .find_map(|map| {
                let here = map.to.join(wanted.strip_prefix(&map.from).ok()?);
                (map.whole || self.files.kind(&here).is_some()).then_some(here)
            });
        mapped.unwrap_or(wanted)
    }

    /// `known` has the folders that were looked at before.
    fn is_versioned(&self, real: &Path, known: &mut HashMap<PathBuf, bool>) -> bool {
        let mut versioned = false;
        let mut below = Vec::new();
        for folder in real.ancestors().skip(1) {
            if let Some(known) = known.get(folder) {
                versioned = *known;
                break;
            }
            below.push(folder);
            let mut names = VERSION_CONTROL.iter();
            if names.any(|name| self.files.kind(&folder.join(name)).is_some()) {
                versioned = true;
                break;
            }
        }
        known.extend(below.into_iter().map(|it| (it.to_path_buf(), versioned)));
        versioned
    }

    fn served_folders(&self, project: &Project) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let mut folders = Vec::new();
        for index in 0..project.directives.len() as u32 {
            let id = DirectiveId(index);
            let name = project.name(id);
            let same = |serving: &&str| serving.as_bytes().eq_ignore_ascii_case(name);
            if !SERVING.iter().any(same) {
                continue;
            }
            let Some(folder) = project.argument_text(id, 0) else {
                continue;
            };
            // nginx takes relative folders from where it was built for; `/` says nothing.
            let is_clear = path::is_absolute(folder.as_bytes()) && !folder.contains('$');
            if !is_clear || folder == "/" || !seen.insert(folder.to_string()) {
                continue;
            }
            folders.push(self.place(&folder));
        }
        // A system call for each part of each path, but for what lies below a folder that is not
        // there, as on every machine but the server all do.
        let gone = folders.first().and_then(|first| self.gone(first));
        let is_gone = |here: &Path| gone.as_ref().is_some_and(|gone| here.starts_with(gone));
        let real = |here: PathBuf| match is_gone(&here) {
            true => here,
            false => self.files.real(&here).unwrap_or(here),
        };
        match folders.len() < FEW {
            true => folders.into_iter().map(real).collect(),
            false => folders.into_par_iter().map(real).collect(),
        }
    }

    /// The highest folder of an absolute path that is not there.
    fn gone(&self, path: &Path) -> Option<PathBuf> {
        let mut folders = path.ancestors();
        let there = folders
            .by_ref()
            .position(|it| self.files.kind(it).is_some())?;
        let gone = there.checked_sub(1)?;
        path.ancestors().nth(gone).map(Path::to_path_buf)
    }

    /// Of several folders around it the one that is named first.
    fn served_from(&self, real: &Path) -> Option<PathBuf> {
        let around = real.ancestors();
        let served = around.filter_map(|it| self.served.get_key_value(it));
        let (first, _) = served.min_by_key(|(_, place)| **place)?;
        Some(first.clone())
    }

    fn storage(&self, real: &Path) -> Option<Storage> {
        if !self.installed {
            return None;
        }
        let around = self.mounts.iter().filter(|(at, _)| real.starts_with(at));
        let (_, in_memory) = around.max_by_key(|(at, _)| at.components().count())?;
        Some(if *in_memory {
            Storage::Memory
        } else {
            Storage::Disk
        })
    }
}

/// httpd's last ServerRoot.
fn server_root(project: &Project) -> Option<String> {
    if project.server != Server::Apache {
        return None;
    }
    let mut ids = (0..project.directives.len() as u32).rev().map(DirectiveId);
    let id = ids.find(|id| project.name(*id).eq_ignore_ascii_case(b"ServerRoot"))?;
    Some(project.argument_text(id, 0)?.into_owned())
}

/// What the kernel says is mounted where.
fn mounts(files: &dyn FileSystem) -> Vec<(PathBuf, bool)> {
    let Ok(text) = files.read(Path::new("/proc/mounts")) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        Some((PathBuf::from(at), IN_MEMORY.contains(&kind)))
    };
    text.lines().filter_map(mount).collect()
}
