//! What httpd is started with: command-line definitions and modules, as a user or httpd itself
//! states them. It settles conditions that the files leave open; it judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::catalog::Server;
use crate::source::{DirectiveId, Disk, FileSystem, LoadOptions, Project, Root, RootKind, apache};

/// What is known of httpd's command line and build.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Startup {
    /// Names that are defined.
    defines: Vec<String>,
    /// Names that are not.
    undefined: Vec<String>,
    /// No other name is.
    only_these: bool,
    /// Variables with their values.
    variables: BTreeMap<String, Vec<u8>>,
    /// The modules; `None`: not known.
    modules: Option<Modules>,
    /// Every name that was defined once httpd had read its files; `None`: not known.
    seen: Option<Vec<String>>,
}

/// Modules by either name.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub(super) struct Modules {
    /// Those that are known to be built in.
    built_in: Vec<String>,
    /// All others, loaded by the files or before them; `None`: not known.
    others: Option<Vec<String>>,
}

/// A definition or a list of modules that cannot be read.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum StartupError {
    /// Not a name.
    #[error("`{0}` is not of the form NAME, NAME=VALUE, !NAME or !*")]
    Define(String),
    /// Not a module's name.
    #[error("`{0}` is no module's name such as ssl_module or mod_ssl.c")]
    Module(String),
    /// A file with a list that cannot be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        why: String,
    },
    /// A list without any name.
    #[error("no module is named")]
    NoModule,
}

impl Startup {
    /// Adds `NAME` (httpd's `-D NAME`), `NAME=VALUE` (`-C "Define NAME VALUE"`) or `!NAME`
    /// (not defined on the command line); `!*` says that nothing else is.
    ///
    /// # Errors
    /// [`StartupError::Define`] for what is no name.
    pub fn define(&mut self, spec: &str) -> Result<(), StartupError> {
        if spec == "!*" {
            self.only_these = true;
            return Ok(());
        }
        let (name, value) = match spec.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (spec, None),
        };
        let (name, undefined) = match name.strip_prefix('!') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let sound = !name.is_empty() && !name.contains([':', '!', '$', '{', '}']);
        if !sound || name.contains(char::is_whitespace) || (undefined && value.is_some()) {
            return Err(StartupError::Define(spec.to_owned()));
        }
        match (undefined, value) {
            (true, _) => self.undefined.push(name.to_owned()),
            (false, None) => self.defines.push(name.to_owned()),
            (false, Some(value)) => {
                self.variables.insert(name.to_owned(), value.into());
            }
        }
        Ok(())
    }

    /// Takes the modules from a list with commas or spaces, or from what `apachectl -M` or
    /// `httpd -l` prints. They are all that there are.
    ///
    /// # Errors
    /// [`StartupError`] for what is no module's name, and for none at all.
    pub fn modules(&mut self, text: &str) -> Result<(), StartupError> {
        let listed = Modules::parse(text)?;
        if listed.built_in.is_empty() && listed.others.as_ref().is_none_or(Vec::is_empty) {
            return Err(StartupError::NoModule);
        }
        let known = self.modules.get_or_insert_default();
        known.built_in.extend(listed.built_in);
        let others = known.others.get_or_insert_default();
        others.extend(listed.others.unwrap_or_default());
        Ok(())
    }

    /// Takes the modules from a file with such a text.
    ///
    /// # Errors
    /// [`StartupError`] where it cannot be read or is no such list.
    pub fn modules_file(&mut self, path: &Path) -> Result<(), StartupError> {
        let bytes = Disk::default().read(path);
        let bytes = bytes.map_err(|error| StartupError::File {
            path: path.to_path_buf(),
            why: error.to_string(),
        })?;
        self.modules(&String::from_utf8_lossy(&bytes))
    }

    /// This, and what `lower` says of what this leaves open: definitions, or modules.
    pub(super) fn over(&self, lower: &Self) -> Self {
        let silent = self.defines.is_empty()
            && self.undefined.is_empty()
            && self.variables.is_empty()
            && !self.only_these;
        let definitions = if silent { lower } else { self };
        Self {
            modules: self.modules.clone().or_else(|| lower.modules.clone()),
            seen: self.seen.clone(),
            ..definitions.clone()
        }
    }

    /// What the server answered; what was said before stays.
    pub(super) fn add_detected(&mut self, modules: Option<Modules>, seen: Option<Vec<String>>) {
        if self.modules.is_none() {
            self.modules = modules;
        }
        self.seen = seen;
    }

    /// What can be said before the files are read.
    pub(super) fn first(&self, options: &LoadOptions) -> LoadOptions {
        LoadOptions {
            defines: self.defines.clone(),
            undefined: self.undefined.clone(),
            defines_known: self.only_these,
            variables: self.variables.clone(),
            ..options.clone()
        }
    }

    /// What can be said once the files have told what they load and define themselves: that
    /// holds from its own line on, everything else from the start. `None` where nothing is
    /// added to [`Startup::first`].
    pub(super) fn settled(
        &self,
        root: &Root,
        project: &Project,
        options: &LoadOptions,
    ) -> Option<LoadOptions> {
        if root.server != Server::Apache || (self.modules.is_none() && self.seen.is_none()) {
            return None;
        }
        let mut options = self.first(options);
        if let Some(modules) = &self.modules {
            options.modules = modules.before(root, &named(project, b"LoadModule"));
        }
        if let Some(seen) = &self.seen {
            let own = named(project, b"Define");
            let given = seen.iter().filter(|name| !own.contains(*name));
            options.defines.extend(given.cloned());
            options.defines_known = true;
        }
        Some(options)
    }
}

impl Modules {
    /// Reads a list, or what `apachectl -M` or `httpd -l` prints.
    pub(super) fn parse(text: &str) -> Result<Self, StartupError> {
        let mut modules = Self::default();
        let mut others = Vec::new();
        for line in text.lines().map(str::trim) {
            // A heading, or a message that came along with the list.
            if line.ends_with(':') || line.starts_with('[') || is_message(line) {
                continue;
            }
            if let Some(name) = line.strip_suffix("(static)") {
                modules.built_in.push(module_name(name.trim())?);
                continue;
            }
            let names = line.strip_suffix("(shared)").unwrap_or(line);
            for name in names
                .split([',', ' ', '\t'])
                .filter(|name| !name.is_empty())
            {
                others.push(module_name(name)?);
            }
        }
        modules.others = Some(others);
        Ok(modules)
    }

    /// What `httpd -l` lists is built in; what else is loaded stays unknown.
    pub(super) fn compiled_in(text: &str) -> Option<Self> {
        let names = text.lines().map(str::trim);
        let names = names.filter(|line| line.ends_with(".c") && !line.contains(' '));
        let built_in: Vec<String> = names.map(str::to_owned).collect();
        (!built_in.is_empty()).then_some(Self {
            built_in,
            others: None,
        })
    }

    /// Those that are there before the root's first line, by both names; `None` where that
    /// cannot be told.
    fn before(&self, root: &Root, loaded: &BTreeSet<String>) -> Option<Vec<String>> {
        if self.others.is_none() && root.kind != RootKind::Root {
            return None;
        }
        let ahead = |name: &&String| {
            let other = other_name(name);
            !loaded.contains(*name) && other.is_none_or(|other| !loaded.contains(&other))
        };
        let others = self.others.iter().flatten().filter(ahead);
        let mut names: Vec<String> = self.built_in.iter().chain(others).cloned().collect();
        let twins: Vec<String> = names.iter().filter_map(|name| other_name(name)).collect();
        names.extend(twins);
        Some(names)
    }
}

/// The first arguments of all directives of a name.
fn named(project: &Project, name: &[u8]) -> BTreeSet<String> {
    let ids = (0..project.directives.len() as u32).map(DirectiveId);
    ids.filter(|id| project.name(*id).eq_ignore_ascii_case(name))
        .filter_map(|id| Some(project.argument_text(id, 0)?.into_owned()))
        .collect()
}

fn other_name(name: &str) -> Option<String> {
    apache::other_name(name.as_bytes()).map(|other| String::from_utf8_lossy(&other).into_owned())
}

fn module_name(name: &str) -> Result<String, StartupError> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let ends = name.ends_with("_module") || name.ends_with(".c");
    match ends && name.bytes().all(sound) {
        true => Ok(name.to_owned()),
        false => Err(StartupError::Module(name.to_owned())),
    }
}

/// `AH00558: httpd: Could not reliably determine ...`, `Syntax OK`.
fn is_message(line: &str) -> bool {
    let code = line
        .strip_prefix("AH")
        .and_then(|rest| rest.split_once(':'));
    code.is_some_and(|(code, _)| code.bytes().all(|byte| byte.is_ascii_digit()))
        || line == "Syntax OK"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_people_and_httpd_write_them() {
        let printed = "AH00558: httpd: Could not reliably determine the name\nLoaded Modules:\n \
            core_module (static)\n ssl_module (shared)\n";
        let modules = Modules::parse(printed).unwrap();
        assert_eq!(modules.built_in, ["core_module"]);
        assert_eq!(modules.others.unwrap(), ["ssl_module"]);
        let listed = Modules::parse("ssl_module, mod_macro.c\tevent.c\n").unwrap();
        assert_eq!(
            listed.others.unwrap(),
            ["ssl_module", "mod_macro.c", "event.c"]
        );
        assert_eq!(
            Modules::parse("ssl"),
            Err(StartupError::Module("ssl".to_owned()))
        );
        assert_eq!(
            Startup::default().modules(" ,"),
            Err(StartupError::NoModule)
        );
        let compiled = Modules::compiled_in("Compiled in modules:\n  core.c\n  mod_so.c\n");
        assert_eq!(compiled.unwrap().built_in, ["core.c", "mod_so.c"]);
    }

    #[test]
    fn definitions_are_names_values_or_their_absence() {
        let mut startup = Startup::default();
        for spec in ["SSL", "!OLD", "PORT=8443", "EMPTY=", "!*"] {
            startup.define(spec).unwrap();
        }
        assert_eq!(startup.defines, ["SSL"]);
        assert_eq!(startup.undefined, ["OLD"]);
        assert!(startup.only_these);
        assert_eq!(startup.variables["PORT"], b"8443");
        for spec in ["", "!", "=x", "!A=b", "A B", "a:b"] {
            assert!(startup.define(spec).is_err(), "{spec}");
        }
    }
}
