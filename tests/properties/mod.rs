//! What the property suites share: seeds and counts, mutations of bytes, transformations of the
//! text of a configuration, and the program's answer without the places. Expected values come
//! from the input, another program or a server, never from a recorded answer.
//!
//! `STEKGUARD_CASES=10` tries ten times as many cases, `STEKGUARD_SEED=7` others.
#![allow(dead_code, unreachable_pub)]

pub mod answer;
pub mod apache;
pub mod apache_text;
#[cfg(unix)]
pub mod fixing;
pub mod includes;
pub mod mutate;
pub mod nginx;
pub mod nginx_text;
pub mod real;
#[cfg(unix)]
pub mod tree_on_disk;

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestError, TestRunner};

/// The seed where the environment names none.
const SEED: u64 = 20_261_122;
/// Each step towards a smaller counterexample costs as much as a case.
const SHRINKS: u32 = 600;

/// What is compiled into Debian's httpd (`apache2 -l`).
pub const BUILT_IN: &str = "core_module,so_module,watchdog_module,http_module,log_config_module,\
                            logio_module,version_module,unixd_module";

/// Files by path.
pub type Texts = BTreeMap<PathBuf, Vec<u8>>;

/// What a case comes to.
pub type Verdict = Result<(), TestCaseError>;

/// The seed of a run.
pub fn seed() -> u64 {
    number("STEKGUARD_SEED", SEED)
}

/// How many cases are tried of a property that takes `usual` by default.
pub fn cases(usual: u32) -> u32 {
    usual.saturating_mul(number("STEKGUARD_CASES", 1) as u32)
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Tries a property on that many inputs, the same in every pipeline; panics with the smallest
/// input that it found against it.
pub fn holds<S: Strategy>(usual: u32, inputs: &S, property: impl Fn(S::Value) -> Verdict) {
    let config = ProptestConfig {
        cases: cases(usual),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed()),
        max_shrink_iters: SHRINKS,
        ..ProptestConfig::default()
    };
    match TestRunner::new(config).run(inputs, property) {
        Ok(()) => {}
        Err(TestError::Fail(why, input)) => panic!("{why}\ninput: {input:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// One step of a transformation: what to do, where, and which of several ways. Places are taken
/// modulo what is there, so that every step fits every text and any step can be left out.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub what: usize,
    pub file: u32,
    pub place: u32,
    pub way: u32,
}

/// Up to `most` steps of `kinds` kinds.
pub fn steps(kinds: usize, most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..kinds, any::<u32>(), any::<u32>(), any::<u32>());
    let step = step.prop_map(|(what, file, place, way)| Step {
        what,
        file,
        place,
        way,
    });
    proptest::collection::vec(step, 1..=most)
}

/// One of `choices`, by any number.
pub fn pick<T>(choices: &[T], number: u32) -> Option<&T> {
    match choices.len() {
        0 => None,
        len => choices.get(number as usize % len),
    }
}

/// A text with `range` replaced.
pub fn replaced(text: &[u8], range: std::ops::Range<usize>, by: &[u8]) -> Vec<u8> {
    [&text[..range.start], by, &text[range.end..]].concat()
}
