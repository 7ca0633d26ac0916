//! One run over a folder of keys: what the core wants is made, loaded by the server, checked and
//! only then remembered; what does not go live is taken back. The clocks come from the caller.

use std::time::Duration;

use super::KeysError;
use super::core::{Alarm, Key, Now, Offer, Schedule, Set, State, Step, View, step};
use super::folder::Folder;
use super::label;
use super::live::{Live, Verdict};
use super::saved::Saved;
use super::server::{Reloaded, Server};
use super::source::Source;
use super::workers;
use crate::tls::Layout;

/// A look that makes a key known and one that has it encrypt; more are not needed.
const LOOKS: usize = 4;

/// What a run is to do.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Goal {
    /// Make keys where there are none; the server may not know them yet.
    Init,
    /// What the schedule asks for.
    Rotate,
    /// Replace every key at once.
    RotateNow,
}

/// Everything that a run works with.
pub struct Turn<'a> {
    /// Where the keys lie.
    pub folder: &'a Folder,
    /// Where they come from.
    pub source: Source<'a>,
    /// When which key encrypts.
    pub schedule: Schedule,
    /// The server that reads them.
    pub server: &'a Server,
    /// How it is checked; asked for once the new set is in place.
    pub live: &'a dyn Fn() -> Live,
    /// A shared session cache of this size stands in the include and changes its name with the
    /// generation, as `10m`.
    pub cache: Option<&'a str>,
    /// Keys may lie on a disk.
    pub allow_disk: bool,
    /// The server may have started before the last set was written: it takes it in once more.
    pub refresh: bool,
    /// The clocks.
    pub clock: &'a dyn Fn() -> Now,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Done {
    /// What is remembered now.
    pub saved: Saved,
    /// The slot that it is.
    pub epoch: u64,
    /// Milliseconds until the next slot.
    pub due: u64,
    /// What is wrong.
    pub alarms: Vec<Alarm>,
    /// What was done, one line each, with ids alone.
    pub audit: Vec<String>,
    /// Why the new set did not go live; the server goes on with the old one.
    pub failed: Option<String>,
    /// The set was loaded, and what the live check said; `None`: nothing had to change.
    pub verdict: Option<Verdict>,
    /// The server was asked to take the set in, or does not run.
    pub running: bool,
}

/// Why a set did not go live, and whether the server may have taken it in already.
struct Failure {
    why: String,
    reloaded: bool,
}

/// What loading a set showed.
struct Loaded {
    /// `None`: the server reads what it read before, and was not asked.
    verdict: Option<Verdict>,
    running: bool,
}

impl Turn<'_> {
    /// Does it.
    ///
    /// # Errors
    /// [`KeysError`] where the folder does not let it; the server then goes on as before.
    pub fn run(&self, goal: Goal) -> Result<Done, KeysError> {
        let mut labelled = Vec::new();
        if goal == Goal::Init {
            self.folder.make(self.allow_disk)?;
            labelled = label::admit(self.folder.dir(), self.server.label.as_deref())?;
        }
        let _lock = self.folder.lock()?;
        let known = self.folder.saved();
        let mut saved = known.clone().unwrap_or_default();
        saved.allow_disk |= self.allow_disk && goal == Goal::Init;
        self.folder
            .check_ground(saved.allow_disk || self.allow_disk)?;

        let contents = self.folder.contents()?;
        let mut done = Done {
            epoch: 0,
            due: 0,
            alarms: Vec::new(),
            audit: labelled,
            failed: None,
            verdict: None,
            running: true,
            saved,
        };
        for path in &contents.damaged {
            let line = format!("{} is damaged and no longer used", path.display());
            done.audit.push(line);
        }
        let newest = contents.keys.iter().map(|offer| offer.key.slot.generation);
        let newest = newest.max().unwrap_or(0);
        let mut floor = done.saved.state.floor.max(self.source.floor());
        match goal {
            // Keys of an interrupted replacement may be older than the reason for this one.
            Goal::RotateNow => floor = floor.max(newest) + 1,
            // Without a memory the files alone say what was replaced.
            _ if known.is_none() => floor = floor.max(newest),
            _ => {}
        }
        let mut offers = contents.keys;
        if !self.source.decides_generations() {
            // A replacement that was interrupted before it was loaded did not happen.
            offers.retain(|offer| offer.key.slot.generation <= floor);
        }
        self.looks(floor, offers, &mut done)?;
        self.finish(&mut done)?;
        Ok(done)
    }

    /// True when what the server reads is what is remembered, and every key of it is whole.
    ///
    /// # Errors
    /// [`KeysError`] where the folder cannot be read.
    pub fn stands(&self) -> Result<bool, KeysError> {
        let contents = self.folder.contents()?;
        let set = self.folder.saved().and_then(|saved| saved.state.applied);
        let Some(set) = set.filter(|_| contents.damaged.is_empty()) else {
            return Ok(false);
        };
        let text = self.include(&set, &contents.keys).ok();
        Ok(text.is_some() && text == self.folder.include()?)
    }

    fn looks(&self, floor: u32, mut offers: Vec<Offer>, done: &mut Done) -> Result<(), KeysError> {
        for number in 0..LOOKS {
            let looked = self.look(floor, &mut offers, done)?;
            done.epoch = looked.epoch;
            done.due = looked.due;
            done.alarms = looked.alarms;
            let set = looked.load.or_else(|| looked.state.applied.clone());
            let Some(set) = set else {
                done.saved.state = looked.state;
                return Ok(());
            };
            let text = self.include(&set, &offers)?;
            let there = self.folder.include()?;
            let loaded = looked.state.applied.as_ref() == Some(&set);
            let again = self.refresh && number == 0;
            if loaded && there.as_ref() == Some(&text) && !again {
                done.saved.state = looked.state;
                return Ok(());
            }
            match self.load(&set, &text, &offers) {
                Ok(loaded) => self.went_live(looked.state, &set, &offers, loaded, done)?,
                Err(failure) => return self.take_back(looked.state, &offers, failure, done),
            }
            if !looked.again || done.failed.is_some() {
                return Ok(());
            }
            let state = &done.saved.state;
            offers.retain(|offer| state.find(&offer.key).is_some());
        }
        Ok(())
    }

    /// What the core says once every key that it wants lies in the folder.
    fn look(
        &self,
        floor: u32,
        offers: &mut Vec<Offer>,
        done: &mut Done,
    ) -> Result<Step, KeysError> {
        let brought = self.source.offers(offers);
        let mut state = done.saved.state.clone();
        // A key whose file is gone or damaged cannot be loaded any more.
        state
            .held
            .retain(|held| offers.iter().any(|offer| offer.key == held.key));
        let now = (self.clock)();
        let take = |offers: &[Offer]| {
            let view = View {
                offers: offers.iter().chain(&brought).copied().collect(),
                floor,
                witness: self.source.witness(),
            };
            step(&self.schedule, now, &view, &state)
        };
        let first = take(offers);
        for (offer, what) in self.source.supply(self.folder, &first, offers)? {
            let key = offer.key;
            let line = format!("key {} {what} for slot {}", key.id, key.slot.epoch);
            done.audit.push(line);
            offers.push(offer);
        }
        Ok(take(offers))
    }

    fn load(&self, set: &Set, text: &[u8], offers: &[Offer]) -> Result<Loaded, Failure> {
        if self.one_key()
            && self
                .folder
                .include()
                .is_ok_and(|it| it.as_deref() == Some(text))
        {
            return Ok(Loaded {
                verdict: None,
                running: true,
            });
        }
        let failed = |reloaded| move |why: String| Failure { why, reloaded };
        let said = |why: KeysError| why.to_string();
        self.folder
            .put_include(Some(text))
            .map_err(said)
            .map_err(failed(false))?;
        self.server.test().map_err(failed(false))?;
        let reloaded = self.server.reload().map_err(failed(true))?;
        if reloaded == Reloaded::NotRunning {
            return Ok(Loaded {
                verdict: Some(Verdict::NotCheckable("the server does not run".to_owned())),
                running: false,
            });
        }
        let verdict = match set.encrypts {
            None => Verdict::NotCheckable("there are no tickets to check".to_owned()),
            Some(key) => {
                let key = self.find(&key, offers).and_then(|it| self.folder.key(it));
                (self.live)().check(&*key.map_err(said).map_err(failed(true))?)
            }
        };
        Ok(Loaded {
            verdict: Some(verdict),
            running: true,
        })
    }

    fn went_live(
        &self,
        state: State,
        set: &Set,
        offers: &[Offer],
        loaded: Loaded,
        done: &mut Done,
    ) -> Result<(), KeysError> {
        let refused = match &loaded.verdict {
            Some(Verdict::Wrong(why)) if self.one_key() || state.applied.is_some() => Some(why),
            Some(Verdict::NotCheckable(why)) if self.one_key() => Some(why),
            _ => None,
        };
        if let Some(why) = refused {
            let why = why.clone();
            let failure = Failure {
                why,
                reloaded: true,
            };
            done.saved.history.live_check = loaded.verdict.map(|it| it.word().to_owned());
            return self.take_back(state, offers, failure, done);
        }
        if loaded.verdict.is_some() {
            done.audit.push(set.to_string());
        }
        done.running = loaded.running;
        let history = &mut done.saved.history;
        if let Some(verdict) = loaded.verdict {
            history.live_check = Some(verdict.word().to_owned());
            history.last_failure = None;
            if loaded.running {
                history.reloads_ok += 1;
                history.last_reload = self.seconds();
            }
            done.verdict = Some(verdict);
        }
        done.saved.state = state.applied(set);
        // Remembered before anything is forgotten: a kill in between costs no key.
        self.folder.save(&done.saved)
    }

    /// The set of before stands again. New keys stay: the next run takes them.
    fn take_back(
        &self,
        state: State,
        offers: &[Offer],
        failure: Failure,
        done: &mut Done,
    ) -> Result<(), KeysError> {
        let before = state.applied.clone();
        let text = match &before {
            // A damaged key of the old set leaves what stands there.
            Some(set) => self.include(set, offers).ok(),
            None => None,
        };
        if text.is_some() || before.is_none() {
            self.folder.put_include(text.as_deref())?;
        }
        let mut why = failure.why;
        let back = match failure.reloaded {
            true => self.server.reload().map(drop),
            false => Ok(()),
        };
        if let Err(again) = back {
            why = format!("{why}; going back: {again}");
        }
        done.audit
            .push("the new set did not go live; the old one stands again".to_owned());
        let history = &mut done.saved.history;
        history.reloads_failed += 1;
        history.last_failure = Some(why.clone());
        done.failed = Some(why);
        // The floor rises only with a set that went live: the void keys are still in use.
        let floor = done.saved.state.floor;
        done.saved.state = State { floor, ..state };
        Ok(())
    }

    fn finish(&self, done: &mut Done) -> Result<(), KeysError> {
        let now = self.seconds();
        let history = &mut done.saved.history;
        history.draining = workers::draining(&self.server.children(), &history.draining, now);
        history.last_run = now;
        for alarm in &done.alarms {
            if let Alarm::Rejected(_, why) = alarm {
                *history.rejected.entry(why.to_string()).or_default() += 1;
            }
        }
        self.folder.save(&done.saved)?;
        let state = &done.saved.state;
        let held = state.held.iter().map(|held| held.key);
        let loaded = state.applied.iter().flat_map(Set::keys).copied();
        let kept: Vec<_> = held.chain(loaded).collect();
        let forgotten = self.folder.forget_all_but(&kept)?;
        if forgotten > 0 {
            done.audit.push(format!("{forgotten} files of keys wiped"));
        }
        Ok(())
    }

    /// httpd reads one key, whatever else is held; and no other server leaves half of a key file
    /// unused, so nothing goes on there that was not proven by its tickets.
    fn one_key(&self) -> bool {
        self.folder.layout() == Layout::Apache48
    }

    fn find<'o>(&self, key: &Key, offers: &'o [Offer]) -> Result<&'o Offer, KeysError> {
        let found = offers.iter().find(|offer| offer.key == *key);
        found.ok_or_else(|| KeysError::Damaged(self.folder.dir().join(key.id.to_string())))
    }

    fn include(&self, set: &Set, offers: &[Offer]) -> Result<Vec<u8>, KeysError> {
        let generation = set.encrypts.map_or(0, |key| key.slot.generation);
        let cache = self
            .cache
            .map(|size| format!("shared:stekguard_{generation}:{size}"));
        let keys = set.keys().map(|key| self.find(key, offers).copied());
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(self.folder.include_for(&keys, cache.as_deref()))
    }

    fn seconds(&self) -> u64 {
        (self.clock)().wall / 1000
    }
}

/// How long to sleep until the next look: to the slot's start, and often enough to heal.
pub fn pause(schedule: &Schedule, due: u64) -> Duration {
    Duration::from_millis(due.min(schedule.interval / 4).max(1))
}

/// Checks a running server against the key that is remembered as the encrypting one.
pub fn check_now(folder: &Folder, live: &Live) -> Verdict {
    let key = folder.saved().and_then(|saved| saved.state.encrypts());
    let Some(key) = key else {
        return Verdict::NotCheckable("no key encrypts".to_owned());
    };
    let read = |derived| folder.key(&Offer::new(key, derived));
    match read(false).or_else(|_| read(true)) {
        Ok(key) => live.check(&key),
        Err(why) => Verdict::NotCheckable(why.to_string()),
    }
}
