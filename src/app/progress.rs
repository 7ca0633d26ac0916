//! How far a use case is, for whoever shows it: counters, no output.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counters that a use case moves on while it works. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    total: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// Configurations judged, and how many there are in all: 0 while they are searched.
    pub fn counts(&self) -> (usize, usize) {
        let total = self.counters.total.load(Ordering::Relaxed);
        let done = self.counters.done.load(Ordering::Relaxed);
        (done.min(total), total)
    }

    /// So many configurations were found.
    pub(super) fn found(&self, total: usize) {
        self.counters.total.store(total, Ordering::Relaxed);
        self.counters.done.store(0, Ordering::Relaxed);
    }

    /// One more has been judged.
    pub(super) fn step(&self) {
        self.counters.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together_and_not_past_the_end() {
        let progress = Progress::default();
        let seen = progress.clone();
        assert_eq!(seen.counts(), (0, 0));
        progress.found(2);
        for _ in 0..3 {
            progress.step();
        }
        assert_eq!(seen.counts(), (2, 2));
    }
}
