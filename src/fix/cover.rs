//! Mixtures of new and old files that stand for all the steps of replacing many of them.
//!
//! `count` files become new one after the other. After each step those before a place in the
//! order are new and the others old, which makes `count - 1` mixtures. What is broken in one
//! of them shows in few of its files: in those that a server was made from, and in those of
//! one that it is compared with. So instead of every step, mixtures are looked at in which
//! **any three files stand in every way in which a step leaves them** (the first of them new
//! and two old, or two new and one old), while others stand otherwise.
//!
//! Why they do: write the places of files in binary. Of three places `a < b < c`, the one
//! digit tells `a` from `b` and `c`, or `c` from `a` and `b` (the highest in which they
//! differ), and another tells the two apart; each time the smaller has a 0.
//!
//! | told apart first | only `a` is new | `a` and `b` are new |
//! |---|---|---|
//! | `a`, by digit i; `b` and `c` by j | i is 0 | i or j is 0 |
//! | `c`, by digit i; `a` and `b` by j | i and j are 0 | i is 0 |
//!
//! So the mixtures are: new is what has a 0 in digit i, in both i and j, in one of i and j.
//! For d digits that is d squared: 121 for 2,000 files. Any two files are covered by the
//! digit alone. It must not know what a mixture means.

/// The places that are new, ascending, mixture by mixture. None is empty, and none has all.
#[must_use]
pub fn cover(count: usize) -> Vec<Vec<usize>> {
    let digits = match count {
        0 | 1 => 0,
        _ => usize::BITS - (count - 1).leading_zeros(),
    };
    let zero = |place: usize, digit: u32| place >> digit & 1 == 0;
    let mut mixtures = Vec::new();
    for i in 0..digits {
        mixtures.push((0..count).filter(|it| zero(*it, i)).collect());
        for j in 0..i {
            let both = |it: &usize| zero(*it, i) && zero(*it, j);
            let one = |it: &usize| zero(*it, i) || zero(*it, j);
            mixtures.push((0..count).filter(both).collect());
            mixtures.push((0..count).filter(one).collect());
        }
    }
    mixtures.retain(|new: &Vec<usize>| !new.is_empty() && new.len() < count);
    mixtures.sort();
    mixtures.dedup();
    mixtures
}

#[cfg(test)]
mod tests {
    use super::cover;

    /// By trying all: whatever three files one picks, some mixture has them as each step has.
    #[test]
    fn any_three_files_stand_as_every_step_leaves_them() {
        for count in 2..=34usize {
            let mixtures = cover(count);
            let has = |new: &[usize], old: &[usize]| {
                mixtures.iter().any(|mixture| {
                    let is_new = |it: &usize| mixture.binary_search(it).is_ok();
                    new.iter().all(is_new) && !old.iter().any(is_new)
                })
            };
            for a in 0..count {
                for b in a + 1..count {
                    assert!(has(&[a], &[b]), "{count}: {a} before {b}");
                    for c in b + 1..count {
                        assert!(has(&[a], &[b, c]), "{count}: {a} before {b}, {c}");
                        assert!(has(&[a, b], &[c]), "{count}: {a}, {b} before {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn few_mixtures_stand_for_many_steps() {
        assert!(cover(0).is_empty() && cover(1).is_empty());
        assert_eq!(cover(2), [[0]]);
        assert_eq!(cover(2000).len(), 121);
    }
}
