//! What repairing one configuration after the other comes to. Each adds to it as much as it
//! changes, however many there were before.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::lint::Judged;
use crate::fix::{Plan, Sum};

/// The plans of all, and what they refused.
#[derive(Debug, Default)]
pub(super) struct Told {
    sum: Sum,
    known: HashSet<String>,
    refused: Vec<String>,
}

impl Told {
    /// Adds what a plan changes and refuses.
    pub(super) fn add(&mut self, plan: Plan) {
        for refusal in &plan.refused {
            let place = refusal.path.display();
            let line = format!("{place}: {}: {}", refusal.rule, refusal.reason);
            self.refuse(line);
        }
        self.sum.add(plan);
    }

    /// Adds a line that says what is refused; once.
    pub(super) fn refuse(&mut self, line: String) {
        if self.known.insert(line.clone()) {
            self.refused.push(line);
        }
    }

    /// The plan of all, and a line for everything refused.
    pub(super) fn whole(self) -> (Plan, Vec<String>) {
        (self.sum.whole(), self.refused)
    }
}

/// Which configurations read a file.
#[derive(Debug, Default)]
pub(super) struct Readers(HashMap<Arc<Path>, BTreeSet<usize>>);

impl Readers {
    /// Notes what a configuration reads, by its number.
    pub(super) fn note(&mut self, index: usize, judged: &Judged) {
        for file in &judged.loaded.project.files {
            let real = file.real.as_deref().filter(|real| **real != *file.path);
            let names = [Some(Arc::clone(&file.path)), real.map(Arc::from)];
            for name in names.into_iter().flatten() {
                self.0.entry(name).or_default().insert(index);
            }
        }
    }

    /// Those that read it, or did.
    pub(super) fn of(&self, path: &Path) -> impl Iterator<Item = usize> {
        self.0.get(path).into_iter().flatten().copied()
    }
}
