//! Some hunks of a patch and not the others: shown one by one with what they repair, and the
//! choice proven again as the whole was.

use std::path::Path;

use super::inputs::Replaced;
use super::lint::Session;
use super::mixture::{everything, sound_between};
use super::{AppError, Repair, Request};
use crate::finding::Finding;
use crate::fix::{self, PlannedFile};

/// A hunk of a patch.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    /// The file, by its place in the patch.
    pub file: usize,
    /// The hunk with the file's header.
    pub text: Vec<u8>,
    /// What it repairs.
    pub findings: Vec<&'a Finding>,
}

impl Repair {
    /// The hunks of the patch, in its order; for a terminal, with colours or without.
    pub fn pieces(&self, terminal: bool, colour: bool) -> Vec<Piece<'_>> {
        let root = fix::common_repository(&self.plan.files);
        let options = fix::PatchOptions {
            root: root.as_deref(),
            terminal,
            colour,
        };
        let mut pieces = Vec::new();
        for (index, file) in self.plan.files.iter().enumerate() {
            for hunk in fix::hunks(file) {
                let text = fix::piece(file, std::slice::from_ref(&hunk), options);
                pieces.push(Piece {
                    file: index,
                    text,
                    findings: self.repaired_by(file, &hunk),
                });
            }
        }
        pieces
    }

    /// The findings that a hunk says it repairs: those at its own lines where there are some,
    /// else all of its words, which stand elsewhere then.
    fn repaired_by(&self, file: &PlannedFile, hunk: &fix::Hunk) -> Vec<&Finding> {
        let meant = |finding: &&Finding| {
            let mut reasons = hunk.reasons.iter();
            reasons.any(|it| it.rule == finding.rule && it.text == finding.message)
        };
        let meant: Vec<&Finding> = self.before.findings.iter().filter(meant).collect();
        let lines = hunk.lines();
        let here = |finding: &&&Finding| {
            let place = &finding.location;
            file.paths.contains(&place.path) && lines.contains(&(place.line as usize))
        };
        let near: Vec<&Finding> = meant.iter().filter(here).copied().collect();
        if near.is_empty() { meant } else { near }
    }

    /// The repair with these of its pieces only, which has proved itself: it reads, the
    /// server would take it, and nothing is worse than before.
    ///
    /// # Errors
    /// [`AppError::Fix`] where a part alone does not hold.
    pub fn only(self, request: &Request, keep: &[bool]) -> Result<Self, AppError> {
        let mut rest = keep;
        let mut files: Vec<PlannedFile> = Vec::new();
        for file in &self.plan.files {
            let (own, others) = rest.split_at(fix::hunks(file).len().min(rest.len()));
            rest = others;
            files.extend(fix::select(file, own)?);
        }
        let session = Session::open(request)?;
        let (replaced, whole) = (everything(&files), everything(&self.plan.files));
        let check = |_: &fix::Texts| proven(&session, &replaced, &whole);
        fix::verify(&files, &check)?;
        let all =
            (0..session.inputs.count()).filter_map(|index| session.judged(index, &[&replaced]));
        let after = session.outcome(all);
        let mut plan = self.plan;
        plan.files = files;
        if plan.files.is_empty() {
            plan.costs.clear();
            plan.notes.clear();
            plan.go_live = None;
        }
        let kept = &plan.files;
        let changed = |path: &Path| {
            let mut files = kept.iter();
            files.any(|file| file.paths.iter().any(|known| **known == *path))
        };
        plan.notes.retain(|note| changed(&note.path));
        let mut part = Self {
            after,
            plan,
            advice: Vec::new(),
            ..self
        };
        part.advice = part.advice_for(&request.policy);
        Ok(part)
    }
}

/// No configuration is worse than both what it was and what the whole patch makes of it.
fn proven(session: &Session<'_>, part: &Replaced, whole: &Replaced) -> Result<(), String> {
    for index in 0..session.inputs.count() {
        let Some(before) = session.judged(index, &[]) else {
            continue;
        };
        let again = |replaced: &Replaced| {
            let loaded = session.inputs.load(index, &[replaced]);
            let judged =
                loaded.and_then(|loaded| session.judged_for(loaded, before.platforms.clone()));
            judged.ok_or_else(|| "it cannot be read again".to_owned())
        };
        sound_between(&again(part)?, &before, &again(whole)?)
            .map_err(|why| format!("with these hunks alone {why}"))?;
    }
    Ok(())
}
