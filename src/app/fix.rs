//! `fix`: what is planned for every configuration, told as one repair. Writes nothing.

use std::path::Path;

use super::fix_rounds::Work;
use super::fix_sum::{Readers, Told};
use super::inputs::Replaced;
use super::lint::{Judged, Session};
use super::{AppError, Outcome, Request};
use crate::fix::{Options, Plan};
use crate::source::{Disk, FileOrigin, packaged};

/// What may be repaired.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Also fixes that are not safe.
    pub unsafe_fixes: bool,
    /// Only fixes of these rules; empty: of all.
    pub rules: Vec<String>,
    /// Also files that say they belong to another tool.
    pub force: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Repair {
    /// As found.
    pub before: Outcome,
    /// As it is with the patch.
    pub after: Outcome,
    /// All changes.
    pub(super) plan: Plan,
    /// What was not repaired and why, as `path: rule: reason`.
    pub refused: Vec<String>,
    /// Repairs that did not prove themselves, with the reason; they are not in the patch.
    pub failed: Vec<String>,
    /// What has to be done beside the patch, a sentence each.
    pub(super) advice: Vec<String>,
}

/// Plans the repair of everything that the request names. Writes nothing.
///
/// # Errors
/// [`AppError`] where there is nothing to judge.
pub fn fix(request: &Request, choice: &Choice) -> Result<Repair, AppError> {
    let mut session = Session::open(request)?;
    session.guard.force = choice.force;
    let mut judged: Vec<Option<Judged>> = (0..session.inputs.count())
        .map(|index| session.judged(index, &[]))
        .collect();
    session.guard = guard(request, choice, judged.iter().flatten());
    // Fixes look for other places where files may not be edited.
    for slot in &mut judged {
        let held = slot.take_if(|it| !session.untouchable(&it.loaded.project).is_empty());
        if let Some(held) = held {
            *slot = session.judged_for(held.loaded, held.platforms);
        }
    }
    let mut repair = Repair {
        before: Outcome::default(),
        after: Outcome::default(),
        plan: Plan::default(),
        refused: Vec::new(),
        failed: Vec::new(),
        advice: Vec::new(),
    };
    let mut work = Work {
        session: &session,
        choice,
        replaced: Replaced::new(),
        told: Told::default(),
        readers: Readers::default(),
        before: vec![None; judged.len()],
        judged,
    };
    work.note_readers();
    for index in 0..work.judged.len() {
        work.repair(index, &mut repair);
    }
    (repair.plan, repair.refused) = std::mem::take(&mut work.told).whole();
    (repair.before, repair.after) = work.outcomes();
    repair.advice = repair.advice_for(&request.policy);
    Ok(repair)
}

/// Which files may not be edited: what the settings say, and the package database of this
/// machine of files that are read from its disk.
fn guard<'j>(
    request: &Request,
    choice: &Choice,
    judged: impl Iterator<Item = &'j Judged>,
) -> Options {
    let files = judged.flat_map(|it| &it.loaded.project.files);
    let on_disk = files.filter(|file| file.origin == FileOrigin::Disk);
    let paths = on_disk.filter_map(|file| file.real.clone()).collect();
    Options {
        force: choice.force,
        protected: request.protected.clone(),
        packaged: packaged(Path::new("/"), &Disk::default(), &paths),
    }
}
