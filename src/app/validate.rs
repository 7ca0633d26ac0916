//! The server's own test of a result that is not in place yet. Decides when it may be run,
//! and believes it only where the server shows that it read the new files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::inputs::Loaded;
use super::server::{Answer, Call, Installed, LIMIT, installed};
use crate::catalog::Server;
use crate::fix::{Copied, FixError, PlannedFile, Shadow, State};
use crate::machine::is_root;
use crate::source::{Dump, File, RootKind};

/// When the server's own test is run.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub enum Validate {
    /// For the root that the installed server was built for, where that is possible. Testing
    /// a foreign tree would load that tree's modules, which is running its code.
    #[default]
    Auto,
    /// For every root; not possible is an error.
    Always,
    /// Not at all.
    Never,
    /// This command of the shell stands for the test; `$STEKGUARD_CONFIG` names the root.
    Command(String),
}

impl Validate {
    /// What a user calls it: `auto`, `always`, `never`, and anything else is a command.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "auto" => Self::Auto,
            "always" => Self::Always,
            "never" => Self::Never,
            command => Self::Command(command.to_owned()),
        }
    }
}

/// A root and what its test said.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Tested {
    /// The root file.
    pub root: PathBuf,
    /// By what it passed.
    pub by: Option<String>,
    /// Why it was not tested.
    pub why_not: Option<String>,
}

/// A tree as it will be.
pub(super) struct Trial<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) files: &'a [PlannedFile],
    pub(super) state: &'a State,
}

/// Environment variable that names the root to a command.
const CONFIG: &str = "STEKGUARD_CONFIG";

impl Tested {
    fn passed(root: &Path, by: String) -> Self {
        Self {
            root: root.to_path_buf(),
            by: Some(by),
            why_not: None,
        }
    }

    fn not(root: &Path, why: String) -> Self {
        Self {
            root: root.to_path_buf(),
            by: None,
            why_not: Some(why),
        }
    }
}

/// Tests a tree as it will be.
///
/// # Errors
/// [`FixError::Refused`] where the test says no, or has to be run and cannot.
pub(super) fn validate(trial: &Trial<'_>, when: &Validate) -> Result<Tested, FixError> {
    let root = &trial.loaded.root.path;
    let why_not = match when {
        Validate::Never => return Ok(Tested::not(root, "--validate never".to_owned())),
        Validate::Command(command) => return trial.by_command(command),
        Validate::Auto | Validate::Always => match trial.by_server(when) {
            Ok(tested) => return Ok(tested),
            Err(Failure::Refused(why)) => return Err(FixError::Refused(why)),
            Err(Failure::NotRun(why)) => why,
        },
    };
    match when {
        Validate::Always => Err(FixError::Refused(format!(
            "{}: the server's own test cannot be run: {why_not}",
            root.display()
        ))),
        _ => Ok(Tested::not(root, why_not)),
    }
}

/// Why a test gives no leave.
enum Failure {
    Refused(String),
    NotRun(String),
}

impl From<FixError> for Failure {
    fn from(error: FixError) -> Self {
        Self::NotRun(error.to_string())
    }
}

impl Trial<'_> {
    fn by_server(&self, when: &Validate) -> Result<Tested, Failure> {
        let not_run = |why: &str| Failure::NotRun(why.to_owned());
        let (root, project) = (&self.loaded.root, &self.loaded.project);
        let here = |file: &File| file.real.is_some();
        if root.kind != RootKind::Root || !project.files.iter().all(here) {
            return Err(not_run("this is not the whole tree of a server"));
        }
        let auto = *when == Validate::Auto;
        if auto && !root.installed {
            return Err(not_run("this is not the installed server's own tree"));
        }
        if auto && !is_root() {
            return Err(not_run("the server's own test needs root"));
        }
        let server = installed(root.server).map_err(Failure::NotRun)?;
        let own = full(&root.path)? == server.root;
        if auto && !own {
            let why = format!("{} was built for {}", server.program, server.root.display());
            return Err(Failure::NotRun(why));
        }
        let by = format!("{} -t", server.program);
        let shadow = Shadow::new(self.state)?;
        let pairs = shadow.files(self.files)?;
        let call = self.call(&server, own, None)?;
        if let Some(answer) = call.run_with(&pairs) {
            self.judge(&answer, &call, &by, Path::new("\0"))?;
            self.read_in_place(&server, own, &pairs, &answer)?;
            return Ok(Tested::passed(&root.path, by));
        }
        let top = shadow.top();
        let copied = Copied::of(project, root.base(), &top)?;
        shadow.tree(&copied)?;
        let call_copy = self.call(&server, own, Some((&copied, &top)))?;
        let answer = call_copy
            .run()
            .map_err(|error| Failure::NotRun(error.to_string()))?;
        self.judge(&answer, &call, &by, &top)?;
        self.read_in_copy(&call_copy, &copied, &top, &answer)?;
        Ok(Tested::passed(&root.path, format!("{by}, on a copy")))
    }

    /// The test, so that nginx also shows what it read. In a copy the root is the copy's.
    fn call(
        &self,
        server: &Installed,
        own: bool,
        copy: Option<(&Copied, &Path)>,
    ) -> Result<Call, FixError> {
        let root = &self.loaded.root;
        let place = match copy {
            Some((copied, top)) => copied.place(&root.path, top),
            None => None,
        };
        let named = match place {
            Some(place) => Some(place),
            None if own => None,
            None => Some(full(&root.path)?),
        };
        let mut words: Vec<OsString> = vec![server.program.into()];
        match root.server {
            Server::Nginx => {
                words.push("-T".into());
                words.extend(
                    named
                        .into_iter()
                        .flat_map(|path| ["-c".into(), path.into()]),
                );
            }
            Server::Apache => {
                words.push("-t".into());
                if let Some(path) = named {
                    let base = match copy {
                        Some((copied, top)) => copied.base(top),
                        None => full(root.base())?,
                    };
                    words.extend(["-d".into(), base.into(), "-f".into(), path.into()]);
                }
            }
        }
        let mut call = Call::new(words);
        call.environment = environment(&self.loaded.root.environment);
        Ok(call)
    }

    /// Says no where the test did; and whether the files as they are do better.
    fn judge(&self, answer: &Answer, before: &Call, by: &str, top: &Path) -> Result<(), Failure> {
        if answer.success {
            return Ok(());
        }
        if answer.overdue {
            return Err(Failure::Refused(refusal(by, answer, top)));
        }
        let already = before.run().is_ok_and(|answer| !answer.success);
        let also = match already {
            true => "; it refuses the files as they are too",
            false => "",
        };
        let why = refusal(by, answer, top);
        Err(Failure::Refused(format!("{why}{also}")))
    }

    /// The server has to show that it read the new files in their places.
    fn read_in_place(
        &self,
        server: &Installed,
        own: bool,
        pairs: &[(PathBuf, PathBuf)],
        answer: &Answer,
    ) -> Result<(), Failure> {
        let unread = |file: &PlannedFile| {
            let path = file.paths.first().map(|path| path.display().to_string());
            let path = path.unwrap_or_default();
            Failure::NotRun(format!("the server does not show that it reads {path}"))
        };
        if self.loaded.root.server == Server::Nginx {
            let dump = Dump::parse(&answer.out);
            let dump = dump.ok_or_else(|| Failure::NotRun("nginx -T shows no files".to_owned()))?;
            let shows = |file: &&PlannedFile| {
                names(file).any(|path| {
                    dump.files()
                        .read(&path)
                        .is_ok_and(|bytes| *bytes == *file.after)
                })
            };
            return match self.concerned().find(|file| !shows(file)) {
                Some(file) => Err(unread(file)),
                None => Ok(()),
            };
        }
        let mut call = self.call(server, own, None)?;
        call.words
            .extend(["-D", "DUMP_INCLUDES"].map(OsString::from));
        let listed = call.run_with(pairs);
        let listed = listed.map(|answer| includes(&answer)).unwrap_or_default();
        let shows = |file: &&PlannedFile| names(file).any(|path| listed.contains(&path));
        match self.concerned().find(|file| !shows(file)) {
            Some(file) => Err(unread(file)),
            None => Ok(()),
        }
    }

    /// The server has to show that it read the copy, all of it, and no file of the original.
    fn read_in_copy(
        &self,
        call: &Call,
        copied: &Copied,
        top: &Path,
        answer: &Answer,
    ) -> Result<(), Failure> {
        let outside = |path: &Path| {
            let path = path.display();
            Failure::NotRun(format!("in a copy the server still reads {path}"))
        };
        let lacks = |path: &Path| {
            let path = Path::new("/").join(path.strip_prefix(top).unwrap_or(path));
            let path = path.display();
            Failure::NotRun(format!("in a copy the server does not read {path}"))
        };
        if self.loaded.root.server == Server::Nginx {
            let dump = Dump::parse(&answer.out);
            let dump = dump.ok_or_else(|| Failure::NotRun("nginx -T shows no files".to_owned()))?;
            let read = dump.files().walk(Path::new("/")).files;
            if let Some(path) = read.iter().find(|path| !path.starts_with(top)) {
                return Err(outside(path));
            }
            let same = |path: &Path, text: &[u8]| {
                let read = dump.files().read(path);
                read.is_ok_and(|bytes| *bytes == *text)
            };
            let missing = copied.places(top).find(|(path, text)| !same(path, text));
            return missing.map_or(Ok(()), |(path, _)| Err(lacks(&path)));
        }
        let mut call = call.clone();
        call.words
            .extend(["-D", "DUMP_INCLUDES"].map(OsString::from));
        let listed = call
            .run()
            .map(|answer| includes(&answer))
            .unwrap_or_default();
        if let Some(path) = listed.iter().find(|path| !path.starts_with(top)) {
            return Err(outside(path));
        }
        let concerned = self.concerned().flat_map(names);
        let mut places = concerned.filter_map(|path| copied.place(&path, top));
        match places.find(|place| !listed.contains(place)) {
            Some(place) => Err(lacks(&place)),
            None => Ok(()),
        }
    }

    fn by_command(&self, command: &str) -> Result<Tested, FixError> {
        let root = &self.loaded.root;
        let shadow = Shadow::new(self.state)?;
        let pairs = shadow.files(self.files)?;
        let call = |place: PathBuf| {
            let mut call = Call::new(["/bin/sh", "-c", command]);
            call.of_user = true;
            call.environment = environment(&root.environment);
            call.environment.push((CONFIG.to_owned(), place.into()));
            call
        };
        let by = format!("`{command}`");
        let refused = |answer: &Answer, top: &Path| FixError::Refused(refusal(&by, answer, top));
        if let Some(answer) = call(full(&root.path)?).run_with(&pairs) {
            return match answer.success {
                true => Ok(Tested::passed(&root.path, by)),
                false => Err(refused(&answer, Path::new("\0"))),
            };
        }
        let top = shadow.top();
        let copied = Copied::of(&self.loaded.project, root.base(), &top)?;
        shadow.tree(&copied)?;
        let place = copied.place(&root.path, &top).unwrap_or_default();
        let answer = call(place).run();
        let answer = answer.map_err(|error| FixError::Refused(format!("{by}: {error}")))?;
        match answer.success {
            true => Ok(Tested::passed(&root.path, format!("{by}, on a copy"))),
            false => Err(refused(&answer, &top)),
        }
    }

    /// The planned files that this tree reads.
    fn concerned(&self) -> impl Iterator<Item = &PlannedFile> {
        let project = &self.loaded.project;
        self.files.iter().filter(|planned| {
            let mut read = project.files.iter();
            read.any(|file| planned.paths.contains(&file.path) || file.real == planned.real)
        })
    }
}

/// Why a test gives no leave, by its own words.
fn refusal(by: &str, answer: &Answer, top: &Path) -> String {
    match answer.overdue {
        true => format!(
            "{by} does not end: it was ended after {} seconds",
            LIMIT.as_secs()
        ),
        false => format!("{by} refuses the result: {}", answer.reason(top)),
    }
}

/// Every full name of a file.
fn names(file: &PlannedFile) -> impl Iterator<Item = PathBuf> {
    let opened = file.paths.iter().map(|path| path.to_path_buf());
    let all = opened.chain(file.real.clone());
    all.filter_map(|path| std::path::absolute(path).ok())
}

/// The files that `-D DUMP_INCLUDES` lists, as `  (146) /etc/apache2/ports.conf`.
fn includes(answer: &Answer) -> Vec<PathBuf> {
    let text = answer.text();
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('('));
    let named = lines.filter_map(|line| line.split_once(") "));
    named.map(|(_, path)| PathBuf::from(path)).collect()
}

fn environment(known: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<(String, OsString)> {
    let known = known.iter();
    known
        .map(|(name, value)| (name.clone(), os(value)))
        .collect()
}

fn os(value: &[u8]) -> OsString {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(value.to_vec());
    #[cfg(not(unix))]
    return String::from_utf8_lossy(value).into_owned().into();
}

/// The folder of a file that is named by its name alone is the working directory.
fn full(path: &Path) -> Result<PathBuf, FixError> {
    let here = path.as_os_str().is_empty();
    std::path::absolute(if here { Path::new(".") } else { path }).map_err(|source| FixError::Io {
        path: path.to_path_buf(),
        what: "read",
        source,
    })
}
