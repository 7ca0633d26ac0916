//! In which order files become new, so that a server that reads them in between finds
//! nothing broken. A search; what "broken" means is the caller's to say.

use std::collections::BTreeSet;

/// More looks than this for each file are given up: a tree where no order holds would
/// otherwise be looked at in every mixture of old and new.
const LOOKS_PER_FILE: usize = 8;
/// All mixtures of this many files may be looked at.
const LEAST_LOOKS: usize = 256;

/// The order in which files are replaced.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Order {
    /// Indices of the files.
    pub sequence: Vec<usize>,
    /// Why a server that reads the files in between may find them broken, one sentence;
    /// `None` where every mixture on the way is sound.
    pub broken: Option<String>,
}

impl Order {
    /// The usual order without a promise: included files before the root, which is the first.
    #[must_use]
    pub fn usual(files: usize) -> Self {
        Self {
            sequence: (0..files).rev().collect(),
            broken: None,
        }
    }

    /// An order in which every mixture of new and old files is sound; `sound` gets the files
    /// that are new, ascending, never none and never all. Where there is no such order it is
    /// the usual one, and says why.
    pub fn find(files: usize, sound: &mut dyn FnMut(&[usize]) -> Result<(), String>) -> Self {
        let mut search = Search {
            files,
            sound,
            dead: BTreeSet::new(),
            looks: LEAST_LOOKS.max(LOOKS_PER_FILE * files),
            first: None,
        };
        let mut sequence = Vec::new();
        if search.complete(&mut sequence, &BTreeSet::new()) {
            return Self {
                sequence,
                broken: None,
            };
        }
        let why = search.first.unwrap_or_default();
        let broken = Some(match search.looks {
            0 => format!("no order of these files was found that is sound at every step: {why}"),
            _ => format!("no order of these files is sound at every step: {why}"),
        });
        Self {
            broken,
            ..Self::usual(files)
        }
    }
}

struct Search<'a> {
    files: usize,
    sound: &'a mut dyn FnMut(&[usize]) -> Result<(), String>,
    /// Mixtures that are broken or lead nowhere.
    dead: BTreeSet<BTreeSet<usize>>,
    looks: usize,
    /// What was wrong first.
    first: Option<String>,
}

impl Search<'_> {
    /// Goes on from the files that are new; true when all are.
    fn complete(&mut self, sequence: &mut Vec<usize>, new: &BTreeSet<usize>) -> bool {
        if new.len() == self.files {
            return true;
        }
        for next in (0..self.files).rev().filter(|file| !new.contains(file)) {
            let mut with = new.clone();
            with.insert(next);
            if !self.holds(&with) {
                continue;
            }
            sequence.push(next);
            if self.complete(sequence, &with) {
                return true;
            }
            sequence.pop();
            self.dead.insert(with);
        }
        false
    }

    fn holds(&mut self, new: &BTreeSet<usize>) -> bool {
        if new.len() == self.files {
            return true;
        }
        if self.looks == 0 || self.dead.contains(new) {
            return false;
        }
        self.looks -= 1;
        let files: Vec<usize> = new.iter().copied().collect();
        match (self.sound)(&files) {
            Ok(()) => true,
            Err(why) => {
                self.first.get_or_insert(why);
                self.dead.insert(new.clone());
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_order_is_taken_where_it_holds() {
        let mut looks = 0;
        let order = Order::find(4, &mut |_| {
            looks += 1;
            Ok(())
        });
        assert_eq!(order.sequence, [3, 2, 1, 0]);
        assert_eq!((order.broken, looks), (None, 3));
    }

    /// 2 only after 0, and 1 only after 2.
    #[test]
    fn another_order_is_found() {
        let order = Order::find(3, &mut |new| {
            let has = |file| new.contains(&file);
            match (has(2) && !has(0)) || (has(1) && !has(2)) {
                true => Err("no".to_owned()),
                false => Ok(()),
            }
        });
        assert_eq!(order.sequence, [0, 2, 1]);
        assert_eq!(order.broken, None);
    }

    #[test]
    fn none_is_said_and_the_search_ends() {
        let order = Order::find(2, &mut |new| Err(format!("{new:?} is broken")));
        assert_eq!(order.sequence, [1, 0]);
        let broken = order.broken.unwrap();
        assert!(broken.ends_with("[1] is broken"), "{broken}");
        let mut looks = 0usize;
        let order = Order::find(40, &mut |new| {
            looks += 1;
            match new.len() < 20 {
                true => Ok(()),
                false => Err("half".to_owned()),
            }
        });
        assert!(order.broken.is_some());
        // Eight for each file, and not one more.
        assert_eq!(looks, 320);
    }
}
