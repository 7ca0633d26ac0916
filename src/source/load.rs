//! One root to one project.

use super::files::FileSystem;
use super::options::{LoadOptions, Root};
use super::{Project, apache};

/// Reads a configuration as its server does. Never fails: what could not be read stands in
/// [`Project::problems`].
pub fn load(root: &Root, files: &dyn FileSystem, options: &LoadOptions) -> Project {
    apache::expand(root, files, options)
}
