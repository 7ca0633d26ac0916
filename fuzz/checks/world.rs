//! A small file system that is written down in an input: files, symlinks, what cannot be read.
//! Notes what is read of it. It must not touch the machine's own files.
//!
//! The input is the root's text up to the first line that begins with `%%`; such a line names
//! what follows: `%%f PATH` a file with the lines up to the next one, `%%l PATH TARGET` a symlink,
//! `%%x PATH` a file that may not be read, `%%p PATH` a pipe.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use stekguard::source::{FileKind, FileOrigin, FileSystem, Memory, ReadError, Walk, clean_path};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

#[derive(Debug)]
pub(crate) struct World {
    memory: Memory,
    links: BTreeMap<PathBuf, PathBuf>,
    asked: Mutex<Vec<(PathBuf, bool)>>,
}

impl World {
    /// The world of an input, with its root at this path.
    pub(crate) fn read(root: &Path, input: &[u8]) -> Self {
        let mut world = Self {
            memory: Memory::default(),
            links: BTreeMap::new(),
            asked: Mutex::default(),
        };
        let mut path = root.to_path_buf();
        let mut text: Vec<u8> = Vec::new();
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            let Some(mark) = line.strip_prefix(b"%%") else {
                text.extend_from_slice(line);
                continue;
            };
            let (kind, names) = mark.split_first().unwrap_or((&b'f', b""));
            let names = String::from_utf8_lossy(names).trim().to_owned();
            let (name, target) = names.split_once(' ').unwrap_or((&names, ""));
            let named = below(name);
            match kind {
                b'l' => drop(world.links.insert(named, PathBuf::from(target))),
                b'x' => world.memory.insert_failure(&named, ReadError::Permission),
                b'p' => world.memory.insert_failure(&named, ReadError::NotRegular),
                _ => {
                    let done = std::mem::take(&mut text);
                    world.memory.insert(&path, done.into());
                    path = named;
                }
            }
        }
        world.memory.insert(&path, text.into());
        world
    }

    /// Every path whose bytes were asked for, and whether there were any; sorted.
    pub(crate) fn asked(&self) -> Vec<(PathBuf, bool)> {
        let mut asked = self.asked.lock().map(|it| it.clone()).unwrap_or_default();
        asked.sort();
        asked.dedup();
        asked
    }

    /// The path without symlinks; `None` where they go on for ever.
    fn resolved(&self, path: &Path) -> Option<PathBuf> {
        let mut path = clean_path(path);
        for _ in 0..MOST_LINKS {
            let mut parts = path.ancestors().collect::<Vec<_>>();
            parts.reverse();
            let Some(link) = parts.iter().find(|part| self.links.contains_key(**part)) else {
                return Some(path);
            };
            let rest = path.strip_prefix(link).unwrap_or(Path::new(""));
            let folder = link.parent().unwrap_or(Path::new("/"));
            path = clean_path(&folder.join(&self.links[*link]).join(rest));
        }
        None
    }
}

/// Names are absolute here, as the root's is.
fn below(name: &str) -> PathBuf {
    clean_path(&Path::new("/etc").join(name))
}

fn endless() -> ReadError {
    ReadError::Other(Arc::new(io::Error::other(
        "too many levels of symbolic links",
    )))
}

impl FileSystem for World {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, ReadError> {
        let bytes = match self.resolved(path) {
            Some(real) => self.memory.read(&real),
            None => Err(endless()),
        };
        if let Ok(mut asked) = self.asked.lock() {
            asked.push((clean_path(path), bytes.is_ok()));
        }
        bytes
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, ReadError> {
        let real = self.resolved(path).ok_or_else(endless)?;
        let links = self.links.keys();
        let links = links.filter(|link| link.parent() == Some(&real));
        let links: Vec<OsString> = links
            .filter_map(|link| Some(link.file_name()?.to_owned()))
            .collect();
        let mut names = match self.memory.list(&real) {
            Ok(names) => names,
            Err(error) if links.is_empty() => return Err(error),
            Err(_) => Vec::new(),
        };
        names.extend(links);
        names.sort_by(|one, other| one.as_encoded_bytes().cmp(other.as_encoded_bytes()));
        names.dedup();
        Ok(names)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let real = self.resolved(path)?;
        let known = self.memory.kind(&real);
        let mut links = self.links.keys();
        known.or_else(|| {
            let holds = links.any(|link| link.parent() == Some(&real));
            holds.then_some(FileKind::Directory)
        })
    }

    fn real(&self, path: &Path) -> Option<PathBuf> {
        let real = self.resolved(path)?;
        self.kind(&real).map(|_| real)
    }

    fn origin(&self, _path: &Path) -> FileOrigin {
        FileOrigin::Memory
    }

    fn is_link(&self, path: &Path) -> bool {
        self.links.contains_key(&clean_path(path))
    }

    fn walk(&self, directory: &Path) -> Walk {
        self.memory.walk(directory)
    }
}
