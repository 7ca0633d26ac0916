//! Counts over trees, and what went wrong.

use std::collections::BTreeMap;

/// By policy.
#[derive(Debug, Default)]
pub struct Row {
    /// Trees that the server takes.
    pub trees: usize,
    /// Trees that the fix changes.
    pub changed: usize,
    /// Trees after which no finding is against the policy.
    pub met: usize,
    /// Trees of these whose state a client has seen.
    pub live: usize,
    /// Addresses and names that it asked.
    pub places: usize,
    /// Trees where a repair did not prove itself and was left out.
    pub unproved: usize,
}

/// All.
#[derive(Debug, Default)]
pub struct Tally {
    pub rows: BTreeMap<&'static str, Row>,
    pub refused_before: usize,
    /// Trees of these that the server takes after the fix.
    pub mended: usize,
    pub wrong: Vec<String>,
    /// Reasons why something was left out, with their numbers.
    pub reasons: BTreeMap<String, usize>,
}

impl Tally {
    pub fn row(&mut self, policy: &'static str) -> &mut Row {
        self.rows.entry(policy).or_default()
    }

    pub fn print(&self, server: &str) {
        println!(
            "{server}: {} times a tree refused by the server itself, {} times mended",
            self.refused_before, self.mended
        );
        for (policy, row) in &self.rows {
            println!("{server} {policy}: {row:?}");
        }
        for (reason, times) in &self.reasons {
            println!("{times:5}  {reason}");
        }
    }

    pub fn live(&self) -> usize {
        self.rows.values().map(|row| row.live).sum()
    }

    /// Counts one reason without what only one tree has.
    pub fn reason(&mut self, line: &str) {
        let tail = line.split_once(".conf: ").map_or(line, |(_, tail)| tail);
        let tail = tail.split("; `stekguard").next().unwrap_or(tail);
        let tail: String = tail.chars().take(260).collect();
        *self.reasons.entry(tail).or_default() += 1;
    }
}
