//! Why a request names nothing that can be judged.

use std::path::PathBuf;

use super::files::ReadError;

/// What stops the search for configurations before anything is read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// A path from the user that cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// Why.
        #[source]
        reason: ReadError,
    },
    /// A directory in which nothing is a configuration of either server.
    #[error(
        "{}: no configuration of nginx or Apache httpd below this directory (files \
         looked at: {looked}, templates skipped: {templates}); looked for nginx.conf, apache2.conf, \
         httpd.conf and for files with server or VirtualHost blocks",
        path.display()
    )]
    NothingFound {
        /// The directory as given.
        path: PathBuf,
        /// How many files were opened.
        looked: usize,
        /// How many templates were left out.
        templates: usize,
    },
    /// No path was given and no server is installed in a usual place.
    #[error("no configuration in the usual places; looked for {}", list(places))]
    NoUsualPlace {
        /// The places.
        places: Vec<PathBuf>,
    },
}

fn list(places: &[PathBuf]) -> String {
    places
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
