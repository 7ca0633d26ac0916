//! What the files are like that a configuration names: ticket keys, certificates, lists of
//! trusted and of revoked ones, and where httpd keeps its sessions.
//!
//! Read only for names that stand in the configuration. A key's bytes never leave this folder:
//! what does is a class of them. What is not there, or not readable, is unknown and no error.

mod bytes;
mod search;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::files::FileSystem;
use super::options::{LoadOptions, Root};
use super::{DirectiveId, FileOrigin, Project};
use crate::catalog::Directive;
use search::Search;

/// Facts about the files that a configuration names.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    known: Arc<BTreeMap<String, FileFacts>>,
}

impl Facts {
    /// The facts about the file that a directive names so; `None` where nothing is known.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&FileFacts> {
        self.known.get(name)
    }

    /// How many files are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// True where nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// What is known of one file. Holds nothing from which its bytes could be found.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct FileFacts {
    /// In bytes; `None` where the file is not there.
    pub size: Option<u64>,
    /// Permission bits as `chmod` takes them; `None` where the platform has none.
    pub mode: Option<u32>,
    /// The owner's number.
    pub owner: Option<u32>,
    /// Seconds since it was written.
    pub age: Option<u64>,
    /// How random it looks; only for ticket keys.
    pub entropy: Option<Entropy>,
    /// The same number for the same certificate, where the file begins with one. Of a file
    /// with a chain this is the first one, the server's own. Never of a ticket key.
    pub certificate: Option<u64>,
    /// The same number for the same bytes. Never of a ticket key.
    pub content: Option<u64>,
    /// It lies in a folder under version control.
    pub versioned: bool,
    /// It lies below this folder, from which the server hands out files.
    pub served_from: Option<PathBuf>,
    /// What keeps it; known only where the configuration is this machine's own.
    pub storage: Option<Storage>,
}

impl FileFacts {
    /// True where every user of the machine may read it.
    #[must_use]
    pub fn is_readable_by_others(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o004 != 0)
    }
}

/// How random the secret part of a ticket key looks.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Entropy {
    /// All bytes are zero.
    Zero,
    /// A few bytes again and again, or counted up.
    Low,
    /// Letters and digits only: not what a random generator writes.
    Text,
    /// Nothing to object to.
    Fine,
}

/// What keeps a file.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Storage {
    /// A file system in memory.
    Memory,
    /// Anything else.
    Disk,
}

/// What a directive's file is.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
enum Role {
    /// Its bytes are secret.
    Key,
    /// Its bytes are public.
    Certificate,
    /// Only its place matters; the server makes it.
    Store,
}

/// Directives that name files, as the servers spell them in lower case.
const NAMING: [(&str, Role); 10] = [
    ("ssl_session_ticket_key", Role::Key),
    ("ssl_certificate", Role::Certificate),
    ("ssl_client_certificate", Role::Certificate),
    ("ssl_trusted_certificate", Role::Certificate),
    ("ssl_crl", Role::Certificate),
    ("sslsessionticketkeyfile", Role::Key),
    ("sslcertificatefile", Role::Certificate),
    ("sslcacertificatefile", Role::Certificate),
    ("sslcarevocationfile", Role::Certificate),
    ("sslsessioncache", Role::Store),
];

/// Finds out about every file that the configuration names.
pub(super) fn gather(
    project: &Project,
    root: &Root,
    files: &dyn FileSystem,
    options: &LoadOptions,
) -> Facts {
    // What a stream names lies on another machine.
    if files.origin(&root.path) == FileOrigin::Dump {
        return Facts::default();
    }
    // Each once, however many directives name it; by another role only where the first knows
    // nothing of it.
    let mut seen = HashSet::new();
    let ids = (0..project.directives.len() as u32).map(DirectiveId);
    let named = ids.filter_map(|id| named(project, id));
    let named: Vec<_> = named.filter(|it| seen.insert(it.clone())).collect();
    let mut known = BTreeMap::new();
    if !named.is_empty() {
        let found = Search::new(project, root, files, options).look(&named);
        for ((name, _), found) in named.into_iter().zip(found) {
            if let Some(found) = found {
                known.entry(name.into_owned()).or_insert(found);
            }
        }
    }
    Facts {
        known: Arc::new(known),
    }
}

/// The file that a directive names.
fn named(project: &Project, id: DirectiveId) -> Option<(Cow<'_, str>, Role)> {
    let role = role(project.directive(id).spec?)?;
    let name = project.argument_text(id, 0)?;
    // Variables are filled in for each connection; a scheme is no file.
    let is_file = !name.contains('$') && (role == Role::Store || !name.contains(':'));
    (is_file && !name.is_empty()).then_some((name, role))
}

/// What the file of a directive is, where it names one.
fn role(spec: &Directive) -> Option<Role> {
    // All of them begin so.
    let head = spec.name.as_bytes().get(..3)?;
    if !head.eq_ignore_ascii_case(b"ssl") {
        return None;
    }
    let mut known = NAMING.iter();
    let found = known.find(|(name, _)| name.eq_ignore_ascii_case(spec.name));
    found.map(|(_, role)| *role)
}
