//! Stores asked and told without ever being waited for: each has a thread of its own, and
//! whatever it does there, a round of questions ends at its deadline and goes to the next store.
//! Carries bytes; believes none of them.

mod line;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::record::{HostKey, HostReport};
use super::sign::{Pinned, Signer};
use super::store::{Access, StoreError};
use super::{FleetName, HostName};
use crate::keys::core::{KeyId, Slot};
use line::{Answer, Job, Line, writer};

/// A store that failed is not asked first again for so many milliseconds.
const SIDELINED: u64 = 30_000;

/// What a host wants to know.
#[derive(Clone)]
pub struct Question {
    /// The fleet.
    pub fleet: FleetName,
    /// The host whose own seals and public key are read; `None`: there are none.
    pub host: Option<HostName>,
    /// Whose claims name seals.
    pub pinned: Pinned,
    /// Slots whose keys are wanted.
    pub slots: Vec<Slot>,
    /// Records whose keys are at hand: where the same bytes stand, nothing is to be learnt.
    pub known: BTreeMap<Slot, Vec<u8>>,
}

/// Records as the store gave them.
#[derive(Clone, Default, Debug)]
pub struct Found {
    /// The generator's heartbeat.
    pub head: Option<Vec<u8>>,
    /// What stands in each slot that was asked for; absent and known ones are left out.
    pub keys: Vec<(Slot, Vec<u8>)>,
    /// Seals for this host.
    pub seals: Vec<(Slot, KeyId, Vec<u8>)>,
    /// This host's own public key as the store has it.
    pub host: Option<Vec<u8>>,
}

/// What a host says of itself; signed where it is written, as an agent for keys may take its
/// time.
#[derive(Clone, Debug)]
pub enum Note {
    /// Its public key of the day.
    Key(HostKey),
    /// How it stands.
    Report(HostReport),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum News {
    /// A store answered a question.
    Found {
        /// Which, as the user named it.
        store: String,
        /// The answer.
        found: Found,
    },
    /// No store answered; one sentence for each.
    Down(Vec<String>),
    /// What the host said of itself stands in the store.
    Written,
    /// They were not.
    NotWritten(String),
}

/// The stores of one host.
pub struct Stores {
    lines: Vec<Line>,
    /// Takes notes, where there is somebody to sign them.
    writer: Option<Line>,
    answers: Receiver<Answer>,
    round: Option<Round>,
    patience: u64,
}

struct Round {
    question: Question,
    /// Who is asked after this one, the last first.
    order: Vec<usize>,
    /// Who is asked now, and since when.
    asked: Option<(usize, u64)>,
    failures: Vec<String>,
}

impl Stores {
    /// Makes clients of stores, nearest first, and of the one that is written, with the key that
    /// signs what is written there. Asks nothing yet.
    ///
    /// # Errors
    /// [`StoreError`] where an address is none, or the system gives no thread.
    pub fn open(
        read: &[String],
        write: Option<(&str, Signer)>,
        access: &Access,
    ) -> Result<Self, StoreError> {
        let (sender, answers) = mpsc::channel();
        let mut lines = Vec::new();
        for (at, url) in read.iter().enumerate() {
            lines.push(Line::reader(url, at, access, sender.clone())?);
        }
        let writer = match write {
            Some((url, identity)) => Some(writer(url, identity, access, sender)?),
            None => None,
        };
        let patience = access.patience.as_millis().max(1);
        Ok(Self {
            lines,
            writer,
            answers,
            round: None,
            // A store ends its calls by itself; this is for one that does not. Two calls a round.
            patience: u64::try_from(patience)
                .unwrap_or(u64::MAX)
                .saturating_mul(2),
        })
    }

    /// Begins a round, unless one is under way. `now`: milliseconds of the boot clock. News
    /// where no store can be asked at all.
    pub fn ask(&mut self, question: Question, now: u64) -> Option<News> {
        if self.round.is_some() {
            return None;
        }
        self.round = Some(Round {
            question,
            order: self.order(now),
            asked: None,
            failures: Vec::new(),
        });
        self.go_on(now)
    }

    /// Writes, unless the last write is still under way. True when it was begun.
    pub fn write(&mut self, notes: Vec<Note>) -> bool {
        let writer = self.writer.as_mut();
        !notes.is_empty() && writer.is_some_and(|writer| writer.give(Job::Write(notes)))
    }

    /// Waits for news, at most so long; `clock` gives milliseconds of the boot clock.
    pub fn news(&mut self, wait: Duration, clock: &dyn Fn() -> u64) -> Option<News> {
        // What came while nobody listened is not late.
        if let Ok(answer) = self.answers.try_recv() {
            return self.heard(answer, clock());
        }
        let now = clock();
        let until = self.deadline();
        if until.is_some_and(|until| until <= now) {
            return self.too_late(now);
        }
        let left = until.map(|until| Duration::from_millis(until.saturating_sub(now)));
        match self
            .answers
            .recv_timeout(left.map_or(wait, |left| wait.min(left)))
        {
            Ok(answer) => self.heard(answer, clock()),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(wait);
                None
            }
        }
    }

    /// True while a round is under way.
    pub fn asking(&self) -> bool {
        self.round.is_some()
    }

    /// True while something is being written.
    pub fn writing(&self) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.busy)
    }

    /// Stores that have nothing to do, those that failed lately last.
    fn order(&self, now: u64) -> Vec<usize> {
        let sidelined = |at: &usize| {
            let failed = self.lines[*at].failed;
            failed.is_some_and(|failed| now.saturating_sub(failed) < SIDELINED)
        };
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(sidelined);
        order.reverse();
        order
    }

    /// When the store that is asked now has to have answered.
    fn deadline(&self) -> Option<u64> {
        let (_, since) = self.round.as_ref()?.asked?;
        Some(since.saturating_add(self.patience))
    }

    fn heard(&mut self, answer: Answer, now: u64) -> Option<News> {
        let Some(at) = answer.line else {
            self.writer.as_mut()?.busy = false;
            return Some(match answer.said {
                Ok(_) => News::Written,
                Err(why) => News::NotWritten(why),
            });
        };
        let line = self.lines.get_mut(at)?;
        line.busy = false;
        let asked = self.round.as_ref().and_then(|round| round.asked);
        let awaited = asked.is_some_and(|(asked, _)| asked == at);
        match answer.said {
            // A late one is as good: nothing of it is believed unproven.
            Ok(found) => {
                line.failed = None;
                if awaited {
                    self.round = None;
                }
                let store = line.name.clone();
                Some(News::Found { store, found })
            }
            Err(why) => {
                line.failed = Some(now);
                match awaited {
                    true => self.next_one(why, now),
                    false => None,
                }
            }
        }
    }

    /// The store that is asked now let its time pass.
    fn too_late(&mut self, now: u64) -> Option<News> {
        let (at, _) = self.round.as_ref()?.asked?;
        let line = self.lines.get_mut(at)?;
        line.failed = Some(now);
        let why = format!("{} does not answer: it did not end in time", line.name);
        self.next_one(why, now)
    }

    fn next_one(&mut self, why: String, now: u64) -> Option<News> {
        self.round.as_mut()?.failures.push(why);
        self.go_on(now)
    }

    /// Asks the next store of this round; without one the round is over.
    fn go_on(&mut self, now: u64) -> Option<News> {
        let round = self.round.as_mut()?;
        while let Some(at) = round.order.pop() {
            let line = self.lines.get_mut(at)?;
            if line.give(Job::Read(round.question.clone())) {
                round.asked = Some((at, now));
                return None;
            }
            let why = format!("{} does not answer: it is still being asked", line.name);
            round.failures.push(why);
        }
        Some(News::Down(self.round.take()?.failures))
    }
}
