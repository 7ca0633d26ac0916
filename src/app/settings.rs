//! The settings in force for a run: which files count, and reading them.

use std::path::{Path, PathBuf};

use super::AppError;
use super::configured::Configured;
use crate::policy::settings::{Effective, Fault, Layer, sample};
use crate::source::{Disk, FileSystem, upward};

/// The name of a settings file.
pub const SETTINGS_FILE: &str = "stekguard.toml";
/// The machine's own settings, below the nearest file.
pub const SYSTEM_SETTINGS: &str = "/etc/stekguard/stekguard.toml";
/// Larger than any settings; more is a mistake or worse.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Which settings to take.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Lookup {
    /// This file in place of the nearest one.
    pub config: Option<PathBuf>,
    /// No file but that one.
    pub isolated: bool,
    /// The machine's own file.
    pub system: PathBuf,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            config: None,
            isolated: false,
            system: PathBuf::from(SYSTEM_SETTINGS),
        }
    }
}

/// Settings that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file that cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A path that was given and is not there.
    #[error("{}: there is no such file or folder", .0.display())]
    Missing(PathBuf),
    /// Something that is wrong in a file.
    #[error("{}:{}: {}{}", path.display(), first.line, first.message, further(*more))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The first fault.
        first: Fault,
        /// How many more there are.
        more: usize,
    },
    /// The paths belong to different settings.
    #[error(
        "{} belongs to {} and {} to {}: one run takes one of them",
        paths.0.display(), said(files.0.as_ref()), paths.1.display(), said(files.1.as_ref())
    )]
    Different {
        /// Two of the paths given.
        paths: Box<(PathBuf, PathBuf)>,
        /// The settings nearest to each.
        files: Box<(Option<PathBuf>, Option<PathBuf>)>,
    },
    /// A file that would be overwritten.
    #[error("{}: there is such a file already", .0.display())]
    Exists(PathBuf),
}

fn further(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" (and {count} more; `stekguard config check` lists them)"),
    }
}

fn said(file: Option<&PathBuf>) -> String {
    file.map_or_else(|| "no settings".to_owned(), |it| it.display().to_string())
}

/// What is wrong in one settings file; empty where nothing is.
///
/// # Errors
/// [`SettingsError`] where the file cannot be read.
pub fn check_settings(path: &Path) -> Result<Vec<Fault>, SettingsError> {
    let layer = match layer(path)? {
        Ok(layer) => layer,
        Err(faults) => return Ok(faults),
    };
    match Effective::merged(&[layer]) {
        Ok(effective) => Ok(Configured::new(effective)
            .err()
            .map_or_else(Vec::new, |error| match error {
                SettingsError::Wrong { first, .. } => vec![first],
                _ => Vec::new(),
            })),
        Err((_, fault)) => Ok(vec![fault]),
    }
}

/// The text of a new settings file, and where it goes.
///
/// # Errors
/// [`SettingsError::Exists`] where it is there already.
pub fn new_settings(folder: &Path) -> Result<(PathBuf, String), SettingsError> {
    let path = folder.join(SETTINGS_FILE);
    let disk = Disk::default();
    if disk.kind(&path).is_some() || disk.is_link(&path) {
        return Err(SettingsError::Exists(path));
    }
    Ok((path, sample()))
}

/// The settings files that count for these paths, nearest first.
///
/// # Errors
/// [`SettingsError::Different`] where the paths do not agree.
pub fn settings_files(paths: &[PathBuf], lookup: &Lookup) -> Result<Vec<PathBuf>, SettingsError> {
    let disk = Disk::default();
    let nearest = match (&lookup.config, lookup.isolated) {
        (Some(config), _) => Some(config.clone()),
        (None, true) => None,
        (None, false) => nearest(paths, &disk)?,
    };
    let system = !lookup.isolated
        && nearest.as_ref() != Some(&lookup.system)
        && (disk.kind(&lookup.system).is_some() || disk.is_link(&lookup.system));
    let system = system.then(|| lookup.system.clone());
    Ok(nearest.into_iter().chain(system).collect())
}

/// Holds that what is asked about is there.
///
/// # Errors
/// [`SettingsError::Missing`] names the first path that is not.
pub fn all_there(paths: &[PathBuf]) -> Result<(), SettingsError> {
    let disk = Disk::default();
    let gone = |path: &&PathBuf| disk.kind(path).is_none() && !disk.is_link(path);
    let missing = paths.iter().find(gone);
    missing.map_or(Ok(()), |path| Err(SettingsError::Missing(path.clone())))
}

/// Finds, reads and checks the settings for these paths.
///
/// # Errors
/// [`SettingsError`] names the file and the line.
pub fn configured(paths: &[PathBuf], lookup: &Lookup) -> Result<Configured, SettingsError> {
    let mut layers = Vec::new();
    for path in settings_files(paths, lookup)? {
        layers.push(layer(&path)?.map_err(|faults| wrong(&path, faults))?);
    }
    let merged = Effective::merged(&layers);
    Configured::new(merged.map_err(|(path, fault)| wrong(&path, vec![fault]))?)
}

fn nearest(paths: &[PathBuf], disk: &Disk) -> Result<Option<PathBuf>, SettingsError> {
    let here = [PathBuf::from(".")];
    let starts = if paths.is_empty() { &here[..] } else { paths };
    let find = |path: &PathBuf| upward(path, SETTINGS_FILE, disk);
    let Some((first, rest)) = starts.split_first() else {
        return Ok(None);
    };
    let found = find(first);
    for other in rest {
        let theirs = find(other);
        if theirs != found {
            return Err(SettingsError::Different {
                paths: Box::new((first.clone(), other.clone())),
                files: Box::new((found, theirs)),
            });
        }
    }
    Ok(found)
}

fn layer(path: &Path) -> Result<Result<Layer, Vec<Fault>>, SettingsError> {
    let bytes = Disk::with_largest_file(LARGEST).read(path);
    let bytes = bytes.map_err(|why| SettingsError::Unreadable {
        path: path.to_path_buf(),
        why: why.to_string(),
    })?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    Ok(Layer::parse(&whole, &bytes))
}

/// The first of the faults, and how many there are.
pub(super) fn wrong(path: &Path, faults: Vec<Fault>) -> SettingsError {
    let more = faults.len().saturating_sub(1);
    let first = faults.into_iter().next().unwrap_or(Fault {
        line: 0,
        message: String::new(),
        hint: None,
    });
    SettingsError::Wrong {
        path: path.to_path_buf(),
        first,
        more,
    }
}

impl From<SettingsError> for AppError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}
