//! Does a plan do what it says and nothing else? Checks texts; the caller brings the check
//! that needs a model.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::Server;
use crate::fix::FixError;
use crate::fix::plan::PlannedFile;
use crate::syntax::{Tree, apache, nginx};
use crate::text::{EditSet, Span};

/// New bytes under every path by which a file is read.
pub type Texts = HashMap<PathBuf, Arc<[u8]>>;

/// Verifies planned files: every byte outside the edits is the same, the result has no
/// syntax error that the file did not have, and `check` agrees. `check` gets the new bytes
/// under every path by which a file is read, to judge them again (the policy holds, nothing
/// new is found, planning again changes nothing).
///
/// # Errors
/// [`FixError::Edit`], [`FixError::Touched`], [`FixError::Syntax`] or [`FixError::Check`].
pub fn verify(
    files: &[PlannedFile],
    check: &dyn Fn(&Texts) -> Result<(), String>,
) -> Result<(), FixError> {
    verify_texts(files, &|_| false)?;
    check(&new_texts(files)).map_err(FixError::Check)
}

/// What [`verify`] says of the texts alone. `flawless` says of new bytes that somebody has
/// parsed these very bytes, as directives from their begin, and found no error.
///
/// # Errors
/// [`FixError::Edit`], [`FixError::Touched`] or [`FixError::Syntax`].
pub fn verify_texts(
    files: &[PlannedFile],
    flawless: &(dyn Fn(&Arc<[u8]>) -> bool + Sync),
) -> Result<(), FixError> {
    let texts = |file: &PlannedFile| {
        let path = file.paths.first().map_or(Path::new(""), |path| path);
        let syntax = || match flawless(&file.after) {
            true => Ok(()),
            false => syntax(path, file),
        };
        outside(path, file).and_then(|()| syntax()).err()
    };
    let checked = files.par_iter().with_min_len(FEW);
    let wrong = checked.filter_map(texts).find_first(|_| true);
    wrong.map_or(Ok(()), Err)
}

/// The new bytes of files under every path by which they are read.
pub fn new_texts(files: &[PlannedFile]) -> Texts {
    let mut texts = Texts::with_capacity(files.len());
    for file in files {
        let opened = file.paths.iter().map(|path| &**path);
        // Mostly it is opened by no other name.
        let known = |real: &&Path| {
            file.paths
                .iter()
                .any(|path| path.as_os_str() == real.as_os_str())
        };
        let real = file.real.as_deref().filter(|real| !known(real));
        for path in opened.chain(real) {
            texts.insert(path.to_path_buf(), Arc::clone(&file.after));
        }
    }
    texts
}

/// For fewer files, starting threads takes longer than they save.
const FEW: usize = 64;

/// Walks old and new text side by side, round by round.
fn outside(path: &Path, file: &PlannedFile) -> Result<(), FixError> {
    let mut text = Cow::Borrowed(&*file.before);
    for round in &file.rounds {
        let next = round.apply(&text).map_err(|source| FixError::Edit {
            path: path.to_path_buf(),
            source,
        })?;
        if let Some(at) = touched(&text, &next, round) {
            return Err(FixError::Touched {
                path: path.to_path_buf(),
                at,
            });
        }
        text = Cow::Owned(next);
    }
    if *text == *file.after {
        return Ok(());
    }
    let pairs = text.iter().zip(&*file.after);
    Err(FixError::Touched {
        path: path.to_path_buf(),
        at: pairs.take_while(|(one, other)| one == other).count(),
    })
}

/// The first byte between edits that is not the same before and after.
fn touched(before: &[u8], after: &[u8], edits: &EditSet) -> Option<usize> {
    let (mut old, mut new) = (0usize, 0usize);
    let end = Span::at(before.len() as u32);
    let spans = edits.iter().map(|edit| (edit.span, edit.replacement.len()));
    for (span, length) in spans.chain([(end, 0)]) {
        let keep = (span.start as usize).checked_sub(old)?;
        let was = before.get(old..old + keep);
        let is = after.get(new..new + keep);
        if was.is_none() || was != is {
            return Some(old);
        }
        old = span.end as usize;
        new += keep + length;
    }
    (new != after.len()).then_some(old)
}

fn syntax(path: &Path, file: &PlannedFile) -> Result<(), FixError> {
    let after = parse(file.server, &file.after);
    if after.errors.is_empty() {
        return Ok(());
    }
    let before = parse(file.server, &file.before);
    if after.errors.len() <= before.errors.len() {
        return Ok(());
    }
    let old: HashSet<&str> = before
        .errors
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    let new = after
        .errors
        .iter()
        .find(|error| !old.contains(&error.message.as_str()));
    match new.or(after.errors.last()) {
        None => Ok(()),
        Some(error) => Err(FixError::Syntax {
            path: path.to_path_buf(),
            line: error.line,
            message: error.message.clone(),
        }),
    }
}

fn parse(server: Server, text: &[u8]) -> Tree {
    match server {
        Server::Nginx => nginx::parse(text, &nginx::Options::default()),
        Server::Apache => apache::parse(text),
    }
}
