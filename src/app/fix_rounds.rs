//! Proposals to a patch that has proved itself.
//!
//! Rounds of judging and planning in memory until nothing more can be repaired, then the
//! checks of invariant 5 on the result. A configuration that was not read completely is not
//! touched.

use std::collections::HashSet;
use std::sync::Arc;

use super::Outcome;
use super::fix::{Choice, Repair};
use super::fix_sum::{Readers, Told};
use super::inputs::{Loaded, Replaced};
use super::lint::{Judged, Session, problems, too_old};
use super::prove::{Before, prove};
use super::refused::refusals;
use crate::catalog::Server;
use crate::finding::{Applicability, Finding, Fix, Severity};
use crate::fix::{self, FixError, Plan, Proposal};
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
    /// Every configuration as found, where it is not what stands above.
    pub(super) before: Vec<Option<Judged>>,
    /// What the plans so far come to.
    pub(super) told: Told,
    /// By which configurations a file is read; nothing where there is only one.
    pub(super) readers: Readers,
}

/// A plan that has proved itself, and where it changes something the configuration with it and
/// what its files are replaced by.
#[derive(Default)]
struct Proved {
    plan: Plan,
    changed: Option<(Judged, Replaced)>,
}

impl Work<'_> {
    /// Repairs one configuration as far as possible. Where the repairs of all rules together
    /// do not prove themselves, those that do are taken, rule by rule.
    pub(super) fn repair(&mut self, index: usize, repair: &mut Repair) {
        let known = self.judged[index].take();
        let again = || self.session.judged(index, &[&self.replaced]);
        let Some(mut first) = known.or_else(again) else {
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
            self.judged[index] = Some(first);
            return;
        }
        let mut all = self.rules_in_order(&first);
        if let Some(why) = self.obstacle(&first) {
            all.retain(|rule| *rule != rules::KEYS_RULE);
            let line = format!("{place}: {}: {why}", rules::KEYS_RULE);
            self.told.refuse(line);
        }
        let best = match self.attempt(index, &mut first, &all) {
            Ok(proved) => proved,
            Err(_) => {
                let (proved, failed) = self.rule_by_rule(index, &mut first, all);
                let lines = failed
                    .into_iter()
                    .map(|(rule, why)| format!("{place}: {rule} is not repaired: {why}"));
                repair.failed.extend(lines);
                proved
            }
        };
        let Some((judged, replaced)) = best.changed else {
            self.told.add(best.plan);
            self.judged[index] = Some(first);
            return;
        };
        self.replaced.extend(replaced);
        self.forget(&best.plan);
        self.told.add(best.plan);
        if self.judged.len() > 1 {
            self.readers.note(index, &judged);
        }
        self.judged[index] = Some(judged);
        self.before[index].get_or_insert(first);
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
        first: &mut Judged,
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
    fn attempt(&self, index: usize, first: &mut Judged, rules: &[&str]) -> Result<Proved, String> {
        self.read_whole(index, first)?;
        let mut replaced = Replaced::new();
        let mut plan = Plan::default();
        let mut latest: Option<Judged> = None;
        let mut settled = false;
        // How many of the rounds changed something.
        let mut changed = 0;
        for _ in 0..ROUNDS {
            let next = self.plan(latest.as_ref().unwrap_or(&*first), rules);
            settled = next.is_empty();
            replace(&mut replaced, &next);
            plan = plan.then(next);
            if settled {
                break;
            }
            changed += 1;
            self.lighten(first);
            latest = Some(self.again(index, first, &replaced)?);
        }
        let Some(mut judged) = latest.filter(|_| !plan.is_empty()) else {
            return Ok(Proved {
                plan,
                changed: None,
            });
        };
        fix::verify_texts(&plan.files, &flawless(&judged)).map_err(|error| error.to_string())?;
        // What a later round took back does not count as replaced.
        if changed > 1 {
            let mut results = Replaced::new();
            replace(&mut results, &plan);
            if results != replaced {
                judged = self.again(index, first, &results)?;
                (replaced, settled) = (results, false);
            }
        }
        prove(&Before::of(first), &judged, self.session.request)
            .and_then(|()| self.stays(&judged, rules, settled))
            .map_err(|why| FixError::Check(why).to_string())?;
        Ok(Proved {
            plan,
            changed: Some((judged, replaced)),
        })
    }

    /// Planning again would change nothing, as the last round may have found.
    fn stays(&self, judged: &Judged, rules: &[&str], settled: bool) -> Result<(), String> {
        match settled || self.plan(judged, rules).is_empty() {
            true => Ok(()),
            false => Err("repairing the result again would change it again".to_owned()),
        }
    }

    /// Gives back what the files say of a configuration whose fixes are planned: it is most of
    /// what was read, and the same comes to stand beside it.
    fn lighten(&self, judged: &mut Judged) {
        // Edits of findings are looked up in it.
        if judged.told.is_some() || self.session.request.edits {
            return;
        }
        let told = problems(&judged.loaded.project);
        if let Some(project) = Arc::get_mut(&mut judged.loaded.project) {
            project.forget_statements();
            judged.told = Some(told);
        }
    }

    /// Reads once more what was given back for an attempt that failed. It has to be the same.
    fn read_whole(&self, index: usize, first: &mut Judged) -> Result<(), String> {
        if first.told.is_none() {
            return Ok(());
        }
        let loaded = self.session.inputs.load(index, &[&self.replaced]);
        let same = |loaded: &Loaded| {
            let (old, new) = (&first.loaded.project.files, &loaded.project.files);
            let mut pairs = old.iter().zip(new);
            old.len() == new.len()
                && pairs.all(|(old, new)| old.path == new.path && old.text == new.text)
        };
        first.loaded = loaded
            .filter(same)
            .ok_or_else(|| "it cannot be read again".to_owned())?;
        first.told = None;
        Ok(())
    }

    /// Notes what each configuration reads, where there are several.
    pub(super) fn note_readers(&mut self) {
        let several = self.judged.len() > 1;
        let known = self.judged.iter().enumerate();
        for (index, judged) in known.filter(|_| several) {
            let judged = judged.iter();
            judged.for_each(|it| self.readers.note(index, it));
        }
    }

    /// Forgets what is known about configurations that read a file of this plan.
    fn forget(&mut self, plan: &Plan) {
        for path in fix::new_texts(&plan.files).keys() {
            for index in self.readers.of(path) {
                let forgotten = self.judged[index].take();
                let before = &mut self.before[index];
                *before = before.take().or(forgotten);
            }
        }
    }

    /// Everything as found, and as the plans leave it.
    pub(super) fn outcomes(self) -> (Outcome, Outcome) {
        let all = self.judged.iter().zip(self.before);
        let before = all.filter_map(|(known, before)| before.or_else(|| known.clone()));
        let before = self.session.outcome(before);
        let all = self.judged.into_iter().enumerate();
        let after = all.filter_map(|(index, known)| {
            known.or_else(|| self.session.judged(index, &[&self.replaced]))
        });
        (before, self.session.outcome(after))
    }

    /// Loads and judges a configuration with more files replaced, for the versions of the files as
    /// they are: a repair does not change what a server can be.
    fn again(&self, index: usize, first: &Judged, replaced: &Replaced) -> Result<Judged, String> {
        let replaced = [&self.replaced, replaced];
        let loaded = self.session.inputs.load(index, &replaced);
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
        let plan = fix::plan(project, &serious, &self.session.guard);
        if !plan.is_empty() || others.is_empty() {
            return plan;
        }
        serious.extend(others);
        fix::plan(project, &serious, &self.session.guard)
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
    replaced.extend(fix::new_texts(&plan.files));
}

/// Says of new bytes that reading this configuration has parsed these very bytes and found no
/// error.
fn flawless(judged: &Judged) -> impl Fn(&Arc<[u8]>) -> bool + Sync {
    let files = judged.loaded.project.files.iter();
    let read = files.filter(|file| file.is_flawless());
    let read: HashSet<usize> = read.map(|file| file.text.as_ptr().addr()).collect();
    move |text| read.contains(&text.as_ptr().addr())
}
