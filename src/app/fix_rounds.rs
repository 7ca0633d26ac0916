//! Proposals to a patch that has proved itself.
//!
//! Rounds of judging and planning in memory until nothing more can be repaired, then the
//! checks of invariant 5 on the result. A configuration that was not read completely is not
//! touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Outcome;
use super::fix::{Choice, Repair};
use super::inputs::Replaced;
use super::lint::{Judged, Session, refusals, too_old};
use super::prove::{Before, prove};
use crate::catalog::Server;
use crate::finding::{Applicability, Finding, Fix, Severity};
use crate::fix::{self, Plan, Proposal};
use crate::model::VersionSource;
use crate::rules;

/// A repair can make the next one possible; more rounds than this would be a loop.
const ROUNDS: usize = 8;

/// The state between rounds.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) choice: &'a Choice,
    /// What the plans so far make of the files.
    pub(super) replaced: Replaced,
    /// Every configuration with the files so replaced; `None` where a plan for another one
    /// has changed a file of it.
    pub(super) judged: Vec<Option<Judged>>,
}

/// A plan that has proved itself, and the configuration with it where it changes something.
type Proved = (Plan, Option<Judged>);

impl Work<'_> {
    /// Repairs one configuration as far as possible. Where the repairs of all rules together
    /// do not prove themselves, those that do are taken, rule by rule.
    pub(super) fn repair(&mut self, index: usize, repair: &mut Repair) {
        let known = self.judged[index].take();
        let Some(first) = known.or_else(|| self.session.judged(index, &self.replaced)) else {
            return;
        };
        let project = &first.loaded.project;
        if !project.complete() || too_old(project, &first.platforms).is_some() {
            self.judged[index] = Some(first);
            return;
        }
        let place = first.loaded.root.path.display().to_string();
        // No server accepts it before, so nobody could tell whether it does afterwards.
        if !refusals(&first).is_empty() {
            return;
        }
        let mut all = self.rules_in_order(&first);
        if let Some(why) = self.obstacle(&first) {
            all.retain(|rule| *rule != rules::KEYS_RULE);
            repair
                .refused
                .push(format!("{place}: {}: {why}", rules::KEYS_RULE));
        }
        let best = match self.attempt(index, &first, &all) {
            Ok(proved) => proved,
            Err(_) => {
                let (proved, failed) = self.rule_by_rule(index, &first, all);
                let lines = failed
                    .into_iter()
                    .map(|(rule, why)| format!("{place}: {rule} is not repaired: {why}"));
                repair.failed.extend(lines);
                proved
            }
        };
        let (plan, judged) = best;
        self.accept(plan, repair);
        self.judged[index] = Some(judged.unwrap_or(first));
    }

    /// Why the policy's kind of key cannot be had on every version that this may run on, with
    /// what can be had instead; `None` where it can, or nothing lacks it.
    fn obstacle(&self, judged: &Judged) -> Option<String> {
        let lacks = |finding: &Finding| finding.rule == rules::KEYS_RULE;
        if !judged.findings.iter().any(lacks) {
            return None;
        }
        let (goal, server) = (self.session.request.policy.goal, judged.site.server);
        let mut reasons = judged.platforms.iter().filter_map(|platform| {
            let reason = rules::obstacle(goal, server, platform)?;
            Some((reason, platform.server.source))
        });
        let reason = match reasons.next()? {
            (reason, VersionSource::Assumed) if server == Server::Nginx => {
                format!("the version is not known (--server-version says it), and {reason}")
            }
            (reason, _) => reason,
        };
        let root = judged.loaded.root.path.display();
        let instead = format!("`stekguard fix --policy no-tickets {root}` turns tickets off");
        Some(match server {
            Server::Nginx => format!("{reason}; {instead}"),
            Server::Apache => format!(
                "{reason}; {instead}, and with `SSLSessionCache shmcb:/run/ssl_scache(512000)` at \
                 the server level clients resume all the same"
            ),
        })
    }

    /// The repairs that prove themselves together, and the rules that are left with the reason.
    /// One that fails alone may hold beside another, so they are tried until none is added.
    fn rule_by_rule(
        &self,
        index: usize,
        first: &Judged,
        rules: Vec<&'static str>,
    ) -> (Proved, Vec<(&'static str, String)>) {
        let mut best = Proved::default();
        let mut taken: Vec<&'static str> = Vec::new();
        let mut left = rules;
        loop {
            let before = left.len();
            let mut failed = Vec::new();
            for rule in left {
                taken.push(rule);
                match self.attempt(index, first, &taken) {
                    Ok(proved) => best = proved,
                    Err(why) => {
                        taken.pop();
                        failed.push((rule, why));
                    }
                }
            }
            if failed.is_empty() || failed.len() == before {
                return (best, failed);
            }
            left = failed.iter().map(|(rule, _)| *rule).collect();
        }
    }

    /// Plans in rounds with the fixes of these rules and proves the result.
    fn attempt(&self, index: usize, first: &Judged, rules: &[&str]) -> Result<Proved, String> {
        let mut replaced = self.replaced.clone();
        let mut plan = Plan::default();
        let mut latest: Option<Judged> = None;
        let mut settled = false;
        for _ in 0..ROUNDS {
            let next = self.plan(latest.as_ref().unwrap_or(first), rules);
            settled = next.is_empty();
            replace(&mut replaced, &next);
            plan = plan.then(next);
            if settled {
                break;
            }
            latest = Some(self.again(index, first, &replaced)?);
        }
        if plan.is_empty() {
            return Ok((plan, None));
        }
        let before = Before::of(first);
        let check = |results: &BTreeMap<PathBuf, Vec<u8>>| {
            let mut with = self.replaced.clone();
            for (path, bytes) in results {
                with.insert(path.clone(), Arc::from(&bytes[..]));
            }
            // Usually the very bytes that the last round has judged and found nothing to do in.
            let fresh;
            let (judged, done) = match latest.as_ref().filter(|_| with == replaced) {
                Some(judged) => (judged, settled),
                None => {
                    fresh = self.again(index, first, &with)?;
                    (&fresh, false)
                }
            };
            prove(&before, judged, self.session.request)?;
            if !done && !self.plan(judged, rules).is_empty() {
                return Err("repairing the result again would change it again".to_owned());
            }
            Ok(())
        };
        fix::verify(&plan.files, &check).map_err(|error| error.to_string())?;
        Ok((plan, latest))
    }

    /// Takes a plan over.
    fn accept(&mut self, plan: Plan, repair: &mut Repair) {
        replace(&mut self.replaced, &plan);
        self.forget(&plan);
        for refusal in &plan.refused {
            let place = refusal.path.display();
            let line = format!("{place}: {}: {}", refusal.rule, refusal.reason);
            if !repair.refused.contains(&line) {
                repair.refused.push(line);
            }
        }
        let earlier = std::mem::take(&mut repair.plan);
        repair.plan = earlier.then(plan);
    }

    /// Forgets what is known about configurations that read a file of this plan.
    fn forget(&mut self, plan: &Plan) {
        let mut changed = Replaced::new();
        replace(&mut changed, plan);
        for known in &mut self.judged {
            let reads = known.as_ref().is_some_and(|judged| {
                let files = judged.loaded.project.files.iter();
                let mut paths =
                    files.flat_map(|file| file.real.as_deref().into_iter().chain([&*file.path]));
                paths.any(|path| changed.contains_key(path))
            });
            if reads {
                *known = None;
            }
        }
    }

    /// Everything as the plans leave it.
    pub(super) fn outcome(self) -> Outcome {
        let all = self.judged.into_iter().enumerate();
        let judged = all.filter_map(|(index, known)| {
            known.or_else(|| self.session.judged(index, &self.replaced))
        });
        self.session.outcome(judged)
    }

    /// Loads and judges a configuration with files replaced, for the versions of the files as
    /// they are: a repair does not change what a server can be.
    fn again(&self, index: usize, first: &Judged, replaced: &Replaced) -> Result<Judged, String> {
        let loaded = self.session.inputs.load(index, replaced);
        let judged = loaded.and_then(|loaded| {
            let platforms = first.platforms.clone();
            self.session.judged_for(loaded, platforms)
        });
        judged.ok_or_else(|| "it cannot be read again".to_owned())
    }

    /// Every rule, those first that propose something that may be applied: what shows only
    /// after a first repair belongs to the choice too.
    fn rules_in_order(&self, judged: &Judged) -> Vec<&'static str> {
        let proposing = judged
            .findings
            .iter()
            .filter(|it| self.fix_of(it).is_some());
        let proposing = proposing.map(|finding| finding.rule);
        let mut rules = Vec::new();
        for rule in proposing.chain(rules::all().iter().map(|rule| rule.name)) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        rules
    }

    /// What is serious first: often nothing is left to do then for what is only worth knowing.
    fn plan(&self, judged: &Judged, rules: &[&str]) -> Plan {
        let findings = judged.findings.iter();
        let (mut serious, mut others) = (Vec::new(), Vec::new());
        for finding in findings.filter(|finding| rules.contains(&finding.rule)) {
            let Some(fix) = self.fix_of(finding) else {
                continue;
            };
            let proposal = Proposal {
                rule: finding.rule,
                reason: finding.message.clone(),
                fix,
            };
            match finding.severity >= Severity::Warning {
                true => serious.push(proposal),
                false => others.push(proposal),
            }
        }
        let project = &judged.loaded.project;
        let plan = fix::plan(project, &serious, self.session.guard.clone());
        if !plan.is_empty() || others.is_empty() {
            return plan;
        }
        serious.extend(others);
        fix::plan(project, &serious, self.session.guard.clone())
    }

    /// The fix of a finding, where it may be applied.
    fn fix_of<'f>(&self, finding: &'f Finding) -> Option<&'f Fix> {
        let fix = finding.fix.as_ref()?;
        let rules = &self.choice.rules;
        let chosen = rules.is_empty() || rules.iter().any(|rule| rule == finding.rule);
        let allowed = self.choice.unsafe_fixes || fix.applicability == Applicability::Safe;
        (chosen && allowed && self.session.request.shows(finding)).then_some(fix)
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
