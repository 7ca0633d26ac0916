//! Work on all processors that may ask about versions: results in order, and every question
//! counts as if it had been asked by the caller. Knows no facts.

use std::ops::Range;

use rayon::prelude::*;

use super::validity::{narrow, validity};
use super::version::VersionRange;

/// Runs `work` for the numbers below `count` in stretches on all processors and gives the
/// results in order; fewer than `few` are one stretch, on this thread. What is asked about
/// versions counts as if all of it were asked here.
pub fn in_parts<T: Send>(
    count: usize,
    few: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let Some(parts) = parts(count, few) else {
        return vec![work(0..count)];
    };
    let part = |index: usize| validity(|| work(index * count / parts..(index + 1) * count / parts));
    told((0..parts).into_par_iter().map(part).collect())
}

/// The same with the items themselves, which may be changed; `work` is also told which number the
/// first one has.
pub fn each_in_parts<I: Send, T: Send>(
    items: &mut [I],
    few: usize,
    work: impl Fn(usize, &mut [I]) -> T + Sync,
) -> Vec<T> {
    let count = items.len();
    let Some(parts) = parts(count, few) else {
        return vec![work(0, items)];
    };
    let size = count.div_ceil(parts);
    let stretches = items.par_chunks_mut(size).enumerate();
    let done = stretches.map(|(index, items)| validity(|| work(index * size, items)));
    told(done.collect())
}

/// How many stretches pay; `None` for one.
fn parts(count: usize, few: usize) -> Option<usize> {
    if count < few.max(2) {
        return None;
    }
    // Asked last: the number of threads starts them.
    let parts = (PARTS * rayon::current_num_threads()).min(count);
    (parts > PARTS).then_some(parts)
}

/// The results; what each of them asked counts here.
fn told<T>(done: Vec<(T, VersionRange)>) -> Vec<T> {
    let taken = done.into_iter().map(|(result, found)| {
        narrow(&found);
        result
    });
    taken.collect()
}

/// Stretches for each processor: one that has less to do takes another one.
const PARTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Version;

    #[test]
    fn what_is_asked_on_other_threads_counts_and_results_stay_in_order() {
        let version = Version::new(1, 0, 500);
        let asked = |range: Range<usize>| {
            let bounds = range.clone().map(|patch| VersionRange {
                from: Some(Version::new(1, 0, patch as u16)),
                before: None,
            });
            bounds.filter(|bound| bound.contains(version)).count()
        };
        for few in [usize::MAX, 2] {
            let (parts, valid) = validity(|| in_parts(1000, few, asked));
            assert_eq!(parts.iter().sum::<usize>(), 501);
            assert_eq!(valid.from, Some(Version::new(1, 0, 500)));
            assert_eq!(valid.before, Some(Version::new(1, 0, 501)));
            let mut items: Vec<usize> = (0..1000).map(|number| number * 2).collect();
            let (parts, valid) = validity(|| {
                each_in_parts(&mut items, few, |first, items| {
                    items.iter_mut().for_each(|item| *item /= 2);
                    assert_eq!(items.first(), Some(&first));
                    asked(first..first + items.len())
                })
            });
            assert_eq!(items, (0..1000).collect::<Vec<_>>());
            assert_eq!(parts.iter().sum::<usize>(), 501);
            assert_eq!(valid.before, Some(Version::new(1, 0, 501)));
        }
        let numbers = in_parts(1000, 2, |range| range.collect::<Vec<_>>()).concat();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    }
}
