//! Programs to run. For root only those that nobody else could have put there, with an
//! environment that makes them load nothing of somebody else's; for a user as the shell has it.
//!
//! It runs nothing: the caller does.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::trust::{is_root, stranger};
use super::variables::{is_dangerous, is_harmless};

/// Where the system keeps programs, behind what the search path says.
const USUAL: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// A program by its name or its path, to be asked something.
///
/// As root: the first in the search path, or in the usual places, that nobody but root could
/// have put there, with a search path of such folders and harmless variables only.
///
/// # Errors
/// As root: `NotFound`, which names what was passed over.
pub fn program(name: &OsStr) -> io::Result<Command> {
    found(name, |command| {
        command.env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| is_harmless(name)));
    })
}

/// The same for a command of the user's own, which may need what its environment says. As root
/// it keeps that, but for what would make a program load something of somebody else's.
///
/// # Errors
/// As [`program`].
pub fn program_of_user(name: &OsStr) -> io::Result<Command> {
    found(name, |command| {
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_dangerous(name)) {
            command.env_remove(name);
        }
    })
}

fn found(name: &OsStr, narrow: impl Fn(&mut Command)) -> io::Result<Command> {
    if !is_root() {
        return Ok(Command::new(name));
    }
    let mut folders = folders();
    let mut command = Command::new(trusted(Path::new(name), &folders)?);
    // What the program runs in its turn is the system's own, where the system has it.
    folders.sort_by_key(|folder| !USUAL.iter().any(|usual| folder == Path::new(usual)));
    narrow(&mut command);
    // None of them holds a colon: they came out of a search path.
    command.env("PATH", std::env::join_paths(folders).unwrap_or_default());
    Ok(command)
}

/// The folders of the search path that only root can change, then the usual ones.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in named.chain(USUAL.map(PathBuf::from)) {
        if !folders.contains(&folder) && stranger(&folder).is_none() {
            folders.push(folder);
        }
    }
    folders
}

fn trusted(name: &Path, folders: &[PathBuf]) -> io::Result<PathBuf> {
    let named = name.components().count() > 1;
    let candidates: Vec<PathBuf> = match named {
        true => vec![name.to_path_buf()],
        false => folders.iter().map(|folder| folder.join(name)).collect(),
    };
    let mut passed_over = None;
    for candidate in candidates.into_iter().filter(|path| path.is_file()) {
        match stranger(&candidate) {
            None => return Ok(candidate),
            Some(part) => passed_over = passed_over.or(Some((candidate, part))),
        }
    }
    let Some((program, part)) = passed_over else {
        return Err(ErrorKind::NotFound.into());
    };
    let message = format!(
        "{}: not run as root: others can change {}",
        program.display(),
        part.display()
    );
    Err(io::Error::new(ErrorKind::NotFound, message))
}
