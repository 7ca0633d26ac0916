//! Where keys come from: made on this host, or brought from a fleet. Carries out what the core
//! asks of a source; writes keys that the core took and no others.

use super::KeysError;
use super::core::{Offer, Slot, Step};
use super::folder::Folder;
use super::secret::Secret;

/// Where keys come from.
#[derive(Copy, Clone)]
pub enum Source<'a> {
    /// They are made here.
    Here,
    /// A generator made them for many hosts.
    Fleet(&'a Brought),
}

/// What a fleet's agent learnt since the last run. Keys are in memory until the core took them.
#[derive(Default)]
pub struct Brought {
    /// Keys for slots; wiped when dropped.
    pub(in crate::keys) candidates: Vec<Candidate>,
    /// The lowest generation that is still good, where somebody trusted says so.
    pub floor: u32,
    /// The slot that somebody trusted believes it is.
    pub witness: Option<u64>,
}

/// A key that can be had, not yet in the folder.
pub(in crate::keys) struct Candidate {
    pub(in crate::keys) offer: Offer,
    pub(in crate::keys) secret: Secret,
}

impl Source<'_> {
    pub(super) fn floor(&self) -> u32 {
        match self {
            Self::Here => 0,
            Self::Fleet(brought) => brought.floor,
        }
    }

    pub(super) fn witness(&self) -> Option<u64> {
        match self {
            Self::Here => None,
            Self::Fleet(brought) => brought.witness,
        }
    }

    /// True when a replacement is begun elsewhere: keys of a generation that is not in force yet
    /// are then no left-over of an interrupted run.
    pub(super) fn decides_generations(&self) -> bool {
        matches!(self, Self::Fleet(_))
    }

    /// Keys that can be had and do not lie in the folder.
    pub(super) fn offers(&self, there: &[Offer]) -> Vec<Offer> {
        let Self::Fleet(brought) = self else {
            return Vec::new();
        };
        let offers = brought.candidates.iter().map(|candidate| candidate.offer);
        let new = offers.filter(|offer| !there.iter().any(|it| it.key == offer.key));
        new.collect()
    }

    /// Puts keys into the folder as the core asked: gives each with what was done.
    ///
    /// # Errors
    /// [`KeysError`]; some of the keys may lie there then.
    pub(super) fn supply(
        &self,
        folder: &Folder,
        looked: &Step,
        there: &[Offer],
    ) -> Result<Vec<(Offer, &'static str)>, KeysError> {
        match self {
            Self::Here => make(folder, looked),
            Self::Fleet(brought) => brought.supply(folder, looked, there),
        }
    }
}

fn make(folder: &Folder, looked: &Step) -> Result<Vec<(Offer, &'static str)>, KeysError> {
    let slots = looked.wanted.iter().copied().chain(looked.make);
    let mut made: Vec<(Offer, &str)> = Vec::new();
    for slot in slots {
        if !made.iter().any(|(offer, _)| offer.key.slot == slot) {
            made.push((folder.add(slot, false)?, "made"));
        }
    }
    Ok(made)
}

impl Brought {
    fn supply(
        &self,
        folder: &Folder,
        looked: &Step,
        there: &[Offer],
    ) -> Result<Vec<(Offer, &'static str)>, KeysError> {
        let mut new = Vec::new();
        let lies_there = |offer: &Offer| there.iter().any(|it| it.key == offer.key);
        for candidate in &self.candidates {
            let offer = candidate.offer;
            if looked.state.find(&offer.key).is_some() && !lies_there(&offer) {
                folder.keep(offer.key.slot, &candidate.secret, offer.derived)?;
                new.push((offer, "taken"));
            }
        }
        // A key of this host alone makes way as soon as one for all hosts comes.
        let alone = |slot: &Slot| {
            let mut held = looked.state.held.iter();
            !held.any(|held| held.key.slot == *slot)
        };
        if let Some(slot) = looked.make.filter(alone) {
            new.push((folder.add(slot, true)?, "made on this host alone"));
        }
        if let Some(ratchet) = &looked.ratchet {
            let derived = folder.ratchet(ratchet)?;
            let derived = derived.into_iter().filter(|offer| !lies_there(offer));
            new.extend(derived.map(|offer| (offer, "derived")));
        }
        Ok(new)
    }
}
