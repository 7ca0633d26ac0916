//! `fix`: proposals to a patch that has proved itself, and the patch to files.
//!
//! Rounds of judging and planning in memory until nothing more can be repaired, then the
//! checks of invariant 5 on the result. A configuration that was not read completely is not
//! touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::clock::now;
use super::inputs::{Loaded, Replaced};
use super::judge::judge;
use super::lint::Session;
use super::prove::{Before, prove};
use super::{AppError, Outcome, Request};
use crate::finding::{Applicability, Finding, Fix, GoLive};
use crate::fix::{self, Options, Plan, Proposal, State};

/// A repair can make the next one possible; more rounds than this would be a loop.
const ROUNDS: usize = 8;

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
    plan: Plan,
    /// What was not repaired and why, as `path: rule: reason`.
    pub refused: Vec<String>,
    /// Configurations whose repair did not prove itself, with the reason; nothing of them is
    /// in the patch.
    pub failed: Vec<String>,
}

/// Plans the repair of everything that the request names. Writes nothing.
///
/// # Errors
/// [`AppError`] where there is nothing to judge.
pub fn fix(request: &Request, choice: &Choice) -> Result<Repair, AppError> {
    let session = Session::open(request)?;
    let mut work = Work {
        session: &session,
        choice,
        replaced: Replaced::new(),
    };
    let before = session.run(&work.replaced);
    let mut repair = Repair {
        before,
        after: Outcome::default(),
        plan: Plan::default(),
        refused: Vec::new(),
        failed: Vec::new(),
    };
    for index in 0..session.inputs.count() {
        work.repair(index, &mut repair);
    }
    repair.after = session.run(&work.replaced);
    Ok(repair)
}

impl Repair {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// The patch; for a terminal with colours and escapes, else as `git apply` takes it.
    pub fn patch(&self, terminal: bool) -> Vec<u8> {
        let root = fix::common_repository(&self.plan.files);
        let options = fix::PatchOptions {
            root: root.as_deref(),
            terminal,
        };
        fix::patch(&self.plan.files, options)
    }

    /// What it costs, a sentence each.
    pub fn costs(&self) -> &[String] {
        &self.plan.costs
    }

    /// What a reader of the patch should know, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.plan.notes.iter();
        notes
            .map(|note| format!("{}: {}", note.path.display(), note.text))
            .collect()
    }

    /// What makes it live, a sentence; `None` where nothing changes.
    pub fn go_live(&self) -> Option<&'static str> {
        self.plan.go_live.map(|go_live| match go_live {
            GoLive::Reload => "a reload makes it live",
            GoLive::StopAndStart => {
                "stop the server and start it again: a reload does not make it live"
            }
        })
    }

    /// Writes the files, with a way back in the journal. Gives the files written.
    ///
    /// # Errors
    /// [`AppError::Fix`]; nothing has changed then, unless it says so.
    pub fn write(&self) -> Result<Vec<PathBuf>, AppError> {
        if self.plan.is_empty() {
            return Ok(Vec::new());
        }
        let state = State::from_environment()?;
        Ok(fix::write(&self.plan.files, &state, now())?.files)
    }
}

/// The state between rounds.
struct Work<'a> {
    session: &'a Session<'a>,
    choice: &'a Choice,
    /// What the plans so far make of the files.
    replaced: Replaced,
}

/// A configuration with what is found in it.
pub(super) struct Judged {
    pub(super) loaded: Loaded,
    pub(super) findings: Vec<Finding>,
    pub(super) site: crate::model::Site,
}

impl Work<'_> {
    /// Repairs one configuration as far as possible.
    fn repair(&mut self, index: usize, repair: &mut Repair) {
        let Some(first) = self.judged(index, &self.replaced) else {
            return;
        };
        if !first.loaded.project.complete() {
            return;
        }
        let root = first.loaded.root.path.clone();
        let before = Before::of(&first);
        let mut replaced = self.replaced.clone();
        let mut plan = Plan::default();
        let mut judged = first;
        for _ in 0..ROUNDS {
            let next = self.plan(&judged);
            let done = next.is_empty();
            replace(&mut replaced, &next);
            plan = plan.then(next);
            if done {
                break;
            }
            let Some(again) = self.judged(index, &replaced) else {
                return;
            };
            judged = again;
        }
        if let Err(why) = self.verify(index, &plan, &before) {
            repair.failed.push(format!("{}: {why}", root.display()));
            return;
        }
        for refusal in &plan.refused {
            let line = format!(
                "{}: {}: {}",
                refusal.path.display(),
                refusal.rule,
                refusal.reason
            );
            if !repair.refused.contains(&line) {
                repair.refused.push(line);
            }
        }
        self.replaced = replaced;
        let earlier = std::mem::take(&mut repair.plan);
        repair.plan = earlier.then(plan);
    }

    /// Loads and judges one configuration with files replaced.
    fn judged(&self, index: usize, replaced: &Replaced) -> Option<Judged> {
        let loaded = self.session.inputs.load(index, replaced)?;
        let platforms = self.session.platforms(&loaded);
        let verdict = judge(&loaded.project, &platforms, &self.session.request.policy)?;
        Some(Judged {
            loaded,
            findings: verdict.findings,
            site: verdict.site,
        })
    }

    fn plan(&self, judged: &Judged) -> Plan {
        let proposals: Vec<Proposal<'_>> = judged
            .findings
            .iter()
            .filter_map(|finding| Some((finding, finding.fix.as_ref()?)))
            .filter(|(finding, fix)| self.wanted(finding, fix))
            .map(|(finding, fix)| Proposal {
                rule: finding.rule,
                reason: finding.message.clone(),
                fix,
            })
            .collect();
        let options = Options {
            force: self.choice.force,
        };
        fix::plan(&judged.loaded.project, &proposals, options)
    }

    fn wanted(&self, finding: &Finding, fix: &Fix) -> bool {
        let rules = &self.choice.rules;
        let allowed = self.choice.unsafe_fixes || fix.applicability == Applicability::Safe;
        let shown = self.session.request.shows(finding);
        allowed && shown && (rules.is_empty() || rules.iter().any(|rule| rule == finding.rule))
    }

    fn verify(&self, index: usize, plan: &Plan, before: &Before) -> Result<(), fix::FixError> {
        if plan.is_empty() {
            return Ok(());
        }
        fix::verify(&plan.files, &|results: &BTreeMap<PathBuf, Vec<u8>>| {
            let mut replaced = self.replaced.clone();
            for (path, bytes) in results {
                replaced.insert(path.clone(), Arc::from(&bytes[..]));
            }
            let again = self
                .judged(index, &replaced)
                .ok_or("it cannot be read again")?;
            prove(before, &again, self.session.request.policy.goal)?;
            if !self.plan(&again).is_empty() {
                return Err("repairing the result again would change it again".to_owned());
            }
            Ok(())
        })
    }
}

/// Takes over what a plan makes of the files.
fn replace(replaced: &mut Replaced, plan: &Plan) {
    for file in &plan.files {
        let bytes: Arc<[u8]> = Arc::from(&file.after[..]);
        let paths = file.paths.iter().map(|path| Path::new(&**path));
        for path in paths.chain(file.real.as_deref()) {
            replaced.insert(path.to_path_buf(), Arc::clone(&bytes));
        }
    }
}
