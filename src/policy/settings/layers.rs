//! One file to a layer, layers to the settings in force. A key of a nearer layer replaces the
//! same key of the layers below; tables are merged key by key, lists are replaced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use toml::{Table, Value};

use super::check::{check, line};
use super::{Period, Settings};
use crate::policy::Policy;

/// Something that is wrong in a file.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The line, from 1.
    pub line: u32,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One file, read and checked.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file.
    pub path: PathBuf,
    table: Table,
    lines: BTreeMap<String, u32>,
}

/// Where a value comes from.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// What is in force, and where each value comes from.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    /// The values.
    pub settings: Settings,
    /// Files that were read, nearest first.
    pub files: Vec<PathBuf>,
    table: Table,
    origins: BTreeMap<String, Origin>,
}

impl Layer {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Everything that is wrong with it, at most some dozens, in the order of lines.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let feeds = before.iter().filter(|byte| **byte == b'\n').count();
            vec![Fault {
                line: u32::try_from(feeds + 1).unwrap_or(u32::MAX),
                message: "the file is not UTF-8, as TOML has to be".to_owned(),
                hint: None,
            }]
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let refused = |error: toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            let words: Vec<&str> = error.message().split_whitespace().collect();
            vec![Fault {
                line: line(text, offset),
                message: format!("this is not TOML: {}", words.join(" ")),
                hint: None,
            }]
        };
        let table = DeTable::parse(text).map_err(refused)?;
        let checked = check(text, table.get_ref());
        if !checked.faults.is_empty() {
            return Err(checked.faults);
        }
        Ok(Self {
            path: path.to_path_buf(),
            table: toml::from_str(text).map_err(refused)?,
            lines: checked.lines,
        })
    }
}

impl Effective {
    /// Merges layers, the nearest first.
    ///
    /// # Errors
    /// What only shows in the merged values, with the file it stands in.
    pub fn merged(layers: &[Layer]) -> Result<Self, (PathBuf, Fault)> {
        let mut effective = Self::default();
        for layer in layers.iter().rev() {
            let table = &layer.table;
            lay(&mut effective.table, table);
            // A list is replaced whole, and so is what is known of its items.
            let replaced = |path: &str| {
                let list = path.split_once('[').map(|(list, _)| list);
                list.is_some_and(|list| layer.lines.contains_key(list))
            };
            effective.origins.retain(|path, _| !replaced(path));
            for (path, line) in &layer.lines {
                let origin = Origin {
                    path: layer.path.clone(),
                    line: *line,
                };
                effective.origins.insert(path.clone(), origin);
            }
            effective.files.insert(0, layer.path.clone());
        }
        let value = Value::Table(effective.table.clone());
        effective.settings = value
            .try_into()
            .map_err(|error: toml::de::Error| effective.fault("", error.message().to_owned()))?;
        effective.rotation()?;
        effective.thresholds()?;
        Ok(effective)
    }

    /// Where a value comes from; `None` for a default.
    pub fn origin(&self, path: &str) -> Option<&Origin> {
        self.origins.get(path)
    }

    /// The folder that relative names behind this key start from.
    pub fn folder(&self, path: &str) -> &Path {
        let origin = self.origins.get(path);
        let folder = origin.and_then(|origin| origin.path.parent());
        folder.unwrap_or(Path::new(""))
    }

    /// The value of a key as TOML; `None` where no file sets it.
    pub fn value(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let first = self.table.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    /// Something that is wrong with a value, at the line that sets it.
    pub fn fault(&self, path: &str, message: String) -> (PathBuf, Fault) {
        let origin = self.origins.get(path);
        let file = origin.map(|origin| origin.path.clone());
        let fault = Fault {
            line: origin.map_or(0, |origin| origin.line),
            message,
            hint: None,
        };
        let nearest = || self.files.first().cloned().unwrap_or_default();
        (file.unwrap_or_else(nearest), fault)
    }

    /// An error below a warning would never be one.
    fn thresholds(&self) -> Result<(), (PathBuf, Fault)> {
        let mut base = Policy::default();
        self.settings.judging.apply(&mut base);
        let mut all = vec![(String::new(), base.clone())];
        for (index, each) in self.settings.overrides.iter().enumerate() {
            let mut policy = base.clone();
            each.judging.apply(&mut policy);
            all.push((format!("override[{index}]."), policy));
        }
        let wrong =
            |(_, policy): &&(String, Policy)| policy.lifetime_error < policy.lifetime_warning;
        let Some((place, policy)) = all.iter().find(wrong) else {
            return Ok(());
        };
        let keys = ["lifetime_error", "lifetime_warning", "profile"];
        let mut places = keys.into_iter().map(|key| format!("{place}{key}"));
        let place = places.find(|place| self.origins.contains_key(place));
        let why = format!(
            "`lifetime_error` ({}) is below `lifetime_warning` ({})",
            Period(policy.lifetime_error),
            Period(policy.lifetime_warning)
        );
        Err(self.fault(&place.unwrap_or_default(), why))
    }

    fn rotation(&self) -> Result<(), (PathBuf, Fault)> {
        let Err((key, why)) = self.settings.rotation.plan() else {
            return Ok(());
        };
        // What is wrong with a key that no file sets is the fault of one that a file does.
        let mut places = [key, "previous", "interval", "skew", "ahead", "preset"]
            .into_iter()
            .map(|key| format!("rotation.{key}"));
        let place = places.find(|place| self.origins.contains_key(place));
        Err(self.fault(&place.unwrap_or_default(), format!("[rotation]: {why}")))
    }
}

/// Puts a table over another one.
fn lay(below: &mut Table, over: &Table) {
    for (name, value) in over {
        match (below.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(over)) => lay(below, over),
            _ => {
                below.insert(name.clone(), value.clone());
            }
        }
    }
}
