//! What to read and how far: the inputs of loading. Data only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::allowed::AllowedMissing;
use super::ignored::Exclusion;
use super::maps::PathMaps;
use crate::catalog::Server;

/// Where a configuration begins.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Root {
    /// Whose configuration it is.
    pub server: Server,
    /// The file, as it is opened here.
    pub path: PathBuf,
    /// What the file is.
    pub kind: RootKind,
    /// The folder that relative names start from, where it is not the usual one: nginx's
    /// `-p` (usual: the root's own folder), httpd's `-d` before any ServerRoot.
    pub base: Option<PathBuf>,
    /// Variables that httpd's starter sets (Debian's `envvars`), read as data.
    pub environment: BTreeMap<String, Vec<u8>>,
    /// True where the file stands at the place that the server on this machine uses, so
    /// that this machine's package status speaks about it.
    pub installed: bool,
}

impl Root {
    /// A root file.
    pub fn new(server: Server, path: impl Into<PathBuf>) -> Self {
        Self {
            server,
            path: path.into(),
            kind: RootKind::Root,
            base: None,
            environment: BTreeMap::new(),
            installed: false,
        }
    }

    /// The same with another kind.
    pub fn with_kind(self, kind: RootKind) -> Self {
        Self { kind, ..self }
    }

    /// The folder that relative names start from.
    pub fn base(&self) -> &Path {
        match &self.base {
            Some(base) => base,
            None => self.path.parent().unwrap_or(Path::new("")),
        }
    }
}

/// What a root's file is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum RootKind {
    /// The server's main file.
    Root,
    /// A file that some main file would include, judged alone.
    Fragment(FragmentContext),
    /// The output of `nginx -T`.
    Dump,
}

/// In which context a lone fragment is judged: the blocks around it.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum FragmentContext {
    /// The top level of either server.
    Main,
    /// nginx: `http`.
    Http,
    /// nginx: `http`, `server`.
    HttpServer,
    /// nginx: `http`, `server`, `location /`.
    HttpLocation,
    /// nginx: `stream`.
    Stream,
    /// nginx: `stream`, `server`.
    StreamServer,
    /// nginx: `mail`.
    Mail,
    /// nginx: `mail`, `server`.
    MailServer,
}

/// A text that names no context.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error("`{given}` is none of {}", NAMES.map(|(name, _)| name).join("; "))]
pub struct ContextError {
    given: String,
}

/// How contexts are written.
const NAMES: [(&str, FragmentContext); 8] = [
    ("main", FragmentContext::Main),
    ("http", FragmentContext::Http),
    ("http,server", FragmentContext::HttpServer),
    ("http,server,location", FragmentContext::HttpLocation),
    ("stream", FragmentContext::Stream),
    ("stream,server", FragmentContext::StreamServer),
    ("mail", FragmentContext::Mail),
    ("mail,server", FragmentContext::MailServer),
];

impl std::str::FromStr for FragmentContext {
    type Err = ContextError;

    /// Reads `http,server`: the blocks around a fragment, the outermost first.
    fn from_str(text: &str) -> Result<Self, ContextError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let wanted = parts.join(",");
        let found = NAMES.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, context)| *context).ok_or(ContextError {
            given: text.chars().take(60).collect(),
        })
    }
}

impl FragmentContext {
    /// The text that stands around the fragment, in nginx's grammar: what opens.
    pub fn opening(self) -> &'static [u8] {
        match self {
            Self::Main => b"",
            Self::Http => b"http {\n}\n",
            Self::HttpServer => b"http {\nserver {\n}\n}\n",
            Self::HttpLocation => b"http {\nserver {\nlocation / {\n}\n}\n}\n",
            Self::Stream => b"stream {\n}\n",
            Self::StreamServer => b"stream {\nserver {\n}\n}\n",
            Self::Mail => b"mail {\n}\n",
            Self::MailServer => b"mail {\nserver {\n}\n}\n",
        }
    }
}

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Includes that may be missing.
    pub allow_missing: AllowedMissing,
    /// Absolute places of the server and where they lie here.
    pub path_map: PathMaps,
    /// Names that httpd is started with (`-D NAME`).
    pub defines: Vec<String>,
    /// Names that httpd's command line does not define, whatever else it does.
    pub undefined: Vec<String>,
    /// Variables that are set before the root is read, as `-C "Define NAME VALUE"` does.
    pub variables: BTreeMap<String, Vec<u8>>,
    /// httpd: `defines` is all that its command line defines. False: there may be more.
    pub defines_known: bool,
    /// httpd: the modules that are built in or loaded before the root is read, by the names
    /// that `<IfModule>` takes. `None`: not known.
    pub modules: Option<Vec<String>>,
    /// The time, in seconds since 1970, from which a file's age is counted. `None`: no file
    /// has an age.
    pub now: Option<u64>,
    /// What a search through a directory leaves out.
    pub exclusion: Exclusion,
    /// nginx: the folder of ticket keys that somebody replaces. A pattern over it that matches
    /// nothing here is taken for the list of keys that will be there.
    pub keys_directory: Option<PathBuf>,
    /// Bounds against files that multiply themselves.
    pub limits: Limits,
}

/// Bounds of one project. Reaching one is a problem of kind `Limit`, never a crash.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct Limits {
    /// How often files may be included, counting every instance.
    pub instances: usize,
    /// How many directives may stand in force, counting every instance.
    pub directives: usize,
    /// How many words may stand behind the names of directives, counting every instance.
    pub words: usize,
    /// How many bytes all files may have together, each counted once.
    pub bytes: usize,
    /// How deep includes may nest (httpd: 128, nginx has no limit but its stack).
    pub depth: usize,
    /// httpd: how deep sections may nest, conditionals left out. It has no limit but its stack:
    /// with 20,000 it crashes. nginx's blocks are bounded where they are parsed.
    pub sections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Room for 100,000 virtual hosts in files of their own, each with a snippet.
            instances: 250_000,
            directives: 5_000_000,
            // Five a directive.
            words: 25_000_000,
            // 100,000 virtual hosts have 120 MB; a file may have 64 MiB.
            bytes: 256 * 1024 * 1024,
            depth: 128,
            // No real tree has ten.
            sections: 10_000,
        }
    }
}
