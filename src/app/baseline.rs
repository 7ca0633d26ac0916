//! A baseline: the findings of one day, written down so that later runs report new ones only.
//!
//! Holds no lines, so that files may change around a finding; paths are from the baseline's
//! own folder, so that it can stand in a repository. It hides findings, never what was not
//! read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Outcome;
use super::suppress::one_each;
use crate::finding::{Finding, Silence, Silenced, fingerprints};
use crate::rules::ABOUT_SUPPRESSIONS;
use crate::source::{Disk, FileSystem, clean_path as clean};

const SCHEMA: &str = "stekguard-baseline/1";

/// A baseline that was read.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Baseline {
    /// The folder that its paths start from, absolute.
    folder: PathBuf,
    entries: Vec<Entry>,
}

/// One finding of it.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    rule: String,
    path: String,
    message: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    schema: String,
    findings: Vec<Entry>,
}

/// A baseline that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not readable.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Not a baseline.
    #[error("{}:{line}: this is no baseline: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`BaselineError`] names the file and the line.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let bytes = Disk::default().read(path);
        let bytes = bytes.map_err(|why| BaselineError::Unreadable {
            path: path.to_path_buf(),
            why: why.to_string(),
        })?;
        let malformed = |line: usize, why: String| BaselineError::Malformed {
            path: path.to_path_buf(),
            line,
            why,
        };
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|error| malformed(error.line().max(1), error.to_string()))?;
        if document.schema != SCHEMA {
            let schema: String = document.schema.chars().take(60).collect();
            let why = format!("its schema is `{schema}`, not {SCHEMA}");
            return Err(malformed(1, why));
        }
        Ok(Self {
            folder: folder(path),
            entries: document.findings,
        })
    }

    /// Takes known findings out of the list and keeps them as silenced. Gives how many of the
    /// baseline's findings in files that were read are gone.
    pub(super) fn apply(&self, outcome: &mut Outcome) -> usize {
        let accepted = |silenced: &&Silenced| matches!(silenced.by, Silence::Comment { .. });
        let by_comment = outcome.silenced.iter().filter(accepted);
        let by_comment: Vec<Finding> = by_comment.map(|it| it.finding.clone()).collect();
        let own = outcome.findings.len();
        let all: Vec<&Finding> = outcome.findings.iter().chain(&by_comment).collect();
        let prints = fingerprints(all, |finding| stable(&self.folder, &finding.location.path));

        let known: BTreeSet<&str> = self.entries.iter().map(|it| &*it.fingerprint).collect();
        let mut silenced = Vec::new();
        let mut index = 0;
        outcome.findings.retain(|finding| {
            let is_known = prints
                .get(index)
                .is_some_and(|print| known.contains(&**print));
            index += 1;
            // What is wrong with a comment is about what one sees now.
            let hidden = is_known && !ABOUT_SUPPRESSIONS.contains(&finding.rule);
            if hidden {
                silenced.push(Silenced {
                    finding: finding.clone(),
                    by: Silence::Baseline,
                });
            }
            !hidden
        });
        debug_assert_eq!(index, own);
        outcome.silenced.extend(silenced);
        outcome.silenced = one_each(std::mem::take(&mut outcome.silenced));

        let seen: BTreeSet<&str> = prints.iter().map(String::as_str).collect();
        let read: BTreeSet<String> = outcome
            .sources
            .paths()
            .map(|path| stable(&self.folder, path))
            .collect();
        let gone =
            |entry: &&Entry| read.contains(&entry.path) && !seen.contains(&*entry.fingerprint);
        self.entries.iter().filter(gone).count()
    }
}

impl Outcome {
    /// The findings as a baseline that stands at `path`, those that the present one holds
    /// included.
    pub fn baseline(&self, path: &Path) -> String {
        let folder = folder(path);
        let known = self.silenced.iter().filter(|it| it.by == Silence::Baseline);
        let known = known.map(|silenced| &silenced.finding);
        let all: Vec<&Finding> = self
            .findings
            .iter()
            .chain(known)
            .filter(|finding| !ABOUT_SUPPRESSIONS.contains(&finding.rule))
            .collect();
        let place = |finding: &Finding| stable(&folder, &finding.location.path);
        let prints = fingerprints(all.iter().copied(), place);
        let mut findings: Vec<Entry> = all
            .iter()
            .zip(prints)
            .map(|(finding, fingerprint)| Entry {
                fingerprint,
                rule: finding.rule.to_owned(),
                path: place(finding),
                message: finding.message.clone(),
            })
            .collect();
        findings.sort_by(|a, b| {
            let key = |entry: &Entry| (entry.path.clone(), entry.rule.clone());
            key(a)
                .cmp(&key(b))
                .then_with(|| a.message.cmp(&b.message))
                .then_with(|| a.fingerprint.cmp(&b.fingerprint))
        });
        let document = Document {
            schema: SCHEMA.to_owned(),
            findings,
        };
        // Every field is text: nothing of it can fail.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn folder(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    whole.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A path from the folder, with slashes; the whole path where it lies elsewhere.
fn stable(folder: &Path, path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let whole = clean(&whole);
    let short = whole.strip_prefix(clean(folder)).unwrap_or(&whole);
    let text = short.to_string_lossy();
    match std::path::MAIN_SEPARATOR {
        '/' => text.into_owned(),
        separator => text.replace(separator, "/"),
    }
}
