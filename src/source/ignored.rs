//! What a search leaves out: files that git ignores, and files that the settings exclude.
//!
//! Reads `.gitignore` as data, and only those of the repository that the searched directory
//! stands in. The directory itself was named by somebody and is never left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::FileSystem;
use super::pattern::{PathGlobs, Patterns, absolute, names};

/// What to leave out.
#[derive(Clone, Debug, Default)]
pub struct Exclusion {
    /// By the settings.
    pub globs: PathGlobs,
    /// By `.gitignore` too.
    pub gitignore: bool,
}

/// A search below one directory.
pub(super) struct Sieve<'a> {
    exclusion: &'a Exclusion,
    files: &'a dyn FileSystem,
    directory: PathBuf,
    /// The folder that holds `.git`; `None` outside repositories.
    repository: Option<PathBuf>,
    /// The lists read so far, by their folder.
    lists: BTreeMap<PathBuf, Patterns>,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(
        directory: &Path,
        exclusion: &'a Exclusion,
        files: &'a dyn FileSystem,
    ) -> Self {
        let directory = absolute(directory);
        let holds = |folder: &&Path| files.kind(&folder.join(".git")).is_some();
        let repository = match exclusion.gitignore {
            true => directory.ancestors().find(holds).map(Path::to_path_buf),
            false => None,
        };
        Self {
            exclusion,
            files,
            directory,
            repository,
            lists: BTreeMap::new(),
        }
    }

    /// True for a file below the directory that is left out.
    pub(super) fn drops(&mut self, file: &Path) -> bool {
        self.exclusion.globs.covers(file) || self.git_ignores(&absolute(file))
    }

    fn git_ignores(&mut self, file: &Path) -> bool {
        let Some(repository) = self.repository.clone() else {
            return false;
        };
        let Ok(below) = file.strip_prefix(&self.directory) else {
            return false;
        };
        // Folder by folder: what is in an ignored folder cannot be taken back.
        let mut path = self.directory.clone();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            if self.verdict(&path, parts.peek().is_some(), &repository) {
                return true;
            }
        }
        false
    }

    /// The nearest list that says something decides.
    fn verdict(&mut self, path: &Path, directory: bool, repository: &Path) -> bool {
        for folder in path.ancestors().skip(1) {
            let Ok(below) = path.strip_prefix(folder) else {
                return false;
            };
            let said = self.list(folder).verdict(&names(below), directory);
            if let Some(said) = said {
                return said;
            }
            if folder == repository {
                return false;
            }
        }
        false
    }

    fn list(&mut self, folder: &Path) -> &Patterns {
        let files = self.files;
        self.lists.entry(folder.to_path_buf()).or_insert_with(|| {
            let text = files.read(&folder.join(".gitignore"));
            text.map(|text| Patterns::parse(&text)).unwrap_or_default()
        })
    }
}
