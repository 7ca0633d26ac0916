//! What the files are like that a configuration names: ticket keys, certificates, lists of
//! trusted and of revoked ones, and where httpd keeps its sessions.
//!
//! Read only for names that stand in the configuration. A key's bytes never leave this file:
//! what does is a class of them. What is not there, or not readable, is unknown and no error.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::files::{FileSystem, Metadata};
use super::options::{LoadOptions, Root};
use super::{DirectiveId, FileOrigin, Project, path};
use crate::catalog::{Directive, Server};

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

/// Folders that servers hand files out of.
const SERVING: [&str; 3] = ["root", "alias", "documentroot"];

/// Version control's own folders.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".bzr"];

/// File systems in memory, as the kernel names them.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// For fewer paths, starting threads takes longer than they save.
const FEW: usize = 64;

/// No certificate list that a server loads is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Where the name of an nginx key begins and its secret parts follow; httpd's is the same.
const KEY_NAME: usize = 16;

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
    let mut known = BTreeMap::new();
    // A file that is not there is looked for once, however many directives name it.
    let mut unknown = HashSet::new();
    let mut search = None;
    for index in 0..project.directives.len() as u32 {
        let id = DirectiveId(index);
        let Some((name, role)) = named(project, id) else {
            continue;
        };
        if known.contains_key(&*name) || unknown.contains(&(Cow::clone(&name), role)) {
            continue;
        }
        let search = search.get_or_insert_with(|| Search::new(project, root, files, options));
        match search.look(&name, role) {
            Some(found) => {
                known.insert(name.into_owned(), found);
            }
            None => {
                unknown.insert((name, role));
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

struct Search<'a> {
    files: &'a dyn FileSystem,
    options: &'a LoadOptions,
    installed: bool,
    base: PathBuf,
    served: Vec<PathBuf>,
    /// Mounted folders with whether they are kept in memory, where they count.
    mounts: Vec<(PathBuf, bool)>,
}

impl<'a> Search<'a> {
    fn new(
        project: &Project,
        root: &Root,
        files: &'a dyn FileSystem,
        options: &'a LoadOptions,
    ) -> Self {
        let mut search = Self {
            files,
            options,
            installed: root.installed,
            base: root.base().to_path_buf(),
            served: Vec::new(),
            mounts: Vec::new(),
        };
        if let Some(base) = server_root(project) {
            search.base = search.place(&base);
        }
        search.served = search.served_folders(project);
        if root.installed {
            search.mounts = mounts(files);
        }
        search
    }

    fn look(&self, name: &str, role: Role) -> Option<FileFacts> {
        if role == Role::Store {
            return self.store(name);
        }
        let path = self.place(name);
        let metadata = self.files.metadata(&path);
        if metadata.is_some_and(|metadata| metadata.size > LARGEST) {
            return None;
        }
        let bytes = self.files.read(&path).ok();
        if bytes.is_none() && metadata.is_none() {
            return None;
        }
        let real = self.files.real(&path).unwrap_or_else(|| path::clean(&path));
        let Metadata {
            mode,
            owner,
            modified,
            ..
        } = metadata.unwrap_or_default();
        let read = bytes.as_ref().map(|bytes| bytes.len() as u64);
        let bytes = bytes.as_deref();
        let public = bytes.filter(|_| role == Role::Certificate);
        let secret = bytes.filter(|_| role == Role::Key);
        let age = self.options.now.zip(modified);
        Some(FileFacts {
            size: read.or(metadata.map(|metadata| metadata.size)),
            mode,
            owner,
            age: age.map(|(now, modified)| now.saturating_sub(modified)),
            entropy: secret.map(entropy),
            certificate: public.and_then(first_certificate),
            content: public.map(digest),
            versioned: self.is_versioned(&real),
            served_from: self.served_from(&real),
            storage: self.storage(&real),
        })
    }

    /// A session store: the server makes the file, so its folder is looked at.
    fn store(&self, name: &str) -> Option<FileFacts> {
        let (_, rest) = name.split_once(':')?;
        let path = self.place(rest.split('(').next()?);
        let folder = path.parent()?;
        let real = self.files.real(folder)?;
        let metadata = self.files.metadata(&real);
        Some(FileFacts {
            mode: metadata.and_then(|metadata| metadata.mode),
            storage: self.storage(&real),
            ..FileFacts::default()
        })
    }

    /// The place here of a file of the server's.
    fn place(&self, name: &str) -> PathBuf {
        if !path::is_absolute(name.as_bytes()) {
            return self.base.join(name);
        }
        let wanted = path::clean(Path::new(name));
        let mapped = self.options.path_map.iter().find_map(|map| {
            let here = map.to.join(wanted.strip_prefix(&map.from).ok()?);
            (map.whole || self.files.kind(&here).is_some()).then_some(here)
        });
        mapped.unwrap_or(wanted)
    }

    fn is_versioned(&self, real: &Path) -> bool {
        let mut folders = real.ancestors().skip(1);
        folders.any(|folder| {
            let mut names = VERSION_CONTROL.iter();
            names.any(|name| self.files.kind(&folder.join(name)).is_some())
        })
    }

    fn served_folders(&self, project: &Project) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let mut folders = Vec::new();
        for index in 0..project.directives.len() as u32 {
            let id = DirectiveId(index);
            let name = project.name(id);
            let same = |serving: &&str| serving.as_bytes().eq_ignore_ascii_case(name);
            if !SERVING.iter().any(same) {
                continue;
            }
            let Some(folder) = project.argument_text(id, 0) else {
                continue;
            };
            // nginx takes relative folders from where it was built for; `/` says nothing.
            let is_clear = path::is_absolute(folder.as_bytes()) && !folder.contains('$');
            if !is_clear || folder == "/" || !seen.insert(folder.to_string()) {
                continue;
            }
            folders.push(self.place(&folder));
        }
        // A system call for each part of each path, but for what lies below a folder that is not
        // there, as on every machine but the server all do.
        let gone = folders.first().and_then(|first| self.gone(first));
        let is_gone = |here: &Path| gone.as_ref().is_some_and(|gone| here.starts_with(gone));
        let real = |here: PathBuf| match is_gone(&here) {
            true => here,
            false => self.files.real(&here).unwrap_or(here),
        };
        match folders.len() < FEW {
            true => folders.into_iter().map(real).collect(),
            false => folders.into_par_iter().map(real).collect(),
        }
    }

    /// The highest folder of an absolute path that is not there.
    fn gone(&self, path: &Path) -> Option<PathBuf> {
        let mut folders = path.ancestors();
        let there = folders
            .by_ref()
            .position(|it| self.files.kind(it).is_some())?;
        let gone = there.checked_sub(1)?;
        path.ancestors().nth(gone).map(Path::to_path_buf)
    }

    fn served_from(&self, real: &Path) -> Option<PathBuf> {
        let mut folders = self.served.iter();
        folders.find(|folder| real.starts_with(folder)).cloned()
    }

    fn storage(&self, real: &Path) -> Option<Storage> {
        if !self.installed {
            return None;
        }
        let around = self.mounts.iter().filter(|(at, _)| real.starts_with(at));
        let (_, in_memory) = around.max_by_key(|(at, _)| at.components().count())?;
        Some(if *in_memory {
            Storage::Memory
        } else {
            Storage::Disk
        })
    }
}

/// httpd's last ServerRoot.
fn server_root(project: &Project) -> Option<String> {
    if project.server != Server::Apache {
        return None;
    }
    let mut ids = (0..project.directives.len() as u32).rev().map(DirectiveId);
    let id = ids.find(|id| project.name(*id).eq_ignore_ascii_case(b"ServerRoot"))?;
    Some(project.argument_text(id, 0)?.into_owned())
}

/// What the kernel says is mounted where.
fn mounts(files: &dyn FileSystem) -> Vec<(PathBuf, bool)> {
    let Ok(text) = files.read(Path::new("/proc/mounts")) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        Some((PathBuf::from(at), IN_MEMORY.contains(&kind)))
    };
    text.lines().filter_map(mount).collect()
}

/// A class of the secret parts, which follow the key's name.
fn entropy(bytes: &[u8]) -> Entropy {
    let secret = match bytes.get(KEY_NAME..) {
        Some(secret) if !secret.is_empty() => secret,
        _ => bytes,
    };
    if secret.iter().all(|byte| *byte == 0) {
        return Entropy::Zero;
    }
    let distinct: HashSet<u8> = secret.iter().copied().collect();
    // Of 32 random bytes fewer than 16 different ones come up in less than one of 10^12.
    let few = distinct.len() < (secret.len() / 2).min(16);
    let step = |pair: &[u8]| match pair {
        [left, right] => right.wrapping_sub(*left),
        _ => 0,
    };
    let mut steps = secret.windows(2).map(step);
    let counted = steps
        .next()
        .is_some_and(|first| steps.all(|step| step == first));
    let repeated = (1..=secret.len() / 2).any(|period| {
        secret
            .iter()
            .zip(secret.iter().skip(period))
            .all(|(a, b)| a == b)
    });
    if few || counted || repeated {
        return Entropy::Low;
    }
    if secret
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
    {
        return Entropy::Text;
    }
    Entropy::Fine
}

/// The first certificate of a PEM file, whatever stands around it and however it is wrapped.
fn first_certificate(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once("CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    (!body.is_empty()).then(|| digest(body.as_bytes()))
}

/// Tells files apart that nobody forged.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_classed_by_their_secret_parts() {
        let name = *b"a name in front!";
        let key = |secret: &[u8]| [&name[..], secret].concat();
        let scattered: Vec<u8> = (0..64_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert_eq!(entropy(&key(&[0; 32])), Entropy::Zero);
        assert_eq!(entropy(&[0; 48]), Entropy::Zero);
        assert_eq!(entropy(&[]), Entropy::Zero);
        assert_eq!(entropy(&key(&[7; 32])), Entropy::Low);
        assert_eq!(entropy(&key(&b"secret!!".repeat(4))), Entropy::Low);
        assert_eq!(entropy(&key(&(1..33).collect::<Vec<u8>>())), Entropy::Low);
        let text = b"Correct horse, battery staple! 17";
        assert_eq!(entropy(&key(text)), Entropy::Text);
        assert_eq!(entropy(&key(&scattered)), Entropy::Fine);
        assert_eq!(entropy(&key(&scattered[..32])), Entropy::Fine);
    }

    #[test]
    fn a_certificate_is_the_same_in_a_chain_and_alone() {
        let alone = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        let chain = format!(
            "subject=x\r\n{}{}",
            alone.replace('\n', "\r\n"),
            alone.replace('A', "C")
        );
        let other = alone.replace('B', "C");
        let of = |text: &str| first_certificate(text.as_bytes());
        assert!(of(alone).is_some());
        assert_eq!(of(alone), of(&chain));
        assert_ne!(of(alone), of(&other));
        assert_eq!(of("no certificate"), None);
    }
}
