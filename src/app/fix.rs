//! `fix`: proposals to a patch that has proved itself, and the patch to files.
//!
//! Rounds of judging and planning in memory until nothing more can be repaired, then the
//! checks of invariant 5 on the result. A configuration that was not read completely is not
//! touched.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs::Replaced;
use super::lint::{Judged, Session, refusals, too_old};
use super::prove::{Before, prove};
use super::{AppError, Outcome, Request};
use crate::catalog::Server;
use crate::finding::{Applicability, Finding, Fix, GoLive, Severity};
use crate::fix::{self, Options, Plan, Proposal};
use crate::model::{Endpoint, Lifetimes, Tickets, Tls12, Tls13, VersionSource};
use crate::policy::{Goal, Policy};
use crate::report;
use crate::rules;
use crate::source::{Disk, FileOrigin, packaged};

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
    let unchanged = Replaced::new();
    let mut judged: Vec<Option<Judged>> = (0..session.inputs.count())
        .map(|index| session.judged(index, &unchanged))
        .collect();
    session.guard = guard(request, choice, judged.iter().flatten());
    // Fixes look for other places where files may not be edited.
    for slot in &mut judged {
        let held = slot.take_if(|it| !session.untouchable(&it.loaded.project).is_empty());
        if let Some(held) = held {
            *slot = session.judged_for(held.loaded, held.platforms);
        }
    }
    let before = judged.iter().flatten().cloned();
    let mut repair = Repair {
        before: session.outcome(before),
        after: Outcome::default(),
        plan: Plan::default(),
        refused: Vec::new(),
        failed: Vec::new(),
        advice: Vec::new(),
    };
    let mut work = Work {
        session: &session,
        choice,
        replaced: unchanged,
        judged,
    };
    for index in 0..work.judged.len() {
        work.repair(index, &mut repair);
    }
    repair.after = work.outcome();
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

impl Repair {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
    }

    /// The patch: for a terminal with what it would act on written out, and with colours or
    /// without; else as `git apply` takes it.
    pub fn patch(&self, terminal: bool, colour: bool) -> Vec<u8> {
        let root = fix::common_repository(&self.plan.files);
        let options = fix::PatchOptions {
            root: root.as_deref(),
            terminal,
            colour,
        };
        fix::patch(&self.plan.files, options)
    }

    /// The patch file by file, for the report room.
    pub fn pages(&self) -> report::HtmlPatch<'_> {
        let file = |file: &'_ fix::PlannedFile| {
            let path = file.paths.first().map(|path| path.display().to_string());
            path.unwrap_or_default()
        };
        let files = self.plan.files.iter().map(|it| report::PatchedFile {
            path: file(it),
            before: &it.before,
            after: &it.after,
            reasons: it
                .reasons
                .iter()
                .map(|why| (why.span, why.clause()))
                .collect(),
        });
        report::HtmlPatch {
            files: files.collect(),
            costs: &self.plan.costs,
            notes: self.notes(),
            go_live: self.go_live(),
            refused: self.refused.iter().chain(&self.failed).cloned().collect(),
        }
    }

    /// How the patch is applied without `--write`, a command; `None` where nothing changes or
    /// a file exists in a stream only.
    pub fn command(&self) -> Option<String> {
        let files = &self.plan.files;
        if files.is_empty() || files.iter().any(|file| file.real.is_none()) {
            return None;
        }
        Some(match fix::common_repository(files) {
            Some(root) => format!("git -C {} apply", root.display()),
            None => "patch -p1 -d /".to_owned(),
        })
    }

    /// What it costs, a sentence each.
    pub fn costs(&self) -> &[String] {
        &self.plan.costs
    }

    /// What a reader of the patch should know, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.plan.notes.iter();
        let notes = notes.map(|note| format!("{}: {}", note.path.display(), note.text));
        notes.chain(self.advice.iter().cloned()).collect()
    }

    /// A configuration can name keys and not make them.
    pub(super) fn advice_for(&self, policy: &Policy) -> Vec<String> {
        let mut sites = self.after.servers.iter().map(|server| &server.site);
        let awaits = sites.any(|site| site.awaited.is_some());
        let mut advice: Vec<String> = self.changing().into_iter().collect();
        if self.plan.is_empty() || policy.goal != Goal::Rotate || !awaits {
            return advice;
        }
        advice.push(format!(
            "make the keys first, with `stekguard keys init`: none is seen in {}, and until they \
             are there nginx starts with a random key of its own",
            policy.keys_directory.display()
        ));
        advice
    }

    /// Every address and name at which something else resumes afterwards, where there are
    /// several: one edited line may stand for many servers.
    fn changing(&self) -> Option<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        let pairs = self.before.servers.iter().zip(&self.after.servers);
        let endpoints =
            pairs.flat_map(|(old, new)| old.site.endpoints.iter().zip(&new.site.endpoints));
        for (old, new) in endpoints {
            let label = new.label();
            if new.reachable && state(old) != state(new) && seen.insert(label.clone()) {
                labels.push(label);
            }
        }
        (labels.len() > 1).then(|| {
            let count = labels.len();
            format!("{count} addresses and names change: {}", labels.join("; "))
        })
    }

    /// What makes it live, a sentence; `None` where nothing changes.
    pub fn go_live(&self) -> Option<&'static str> {
        self.plan.go_live.map(|go_live| match go_live {
            GoLive::Reload => "a reload makes it live",
            GoLive::StopAndStart => {
                "stop the server and start it again: a reload would end it, though its configuration \
                 test passes"
            }
        })
    }
}

/// What a client can tell of an endpoint's sessions. A repair adds and moves no endpoint, so
/// that before and after stand in the same order.
fn state(endpoint: &Endpoint) -> (Tls12, Tls13, Lifetimes, &Tickets) {
    let key = &endpoint.ticket_key;
    (
        endpoint.tls12,
        endpoint.tls13,
        endpoint.lifetime_seconds,
        key,
    )
}

/// The state between rounds.
struct Work<'a> {
    session: &'a Session<'a>,
    choice: &'a Choice,
    /// What the plans so far make of the files.
    replaced: Replaced,
    /// Every configuration with the files so replaced; `None` where a plan for another one
    /// has changed a file of it.
    judged: Vec<Option<Judged>>,
}

/// A plan that has proved itself, and the configuration with it where it changes something.
type Proved = (Plan, Option<Judged>);

impl Work<'_> {
    /// Repairs one configuration as far as possible. Where the repairs of all rules together
    /// do not prove themselves, those that do are taken, rule by rule.
    fn repair(&mut self, index: usize, repair: &mut Repair) {
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
    fn outcome(self) -> Outcome {
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
