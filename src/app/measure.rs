//! What to measure which file by: the policy with the overrides of the settings, and the
//! grades that they give to rules. Decides by paths; judges nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::finding::{Finding, Severity};
use crate::policy::Policy;
use crate::policy::settings::{Judging, RuleGrade};
use crate::source::{PathGlobs, PathLists, Project};

/// Overrides and grades.
#[derive(Clone, Debug, Default)]
pub(super) struct Measure {
    rules: BTreeMap<String, RuleGrade>,
    overrides: Arc<Overrides>,
}

/// What holds for some paths.
#[derive(Debug, Default)]
struct Overrides {
    paths: PathLists,
    judging: Vec<Judging>,
    /// Asked for with every finding and endpoint.
    known: Mutex<Known>,
}

/// The numbers of overrides, in order.
type Numbers = Arc<[usize]>;

/// Which overrides hold for the paths that were asked for.
#[derive(Debug, Default)]
struct Known {
    by_path: HashMap<PathBuf, Numbers>,
    /// Each once: many files have the same.
    each: HashSet<Numbers>,
}

/// Every policy that some file of a project asks for.
#[derive(Debug)]
pub(super) struct Policies {
    base: Policy,
    /// That of the root's file first.
    pub(super) all: Vec<Policy>,
    /// Where in these the policy stands that some overrides make of the base.
    by_overrides: HashMap<Numbers, usize>,
}

impl Measure {
    /// Grades that hold everywhere, and what holds for some paths; later ones win.
    pub(super) fn new(
        rules: BTreeMap<String, RuleGrade>,
        overrides: impl IntoIterator<Item = (PathGlobs, Judging)>,
    ) -> Self {
        let (paths, judging): (Vec<PathGlobs>, Vec<Judging>) = overrides.into_iter().unzip();
        Self {
            rules,
            overrides: Arc::new(Overrides {
                paths: paths.into_iter().collect(),
                judging,
                known: Mutex::default(),
            }),
        }
    }

    /// The policy for a file.
    pub(super) fn policy(&self, base: &Policy, file: &Path) -> Policy {
        self.applied(base, &self.of(file))
    }

    /// Every policy that some file of a project asks for. Findings in a file count where its own
    /// policy makes them.
    pub(super) fn policies(&self, base: &Policy, project: &Project) -> Policies {
        let mut policies = Policies {
            base: base.clone(),
            all: Vec::new(),
            by_overrides: HashMap::new(),
        };
        if self.overrides.judging.is_empty() || project.files.is_empty() {
            policies.all.push(base.clone());
            return policies;
        }
        for file in &project.files {
            let overrides = self.of(&file.path);
            if policies.by_overrides.contains_key(&overrides) {
                continue;
            }
            let policy = self.applied(base, &overrides);
            let there = policies.all.iter().position(|it| *it == policy);
            let index = there.unwrap_or(policies.all.len());
            if there.is_none() {
                policies.all.push(policy);
            }
            policies.by_overrides.insert(overrides, index);
        }
        policies
    }

    /// Which of the policies holds for a file; the root's for one of another project whose
    /// policy is none of these.
    pub(super) fn index(&self, policies: &Policies, file: &Path) -> usize {
        let overrides = self.of(file);
        let known = policies.by_overrides.get(&overrides).copied();
        let same = || {
            let policy = self.applied(&policies.base, &overrides);
            policies.all.iter().position(|it| *it == policy)
        };
        known.or_else(same).unwrap_or_default()
    }

    /// Gives a finding the grade of the settings; `false`: its rule is off there.
    pub(super) fn grade(&self, finding: &mut Finding) -> bool {
        let mut grade = self.rules.get(finding.rule).copied();
        for judging in self.judging(&self.of(&finding.location.path)) {
            grade = judging.rules.get(finding.rule).copied().or(grade);
        }
        let severity = match grade {
            None | Some(RuleGrade::Default) => return true,
            Some(RuleGrade::Off) => return false,
            Some(RuleGrade::Error) => Severity::Error,
            Some(RuleGrade::Warning) => Severity::Warning,
            Some(RuleGrade::Note) => Severity::Note,
            Some(RuleGrade::Pedantic) => Severity::Pedantic,
        };
        finding.severity = severity;
        true
    }

    fn applied(&self, base: &Policy, overrides: &[usize]) -> Policy {
        let mut policy = base.clone();
        for judging in self.judging(overrides) {
            judging.apply(&mut policy);
        }
        policy
    }

    fn judging(&self, overrides: &[usize]) -> impl Iterator<Item = &Judging> {
        overrides
            .iter()
            .filter_map(|index| self.overrides.judging.get(*index))
    }

    /// Those that hold for a file.
    fn of(&self, file: &Path) -> Numbers {
        if self.overrides.judging.is_empty() {
            return Arc::default();
        }
        let known = self.overrides.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(overrides) = known.by_path.get(file) {
            return Arc::clone(overrides);
        }
        let overrides: Numbers = self.overrides.paths.covering(file).into();
        let same = known.each.get(&overrides).cloned();
        let overrides = same.unwrap_or(overrides);
        known.each.insert(Arc::clone(&overrides));
        let path = file.to_path_buf();
        known.by_path.insert(path, Arc::clone(&overrides));
        overrides
    }
}
