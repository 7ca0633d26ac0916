//! Files of one include read and parsed ahead of their turn, on all cores.
//!
//! What comes of it is what reading them in turn gives: a file that cannot be read, or that
//! is no configuration, is left for its turn. It must not follow includes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;

use super::content;
use super::files::FileSystem;
use super::reading::{Grown, Reading};
use crate::text::LineIndex;

/// So many files are read ahead of their turn at most: what a limit then keeps from being
/// used was read in vain.
pub(super) const AT_ONCE: usize = 512;

/// Files that are read ahead have so many bytes together, and one file more on each core: a
/// folder of links to one large file is read in turn, up to the limit of all files.
const MOST_AHEAD: usize = 64 * 1024 * 1024;

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
    /// By path and by how their top level is read.
    ready: HashMap<(PathBuf, bool), Ready>,
    /// The real path of folders, `None` where they have none.
    folders: HashMap<PathBuf, Option<PathBuf>>,
}

impl Ahead {
    /// Reads and parses files that will be asked for, [`AT_ONCE`] at most. What is read in
    /// them, before all have had their turn, may be read ahead in its turn.
    pub(super) fn read(
        &mut self,
        paths: &[&Path],
        data: bool,
        files: &dyn FileSystem,
        reading: Reading,
    ) {
        if paths.len() < FEW {
            return;
        }
        for folder in paths.iter().filter_map(|path| path.parent()) {
            if !self.folders.contains_key(folder) {
                let real = files.real(folder);
                self.folders.insert(folder.to_path_buf(), real);
            }
        }
        let folders = &self.folders;
        let taken = AtomicUsize::new(0);
        let read = paths.par_iter().with_min_len(FEW).filter_map(|path| {
            if taken.load(Relaxed) > MOST_AHEAD {
                return None;
            }
            let folder = path
                .parent()
                .and_then(|folder| folders.get(folder)?.as_deref());
            let (text, real) = files.open(path, folder);
            let text = text.ok()?;
            taken.fetch_add(text.len(), Relaxed);
            if content::objection(&text).is_some() {
                return None;
            }
            let ready = Ready {
                lines: LineIndex::new(&text),
                tree: grown(reading, &text),
                text,
                real,
            };
            Some(((path.to_path_buf(), data), ready))
        });
        self.ready.par_extend(read);
    }

    /// The file of this path, where it was read.
    pub(super) fn take(&mut self, path: &Path, data: bool) -> Option<Ready> {
        if self.ready.is_empty() {
            return None;
        }
        self.ready.remove(&(path.to_path_buf(), data))
    }
}

/// nginx's includes are found in the trees; httpd is read line by line.
fn grown(reading: Reading, text: &[u8]) -> Grown {
    match reading {
        Reading::Nginx(_) => Grown::now(reading, reading.parse(text)),
        Reading::Apache => Grown::later(reading),
    }
}
