//! Files of one include read and parsed ahead of their turn, on all cores.
//!
//! What comes of it is what reading them in turn gives: a file that cannot be read, or that
//! is no configuration, is left for its turn. It must not follow includes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;

use super::content;
use super::files::FileSystem;
use super::reading::{Grown, Reading};
use super::{path, threads};
use crate::text::LineIndex;

/// So many files are read at once, while as many have their turn: what a limit then keeps from
/// being used was read in vain.
pub(super) const AT_ONCE: usize = 256;

/// Files that are read at once have so many bytes together, and one file more on each core: a
/// folder of links to one large file is read in turn, up to the limit of all files.
const MOST_AHEAD: usize = 32 * 1024 * 1024;

/// For fewer files, starting threads takes longer than they save.
const FEW: usize = 16;

/// A file with all that its bytes alone say.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) text: Arc<[u8]>,
    pub(super) lines: LineIndex,
    pub(super) tree: Grown,
    /// What [`FileSystem::real`] says.
    pub(super) real: Option<PathBuf>,
}

/// Files that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    ready: HashMap<Key, Ready>,
    /// The real path of folders, `None` where they have none.
    folders: HashMap<PathBuf, Option<Arc<Path>>>,
}

/// A file by [`path::spelling`], and how its top level is read.
type Key = (OsString, bool);

/// Files that were read.
pub(super) type Read = Vec<(Key, Ready)>;

/// Files that will be asked for.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    /// Each with the real path of its folder.
    paths: Vec<(&'a Path, Option<Arc<Path>>)>,
    data: bool,
    files: &'a dyn FileSystem,
    reading: Reading,
    /// Bytes that were read.
    taken: AtomicUsize,
}

impl Ahead {
    /// Files to be read ahead; `None` where that does not pay.
    pub(super) fn batch<'a>(
        &mut self,
        paths: Vec<&'a Path>,
        data: bool,
        files: &'a dyn FileSystem,
        reading: Reading,
    ) -> Option<Batch<'a>> {
        if paths.len() < FEW {
            return None;
        }
        threads::start();
        let paths = paths
            .into_iter()
            .map(|path| (path, self.folder(path, files)));
        Some(Batch {
            paths: paths.collect(),
            data,
            files,
            reading,
            taken: AtomicUsize::new(0),
        })
    }

    fn folder(&mut self, path: &Path, files: &dyn FileSystem) -> Option<Arc<Path>> {
        let folder = path.parent()?;
        if let Some(real) = self.folders.get(folder) {
            return real.clone();
        }
        let real = files.real(folder).map(Arc::from);
        self.folders.insert(folder.to_path_buf(), real.clone());
        real
    }

    /// Keeps what was read for its turn.
    pub(super) fn put(&mut self, read: Option<Read>) {
        self.ready.extend(read.into_iter().flatten());
    }

    /// The file of this path, where it was read.
    pub(super) fn take(&mut self, path: &Path, data: bool) -> Option<Ready> {
        if self.ready.is_empty() {
            return None;
        }
        self.ready.remove(&(path::spelling(path), data))
    }
}

impl Batch<'_> {
    /// Reads and parses the files on all cores. What is read in them, before all have had
    /// their turn, may be read ahead in its turn.
    pub(super) fn read(self) -> Read {
        let paths = self.paths.par_iter().with_min_len(FEW);
        let read = paths.filter_map(|(path, folder)| {
            let ready = self.one(path, folder.as_deref())?;
            Some(((path::spelling(path), self.data), ready))
        });
        read.collect()
    }

    fn one(&self, path: &Path, folder: Option<&Path>) -> Option<Ready> {
        if self.taken.load(Relaxed) > MOST_AHEAD {
            return None;
        }
        let (text, real) = self.files.open(path, folder);
        let text = text.ok()?;
        self.taken.fetch_add(text.len(), Relaxed);
        if content::objection(&text).is_some() {
            return None;
        }
        Some(Ready {
            lines: LineIndex::new(&text),
            tree: grown(self.reading, &text),
            text,
            real,
        })
    }
}

/// Carries `work` out while other threads read what comes behind it.
pub(super) fn beside(next: Option<Batch<'_>>, work: impl FnOnce()) -> Option<Read> {
    let Some(next) = next else {
        work();
        return None;
    };
    let mut read = None;
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| read = Some(next.read()));
        work();
    });
    read
}

/// nginx's includes are found in the trees; httpd is read line by line.
fn grown(reading: Reading, text: &[u8]) -> Grown {
    match reading {
        Reading::Nginx(_) => Grown::parsed(reading, text),
        Reading::Apache => Grown::later(reading),
    }
}
