//! What to measure which file by: the policy with the overrides of the settings, and the
//! grades that they give to rules. Decides by paths; judges nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::finding::{Finding, Severity};
use crate::policy::Policy;
use crate::policy::settings::{Judging, RuleGrade};
use crate::source::{PathGlobs, Project};

/// Overrides and grades.
#[derive(Clone, Debug, Default)]
pub(super) struct Measure {
    rules: BTreeMap<String, RuleGrade>,
    overrides: Vec<(PathGlobs, Judging)>,
}

impl Measure {
    pub(super) fn new(rules: BTreeMap<String, RuleGrade>) -> Self {
        Self {
            rules,
            overrides: Vec::new(),
        }
    }

    /// Adds what holds for some paths; later ones win.
    pub(super) fn add(&mut self, globs: PathGlobs, judging: Judging) {
        self.overrides.push((globs, judging));
    }

    /// The policy for a file.
    pub(super) fn policy(&self, base: &Policy, file: &Path) -> Policy {
        let mut policy = base.clone();
        for (_, judging) in self.of(file) {
            judging.apply(&mut policy);
        }
        policy
    }

    /// Every policy that some file of a project asks for, the base first. Findings in a file
    /// count where its own policy makes them.
    pub(super) fn policies(&self, base: &Policy, project: &Project) -> Vec<Policy> {
        let mut policies = vec![base.clone()];
        if self.overrides.is_empty() {
            return policies;
        }
        for file in &project.files {
            let policy = self.policy(base, &file.path);
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        policies
    }

    /// Gives a finding the grade of the settings; `false`: its rule is off there.
    pub(super) fn grade(&self, finding: &mut Finding) -> bool {
        let mut grade = self.rules.get(finding.rule).copied();
        for (_, judging) in self.of(&finding.location.path) {
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

    fn of(&self, file: &Path) -> impl Iterator<Item = &(PathGlobs, Judging)> {
        self.overrides
            .iter()
            .filter(move |(globs, _)| globs.covers(file))
    }
}
