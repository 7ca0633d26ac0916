//! What was said already: the same thing is not said again before some time has passed, however
//! often it happens. Pure; the caller has the clock.

use std::collections::BTreeMap;

/// Sentences of which more are never remembered: what a store sends must not fill the memory.
const MOST: usize = 256;

/// What was said, and when.
pub(super) struct Said {
    period: u64,
    when: BTreeMap<String, u64>,
}

impl Said {
    /// `period` in the unit of the moments that [`Self::is_new`] is asked with.
    pub(super) fn new(period: u64) -> Self {
        Self {
            period: period.max(1),
            when: BTreeMap::new(),
        }
    }

    /// True where this was not said within the period; it then counts as said.
    pub(super) fn is_new(&mut self, what: &str, now: u64) -> bool {
        let period = self.period;
        if self.when.len() >= MOST {
            self.when.retain(|_, at| now.saturating_sub(*at) < period);
        }
        let said = self.when.get(what);
        if said.is_some_and(|at| now.saturating_sub(*at) < period) || self.when.len() >= MOST {
            return false;
        }
        self.when.insert(what.to_owned(), now);
        true
    }

    /// It is over: said at once where it comes again.
    pub(super) fn forget(&mut self, what: &str) {
        self.when.remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_it_once_a_period() {
        let mut said = Said::new(100);
        assert!(said.is_new("a", 0));
        assert!(said.is_new("b", 1));
        assert!(!said.is_new("a", 99));
        assert!(said.is_new("a", 100));
        said.forget("a");
        assert!(said.is_new("a", 101));
        for number in 0..10_000 {
            said.is_new(&number.to_string(), 102);
        }
        assert!(said.when.len() <= MOST);
    }
}
