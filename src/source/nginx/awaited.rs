//! nginx: the list of rotated ticket keys, where it is not seen.
//!
//! Keys live in memory on the server, so that neither a repository nor a user without its
//! rights sees them. Who includes `*.conf` of their folder has declared that they are there; a
//! stub stands for the list. It must not invent keys: the stub names files and holds none.

use std::path::Path;

use super::Expander;
use crate::source::files::ReadError;
use crate::source::{Awaited, FileId, FileOrigin, glob, path as paths};

/// The file that lists the keys, which `stekguard keys` writes.
const LIST: &str = "keys.conf";
/// What it would name: the key that encrypts and one of those that only decrypt.
const KEYS: [&str; 2] = ["current.key", "next.key"];

impl Expander<'_> {
    /// The stub for a pattern that matches nothing, where it names the list of rotated keys.
    pub(super) fn awaited_keys(&mut self, name: &[u8]) -> Option<FileId> {
        let directory = self.options.keys_directory.clone()?;
        let folder = glob::fixed_folder(Path::new(""), name);
        if paths::clean(&folder) != paths::clean(&directory) {
            return None;
        }
        let path = directory.join(LIST);
        if !glob::path_matches(name, &path) {
            return None;
        }
        let known = self.known.get(&(paths::spelling(&path), false));
        if let Some(file) = known {
            return Some(*file);
        }
        let hidden = matches!(self.files.list(&directory), Err(ReadError::Permission));
        self.project.awaited = Some(Awaited {
            path: path.clone(),
            missing: self.resolver.is_at_home() && !hidden,
        });
        let line = |key: &&str| {
            let key = directory.join(key);
            format!("ssl_session_ticket_key \"{}\";\n", key.display())
        };
        let text: String = KEYS.iter().map(line).collect();
        Some(self.add_file(&path, text.into_bytes().into(), false, FileOrigin::Stub))
    }
}
