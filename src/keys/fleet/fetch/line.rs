//! A store with a thread of its own: takes one job after the other, and may hang with it.

use std::sync::mpsc::{self, Sender};
use std::thread;

use super::{Found, Note, Question};
use crate::keys::fleet::record::{read_claim, sign_host_key, sign_report};
use crate::keys::fleet::sign::Signer;
use crate::keys::fleet::store::{Access, Store, StoreError, open};
use crate::keys::fleet::{FleetName, Item};

/// Enough for a TLS client; the whole of it is locked in memory.
const STACK: usize = 1 << 20;
/// A report is kept for so many milliseconds without being written again.
const REPORT_LASTS: u64 = 7 * 86_400_000;

/// A thread with a store.
pub(super) struct Line {
    pub(super) name: String,
    jobs: Sender<Job>,
    /// It has something to do.
    pub(super) busy: bool,
    /// It failed then.
    pub(super) failed: Option<u64>,
}

pub(super) enum Job {
    Read(Question),
    Write(Vec<Note>),
}

pub(super) struct Answer {
    /// `None`: the one that is written.
    pub(super) line: Option<usize>,
    pub(super) said: Result<Found, String>,
}

impl Line {
    /// The line of a store that is read.
    pub(super) fn reader(
        url: &str,
        at: usize,
        access: &Access,
        answers: Sender<Answer>,
    ) -> Result<Self, StoreError> {
        let mut store = open(url, access)?;
        let name = store.name().to_owned();
        let work = move |job| match job {
            Job::Read(question) => found(store.as_mut(), &question),
            Job::Write(_) => Ok(Found::default()),
        };
        Self::start(name, Some(at), answers, work)
    }

    fn start(
        name: String,
        at: Option<usize>,
        answers: Sender<Answer>,
        mut work: impl FnMut(Job) -> Result<Found, String> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (jobs, received) = mpsc::channel();
        let run = move || {
            for job in received {
                let said = work(job);
                if answers.send(Answer { line: at, said }).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().stack_size(STACK).spawn(run);
        thread.map_err(|why| StoreError::Down {
            store: name.clone(),
            why: format!("there is no thread for it: {why}"),
        })?;
        Ok(Self {
            name,
            jobs,
            busy: false,
            failed: None,
        })
    }

    /// False where it has something to do already.
    pub(super) fn give(&mut self, job: Job) -> bool {
        if self.busy || self.jobs.send(job).is_err() {
            return false;
        }
        self.busy = true;
        true
    }
}

/// The line of the store that is written.
pub(super) fn writer(
    url: &str,
    identity: Signer,
    access: &Access,
    answers: Sender<Answer>,
) -> Result<Line, StoreError> {
    let mut store = open(url, access)?;
    let name = store.name().to_owned();
    let work = move |job| match job {
        Job::Write(notes) => write(store.as_mut(), &notes, &identity),
        Job::Read(_) => Ok(Found::default()),
    };
    Line::start(name, None, answers, work)
}

fn write(store: &mut dyn Store, notes: &[Note], identity: &Signer) -> Result<Found, String> {
    for note in notes {
        let (item, fleet, signed, expires) = match note {
            Note::Key(key) => (
                Item::Host(key.host.clone()),
                &key.fleet,
                sign_host_key(key, identity),
                key.expires,
            ),
            Note::Report(report) => (
                Item::Report(report.host.clone()),
                &report.fleet,
                sign_report(report, identity),
                report.time.saturating_add(REPORT_LASTS),
            ),
        };
        let signed = signed.map_err(|why| why.to_string())?;
        let put = store.put(&item.name(fleet), &signed, expires / 1000);
        put.map_err(|why| why.to_string())?;
    }
    Ok(Found::default())
}

fn found(store: &mut dyn Store, question: &Question) -> Result<Found, String> {
    let fleet = &question.fleet;
    let mut items = vec![Item::Head];
    items.extend(question.host.clone().map(Item::Host));
    let fixed = items.len();
    items.extend(question.slots.iter().copied().map(Item::Key));
    let mut records = read(store, fleet, &items)?.into_iter();
    let mut found = Found {
        head: records.next().flatten(),
        ..Found::default()
    };
    if fixed > 1 {
        found.host = records.next().flatten();
    }
    let slots = question.slots.iter().copied();
    let there = slots.zip(records);
    found.keys = there
        .filter_map(|(slot, record)| Some((slot, record?)))
        .filter(|(slot, record)| question.known.get(slot) != Some(record))
        .collect();
    let Some(host) = &question.host else {
        return Ok(found);
    };
    let mut wanted = Vec::new();
    for (slot, record) in &found.keys {
        // Whoever is to believe it looks at it again and counts it.
        if let Ok(header) = read_claim(record, fleet, *slot, &question.pinned) {
            wanted.push((*slot, header.seed));
        }
    }
    let items = wanted
        .iter()
        .map(|(slot, seed)| Item::Seal(*slot, *seed, host.clone()));
    let seals = read(store, fleet, &items.collect::<Vec<_>>())?;
    let seals = wanted.into_iter().zip(seals);
    found.seals = seals
        .filter_map(|((slot, seed), record)| Some((slot, seed, record?)))
        .collect();
    Ok(found)
}

fn read(
    store: &mut dyn Store,
    fleet: &FleetName,
    items: &[Item],
) -> Result<Vec<Option<Vec<u8>>>, String> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = items.iter().map(|item| item.name(fleet)).collect();
    store.read(&names).map_err(|why| why.to_string())
}
