//! One root to one project.

use crate::catalog::Server;

use super::dump::Dump;
use super::files::FileSystem;
use super::options::{LoadOptions, Root, RootKind};
use super::{Project, apache, facts, nginx};

/// Reads a configuration as its server does. Never fails: what could not be read stands in
/// [`Project::problems`].
pub fn load(root: &Root, files: &dyn FileSystem, options: &LoadOptions) -> Project {
    let mut project = expand(root, files, options);
    if root.kind != RootKind::Dump {
        project.facts = facts::gather(&project, root, files, options);
    }
    project
}

fn expand(root: &Root, files: &dyn FileSystem, options: &LoadOptions) -> Project {
    if root.server == Server::Apache {
        return apache::expand(root, files, options);
    }
    if root.kind != RootKind::Dump {
        return nginx::expand(root, files, options);
    }
    let stream = files.read(&root.path).ok();
    let Some(dump) = stream.and_then(|stream| Dump::parse(&stream)) else {
        // The usual path says what is wrong with the file.
        return nginx::expand(root, files, options);
    };
    let inside = Root {
        path: dump.root.clone(),
        kind: RootKind::Root,
        ..root.clone()
    };
    nginx::expand(&inside, dump.files(), options)
}
